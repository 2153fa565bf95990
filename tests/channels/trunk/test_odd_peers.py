"""Payments by odd peers: their own INVITE, then keys as they send them; each is charged what was keyed, on one trunk."""

import asyncio
from dataclasses import dataclass, field

import pytest

from ivr.phone.rtp import CallerStream, Phone
from ivr.phone.sip import parse_session
from tests.channels.trunk.callers import Caller, ani_of, call_of, play
from tests.patience import PATIENCE_S
from tests.phone.sip.odd_peers import OddPeer, case
from tests.phone.sip.phones import Message
from tests.tills import Till, card, open_till

HOST = "127.0.0.1"
NUMBER = "+15551234567"
RELAY = "application/dtmf-relay"
NORTEL = "p=Digit-Collection\r\ny=Digits\r\n\r\nd={key}"


@dataclass(frozen=True)
class Way:
    """How one peer rings and keys. `events` is its telephone-event number; `kind` and `body` are for keys by INFO."""

    text: str
    events: int = 101
    kind: str = ""
    body: str = ""
    late_answer: str = ""


BASE = case("pass/base.sip")
LATE = BASE.partition("\n\n")[0].replace("Content-Type: application/sdp\n", "") + "\n\n"
TWO_CONTACTS = BASE.replace("Contact: ", "Contact: <tel:+15550123>, ")
WAYS = {
    "rtpmap with a blank": Way(case("sdp-rtpmap-space.sip")),
    "rtpmap with two blanks": Way(case("sdp-rtpmap-2space.sip")),
    "fmtp with a blank": Way(case("sdp-fmtp-space.sip")),
    "PCMA and no rtpmap for keys": Way(case("sdp-asterisk-testsuite-rtpmap-tail.sip")),
    "escaped plus": Way(case("uri-percent-plus.sip")),
    "tel with separators": Way(case("uri-tel-separators.sip")),
    "sip with separators": Way(case("uri-sip-separators.sip")),
    "two contacts": Way(TWO_CONTACTS),
    "late offer, keys on our number": Way(LATE, 101, late_answer=case("late-offer-answer.sdp")),
    "late offer, keys on its own number": Way(LATE, 96, late_answer=case("late-offer-answer.sdp")),
    "INFO with colons": Way(BASE, kind=RELAY, body="Signal: {key}\r\nDuration: 160"),
    "INFO as telephone-event": Way(BASE, kind="audio/telephone-event", body="{key}"),
    "INFO of Nortel": Way(BASE, kind="application/vnd.nortelnetworks.digits", body=NORTEL),
}


@dataclass
class OddCall:
    """A call in raw SIP over a datagram socket of its own: what a test would do with an OutgoingCall."""

    peer: OddPeer
    way: Way
    ours: tuple[str, int]
    messages: asyncio.Queue = field(default_factory=asyncio.Queue)
    over: asyncio.Event = field(default_factory=asyncio.Event)
    socket: asyncio.DatagramTransport = field(init=False)

    def connection_made(self, transport):
        self.socket = transport
        self.peer.port = transport.get_extra_info("sockname")[1]

    def connection_lost(self, problem):
        """The test closes it."""

    def error_received(self, problem):
        """The till has gone."""

    def datagram_received(self, data, _source):
        message = Message(data.decode())
        if message.method == "BYE":
            self.over.set()
        elif message.status >= 200:
            self.messages.put_nowait(message)

    async def ask(self, data, method):
        self.socket.sendto(data, self.ours)
        async with asyncio.timeout(20):
            while method not in (found := await self.messages.get()).header("CSeq"):
                pass
            return found

    async def rings(self):
        """The 200's SDP."""
        ok = await self.ask(self.peer.invite, "INVITE")
        assert ok.status == 200, ok.text
        self.peer.to_tag = ok.to_tag
        answer = self.way.late_answer.replace("audio 36000", f"audio {self.peer.media_port}").replace("\n", "\r\n")
        self.socket.sendto(self.peer.ack(answer), self.ours)
        return parse_session(ok.body.encode())

    async def send_key(self, key, duration_ms=160):
        code = {"*": "10", "#": "11"}.get(key, key) if "nortel" not in self.way.kind else key
        return (await self.ask(self.peer.request("INFO", self.way.body.format(key=code), self.way.kind), "INFO")).status

    async def until_over(self):
        await self.over.wait()
        return "caller hung up"


async def open_call(till: Till, text: str) -> OddCall:
    call = OddCall(OddPeer(text, 0, "odd"), Way(text), (HOST, till.port))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: call, local_addr=(HOST, 0))
    return call


async def pays(till: Till, way: Way, number: int) -> None:
    phone = await Phone.at(HOST)
    text = way.text.replace("+15550123@", f"{ani_of(number)}@")
    call = OddCall(OddPeer(text, 0, f"odd{number}", phone.address[1]), way, (HOST, till.port))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: call, local_addr=(HOST, 0))
    try:
        remote = await call.rings()
        law = "ulaw" if remote.codecs[0].name == "PCMU" else "alaw"
        phone.talk_to((remote.address, remote.port), CallerStream(law, telephone_event=way.events))
        caller = Caller(till, phone, call, None, ani_of(number), "info" if way.kind else "rfc4733")
        assert await caller.pays(number) == "caller hung up"  # our BYE reached it where its Contact says
    finally:
        phone.hang_up()
        call.socket.close()


def test_every_odd_peer_pays_with_the_keys_it_sent(tmp_path):
    async def scene():
        flows = f"pay=pay-a-bill,{NUMBER}=pay-a-bill"
        async with open_till(tmp_path, trunk_flows=flows) as till:
            await asyncio.gather(*(pays(till, way, number) for number, way in enumerate(WAYS.values())))
            assert till.progress.ended() == ["paid"] * len(WAYS)
            assert sorted(map(str, till.keyed())) == sorted(str(card(number)) for number in range(len(WAYS)))
            called = {name: call_of(till, ani_of(number)).dnis for number, name in enumerate(WAYS)}
            assert {called[name] for name in ("escaped plus", "tel with separators", "sip with separators")} == {NUMBER}

    play(scene, most_s=2 * PATIENCE_S)


@pytest.mark.parametrize(
    ("name", "settings", "flows"),
    [
        ("uri-without-plus.sip", {"trunk_plus": "ignored"}, f"{NUMBER}=pay-a-bill"),
        ("uri-percent-plus.sip", {"trunk_plus": "ignored"}, "15551234567=pay-a-bill"),
        ("uri-percent-plus.sip", {}, "+1-555-123-4567=pay-a-bill"),
        ("did-only-in-to.sip", {"trunk_called_number": "to"}, f"{NUMBER}=pay-a-bill"),
    ],
)
def test_a_number_is_reached_in_the_form_that_the_settings_name(tmp_path, name, settings, flows):
    async def scene():
        async with open_till(tmp_path, trunk_flows=flows, **settings) as till:
            call = await open_call(till, case(name))
            await call.rings()
            await till.progress.until(lambda: bool(till.progress.calls), PATIENCE_S)
            assert [each.flow for each in till.progress.calls.values()] == ["pay-a-bill"]
            assert (await call.ask(call.peer.request("BYE"), "BYE")).status == 200
            call.socket.close()

    play(scene)


@pytest.mark.parametrize("name", ["uri-without-plus.sip", "did-only-in-to.sip"])
def test_without_its_setting_such_a_number_is_404(tmp_path, name):
    async def scene():
        async with open_till(tmp_path, trunk_flows=f"{NUMBER}=pay-a-bill") as till:
            call = await open_call(till, case(name))
            assert (await call.ask(call.peer.invite, "INVITE")).status == 404
            call.socket.close()

    play(scene)
