"""A day in small: call after call through the whole trunk, most hung up soon, some paid; what it holds is what it held."""

import asyncio
import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import psutil
import pytest
import structlog

from ivr.channels.trunk import process
from ivr.phone.rtp import Phone
from ivr.phone.sip import (
    CallerHandler,
    ListenAddress,
    LocalSession,
    SipCaller,
    SipEndpoint,
    SipSettings,
    SourceLimits,
    Timers,
)
from tests.channels.trunk.callers import Caller, place_of, play, speak, telephone
from tests.patience import PATIENCE_S
from tests.tills import Till, open_till

AT_ONCE = 12
# Finished SIP transactions are remembered for 64 T1 (RFC 3261 17); with a short T1 they are gone within seconds.
QUICK = Timers(0.1, 0.8, 1.0)
NO_LIMIT = SourceLimits(invites_per_s=1e6, invites_burst=10**6, messages_per_s=1e6, messages_burst=10**6)
TRIES, ASKED_AGAIN_S = 2, 10  # longer than the inter-digit timeout
KEY_MS = 40  # the shortest key that Q.24 has us hear, and pause
MB = 1024 * 1024
# Room for what fills once: SQLite's page cache of 2 MB a connection, allocator arenas.
TRUNK_ROOM, WORKER_ROOM = 10 * MB, 2 * MB


@dataclass(frozen=True)
class Held:
    trunk_bytes: int
    worker_bytes: int
    trunk_descriptors: int
    worker_descriptors: int
    tasks: int
    lines: int
    legs: int
    listening: int


@dataclass
class Soak:
    """Kinds of calls come in turn, so that all of them overlap with all others."""

    till: Till
    phones: SipEndpoint
    sink: Phone
    """Where the audio of calls goes whose caller does not listen."""
    paid_of: int
    outcomes: Counter[str | None] = field(default_factory=Counter)
    again: int = 0  # entries that had to be keyed twice

    async def ring(self, numbers: Iterator[int]) -> None:
        async def caller() -> None:
            for number in numbers:
                ani = f"+1555{number:07d}"
                kinds = (self.hangs_up_at_once, self.listens_a_little, self.keys_by_info, self.keys_by_event)
                await (self.pays if number % self.paid_of == 0 else kinds[number % 4])(number, ani)
                await self.is_over(ani)

        async with asyncio.TaskGroup() as callers:
            for _ in range(AT_ONCE):
                callers.create_task(caller())

    async def is_over(self, ani: str) -> None:
        """Its outcome is booked, and the test's own memory of it goes."""
        progress = self.till.progress
        await progress.until(lambda: self._ended(ani), PATIENCE_S)
        gone = [call for call in progress.calls.values() if call.ani == ani]
        self.outcomes.update(call.outcome for call in gone)
        for call in gone:
            del progress.calls[call.id]
        progress.history.clear()
        self.sink.heard.clear()

    def _ended(self, ani: str) -> bool:
        return any(call.ani == ani and call.phase == "over" for call in self.till.progress.calls.values())

    async def _dial(self, ani: str, port: int):
        caller = SipCaller(self.phones, identity=f"sip:{ani}@127.0.0.1")
        return await caller.call(self.till.uri, LocalSession("127.0.0.1", port))

    async def hangs_up_at_once(self, number: int, ani: str) -> None:
        call = await self._dial(ani, self.sink.address[1])
        await call.hang_up()

    async def listens_a_little(self, number: int, ani: str) -> None:
        call = await self._dial(ani, self.sink.address[1])
        await self.till.progress.until(lambda: any(c.ani == ani for c in self.till.progress.calls.values()), PATIENCE_S)
        await call.hang_up()

    async def keys_by_info(self, number: int, ani: str) -> None:
        call = await self._dial(ani, self.sink.address[1])
        assert await call.send_key("1") == 200
        await call.hang_up()

    async def keys_by_event(self, number: int, ani: str) -> None:
        phone = await Phone.at("127.0.0.1")
        call = await self._dial(ani, phone.address[1])
        speak(phone, call, "PCMU")
        await phone.press("1", tone_ms=KEY_MS, gap_ms=KEY_MS)
        await call.hang_up()
        phone.hang_up()

    async def pays(self, number: int, ani: str) -> None:
        """Every key cuts a prompt off."""
        async with telephone(self.till, ani) as caller:
            quick = QuickCaller(**vars(caller))
            await quick.pays(number // self.paid_of)
            self.again += quick.again

    async def held(self) -> Held:
        """When nobody rings any more and all that is remembered for retransmissions has been forgotten."""
        handler = self.till.trunk.handler
        async with asyncio.timeout(PATIENCE_S):
            while handler.lines or self.till.trunk.endpoint.calls:
                await asyncio.sleep(0.05)
        await asyncio.sleep(64 * QUICK.t1_s if self.paid_of > 100 else 0)
        gc.collect()
        trunk, worker = psutil.Process(), psutil.Process(handler.media.pid)
        legs = self.till.trunk.endpoint.calls
        memory = trunk.memory_info().rss, worker.memory_info().rss
        return Held(
            *memory,
            descriptors(trunk, self.till),
            worker.num_fds(),
            len(asyncio.all_tasks()),
            len(handler.lines),
            len(legs),
            handler.clips.listening,
        )


def descriptors(process: psutil.Process, till: Till) -> int:
    """But for the database's, which a pool of bounded size opens as it needs them, and keeps."""
    folder = Path(f"/proc/{process.pid}/fd")
    return sum(
        not str(entry.readlink()).startswith(str(till.folder)) for entry in folder.iterdir() if entry.is_symlink()
    )


@dataclass
class QuickCaller(Caller):
    """Keys at the least length, and once more when asked again: a machine that stands still for half a second, as this
    one may among other tests, has half a second of keys arrive at once."""

    last: str = ""
    again: int = 0

    async def reaches(self, *places: str) -> None:
        for _ in range(TRIES):
            with suppress(TimeoutError):
                await self.till.progress.until(lambda: place_of(self.progress) in places, ASKED_AGAIN_S)
                return
            self.again += 1
            await self.press(self.last)
        await super().reaches(*places)

    async def press(self, keys: str) -> None:
        self.last = keys
        await self.phone.press(keys, tone_ms=KEY_MS, gap_ms=KEY_MS)


@pytest.fixture
def quick_timers(monkeypatch):
    """Nothing but numbers of the trunk's own settings."""
    as_set = process.sip_settings
    monkeypatch.setattr(process, "sip_settings", lambda s: replace(as_set(s), timers=QUICK, limits=NO_LIMIT))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("calls", "paid_of", "parts"),
    [(120, 120, 2), pytest.param(20_000, 200, 10, marks=pytest.mark.long)],
    ids=["bounded", "day"],
)
def test_call_after_call_is_ended_and_leaves_nothing_behind(tmp_path, quick_timers, calls, paid_of, parts):
    # The first half fills pools and caches, the second must find them full.
    told: list[Held] = []

    async def scene():
        settings = SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),), timers=QUICK, limits=NO_LIMIT)
        async with open_till(tmp_path, trunk_max_calls="100", trunk_rtp_ports="0000-0063") as till:
            phones, sink = SipEndpoint(settings, CallerHandler()), await Phone.at("127.0.0.1")
            await phones.start()
            soak = Soak(till, phones, sink, paid_of)
            for part in range(parts):
                await soak.ring(iter(range(part * calls // parts, (part + 1) * calls // parts)))
                told.append(await soak.held())
                print(soak.outcomes.total(), "calls,", soak.again, "entries keyed again,", asdict(told[-1]), flush=True)
            await phones.stop()
            sink.hang_up()
            assert soak.outcomes.total() == calls
            assert soak.outcomes["paid"] == len(till.keyed()) == -(-calls // paid_of)
            counters = till.trunk.endpoint.counters
            assert counters["calls_ended"] == calls
            assert counters["failures"] == phones.counters["failures"] == 0

    play(scene, most_s=7200)
    warm, end = told[parts // 2 - 1], told[-1]
    assert (end.lines, end.legs, end.listening) == (0, 0, 0)
    assert end.tasks <= warm.tasks
    # Fewer is no leak: what starting up had opened may have been closed meanwhile.
    assert end.trunk_descriptors <= warm.trunk_descriptors
    assert end.worker_descriptors == warm.worker_descriptors
    assert end.worker_bytes - warm.worker_bytes < WORKER_ROOM
    assert end.trunk_bytes - warm.trunk_bytes < TRUNK_ROOM
