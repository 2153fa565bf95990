"""A day in small: call after call over real sockets, overlapping; memory and descriptors end where they began."""

import asyncio
import gc

import psutil
import pytest

from ivr.phone.sip import LocalSession, SipCaller, Timers
from tests.phone.sip.phones import FakeCallHandler
from tests.phone.sip.test_loss import OPEN, quiet  # noqa: F401  # a fixture
from tests.phone.sip.test_sockets import listening, opened, target

KINDS = ("udp", "tcp")
AT_ONCE = 25
MAX_GROWTH_BYTES = 16 * 1024 * 1024


async def soak(calls: int, *, settle: bool) -> tuple[int, int]:
    """Growth in memory and in descriptors from the middle to the end; `settle` first waits at both points until the
    finished transactions, which RFC 3261 keeps for 64 * T1, have gone: only then do bytes compare.
    """
    handler, process = FakeCallHandler(), psutil.Process()
    settings = listening("udp", "tcp", limits=OPEN, timers=Timers(t1_s=0.2))
    endpoint, phones = await opened(settings, handler), await opened(settings)
    caller = SipCaller(phones)

    async def one(number: int) -> None:
        call = await caller.call(target(endpoint, KINDS[number % 2]), LocalSession("127.0.0.1", 4000))
        assert await call.send_key("5") == 200
        await call.hang_up()

    async def measured() -> tuple[int, int]:
        while settle and len(endpoint.exchange.transactions) + len(phones.exchange.transactions):
            await asyncio.sleep(0.5)
        gc.collect()
        return process.memory_info().rss, process.num_fds()

    half = (0, 0)
    for begun in range(0, calls, AT_ONCE):
        if begun == calls // 2:
            half = await measured()
        await asyncio.gather(*(one(begun + number) for number in range(AT_ONCE)))
        for memory in (
            handler.heard,
            handler.invitations,
            handler.remotes,
            handler.sessions,
            handler.keys,
            handler.moved,
        ):
            memory.clear()
    end = await measured()
    assert endpoint.counters["calls_ended"] == calls
    assert endpoint.counters["failures"] == phones.counters["failures"] == 0
    await phones.stop()
    await endpoint.stop()
    return end[0] - half[0], end[1] - half[1]


def test_call_after_call_leaves_no_descriptor_behind(quiet):  # noqa: F811
    assert asyncio.run(soak(500, settle=False))[1] == 0


@pytest.mark.long
def test_twenty_thousand_calls_leave_nothing_behind(quiet):  # noqa: F811
    # First as many as make the heap as large as it gets: how many calls are alive at once is the machine's speed times
    # 64 * T1, and the heap keeps the room they took (some 30 MB after the first 10,000, 1 MB after as many more).
    asyncio.run(soak(10_000, settle=True))
    grown_bytes, grown_descriptors = asyncio.run(soak(20_000, settle=True))
    assert grown_descriptors == 0
    assert grown_bytes < MAX_GROWTH_BYTES
