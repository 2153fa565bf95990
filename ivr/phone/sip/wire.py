"""Bytes to a checked SIP message and back to a response; which call or transaction it belongs to is not decided here.

The parser is aiosipua's, which is lenient; what it lets pass and RFC 3261 does not is refused here, so that
everything behind this module may rely on From, To, Call-ID, CSeq and Via being there once and readable.
"""

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiosipua import SipMessage, SipRequest, SipResponse, Via, parse_params, stringify_via

from ivr.phone.sip.contract import Address
from ivr.phone.sip.numbers import plain_number

# It warns of each body that does not fit its Content-Length: a line in the log for whoever cares to send one.
logging.getLogger("aiosipua").setLevel(logging.ERROR)

MAX_HEAD_BYTES = 16_384
MAX_CSEQ = 2**31  # RFC 3261 8.1.1.5
ONLY_ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type")
REQUIRED = ("via", "from", "to", "call-id", "cseq")
# The compact forms aiosipua leaves as they are (RFC 4028 4, RFC 3515, RFC 6665).
MORE_COMPACT_FORMS = {"x": "Session-Expires", "r": "Refer-To", "o": "Event", "u": "Allow-Events", "b": "Referred-By"}

START_LINE = re.compile(r"^([!-~]+) ([!-~\x80-\U0010ffff]+) SIP/(\d{1,9}\.\d{1,9})$")
METHOD = re.compile(r"^[A-Za-z0-9.!%*_+`'~-]{1,64}$")
CSEQ = re.compile(r"^(\d{1,10})\s+(\S+)$", re.ASCII)
VIA = re.compile(
    r"^SIP\s*/\s*(\d+\.\d+)\s*/\s*([A-Za-z0-9.!%*_+`'~-]+)\s+"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)\s*(?::\s*(\d{1,5}))?\s*((?:;.*)?)$"
)
NAME_ADDR = re.compile(r'^(?:"(?:[^"\\]|\\.)*"\s*|[^"<]*)<([^<>]*)>\s*((?:;.*)?)$')
URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"]+$")

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    422: "Session Interval Too Small",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "Version Not Supported",
    603: "Decline",
}


@dataclass(frozen=True)
class BadRequest:
    """A request that breaks the grammar but says where it came from, so it can be told so."""

    status: int
    request: SipRequest = field(repr=False)


@dataclass(frozen=True)
class NameAddr:
    uri: str
    params: dict[str, str | None]

    @property
    def tag(self) -> str:
        return self.params.get("tag") or ""

    @property
    def number(self) -> str:
        return plain_number(uri_user(self.uri))


Received = SipRequest | SipResponse | BadRequest | None


def read_message(data: bytes) -> Received:
    """None is what deserves no answer: noise, an unreadable response, a request that does not say who sent it."""
    # RFC 3261 7.5: empty lines before the start line are ignored.
    data = data.lstrip(b"\r\n")
    head = data[: MAX_HEAD_BYTES + 4].partition(b"\r\n\r\n")[0]
    if not head or len(head) > MAX_HEAD_BYTES:
        return None
    try:
        message = SipMessage.parse(data)
    except (ValueError, IndexError):
        return None
    expand_compact_forms(message)
    if isinstance(message, SipResponse):
        return message if is_sound_response(message) else None
    return check_request(message, head)


def expand_compact_forms(message: SipMessage) -> None:
    for short, name in MORE_COMPACT_FORMS.items():
        for value in message.headers.get(short):
            message.headers.append(name, value)
        message.headers.remove(short)


def is_sound_response(response: SipResponse) -> bool:
    return 100 <= response.status_code <= 699 and top_via(response) is not None and read_cseq(response) is not None


def check_request(request: SipRequest, head: bytes) -> SipRequest | BadRequest | None:
    if top_via(request) is None or not METHOD.match(request.method):
        return None
    start = START_LINE.match(head.split(b"\n", 1)[0].decode("utf-8", errors="replace").rstrip("\r"))
    if start is None or faults(request):
        return BadRequest(400, request)
    if start[3] != "2.0":
        return BadRequest(505, request)
    return request


def faults(request: SipRequest) -> bool:
    headers = request.headers
    if any(not headers.get_first(name) for name in REQUIRED) or any(len(headers.get(name)) > 1 for name in ONLY_ONCE):
        return True
    sender, recipient, cseq = (
        read_name_addr(headers.get("from")[0]),
        read_name_addr(headers.get("to")[0]),
        read_cseq(request),
    )
    if sender is None or recipient is None or cseq is None or cseq[1] != request.method:
        return True
    numbers_unsound = not is_number(headers.get_first("max-forwards", "70"), 255)
    vias_unsound = any(read_via(value) is None for value in headers.get("via"))
    return numbers_unsound or vias_unsound or not URI.match(request.uri) or not body_is_whole(request)


def body_is_whole(request: SipRequest) -> bool:
    """RFC 3261 18.3: a datagram that ends before its Content-Length is an error; one without is taken as it came."""
    length = request.headers.get_first("content-length")
    return length is None or (is_number(length, 2**31) and int(length) <= len(request.body))


def is_number(text: str | None, most: int) -> bool:
    text = (text or "").strip()
    return text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most


def read_cseq(message: SipMessage) -> tuple[int, str] | None:
    found = CSEQ.match(message.headers.get_first("cseq") or "")
    return (int(found[1]), found[2]) if found and int(found[1]) < MAX_CSEQ else None


def read_via(text: str) -> Via | None:
    found = VIA.match(text.strip())
    if not found:
        return None
    port = int(found[4]) if found[4] else None
    if port is not None and not 0 < port < 65536:
        return None
    return Via(f"SIP/{found[1]}", found[2].upper(), found[3], port, parse_params(found[5]))


def top_via(message: SipMessage) -> Via | None:
    values = message.headers.get("via")
    return read_via(values[0]) if values else None


def read_name_addr(text: str) -> NameAddr | None:
    text = text.strip()
    found = NAME_ADDR.match(text)
    if found:
        return NameAddr(found[1].strip(), parse_params(found[2])) if URI.match(found[1].strip()) else None
    # RFC 3261 20.10: without angle brackets, everything after the first semicolon belongs to the header.
    uri, _, params = text.partition(";")
    return NameAddr(uri.strip(), parse_params(params)) if URI.match(uri.strip()) else None


def sender(message: SipMessage) -> NameAddr:
    return read_name_addr(message.headers.get_first("from") or "") or NameAddr("", {})


def recipient(message: SipMessage) -> NameAddr:
    return read_name_addr(message.headers.get_first("to") or "") or NameAddr("", {})


def contact_uri(message: SipMessage) -> str | None:
    """The one URI a dialog is held with; None when none, or more than one, is SIP.

    A gateway may write its telephone number (`tel:`) beside the address that it is reached at.
    """
    found = [read_name_addr(value) for value in message.headers.get("contact")]
    usable = [each.uri for each in found if each is not None and scheme(each.uri) in ("sip", "sips")]
    return usable[0] if len(usable) == 1 else None


def scheme(uri: str) -> str:
    return uri.partition(":")[0].lower()


def uri_user(uri: str) -> str:
    """As it is written: `sip:+1-555@host` and `tel:+1-555;phone-context=x` both give `+1-555`."""
    rest = uri.partition(":")[2]
    # A user part may hold semicolons, which aiosipua takes for the URI's own (RFC 4475's semiuri).
    user = rest if scheme(uri) == "tel" else rest.partition("@")[0] if "@" in rest else ""
    return user.partition(";")[0].partition(":")[0]


def without_user(uri: str) -> str:
    name, _, rest = uri.partition(":")
    return f"{name}:{rest.partition('@')[2] or rest}"


def tokens(message: SipMessage, name: str) -> set[str]:
    """Option tags of Require, Supported, Allow, in lower case; aiosipua has already split them at commas."""
    return {value.strip().lower() for value in message.headers.get(name) if value.strip()}


def note_source(request: SipRequest, source: Address) -> None:
    """RFC 3261 18.2.1 and RFC 3581 4: write into the top Via where the request really came from."""
    via = top_via(request)
    if via is None:
        return
    if "rport" in via.params:
        via.params["rport"] = str(source[1])
    if "rport" in via.params or via.host.strip("[]") != source[0]:
        via.params["received"] = source[0]
    request.headers.get("via")[0] = stringify_via(via)


def reply_address(message: SipMessage, source: Address) -> Address:
    """Where a response goes over UDP (18.2.2, RFC 3581 4). `maddr` is not followed: it lets a stranger aim us."""
    via = top_via(message)
    if via is None or "rport" in via.params:
        return source
    return (source[0], via.port or 5060)


def make_response(
    request: SipRequest, status: int, *, reason: str = "", tag: str = "", headers: Iterable[tuple[str, str]] = ()
) -> SipResponse:
    """RFC 3261 8.2.6: Via, From, To, Call-ID and CSeq are the request's; `tag` goes into a To that has none."""
    response = SipResponse(status_code=status, reason_phrase=reason or REASONS.get(status, "Refused"))
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.headers.get(name):
            response.headers.append(name, value)
    to = response.headers.get_first("to")
    if to and tag and status > 100 and not recipient(request).tag:
        response.headers.set_single("To", f"{to};tag={tag}")
    timestamp = request.headers.get_first("timestamp")
    if status == 100 and timestamp:
        response.headers.set_single("Timestamp", timestamp)
    for name, value in headers:
        response.headers.append(name, value)
    return response
