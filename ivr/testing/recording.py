"""A call as it happens, kept as what a call file needs; keys of a card never are, only keys of a test card like it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, pairwise
from typing import Any, Self

from ivr.calls import CallStore
from ivr.channels.simulator import LineReply, LocalLine
from ivr.conversation.habit import is_second_done
from ivr.core.actions import Collect, Phrase
from ivr.core.brands import brand_of, is_taken
from ivr.core.call import Call
from ivr.core.entry import read_after_timeout
from ivr.core.events import Event, KeysEntered, NoInput, TransferEnded, Waited
from ivr.core.money import Money
from ivr.core.stray_cards import card_within
from ivr.flow.talk.dropping import drop_card, is_card
from ivr.flow.talk.turn import Turn, moment_of
from ivr.store import Payment
from ivr.testing.bench import status_of
from ivr.testing.cards import PUBLISHED, TEST_CARDS, code_of, stand_in
from ivr.testing.stand_ins import FIELDS, ZIP

ACTS = frozenset({"keys", "silence", "wait", "bank"})
DATES = ("expiry", "start_date")
BANK_OF = {"declined": "declines", "reversed": "is silent", "not_sent": "is unreachable", "unknown": "cannot say"}


@dataclass
class Happening:
    """One line of the file to be: `verb` and `rest` as there. `intent`: the charge that a `bank` line answers; `entry`: where
    in the keys the digits are that the call reads."""

    verb: str
    rest: str = ""
    intent: str = ""
    is_card: bool = False
    entry: range = range(0)

    @property
    def digits(self) -> str:
        return self.rest[self.entry.start : self.entry.stop]


@dataclass
class RecordedCall:
    flow: str
    ani: str
    happened: list[Happening] = field(default_factory=list)
    bills: list[str] = field(default_factory=list)  # what accounts owe from the beginning, as a call file says it

    at: str = ""  # when it begins, as a call file says it; "" where that makes no difference

    def begins_at(self, moment: datetime) -> None:
        self.at = f" at {moment.astimezone(UTC):%Y-%m-%d %H:%M}"

    def add(self, verb: str, rest: str = "", **more: Any) -> None:
        self.happened.append(Happening(verb, rest, **more))

    def hears(self, prompt: str) -> None:
        self.add("hears", prompt)

    def rings(self, is_connected: bool) -> None:
        """What a person does is said before the act that leads to them."""
        does = "answers" if is_connected else "does not answer"
        did = next((one.rest for one in reversed(self.happened) if one.verb == "person"), "answers")
        if does != did:
            acts = (at for at, one in reversed(list(enumerate(self.happened))) if one.verb in ACTS)
            self.happened.insert(next(acts, 0), Happening("person", does))

    def takes_back(self, behaviour: str) -> None:
        """What the bank does while parts of a bill are taken back: once, however long that takes."""
        last = next((one for one in reversed(self.happened) if one.verb in ACTS), None)
        if last is None or last.verb != "bank" or not last.rest:
            self.add("bank", behaviour)

    @property
    def last_keys(self) -> Happening | None:
        return next((one for one in reversed(self.happened) if one.verb == "keys"), None)

    def answered(self, intent: str) -> bool:
        return any(one.intent == intent for one in self.happened)


class RecordingLine(LocalLine):
    """The in-process line, writing down what is heard and keyed. Entries are seen where they are told apart, so
    that keys typed ahead into a card's fields are known to be a card's."""

    recording: RecordedCall
    amounts: tuple[Money, Money] | None = (
        None  # the least and the most that could be paid, as the caller has heard last
    )
    _parts: tuple[Happening, ...] = ()  # keyed in so far of what may be a card number, as the call knows it

    def dial(self, call_id: str, flow: str, *, ani: str, dnis: str = "") -> Self:
        self.recording = RecordedCall(flow, ani)
        words = self.words

        def noted(phrase: Phrase) -> str:
            said = words(phrase)
            self.recording.hears(phrase.name)
            values = dict(phrase.values)
            low, high = values.get("min"), values.get("max")
            if isinstance(low, Money) and isinstance(high, Money):
                self.amounts = low, high
            return said

        self.words = noted
        return super().dial(call_id, flow, ani=ani, dnis=dnis)

    def hang_up(self) -> None:
        super().hang_up()
        self.recording.add("hangs", "up")
        for intent in self._open_charges():
            self.recording.add("bank", intent=intent)

    def _happen(self, event: Event) -> LineReply:
        if isinstance(event, KeysEntered) and self._collect is not None:
            return self._happen_by_keys(self._collect, event)
        if isinstance(event, NoInput):
            self.recording.add("silence")
        elif isinstance(event, TransferEnded):
            self.recording.rings(event.is_connected)
        elif isinstance(event, Waited):
            self._note_wait()
        return super()._happen(event)

    def _happen_by_keys(self, collect: Collect, event: KeysEntered) -> LineReply:
        call = self._session.call
        if call is not None and self._repeats_done(call, event):
            # At the same moment as the entry before it: on a line of its own it would come a second later, and count.
            last = self.recording.last_keys
            assert last is not None
            last.rest += event.keys.text()
            return super()._happen(event)
        self._note_keys(collect, event)
        noted = self.recording.happened[-1]
        reply = super()._happen(event)
        if call is not None and collect.sensitive:
            self._let_fare_the_same(noted, call)
        return reply

    def _repeats_done(self, call: Call, event: KeysEntered) -> bool:
        is_at_once = event.at.timestamp() == call.done_at
        return is_at_once and is_second_done(self.runner.flows[call.flow], call, event)

    def _let_fare_the_same(self, noted: Happening, before: Call) -> None:
        """The keys that stand in for a date are as wrong as they were, by the vault's verdict."""
        after = self._session.call
        written = (one.split(" ") for one in (after.history[len(before.history) :] if after else ()))
        verdicts = {one[2]: one[3] for one in written if one[1] == "card"}
        date, verdict = next(((name, verdicts[name]) for name in DATES if name in verdicts), ("", ""))
        keys = FIELDS[date].get(verdict if verdict.startswith("!") else "") if date else None
        if keys:
            noted.rest = f"{noted.rest[: noted.entry.start]}{keys}{noted.rest[noted.entry.stop :]}"

    def _note_wait(self) -> None:
        """A wait for the bank is written once, as what the bank did; a wait for a look-up as what it is."""
        intents = self._open_charges()
        for intent in intents:
            self.recording.add("bank", intent=intent)
        call = self._session.call
        if not intents and call is not None and moment_of(self.runner.flows[call.flow], call) == "looks_up":
            self.recording.add("wait")

    def _open_charges(self) -> list[str]:
        call = self._session.call
        charges = call.unsettled if call else ()
        intents = [call.intent_of(charge.attempt) for charge in charges] if call else []
        return [intent for intent in intents if not self.recording.answered(intent)]

    def _note_keys(self, collect: Collect, event: KeysEntered) -> None:
        keys, call = event.keys.text(), self._session.call
        span = read_after_timeout(event.keys.buffer, collect.rules)
        before, entry, after = keys[: span.start], keys[span.start : span.end], keys[span.end : span.used]
        if collect.sensitive:
            entry = self._card_keys(collect.field, entry, call)
        # What was cleared means nothing, and may have been anything.
        place = range(span.start, span.start + len(entry))
        self.recording.add("keys", f"{zeros(before)}{entry}{after}", is_card=collect.sensitive, entry=place)
        if call is not None and not collect.sensitive:
            self._hide_what_is_dropped(call, event)

    def _card_keys(self, card_field: str, entry: str, call: Call | None) -> str:
        """Keys that are valid or not as these are, and belong to nobody."""
        if card_field != "card_number" or call is None:
            return of_field(card_field, entry, str(call.values.get("brand", "")) if call else "")
        number, step = stand_in(entry), self.runner.flows[call.flow].steps[call.step]
        brands = frozenset(step.card.brands) if step.card else frozenset[str]()
        if is_taken(entry.encode(), brands) and not is_taken(number.encode(), brands):
            return TEST_CARDS["discover"]  # of UnionPay, on Discover's network
        return number

    def _is_account(self, digits: str) -> bool:
        return self.runner.payments.store.find_bill(digits) is not None

    def _hide_what_is_dropped(self, call: Call, event: KeysEntered) -> None:
        """What the call itself takes for a card number, at once or together with entries before it."""
        turn, now = Turn(self.runner.flows[call.flow], call, event.at.timestamp()), self.recording.happened[-1]
        step = turn.flow.steps.get(call.step)
        if is_card(turn, event):
            is_one_key = step is None or step.keyed(call.phase) == "key"
            hide([now], self._is_account, keep=1 if is_one_key else 0)
            self._parts = ()
            return
        if step is None or call.phase not in step.phases:
            return  # the language, or whether to cancel: the call makes nothing more of it
        after, was_card = drop_card(turn, event)
        if was_card:
            hide([*self._parts, now], self._is_account)
        count = len(after.call.stray_steps.split())
        parts = (*self._parts, now) if now.digits else self._parts
        self._parts = parts[-count:] if count else ()


def hide(parts: Sequence[Happening], is_account: Callable[[str], bool], keep: int = 0) -> None:
    """Digits that are a card number together, or hold one, become those of a test card that is dropped as well.

    `keep`: so many digits before it are an answer, such as the key of a menu, and nobody's number.
    """
    joined = "".join(part.digits for part in parts)
    found = card_within(joined.encode()) or slice(0, len(joined))
    before = f"{joined[: min(keep, found.start)]}".ljust(found.start, "0")
    lengths = [len(part.digits) for part in parts[:-1]]
    number = _dropped_as_well(joined[found], lambda card: not any(map(is_account, _cut(f"{before}{card}", lengths))))
    # A longer number in parts is not made longer: only its own check digit would end it there.
    digits = f"{before}{number}" if lengths else f"{before}{number}".ljust(len(joined), "0")
    for part, own in zip(parts, [*_cut(digits, lengths), digits[sum(lengths) :]], strict=True):
        part.rest = f"{part.rest[: part.entry.start]}{own}{part.rest[part.entry.stop :]}"


def _dropped_as_well(card: str, is_free: Callable[[str], bool]) -> str:
    """A test number that is known for a card's, one of the same brand where there is one. No part of it finds a bill."""
    known = brand_of(card.encode())
    same = sorted(one for one in PUBLISHED if known and brand_of(one.encode()) == known and len(one) == len(card))
    for number in (stand_in(card), *same, *TEST_CARDS.values()):
        if card_within(number.encode()) is not None and is_free(number):
            return number
    return TEST_CARDS["visa"]


def _cut(digits: str, lengths: Sequence[int]) -> list[str]:
    """The first parts, of these lengths; the rest is not among them."""
    ends = list(accumulate(lengths, initial=0))
    return [digits[start:end] for start, end in pairwise(ends)]


def of_field(card_field: str, entry: str, brand: str) -> str:
    """Keys as long as these, for a field that says no card's number."""
    of_card = {"security_code": code_of(brand), "postal_code": ZIP.ljust(len(entry), "1")}
    keys = of_card.get(card_field) or FIELDS.get(card_field, {}).get("") or zeros(entry)
    return keys[: len(entry)]


def zeros(keys: str) -> str:
    return "".join("0" if key.isdigit() else key for key in keys)


# ---- as a call file


def call_file(recording: RecordedCall, call_id: str, store: CallStore) -> str:
    """What is on record by now stands at the end: the file is a test of it."""
    lines = [f"call {recording.flow} from {recording.ani or 'anonymous'}{recording.at}"]
    lines += [f"  owes   {bill}" for bill in recording.bills]
    lines += [_line(one, store) for one in recording.happened if one.verb != "keys" or one.rest]
    stored = store.load_call(call_id)
    lines.append(f"  ends   {(stored.call.outcome if stored else None) or 'open'}")
    if stored and stored.call.transferred_to:
        lines.append(f"  transferred to {stored.call.transferred_to}")
    payments = [f"{status_of(one)} {one.intent.amount}" for one in store.payments_of(call_id)]
    lines.append(f"  payment {', '.join(payments) or 'none'}")
    texts = [text.id.rpartition("-")[2] for text in store.texts_of(call_id)]
    lines.append(f"  texts  {' '.join(texts) or 'none'}")
    return "\n".join(lines) + "\n"


def _line(one: Happening, store: CallStore) -> str:
    if one.verb != "bank" or one.rest:
        return f"  {one.verb:<6} {one.rest}".rstrip()
    payment = store.payment(one.intent)
    return f"  bank   {behaviour_of(payment, store.entries(one.intent)) if payment else 'approves'}"


def behaviour_of(payment: Payment, entries: list[str]) -> str:
    """What a scripted bank has to do for the same to come of it."""
    if payment.status == "approved":
        part = f"approves {payment.intent.amount}".removesuffix(f" {payment.intent.amount.currency}")
        approves = part if payment.asked else "approves"
        return "is silent after charging" if "unknown" in entries else approves
    told = BANK_OF.get(payment.status, "cannot say")
    return f"{told} {payment.response_code or '05'}" if told == "declines" else told
