"""Calls over a network that loses, doubles and reorders: each completes, and each is one dialog."""

import asyncio

import pytest
import structlog

from ivr.phone.sip import CallRefusedError, LocalSession, SipCaller, SipEndpoint, SipSettings, SourceLimits
from ivr.phone.sip.caller import CallerHandler
from tests.phone.sip.network import MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.phones import ENDPOINT, FakeCallHandler

OPEN = SourceLimits(messages_per_s=1e9, messages_burst=10**9, invites_per_s=1e9, invites_burst=10**9, calls=10**6)


async def ring_and_key(caller: SipCaller, keys: str) -> bool:
    call = await caller.call(f"sip:pay@{ENDPOINT[0]}:{ENDPOINT[1]}", LocalSession("192.0.2.9", 4000))
    statuses = [await call.send_key(key) for key in keys]
    await call.hang_up()
    return set(statuses) == {200}


async def calls_over(
    network: MemoryNetwork, number: int, at_once: int
) -> tuple[SipEndpoint, FakeCallHandler, list[bool]]:
    settings = SipSettings(limits=OPEN)
    handler = FakeCallHandler()
    endpoint = SipEndpoint(settings, handler, MemoryTransport(network, ENDPOINT))
    phones = SipEndpoint(settings, CallerHandler(), MemoryTransport(network, ("192.0.2.9", 5060)))
    await endpoint.start()
    await phones.start()
    caller = SipCaller(phones)
    worked: list[bool] = []
    for begun in range(0, number, at_once):
        batch = [ring_and_key(caller, "41#") for _ in range(min(at_once, number - begun))]
        worked += [outcome is True for outcome in await asyncio.gather(*batch, return_exceptions=True)]
    await asyncio.sleep(120)
    await phones.stop()
    return endpoint, handler, worked


def check(network, endpoint, handler, worked, number):
    assert worked == [True] * number
    assert len(handler.invitations) == number  # one dialog each
    assert len({invitation.call for invitation in handler.invitations}) == number
    assert handler.count("answered") == handler.count("ended") == number
    assert set(handler.keys.values()) == {"41#"}  # each key once, in order
    assert set(handler.reasons()) == {"caller hung up"}
    assert endpoint.calls == ()
    assert len(endpoint.exchange.transactions) == 0
    assert network.lost == 0 or endpoint.counters["retransmissions_absorbed"] > 0


@pytest.fixture(autouse=True)
def quiet():
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.25])
def test_every_call_completes_as_one_dialog_whatever_is_lost(loss):
    network = MemoryNetwork(loss=loss, copies=0.05, seed=int(loss * 100))
    endpoint, handler, worked = run_virtually(calls_over(network, 100, at_once=50))
    check(network, endpoint, handler, worked, 100)


@pytest.mark.long
def test_ten_thousand_calls_at_ten_percent_loss():
    network = MemoryNetwork(loss=0.1, copies=0.02, seed=7)
    endpoint, handler, worked = run_virtually(calls_over(network, 10_000, at_once=500))
    check(network, endpoint, handler, worked, 10_000)


def test_nobody_there_is_408_after_64_times_t1():
    async def body():
        network = MemoryNetwork()
        phones = SipEndpoint(SipSettings(), CallerHandler(), MemoryTransport(network, ("192.0.2.9", 5060)))
        await phones.start()
        began = asyncio.get_running_loop().time()
        with pytest.raises(CallRefusedError) as refused:
            await SipCaller(phones).call("sip:pay@192.0.2.77", LocalSession("192.0.2.9", 4000))
        assert refused.value.status == 408
        assert asyncio.get_running_loop().time() - began == pytest.approx(32, abs=0.1)
        assert network.sent == 7  # at 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s
        await phones.stop()

    run_virtually(body())
