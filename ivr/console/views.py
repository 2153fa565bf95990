"""One page, served to this machine only until it has a login; strict about what a browser may do with it."""

import ipaddress
import secrets
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup

from ivr.console.rows import ConsoleData
from ivr.core.diagram import svg

SHOWN_CALLS = 20
SHOWN_TEXTS = 10
REFRESH_S = 5
ENDING_WORDS = {"paid": "charged", "unpaid": "not charged", "pending": "not known yet", None: "in the call"}


def console(pages: ConsoleData) -> Blueprint:
    """Register it at the root of the application."""
    blueprint = Blueprint("console", __name__, template_folder="templates")

    @blueprint.before_request
    def refuse_others() -> Response | None:
        return None if is_local() else refuse()

    @blueprint.get("/")
    def show_page() -> Response:
        nonce = secrets.token_urlsafe(16)
        page = render_template(
            "console.html",
            nonce=nonce,
            refresh_s=REFRESH_S,
            processes=pages.processes(),
            trials=pages.trials(),
            # Our own drawing: it escapes what it takes from a flow, and the flow was checked.
            diagrams={name: Markup(svg(flow, nonce=nonce)) for name, flow in pages.flows().items()},  # noqa: S704
            **latest(pages),
        )
        return protect(make_response(page), f"'nonce-{nonce}'")

    @blueprint.get("/latest")
    def show_latest() -> Response:
        """The part of the page that changes, for its script."""
        return protect(make_response(render_template("console_latest.html", **latest(pages))), "'none'")

    return blueprint


def latest(pages: ConsoleData) -> dict[str, Any]:
    calls, texts = pages.latest_calls(SHOWN_CALLS), pages.latest_texts(SHOWN_TEXTS)
    return {"calls": calls, "texts": texts, "trouble": pages.trouble(), "words": ENDING_WORDS}


def is_local() -> bool:
    """Asked for by this machine's own name and from itself: a proxy's visitors and a rebound DNS name are not.

    The second lock: the first is that this is not the port that Twilio's requests come to.
    """
    host = request.host.rpartition(":")[0] if not request.host.endswith("]") else request.host
    name = (host or request.host).strip("[]").lower()
    forwarded = any(header in request.headers for header in ("X-Forwarded-For", "Forwarded"))
    return not forwarded and is_loopback(request.remote_addr or "") and (name == "localhost" or is_loopback(name))


def is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def refuse() -> Response:
    words = "this page is shown on the machine itself only: try an ssh tunnel (ssh -L 8001:127.0.0.1:8001)\n"
    return Response(words, 403, mimetype="text/plain")


def protect(response: Response, only: str) -> Response:
    """`only`: whose styles and scripts may run."""
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src {only}; script-src {only}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response
