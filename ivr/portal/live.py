"""The calls that go on now, told to browsers by server-sent events: each change as it happens, and nothing in between.

All nodes write calls into one database, so that is looked at once a second, once for everybody who watches. A browser asks for
nothing again. It is told the time with each change, and counts the seconds of a call by itself.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from ivr.store import LiveCall, Store

LOOK_EVERY_S = 1.0
STILL_THERE = b": still there\n\n"  # a comment: a client that is gone without a word is found out by it
QUIET_S = 15.0
MOST_SHOWN = 200
MOST_WATCHING = 200  # of one process; each is a connection and a look at its session once a second


@dataclass
class LiveFeed:
    """`render`: rows of these calls, as HTML."""

    store: Store
    now: Callable[[], datetime]
    render: Callable[[Sequence[LiveCall], int], str]
    watching: int = 0
    _lock: Lock = field(default_factory=Lock)
    _at: datetime | None = None
    _html: str = ""

    def html(self) -> str:
        """Not older than a second."""
        with self._lock:
            at = self.now()
            if self._at is None or not timedelta(0) <= at - self._at < timedelta(seconds=LOOK_EVERY_S):
                self._html = self.render(self.store.live_calls(MOST_SHOWN), self.store.count_open_calls())
                self._at = at
            return self._html

    def watch(self, may_go_on: Callable[[], bool]) -> "Watching | None":
        """None where too many watch already."""
        with self._lock:
            if self.watching >= MOST_WATCHING:
                return None
            self.watching += 1
        return Watching(self, may_go_on)

    def leave(self) -> None:
        with self._lock:
            self.watching -= 1


@dataclass
class Watching:
    """One browser's stream, as `ivr.web` asks for it. `may_go_on`: the session is not over, and its person still may."""

    feed: LiveFeed
    may_go_on: Callable[[], bool]
    every_s: float = LOOK_EVERY_S
    _last: str | None = None
    _quiet_s: float = 0.0

    def more(self) -> bytes | None:
        if not self.may_go_on():
            return None
        html = self.feed.html()
        if html != self._last:
            self._last, self._quiet_s = html, 0.0
            return event({"now": int(self.feed.now().timestamp() * 1000), "html": html})
        self._quiet_s += self.every_s
        if self._quiet_s < QUIET_S:
            return b""
        self._quiet_s = 0.0
        return STILL_THERE

    def close(self) -> None:
        self.feed.leave()


def event(told: dict[str, object]) -> bytes:
    """In JSON there is no line break, which would end the event's data."""
    return f"data: {json.dumps(told)}\n\n".encode()
