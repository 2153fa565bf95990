"""What two sides say about media, as plain values: an offer, an answer, a refusal; the SDP text of it is in sdp.py."""

from dataclasses import dataclass, field
from typing import Literal

CodecName = Literal["PCMU", "PCMA"]
Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Srtp = Literal["required", "optional", "off"]

SRTP_SUITE = "AES_CM_128_HMAC_SHA1_80"


@dataclass(frozen=True)
class Codec:
    payload_type: int
    name: CodecName


@dataclass(frozen=True)
class Crypto:
    """One SDES line (RFC 4568): the key that its sender encrypts with."""

    tag: int
    key_and_salt: bytes = field(repr=False)
    """16 bytes of master key and 14 of salt, for AES_CM_128_HMAC_SHA1_80, the only suite taken."""


@dataclass(frozen=True)
class MediaLine:
    """An m-line as it was offered; an answer has one for each, in the same order (RFC 3264 6)."""

    media: str
    protocol: str
    formats: tuple[str, ...]


@dataclass(frozen=True)
class MediaRules:
    """What we take of a peer's session, whoever offers it."""

    srtp: Srtp = "optional"
    """`required`: RTP/SAVP over TLS only; `optional`: that or plain RTP; `off`: plain RTP only."""
    ip_version: Literal[4, 6] | None = None
    """Of the address our media have: none of the other version can be reached from there. None takes both."""


ANY_MEDIA = MediaRules()


@dataclass(frozen=True)
class SessionOffer:
    """The peer's side of the audio stream we chose, from an offer or an answer."""

    address: str
    port: int
    codecs: tuple[Codec, ...]
    """Only those we speak, in the peer's order; the payload types are the peer's."""
    telephone_event: int | None
    """The peer's payload type for RFC 4733 keys at 8000 Hz; None when it sends keys in-band or by INFO."""
    ptime_ms: int = 20
    direction: Direction = "sendrecv"
    """As the peer wrote it: `sendonly` and `inactive` are hold. A 0.0.0.0 address (RFC 2543's hold) reads `inactive`."""
    crypto: tuple[Crypto, ...] = ()
    secure: bool = False
    """The stream is RTP/SAVP: it goes with one of `crypto` or not at all."""
    lines: tuple[MediaLine, ...] = ()
    chosen: int = 0
    """Index in `lines` of the stream this is."""


@dataclass(frozen=True)
class Answer:
    """Our side: the SDP to send and what it settles. For a late offer `codec` is only our first choice."""

    sdp: str = field(repr=False)  # may hold an SRTP key
    codec: Codec | None = None
    telephone_event: int | None = None
    """The payload type that the peer named, so what we would send keys with."""
    telephone_events: tuple[int, ...] = ()
    """Every payload type that keys may come on: the peer sends with ours (RFC 3264 6.1), or with its own."""
    direction: Direction = "sendrecv"
    """As we wrote it: we send media when it is `sendrecv` or `sendonly`."""
    local_crypto: Crypto | None = None
    remote_crypto: Crypto | None = None


@dataclass(frozen=True)
class Reject:
    """An outcome, not an error: the status (300-699) the caller gets."""

    status: int
    reason: str = ""


NOT_ACCEPTABLE = Reject(488, "Not Acceptable Here")
