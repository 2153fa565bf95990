"""What signalling says to whoever answers its calls, and hears back; no socket, no SIP text and no payment is in here."""

from dataclasses import dataclass
from typing import Literal, Protocol

from ivr.phone.sip.session import Answer, Reject, SessionOffer

TransportKind = Literal["udp", "tcp", "tls"]
Address = tuple[str, int]

HUNG_UP_BY_CALLER = "caller hung up"
HUNG_UP_BY_US = "we hung up"
CANCELLED = "cancelled"
NOT_ACKNOWLEDGED = "not acknowledged"
SESSION_EXPIRED = "session expired"
TOO_LONG = "too long"
NO_COMMON_MEDIA = "no common media"
HANDLER_FAILED = "handler failed"


@dataclass(frozen=True)
class Invitation:
    """An incoming call that has passed access, authentication and every check of RFC 3261 8.2."""

    call: str
    """Our own identity for the call: random, unique, and the tag we put into To; never the peer's Call-ID alone."""
    ani: str
    dnis: str
    source: Address
    transport: TransportKind
    offer: SessionOffer | None
    """None is a late offer (RFC 3261 13.2.1): answer with an offer of our own, the caller's answer comes in the ACK."""
    peer: str = ""
    """Name of the peer in the settings whose network the call came from; empty when every source is let in."""
    srtp_required: bool = False
    """An offer of ours must be RTP/SAVP; the caller's offer has been looked at."""


class CallHandler(Protocol):
    """Implemented by the trunk. Calls of one leg come in order; every call that `invited` accepted gets one `ended`."""

    async def invited(self, invitation: Invitation) -> Answer | Reject:
        """May be cancelled when the caller gives up; `ended` then follows, so that ports can be given back there."""

    async def answered(self, call: str, remote: SessionOffer) -> None:
        """The caller's ACK arrived: media may flow. `remote` is the offer, or the answer in the ACK of a late offer.
        Once for each call.
        """

    async def media_changed(self, call: str, offer: SessionOffer) -> Answer | Reject:
        """A re-INVITE or UPDATE with other media: hold, a new port, another codec. Reject leaves the call as it was."""

    async def info_key(self, call: str, key: str, duration_ms: int) -> None:
        """A key in a SIP INFO; key is one of 0-9 * # A-D. It may be a card digit: neither log nor keep it."""

    async def ended(self, call: str, reason: str) -> None:
        """BYE, CANCEL, a timer, or our own hang_up; the reason is one of this module's constants."""
