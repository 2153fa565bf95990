"""A call as it happens, kept as what a call file needs; keys of a card never are, only keys of a test card like it."""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Self

from ivr.calls import CallStore
from ivr.channels.simulator import LocalLine, Reply
from ivr.core.actions import Collect, Phrase
from ivr.core.entry import read_after_timeout
from ivr.core.events import Event, KeysEntered, NoInput, Waited
from ivr.core.stray_cards import is_card_number
from ivr.flow.talk.turn import moment_of
from ivr.store import Payment
from ivr.testing.cards import code_of, is_published, stand_in

EXPIRY = "1230"
EXPIRIES = {"card_expired": "0120", "expiry_not_valid": "1330"}  # by what is heard of them
BANK_OF = {"declined": "declines", "reversed": "is silent", "not_sent": "is unreachable", "unknown": "cannot say"}


@dataclass
class Happening:
    """One line of the file to be: `verb` and `rest` as there. `intent`: the charge that a `bank` line answers."""

    verb: str
    rest: str = ""
    intent: str = ""
    is_card: bool = False


@dataclass
class Recording:
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

    recording: Recording

    def dial(self, call_id: str, flow: str, *, ani: str, dnis: str = "") -> Self:
        self.recording = Recording(flow, ani)
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

    def _happen(self, event: Event) -> Reply:
        if isinstance(event, KeysEntered) and self._collect is not None:
            shown = self._without_card(self._collect, event.keys.text())
            self.recording.add("keys", shown, is_card=self._collect.sensitive)
        elif isinstance(event, NoInput):
            self.recording.add("silence")
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

    def _without_card(self, collect: Collect, keys: str) -> str:
        if not keys:
            return keys
        span = read_after_timeout(keys.encode(), collect.rules)
        before, entry, after = keys[: span.start], keys[span.start : span.end], keys[span.end : span.used]
        if collect.sensitive:
            call = self._session.call
            brand = str(call.values.get("brand", "")) if call else ""
            return f"{zeros(before)}{card_keys(collect.field, entry, brand)}{after}"
        if is_card_number(entry.encode()) and not is_published(entry):
            return f"{zeros(before)}{stand_in(entry)}{after}"
        return keys


def card_keys(card_field: str, entry: str, brand: str) -> str:
    """Keys that are valid or not as these are, and belong to nobody."""
    if card_field == "card_number":
        return stand_in(entry)
    of_field = {"expiry": EXPIRY, "security_code": code_of(brand), "postal_code": "94105"}
    return of_field.get(card_field, zeros(entry))[: len(entry)]


def zeros(keys: str) -> str:
    return "".join("0" if key.isdigit() else key for key in keys)


# ---- as a call file


def call_file(recording: Recording, call_id: str, store: CallStore) -> str:
    """What is on record by now stands at the end: the file is a test of it."""
    hide_split_cards(recording)
    lines = [f"call {recording.flow} from {recording.ani or 'anonymous'}"]
    lines += [f"  owes   {bill}" for bill in recording.bills]
    lines += [_line(one, store) for one in recording.happened if one.verb != "keys" or one.rest]
    stored = store.load_call(call_id)
    lines.append(f"  ends   {(stored.call.outcome if stored else None) or 'open'}")
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


def hide_split_cards(recording: Recording) -> None:
    """A card number that was keyed in parts, at questions that are no card's."""
    plain = [one for one in recording.happened if one.verb == "keys" and not one.is_card]
    for one, other in pairwise(plain):
        joined = "".join(filter(str.isdigit, one.rest + other.rest))
        if is_card_number(joined.encode()) and not is_published(joined):
            digits = iter(stand_in(joined).ljust(len(joined), "0"))
            for part in (one, other):
                part.rest = "".join(next(digits) if key.isdigit() else key for key in part.rest)
