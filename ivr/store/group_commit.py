"""Group commit: transactions that threads ask for at once are one transaction at the database, with one commit for all of them.

While a group is written, whoever else comes waits, and is in the next group. Nobody is told of their part before the commit of
all is on disk. Where any part fails, and where the commit does, the whole group is undone and each part is done alone: a
fault is that of its own caller only.

    asked for      1   2 3 4       5
    groups        [1] [2 3 4]     [5]
    on disk          1       2 3 4   5
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class GroupCommit:
    """`transaction`: one that is on disk when it ends. Thread-safe; each caller's own thread does the work of a group in its turn."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._transaction = transaction
        self._is_led = False
        self._changing = threading.Lock()
        self._waiting: list[GroupPart[Any]] = []

    def run(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, or the error that it raises; `work` may be called twice, with the first call undone."""
        part = GroupPart(work)
        with self._changing:
            part.leads, self._is_led = not self._is_led, True
            if not part.leads:
                self._waiting.append(part)
        if not part.leads:
            part.turn.acquire()  # until it is done, or is to lead
        if part.leads:
            self._lead(part)
        return part.outcome()

    def _lead(self, part: "GroupPart[Any]") -> None:
        """It and all who wait now are one group; then one who has come since leads the next."""
        with self._changing:
            others, self._waiting = self._waiting, []
        try:
            self._write([part, *others])
        finally:
            with self._changing:
                following = self._waiting.pop(0) if self._waiting else None
                self._is_led = following is not None
            for other in others:
                other.turn.release()
            if following is not None:
                following.leads = True
                following.turn.release()

    def _write(self, group: Sequence["GroupPart[Any]"]) -> None:
        if len(group) > 1:
            try:
                self._commit(group)
            except BaseException:  # noqa: S110  # whose fault it is shows below
                pass
            else:
                return
        for part in group:
            try:
                self._commit([part])
            except BaseException as error:
                part.error = error

    def _commit(self, group: Sequence["GroupPart[Any]"]) -> None:
        with self._transaction() as connection:
            for part in group:
                part.result = part.work(connection)


@dataclass
class GroupPart(Generic[T]):
    """`turn`: held until somebody has done it, or until its own thread is to lead."""

    work: Callable[[Connection], T]
    turn: threading.Lock = field(default_factory=lambda: _held())
    leads: bool = False
    result: Any = None
    error: BaseException | None = None

    def outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[no-any-return]


def _held() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock
