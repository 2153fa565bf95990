"""Kamailio, a real SIP proxy, between sipp and two endpoints of ours: routes are kept, and a node that dies loses no new call."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from ivr.phone.sip import LocalSession, SipCaller
from tests.patience import PATIENCE_S
from tests.peers import KAMAILIO, Kamailio, Tree, debian, needs_peers
from tests.phone.sip.phones import FakeCallHandler
from tests.phone.sip.test_sipp import SIPP, quiet, sipp  # noqa: F401  # a fixture
from tests.phone.sip.test_sockets import certificate, listening, opened
from tests.ports import free_port

pytestmark = [
    *needs_peers,
    pytest.mark.skipif(SIPP is None, reason="sipp is not installed; `apt-get install sip-tester` brings it"),
]


@pytest.mark.long  # in the bounded form a Kamailio stands before whole lines: tests/channels/trunk/test_kamailio.py
def test_calls_through_a_proxy_keep_their_route_and_survive_a_dead_node(tmp_path, quiet):  # noqa: F811
    async def body():
        handlers = [FakeCallHandler(), FakeCallHandler()]
        nodes = [await opened(listening("udp"), handler) for handler in handlers]
        outside = free_port()
        try:
            with proxy_before(tmp_path, [node.listening[0][1][1] for node in nodes], outside).started():
                await until_taken(outside)
                await ring_through(outside, handlers, nodes)
        finally:
            await nodes[0].stop()
            await nodes[1].stop()

    async def ring_through(outside, handlers, nodes):
        class Through:
            listening = (("udp", ("127.0.0.1", outside)),)

        code, errors = await sipp(Through, "udp", tmp_path, "-m", "60", "-r", "30")
        assert code == 0, errors
        assert [handler.count("ended") for handler in handlers] == [len(handler.invitations) for handler in handlers]
        assert sum(len(handler.invitations) for handler in handlers) == 60
        assert all(handler.invitations for handler in handlers)  # the dispatcher spreads them
        assert {key for handler in handlers for key in handler.keys.values()} == {"4#"}
        await hang_up_through(outside, nodes)
        await nodes[0].stop()  # gone without a word: its socket is closed
        before = len(handlers[1].invitations)
        code, errors = await sipp(Through, "udp", tmp_path, "-m", "30", "-r", "30")
        assert code == 0, errors
        assert len(handlers[1].invitations) - before == 30

    async def hang_up_through(outside, nodes):
        """Our own BYE goes along the recorded route."""
        phones = await opened(listening("udp"))
        call = await SipCaller(phones).call(f"sip:pay@127.0.0.1:{outside}", LocalSession("127.0.0.1", 4000))
        answered = [(node, node.calls) for node in nodes if node.calls]
        assert len(answered) == 1
        await asyncio.sleep(0.1)  # the ACK has one hop more to go
        await answered[0][0].hang_up(answered[0][1][0])
        assert await asyncio.wait_for(call.until_over(), PATIENCE_S) == "caller hung up"
        assert f":{outside}" in call.leg.dialog.route_set[0]
        await phones.stop()

    asyncio.run(body())


def proxy_before(folder, nodes: Sequence[int], outside: int) -> Kamailio:
    tls = certificate(folder)
    site = {
        "site.cfg": f"#!define INSIDE udp:127.0.0.1:{free_port()}\n"
        f'#!define OUTSIDE udp:127.0.0.1:{outside}\n#!define FOLDER "{folder / "kamailio"}/"\n',
        "dispatcher.list": "".join(f"1 sip:127.0.0.1:{port} 0 0 duid={port}\n" for port in nodes),
        # Nobody here speaks TLS, but its module wants a certificate.
        "tls.cfg": f"[server:default]\ncertificate = {tls.certificate}\nprivate_key = {tls.key}\n",
    }
    return Kamailio(folder, Tree("kamailio", debian(), KAMAILIO), site)


async def until_taken(port: int) -> None:
    for _ in range(200):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return
        await asyncio.sleep(0.05)  # a real program: nothing tells when its socket is open
    raise AssertionError("Kamailio does not listen")
