"""The points at which a life can end: counted as they are passed; at the chosen one the process is killed, with SIGKILL."""

import os
import signal
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event

from ivr.store import Store


@dataclass
class Points:
    """`dies_at` nought: never. `note` is told the point's name before the end: it must not keep it in a buffer."""

    dies_at: int
    note: Callable[[str], object]
    passed: int = 0
    is_resting: bool = False

    def reach(self, name: str) -> None:
        if self.is_resting:
            return
        self.passed += 1
        if self.passed == self.dies_at:
            self.note(name)
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def is_next(self) -> bool:
        return not self.is_resting and self.passed + 1 == self.dies_at


_now: Points | None = None


def begin(points: Points) -> None:
    """In the child: from here on what it does is counted."""
    global _now
    _now = points


def reach(name: str) -> None:
    if _now is not None:
        _now.reach(name)


@contextmanager
def resting() -> Iterator[None]:
    """Another process does this."""
    if _now is None:
        yield
        return
    before, _now.is_resting = _now.is_resting, True
    try:
        yield
    finally:
        _now.is_resting = before


# ---- where points are


def watch_store(store: Store) -> None:
    """Every statement and commit, whichever way it goes to the driver."""
    database = store._database
    for engine in (database._money, database._calls):
        _watch_engine(engine)
    run = database.run

    def watched(statement: str, parameters: Any) -> Any:
        reach(f"before {_short(statement)}")
        done = run(statement, parameters)
        reach(f"after {_short(statement)}")
        return done

    database.run = watched  # type: ignore[method-assign]


def _watch_engine(engine: Engine) -> None:
    event.listen(engine, "before_cursor_execute", lambda *about: reach(f"before {_short(about[2])}"))
    event.listen(engine, "after_cursor_execute", lambda *about: reach(f"after {_short(about[2])}"))
    commit = engine.dialect.do_commit

    def watched(connection: Any) -> None:
        reach("before the commit")
        commit(connection)
        reach("after the commit")

    engine.dialect.do_commit = watched  # type: ignore[method-assign]


def watch_sockets() -> None:
    """What goes to a bank and comes from it, inside of TLS: nothing of it, half of it, all of it."""
    send, receive, receive_into = ssl.SSLSocket.send, ssl.SSLSocket.recv, ssl.SSLSocket.recv_into

    def sending(socket: ssl.SSLSocket, content: Any, flags: int = 0) -> int:
        reach("before it leaves")
        if _now is not None and _now.is_next:
            send(socket, memoryview(content)[: len(content) // 2], flags)
        reach("with half of it gone")
        sent = send(socket, content, flags)
        reach("when it has left")
        return sent

    def receiving(socket: ssl.SSLSocket, length: int = 1024, flags: int = 0) -> bytes:
        came = receive(socket, length, flags)
        reach("with the bank's answer in hand")
        return came

    def receiving_into(socket: ssl.SSLSocket, *into: Any) -> int | None:
        came = receive_into(socket, *into)
        reach("with the bank's answer in hand")
        return came

    ssl.SSLSocket.send = sending  # type: ignore[method-assign,assignment]
    ssl.SSLSocket.recv = receiving  # type: ignore[method-assign]
    ssl.SSLSocket.recv_into = receiving_into  # type: ignore[method-assign,assignment]


def _short(statement: str) -> str:
    return " ".join(statement.split()[:3])
