"""What a request must be like before a call is looked for (RFC 3261 8.2): methods, extensions, bodies; no state."""

import re
from dataclasses import dataclass, field

from aiosipua import SipRequest

from ivr.phone.sip.wire import scheme, tokens

ALLOWED = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK")
KNOWN_ELSEWHERE = ("REGISTER", "SUBSCRIBE", "NOTIFY", "MESSAGE", "REFER", "PUBLISH")
ONLY_IN_A_CALL = ("BYE", "INFO", "UPDATE", "PRACK")
EXTENSIONS = ("100rel", "timer")
ALLOW = ("Allow", ", ".join(ALLOWED))
SUPPORTED = ("Supported", ", ".join(EXTENSIONS))
ACCEPT_SDP = ("Accept", "application/sdp")
MAX_URI = 1024
BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]{1,70})"|([^\s;"]{1,70}))', re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    status: int
    headers: tuple[tuple[str, str], ...] = field(default=())


def inspect_request(request: SipRequest) -> Refusal | None:
    """For a request outside any call."""
    if request.method not in ALLOWED:
        return Refusal(405 if request.method in KNOWN_ELSEWHERE else 501, (ALLOW,))
    if scheme(request.uri) not in ("sip", "sips", "tel"):
        return Refusal(416)
    if len(request.uri) > MAX_URI:
        return Refusal(414)
    if request.method in ONLY_IN_A_CALL:
        return Refusal(481)
    return inspect_request_extensions(request)


def inspect_request_extensions(request: SipRequest) -> Refusal | None:
    """RFC 3261 8.2.2.3; CANCEL and ACK carry no Require that counts."""
    unknown = tokens(request, "require") - set(EXTENSIONS)
    return Refusal(420, (("Unsupported", ", ".join(sorted(unknown))),)) if unknown else None


def session_body(request: SipRequest, most_bytes: int) -> bytes | Refusal | None:
    """The SDP in an INVITE, UPDATE or ACK; None when it has no body."""
    if len(request.body) > most_bytes:
        return Refusal(413)
    if not takes_sdp(request):
        return Refusal(406)
    kind = content_type(request)
    if not request.body or (kind != "application/sdp" and is_optional(request)):
        return None
    if (request.headers.get_first("content-encoding") or "identity").strip().lower() != "identity":
        return Refusal(415, (("Accept-Encoding", "identity"),))
    if kind == "application/sdp":
        return request.body
    found = sdp_part(request) if kind.startswith("multipart/") else None
    return found if found is not None else Refusal(415, (ACCEPT_SDP,))


def takes_sdp(request: SipRequest) -> bool:
    """RFC 3261 20.1: no Accept at all means application/sdp."""
    accepted = {value.partition(";")[0].strip() for value in tokens(request, "accept")}
    return not accepted or bool(accepted & {"application/sdp", "application/*", "*/*"})


def content_type(request: SipRequest) -> str:
    return (request.headers.get_first("content-type") or "").partition(";")[0].strip().lower()


def is_optional(request: SipRequest) -> bool:
    return "handling=optional" in (request.headers.get_first("content-disposition") or "").lower().replace(" ", "")


def sdp_part(request: SipRequest) -> bytes | None:
    """Carriers add ISUP or location parts beside the SDP (RFC 5621)."""
    boundary = BOUNDARY.search(request.headers.get_first("content-type") or "")
    if boundary is None:
        return None
    mark = b"--" + (boundary[1] or boundary[2]).encode()
    for part in request.body.split(mark)[1:]:
        head, _, body = part.lstrip(b"\r\n").partition(b"\r\n\r\n")
        if re.search(rb"(?im)^(content-type|c)\s*:\s*application/sdp", head):
            return body
    return None
