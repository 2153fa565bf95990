"""A call as it happens, kept as what a call file needs; keys of a card never are, only keys of a test card like it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from ivr.calls import CallStore
from ivr.channels.simulator import LineReply, LocalLine
from ivr.core.actions import Collect, Phrase
from ivr.core.call import Call
from ivr.core.entry import read_after_timeout
from ivr.core.events import Event, KeysEntered, NoInput, TransferEnded, Waited
from ivr.core.stray_cards import card_within
from ivr.flow.talk.dropping import drop_card, is_card
from ivr.flow.talk.turn import Turn, moment_of
from ivr.store import Payment
from ivr.testing.cards import TEST_CARDS, code_of, stand_in

EXPIRY = "1230"
EXPIRIES = {"card_expired": "0120", "expiry_not_valid": "1330"}  # by what is heard of them
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

    def add(self, verb: str, rest: str = "", **more: Any) -> None:
        self.happened.append(Happening(verb, rest, **more))

    def hears(self, prompt: str) -> None:
        """What the vault thought of an expiry is heard: the keys that stand in for it must fare the same."""
        last = self.happened[-1] if self.happened else None
        if last and last.is_card and prompt in EXPIRIES:
            last.rest = EXPIRIES[prompt]
        self.add("hears", prompt)

    def answered(self, intent: str) -> bool:
        return any(one.intent == intent for one in self.happened)


class RecordingLine(LocalLine):
    """The in-process line, writing down what is heard and keyed. Entries are seen where they are told apart, so
    that keys typed ahead into a card's fields are known to be a card's."""

    recording: RecordedCall
    _parts: tuple[Happening, ...] = ()  # keyed in so far of what may be a card number, as the call knows it

    def dial(self, call_id: str, flow: str, *, ani: str, dnis: str = "") -> Self:
        self.recording = RecordedCall(flow, ani)
        words = self.words

        def noted(phrase: Phrase) -> str:
            said = words(phrase)
            self.recording.hears(phrase.name)
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
            self._note_keys(self._collect, event)
        elif isinstance(event, NoInput):
            self.recording.add("silence")
        elif isinstance(event, TransferEnded) and not event.is_connected:
            self.recording.add("person", "does not answer")
        elif isinstance(event, Waited):
            self._note_wait()
        return super()._happen(event)

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
            entry = card_keys(collect.field, entry, str(call.values.get("brand", "")) if call else "")
        # What was cleared means nothing, and may have been anything.
        place = range(span.start, span.start + len(entry))
        self.recording.add("keys", f"{zeros(before)}{entry}{after}", is_card=collect.sensitive, entry=place)
        if call is not None and not collect.sensitive:
            self._hide_what_is_dropped(call, event)

    def _hide_what_is_dropped(self, call: Call, event: KeysEntered) -> None:
        """What the call itself takes for a card number, at once or together with entries before it."""
        turn, now = Turn(self.runner.flows[call.flow], call, event.at.timestamp()), self.recording.happened[-1]
        if is_card(turn, event):
            hide([now])
            self._parts = ()
            return
        step = turn.flow.steps.get(call.step)
        if step is None or call.phase not in step.phases:
            return  # the language, or whether to cancel: the call makes nothing more of it
        after, was_card = drop_card(turn, event)
        if was_card:
            hide([*self._parts, now])
        count = len(after.call.stray_steps.split())
        parts = (*self._parts, now) if now.digits else self._parts
        self._parts = parts[-count:] if count else ()


def hide(parts: Sequence[Happening]) -> None:
    """Digits that are a card number together, or hold one, become those of a test card that is dropped as well."""
    joined = "".join(part.digits for part in parts)
    found = card_within(joined.encode()) or slice(0, len(joined))
    number = stand_in(joined[found])
    if card_within(number.encode()) is None:
        number = TEST_CARDS["visa"]  # of a scheme that has no test card here
    digits = f"{'0' * found.start}{number}".ljust(len(joined), "0")
    for part in parts:
        length = len(digits) if part is parts[-1] else len(part.digits)
        part.rest = f"{part.rest[: part.entry.start]}{digits[:length]}{part.rest[part.entry.stop :]}"
        digits = digits[length:]


def card_keys(card_field: str, entry: str, brand: str) -> str:
    """Keys that are valid or not as these are, and belong to nobody."""
    if card_field == "card_number":
        return stand_in(entry)
    of_field = {"expiry": EXPIRY, "security_code": code_of(brand), "postal_code": "94105"}
    return of_field.get(card_field, zeros(entry))[: len(entry)]


def zeros(keys: str) -> str:
    return "".join("0" if key.isdigit() else key for key in keys)


# ---- as a call file


def call_file(recording: RecordedCall, call_id: str, store: CallStore) -> str:
    """What is on record by now stands at the end: the file is a test of it."""
    lines = [f"call {recording.flow} from {recording.ani or 'anonymous'}"]
    lines += [f"  owes   {bill}" for bill in recording.bills]
    lines += [_line(one, store) for one in recording.happened if one.verb != "keys" or one.rest]
    stored = store.load_call(call_id)
    lines.append(f"  ends   {(stored.call.outcome if stored else None) or 'open'}")
    if stored and stored.call.transferred_to:
        lines.append(f"  transferred to {stored.call.transferred_to}")
    payments = [f"{one.status} {one.intent.amount}" for one in store.payments_of(call_id)]
    lines.append(f"  payment {', '.join(payments) or 'none'}")
    texts = [text.id.rpartition("-")[2] for text in store.texts_of(call_id)]
    lines.append(f"  texts  {' '.join(texts) or 'none'}")
    return "\n".join(lines) + "\n"


def _line(one: Happening, store: CallStore) -> str:
    if one.verb != "bank":
        return f"  {one.verb:<6} {one.rest}".rstrip()
    payment = store.payment(one.intent)
    return f"  bank   {behaviour_of(payment, store.entries(one.intent)) if payment else 'approves'}"


def behaviour_of(payment: Payment, entries: list[str]) -> str:
    """What a scripted bank has to do for the same to come of it."""
    if payment.status == "approved":
        return "is silent after charging" if "unknown" in entries else "approves"
    told = BANK_OF.get(payment.status, "cannot say")
    return f"{told} {payment.response_code or '05'}" if told == "declines" else told
