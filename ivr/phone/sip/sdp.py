"""SDP text to a SessionOffer: picks the audio stream we can carry; what we answer to it is in negotiation.py."""

import base64
import binascii
import ipaddress
from dataclasses import replace

from aiosipua.sdp import Codec as SdpCodec
from aiosipua.sdp import MediaDescription, SdpMessage, parse_sdp

from ivr.errors import PeerError
from ivr.phone.sip.sdp_attributes import lists_events, readable
from ivr.phone.sip.session import (
    ANY_MEDIA,
    SRTP_SUITE,
    Codec,
    Crypto,
    Direction,
    MediaLine,
    MediaRules,
    SessionOffer,
)

MAX_SDP_LINES = 500
KEY_AND_SALT_BYTES = 30
DIRECTIONS: tuple[Direction, ...] = ("sendrecv", "sendonly", "recvonly", "inactive")


def parse_session(body: bytes, *, secure_transport: bool = False, rules: MediaRules = ANY_MEDIA) -> SessionOffer | None:
    """The first stream we can carry, or None when it is SDP but nothing in it fits: that is a 488.

    `secure_transport` says that the signalling came over TLS: without it an SDES key has been seen by anyone,
    and RTP/SAVP is refused (RFC 4568 section 8). Raises PeerError when it is no SDP: that is a 400.
    """
    session = read_sdp(body)
    lines = tuple(MediaLine(m.media, m.proto, tuple(m.formats)) for m in session.media)
    for index, media in enumerate(session.media):
        stream = usable_stream(session, media, secure_transport)
        if stream is not None and obeys(stream, rules):
            return replace(stream, lines=lines, chosen=index)
    return None


def read_sdp(body: bytes) -> SdpMessage:
    text = body.decode("utf-8", errors="replace")
    # RFC 4566 5: v= comes first, and every line is a letter, an equals sign and a value.
    if not text.startswith("v=0") or text.count("\n") > MAX_SDP_LINES:
        raise PeerError("SDP: the body does not begin with v=0, or is too long")
    try:
        session = parse_sdp(readable(text))
    except (ValueError, IndexError):
        raise PeerError("SDP: a number in it cannot be read") from None
    if "\no=" not in text or not all(0 <= m.port <= 65535 and m.formats for m in session.media):
        raise PeerError("SDP: o= is missing, or an m= line is incomplete")
    return session


def usable_stream(session: SdpMessage, media: MediaDescription, secure_transport: bool) -> SessionOffer | None:
    connection = media.connection or session.connection
    secure = media.proto == "RTP/SAVP"
    crypto = tuple(read_crypto(media)) if secure and secure_transport else ()
    address = usable_address(connection.address) if connection else None
    codecs = tuple(our_codecs(media))
    carried = media.media == "audio" and media.port > 0 and (media.proto == "RTP/AVP" or (secure and bool(crypto)))
    if not carried or address is None or not codecs:
        return None
    held = ipaddress.ip_address(address).is_unspecified
    return SessionOffer(
        address=address,
        port=media.port,
        codecs=codecs,
        telephone_event=telephone_event(media),
        ptime_ms=packet_time(media),
        direction="inactive" if held else direction(session, media),
        crypto=crypto,
        secure=secure,
    )


def obeys(stream: SessionOffer, rules: MediaRules) -> bool:
    if stream.secure and rules.srtp == "off":
        return False
    if not stream.secure and rules.srtp == "required":
        return False
    return rules.ip_version in (None, ipaddress.ip_address(stream.address).version)


def usable_address(text: str) -> str | None:
    """An IP literal, not a group: a name would have us look up what a stranger wrote, a group send to many."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if address.is_multicast else str(address)


def our_codecs(media: MediaDescription) -> list[Codec]:
    found = []
    for codec in media.codecs:
        name = codec.encoding_name.upper()
        mono = codec.clock_rate == 8000 and codec.channels in (None, 1)
        if mono and 0 <= codec.payload_type < 128 and (name == "PCMU" or name == "PCMA"):
            found.append(Codec(codec.payload_type, "PCMU" if name == "PCMU" else "PCMA"))
    return found


def telephone_event(media: MediaDescription) -> int | None:
    # Wideband peers offer one payload type for each clock rate; ours is G.711's 8000 Hz (RFC 4733 2.1).
    named = next((codec.payload_type for codec in media.codecs if is_telephone_event(codec)), None)
    return named if named is not None else unnamed_telephone_event(media)


def unnamed_telephone_event(media: MediaDescription) -> int | None:
    """A format whose rtpmap is missing or unreadable, but whose fmtp lists key events; or 101, which peers use for it.

    A peer that means something else by it loses nothing: what is no key is not heard as one.
    """
    nameless = [codec.payload_type for codec in media.codecs if not codec.encoding_name]
    parameters = [line.partition(" ") for line in media.attributes.get("fmtp", [])]
    with_events = {number for number, _, text in parameters if lists_events(text)}
    likely = [number for number in nameless if 96 <= number < 128 and (str(number) in with_events or number == 101)]
    return likely[0] if likely else None


def is_telephone_event(codec: SdpCodec) -> bool:
    named = codec.encoding_name.lower() == "telephone-event"
    return named and codec.clock_rate == 8000 and 0 <= codec.payload_type < 128


def packet_time(media: MediaDescription) -> int:
    text = next(iter(media.attributes.get("ptime", [])), "").strip()
    return int(text) if text.isascii() and text.isdigit() and 10 <= int(text) <= 200 else 20


def direction(session: SdpMessage, media: MediaDescription) -> Direction:
    """The stream's own attribute, or the session's, which holds for every stream without one (RFC 4566 6)."""
    for attributes in (media.attributes, session.attributes):
        for name in DIRECTIONS:
            if name in attributes:
                return name
    return "sendrecv"


def read_crypto(media: MediaDescription) -> list[Crypto]:
    """Those of our suite: a softphone may write ours last of ten. MAX_SDP_LINES is what bounds them."""
    lines = media.attributes.get("crypto", [])
    return [crypto for crypto in map(read_crypto_line, lines) if crypto is not None]


def read_crypto_line(line: str) -> Crypto | None:
    """`1 AES_CM_128_HMAC_SHA1_80 inline:BASE64|2^31`; a line with session parameters or an MKI is not for us.

    The suite and `inline` are the same in any case: they are literals of ABNF (RFC 4568 9.1, RFC 5234 2.3).
    """
    words = line.split()
    if len(words) != 3 or words[1].upper() != SRTP_SUITE or not words[2].lower().startswith("inline:"):
        return None
    tag, (encoded, *rest) = words[0], words[2].partition(":")[2].split("|")
    with_mki = any(":" in part for part in rest)
    if with_mki or not (tag.isascii() and tag.isdigit() and len(tag) <= 9):
        return None
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    return Crypto(int(tag), key) if len(key) == KEY_AND_SALT_BYTES else None
