"""A conversation's timers by the test's clock: they run out when the test says so, never because the machine is slow."""

from collections.abc import Callable
from dataclasses import dataclass

from ivr.channels.simulator import Clock


@dataclass
class Pending:
    due_s: float
    callback: Callable[[], object]
    is_cancelled: bool = False

    def cancel(self) -> None:
        self.is_cancelled = True


class CallTimers:
    """Of one call. A timer is running when the line has said what it had to say, and waits."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._start = clock()
        self._pending: Pending | None = None

    def time(self) -> float:
        return (self._clock() - self._start).total_seconds()

    def call_later(self, delay: float, callback: Callable[[], object]) -> Pending:
        self._pending = Pending(self.time() + delay, callback)
        return self._pending

    @property
    def is_running(self) -> bool:
        return self._pending is not None and not self._pending.is_cancelled

    def run_out(self) -> None:
        """The clock goes on to where the timer is due; from the thread of the conversation."""
        pending, self._pending = self._pending, None
        if pending is None or pending.is_cancelled:
            return
        self._clock.advance(max(0.0, pending.due_s - self.time()))
        pending.callback()
