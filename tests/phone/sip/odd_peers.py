"""Messages of odd peers from `cases/`, and what a peer says within the call that its INVITE began; judges nothing."""

from dataclasses import dataclass, field
from pathlib import Path

from aiosipua import SipRequest

from ivr.phone.sip.wire import read_message

CASES = Path(__file__).parent / "cases"
MEDIA_PORT = "36000"


@dataclass
class OddPeer:
    """`port` is where it listens; `media_port` replaces the one that the files name."""

    text: str
    port: int
    call_id: str
    media_port: int = 36000
    cseq: int = 1
    to_tag: str = field(default="", init=False)

    @property
    def invite(self) -> bytes:
        head, _, body = self.text.replace(f"audio {MEDIA_PORT}", f"audio {self.media_port}").partition("\n\n")
        body = body.replace("\n", "\r\n")
        filled = (
            head.replace("@PORT@", str(self.port))
            .replace("@BRANCH@", f"z9hG4bK-{self.call_id}")
            .replace("@CALLID@", self.call_id)
            .replace("@LEN@", str(len(body.encode())))
        )
        return (filled.replace("\n", "\r\n") + "\r\n\r\n" + body).encode()

    def ack(self, body: str = "") -> bytes:
        return self._within("ACK", self.cseq, body, "application/sdp" if body else "")

    def request(self, method: str, body: str = "", kind: str = "") -> bytes:
        """BYE, INFO or a re-INVITE; each has the next CSeq number."""
        self.cseq += 1
        return self._within(method, self.cseq, body, kind)

    def _within(self, method: str, cseq: int, body: str, kind: str) -> bytes:
        first = read_message(self.invite)
        assert isinstance(first, SipRequest)
        lines = [
            f"{method} {first.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK-{self.call_id}-{cseq};rport",
            "Max-Forwards: 70",
            f"From: {first.headers.get_first('from')}",
            f"To: {first.headers.get_first('to')};tag={self.to_tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            *([f"Content-Type: {kind}"] if kind else []),
            f"Content-Length: {len(body.encode())}",
        ]
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def case(name: str) -> str:
    return (CASES / name).read_text(encoding="utf-8").replace("\r", "")
