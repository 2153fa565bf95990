"""The turns of a call, for people to follow: what came, where it led, what was said. No key of a caller, no amount, no card."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select

from ivr.store.database import Database, milliseconds
from ivr.store.tables import call, call_turn

MOST_TURNS = 500  # shown of one call
# Written out for the driver: it is one more statement in every webhook.
_ADD = (
    "INSERT INTO call_turn (call, number, at, came, step, phase, said, took_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class TurnRecord:
    """`number`: the version that the call has after it. `came`: the event in words, keys as dots. `step` and `phase`: where
    it led. `said`: the names of the prompts. `took_ms`: from the event to the answer."""

    call: str
    number: int
    at: datetime
    came: str
    step: str
    phase: str
    said: tuple[str, ...]
    took_ms: int


class Turns:
    notes_turns = True
    """Whether turns are kept at all: where they are not, none need be put into words."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note_turn(self, turn: TurnRecord) -> None:
        at, said = milliseconds(turn.at), " ".join(turn.said)
        self._database.run(_ADD, (turn.call, turn.number, at, turn.came, turn.step, turn.phase, said, turn.took_ms))

    def turns_of(self, call_id: str) -> Sequence[TurnRecord]:
        """The first ones, in order; a call of an older version has none."""
        turns = select(call_turn).where(call_turn.c.call == call_id).order_by(call_turn.c.number).limit(MOST_TURNS)
        with self._database.calls() as connection:
            return [
                TurnRecord(
                    *(row.call, row.number, datetime.fromtimestamp(row.at / 1000, UTC), row.came, row.step, row.phase),
                    *(tuple(row.said.split()), row.took_ms),
                )
                for row in connection.execute(turns)
            ]

    def drop_turns(self, before: datetime, limit: int = 100) -> int:
        """Of calls that were over before then, at most `limit` of them; how many calls' turns were deleted."""
        is_needed = select(call.c.id).where(
            call.c.id == call_turn.c.call, ~call.c.is_over | (call.c.updated_at >= self._database.on_its_clock(before))
        )
        old = select(call_turn.c.call).where(call_turn.c.at < milliseconds(before), ~is_needed.exists())
        with self._database.calls() as connection:
            found = connection.execute(old.distinct().limit(limit)).scalars().all()
        if found:
            with self._database.money() as connection:
                connection.execute(delete(call_turn).where(call_turn.c.call.in_(found)))
        return len(found)
