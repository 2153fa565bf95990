"""One database in memory that every node reaches over a line of its own, and what goes wrong with it.

`Disk` is the server: it is away while it restarts, comes back without what was not on its disk, is full. `NodeDatabase` is
a node's side of it: at each statement and transaction the node waits, during which others run, and may die or be stalled.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from ivr.store import Store, from_reference, memory_store
from ivr.store.database import AHEAD_KEPT_S, Database, milliseconds
from tests.simulation.clocks import MachineClock
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Killed, Scheduler

MOST_STATEMENTS = 12  # of a transaction, about: the one at which the disk is full
COPIES_FROM_S = 5.0  # before a crash: what the calls have written since the last copy is lost by it


def broken(words: str) -> OperationalError:
    return OperationalError("", None, sqlite3.OperationalError(words))


@dataclass
class Disk:
    """`changed` is called after each transaction."""

    scheduler: Scheduler
    clock: MachineClock
    faults: Faults
    changed: Callable[[], object] = lambda: None
    store: Store = field(default_factory=memory_store)
    away_until_s: float = 0.0
    full_in: int = 0  # statements from now; 0 for a disk with room
    _copy: sqlite3.Connection | None = None

    def __post_init__(self) -> None:
        self.database: Database = self.store._database
        self.driver.create_function("julianday", 1, self.clock.julian_day)
        event.listen(self.database._only, "before_cursor_execute", self._statement)

    @property
    def driver(self) -> sqlite3.Connection:
        assert self.database._only is not None
        return self.database._only.connection.driver_connection  # type: ignore[return-value]

    def _statement(self, *_: object) -> None:
        if self.full_in:
            self.full_in -= 1
            if not self.full_in:
                self.scheduler.note("disk", "full")
                raise broken("database or disk is full")

    def require_there(self) -> None:
        if self.scheduler.now_s < self.away_until_s:
            raise broken("server closed the connection unexpectedly")

    def restart(self, for_s: float) -> None:
        self.scheduler.note("database", f"restarts, {for_s:.1f} s")
        self.away_until_s = self.scheduler.now_s + for_s

    def crash_in(self, seconds: float, away_s: float) -> None:
        """Copies of what is surely on the disk are made from shortly before, as each costs more than a transaction."""
        self.scheduler.after(max(seconds - COPIES_FROM_S, 0.0), self._keep_copies)
        self.scheduler.after(seconds, lambda: self._crash(away_s))

    def _keep_copies(self) -> None:
        self._copy = sqlite3.connect(":memory:")
        self.driver.backup(self._copy)

    def _crash(self, away_s: float) -> None:
        if self._copy is None:
            return
        lost = self._contents(self.driver) != self._contents(self._copy)
        self._copy.backup(self.driver)
        self._copy = None
        self.scheduler.note("database", f"crashes{' and has lost what calls wrote last' if lost else ''}")
        self.restart(away_s)
        self.changed()

    def heal(self) -> None:
        self.away_until_s, self._copy = 0.0, None

    def _contents(self, driver: sqlite3.Connection) -> list[Any]:
        return driver.execute("SELECT id, version FROM call ORDER BY id").fetchall()

    def committed(self) -> None:
        if self._copy is not None:
            self.driver.backup(self._copy)
        self.changed()


class NodeDatabase(Database):
    """`clock`: the node's. Its connections are the disk's one."""

    def __init__(self, disk: Disk, clock: MachineClock) -> None:
        super().__init__("sqlite://")
        self.close()
        self._only = disk.database._only
        self._disk, self._clock = disk, clock
        self._chance: random.Random = disk.scheduler.chance

    # ---- what a store asks for

    @contextmanager
    def calls(self) -> Iterator[Connection]:
        self._reach()
        with super().calls() as connection:
            yield connection
        self._leave()

    def run(self, statement: str, parameters: Sequence[object]) -> Any:
        self._reach()
        fetched = super().run(statement, parameters)
        self._leave()
        return fetched

    @contextmanager
    def money(self) -> Iterator[Connection]:
        self._reach()
        faults = self._disk.faults
        is_full = self._chance.random() < faults.disk_full
        with super().money() as connection:
            self._disk.full_in = self._chance.randint(1, MOST_STATEMENTS) if is_full else 0
            try:
                yield connection
                if self._disk.full_in:
                    self._disk.scheduler.note("disk", "full at the commit")
                    raise broken("database or disk is full")
            finally:
                self._disk.full_in = 0
        self._disk.committed()
        self._leave()

    def on_its_clock(self, at: datetime) -> int:
        """As on PostgreSQL, where the nodes' clocks are not the database's: asked once a minute how far it is ahead."""
        if self._disk.scheduler.now_s >= self._ahead_until:
            self._ahead = milliseconds(self._disk.clock()) - milliseconds(self._clock())
            self._ahead_until = self._disk.scheduler.now_s + AHEAD_KEPT_S
        return milliseconds(at) + self._ahead

    # ---- on the way there and back

    def _reach(self) -> None:
        """Before a statement or transaction: whoever waits here may find that others were first, or die."""
        linger(self._disk.scheduler, self._disk.faults, self._chance.uniform(0.0005, 0.02))
        self._disk.require_there()
        self._fail(self._disk.faults.statement_fails, "connection reset before the statement")

    def _leave(self) -> None:
        """After it: what has been written stays, whether or not anybody hears of it."""
        if self._chance.random() < 0.3:
            linger(self._disk.scheduler, self._disk.faults, 0.001)
        self._fail(self._disk.faults.commit_unknown, "connection reset after the commit")

    def _fail(self, share: float, words: str) -> None:
        if self._chance.random() < share:
            self._disk.scheduler.note(self._disk.scheduler.current.process.name, words)
            raise broken(words)


def node_store(disk: Disk, clock: MachineClock) -> Store:
    return Store(NodeDatabase(disk, clock), from_reference)


def linger(scheduler: Scheduler, faults: Faults, seconds: float) -> None:
    """A task waits for something outside of its process. That may be the moment at which the process dies, or is stopped
    for longer than a lease lasts, as a machine that swaps or is moved to another host is."""
    chance, process = scheduler.chance, scheduler.current.process
    if chance.random() < faults.death * process.frailty:
        scheduler.kill(process)
        raise Killed(process.name)
    if chance.random() < faults.stall * process.frailty:
        seconds = chance.uniform(5.0, 180.0)
        scheduler.note(process.name, f"is stalled for {seconds:.0f} s in {scheduler.current.name}")
    scheduler.sleep(seconds)
