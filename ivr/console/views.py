"""One page, served to this machine only until it has a login; strict about what a browser may do with it."""

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request, send_from_directory
from markupsafe import Markup

from ivr.console.phone import PhonePage
from ivr.console.rows import ConsoleData
from ivr.console.saved_calls import SaveCall, save_by_command
from ivr.console.visitors import is_local, refuse
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.look import OneCall
from ivr.flow.drawing.traffic_look import TrafficLook
from ivr.traces import ENDING_WORDS, SPANS, STOP_WORDS, USUAL_SPAN

SHOWN_CALLS = 20
SHOWN_TEXTS = 10
REFRESH_S = 5
# The scripts and styles of the phone; a browser asks for each by the name that the page says.
STATIC = ("phone.css", "phone.js", "sound.js", "speaker.js", "tones.js", "view.js")
KEY_NAMES = {"*": "star", "#": "pound"}


def console(pages: ConsoleData, phone: PhonePage | None = None, save: SaveCall = save_by_command) -> Blueprint:
    """Register it at the root of the application. `phone`: what the telephone on the page offers, where there is one.
    `save`: makes a call file of a call on record."""
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
            phone=phone,
            accounts=phone.accounts if phone else (),
            names=KEY_NAMES,
            refresh_s=REFRESH_S,
            processes=pages.processes(),
            trials=pages.trials(),
            # Our own drawing: it escapes what it takes from a flow, and the flow was checked.
            diagrams={name: Markup(svg(flow, nonce=nonce)) for name, flow in pages.flows().items()},  # noqa: S704
            **latest(pages),
        )
        return protect(make_response(page), f"'self' 'nonce-{nonce}'" if phone else f"'nonce-{nonce}'")

    @blueprint.get("/latest")
    def show_latest() -> Response:
        """The part of the page that changes, for its script."""
        return protect(make_response(render_template("console_latest.html", **latest(pages))), "'none'")

    @blueprint.get("/calls/<call_id>")
    def show_call(call_id: str) -> Response:
        """One call's trace: why did this caller fail?"""
        trace = pages.trace(call_id)
        if trace is None:
            abort(404)
        nonce = secrets.token_urlsafe(16)
        drawing = Markup(svg(trace.flow, nonce=nonce, look=OneCall(trace.way))) if trace.flow else ""  # noqa: S704
        page = render_template("console_call.html", nonce=nonce, trace=trace, drawing=drawing, words=ENDING_WORDS)
        return protect(make_response(page), f"'nonce-{nonce}'")

    add_saving(blueprint, pages, save)
    add_drop_off(blueprint, pages)
    if phone is not None:
        add_phone(blueprint, phone)
    return blueprint


def add_saving(blueprint: Blueprint, pages: ConsoleData, save: SaveCall) -> None:
    @blueprint.get("/calls/<call_id>/test")
    def save_call(call_id: str) -> Response:
        """The call as a call file, to keep among the tests; as far as it has gone, if it goes on."""
        trace = pages.trace(call_id)
        if trace is None:
            abort(404)
        saved = save(trace.call.id)
        if saved.problem:
            return protect(
                Response(f"This call cannot be saved as a test: {saved.problem}\n", 409, mimetype="text/plain"),
                "'none'",
            )
        name = f"{trace.call.flow}-{trace.call.ending or 'open'}-{trace.call.id[-8:]}.txt"
        answer = Response(saved.text, mimetype="text/plain")
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return protect(answer, "'none'")


def add_drop_off(blueprint: Blueprint, pages: ConsoleData) -> None:
    @blueprint.get("/drop-off")
    def show_drop_off() -> Response:
        """Where callers stop, of one flow in one span of time."""
        flows = pages.called_flows()
        flow, span = request.args.get("flow", flows[0] if flows else ""), request.args.get("span", USUAL_SPAN)
        if span not in SPANS:
            return Response(f"span: expected one of {', '.join(SPANS)}\n", 400, mimetype="text/plain")
        if flow not in flows:
            known = ", ".join(flows) or "none yet: put one into the folder of flows"
            return Response(
                f"flow: there is no such flow, and no call to it; there are {known}\n", 404, mimetype="text/plain"
            )
        shown, nonce = pages.drop_off(flow, span, datetime.now(UTC)), secrets.token_urlsafe(16)
        drawn = svg(shown.traffic.flow, nonce=nonce, look=TrafficLook(shown.traffic)) if shown.traffic.flow else ""
        page = render_template(
            "console_drop_off.html",
            nonce=nonce,
            shown=shown,
            flows=flows,
            spans=SPANS,
            stops=STOP_WORDS.values(),
            drawing=Markup(drawn),  # noqa: S704
        )
        return protect(make_response(page), f"'nonce-{nonce}'")


def add_phone(blueprint: Blueprint, phone: PhonePage) -> None:
    @blueprint.get("/accounts")
    def show_accounts() -> Response:
        """What each account owes changes with every payment."""
        return protect(make_response(render_template("console_accounts.html", accounts=phone.accounts)), "'none'")

    @blueprint.get("/static/<name>")
    def show_static(name: str) -> Response:
        if name not in STATIC:
            abort(404)
        return protect(send_from_directory(Path(__file__).parent / "static", name), "'none'")


def latest(pages: ConsoleData) -> dict[str, Any]:
    calls, texts = pages.latest_calls(SHOWN_CALLS), pages.latest_texts(SHOWN_TEXTS)
    return {"calls": calls, "texts": texts, "trouble": pages.trouble(), "words": ENDING_WORDS}


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
