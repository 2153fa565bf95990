"""A request that Twilio signed with our token, or a refusal before anything of it is acted on."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import request

from ivr.channels.twilio.form import Form, parse_form
from ivr.channels.twilio.signature import Signer
from ivr.errors import PeerError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Forbidden(PeerError):
    """A request that Twilio did not sign with our token."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} X-Twilio-Signature: check PUBLIC_URL and TWILIO_AUTH_TOKEN")


class AnothersNumber(PeerError):
    """A call to a number that is another merchant's, sent to this one's address with this one's signature."""

    def __init__(self) -> None:
        super().__init__("the number called is another merchant's: set its webhook to that merchant's address")


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
    plain = f"{request.script_root}{request.path}{'?' + query if query else ''}"
    sent = str(request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI") or plain)
    if not sent.startswith("/"):
        # The absolute form, as a proxy is asked (RFC 9112 3.2.2).
        sent = "/" + sent.partition("://")[2].partition("/")[2]
    return list(dict.fromkeys([sent, plain]))


class PlainPaths:
    """A WSGI application that takes `//twilio/voice/x/` for `/twilio/voice/x`, as a number's webhook may be written.

    A redirect to the plain spelling would cost Twilio another request, which it would send as GET. What was signed is
    the address as it was called: it stays in REQUEST_URI or RAW_URI.
    """

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        plain = "/" + "/".join(part for part in path.split("/") if part)
        if plain != path:
            query = environ.get("QUERY_STRING", "")
            target = quote(path.encode("latin-1")) + (f"?{query}" if query else "")
            environ = {"RAW_URI": target} | environ | {"PATH_INFO": plain}
        return self.application(environ, start_response)
