"""Look-ups under way, on a thread of their own: no caller's keys queue behind a billing endpoint that takes its time.

A look-up is begun once for each asker. A thread that serves calls waits for it a moment at most, and few do so at once;
an answer that comes later is kept for the asker's next question. The asker of another process begins its look-up again.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

Answer = TypeVar("Answer")
MOST_UNDER_WAY = 256  # beyond that the endpoint is not slow but gone
KEPT_S = 30.0  # an answer that nobody has fetched by then is for a caller who hung up


class TooManyLookUps(Exception):
    """No more are begun until some have ended."""


class LookUps(Generic[Answer]):
    """`moment_s`: how long a thread waits for a new look-up; `waiters`: how many threads may do so at once.

    After a look-up that took longer nobody waits, until one has been answered within that time again.
    """

    def __init__(self, moment_s: float, waiters: int) -> None:
        self._moment_s = moment_s
        self._free_waiters = threading.Semaphore(waiters)
        self._is_quick = True
        self._lock = threading.Lock()
        self._begun: dict[Hashable, Future[Answer]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def ask(self, asker: Hashable, question: Callable[[], Coroutine[None, None, Answer]]) -> Future[Answer] | None:
        """A future that is done, once for each asker; None while the look-up is under way."""
        with self._lock:
            look_up = self._begun.get(asker)
            is_new = look_up is None
            if look_up is None:
                look_up = self._begin(asker, question)
        if is_new:
            self._wait_a_moment(look_up)
        if not look_up.done():
            return None
        self._forget(asker, look_up)
        return look_up

    def _begin(self, asker: Hashable, question: Callable[[], Coroutine[None, None, Answer]]) -> Future[Answer]:
        if len(self._begun) >= MOST_UNDER_WAY:
            raise TooManyLookUps
        loop, began = self._running_loop(), time.monotonic()

        def note(answered: Future[Answer]) -> None:
            self._is_quick = time.monotonic() - began <= self._moment_s
            loop.call_soon_threadsafe(loop.call_later, KEPT_S, self._forget, asker, answered)

        look_up = self._begun[asker] = asyncio.run_coroutine_threadsafe(question(), loop)
        look_up.add_done_callback(note)
        return look_up

    def _wait_a_moment(self, look_up: Future[Answer]) -> None:
        if self._is_quick and self._free_waiters.acquire(blocking=False):
            try:
                wait((look_up,), self._moment_s)
                self._is_quick = look_up.done()
            finally:
                self._free_waiters.release()

    def _forget(self, asker: Hashable, look_up: Future[Answer]) -> None:
        with self._lock:
            if self._begun.get(asker) is look_up:
                del self._begun[asker]

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """Begun by the first look-up, not before: a server may have forked since this object was made."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="look-ups", daemon=True).start()
        return self._loop
