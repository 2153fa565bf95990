"""Kamailio with the files of deploy/kamailio before two trunk processes: TLS outside, calls spread, a node killed -9."""

import asyncio
import datetime
import ipaddress
import os
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from ivr.phone.sip import (
    CallerHandler,
    CallRefusedError,
    ListenAddress,
    LocalSession,
    OutgoingCall,
    SipCaller,
    SipEndpoint,
    SipSettings,
    Tls,
)
from ivr.places import SHIPPED as ROOT
from tests.channels.trunk.callers import play, until
from tests.patience import PATIENCE_S
from tests.peers import KAMAILIO, Kamailio, Tree, debian, needs_peers, running
from tests.ports import free_port

pytestmark = needs_peers
HANDSHAKES = 12  # each goes to the worker that has the fewest connections
CALLS = 20
CRASHED, ATTEMPTS = "exited by a signal 11", 3
NODE_SILENCE_MS = 8000  # where every core is busy a node that lives may need seconds for 20 calls at once


@dataclass
class Node:
    """`python -m ivr trunk` in a process of its own."""

    port: int
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def trunk_nodes(folder: Path, count: int) -> Iterator[list[Node]]:
    settings = {
        "VAR": str(folder / "var"),
        "DATABASE_URL": f"sqlite:///{folder / 'till.db'}",
        "TRUNK_VOICE": "tones",
        "TRUNK_RTP_PORTS": "0000-0015",
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **settings}
    ivr = [sys.executable, "-m", "ivr"]
    subprocess.run(
        [*ivr, "set-up"], env=environment, cwd=ROOT, timeout=PATIENCE_S, check=True, stdout=subprocess.DEVNULL
    )
    with ExitStack() as stack:
        nodes = []
        for number in range(count):
            port, log = free_port(), folder / f"node{number}.log"
            own = {**environment, "TRUNK_PORT": str(port)}
            nodes.append(Node(port, stack.enter_context(running([*ivr, "trunk", "--quiet"], log, own))))
        for number in range(count):
            until_said("running: trunk, at sip:", folder / f"node{number}.log")
        yield nodes


def until_said(what: str, log: Path, within_s: float = PATIENCE_S) -> None:
    due = time.monotonic() + within_s
    while what not in log.read_text():
        assert time.monotonic() < due, log.read_text()[-2000:]
        time.sleep(0.1)  # a process of its own: its log tells when it is ready


def write_certificate(folder: Path) -> tuple[Path, Path]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trunk.example.com")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(
        now + datetime.timedelta(days=1)
    )
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@dataclass
class Carrier:
    """Who rings from outside, over TLS. `by_node` counts who answered. `logs`: the ends of the nodes' and of the proxy's."""

    endpoint: SipEndpoint
    uri: str
    by_node: Counter[int]
    logs: Callable[[], str]

    async def ring(self) -> OutgoingCall:
        call = await SipCaller(self.endpoint).call(self.uri, LocalSession("127.0.0.1", 40000), patience_s=PATIENCE_S)
        self.by_node[int(call.leg.dialog.remote_target.rpartition(":")[2].strip(">"))] += 1
        return call

    async def rings_many(self) -> list[OutgoingCall]:
        calls = await asyncio.gather(*(self.ring() for _ in range(CALLS)), return_exceptions=True)
        assert [call for call in calls if not isinstance(call, OutgoingCall)] == [], self.logs()
        return calls


@asynccontextmanager
async def behind_kamailio(folder: Path, node_silence_ms: int = NODE_SILENCE_MS):
    inside, outside = free_port(), free_port()
    certificate, key = write_certificate(folder)
    tree = Tree("kamailio", debian(), KAMAILIO)
    with trunk_nodes(folder, 2) as nodes:
        proxy = Kamailio(
            folder,
            tree,
            {
                "site.cfg": f"#!define INSIDE udp:127.0.0.1:{inside}\n#!define OUTSIDE tls:127.0.0.1:{outside}\n"
                f'#!define FOLDER "{folder / "kamailio"}/"\n#!define NODE_SILENCE_MS {node_silence_ms}\n',
                "dispatcher.list": "".join(f"1 sip:127.0.0.1:{node.port} 0 0 duid={node.port}\n" for node in nodes),
                "key.pem": key.read_text(),
                "certificate.pem": certificate.read_text(),
                "tls.cfg": (ROOT / "deploy" / "kamailio" / "tls.cfg")
                .read_text()
                .replace("/etc/kamailio/tonetill", str(folder / "kamailio")),
            },
        )
        tls = Tls(certificate, key, server_ca=certificate)
        endpoint = SipEndpoint(SipSettings(listen=(ListenAddress("udp", "127.0.0.1", 0),), tls=tls), CallerHandler())
        await endpoint.start()
        with proxy.started():
            await until_open(outside, proxy, certificate)
            try:
                uri = f"sip:pay@127.0.0.1:{outside};transport=tls"
                yield Carrier(endpoint, uri, Counter(), lambda: ends_of_logs(folder, proxy)), nodes, proxy
            finally:
                await endpoint.stop()


def beside_kamailio(folder: Path, scene: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    """Once more where Kamailio itself has crashed: 5.6 with OpenSSL 3.0 does so at times at many handshakes at once."""
    for attempt in range(ATTEMPTS):
        own = folder / str(attempt)
        own.mkdir()
        try:
            play(lambda own=own: scene(own), most_s=2 * PATIENCE_S)
        except Exception:
            has_crashed = CRASHED in (own / "kamailio" / "log").read_text()
            if not has_crashed or attempt == ATTEMPTS - 1:
                raise
        else:
            return


def ends_of_logs(folder: Path, proxy: Kamailio) -> str:
    logs = [log.read_text()[-1500:] for log in sorted(folder.glob("node*.log"))]
    return "\n".join([*logs, proxy.log()[-1500:]])


async def until_open(port: int, proxy: Kamailio, certificate: Path) -> None:
    """Once there have been a few handshakes, one after the other: at twenty all at once one of Kamailio's four workers
    may fail (5.6 with OpenSSL 3.0, `unsupported algorithm`) where it is the worker's first."""
    trusted = ssl.create_default_context(cafile=str(certificate))
    handshakes = 0
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
        except OSError:
            await asyncio.sleep(0.05)  # a real program: its port tells when it is ready
            continue
        writer.close()
        handshakes += 1
        if handshakes == HANDSHAKES:
            return
    raise AssertionError(proxy.log())


def test_calls_are_spread_over_the_nodes_and_a_node_killed_loses_no_new_call(tmp_path: Path):
    async def scene(folder: Path):
        async with behind_kamailio(folder) as (carrier, nodes, proxy):
            calls = await carrier.rings_many()
            assert set(carrier.by_node) == {node.port for node in nodes}, proxy.log()
            assert min(carrier.by_node.values()) >= 2  # by chance fewer: once in 25,000 times
            for call in calls:
                await call.hang_up()
            before = carrier.by_node[nodes[1].port]
            ringing = asyncio.create_task(carrier.rings_many())
            nodes[0].kill()
            await ringing
            await carrier.rings_many()
            assert carrier.by_node[nodes[1].port] - before >= 2 * CALLS - CALLS // 2, proxy.log()

    beside_kamailio(tmp_path, scene)


@pytest.mark.long
def test_a_node_that_drains_keeps_its_calls_and_gets_no_new_ones_and_without_nodes_callers_are_told(tmp_path: Path):
    async def scene(folder: Path):
        async with behind_kamailio(folder, node_silence_ms=1500) as (carrier, nodes, _proxy):
            calls = await carrier.rings_many()
            staying = carrier.by_node[nodes[0].port]
            assert staying
            nodes[0].process.terminate()
            await until(lambda: "sip_draining" in (folder / "node0.log").read_text(), 10)
            await carrier.rings_many()
            assert carrier.by_node[nodes[0].port] == staying
            assert nodes[0].process.poll() is None  # its calls go on
            assert not any(call.leg.over.is_set() for call in calls)
            for node in nodes:
                node.kill()
            await asyncio.sleep(8)  # OPTIONS by the clock of a real proxy take them out
            with pytest.raises(CallRefusedError) as refused:
                await carrier.ring()
            assert refused.value.status == 503

    beside_kamailio(tmp_path, scene)
