"""The two ends of a tested call: a handler that takes calls as the trunk will, and a phone that speaks in raw SIP text."""

import asyncio
import re
from dataclasses import dataclass, field

from ivr.phone.sip import Answer, Invitation, LocalSession, Reject, SessionOffer, SipEndpoint, SipSettings
from ivr.phone.sip.contract import Address
from tests.phone.sip.network import MemoryHop, MemoryNetwork, MemoryTransport

ENDPOINT: Address = ("192.0.2.1", 5060)
PHONE: Address = ("192.0.2.9", 5060)
SDP = (
    "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    "m=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=sendrecv\r\n"
)


@dataclass
class FakeCallHandler:
    """Answers every call with PCMU at port 20000, or says `refusal`, after thinking for `thinks_s`."""

    refusal: Reject | None = None
    thinks_s: float = 0
    invitations: list[Invitation] = field(default_factory=list)
    heard: list[tuple[str, ...]] = field(default_factory=list)
    remotes: dict[str, SessionOffer] = field(default_factory=dict)
    sessions: dict[str, LocalSession] = field(default_factory=dict)
    moved: dict[str, SessionOffer] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    fails: bool = False
    refuse_changes: bool = False
    secure: bool = False

    async def invited(self, invitation: Invitation) -> Answer | Reject:
        self.invitations.append(invitation)
        if self.fails:
            raise RuntimeError("a bug")
        await asyncio.sleep(self.thinks_s)
        session = self.sessions[invitation.call] = LocalSession("192.0.2.1", 20000)
        if self.refusal:
            return self.refusal
        return session.answer(invitation.offer) if invitation.offer else session.offer(secure=self.secure)

    async def answered(self, call: str, remote: SessionOffer) -> None:
        self.remotes[call] = remote
        self.heard.append((call, "answered"))

    async def media_changed(self, call: str, offer: SessionOffer) -> Answer | Reject:
        self.heard.append((call, "media", offer.direction))
        self.moved[call] = offer
        return Reject(488) if self.refuse_changes else self.sessions[call].answer(offer)

    async def info_key(self, call: str, key: str, duration_ms: int) -> None:
        self.keys[call] = self.keys.get(call, "") + key
        self.heard.append((call, "key", key, str(duration_ms)))

    async def ended(self, call: str, reason: str) -> None:
        self.heard.append((call, "ended", reason))

    def reasons(self) -> list[str]:
        return [event[2] for event in self.heard if event[1] == "ended"]

    def count(self, what: str) -> int:
        return sum(event[1] == what for event in self.heard)


@dataclass
class Message:
    """One received message, taken apart no further than a test needs."""

    text: str

    @property
    def status(self) -> int:
        found = re.match(r"SIP/2.0 (\d+)", self.text)
        return int(found[1]) if found else 0

    @property
    def method(self) -> str:
        return "" if self.status else self.text.partition(" ")[0]

    def headers(self, name: str) -> list[str]:
        return re.findall(rf"(?im)^{re.escape(name)}:[ \t]*(.*?)\r?$", self.text.partition("\r\n\r\n")[0])

    def header(self, name: str) -> str:
        return next(iter(self.headers(name)), "")

    @property
    def body(self) -> str:
        return self.text.partition("\r\n\r\n")[2]

    @property
    def to_tag(self) -> str:
        return self.header("To").partition(";tag=")[2]


class Phone:
    """Sends what it is told, byte for byte, and keeps what comes."""

    def __init__(self, network: MemoryNetwork, address: Address = PHONE, endpoint: Address = ENDPOINT) -> None:
        self.transport = MemoryTransport(network, address)
        self.address, self._endpoint = address, endpoint
        self.received: list[Message] = []
        network.join(address, self.transport, lambda data, hop: self.received.append(Message(data.decode())))

    def send(self, text: str | bytes) -> None:
        data = text.encode() if isinstance(text, str) else text
        MemoryHop(self.transport, self._endpoint).send(data)

    async def ask(self, text: str | bytes, wait_s: float = 0.3) -> list[Message]:
        """What came back, without 100 Trying."""
        before = len(self.received)
        self.send(text)
        await asyncio.sleep(wait_s)
        return [message for message in self.received[before:] if message.status != 100]

    async def one(self, text: str | bytes, wait_s: float = 0.3) -> Message:
        answers = await self.ask(text, wait_s)
        assert len(answers) == 1, [m.text.partition("\r\n")[0] for m in answers]
        return answers[0]

    def request(
        self,
        method: str,
        *,
        branch: str = "z9hG4bK-1",
        cseq: int = 1,
        call_id: str = "one@phone",
        to_tag: str = "",
        body: str = "",
        kind: str = "",
        headers: tuple[str, ...] = (),
        uri: str = "sip:pay@192.0.2.1",
        contact: str = "<sip:anna@192.0.2.9>",
        from_tag: str = "anna1",
    ) -> str:
        if body and not kind:
            kind = "application/sdp"
        host, port = self.address
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:+15550100@192.0.2.9>;tag={from_tag}",
            f"To: <sip:pay@192.0.2.1>{';tag=' + to_tag if to_tag else ''}",
            f"Call-ID: {call_id}",
            f"CSeq: {cseq} {method}",
            *([f"Contact: {contact}"] if contact else []),
            *headers,
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body.encode())}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def invite(self, **more) -> str:
        more.setdefault("body", SDP)
        return self.request("INVITE", **more)

    async def call(self, **more) -> Message:
        """An answered, acknowledged call: gives the 200."""
        answers = await self.ask(self.invite(**more))
        ok = [message for message in answers if message.header("Call-ID") == more.get("call_id", "one@phone")][-1]
        assert ok.status == 200, ok.text
        again = {name: more[name] for name in ("call_id", "from_tag", "cseq") if name in more}
        self.send(self.request("ACK", branch="z9hG4bK-ack", to_tag=ok.to_tag, **again))
        await asyncio.sleep(0.1)
        return ok


async def open_endpoint(
    network: MemoryNetwork,
    handler: FakeCallHandler | None = None,
    settings: SipSettings | None = None,
    kind: str = "udp",
) -> tuple[SipEndpoint, FakeCallHandler]:
    handler = handler or FakeCallHandler()
    endpoint = SipEndpoint(settings or SipSettings(), handler, MemoryTransport(network, ENDPOINT, kind))
    await endpoint.start()
    return endpoint, handler
