"""Our side of a session (RFC 3264): answers an offer or makes one, and keeps the o= version; reads no SDP itself."""

import base64
import ipaddress
import os
import secrets
from dataclasses import dataclass, replace

from ivr.phone.sip.session import (
    NOT_ACCEPTABLE,
    SRTP_SUITE,
    Answer,
    Codec,
    CodecName,
    Crypto,
    Direction,
    MediaLine,
    Reject,
    SessionOffer,
)

PTIME_MS = 20
OUR_TELEPHONE_EVENT = 101
STATIC_PAYLOAD_TYPE: dict[CodecName, int] = {"PCMU": 0, "PCMA": 8}
# RFC 3264 6.1: what the other side only sends, we only receive.
ANSWERED_DIRECTION: dict[Direction, Direction] = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}


@dataclass(frozen=True)
class Stream:
    """Our m-line in full, whichever of the two sides wrote first."""

    codecs: tuple[Codec, ...]
    telephone_event: int | None
    direction: Direction
    crypto: Crypto | None = None


class LocalSession:
    """One call's session on our side: address and port are ours; `preference` overrules the offerer's order."""

    def __init__(self, address: str, port: int, *, preference: tuple[CodecName, ...] = ()) -> None:
        self.address, self.port, self.preference = address, port, preference
        # RFC 4566 5.2 wants an identity no one else has; below 2^63, because some peers read it as a signed number.
        self._identity = secrets.randbits(62)
        self._version = 0
        self._described = ""
        self._key: bytes | None = None
        # RFC 3264 8.3.2: a payload type means one thing for the entire session, so one that we once wrote stays good.
        self._telephone_events: dict[int, None] = {}

    def answer(self, offer: SessionOffer) -> Answer | Reject:
        codec = self._choose(offer.codecs)
        if codec is None or (offer.secure and not offer.crypto) or not self._reaches(offer):
            return NOT_ACCEPTABLE
        remote_crypto = offer.crypto[0] if offer.secure else None
        local_crypto = Crypto(remote_crypto.tag, self._srtp_key()) if remote_crypto else None
        direction = ANSWERED_DIRECTION[offer.direction]
        stream = Stream((codec,), offer.telephone_event, direction, local_crypto)
        sdp = self._write([self._line(stream, line, index == offer.chosen) for index, line in enumerate(offer.lines)])
        return Answer(
            sdp,
            codec,
            offer.telephone_event,
            self._keys_come_on(offer, codec),
            direction,
            local_crypto,
            remote_crypto,
        )

    def offer(self, *, secure: bool = False) -> Answer:
        """For a late offer, or a call of our own; everything we speak, in our order."""
        names = self.preference or tuple(STATIC_PAYLOAD_TYPE)
        codecs = tuple(Codec(STATIC_PAYLOAD_TYPE[name], name) for name in names)
        crypto = Crypto(1, self._srtp_key()) if secure else None
        stream = Stream(codecs, OUR_TELEPHONE_EVENT, "sendrecv", crypto)
        line = MediaLine("audio", "RTP/SAVP" if secure else "RTP/AVP", ())
        sdp = self._write([self._line(stream, line, carried=True)])
        return Answer(sdp, codecs[0], OUR_TELEPHONE_EVENT, (OUR_TELEPHONE_EVENT,), local_crypto=crypto)

    def settle(self, offered: Answer, remote: SessionOffer) -> Answer | Reject:
        """Our offer met the peer's answer: the codec both have, the peer's payload types (RFC 3264 5.1)."""
        codec = self._choose(remote.codecs)
        mismatched = (offered.local_crypto is not None) != remote.secure
        if codec is None or mismatched or not self._reaches(remote):
            return NOT_ACCEPTABLE
        remote_crypto = next((c for c in remote.crypto if c.tag == 1), None)
        if remote.secure and remote_crypto is None:
            return NOT_ACCEPTABLE
        direction = ANSWERED_DIRECTION[remote.direction]
        return replace(
            offered,
            codec=codec,
            telephone_event=remote.telephone_event,
            telephone_events=self._keys_come_on(remote, codec),
            direction=direction,
            remote_crypto=remote_crypto,
        )

    def _reaches(self, remote: SessionOffer) -> bool:
        """An IPv6 peer cannot be reached from an IPv4 address, nor the other way round."""
        return ipaddress.ip_address(remote.address).version == ipaddress.ip_address(self.address).version

    def _keys_come_on(self, remote: SessionOffer, codec: Codec) -> tuple[int, ...]:
        if remote.telephone_event is None:
            return ()
        known = dict.fromkeys((remote.telephone_event, *self._telephone_events))
        return tuple(number for number in known if number != codec.payload_type)

    def _choose(self, codecs: tuple[Codec, ...]) -> Codec | None:
        ranked = sorted(codecs, key=lambda codec: rank(self.preference, codec.name))
        return ranked[0] if ranked else None

    def _srtp_key(self) -> bytes:
        if self._key is None:
            self._key = os.urandom(30)
        return self._key

    def _line(self, stream: Stream, offered: MediaLine, carried: bool) -> str:
        if carried and stream.telephone_event is not None:
            self._telephone_events[stream.telephone_event] = None
        return media_lines(stream, offered.protocol, self.port) if carried else refused_line(offered)

    def _write(self, lines: list[str]) -> str:
        described = "".join(lines)
        # RFC 3264 8: the version goes up by one with each change, and only with a change.
        if described != self._described:
            self._version += 1
            self._described = described
        kind = "IP6" if ipaddress.ip_address(self.address).version == 6 else "IP4"
        connection = f"IN {kind} {self.address}"
        head = f"v=0\r\no=- {self._identity} {self._version} {connection}\r\ns=-\r\nc={connection}\r\nt=0 0\r\n"
        return head + described


def rank(preference: tuple[CodecName, ...], name: CodecName) -> int:
    return preference.index(name) if name in preference else len(preference)


def refused_line(offered: MediaLine) -> str:
    # RFC 3264 6: a refused stream keeps its place, with port 0 and at least one format.
    return f"m={offered.media} 0 {offered.protocol} {' '.join(offered.formats)}\r\n"


def media_lines(stream: Stream, protocol: str, port: int) -> str:
    formats = [codec.payload_type for codec in stream.codecs]
    lines = [f"a=rtpmap:{codec.payload_type} {codec.name}/8000" for codec in stream.codecs]
    if stream.telephone_event is not None:
        formats.append(stream.telephone_event)
        lines.append(f"a=rtpmap:{stream.telephone_event} telephone-event/8000")
        lines.append(f"a=fmtp:{stream.telephone_event} 0-15")
    lines += [f"a=ptime:{PTIME_MS}", f"a={stream.direction}"]
    if stream.crypto is not None:
        key = base64.b64encode(stream.crypto.key_and_salt).decode()
        lines.append(f"a=crypto:{stream.crypto.tag} {SRTP_SUITE} inline:{key}")
    first = f"m=audio {port} {protocol} {' '.join(map(str, formats))}"
    return "".join(f"{line}\r\n" for line in [first, *lines])
