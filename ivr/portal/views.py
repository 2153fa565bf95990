"""The portal as a blueprint: signing in, invitations, and the pages behind them."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from ivr.errors import PeerError
from ivr.portal.calls import add_call_pages
from ivr.portal.credentials import code_address, qr_picture
from ivr.portal.flow_drafts import FlowEditing, add_draft_pages
from ivr.portal.flows import FlowPages, add_flow_pages
from ivr.portal.guard import SIGN_IN_PAGE, Guard
from ivr.portal.identity_provider import CALLBACK
from ivr.portal.incidents import add_incident_pages
from ivr.portal.pages import Pages, add_pages
from ivr.portal.passkeys import Passkeys
from ivr.portal.persons import add_person_pages
from ivr.portal.signing_in import Joined, NotSignedIn, SignIn
from ivr.portal.single_sign_on import GOOD_FOR, CodeWanted, SingleSignOn
from ivr.portal.site import PortalSite, within
from ivr.portal.stops import add_stop_pages

STATIC = ("portal.css", "passkeys.js", "live.js", "draft.js", "codemirror.js")
PHONE_SCRIPTS = ("phone.js", "sound.js", "speaker.js", "tones.js", "view.js")
LONGEST_NAME, LONGEST_CODE, LONGEST_ANSWER = 60, 40, 4000


def portal(
    site: PortalSite,
    signing_in: SignIn,
    pages: Pages,
    editing: FlowEditing,
    single_sign_on: SingleSignOn | None = None,
) -> Blueprint:
    """Register it at the root of an application of its own."""
    blueprint = Blueprint("portal", __name__, template_folder="templates")
    Guard(site, signing_in).stand_before(blueprint)
    add_signing_in(blueprint, site, signing_in)
    add_single_sign_on(blueprint, site, single_sign_on)
    add_invitations(blueprint, site, signing_in)
    add_passkeys(blueprint, site, signing_in)
    add_pages(blueprint, pages)
    add_stop_pages(blueprint, pages)
    add_incident_pages(blueprint, pages)
    add_call_pages(blueprint, pages, signing_in)
    add_person_pages(blueprint, pages)
    flows = FlowPages(pages, editing.publisher)
    add_flow_pages(blueprint, flows)
    add_draft_pages(blueprint, flows, editing.phone)

    @blueprint.get("/static/<name>")
    def static_file(name: str) -> Response:
        if editing.phone is not None and name in PHONE_SCRIPTS:
            return send_from_directory(editing.phone.scripts, name, max_age=300)
        if name not in STATIC:
            abort(404)
        return send_from_directory(Path(__file__).parent / "static", name, max_age=300)

    return blueprint


def add_signing_in(blueprint: Blueprint, site: PortalSite, signing_in: SignIn) -> None:
    @blueprint.get(SIGN_IN_PAGE)
    def show_sign_in() -> AnyResponse:
        return sign_in_page(site)

    @blueprint.post(SIGN_IN_PAGE)
    def sign_in() -> AnyResponse:
        name, password = request.form.get("name", "")[:LONGEST_NAME], request.form.get("password", "")
        code = request.form.get("code", "")[:LONGEST_CODE]
        begun = signing_in.by_password(name, password, code, site.source_of(request))
        if isinstance(begun, NotSignedIn):
            return sign_in_page(site, begun.reason)
        return with_session(site, redirect(within("/payments"), 303), begun)

    @blueprint.post("/sign-out")
    def sign_out() -> AnyResponse:
        signing_in.end(request.cookies.get(site.cookie, ""))
        answer = redirect(within(SIGN_IN_PAGE), 303)
        answer.delete_cookie(
            site.cookie, path=site.cookie_path, secure=site.is_secure, httponly=True, samesite="Strict"
        )
        answer.headers["Clear-Site-Data"] = '"cache", "storage"'
        return answer


def add_single_sign_on(blueprint: Blueprint, site: PortalSite, single_sign_on: SingleSignOn | None) -> None:
    """Where no provider is set, there is nothing at these addresses."""

    def here() -> SingleSignOn:
        if single_sign_on is None:
            abort(404)
        return single_sign_on

    @blueprint.context_processor
    def is_there() -> dict[str, bool]:
        return {"has_single_sign_on": single_sign_on is not None}

    @blueprint.get("/single-sign-on")
    def begin_single_sign_on() -> AnyResponse:
        try:
            secret, address = here().begin()
        except PeerError as error:
            return sign_in_page(site, str(error))
        answer = redirect(address, 303)
        # Lax: the provider sends the browser back from its own site.
        how: Any = {"path": site.cookie_path, "secure": site.is_secure, "httponly": True, "samesite": "Lax"}
        answer.set_cookie(site.way_cookie, secret, max_age=int(GOOD_FOR.total_seconds()), **how)
        return answer

    @blueprint.get(CALLBACK)
    def end_single_sign_on() -> AnyResponse:
        came = {name: text[:LONGEST_ANSWER] for name, text in request.args.items()}
        found = here().end(request.cookies.get(site.way_cookie, ""), came, site.source_of(request))
        if isinstance(found, NotSignedIn):
            answer = sign_in_page(site, found.reason)
        elif isinstance(found, CodeWanted):
            answer = Response(render_template("portal/code.html", site=site, ticket=found.ticket))
        else:
            answer = signed_in_page(site, found)
        answer.delete_cookie(
            site.way_cookie, path=site.cookie_path, secure=site.is_secure, httponly=True, samesite="Lax"
        )
        return answer

    @blueprint.post("/single-sign-on/code")
    def single_sign_on_code() -> AnyResponse:
        ticket, code = request.form.get("ticket", ""), request.form.get("code", "")[:LONGEST_CODE]
        found = here().with_code(ticket, code, site.source_of(request))
        if isinstance(found, NotSignedIn):
            page = render_template("portal/code.html", site=site, ticket=ticket, problem=found.reason)
            return Response(page, 403)
        return with_session(site, redirect(within("/payments"), 303), found)


def add_invitations(blueprint: Blueprint, site: PortalSite, signing_in: SignIn) -> None:
    @blueprint.get("/invitations/<link>")
    def show_invitation(link: str) -> AnyResponse:
        invited = signing_in.invited(link)
        if invited is None:
            return Response(render_template("portal/no_invitation.html", site=site), 404)
        return invitation_page(site, signing_in, link, signing_in.new_code_secret(link))

    @blueprint.post("/invitations/<link>")
    def accept_invitation(link: str) -> AnyResponse:
        sealed, code = request.form.get("sealed", ""), request.form.get("code", "")[:LONGEST_CODE]
        joined = signing_in.accept(link, request.form.get("password", ""), sealed, code)
        if isinstance(joined, Joined):
            return Response(render_template("portal/joined.html", site=site, codes=joined.codes))
        if signing_in.invited(link) is None:
            return Response(render_template("portal/no_invitation.html", site=site), 404)
        if signing_in.code_secret(link, sealed) is None:
            sealed = signing_in.new_code_secret(link)
        return invitation_page(site, signing_in, link, sealed, joined.reason)


def add_passkeys(blueprint: Blueprint, site: PortalSite, signing_in: SignIn) -> None:
    passkeys = Passkeys(signing_in, site.origin, site.name)

    @blueprint.post("/passkeys/challenge")
    def passkey_challenge() -> AnyResponse:
        return Response(passkeys.challenge(), mimetype="application/json")

    @blueprint.post("/passkeys/sign-in")
    def sign_in_by_passkey() -> AnyResponse:
        begun = passkeys.sign_in(request.get_data(as_text=True), site.source_of(request))
        if isinstance(begun, NotSignedIn):
            return Response(begun.reason, 403, mimetype="text/plain")
        return with_session(site, Response(within("/payments"), mimetype="text/plain"), begun)

    @blueprint.post("/invitations/<link>/passkey/offer")
    def passkey_offer(link: str) -> AnyResponse:
        offer = passkeys.offer(link)
        return Response(offer, mimetype="application/json") if offer else Response("no such invitation", 404)

    @blueprint.post("/invitations/<link>/passkey")
    def accept_by_passkey(link: str) -> AnyResponse:
        joined = passkeys.accept(link, request.get_data(as_text=True))
        if isinstance(joined, NotSignedIn):
            return Response(joined.reason, 403, mimetype="text/plain")
        return Response(within(SIGN_IN_PAGE), mimetype="text/plain")


def sign_in_page(site: PortalSite, problem: str = "") -> Response:
    return Response(render_template("portal/sign_in.html", site=site, problem=problem), 403 if problem else 200)


def invitation_page(site: PortalSite, signing_in: SignIn, link: str, sealed: str, problem: str = "") -> Response:
    invited, secret = signing_in.invited(link), signing_in.code_secret(link, sealed)
    assert invited is not None
    assert secret is not None
    address = code_address(secret, invited.name, site.name)
    page = render_template(
        "portal/invitation.html",
        site=site,
        invited=invited,
        sealed=sealed,
        secret=secret,
        qr=qr_picture(address),
        problem=problem,
    )
    return Response(page, 400 if problem else 200)


def signed_in_page(site: PortalSite, session: str) -> Response:
    """It leads on by itself. A redirect would be a part of the provider's own, and browsers send no `Strict` cookie with that."""
    return with_session(site, Response(render_template("portal/signed_in.html", site=site)), session)


def with_session(site: PortalSite, answer: AnyResponse, session: str) -> Response:
    made = make_response(answer)
    longest = int(site.ends.longest.total_seconds())
    made.set_cookie(
        site.cookie,
        session,
        max_age=longest,
        path=site.cookie_path,
        secure=site.is_secure,
        httponly=True,
        samesite="Strict",
    )
    return made
