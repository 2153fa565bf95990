"""A day in small: call after call over real sockets, overlapping; memory and descriptors end where they began."""

import asyncio
import gc

import psutil
import pytest

from ivr.channels.sip import LocalSession, SipCaller, Timers
from tests.channels.sip.phones import Desk
from tests.channels.sip.test_loss import OPEN, quiet  # noqa: F401  # a fixture
from tests.channels.sip.test_sockets import listening, opened, target

KINDS = ("udp", "tcp")
AT_ONCE = 25
MAX_GROWTH_BYTES = 8 * 1024 * 1024


async def soak(calls: int, warm_up: int) -> tuple[int, int]:
    """Growth in memory and in descriptors after the warm-up, which fills the tables of finished transactions."""
    desk, process = Desk(), psutil.Process()
    # A short T1 lets finished transactions go within a second; on loopback nothing is lost.
    settings = listening("udp", "tcp", limits=OPEN, timers=Timers(0.05, 0.4, 0.5))
    endpoint, phones = await opened(settings, desk), await opened(settings)
    caller = SipCaller(phones)
    before = (0, 0)

    async def one(number: int) -> None:
        call = await caller.call(target(endpoint, KINDS[number % 2]), LocalSession("127.0.0.1", 4000))
        assert await call.send_key("5") == 200
        await call.hang_up()

    for begun in range(0, calls, AT_ONCE):
        await asyncio.gather(*(one(begun + number) for number in range(AT_ONCE)))
        for memory in (desk.heard, desk.invitations, desk.remotes, desk.sessions, desk.keys, desk.moved):
            memory.clear()
        if begun == warm_up:
            gc.collect()
            before = (process.memory_info().rss, process.num_fds())
    gc.collect()
    growth = process.memory_info().rss - before[0], process.num_fds() - before[1]
    assert endpoint.counters["calls_ended"] == calls
    assert endpoint.counters["failures"] == phones.counters["failures"] == 0
    await phones.stop()
    await endpoint.stop()
    return growth


@pytest.mark.parametrize("calls", [500, pytest.param(20_000, marks=pytest.mark.long)])
def test_call_after_call_leaves_nothing_behind(calls, quiet):  # noqa: F811
    grown_bytes, grown_descriptors = asyncio.run(soak(calls, warm_up=calls // 2))
    assert grown_descriptors == 0
    if calls >= 20_000:  # a short run ends before its first transactions have gone
        assert grown_bytes < MAX_GROWTH_BYTES
