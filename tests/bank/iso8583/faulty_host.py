"""The simulator's ISO 8583 host, with ways of its own to answer besides: late, twice, after another's answer, in turned order.

By amount; whatever else comes is answered as the simulator does. In the tests' own process, for it has the simulator's books.
"""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ivr.bank.simulator.books import Books
from ivr.bank.simulator.iso_host import REVERSALS, Fields, HostLine, IsoHost, answered
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.simulator.server import tls_context
from tests.bank.iso8583.running import RunningHost
from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S

UNDER_WAY, ANSWERED_LATE, TWICE, ANOTHER_FIRST, TURNED = range(2011, 2016)
Question = tuple[HostLine, Fields]


class FaultyHost(IsoHost):
    """`forgets`: a reversal of what has not come blocks nothing."""

    under_way: list[Question]
    unanswered: list[Question]
    turned: list[Question]

    def begin(self) -> None:
        self.under_way, self.unanswered, self.turned = [], [], []
        self.start("127.0.0.1", 0)

    def forgets(self, is_so: bool) -> None:
        self._ways = replace(self._ways, blocks=not is_so)

    def arrive(self) -> int:
        """What was under way all the time is booked and answered. How many."""

        async def book() -> int:
            arrived, self.under_way = self.under_way, []
            for line, message in arrived:
                line.write(message, self._booked(message))
            return len(arrived)

        return asyncio.run_coroutine_threadsafe(book(), self._loop).result(PATIENCE_S)

    async def _answer(self, line: HostLine, message: Fields) -> None:
        if message["t"] in REVERSALS:  # the late answer comes while somebody waits for the one to the reversal
            for earlier, asked in self.unanswered:
                earlier.write(asked, self._booked(asked))
            self.unanswered.clear()
        await super()._answer(line, message)

    async def _purchase(self, line: HostLine, message: Fields) -> None:
        match int(message["4"]):
            case amount if amount == UNDER_WAY:
                self.under_way.append((line, message))
            case amount if amount == ANSWERED_LATE:
                self._booked(message)
                self.unanswered.append((line, message))
            case amount if amount == TWICE:
                line.write(message, self._booked(message))
                line.write(message, {"39": "05"})
            case amount if amount == ANOTHER_FIRST:
                for other in ({"11": "999999"}, {"37": "999999999999"}):
                    line.write(dict(message) | other, {"39": "05"})
                line.write(message, self._booked(message))
            case amount if amount == TURNED:
                self._turn(line, message)
            case _:
                await super()._purchase(line, message)

    def _turn(self, line: HostLine, message: Fields) -> None:
        """The second one is refused, and answered first."""
        self.turned.append((line, message))
        if len(self.turned) == 2:
            (first, asked), _ = self.turned
            self.turned.clear()
            line.write(message, {"39": "05"})
            first.write(asked, self._booked(asked))

    def _booked(self, message: Fields) -> dict[str, str]:
        entry, _ = self._decided(message)
        return answered(self._books.authorize(entry), entry)


@contextmanager
def running_faulty(keys: BankKeys, folder: Path) -> Iterator[tuple[FaultyHost, RunningHost]]:
    shutil.copytree(keys.bank, folder, dirs_exist_ok=True)
    books = Books(folder)
    host = FaultyHost(folder, books, tls_context(folder), SimulatorWays(0.02))
    host.begin()
    try:
        yield host, RunningHost(host.url, folder, keys)
    finally:
        host.stop()
        books.close()
