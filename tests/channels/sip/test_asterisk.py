"""Asterisk 22 rings the endpoint: its INVITE, its keys by INFO, its hang-up and ours, hold, and a call that lasts."""

import asyncio

import pytest

from ivr.channels.sip import SipSettings
from tests.channels.sip.peers import PeerProcess, free_port, needs_peers
from tests.channels.sip.phones import Desk
from tests.channels.sip.test_sipp import quiet  # noqa: F401  # a fixture
from tests.channels.sip.test_sockets import listening, opened

pytestmark = needs_peers
# The shortest session Asterisk agrees to (RFC 4028 4): its refreshes can be waited for.
SHORT = {"session_expires_s": 90, "min_se_s": 90}


async def until(condition, seconds):
    for _ in range(int(seconds * 20)):
        if condition():
            return
        await asyncio.sleep(0.05)  # a real peer: nothing tells when it is done
    raise AssertionError("the peer did not do it in time")


def with_asterisk(tmp_path, scene, settings: SipSettings):
    async def body():
        desk = Desk()
        endpoint = await opened(settings, desk)
        asterisk = PeerProcess(
            "asterisk",
            tmp_path,
            ENGINE=f"127.0.0.1:{endpoint.listening[0][1][1]}",
            HTTP_PORT=str(free_port()),
            RTP_START="31000",
            RTP_END="31200",
        )
        try:
            await asyncio.to_thread(asterisk.start)
            await scene(asterisk, endpoint, desk)
            assert endpoint.counters["failures"] == endpoint.counters["malformed"] == 0
        finally:
            await asyncio.to_thread(asterisk.stop)
            await endpoint.stop()

    asyncio.run(body())


def test_asterisk_rings_keys_and_hangs_up_and_is_hung_up(tmp_path, quiet):  # noqa: F811
    async def scene(asterisk, endpoint, desk):
        await asyncio.to_thread(asterisk.run, "originate", "info", "4111*0#")
        await until(lambda: desk.count("ended") == 1, 20)
        first = desk.invitations[0]
        assert first.dnis == "pay"
        assert [codec.name for codec in first.offer.codecs] == ["PCMU", "PCMA"]
        assert desk.keys == {first.call: "4111*0#"}
        assert desk.reasons() == ["caller hung up"]

        await asyncio.to_thread(asterisk.run, "originate", "rfc4733", "1")
        await until(lambda: desk.count("answered") == 2, 20)
        assert desk.invitations[1].offer.telephone_event is not None
        await endpoint.hang_up(desk.invitations[1].call)
        assert desk.reasons() == ["caller hung up", "we hung up"]
        assert endpoint.counters["undeliverable"] == 0
        listed = await asyncio.to_thread(asterisk.run, "cli", "core show channels count")
        assert "0 active calls" in listed.stdout

    with_asterisk(tmp_path, scene, listening("udp"))


@pytest.mark.long
def test_a_call_from_asterisk_is_refreshed_and_not_dropped(tmp_path, quiet):  # noqa: F811
    async def scene(asterisk, endpoint, desk):
        await asyncio.to_thread(asterisk.run, "cli", "dialplan set global WAIT 300")
        await asyncio.to_thread(asterisk.run, "originate", "info", "1")
        await until(lambda: desk.count("answered") == 1, 20)
        await until(lambda: endpoint.counters["refreshes_sent"] >= 3, 160)
        assert endpoint.calls
        await endpoint.hang_up(desk.invitations[0].call)

    with_asterisk(tmp_path, scene, listening("udp", **SHORT))
