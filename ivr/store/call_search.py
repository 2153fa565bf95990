"""Calls as people look for them: those that go on now, those of a day by flow, outcome and the end of the caller's number, and
how long callers took at each prompt.

A day of 10,000 calls is searched within the index `call_by_day`, which has all that can be asked for; rows are read of one page only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Over, String, and_, func, literal_column, or_, select

from ivr.core.call import Call, Ending
from ivr.core.line_quality import LineQuality
from ivr.store.calls import CallRecord, Calls, line_of
from ivr.store.database import milliseconds
from ivr.store.tables import call, call_turn


@dataclass(frozen=True)
class CallFilter:
    """Empty or None: any. `since` is within, `until` is not. `caller_end`: the last digits of the caller's number, as
    many as are shown of it. `older_than`: a call's beginning (ms) and id, for the page after it."""

    since: datetime
    until: datetime
    flow: str = ""
    outcome: Ending | None = None
    caller_end: str = ""
    older_than: tuple[int, str] | None = None


@dataclass(frozen=True)
class LiveCall:
    """`moved_at`: when something last happened in it."""

    call: Call
    started_at: datetime
    moved_at: datetime
    line: LineQuality | None = None


@dataclass(frozen=True)
class PromptTime:
    """From what was said (the prompts' names, at a step) to what came next: how often, how long in all, and what was said then."""

    step: str
    said: str
    next_said: str
    times: int
    total_ms: int


class CallSearch(Calls):
    """Thread-safe."""

    def find_calls(self, wanted: CallFilter, limit: int) -> Sequence[CallRecord]:
        """The latest first."""
        order = call.c.started_at.desc(), call.c.id.desc()
        asked = _conditions(wanted, self._database.is_sqlite)
        return self._records(select(call).where(*asked).order_by(*order).limit(limit))

    def live_calls(self, limit: int) -> Sequence[LiveCall]:
        """The longest first."""
        going_on = select(call).where(~call.c.is_over).order_by(call.c.started_at, call.c.id).limit(limit)
        with self._database.calls() as connection:
            rows = connection.execute(going_on).all()
        return [
            LiveCall(
                self._read(row.id, row.state, row.caller, row.flow)[0],
                _time(row.started_at),
                _time(row.updated_at),
                line_of(row),
            )
            for row in rows
        ]

    def prompt_times(self, flow: str, since: datetime, until: datetime) -> Sequence[PromptTime]:
        """Of all turns of this flow's calls that began in between, but for each call's last one: nothing follows that."""
        of_these = (
            select(call.c.id)
            .where(
                call.c.flow == flow, call.c.started_at >= milliseconds(since), call.c.started_at < milliseconds(until)
            )
            .subquery()
        )
        turns = (
            select(
                call_turn.c.step,
                call_turn.c.said,
                _next(call_turn.c.said).label("next_said"),
                (_next(call_turn.c.at) - call_turn.c.at).label("took"),
            )
            .join(of_these, of_these.c.id == call_turn.c.call)
            .subquery()
        )
        columns = turns.c.step, turns.c.said, turns.c.next_said
        summed = select(*columns, func.count(), func.sum(turns.c.took)).where(turns.c.took >= 0).group_by(*columns)
        with self._database.calls() as connection:
            return [
                PromptTime(step, said, next_said or "", int(times), int(total))
                for step, said, next_said, times, total in connection.execute(summed)
            ]


def _next(column: Column[Any]) -> Over[Any]:
    """Of the call's next turn."""
    return func.lead(column).over(partition_by=call_turn.c.call, order_by=call_turn.c.number)


def _conditions(wanted: CallFilter, is_sqlite: bool) -> list[ColumnElement[bool]]:
    of_it = call.c
    found = [of_it.started_at >= milliseconds(wanted.since), of_it.started_at < milliseconds(wanted.until)]
    if wanted.flow:
        # The sign keeps SQLite from the index of a flow's calls of all days, which it would sort.
        found.append((literal_column("+call.flow", String) if is_sqlite else of_it.flow) == wanted.flow)
    if wanted.outcome:
        found.append(of_it.outcome == wanted.outcome)
    if wanted.caller_end:
        found.append(of_it.caller_end == wanted.caller_end)
    if wanted.older_than:
        at, last = wanted.older_than
        found.append(or_(of_it.started_at < at, and_(of_it.started_at == at, of_it.id < last)))
    return found


def _time(stored_ms: int) -> datetime:
    return datetime.fromtimestamp(stored_ms / 1000, UTC)
