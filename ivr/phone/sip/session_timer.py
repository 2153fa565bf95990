"""Session timers (RFC 4028): what interval holds and who refreshes; nothing is sent from here."""

from dataclasses import dataclass

from aiosipua import SipRequest, SipResponse
from aiosipua.session_timer import parse_session_expires

from ivr.phone.sip.wire import is_number, tokens

MOST_S = 86_400


@dataclass(frozen=True)
class SessionTimer:
    interval_s: int
    we_refresh: bool
    peer_supports: bool

    def response_headers(self) -> list[tuple[str, str]]:
        """For a 2xx of ours: there the peer is the `uac`."""
        refresher = "uas" if self.we_refresh else "uac"
        headers = [("Session-Expires", f"{self.interval_s};refresher={refresher}")]
        # RFC 4028 9: Require tells the peer that it has to refresh; one without the extension could not read it.
        return [*headers, ("Require", "timer")] if self.peer_supports else headers

    def request_headers(self, min_se_s: int) -> list[tuple[str, str]]:
        """For a refresh of ours, or a call we make: there we are the `uac`."""
        refresher = "uac" if self.we_refresh else "uas"
        return [
            ("Session-Expires", f"{self.interval_s};refresher={refresher}"),
            ("Min-SE", str(min_se_s)),
            ("Supported", "timer"),
        ]


@dataclass(frozen=True)
class TooSmall:
    """422: the peer asked for less than our Min-SE, and can read what we want instead."""

    min_se_s: int


def agree_as_callee(request: SipRequest, session_expires_s: int, min_se_s: int) -> SessionTimer | TooSmall | None:
    """RFC 4028 9. Where the peer leaves it open we refresh: a peer that promises and forgets drops calls."""
    asked, refresher = parse_session_expires(request.headers.get_first("session-expires") or "")
    supports = "timer" in tokens(request, "supported") | tokens(request, "require")
    if 0 < asked < min_se_s and supports:
        return TooSmall(min_se_s)
    # We may shorten what was asked, not lengthen it.
    wanted = min(asked, session_expires_s) if asked and session_expires_s else asked or session_expires_s
    if wanted <= 0:
        return None
    interval = min(max(wanted, min_se_s, smallest_accepted(request)), MOST_S)
    return SessionTimer(interval, we_refresh=not (supports and refresher == "uac"), peer_supports=supports)


def agree_as_caller(response: SipResponse, ours: SessionTimer) -> SessionTimer:
    """The 2xx to our request decides; a peer that says nothing has no timers, then we go on refreshing alone."""
    interval, refresher = parse_session_expires(response.headers.get_first("session-expires") or "")
    if interval <= 0:
        return SessionTimer(ours.interval_s, we_refresh=True, peer_supports=False)
    return SessionTimer(min(interval, MOST_S), we_refresh=refresher != "uas", peer_supports=True)


def smallest_accepted(message: SipRequest | SipResponse) -> int:
    """The peer's Min-SE, in a request or a 422."""
    text = (message.headers.get_first("min-se") or "").partition(";")[0].strip()
    return int(text) if is_number(text, MOST_S) else 0
