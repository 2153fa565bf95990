"""A kind of step that the product does not have, to show what a new one takes: this file, its prompts, and nothing else.

`track: <name>` asks for a parcel's number and says where it is. It uses what kinds may: phases of its own, notes, an action of
its own whose answer comes back as an event, and a look-up after that, whose answer it tells from others by its phase.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from ivr.core.actions import Wait
from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered, LookedUp
from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Finding,
    Hears,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
)
from ivr.flow.step import Step
from ivr.flow.talk import look_ups
from ivr.flow.talk.entries import edited, hear_keys, span_of
from ivr.flow.talk.turn import Leave, Listen, Reply, Turn, no_match
from ivr.reading.scalars import PlainField, Target
from ivr.words.slots import CODE_KINDS

DIGITS = 10
AGAIN = "1"


@dataclass(frozen=True)
class FindParcel:
    """Ask the carrier: answered by `ParcelFound`. In the product it would stand in `core/actions`."""

    number: str


@dataclass(frozen=True)
class ParcelFound:
    at: datetime
    town: str


class TrackStep(Step):
    """Say where a parcel is."""

    word = "track"
    place = 15
    explained = Explained("`track: <name>`", "Says where a parcel is", "`ok`, `gave_up`")
    example = """
parcel: {track: parcel_number, then: {ok: not_charged, gave_up: not_charged}}
"""
    outcomes = frozenset({"ok", "gave_up"})
    optional_outcomes = frozenset({"cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks", "finding": "looks_up", "duty": "looks_up", "again": "asks"}
    hears: ClassVar[Hears] = {"finding": (ParcelFound,)}
    leads: ClassVar[Leads] = {"entry": ("finding",), "finding": ("duty",), "duty": ("again",), "again": ()}
    speaks: ClassVar[Values] = {**look_ups.PROMPTS, "parcel_is_in": frozenset({"town", "key"})}
    values: ClassVar[Values] = {"town": CODE_KINDS}
    tried: ClassVar[Mapping[str, Sequence[str]]] = {"again": (AGAIN, "5"), "parcel_number": ("1234567890",)}

    track: PlainField
    """What the parcel's number is called."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @classmethod
    def answer_written(cls, body: Mapping[str, Any]) -> str:
        return str(body.get("track", ""))

    def says(self) -> Iterator[Said]:
        yield Said(("track",), f"enter_{self.track}")

    def needs(self, name: str) -> Iterator[Need]:
        yield from ()

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | {self.track} if outcome == "ok" else known

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from ()

    def drawn(self) -> Drawn:
        return Drawn("talk", "where is the parcel?")

    @property
    def answer(self) -> str:
        return self.track

    def keyed(self, phase: str) -> Keyed:
        return "number" if phase == "entry" else "key"

    def put(self, turn: Turn) -> Reply:
        if turn.call.phase == "again":
            turn = turn.say("parcel_is_in", town=turn.call.notes["town"], key=AGAIN)
            return turn.collect_one_key("again"), Listen()
        rules = turn.rules(DIGITS, DIGITS, is_plain=True)
        return turn.say(f"enter_{self.track}").collect(self.track, rules), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        match turn.call.phase:
            case "finding":
                return self._hear_carrier(turn, event)
            case "duty":
                return self._hear_duty(turn, event)
        return hear_keys(turn, event, self._hear_keys)

    def _hear_keys(self, turn: Turn, event: KeysEntered) -> Reply:
        if turn.call.phase == "again":
            key = event.keys.text()[:1]
            return self.put(turn) if key == AGAIN else (turn.change(phase="entry"), Leave("ok"))
        span = span_of(turn, event, DIGITS, DIGITS)
        if (reply := edited(turn, span.reading)) is not None:
            return reply
        if span.reading is Reading.OPEN:
            return no_match(turn, "no_match")
        number = event.keys.text()[span.start : span.end]
        turn = turn.remember(**{self.track: number}).change(phase="finding", since=turn.at)
        return turn.do(FindParcel(number)).say("one_moment").do(Wait(1.0, keep_keys=True)), Listen()

    def _hear_carrier(self, turn: Turn, event: Event) -> Reply:
        if not isinstance(event, ParcelFound):
            return turn.do(FindParcel(str(turn.call.values[self.track])), Wait(1.0, keep_keys=True)), Listen()
        return look_ups.begin(turn.note(town=event.town), "billing.find_bill", "12345678", phase="duty")

    def _hear_duty(self, turn: Turn, event: Event) -> Reply:
        answer = look_ups.answer_to(turn, event)
        if answer is None:
            return look_ups.ask_again(turn)
        has_duty = isinstance(answer, LookedUp) and answer.found
        turn = turn.note(due=answer.values["bill.due"]) if has_duty else turn
        return self.put(turn.change(phase="again", looking_up=None))
