"""Kamailio, a real SIP proxy, between sipp and two endpoints of ours: routes are kept, and a node that dies loses no new call."""

import asyncio

import pytest

from ivr.channels.sip import LocalSession, SipCaller
from tests.channels.sip.peers import PeerProcess, needs_peers
from tests.channels.sip.phones import Desk
from tests.channels.sip.test_sipp import SIPP, quiet, sipp  # noqa: F401  # a fixture
from tests.channels.sip.test_sockets import listening, opened

pytestmark = [
    *needs_peers,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"),
]


def test_calls_through_a_proxy_keep_their_route_and_survive_a_dead_node(tmp_path, quiet):  # noqa: F811
    async def body():
        desks = [Desk(), Desk()]
        nodes = [await opened(listening("udp"), desk) for desk in desks]
        ports = [node.listening[0][1][1] for node in nodes]
        proxy = PeerProcess("kamailio", tmp_path, NODES=" ".join(f"127.0.0.1:{port}" for port in ports))
        await asyncio.to_thread(proxy.start)
        try:
            await ring_through(proxy, desks, nodes)
        finally:
            proxy.stop()
            await nodes[0].stop()
            await nodes[1].stop()

    async def ring_through(proxy, desks, nodes):
        class Through:
            listening = (("udp", ("127.0.0.1", proxy.port)),)

        code, errors = await sipp(Through, "udp", tmp_path, "-m", "60", "-r", "30")
        assert code == 0, errors
        assert [desk.count("ended") for desk in desks] == [len(desk.invitations) for desk in desks]
        assert sum(len(desk.invitations) for desk in desks) == 60
        assert all(desk.invitations for desk in desks)  # the dispatcher spreads them
        assert {key for desk in desks for key in desk.keys.values()} == {"4#"}
        await hang_up_through(proxy, desks, nodes)
        await nodes[0].stop()  # gone without a word: its socket is closed
        before = len(desks[1].invitations)
        code, errors = await sipp(Through, "udp", tmp_path, "-m", "30", "-r", "30")
        assert code == 0, errors
        assert len(desks[1].invitations) - before == 30

    async def hang_up_through(proxy, desks, nodes):
        """Our own BYE goes along the recorded route."""
        phones = await opened(listening("udp"))
        call = await SipCaller(phones).call(f"sip:pay@127.0.0.1:{proxy.port}", LocalSession("127.0.0.1", 4000))
        answered = [(node, node.calls) for node in nodes if node.calls]
        assert len(answered) == 1
        await asyncio.sleep(0.1)  # the ACK has one hop more to go
        await answered[0][0].hang_up(answered[0][1][0])
        assert await asyncio.wait_for(call.until_over(), 5) == "caller hung up"
        assert f":{proxy.port}" in call.leg.dialog.route_set[0]
        await phones.stop()

    asyncio.run(body())
