"""The ways of many calls, summed up by the database: what `flow.drawing.traffic` is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from ivr.core.moves import is_way
from ivr.store.database import Database, milliseconds
from ivr.store.tables import call


@dataclass(frozen=True)
class WaysTaken:
    """`ways`: each with the number of calls that went it. `live`: calls that go on; `unnoted`: ended before ways were noted,
    or with one that cannot be read."""

    ways: Sequence[tuple[str, int]]
    live: int
    unnoted: int


class Ways:
    def __init__(self, database: Database) -> None:
        self._database = database

    def ways_taken(self, flow: str, since: datetime | None = None) -> WaysTaken:
        """Of the calls of a flow that began at `since` or later."""
        begin = milliseconds(since) if since else 0
        wanted = [call.c.flow == flow]
        if since is not None:
            wanted.append(call.c.started_at >= begin)
        with self._database.calls() as connection:
            counted = select(call.c.way, func.count()).where(*wanted).group_by(call.c.way)
            rows = [(way, int(count)) for way, count in connection.execute(counted)]
            # All live calls, for which there is an index: they are few, whatever flow they are of.
            going_on = connection.execute(select(call.c.flow, call.c.started_at).where(~call.c.is_over)).all()
        live = sum(row.flow == flow and row.started_at >= begin for row in going_on)
        ways = [(way, count) for way, count in rows if way is not None and is_way(way)]
        without = sum(count for _, count in rows) - sum(count for _, count in ways)
        # A call may have ended between the two questions.
        return WaysTaken(ways, live, max(without - live, 0))

    def count_open_calls(self) -> int:
        """Calls that go on now."""
        with self._database.calls() as connection:
            return int(connection.execute(select(func.count()).where(~call.c.is_over)).scalar_one())

    def called_flows(self) -> Sequence[str]:
        """The names of all flows that were ever called, those that are gone too."""
        with self._database.calls() as connection:
            return list(connection.execute(select(call.c.flow).distinct().order_by(call.c.flow)).scalars())
