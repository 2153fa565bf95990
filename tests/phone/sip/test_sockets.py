"""Real sockets on loopback: UDP, TCP framing and keep-alives, TLS with keys in SDP; ports are the kernel's choice."""

import asyncio
import datetime
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ivr.errors import ConfigError, PeerError
from ivr.phone.sip import (
    CallerHandler,
    CallRefusedError,
    ListenAddress,
    LocalSession,
    Peer,
    SipCaller,
    SipEndpoint,
    SipSettings,
    SourceLimits,
    Tls,
)
from ivr.phone.sip.framing import StreamCutter
from tests.patience import PATIENCE_S
from tests.phone.sip.network import MemoryNetwork
from tests.phone.sip.phones import FakeCallHandler, Message, Phone

LOOPBACK = "127.0.0.1"


def listening(*kinds, **more):
    return SipSettings(listen=tuple(ListenAddress(kind, LOOPBACK, 0) for kind in kinds), **more)


async def opened(settings, handler=None):
    endpoint = SipEndpoint(settings, handler or CallerHandler())
    await endpoint.start()
    return endpoint


def target(endpoint, kind):
    port = dict(endpoint.listening)[kind][1]
    return f"sip:pay@{LOOPBACK}:{port};transport={kind}"


def certificate(folder):
    """A key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "trunk.example")])
    now = datetime.datetime.now(datetime.UTC)
    import ipaddress

    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Tls(folder / "cert.pem", folder / "key.pem", server_ca=folder / "cert.pem")


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
def test_a_whole_call_over_each_transport(kind, tmp_path):
    async def body():
        tls = certificate(tmp_path) if kind == "tls" else None
        handler = FakeCallHandler()
        endpoint = await opened(listening("udp", "tcp", *([kind] if kind == "tls" else []), tls=tls), handler)
        phones = await opened(listening("udp", tls=tls))
        session = LocalSession(LOOPBACK, 4000)
        call = await SipCaller(phones).call(target(endpoint, kind), session, secure=kind == "tls")
        assert handler.invitations[0].transport == kind
        assert [await call.send_key(key) for key in "4#"] == [200, 200]
        held = await call.reinvite(session.offer(secure=kind == "tls").sdp.replace("sendrecv", "sendonly"))
        assert held.direction == "recvonly"
        await endpoint.hang_up(handler.invitations[0].call)
        assert await asyncio.wait_for(call.until_over(), PATIENCE_S) == "caller hung up"
        if kind == "tls":
            offer = handler.invitations[0].offer
            assert offer.secure
            assert call.answer.local_crypto.key_and_salt == offer.crypto[0].key_and_salt
        await phones.stop()
        await endpoint.stop()
        assert handler.keys == {handler.invitations[0].call: "4#"}

    asyncio.run(body())


@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_the_caller_hangs_up_and_late_offers_are_met(kind):
    async def body():
        handler = FakeCallHandler()
        endpoint = await opened(listening("udp", "tcp"), handler)
        phones = await opened(listening("udp"))
        call = await SipCaller(phones).call(target(endpoint, kind), LocalSession(LOOPBACK, 4444), late_offer=True)
        await call.hang_up()
        await phones.stop()
        await endpoint.drain(5)
        assert handler.reasons() == ["caller hung up"]
        assert handler.remotes[handler.invitations[0].call].port == 4444
        await endpoint.stop()

    asyncio.run(body())


def test_many_calls_at_once_over_udp():
    async def body():
        handler = FakeCallHandler()
        endpoint = await opened(listening("udp"), handler)
        phones = await opened(listening("udp"))
        caller = SipCaller(phones)

        async def one():
            call = await caller.call(target(endpoint, "udp"), LocalSession(LOOPBACK, 4000))
            await call.hang_up()

        await asyncio.gather(*(one() for _ in range(100)))
        await endpoint.drain(5)
        assert handler.count("ended") == len(handler.invitations) == 100
        await phones.stop()
        await endpoint.stop()

    asyncio.run(body())


def test_a_stream_is_cut_wherever_the_network_cuts_it():
    phone = Phone(MemoryNetwork())
    whole = b"".join(
        [phone.invite().encode(), b"\r\n\r\n", phone.request("OPTIONS").encode(), phone.invite(cseq=2).encode()]
    )
    for size in (1, 2, 3, 7, 64, 1000, 5000):
        cutter = StreamCutter()
        cuts = [cutter.feed(whole[at : at + size]) for at in range(0, len(whole), size)]
        messages = [message for cut in cuts for message in cut.messages]
        assert [message.split()[0] for message in messages] == [b"INVITE", b"OPTIONS", b"INVITE"]
        assert b"".join(messages) + b"\r\n\r\n" == whole.replace(b"\r\n\r\nOPTIONS", b"OPTIONS") + b"\r\n\r\n"
        assert sum(cut.pings for cut in cuts) <= 1
        assert len(cutter) == 0


@pytest.mark.parametrize(
    "stream",
    [b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n", b"A" * 20_000, b"OPTIONS sip:a SIP/2.0\r\nl: 99999999\r\n\r\n"],
)
def test_a_stream_that_cannot_be_cut_is_an_error(stream):
    with pytest.raises(PeerError, match=r"SIP stream"):
        StreamCutter().feed(stream)


async def raw(endpoint, kind="tcp"):
    return await asyncio.open_connection(*dict(endpoint.listening)[kind])


def test_keep_alives_are_answered_and_two_messages_in_one_packet_are_both_served():
    async def body():
        endpoint = await opened(listening("tcp"), FakeCallHandler())
        reader, writer = await raw(endpoint)
        writer.write(b"\r\n\r\n")
        assert await reader.readexactly(2) == b"\r\n"
        phone = Phone(MemoryNetwork())
        first, second = (phone.request("OPTIONS", branch=f"z9hG4bK-{n}", call_id=f"{n}@phone") for n in "ab")
        writer.write((first + second)[:-40].encode())
        await asyncio.sleep(0)
        writer.write((first + second)[-40:].encode())
        answers = [Message((await reader.readuntil(b"\r\n\r\n")).decode()) for _ in "ab"]
        assert [answer.status for answer in answers] == [200, 200]
        assert [answer.header("Call-ID") for answer in answers] == ["a@phone", "b@phone"]
        writer.close()
        await endpoint.stop()

    asyncio.run(body())


def test_a_broken_stream_is_closed_and_the_next_connection_works():
    async def body():
        endpoint = await opened(listening("tcp"), FakeCallHandler())
        reader, writer = await raw(endpoint)
        writer.write(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        reader, writer = await raw(endpoint)
        writer.write(Phone(MemoryNetwork()).request("OPTIONS").encode())
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        writer.close()
        assert endpoint.counters["malformed"] == 1
        await endpoint.stop()

    asyncio.run(body())


def test_strangers_and_the_greedy_get_no_connection():
    async def body():
        limits = SourceLimits(connections_per_source=2)
        endpoint = await opened(listening("tcp", limits=limits), FakeCallHandler())
        connections = [await raw(endpoint) for _ in range(3)]
        assert await asyncio.wait_for(connections[2][0].read(), PATIENCE_S) == b""
        assert endpoint.counters["connections_refused"] == 1
        for _, writer in connections:
            writer.close()
        await endpoint.stop()
        stranger = await opened(listening("tcp", peers=(Peer("pbx", ("198.51.100.7",)),)), FakeCallHandler())
        reader, writer = await raw(stranger)
        assert await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
        writer.close()
        await stranger.stop()

    asyncio.run(body())


def test_a_call_outlives_its_connection():
    async def body():
        endpoint = await opened(listening("tcp"), handler := FakeCallHandler())
        phone = Phone(MemoryNetwork())
        reader, writer = await raw(endpoint)
        writer.write(phone.invite().encode())
        await reader.readuntil(b"\r\n\r\n")  # 100
        tag = Message((await reader.readuntil(b"\r\n\r\n")).decode()).to_tag
        writer.write(phone.request("ACK", branch="z9hG4bK-a", to_tag=tag).encode())
        writer.close()
        await writer.wait_closed()
        reader, writer = await raw(endpoint)
        writer.write(phone.request("INFO", branch="z9hG4bK-i", cseq=2, to_tag=tag).encode())
        assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        hanging_up = asyncio.ensure_future(endpoint.hang_up(tag))
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"BYE sip:anna@192.0.2.9")
        assert handler.count("answered") == 1
        hanging_up.cancel()
        writer.close()
        await endpoint.stop()

    asyncio.run(body())


def test_an_answer_over_udp_comes_from_the_port_that_was_rung():
    async def body():
        endpoint = await opened(listening("udp"), FakeCallHandler())
        address = dict(endpoint.listening)["udp"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.bind((LOOPBACK, 0))
            phone.setblocking(False)
            phone.sendto(Phone(MemoryNetwork()).request("OPTIONS").encode(), address)
            loop = asyncio.get_running_loop()
            data, source = await asyncio.wait_for(loop.sock_recvfrom(phone, 4096), PATIENCE_S)
        assert source == address
        assert f"received={LOOPBACK}" in Message(data.decode()).header("Via")
        await endpoint.stop()

    asyncio.run(body())


def test_a_port_that_is_taken_is_told_by_name():
    async def body():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
            taken.bind((LOOPBACK, 0))
            taken.listen()
            port = taken.getsockname()[1]
            with pytest.raises(ConfigError, match=rf"tcp:127\.0\.0\.1:{port}"):
                await opened(SipSettings(listen=(ListenAddress("tcp", LOOPBACK, port),)))

    asyncio.run(body())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (SipSettings(listen=(ListenAddress("tls", LOOPBACK, 0),)), "tls.certificate"),
        (SipSettings(listen=(ListenAddress("udp", LOOPBACK, 0),), peers=(Peer("pbx", ("1.2.3",)),)), "peer pbx"),
    ],
)
def test_a_wrong_setting_names_itself(settings, said):
    with pytest.raises(ConfigError, match=said):
        asyncio.run(opened(settings))


def test_a_peer_that_shows_no_certificate_where_one_is_asked_gets_nothing(tmp_path):
    async def body():
        tls = certificate(tmp_path)
        asking = Tls(tls.certificate, tls.key, client_ca=tls.certificate)
        endpoint = await opened(listening("tls", tls=asking), FakeCallHandler())
        context = ssl.create_default_context(cafile=tls.certificate)

        async def ask():
            reader, writer = await asyncio.open_connection(*dict(endpoint.listening)["tls"], ssl=context)
            writer.write(Phone(MemoryNetwork()).request("OPTIONS").encode())
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE_S)

        with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
            await ask()
        assert endpoint.counters["messages"] == 0
        await endpoint.stop()

    asyncio.run(body())


def test_a_certificate_for_another_name_is_not_rung(tmp_path):
    """`localhost` is 127.0.0.1 here, but the certificate is for the address only."""

    async def body():
        tls = certificate(tmp_path)
        endpoint = await opened(listening("tls", tls=tls), handler := FakeCallHandler())
        phones = await opened(listening("udp", tls=tls))
        named = target(endpoint, "tls").replace(LOOPBACK, "localhost")
        with pytest.raises(PeerError, match=r"cannot be reached over tls"):
            await SipCaller(phones).call(named, LocalSession(LOOPBACK, 4000))
        assert handler.invitations == []
        await phones.stop()
        await endpoint.stop()

    asyncio.run(body())


def test_a_peer_that_is_not_there_is_told_so():
    async def body():
        phones = await opened(listening("udp"))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as closed:
            closed.bind((LOOPBACK, 0))
            port = closed.getsockname()[1]
        with pytest.raises(PeerError, match=rf"{port} cannot be reached over tcp"):
            await SipCaller(phones).call(f"sip:a@{LOOPBACK}:{port};transport=tcp", LocalSession(LOOPBACK, 4000))
        await phones.stop()

    asyncio.run(body())


def test_a_refused_call_says_why():
    async def body():
        from ivr.phone.sip import Reject

        endpoint = await opened(listening("udp"), FakeCallHandler(refusal=Reject(486, "Busy Here")))
        phones = await opened(listening("udp"))
        with pytest.raises(CallRefusedError, match=r"486 Busy Here"):
            await SipCaller(phones).call(target(endpoint, "udp"), LocalSession(LOOPBACK, 4000))
        await phones.stop()
        await endpoint.stop()

    asyncio.run(body())
