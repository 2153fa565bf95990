"""Mutated SIP and SDP: nothing escapes, nothing grows, and calls in progress go on."""

import asyncio
import gc
import random
import tracemalloc
from collections.abc import Iterator

import pytest
import structlog

from ivr.errors import PeerError
from ivr.phone.sip import LocalSession, Reject, SipSettings, SourceLimits, parse_session
from ivr.phone.sip.framing import StreamCutter
from tests.phone.sip.network import MemoryHop, MemoryNetwork, MemoryTransport, run_virtually
from tests.phone.sip.phones import PHONE, SDP, FakeCallHandler, Phone, open_endpoint
from tests.phone.sip.test_torture import messages

UNLIMITED = SourceLimits(messages_per_s=1e12, messages_burst=10**12, invites_per_s=1e12, invites_burst=10**12)
SPICE = [b"\r\n", b"\0", b"\xff\xfe", b";", b",", b"<", b">", b'"', b"\\", b":", b"=", b"%00", b" ", b"\t", b"-1",
         b"4294967296", b"9" * 40, b"SIP/2.0", b"Via: ", b"\r\n\r\n", "é".encode(), b"\xe2\x80\xa8", b"z9hG4bK", b"tag="]  # fmt: skip


def seeds(tag: str = "x") -> list[bytes]:
    """`tag` is ours in a call that the mutated messages may reach, change and end."""
    phone = Phone(MemoryNetwork())
    texts = [
        phone.invite(),
        phone.invite(headers=("Session-Expires: 100", "Supported: timer, 100rel", "Require: 100rel")),
    ]
    texts += [
        phone.request(method, to_tag=tag, call_id="victim@phone", cseq=99)
        for method in ("ACK", "BYE", "CANCEL", "OPTIONS", "INFO", "UPDATE", "PRACK")
    ]
    texts += [phone.request("REGISTER"), phone.request("CANCEL"), phone.request("OPTIONS")]
    texts.append(phone.request("INFO", body="Signal=5\r\nDuration=160\r\n", kind="application/dtmf-relay"))
    texts.append("SIP/2.0 200 OK\r\n" + phone.invite().partition("\r\n")[2])
    return [text.encode() for text in texts] + [path.read_bytes() for path in messages()]


def mutate(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    mutated = bytearray(data)
    for _ in range(chance.choice((0, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(mutated) + 1)
        match chance.randrange(6):
            case 0:
                mutated[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                mutated[at:at] = chance.choice(SPICE)
            case 2:
                del mutated[at : at + chance.randrange(1, 30)]
            case 3:
                mutated[at:at] = mutated[at : at + chance.randrange(1, 200)]
            case 4:
                other = chance.choice(others)
                mutated[at:] = other[chance.randrange(len(other)) :]
            case 5:
                lines = bytes(mutated).split(b"\r\n")
                chance.shuffle(lines)
                mutated = bytearray(b"\r\n".join(lines))
    return bytes(mutated[:65_535])


def datagrams(seed: int, number: int, tag: str = "x") -> Iterator[bytes]:
    chance, originals = random.Random(seed), seeds(tag)
    for at in range(number):
        data = mutate(chance, chance.choice(originals), originals)
        if chance.random() < 0.8:  # a new message; the others are copies of one seen before
            data = data.replace(b"one@phone", b"%d@phone" % at).replace(b"branch=z9hG4bK", b"branch=z9hG4bK%d" % at)
        yield data.replace(b"CSeq: 99 ", b"CSeq: %d " % (99 + at))


async def storm(number: int, seed: int) -> tuple[int, int]:
    """Mutated datagrams, with a call in progress; gives the memory before and after, both after a warm-up."""
    network = MemoryNetwork(delay_s=0.001)
    endpoint, handler = await open_endpoint(network, FakeCallHandler(), SipSettings(limits=UNLIMITED, max_call_s=1e9))
    hop = MemoryHop(MemoryTransport(network, ("192.0.2.1", 5060)), ("192.0.2.66", 5060))
    phone = Phone(network, PHONE)
    call = await phone.call(call_id="steady@phone", headers=("Allow: UPDATE",))
    endpoint.exchange.legs[call.to_tag].begin(None)
    victim = await phone.call(call_id="victim@phone", branch="z9hG4bK-victim")
    sizes: list[int] = []
    for at, data in enumerate(datagrams(seed, number, victim.to_tag)):
        endpoint.received(data, hop)
        if at % 50 == 49:
            await asyncio.sleep(0.5)  # 100 a second: old transactions end as new ones begin
        if at in (number // 2, number - 1):
            await asyncio.sleep(200)
            (
                handler.heard.clear(),
                handler.invitations.clear(),
                handler.remotes.clear(),
                handler.sessions.clear(),
                handler.keys.clear(),
                handler.moved.clear(),
            )
            phone.received.clear()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
            assert len(endpoint.exchange.transactions) == 0
            assert {call.to_tag} <= set(endpoint.calls) <= {call.to_tag, victim.to_tag}
    assert endpoint.counters["failures"] == 0
    assert endpoint.counters["calls"] > number / 100
    assert endpoint.counters["malformed"] > number / 10
    body = "Signal=7\r\nDuration=160\r\n"
    info = phone.request("INFO", branch="z9hG4bK-i", cseq=2, call_id="steady@phone", to_tag=call.to_tag, body=body,
                         kind="application/dtmf-relay")  # fmt: skip
    assert (await phone.one(info)).status == 200
    await phone.call(call_id="after@phone", branch="z9hG4bK-after")
    await endpoint.stop()
    return sizes[0], sizes[1]


def check_storm(number: int, seed: int) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    tracemalloc.start(1)
    try:
        before, after = run_virtually(storm(number, seed))
    finally:
        tracemalloc.stop()
        structlog.reset_defaults()
    # What may remain are counters by name and the bounded tables of sources.
    assert after - before < 200_000


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_messages_harm_no_call_and_leave_nothing_behind(seed):
    check_storm(2000, seed)


@pytest.mark.long
def test_a_million_mutated_messages():
    check_storm(1_000_000, 3)


def test_mutated_sdp_is_an_offer_or_nothing_or_a_peer_error():
    chance = random.Random(4)
    texts = [SDP.encode(), LocalSession("192.0.2.1", 4).offer(secure=True).sdp.encode()]
    answered = 0
    for _ in range(4000):
        body = mutate(chance, chance.choice(texts), texts)
        try:
            offer = parse_session(body, secure_transport=chance.random() < 0.5)
        except PeerError:
            continue
        if offer is None:
            continue
        answer = LocalSession("192.0.2.1", 20000).answer(offer)
        assert isinstance(answer, Reject) or parse_session(answer.sdp.encode(), secure_transport=True) is not None
        answered += 1
    assert answered > 500


def test_mutated_streams_are_cut_or_closed():
    chance = random.Random(5)
    for data in datagrams(6, 1000):
        cutter = StreamCutter()
        try:
            while data:
                size = chance.randrange(1, 400)
                cutter.feed(data[:size])
                data = data[size:]
        except PeerError:
            continue
        assert len(cutter) < 100_000
