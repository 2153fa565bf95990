"""A request that Twilio signed with our token, or a refusal before anything of it is acted on."""

from flask import request

from ivr.channels.twilio.form import Form, parse_form
from ivr.channels.twilio.signature import Signer
from ivr.errors import PeerError


class Forbidden(PeerError):
    """A request that Twilio did not sign with our token."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} X-Twilio-Signature: check PUBLIC_URL and TWILIO_AUTH_TOKEN")


def verified_form(signer: Signer, base_url: str) -> Form:
    """Forbidden for a wrong or missing signature."""
    signature = request.headers.get("X-Twilio-Signature", "")
    if not signature:
        raise Forbidden("missing")
    form = parse_form(request.get_data(cache=False))
    verify(signer, base_url, form, signature)
    return form


def verify(signer: Signer, base_url: str, form: Form, signature: str) -> None:
    if not any(signer.accepts(base_url + target, form, signature) for target in targets()):
        raise Forbidden("wrong")


def targets() -> list[str]:
    """What may have been signed after the host: the request's target as it was sent, escapes and a bare `?` included.

    WSGI itself has only the decoded path. Servers give the target as REQUEST_URI or RAW_URI; a proxy in between may have
    written it in its own way, so the plain spelling is right too: only whoever has the token can sign either.
    """
    query = request.query_string.decode("ascii", "replace")
    plain = f"{request.path}{'?' + query if query else ''}"
    sent = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or plain)
    if not sent.startswith("/"):
        # The absolute form, as a proxy is asked (RFC 9112 3.2.2).
        sent = "/" + sent.partition("://")[2].partition("/")[2]
    return list(dict.fromkeys([sent, plain]))
