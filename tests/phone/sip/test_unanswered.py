"""Calls whose INVITE is never acknowledged: they take nobody else's place, not even a telephone's at their address."""

import asyncio

import pytest

from ivr.phone.sip import SipSettings, SourceLimits
from tests.phone.sip.network import MemoryNetwork, run_virtually
from tests.phone.sip.phones import FakeCallHandler, Phone, open_endpoint

CALLS = 20


def flooded(scene, *, unanswered=5, handler=None, calls=CALLS):
    async def body():
        network = MemoryNetwork(delay_s=0.005)
        limits = SourceLimits(calls=calls, unanswered_per_source=unanswered)
        endpoint, answering = await open_endpoint(network, handler, SipSettings(limits=limits))
        await scene(network, endpoint, answering)
        await endpoint.stop()
        assert endpoint.counters["failures"] == 0

    run_virtually(body())


async def invites(phone, number, per_s, name="flood"):
    """INVITEs that nobody acknowledges."""
    for n in range(number):
        phone.send(phone.invite(branch=f"z9hG4bK-{name}{n}", call_id=f"{name}{n}@phone"))
        await asyncio.sleep(1 / per_s)


def test_a_flood_without_ack_leaves_room_for_everybody_else():
    async def scene(network, endpoint, handler):
        flood = asyncio.create_task(invites(Phone(network), 1600, 80))
        for second in range(20):
            await asyncio.sleep(1)
            assert len(endpoint.exchange.live) <= CALLS // 2
            other = Phone(network, ("192.0.2.10", 5060))
            ok = await other.call(branch=f"z9hG4bK-o{second}", call_id=f"o{second}@other")
            bye = other.request(
                "BYE", branch=f"z9hG4bK-b{second}", call_id=f"o{second}@other", cseq=2, to_tag=ok.to_tag
            )
            assert (await other.one(bye)).status == 200
        await flood

    flooded(scene)


def test_a_telephone_at_the_flooding_address_is_served_too():
    async def scene(network, endpoint, handler):
        flood = asyncio.create_task(invites(Phone(network, ("192.0.2.9", 6000)), 400, 80))
        await asyncio.sleep(2)
        ok = await Phone(network, ("192.0.2.9", 7000)).call(branch="z9hG4bK-real", call_id="real@phone")
        await flood
        assert (ok.to_tag, "answered") in handler.heard
        assert (ok.to_tag, "ended", "not acknowledged") not in handler.heard

    flooded(scene, unanswered=50, calls=100)


def test_a_burst_beyond_the_limit_is_503_until_there_has_been_time_for_an_ack():
    async def scene(network, endpoint, handler):
        phone = Phone(network)
        await invites(phone, 6, 1000)
        await asyncio.sleep(0.1)
        refused = [message for message in phone.received if message.status == 503]
        assert [message.header("Call-ID") for message in refused] == ["flood5@phone"]
        assert refused[0].header("Retry-After")
        await asyncio.sleep(0.5)
        await phone.call(branch="z9hG4bK-late", call_id="late@phone")

    flooded(scene)


def test_calls_that_are_acknowledged_refused_or_cancelled_are_not_counted():
    async def scene(network, endpoint, handler):
        phone = Phone(network)
        for number in range(8):
            await phone.call(branch=f"z9hG4bK-a{number}", call_id=f"a{number}@phone")
        handler.thinks_s = 5
        phone.send(phone.invite(branch="z9hG4bK-c", call_id="c@phone"))
        await asyncio.sleep(0.1)
        assert len(endpoint._unanswered) == 1
        phone.send(phone.request("CANCEL", branch="z9hG4bK-c", call_id="c@phone"))
        await asyncio.sleep(0.1)
        assert len(endpoint._unanswered) == 0

    flooded(scene)


@pytest.mark.parametrize("thinks_s", [0.0, 3.0])
def test_what_is_given_up_is_told_to_the_handler_once(thinks_s):
    async def scene(network, endpoint, handler):
        await invites(Phone(network), 30, 10)
        await asyncio.sleep(70)
        assert handler.count("ended") == len(handler.invitations) > 4
        assert set(handler.reasons()) == {"not acknowledged"}
        assert (len(endpoint._unanswered), len(endpoint.exchange.live), len(endpoint.calls)) == (0, 0, 0)

    flooded(scene, handler=FakeCallHandler(thinks_s=thinks_s))
