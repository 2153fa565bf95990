"""A forwarder process that kills itself with SIGKILL at a chosen point: no `finally`, no rollback, no goodbye."""

import multiprocessing
import os
import signal
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from ivr.forwarder.process import Forwarder
from ivr.store import open_store
from tests.forwarder.paper_bank import Fate, PaperBank
from tests.patience import PATIENCE_S

# A server that has imported everything, and forks a clean child for each death: no open database is carried over.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.forwarder.doomed"])


@dataclass
class Countdown:
    """Dies at the point whose number it was given; otherwise only counts, and writes down the points' names."""

    dies_at: int
    diary: Path
    passed: int = 0

    def __call__(self, point: str) -> None:
        self.passed += 1
        with self.diary.open("a") as diary:
            diary.write(f"{self.passed} {point}\n")
        if self.passed == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run(url: str, books: Path, fate: Fate, now: datetime, countdown: Countdown) -> None:
    """One job, then one more if there is one: the points are every statement, every commit and the bank's own."""
    store = open_store(url)
    bank = PaperBank(books, fate, at=countdown)

    def before_statement(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        countdown(" ".join(statement.split()[:3]))

    event.listen(Engine, "before_cursor_execute", before_statement)
    event.listen(Engine, "commit", lambda _connection: countdown("before the commit"))
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=lambda: now, pause=lambda seconds: None)
    while forwarder.run_once():
        pass
    countdown("the end")


def run_until(url: str, books: Path, fate: Fate, now: datetime, countdown: Countdown) -> bool:
    """True if it was killed on the way."""
    child = processes.Process(target=run, args=(url, books, fate, now, countdown))
    child.start()
    child.join(PATIENCE_S)
    if child.exitcode not in (0, -signal.SIGKILL):
        child.kill()
        raise AssertionError(f"the forwarder ended with {child.exitcode}")
    return child.exitcode != 0
