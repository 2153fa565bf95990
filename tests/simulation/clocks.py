"""Clocks of machines: each has its own error, which leaps now and then. Nobody but the scheduler knows the time."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.simulation.scheduler import Scheduler

START = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
JULIAN_UNIX_EPOCH, DAY_S = 2440587.5, 86400.0


@dataclass
class MachineClock:
    """Called, it says the time as this machine has it. `monotonic` does not leap."""

    scheduler: Scheduler
    error_s: float = 0.0

    def __call__(self) -> datetime:
        return START + timedelta(microseconds=self.scheduler.now_us, seconds=self.error_s)

    def monotonic(self) -> float:
        return self.scheduler.now_s

    def julian_day(self, _now: str) -> float:
        """SQLite's `julianday('now')`, by which the store's statements tell the database's own time."""
        return JULIAN_UNIX_EPOCH + self().timestamp() / DAY_S
