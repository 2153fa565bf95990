"""The store as a model in memory, for exploring quickly: what the ledger, the outbox and the limits promise, without a
database and its transactions.

It answers as the store does to everything that one process asks of it, one thing after another; `tests/testing/test_model.py`
and every hundredth walk of an exploration hold the two against each other. Two nodes at once, a cut in the middle of a
transaction and what is on a disk afterwards are for the store's own tests. A method of the store that is not here fails.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

from ivr.core.call import OPEN, OPEN_PARTS, TAKEN_BACK, Call
from ivr.core.money import Money
from ivr.core.remembered import Remembered
from ivr.reading.scalars import BILL
from ivr.store import (
    ANY,
    EMAILS,
    FINAL,
    FOLLOWS,
    NOTICES,
    TEXTS,
    Accepted,
    AgreedBill,
    Agreement,
    AlreadyBegun,
    Announcement,
    Attempter,
    AttemptLimits,
    BankWord,
    BeingPaid,
    Bill,
    Due,
    DueChanged,
    FollowUp,
    Guess,
    GuessLimits,
    GuessLock,
    IntentBill,
    Job,
    KeptCard,
    Limit,
    Modification,
    NoCard,
    OverLimit,
    Payment,
    PaymentIntent,
    Renewal,
    SealedField,
    StaleCall,
    Status,
    StoredCall,
    TextMessage,
    TurnRecord,
    Which,
    bank_queue,
    from_reference,
    read_bills,
    require_true_amount,
    sum_changed,
)
from ivr.testing.explore.model_splits import BegunPayment, ModelledSplits, begun, with_approved

Refusal = OverLimit | BeingPaid | DueChanged
A_YEAR_S = 365 * 24 * 3600


@dataclass
class Queued:
    """A job that is not done. `due` and `leased_until` are None for at once and for nobody."""

    job: Job
    queue: str
    due: datetime | None = None
    leased_until: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        return all(one is None or one <= now for one in (self.due, self.leased_until))


class ModelledStore(ModelledSplits):
    """For one thread. Every time is given: nothing here has a clock."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Empty, as at the beginning."""
        self._calls: dict[str, StoredCall] = {}
        self._sealed: dict[str, dict[str, SealedField]] = {}
        self._begun: dict[str, BegunPayment] = {}
        self._jobs: dict[tuple[str, str], Queued | None] = {}  # None: done, and not to be added again
        self._texts: dict[str, TextMessage] = {}
        self._bills: dict[str, Bill] = {}
        self._agreements: dict[str, Agreement] = {}
        self._modifications: dict[str, Modification] = {}
        self._after: dict[str, FollowUp] = {}  # of parts, by reference
        self._kept: dict[tuple[str, str], KeptCard] = {}
        self._remembered: dict[tuple[str, str], Remembered] = {}  # by caller and flow
        self._guesses: dict[str, tuple[Guess, datetime, bool]] = {}  # whether it was right
        self._noted: dict[str, list[str]] = {}
        self._numbers = count(1)

    # ---- calls

    def load_call(self, call_id: str) -> StoredCall | None:
        return self._calls.get(call_id)

    def save_call(self, state: Call, version: int, now: datetime, *, answer: str = "") -> None:
        stored = self._calls.get(state.id)
        if (stored.version if stored else 0) != version:
            raise StaleCall(state.id)
        self._calls[state.id] = StoredCall(state, version + 1, answer, now)
        if state.phase == "over" and state.has_parts:
            self._call_ended(state.id, now)
        if version and state.phase == "over":
            for charge in state.to_tell:
                self._add_job("result", state.intent_of(charge.attempt), TEXTS)

    def note_sent(self, state: Call, version: int) -> None:
        """The call of that version, as it is now to be read."""
        stored = self._calls.get(state.id)
        if stored is not None and stored.version == version:
            self._calls[state.id] = replace(stored, call=state)

    def promise_results(self, state: Call, version: int) -> None:
        """A job for each charge that is perhaps not told."""
        stored = self._calls.get(state.id)
        if stored is None or stored.version != version:
            return
        self._calls[state.id] = replace(stored, call=state, version=version + 1)
        for charge in state.to_tell:
            self._add_job("result", state.intent_of(charge.attempt), TEXTS)

    def ended_calls(self, flow: str, limit: int) -> Iterator[Call]:
        ended = [one.call for one in self._calls.values() if one.call.flow == flow and one.call.phase == "over"]
        yield from ended[::-1][:limit]

    notes_turns = False  # for people to read: nobody reads them here

    def note_turn(self, turn: TurnRecord) -> None:
        """Never asked to."""

    def announcement_for(self, flow: str) -> Announcement | None:
        """Nobody sets one here."""
        return None

    def is_stopped(self, flow: str, bank: str | None) -> bool:
        """Nobody stops anything here."""
        return False

    # ---- sealed fields

    def stage_sealed(self, sealed: SealedField, at: datetime) -> None:
        call = sealed.intent.rpartition("-")[0]
        if sealed.intent in self._begun or self._is_over(call):
            raise StaleCall(call)
        self._sealed.setdefault(sealed.intent, {})[sealed.field] = sealed

    def sealed_beside(self, intent: str, field: str) -> str:
        """Nothing is sealed here."""
        return ""

    def is_staged(self, intent: str) -> bool:
        return intent in self._sealed

    def forget_card(self, intent: str) -> bool:
        if intent in self._begun:
            return False
        self._sealed.pop(intent, None)
        return True

    # ---- a charge is begun

    def limit_reached(self, attempter: Attempter, limits: AttemptLimits, now: datetime) -> OverLimit | None:
        if not self._begun:
            return None
        a_call = Limit(limits.per_call, A_YEAR_S) if limits.per_call else None
        checks = {"call": a_call, "caller": limits.per_caller, "card": limits.per_card}
        checks |= {"account": limits.per_account, "line": limits.per_line}
        for counted in (
            attempter,
            *(Attempter(payable_source=source, payable_key=key) for source, key in attempter.bills),
        ):
            for what, limit in checks.items():
                if limit and sum(self._failed(what, counted, limit, now)) >= limit.count:
                    return OverLimit(f"attempts_per_{what}")
        return None

    def _failed(self, what: str, attempter: Attempter, limit: Limit, now: datetime) -> Iterator[bool]:
        mine, since = _counted(what, attempter), now - timedelta(seconds=limit.window_s)
        for one in self._begun.values() if mine else ():
            is_paid = one.payment.status in ("approved", "not_sent") and one.payment.part not in TAKEN_BACK
            is_failed = not is_paid and one.at > since
            yield is_failed and mine in _all_counted(what, _attempter_of(one.payment.intent, one.fingerprint))

    def begin_guess(self, guess: Guess, limits: GuessLimits, now: datetime) -> GuessLock | None:
        if guess.id in self._guesses:
            return None
        lock = self._lock(guess, limits, now)
        if lock is None:
            self._guesses[guess.id] = (guess, now, False)
        return lock

    def _lock(self, guess: Guess, limits: GuessLimits, now: datetime) -> GuessLock | None:
        of_caller, of_account = (
            [
                one
                for one, at, is_right in self._guesses.values()
                if not is_right and at > now - timedelta(seconds=limit.window_s)
            ]
            for limit in (limits.per_caller, limits.per_account)
        )
        at_account = sum(one.account == guess.account for one in of_account)
        if guess.ani_hash and sum(one.ani_hash == guess.ani_hash for one in of_caller) >= limits.per_caller.count:
            return "caller_locked"
        who = guess.account, guess.ani_hash
        if guess.ani_hash and any(
            is_right and (one.account, one.ani_hash) == who for one, _, is_right in self._guesses.values()
        ):
            return None
        withheld = sum((one.account, one.ani_hash) == (guess.account, "") for one in of_caller)
        is_full = not guess.ani_hash and withheld >= limits.per_caller.count
        return "account_locked" if is_full or at_account >= limits.per_account.count else None

    def end_guess(self, guess_id: str, now: datetime, *, is_right: bool) -> None:
        guess, at, _ = self._guesses.pop(guess_id, (None, now, False))
        if guess is not None and is_right:
            self._guesses[guess_id] = (guess, at, True)

    def begin_payment(
        self, intent: PaymentIntent, limits: AttemptLimits, now: datetime, due: Due = None
    ) -> Accepted | AlreadyBegun | Refusal:
        require_true_amount(intent)
        if intent.reference in self._begun:
            return AlreadyBegun()
        if self._is_over(intent.call):
            raise StaleCall(intent.call)
        fields = self._sealed.get(intent.reference)
        if not fields:
            raise NoCard(intent.reference)
        fingerprint = next((one.fingerprint for one in fields.values() if one.fingerprint), "")
        refusal = self._refusal(intent, _attempter_of(intent, fingerprint), limits, now, due)
        if not isinstance(refusal, PaymentIntent):
            self._sealed.pop(intent.reference, None)
            return refusal
        intent = refusal
        number = self._number_for(intent.reference)
        self._begun[intent.reference] = BegunPayment(begun(intent, number, now), fingerprint, now)
        self._add_job("authorize", intent.reference, bank_queue(intent.bank))
        return Accepted()

    def _number_for(self, reference: str) -> str:
        taken = {one.payment.confirmation_number for one in self._begun.values()}
        return next(number for attempt in count() if (number := from_reference(reference, attempt)) not in taken)

    def _refusal(  # type: ignore[override]
        self, intent: PaymentIntent, attempter: Attempter, limits: AttemptLimits, now: datetime, due: Due
    ) -> Refusal | PaymentIntent:
        over = self.limit_reached(attempter, limits, now)
        if over is not None or not intent.payable_key:
            return over or intent
        paying = [bill.key for bill in intent.paid_bills if self.is_being_paid(bill.source, bill.key, intent.call)]
        if paying:
            return BeingPaid(tuple(paying) if intent.bills else ())
        left = [self._due_now(bill, due) for bill in intent.paid_bills]
        if intent.part is not None:
            return self._agreed_part(intent, intent.part, left[0])
        left = [replace(one, minor=max(one.minor, 0)) for one in left]
        if intent.bills:
            return sum_changed(intent, left) or intent
        return intent if intent.is_as_agreed(left[0]) else DueChanged(left[0])

    def _due_now(self, bill: IntentBill, due: Due) -> Money:  # type: ignore[override]
        said, known = due.get(bill.key) if isinstance(due, Mapping) else due, self._bills.get(bill.key)
        left = said.amount if said else known.due if known else Money(0, bill.amount.currency)
        held = self._held_minor(bill.source, bill.key)
        return Money(left.minor - held, left.currency) if held else left

    def is_being_paid(self, source: str, key: str, call: str = "") -> bool:
        return any(
            (one.payment.status in OPEN or _is_held(one.payment, call))
            and any((bill.source, bill.key) == (source, key) for bill in one.payment.intent.paid_bills)
            for one in self._begun.values()
        )

    def left_on(self, keys: Sequence[str]) -> Mapping[str, Money]:
        known = {key: self._bills[key].due for key in keys if key in self._bills}
        held = {key: self._held_minor(BILL, key) for key in known}
        return {key: Money(max(due.minor - held[key], 0), due.currency) for key, due in known.items()}

    # ---- what is known of it

    def payment(self, reference: str) -> Payment | None:
        found = self._begun.get(reference)
        return found.payment if found else None

    def payments_of(self, call_id: str) -> list[Payment]:
        return [one.payment for one in self._begun.values() if one.payment.intent.call == call_id]

    # ---- the forwarder's side

    def mark_sent(self, job: Job) -> dict[str, str] | None:
        if self._held(job) is None or not self._move(job.reference, "accepted", "sent"):
            return None
        return {name: one.jwe for name, one in self._sealed.get(job.reference, {}).items()}

    def sealed_again(self, job: Job) -> dict[str, str] | None:
        payment = self.payment(job.reference) if self._held(job) else None
        if payment is None or payment.status != "unknown":
            return None
        return {name: one.jwe for name, one in self._sealed.get(job.reference, {}).items()}

    def note_unanswered(self, job: Job, kind: str, now: datetime) -> bool:
        payment = self.payment(job.reference) if self._held(job) else None
        if payment is None or payment.status != "unknown":
            return False
        self._noted.setdefault(job.reference, []).append(kind)
        return True

    def entries(self, reference: str) -> list[str]:
        """Only what was noted beside the payment's own states."""
        return list(self._noted.get(reference, ()))

    def record(
        self,
        job: Job,
        status: Status,
        now: datetime,
        answer: BankWord | None = None,
        follow_up: FollowUp | None = None,
    ) -> bool:
        payment = self.payment(job.reference) if self.finish(job) else None
        if payment is None or status not in FOLLOWS.get(payment.status, frozenset()):
            return False
        self._move(job.reference, payment.status, status, answer or BankWord())
        if status == "approved" and answer is not None:
            self._keep(payment.intent, answer, now)
        if status == "unknown":
            self._add_job("resolve", job.reference, bank_queue(payment.intent.bank))
        moved = self._begun[job.reference].payment
        if moved.split and status in FINAL:
            self._heard(moved, follow_up or FollowUp(), now)
        elif status == "approved":
            self._follow_approval(moved.intent, follow_up or FollowUp())
        if status in FINAL:
            self._sealed.pop(job.reference, None)
            self._hurry(job.reference)
        return True

    def is_told_again(self, reference: str) -> bool:
        """Nothing that could be told changes here: no bank lets go by itself, and no refund comes back."""
        return False

    def _follow_ups(self) -> dict[str, FollowUp]:
        return self._after

    def _hurry(self, reference: str) -> None:
        if waiting := self._jobs.get(("result", reference)):
            waiting.due = None

    def put_back(self, job: Job, pause_s: float, now: datetime | None = None) -> bool:
        return self.postpone(job, pause_s, now) and self._move(job.reference, "sent", "accepted")

    def _move(self, reference: str, old: Status, new: Status, word: BankWord | None = None) -> bool:
        mine, word = self._begun[reference], word or BankWord()
        if mine.payment.status != old:
            return False
        moved = with_approved(mine.payment, word.approved if new == "approved" else None)
        mine.payment = replace(
            moved, status=new, authorization_code=word.authorization_code, response_code=word.response_code
        )
        return True

    def _lower_bill(self, paid: IntentBill) -> None:
        bill = self._bills.get(paid.key)
        if bill and bill.due.currency == paid.amount.currency:
            left = Money(max(bill.due.minor - paid.amount.minor, 0), bill.due.currency)
            self._bills[bill.account] = replace(bill, due=left)

    # ---- the outbox

    def claim_jobs(self, now: datetime | None, lease_s: float, most: int, which: Which = ANY) -> Sequence[Job]:
        assert now is not None
        free = [one for one in self._waiting() if one.is_free(now)]
        free.sort(key=lambda one: (one.due is not None, one.due or now, one.job.id))
        for one in free[:most]:
            one.leased_until = now + timedelta(seconds=lease_s)
            one.job = replace(one.job, fence=one.job.fence + 1, attempts=one.job.attempts + 1)
        return [one.job for one in free[:most]]

    def finish(self, job: Job) -> bool:
        if self._held(job) is None:
            return False
        self._jobs[job.kind, job.reference] = None
        return True

    def postpone(self, job: Job, pause_s: float, now: datetime | None = None) -> bool:
        held = self._held(job)
        if held is None or now is None:
            return False
        held.due, held.leased_until = now + timedelta(seconds=pause_s), None
        return True

    def renew(self, job: Job, lease_s: float, now: datetime | None = None) -> bool:
        held = self._held(job)
        if held is None or now is None:
            return False
        held.leased_until = now + timedelta(seconds=lease_s)
        return True

    def outbox_depth(self) -> dict[str, int]:
        kinds = [one.job.kind for one in self._waiting()]
        return {kind: kinds.count(kind) for kind in kinds}

    def _waiting(self) -> Iterable[Queued]:
        return [one for one in self._jobs.values() if one is not None]

    def _held(self, job: Job) -> Queued | None:
        queued = self._jobs.get((job.kind, job.reference))
        return queued if queued and queued.job.fence == job.fence else None

    def _add_job(self, kind: str, reference: str, queue: str) -> None:
        if (kind, reference) not in self._jobs:
            self._jobs[kind, reference] = Queued(Job(next(self._numbers), kind, reference, 0, 0), queue)

    # ---- agreements

    def record_agreement(self, agreement: Agreement, *, tell_billing: bool = False) -> bool:
        if agreement.reference in self._agreements:
            return False
        self._agreements[agreement.reference] = agreement
        if tell_billing:
            self._add_job("agreement", agreement.reference, NOTICES)
        return True

    def record_agreement_of_card(self, agreement: Agreement, _bank: str, *, tell_billing: bool = False) -> None:
        """Nobody stops anything here."""
        self.record_agreement(agreement, tell_billing=tell_billing)

    def record_agreement_on_bill(
        self, agreement: Agreement, bill: AgreedBill, *, tell_billing: bool = False
    ) -> BeingPaid | DueChanged | None:
        if agreement.reference in self._agreements:
            return None
        if self.is_being_paid(bill.source, bill.key, agreement.call):
            return BeingPaid()
        due = self._due_now(IntentBill("", bill.source, bill.key, bill.amount), bill.due)
        due = replace(due, minor=max(due.minor, 0))
        if not bill.is_as_agreed(due):
            return DueChanged(due)
        self.record_agreement(agreement, tell_billing=tell_billing)
        return None

    def agreement(self, reference: str) -> Agreement | None:
        return self._agreements.get(reference)

    def agreements_of(self, call: str) -> Sequence[Agreement]:
        return [one for one in self._agreements.values() if one.call == call]

    # ---- cards that the bank keeps

    def _keep(self, intent: PaymentIntent, word: BankWord, now: datetime) -> None:
        if not (intent.keeps_card and intent.payable_key and word.kept_token):
            return
        brand, _, last4 = intent.card_summary.partition(" ")
        of_call = (one for one in self.agreements_of(intent.call) if one.kind == "keep_card")
        consent = next((one.reference for one in of_call), "")
        fingerprint = self._begun[intent.reference].fingerprint
        source, key = intent.payable_source, intent.payable_key
        about = (source, key, intent.bank, word.kept_token, brand, last4, word.kept_until, fingerprint, consent)
        self._kept[source, key] = KeptCard(*about, kept_at=now)

    def kept_card(self, source: str, key: str, bank: str) -> KeptCard | None:
        kept = self._kept.get((source, key))
        return kept if kept and kept.bank == bank else None

    def forget_kept_card(self, key: str, forgotten_by: str, now: datetime, source: str = "") -> int:
        wanted = [one for one in self._kept if one[1] == key and source in ("", one[0])]
        for one in wanted:
            del self._kept[one]
        return len(wanted)

    # ---- what callers agreed to have remembered

    def recall(self, caller_hash: str, flow: str, now: datetime) -> Remembered | None:
        return self._remembered.get((caller_hash, flow))

    def remember_caller(self, caller_hash: str, flow: str, what: Remembered, consent: str, now: datetime) -> None:
        self._remembered[caller_hash, flow] = what

    def forget_caller(self, caller_hash: str, flow: str) -> bool:
        return self._remembered.pop((caller_hash, flow), None) is not None

    # ---- texts

    def queue_sms(self, message_id: str, recipient: str, body: str, now: datetime) -> bool:
        if message_id in self._texts:
            return False
        self._texts[message_id] = TextMessage(message_id, recipient, body, is_sent=False)
        self._add_job("sms", message_id, TEXTS)
        return True

    def queue_email(self, message_id: str, address: str, subject: str, body: str, now: datetime) -> bool:
        if message_id in self._texts:
            return False
        mail = TextMessage(message_id, address, body, is_sent=False, way="email", subject=subject, at=now)
        self._texts[message_id] = mail
        self._add_job("email", message_id, EMAILS)
        return True

    def text_message(self, message_id: str) -> TextMessage | None:
        return self._texts.get(message_id)

    def texts_of(self, call: str) -> Sequence[TextMessage]:
        return [text for text in self._texts.values() if text.id.startswith(f"{call}-") and text.way == "text"]

    def text_kept(self, job: Job, now: datetime) -> bool:
        if not self.finish(job):
            return False
        self._texts[job.reference] = replace(self._texts[job.reference], state="kept")
        return True

    # ---- bills

    def find_bill(self, account: str) -> Bill | None:
        bill = self._bills.get(account)
        return replace(bill, minimum=bill.due) if bill and bill.minimum.minor > bill.due.minor else bill

    def find_bills(self, customer: str) -> Sequence[Bill]:
        found = (self.find_bill(one.account) for one in self._bills.values() if one.belongs_to == customer)
        return sorted(filter(None, found), key=lambda one: one.account)

    def seed_bills(self, file: Path, *, anew: bool = False, by: str = "") -> int:
        bills = [one for one in read_bills(file) if anew or one.account not in self._bills]
        self.renew_bills(bills)
        return len(bills)

    def renew_bills(
        self, bills: Sequence[Bill], *, replace_all: bool = False, only_show: bool = False, by: str = ""
    ) -> Renewal:
        self._bills |= {one.account: one for one in bills}
        return Renewal((), (), (), len(bills))

    def _is_over(self, call: str) -> bool:
        return call in self._calls and self._calls[call].call.phase == "over"


def _is_held(payment: Payment, call: str) -> bool:
    """Whether another call than this one has paid a part of its bill, or any is having one taken back."""
    is_others = payment.part in OPEN_PARTS and payment.intent.call != call
    return payment.status == "approved" and (is_others or payment.part == "undoing")


def _counted(what: str, attempter: Attempter) -> tuple[str, ...] | None:
    """What an attempt is counted under; None for nobody."""
    under: Mapping[str, tuple[str, ...]] = {
        "call": (attempter.call,),
        "caller": (attempter.ani_hash,),
        "card": (attempter.card_fingerprint,),
        "account": (attempter.payable_key, attempter.payable_source),
        "line": ("" if attempter.ani_hash else attempter.line,),
    }
    return under[what] if under[what][0] else None


def _all_counted(what: str, attempter: Attempter) -> Collection[tuple[str, ...] | None]:
    """An attempt on bills in one sum is one on each of them."""
    bills = [(key, source) for source, key in attempter.bills] if what == "account" else []
    return [_counted(what, attempter), *bills]


def _attempter_of(intent: PaymentIntent, fingerprint: str) -> Attempter:
    return Attempter(
        call=intent.call,
        ani_hash=intent.ani_hash,
        card_fingerprint=fingerprint,
        payable_source="" if intent.bills else intent.payable_source,
        payable_key="" if intent.bills else intent.payable_key,
        line=intent.line,
        bills=tuple((bill.source, bill.key) for bill in intent.bills),
    )
