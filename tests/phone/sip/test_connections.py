"""Connections that say nothing, over real TCP and TLS: who may have one, for how long, and what the log says of it."""

import asyncio
import contextlib
import os
import resource
import socket
import ssl
from pathlib import Path

import pytest
import structlog

from ivr.errors import ConfigError
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
from tests.phone.sip.network import MemoryNetwork
from tests.phone.sip.phones import FakeCallHandler, Phone
from tests.phone.sip.test_sockets import certificate

HOST, STRANGER = "127.0.0.1", "127.0.0.2"
MANY = 300
ENOUGH_S = 30
BOTH = pytest.mark.parametrize("kind", ["tcp", "tls"])
OPTIONS = Phone(MemoryNetwork()).request("OPTIONS").encode()


@contextlib.asynccontextmanager
async def our_endpoint(folder, *, client_ca=None, **limits):
    tls = certificate(folder)
    tls = Tls(tls.certificate, tls.key, client_ca, tls.server_ca)
    listen = tuple(ListenAddress(kind, HOST, 0) for kind in ("udp", "tcp", "tls"))
    settings = SipSettings(listen=listen, tls=tls, peers=(Peer("pbx", (HOST,)),), limits=SourceLimits(**limits))
    endpoint = SipEndpoint(settings, FakeCallHandler())
    await endpoint.start()
    yield endpoint
    await endpoint.stop()
    assert endpoint.counters["failures"] == 0


async def silent(endpoint, kind, number, source=HOST):
    """Connections that send nothing, not even a handshake."""
    address = dict(endpoint.listening)[kind]
    return [await asyncio.open_connection(*address, local_addr=(source, 0)) for _ in range(number)]


async def closed_by_us(connections):
    """Waits until each is closed from the other side."""
    async with asyncio.timeout(ENOUGH_S):
        for reader, writer in connections:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()


async def is_answered(endpoint, kind, folder):
    """An OPTIONS over a new connection."""
    context = ssl.create_default_context(cafile=folder / "cert.pem") if kind == "tls" else None
    async with asyncio.timeout(ENOUGH_S):
        reader, writer = await asyncio.open_connection(*dict(endpoint.listening)[kind], ssl=context)
        writer.write(OPTIONS)
        try:
            return b"200 OK" in await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        finally:
            writer.close()


def lines_of(log, event):
    return [line for line in log if line["event"] == event]


@BOTH
def test_a_stranger_is_turned_away_before_any_handshake_and_the_log_counts(kind, tmp_path):
    async def body():
        async with our_endpoint(tmp_path) as endpoint:
            await closed_by_us(await silent(endpoint, kind, MANY, STRANGER))
            assert await is_answered(endpoint, kind, tmp_path)
            assert endpoint.counters["connections_refused"] == MANY
            assert endpoint.counters["handshakes_failed"] == 0
            await asyncio.sleep(1.1)  # the line that holds the rest

    with structlog.testing.capture_logs() as log:
        asyncio.run(body())
    lines = lines_of(log, "sip_connection_refused")
    assert sum(line["count"] for line in lines) == MANY
    assert len(lines) < MANY / 10
    assert {(line["source"], line["reason"]) for line in lines} == {(STRANGER, "not in the list of peers")}


@BOTH
def test_one_source_holds_no_more_than_its_share_and_that_for_a_few_seconds(kind, tmp_path):
    async def body():
        limits = {"connections_per_source": 20, "first_message_s": 2, "handshake_s": 2, "silence_s": 60}
        async with our_endpoint(tmp_path, **limits) as endpoint:
            connections = await silent(endpoint, kind, MANY)
            await closed_by_us(connections)
            assert endpoint.counters["connections_refused"] >= MANY / 2
            assert await is_answered(endpoint, kind, tmp_path)

    asyncio.run(body())


@BOTH
@pytest.mark.parametrize("limit", ["connections", "connections_per_source"])
def test_at_a_limit_the_longest_silent_gives_way_to_a_new_one(kind, limit, tmp_path):
    async def body():
        limits = {limit: 10, "first_message_s": 600, "handshake_s": 600, "silence_s": 0}
        async with our_endpoint(tmp_path, **limits) as endpoint:
            connections = await silent(endpoint, kind, MANY)
            assert await is_answered(endpoint, kind, tmp_path)
            await closed_by_us(connections[: MANY - 10])
            assert endpoint.counters["connections_refused"] == 0
            for _, writer in connections:
                writer.close()

    asyncio.run(body())


@BOTH
def test_one_that_speaks_is_not_given_up_for_those_that_do_not(kind, tmp_path):
    async def body():
        limits = {"connections": 10, "first_message_s": 600, "handshake_s": 600, "silence_s": 0}
        async with our_endpoint(tmp_path, **limits) as endpoint:
            context = ssl.create_default_context(cafile=tmp_path / "cert.pem") if kind == "tls" else None
            reader, writer = await asyncio.open_connection(*dict(endpoint.listening)[kind], ssl=context)
            writer.write(OPTIONS)
            await reader.readuntil(b"\r\n\r\n")
            connections = await silent(endpoint, kind, MANY)
            writer.write(OPTIONS.replace(b"z9hG4bK-1", b"z9hG4bK-2"))
            assert b"200 OK" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ENOUGH_S)
            for _, each in [*connections, (reader, writer)]:
                each.close()

    asyncio.run(body())


def test_neither_single_bytes_nor_keep_alives_count_as_a_message(tmp_path):
    async def body():
        async with our_endpoint(tmp_path, first_message_s=1) as endpoint:
            connections = await silent(endpoint, "tcp", 2)

            async def drip(writer, what):
                with contextlib.suppress(ConnectionError):
                    while True:
                        writer.write(what)
                        await writer.drain()
                        await asyncio.sleep(0.05)

            drips = [asyncio.create_task(drip(connections[n][1], what)) for n, what in enumerate([b"O", b"\r\n\r\n"])]
            async with asyncio.timeout(ENOUGH_S):
                for reader, _ in connections:
                    with contextlib.suppress(ConnectionError):
                        while await reader.read(100):
                            pass
            for task in drips:
                task.cancel()
            assert endpoint.counters["connections_silent"] == 2

    asyncio.run(body())


def test_a_handshake_that_stops_half_way_is_broken_off(tmp_path):
    async def body():
        async with our_endpoint(tmp_path, handshake_s=1) as endpoint:
            connections = await silent(endpoint, "tls", 3)
            connections[0][1].write(b"\x16\x03\x01\x02\x00\x01")
            connections[1][1].write(b"OPTIONS sip:a SIP/2.0\r\n\r\n")
            async with asyncio.timeout(ENOUGH_S):
                for reader, writer in connections:
                    with contextlib.suppress(ConnectionError):
                        await reader.read()
                    writer.close()
            assert await is_answered(endpoint, "tls", tmp_path)
            assert endpoint.counters["handshakes_failed"] == 3

    asyncio.run(body())


def test_without_descriptors_the_log_stays_short_and_calls_come_in_again(tmp_path):
    async def body():
        async with our_endpoint(tmp_path) as endpoint:
            clients = [socket.create_connection(dict(endpoint.listening)["tcp"]) for _ in range(60)]
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir())
            # What other tests have closed below it would be given out again.
            filling = [os.open(os.devnull, os.O_RDONLY)]
            while filling[-1] <= highest:
                filling.append(os.open(os.devnull, os.O_RDONLY))
            resource.setrlimit(resource.RLIMIT_NOFILE, (filling[-1] + 3, hard))
            try:
                await asyncio.sleep(1.2)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                for one in filling:
                    os.close(one)
            assert await is_answered(endpoint, "tcp", tmp_path)
            for client in clients:
                client.close()

    with structlog.testing.capture_logs() as log:
        asyncio.run(body())
    lines = lines_of(log, "sip_accept_failed")
    assert 1 <= len(lines) <= 5
    assert "nofile" in lines[0]["cure"]


def test_only_a_peer_with_a_certificate_of_the_authority_is_let_in(tmp_path):
    async def body():
        for name in ("ours", "theirs"):
            (tmp_path / name).mkdir()
        theirs = certificate(tmp_path / "theirs")
        async with our_endpoint(tmp_path / "ours", client_ca=theirs.certificate) as endpoint:
            trusted = tmp_path / "ours" / "cert.pem"
            target = f"sip:pay@{HOST}:{dict(endpoint.listening)['tls'][1]};transport=tls"
            for shown, let_in in ((theirs, True), (certificate(tmp_path), False)):
                tls = Tls(shown.certificate, shown.key, server_ca=trusted)
                phones = SipEndpoint(SipSettings(listen=(ListenAddress("udp", HOST, 0),), tls=tls), CallerHandler())
                await phones.start()
                ringing = SipCaller(phones).call(target, LocalSession(HOST, 4000), secure=True)
                if let_in:
                    await (await asyncio.wait_for(ringing, ENOUGH_S)).hang_up()
                else:
                    # TLS 1.3 ends the client's handshake first: the refusal is the connection's end.
                    with pytest.raises(CallRefusedError, match="503"):
                        await asyncio.wait_for(ringing, ENOUGH_S / 2)
                await phones.stop()
            assert len(endpoint.handler.invitations) == 1

    asyncio.run(body())


def test_a_connection_that_is_lost_ends_what_was_asked_over_it_at_once():
    async def body():
        async def hangs_up(_reader, writer):
            await _reader.readuntil(b"\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(hangs_up, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        phones = SipEndpoint(SipSettings(listen=(ListenAddress("udp", HOST, 0),)), CallerHandler())
        await phones.start()
        with pytest.raises(CallRefusedError, match="503"):  # 64 * T1 would be 32 s
            await asyncio.wait_for(
                SipCaller(phones).call(f"sip:pay@{HOST}:{port};transport=tcp", LocalSession(HOST, 4000)), ENOUGH_S / 2
            )
        await phones.stop()
        server.close()

    asyncio.run(body())


def test_an_authority_that_cannot_be_read_is_told_by_name(tmp_path):
    async def body():
        async with our_endpoint(tmp_path, client_ca=tmp_path / "nothing.pem"):
            raise AssertionError("not reached")

    with pytest.raises(ConfigError, match=r"nothing\.pem holds no certificate of an authority"):
        asyncio.run(body())
