"""Asterisk 22 rings the endpoint: its INVITE, its keys by INFO, its hang-up and ours, hold, and a call that lasts."""

import asyncio

import pytest

from ivr.phone.sip import SipSettings
from tests.peers import ASTERISK, Asterisk, Tree, needs_peers
from tests.phone.sip.phones import FakeCallHandler
from tests.phone.sip.test_sipp import quiet  # noqa: F401  # a fixture
from tests.phone.sip.test_sockets import listening, opened
from tests.ports import free_port

pytestmark = needs_peers
# The shortest session Asterisk agrees to (RFC 4028 4): its refreshes can be waited for.
SHORT = {"session_expires_s": 90, "min_se_s": 90}
PJSIP = """
[udp]
type=transport
protocol=udp
bind=127.0.0.1:{port}
#include tonetill/pjsip.conf
"""
ROBOT = """
[robot]
exten => _keys.,1,Answer()
 same => n,Wait(1)
 same => n,SendDTMF(${EXTEN:4},120,100)
 same => n,Wait(3)
exten => stays,1,Answer()
 same => n,Wait(300)
"""


async def until(condition, seconds):
    for _ in range(int(seconds * 20)):
        if condition():
            return
        await asyncio.sleep(0.05)  # a real peer: nothing tells when it is done
    raise AssertionError("the peer did not do it in time")


def with_asterisk(tmp_path, scene, settings: SipSettings):
    async def body():
        handler = FakeCallHandler()
        endpoint = await opened(settings, handler)
        pbx = pbx_before(tmp_path, endpoint.listening[0][1][1]).started()
        asterisk = await asyncio.to_thread(pbx.__enter__)
        try:
            await scene(asterisk, endpoint, handler)
            assert endpoint.counters["failures"] == endpoint.counters["malformed"] == 0
        finally:
            await asyncio.to_thread(pbx.__exit__, None, None, None)
            await endpoint.stop()

    asyncio.run(body())


def pbx_before(folder, port: int) -> Asterisk:
    mains = {
        "pjsip.conf": PJSIP.format(port=free_port()),
        "extensions.conf": ROBOT,
        "rtp.conf": "[general]\nrtpstart=31000\nrtpend=31200\n",
        "tonetill/address.conf": f"[tonetill-address](!)\ncontact=sip:127.0.0.1:{port}\n",
    }
    return Asterisk(folder, Tree("asterisk", "sid", ASTERISK), mains)


async def rings(asterisk: Asterisk, endpoint: str, extension: str) -> None:
    await asyncio.to_thread(asterisk.cli, f"channel originate PJSIP/pay@{endpoint} extension {extension}@robot")


@pytest.mark.long  # in the bounded form Asterisk's callers pay: tests/channels/trunk/test_asterisk.py
def test_asterisk_rings_keys_and_hangs_up_and_is_hung_up(tmp_path, quiet):  # noqa: F811
    async def scene(asterisk, endpoint, handler):
        await rings(asterisk, "tonetill-info", "keys4111*0#")
        await until(lambda: handler.count("ended") == 1, 20)
        first = handler.invitations[0]
        assert first.dnis == "pay"
        assert [codec.name for codec in first.offer.codecs] == ["PCMU", "PCMA"]
        assert handler.keys == {first.call: "4111*0#"}
        assert handler.reasons() == ["caller hung up"]

        await rings(asterisk, "tonetill", "keys1")
        await until(lambda: handler.count("answered") == 2, 20)
        assert handler.invitations[1].offer.telephone_event is not None
        await endpoint.hang_up(handler.invitations[1].call)
        assert handler.reasons() == ["caller hung up", "we hung up"]
        assert endpoint.counters["undeliverable"] == 0
        listed = await asyncio.to_thread(asterisk.cli, "core show channels count")
        assert "0 active calls" in listed

    with_asterisk(tmp_path, scene, listening("udp"))


@pytest.mark.long
def test_a_call_from_asterisk_is_refreshed_and_not_dropped(tmp_path, quiet):  # noqa: F811
    async def scene(asterisk, endpoint, handler):
        await rings(asterisk, "tonetill-info", "stays")
        await until(lambda: handler.count("answered") == 1, 20)
        await until(lambda: endpoint.counters["refreshes_sent"] >= 3, 160)
        assert endpoint.calls
        await endpoint.hang_up(handler.invitations[0].call)

    with_asterisk(tmp_path, scene, listening("udp", **SHORT))
