"""The money side of a call: keys to the vault, sealed fields and intents to the store, the bank's answers back as events."""

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

import structlog

from ivr.calls.bills_left import Left, left_after_charge, left_on_list
from ivr.calls.guessing import guess_of
from ivr.calls.pay_links import PayLinks
from ivr.calls.receipts import DEFAULT_ZONE, receipt_values
from ivr.calls.texting import can_be_kept
from ivr.core.actions import Authorize, LookUp, Phrase, SendEmail, SendSms
from ivr.core.call import Call, Charge
from ivr.core.caller import caller_block, caller_key
from ivr.core.email_addresses import is_email_address
from ivr.core.entry import EntryRules, Reading, Span, ends_itself, read_after_timeout, read_entry
from ivr.core.events import (
    BankAnswered,
    BankOutcome,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    CardField,
    ChargeRefused,
    Digits,
    Event,
    KeysEntered,
    LimitReached,
    LookedUp,
    PartsTakenBack,
    RefusalReason,
    Waited,
)
from ivr.core.fixed_keys import HELP_KEY, REPEAT_KEY
from ivr.errors import FlowError
from ivr.flow.compiled import Flow
from ivr.flow.schema import Limits
from ivr.reading.scalars import Rate
from ivr.store import (
    BY_CALLER,
    KEPT_CARD,
    AlreadyBegun,
    Attempter,
    AttemptLimits,
    BeingPaid,
    Due,
    DueChanged,
    Guess,
    Limit,
    NoCard,
    OverLimit,
    Payment,
    PaymentIntent,
    SealedField,
    StaleCall,
    Status,
    Stopped,
    Store,
    bills_of,
    hash_of_caller,
)
from ivr.vault import CardRules, SealContext, Vault, last_date_on_earth

log = structlog.get_logger()
# What a payment's status is to the caller; `accepted` and `sent` are no answer yet.
ANSWERS: Mapping[Status, BankOutcome] = {
    "approved": "approved",
    "declined": "declined",
    "not_sent": "not_sent",
    "unknown": "unknown",
    "reversed": "reversed",
}
LONGEST_LINE = 120  # as the ledger keeps it
TOKEN_FIELD = "payment_token"  # noqa: S105 - a name, not a token
EDITS = {Reading.CLEARED: "cleared", Reading.CANCEL: "cancel", Reading.EMPTY: "empty"}


@dataclass(frozen=True)
class Payments:
    """`vaults`: one for each bank, sealing to that bank's key. `ani_key` keys the hash that stands for a caller's number.
    `can_text`: whether a text to that number can be promised. `tells_billing`: there is a billing system to be told.
    `links`: where texts lead to that say where a bill can be paid. `can_email`: whether e-mails go out (in development they
    are shown on the page). `merchant_name`: as receipts say it. `is_closed`: whether nothing new can be charged at a bank.
    `reread_keys`: takes up what `banks.yaml` lists by now."""

    store: Store
    vaults: Mapping[str, Vault]
    merchant: str
    ani_key: bytes
    words: Callable[[Phrase], str]
    can_text: Callable[[str], bool] = can_be_kept
    tells_billing: bool = False
    links: PayLinks | None = None
    can_email: Callable[[], bool] = lambda: True
    merchant_name: str = ""
    is_closed: Callable[[str, datetime], bool] = lambda bank, at: False
    reread_keys: Callable[[], object] = lambda: None

    # ---- keys that are card data

    def take_card_keys(self, call: Call, flow: Flow, field: CardField, rules: EntryRules, event: KeysEntered) -> Event:
        """The vault's verdict. The keys are wiped here whatever happens."""
        try:
            read = read_after_timeout if event.timed_out else read_entry
            span = read(event.keys.buffer, rules)
            if (edit := EDITS.get(span.reading) or _lone_key(call, event, span, rules)) is not None:
                return CardEntryEdited(event.at, edit)  # type: ignore[arg-type]
            keys = event.keys.buffer[span.start : span.end]
            verdict = self._take(call, flow, field, keys, event.at)
            if isinstance(verdict, CardCollected) and ends_itself(event.keys.buffer, rules):
                return replace(verdict, ended_itself=True)
            return verdict
        finally:
            event.keys.wipe()

    def _take(self, call: Call, flow: Flow, field: CardField, keys: bytearray, at: datetime) -> Event:
        asked = flow.steps[call.step].card
        assert asked is not None
        context = SealContext(self.merchant, call.id, call.intent, self._beside(call, flow, field))
        rules = CardRules(frozenset(asked.brands), str(call.values.get("brand", "")) or None, asked.postal_digits)
        intake = self._vault(flow).take(field, keys, context, rules, at, last_date_on_earth(at))
        if intake.fingerprint:
            card = Attempter(card_fingerprint=intake.fingerprint)
            if over := self.store.limit_reached(card, _limits(flow.head.limits), at):
                return LimitReached(at, over.name)
        if intake.sealed is not None:
            marks = intake.fingerprint, intake.bin_tag
            self.store.stage_sealed(SealedField(call.intent, field, intake.sealed, *marks), at)
        return CardCollected(at, field, intake.valid, intake.reason, intake.summary)

    def _beside(self, call: Call, flow: Flow, field: CardField) -> str:
        """What was sealed of this card before, perhaps by another process, which has keys that this one has not read yet."""
        beside, vault = self.store.sealed_beside(call.intent, field), self._vault(flow)
        if not vault.can_go_on(beside):
            self.reread_keys()
        if not vault.can_go_on(beside):
            log.error(
                "a card is sealed to two keys, and the bank may refuse it: this process lacks one", bank=flow.bank
            )
        return beside

    # ---- cards that the telephone network has collected (`capture: pay`)

    def tokenize(self, call: Call, flow: Flow, fields: Mapping[CardField, Digits], at: datetime) -> str | None:
        """Seals every field of the step, or none; the reason's name where one is missing or wrong. Wipes them all."""
        kind = flow.steps.get(call.step)
        try:
            if kind is None or kind.card is None:
                return "not_collecting"
            for field in kind.card.fields:
                if field not in fields:
                    return f"missing_{field}"
            for field in kind.card.fields:
                verdict = self._take(call, flow, field, fields[field].buffer, at)
                if not isinstance(verdict, CardCollected) or not verdict.valid:
                    self.forget(call.intent)
                    return f"{field}_refused"
                call = _with_brand(call, verdict)
            return None
        except StaleCall:
            return "too_late"  # the attempt has been charged, or the call is over
        finally:
            for keys in fields.values():
                keys.wipe()

    def keep_token(self, call: Call, event: CardCaptured) -> None:
        """A PSP's own connector keeps the card and gives a token in its place, which its bank adapter charges.

        NoCard where the capture is said to have succeeded and nothing came of it: neither a token nor sealed fields.
        """
        if event.result != "success":
            return
        if event.token and event.token != call.intent:
            self.store.stage_sealed(SealedField(call.intent, TOKEN_FIELD, event.token, None), event.at)
        elif not self.store.is_staged(call.intent):
            raise NoCard(call.intent)

    # ---- cards that the bank keeps

    def with_kept_card(self, flow: Flow, call: Call, source: str, found: LookedUp) -> LookedUp:
        """What a look-up gives, with brand and last four of the card that the bank keeps for it: empty where it keeps none.

        Only where the flow offers it, which it may to callers alone who are known by a second answer.
        """
        if not found.found or found.bills or flow.bank is None or call.looking_up is None:
            return found
        if not any(step.offers_kept_card for step in flow.steps.values()):
            return found
        kept = self.store.kept_card(source, call.looking_up[1], flow.bank)
        brand, last4 = (kept.brand, kept.last4) if kept else ("", "")
        return replace(found, values={**found.values, "kept_brand": brand, "kept_last4": last4})

    def use_kept_card(self, call: Call, flow: Flow, at: datetime) -> None:
        """Staged like sealed fields, and deleted with them. Where it was forgotten meanwhile nothing is: NoCard at the charge."""
        if call.payable is None or flow.bank is None:
            return
        kept = self.store.kept_card(call.payable.source, call.payable.key, flow.bank)
        if kept is not None and (kept.brand, kept.last4) == (call.values.get("brand"), call.values.get("last4")):
            self.store.stage_sealed(SealedField(call.intent, KEPT_CARD, kept.token, kept.fingerprint or None), at)

    def forget_kept_card(self, call: Call, at: datetime) -> None:
        if call.payable is not None:
            self.store.forget_kept_card(call.payable.key, BY_CALLER, at, call.payable.source)

    # ---- the attempt, the charge, the answer

    def begin_card(self, call: Call, flow: Flow, at: datetime) -> Event | None:
        """Early word, before the caller keys in a card for nothing; the final word is in `authorize`'s transaction."""
        over = self.store.limit_reached(self._attempter(call), _limits(flow.head.limits), at)
        if over is not None:
            return LimitReached(at, over.name)
        if flow.bank is not None and self.is_closed(flow.bank, at):
            return ChargeRefused(at, "bank_closed")
        if self.store.is_stopped(call.flow, flow.bank):
            return ChargeRefused(at, "stopped")
        if call.payable is None:
            return None
        bills = call.payable.parts or (call.payable,)
        paying = tuple(bill.key for bill in bills if self.store.is_being_paid(bill.source, bill.key, call.id))
        if not paying:
            return None
        return ChargeRefused(
            at, "being_paid", paying=paying if call.payable.parts else (), left=self.left_on_list(call, at)
        )

    def stop_card(self, call: Call, flow: Flow, at: datetime) -> ChargeRefused | None:
        """Where a card is being asked for, or whether it may be kept, and nobody's is taken any more: nothing further is asked."""
        step = flow.steps.get(call.step)
        is_asking = step is not None and (step.card is not None or step.is_about_card)
        return ChargeRefused(at, "stopped") if is_asking and self.store.is_stopped(call.flow, flow.bank) else None

    def forget(self, intent: str) -> bool:
        """False where the attempt has been charged for by now: its fields are the forwarder's."""
        return self.store.forget_card(intent)

    def authorize(self, call: Call, flow: Flow, action: Authorize, at: datetime, due: Due = None) -> Event | None:
        """One transaction: intent, idempotency key, sealed fields, outbox row, attempt counts."""
        intent = PaymentIntent(
            reference=action.intent,
            merchant=self.merchant,
            call=call.id,
            bank=action.bank,
            amount=action.amount,
            fee=action.fee,
            account=action.account,
            card_summary=f"{call.values.get('brand', '')} {call.values.get('last4', '')}".strip(),
            ani_hash=self.ani_hash(call.ani),
            ani_block=hash_of_block(self.ani_key, call.ani),
            payable_source=action.payable.source if action.payable else "",
            payable_key=action.payable.key if action.payable else "",
            line=line_of(call),
            of_due=action.payable.owed if action.payable and (action.part or not action.is_own_amount) else None,
            part=action.part,
            captures_later=action.captures_later,
            keeps_card=action.keeps_card,
            bills=bills_of(action.intent, action.payable.parts if action.payable else ()),
        )
        match self.store.begin_payment(intent, _limits(flow.head.limits), at, due):
            case OverLimit(name):
                return LimitReached(at, name)
            case BeingPaid(keys):
                return ChargeRefused(at, "being_paid", paying=keys, left=self.left_on_list(call, at))
            case DueChanged(left) if left.currency != action.amount.currency:
                return ChargeRefused(at, "not_payable")
            case DueChanged(left, parts=parts) if parts:
                return ChargeRefused(at, "paid_in_full" if parts == "paid" else "overpaid", left)
            case DueChanged(left, dues):
                reason: RefusalReason = "due_changed" if left.minor > 0 else "nothing_due"
                return ChargeRefused(at, reason, left, dues, left=self.left_on_list(call, at))
            case Stopped():
                return ChargeRefused(at, "stopped")
            case AlreadyBegun():
                return self.answer(call, Waited(at))
        return None

    def left_on_list(self, call: Call, at: datetime) -> Left:
        """What is due by now on the open bills that the call has looked up, by key."""
        return left_on_list(self.store, call, at, elsewhere=self.tells_billing)

    def has_begun(self, call: Call) -> bool:
        """Whether the present attempt is a charge by now."""
        return self.store.payment(call.intent) is not None

    def answer(self, call: Call, event: Waited) -> Event | None:
        """What is known of the call's charge by now; None while the bank works on it."""
        payment = self.store.payment(call.intent)
        if payment is None or payment.status not in ANSWERS:
            return None
        amount = payment.intent.amount if payment.status == "approved" else None
        left = left_after_charge(self.store, call, payment, event.at, elsewhere=self.tells_billing) if amount else ()
        return BankAnswered(event.at, ANSWERS[payment.status], payment.receipt_number or None, amount, left)

    def take_back(self, call: Call, at: datetime) -> Event | None:
        """Every approved part of the call's bills that are not paid in full."""
        self.store.take_back(call.id, at)
        return self.taken_back(call, at)

    def taken_back(self, call: Call, at: datetime) -> PartsTakenBack | None:
        """What became of the parts that are to be taken back; None while one has no outcome."""
        asked = {call.intent_of(charge.attempt): charge.attempt for charge in call.undoing}
        payments = [one for one in self.store.payments_of(call.id) if one.intent.reference in asked]
        if any(not one.is_decided for one in payments):
            return None
        ended = [(asked[one.intent.reference], one.part) for one in payments]
        return PartsTakenBack(at, tuple((attempt, part) for attempt, part in ended if part in ("undone", "")))

    def on_record(self, call: Call) -> Call:
        """The call with its charges as the ledger has them, and what of its card was never charged dropped for good.

        A charge that the call knows of and the ledger does not was cut off on its way there: once its card is forgotten,
        it cannot be begun any more.
        """
        begun = {payment.intent.reference for payment in self.store.payments_of(call.id)}
        for attempt in {call.attempt, *(charge.attempt for charge in call.charges)}:
            if attempt and call.intent_of(attempt) not in begun:
                self.forget(call.intent_of(attempt))
        told = {charge.attempt for charge in call.charges if charge.told}
        charges = [_charge_of(payment, told) for payment in self.store.payments_of(call.id)]
        call = call.changed(charges=tuple(sorted(charges, key=lambda charge: charge.attempt)))
        return call.closed.changed(outcome=call.closed.known_ending) if call.phase == "over" else call

    def send_sms(self, call: Call, action: SendSms, at: datetime, zone: str = DEFAULT_ZONE) -> None:
        """One text for each charge, or for what it is about in the same words, however often the step is repeated, and again
        after another agreement; none to a number that takes none."""
        phrase, message = action.phrase, self._message_id(call, action)
        if action.attempt:
            phrase = self._as_receipt(call, phrase, action.attempt, zone)
        if action.link_to is not None:
            if self.links is None:
                raise FlowError(
                    f"step '{call.step}' sends a link, and there is no PAY_LINK"
                )  # such a flow does not serve
            phrase = replace(phrase, values=(*phrase.values, ("link", self.links.to(action.link_to, at))))
        if call.can_text:
            self.store.queue_sms(message, call.ani, self.words(phrase), at)

    def _message_id(self, call: Call, action: SendSms) -> str:
        if action.attempt:
            return f"{call.intent_of(action.attempt)}-{action.template}"
        # Without what changes from one time to the next: a link has the time in it, and a second try other words.
        plain = replace(action.phrase, endings=(), values=(*action.phrase.values, ("link", "")))
        about = f"{action.about} {self.words(plain)}"
        if agreed := len(self.store.agreements_of(call.id)):
            about = f"{agreed} {about}"  # a text that was promised with a plan is another than that of the promise before it
        return f"{call.id}-{short_hash(self.ani_key, about)}-{action.template}"

    def send_email(self, call: Call, action: SendEmail, at: datetime, zone: str = DEFAULT_ZONE) -> None:
        """Once for each charge, however often the step is repeated."""
        if call.can_email and is_email_address(action.address):
            subject, body = (
                self.words(self._as_receipt(call, phrase, action.attempt, zone))
                for phrase in (action.subject, action.phrase)
            )
            self.store.queue_email(f"{call.intent_of(action.attempt)}-email", action.address, subject, body, at)

    def _as_receipt(self, call: Call, phrase: Phrase, attempt: int, zone: str) -> Phrase:
        """With what the ledger says of the charge."""
        payment = self.store.payment(call.intent_of(attempt))
        if payment is None:
            return phrase
        return replace(phrase, values=(*phrase.values, *receipt_values(payment, call, self.merchant_name, zone)))

    def _vault(self, flow: Flow) -> Vault:
        if flow.bank is None:
            raise FlowError(f"flow '{flow.name}' collects a card and never pays")  # the compiler refuses such a flow
        return self.vaults[flow.bank]

    def ani_hash(self, ani: str) -> str:
        """Stands for a caller in the limits; empty for callers who withhold their number, who are not one caller."""
        return hash_of_caller(self.ani_key, ani)

    def guess_of(self, call: Call, asked: LookUp) -> Guess | None:
        return guess_of(call, asked, self.ani_hash(call.ani), self.ani_key)

    def _attempter(self, call: Call) -> Attempter:
        parts = call.payable.parts if call.payable else ()
        one = call.payable if call.payable and not parts else None
        return Attempter(
            call=call.id,
            ani_hash=self.ani_hash(call.ani),
            payable_source=one.source if one else "",
            payable_key=one.key if one else "",
            line=line_of(call),
            bills=tuple((part.source, part.key) for part in parts),
        )


def hash_of_block(ani_key: bytes, ani: str) -> str:
    """Of the block that a caller's number is of: never that of a number, however short that is."""
    block = caller_block(ani)
    return hmac.new(ani_key, f"block {block}".encode(), hashlib.sha256).hexdigest() if block else ""


def short_hash(key: bytes, text: str) -> str:
    """Eight letters that stand for the text. Keyed, because an answer of a few digits could be tried out otherwise."""
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:8]


def line_of(call: Call) -> str:
    """The flow and the number that was called: where callers without a number of their own are counted together."""
    return f"{call.flow} {caller_key(call.dnis)}".strip()[:LONGEST_LINE]


def _charge_of(payment: Payment, told: Collection[int]) -> Charge:
    intent = payment.intent
    attempt = int(intent.reference.rpartition("-")[2])
    number = payment.receipt_number
    bills = tuple(bill.key for bill in intent.bills)
    about = (intent.payable_key, attempt in told, payment.part, intent.fee, intent.captures_later, bills)
    return Charge(attempt, intent.amount, payment.status, number, *about)


def _lone_key(call: Call, event: KeysEntered, span: Span, rules: EntryRules) -> str | None:
    """An entry of one digit, which only an issue number is: 9 and 0 ask for something. Of others it is told that there was
    one, and only to a caller who has been asked for any key."""
    if span.end - span.start != 1 or (rules.min_length == 1 and not call.warned):
        return None
    asked = {ord(REPEAT_KEY): "again", ord(HELP_KEY): "help"}.get(event.keys.buffer[span.start])
    return asked or ("one_key" if call.warned else None)


def _with_brand(call: Call, verdict: CardCollected) -> Call:
    brand = (verdict.summary or "").partition(" ")[0]
    return replace(call, values={**call.values, "brand": brand}) if brand else call


def _limit(rate: Rate) -> Limit:
    return Limit(rate.count, rate.window_s)


@lru_cache(256)
def _limits(written: Limits) -> AttemptLimits:
    return AttemptLimits(
        per_call=written.attempts_per_call,
        per_caller=_limit(written.attempts_per_caller),
        per_card=_limit(written.attempts_per_card),
        per_account=_limit(written.attempts_per_account),
        per_line=_limit(written.attempts_per_line),
    )
