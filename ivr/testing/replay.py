"""A stored call gone through again with another version of its flow, by the core alone: which calls end otherwise now.

What the call's history holds is answered in its order: keys where keys are asked for, the bank's answers where it is waited
for, look-ups as they were. Card fields are answered by a card as good as the one there was. Where the changed flow asks for
more than the caller ever gave, the caller hangs up if they did, or says no more.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

from ivr.conversation.engine import step
from ivr.conversation.habit import is_second_done
from ivr.conversation.history import KEPT, History, attempt_of, began, is_whole, read_digits
from ivr.core.actions import (
    Action,
    Authorize,
    BeginCard,
    CaptureCard,
    Collect,
    HangUp,
    LookUp,
    RecordAgreement,
    Transfer,
    Wait,
)
from ivr.core.call import Call
from ivr.core.events import (
    AgreementRecorded,
    AgreementRefused,
    BankAnswered,
    CallStarted,
    CardCaptured,
    CardCollected,
    CardEntryEdited,
    CardField,
    ChargeRefused,
    Digits,
    DueAwaited,
    Event,
    KeysEntered,
    LimitReached,
    LookedUp,
    LookUpFailed,
    NoInput,
    OpenBill,
    PartsTakenBack,
    TransferEnded,
    Value,
    Waited,
)
from ivr.core.money import Money
from ivr.core.moves import BACK
from ivr.core.remembered import Remembered
from ivr.flow.compiled import Flow
from ivr.flow.talk.open_bills import left_after

MOST_TURNS = 400
LAST4 = "0000"
KEYED = frozenset({"keys", "digits", "silence", "card", "edit", "captured"})
OF_THE_BANK = frozenset({"waited", "bank", "back"})
TRANSFERS = frozenset({"connected", "not_connected"})
STAND_IN_CARD = {"kept_brand": "visa", "kept_last4": "1111"}  # of a card that was kept its history says no more
LOOKED_UP = frozenset({"found", "listed", "not_found", "failed"})


@dataclass(frozen=True)
class HistoryEntry:
    at_s: int
    word: str
    rest: tuple[str, ...]


@dataclass(frozen=True)
class Ended:
    """How a call ended, and where; what was charged as it stood then."""

    outcome: str
    step: str
    charges: tuple[str, ...]

    def __str__(self) -> str:
        paid = f" ({', '.join(self.charges)})" if self.charges else ""
        return f"{self.outcome}{paid} at {self.step or 'the beginning'}"


@dataclass(frozen=True)
class EndsOtherwise:
    call: str
    before: Ended
    now: Ended


def replay_all(flow: Flow, calls: Iterable[Call]) -> Iterable[EndsOtherwise | None]:
    """One answer a call, in order; calls without a whole history are left out (`can_replay`)."""
    for call in calls:
        before, now = ended_as(call), ended_as(replay(flow, call))
        differs = (before.outcome, before.charges) != (now.outcome, now.charges)
        yield EndsOtherwise(call.id, before, now) if differs else None


def can_replay(flow: Flow, call: Call) -> bool:
    """Not where an answer was dropped as a part of a card number, and asked for again: no history has whose digits it was."""
    went = [move.split(" ") for move in call.moves]
    asked_back = any(how == BACK and (kind := flow.steps.get(name)) and kind.answer for name, how in went)
    return is_whole(call.history) and not asked_back


def ended_as(call: Call) -> Ended:
    charges = tuple(f"{one.status} {one.amount}" for one in call.charges)
    return Ended(call.outcome or "open", call.step, charges)


def replay(flow: Flow, stored: Call) -> Call:
    return _Replay(flow, stored).run()


@dataclass
class _Replay:
    flow: Flow
    stored: Call
    call: Call = field(init=False)
    now_s: float = 0.0

    def __post_init__(self) -> None:
        entries = entries_of(self.stored.history)
        self.began = began(self.stored.history)
        self.keyed = deque(one for one in entries if one.word in KEYED)
        self.given = {one.rest[0] for one in self.keyed if one.word == "card"}
        steps = self.flow.steps.values()
        self.asked_fields = {name for kind in steps if kind.card for name in kind.card.fields}
        self.bank = deque(one for one in entries if one.word in OF_THE_BANK)
        self.transfers = deque(one for one in entries if one.word in TRANSFERS)
        self.looked_up = deque(one for one in entries if one.word in LOOKED_UP)
        self.limits = {one.rest[0]: one for one in entries if one.word == "limit"}
        self.never_begun = never_begun(self.stored)
        self.refusals = {one.rest[0]: one for one in entries if one.word == "refused"}
        self.agreements = deque(one for one in entries if is_of_agreement(one))
        self.remembered = _remembered(self.flow, entries)
        old = self.stored
        language = self.flow.head.languages[0]
        self.call = Call(
            *(old.id, self.flow.name, old.ani, old.dnis, old.channel, language), phase="language", can_text=old.can_text
        )

    def run(self) -> Call:
        event: Event | None = CallStarted(self.at(), remembered=self.remembered)
        for _ in range(MOST_TURNS):
            if event is None or self.call.phase == "over":
                break
            event = self.next_event(self.hear(event))
        if self.call.phase == "over":
            return self.call
        left = self.on_record().closed
        return left.changed(phase="over", hung_up=True, outcome=left.known_ending)

    def on_record(self) -> Call:
        """As a hang-up is recorded: what the bank had said by then counts, though the caller never heard it."""
        known = {(one.attempt, one.amount): one for one in self.stored.charges}
        charges = (known.get((one.attempt, one.amount), one) if one.is_open else one for one in self.call.charges)
        return self.call.changed(charges=tuple(charges))

    def at(self, entry: HistoryEntry | None = None) -> datetime:
        """Time does not go back, in whatever order the entries are used."""
        self.now_s = max(self.now_s, entry.at_s if entry else self.now_s)
        return datetime.fromtimestamp(self.began + self.now_s, UTC)

    # ---- a turn, as the runner does it

    def hear(self, event: Event) -> Action | None:
        """What the channel has to do at the end of the turn."""
        if is_second_done(self.flow, self.call, event):
            # One that was dropped is in no history: this one counted, only whole seconds do not show how much later it came.
            self.call = self.call.changed(done_at=0.0)
        self.call, actions = step(self.flow, self.call, event)
        waiting, last = deque(actions), None
        while waiting:
            action = waiting.popleft()
            answer = self.perform(action)
            if answer is not None:
                self.call, actions = step(self.flow, self.call, answer)
                waiting = deque(actions)
            elif isinstance(action, (Collect, CaptureCard, Wait, Transfer, HangUp)):
                last = action
        return last

    def perform(self, action: Action) -> Event | None:
        if isinstance(action, LookUp):
            return self.answer_look_up(dict(action.gives))
        if isinstance(action, RecordAgreement):
            return self.answer_agreement()
        if not isinstance(action, (BeginCard, Authorize)):
            return None
        attempt = attempt_of(self.flow, self.call)
        match action:
            case BeginCard() | Authorize() if attempt in self.limits:
                return LimitReached(self.at(), self.limits[attempt].rest[1])
            case BeginCard() | Authorize() if attempt in self.refusals:
                return self.refusal(self.refusals[attempt])
            case Authorize() if attempt in self.never_begun and self.stored.hung_up:
                return DueAwaited(self.at())
        return None

    def answer_agreement(self) -> Event:
        """One that the changed flow asks for first is made, as one was before they were noted."""
        if self.agreements:
            entry = self.agreements.popleft()
            if entry.word == "agreed":
                return AgreementRecorded(self.at(entry))
            why = self.refusal(entry)
            return AgreementRefused(self.at(entry), why.reason, why.due, why.left)
        waits = attempt_of(self.flow, self.call) in self.never_begun and self.stored.hung_up
        return DueAwaited(self.at()) if waits else AgreementRecorded(self.at())

    def refusal(self, entry: HistoryEntry) -> ChargeRefused:
        """Of bills in one sum what is on record of each, in their order."""
        _, reason, minor, currency, *more = entry.rest
        of_each, minors = _parted(more)
        left = _dues([one.key for one in self.call.bills], minors, currency)
        refused: Any = reason
        keys = [part.key for part in self.call.payable.parts] if self.call.payable else []
        said = tuple((key, int(one)) for key, one in zip(keys, of_each, strict=False))
        if reason == "being_paid":
            return ChargeRefused(self.at(), refused, paying=tuple(key for key, one in said if one), left=left)
        dues = tuple((key, Money(one, currency)) for key, one in said)
        return ChargeRefused(self.at(), refused, Money(int(minor), currency), dues, left=left)

    def answer_look_up(self, gives: Mapping[str, str]) -> Event:
        """A name that was said then is in no history: something of its type stands for it."""
        if not self.looked_up:
            return LookUpFailed(self.at(), "not_reached")
        entry = self.looked_up.popleft()
        if entry.word == "failed":
            problem: Any = entry.rest[0]
            return LookUpFailed(self.at(entry), problem)
        if entry.word == "not_found":
            return LookedUp(self.at(entry), found=False)
        if entry.word == "listed":
            currency, *owed = entry.rest
            amounts = (one.split("/") for one in owed)
            listed = [stand_in_bill(due, least, currency, gives) for due, least in amounts]
            bills = tuple(OpenBill(str(number), values) for number, values in enumerate(listed, 1))
            return LookedUp(self.at(entry), found=True, bills=bills)
        due, least, currency, *more = entry.rest
        values = stand_in_bill(due, least, currency, gives)
        written = dict(one.split("=") for one in more)
        kept = STAND_IN_CARD if written.pop(KEPT, "") else {}
        values |= {name: kept_value(text, currency) for name, text in written.items()} | kept
        return LookedUp(self.at(entry), found=True, values=values)

    def digits(self, written: str) -> str:
        """As many keys as there were, of an answer that the present question takes; which ones is not known."""
        cleared, count, done = read_digits(written)
        step = self.flow.steps.get(self.call.step)
        return f"{cleared}{step.stand_in(count) if step is not None else '1' * count}{done}"

    # ---- what comes next

    def next_event(self, asked: Action | None) -> Event | None:
        if isinstance(asked, Wait):
            return self.next_of_bank(asked)
        if isinstance(asked, Transfer):
            return self.next_of_person()
        if isinstance(asked, (Collect, CaptureCard)):
            return self.next_keys(asked)
        return None

    def next_of_bank(self, asked: Wait) -> Event | None:
        if self.bank:
            entry = self.bank.popleft()
            if entry.word == "waited":
                return Waited(self.at(entry))
            return self.taken_back(entry) if entry.word == "back" else self.bank_said(entry)
        if self.stored.hung_up:
            return None
        self.now_s += asked.seconds
        return Waited(self.at())

    def bank_said(self, entry: HistoryEntry) -> BankAnswered:
        outcome: Any = entry.rest[0]
        number = "000000" if outcome == "approved" else None
        currency = self.flow.head.limits.max_amount.currency
        approved, left = _parted(entry.rest[1:])
        part = Money(int(approved[0]), currency) if approved else None
        charge = next((one for one in self.call.charges if one.attempt == self.call.attempt), None)
        keys = left_after(self.call, charge) if charge else ()
        return BankAnswered(self.at(entry), outcome, number, part, _dues(keys, left, currency))

    def taken_back(self, entry: HistoryEntry) -> PartsTakenBack:
        ended = (one.split("=") for one in entry.rest)
        return PartsTakenBack(
            self.at(entry), tuple((int(one), "undone" if to == "undone" else "") for one, to in ended)
        )

    def next_of_person(self) -> Event | None:
        """A caller whom the changed flow connects to somebody first is connected."""
        if not self.transfers:
            return None if self.stored.hung_up else TransferEnded(self.at(), is_connected=True)
        entry = self.transfers.popleft()
        return TransferEnded(self.at(entry), is_connected=entry.word == "connected")

    def next_keys(self, asked: Collect | CaptureCard) -> Event | None:
        if isinstance(asked, Collect) and asked.sensitive:
            return self.next_card_keys(asked)
        while self.keyed and self.keyed[0].word == "card" and self.keyed[0].rest[0] not in self.asked_fields:
            self.keyed.popleft()  # of a question that the flow no longer asks
        if not self.keyed and self.stored.hung_up:
            return None
        if self.keyed and self.keyed[0].word == "edit" and self.is_at_card_field:
            return self.next_card_keys(asked) if isinstance(asked, Collect) else self.silence()
        if not self.keyed or self.keyed[0].word in ("card", "edit"):
            return self.silence()  # nobody was asked this then
        entry = self.keyed.popleft()
        at = self.at(entry)
        if entry.word == "captured":
            return CardCaptured(at, entry.rest[0], f"{(*entry.rest, 'visa')[1]} {LAST4}", "token")
        if entry.word == "silence":
            return NoInput(at)
        keys = entry.rest[0] if entry.word == "keys" else self.digits(entry.rest[0])
        return KeysEntered(at, Digits(keys), timed_out=True)

    @property
    def is_at_card_field(self) -> bool:
        """Where any key gives more time, a key is asked for by itself; at a card's field it is the vault's all the same."""
        kind = self.flow.steps.get(self.call.step)
        return kind is not None and kind.card is not None and self.call.phase == "entry"

    def next_card_keys(self, asked: Collect) -> Event | None:
        """The next verdict on this field; a flow that asks for a field more gets a valid one."""
        if self.keyed and self.keyed[0].word == "silence":
            return NoInput(self.at(self.keyed.popleft()))
        if self.keyed and self.keyed[0].word == "edit":
            edited: Any = self.keyed[0].rest[0]
            return CardEntryEdited(self.at(self.keyed.popleft()), edited)
        entry = next((one for one in self.keyed if one.word == "card" and one.rest[0] == asked.field), None)
        if entry is None and asked.field in self.given:
            return None if self.stored.hung_up and not self.keyed else self.silence()  # there is no other card
        if entry is None:
            return self.valid(asked.field, "")
        self.keyed.remove(entry)
        verdict, itself = entry.rest[1], entry.rest[2:] == ("itself",)
        if verdict.startswith("!"):
            of_field: Any = asked.field
            return CardCollected(self.at(entry), of_field, False, verdict[1:], ended_itself=itself)
        return replace(self.valid(asked.field, verdict, entry), ended_itself=itself)

    def valid(self, card_field: str, brand: str, entry: HistoryEntry | None = None) -> CardCollected:
        of_field: CardField = card_field  # type: ignore[assignment]  # the flow's own
        if card_field != "card_number":
            return CardCollected(self.at(entry), of_field, True)
        kind = self.flow.steps.get(self.call.step)
        taken = kind.card.brands if kind is not None and kind.card else [brand]
        if brand and brand not in taken:
            return CardCollected(self.at(entry), of_field, False, "brand_refused")
        return CardCollected(self.at(entry), of_field, True, summary=f"{brand or taken[0]} {LAST4}")

    def silence(self) -> Event:
        self.now_s += 10
        return NoInput(self.at())


def _remembered(flow: Flow, entries: Sequence[HistoryEntry]) -> Remembered | None:
    """What the flow keeps of it now; nobody knows which account it was."""
    kept = next((one.rest for one in entries if one.word == "remembered"), None)
    if kept is None or not flow.remembers:
        return None
    language, digits = kept
    return Remembered(language.strip("-"), "1" * int(digits)).only(flow.remembers)


def _parted(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before the word `left`, and behind it."""
    at = words.index("left") if "left" in words else len(words)
    return words[:at], words[at + 1 :]


def _dues(keys: Iterable[str], minors: Iterable[str], currency: str) -> tuple[tuple[str, Money], ...]:
    return tuple((key, Money(int(one), currency)) for key, one in zip(keys, minors, strict=False))


def stand_in_bill(due: str, least: str, currency: str, gives: Mapping[str, str]) -> dict[str, Value]:
    """An amount that is not known is what is due: as much as may be charged."""
    owed = Money(int(due), currency)
    of_type: dict[str, Value] = {
        "money": owed,
        "text": "-",
        "date": date(2000, 1, 1),
        "number": 1,
        "yes_no": True,
        "email": "",
    }
    given = {name: of_type[kind] for name, kind in gives.items()}
    return {"bill.due": owed, "bill.min": Money(int(least), currency), **given}


def kept_value(text: str, currency: str) -> Value:
    """An amount, or a date as ISO 8601 writes it."""
    return date.fromisoformat(text) if text[4:5] == "-" else Money(int(text), currency)


def entries_of(history: History) -> list[HistoryEntry]:
    entries = []
    for written in history[1:]:
        at_s, word, *rest = written.split(" ")
        entries.append(HistoryEntry(int(at_s), word, tuple(rest)))
    return entries


def never_begun(call: Call) -> set[str]:
    """Attempts, as `attempt_of` writes them, that waited for what is due and came to no charge; of agreements where the last
    one that waited was not answered."""
    entries = entries_of(call.history)
    awaited = {one.rest[0] for one in entries if one.word == "awaited"}
    agreed = {one.rest[0] for one in _waiting_for_agreement(entries)}
    return {one for one in awaited if not one.endswith("a")} - {f"{one.attempt}c" for one in call.charges} | agreed


def is_of_agreement(entry: HistoryEntry) -> bool:
    """Whether it says what became of something that the caller agreed to besides a charge."""
    return entry.word == "agreed" or (entry.word == "refused" and entry.rest[0].endswith("a"))


def _waiting_for_agreement(entries: Sequence[HistoryEntry]) -> Sequence[HistoryEntry]:
    waits: Sequence[HistoryEntry] = ()
    for one in entries:
        if is_of_agreement(one):
            waits = ()
        elif one.word == "awaited" and one.rest[0].endswith("a"):
            waits = (one,)
    return waits
