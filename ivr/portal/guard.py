"""Before each request: from an allowed network, to our own name, by our own form, by somebody whose role may.

Whatever is not allowed here is refused, whatever a page itself does; a page without an entry in the table of `roles` is not
served to anybody.
"""

from dataclasses import dataclass

from flask import Blueprint, Request, Response, abort, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.portal.credentials import is_csrf_token
from ivr.portal.roles import NEEDS, Need, may, roles_with
from ivr.portal.signing_in import SignIn
from ivr.portal.site import PortalSite, protect_all, within
from ivr.store import SignedIn

READING = ("GET", "HEAD", "OPTIONS")
SIGN_IN_PAGE = "/sign-in"
# By an open page itself, with nobody doing anything.
ASKED_BY_PAGES = frozenset({"portal.live_events"})


@dataclass(frozen=True)
class Guard:
    site: PortalSite
    signing_in: SignIn

    def stand_before(self, blueprint: Blueprint) -> None:
        blueprint.before_request(self.let_in)
        protect_all(blueprint, self.site)

    def let_in(self) -> AnyResponse | None:
        if not self.site.is_allowed(request):
            return plain("this page is not shown to your network (PORTAL_NETWORKS)", 403)
        if request.host != self.site.host:
            if request.method in READING and self.site.is_alias(request.host):
                return redirect(f"{self.site.origin}{within(request.path)}", 307)
            return plain("this server is called by another name (PORTAL_URL)", 421)
        if request.method not in READING and not self.site.is_own_form(request):
            return plain("this was not sent by a page of ours: open the page and try again", 403)
        endpoint = request.endpoint or ""
        needs = NEEDS.get(endpoint)
        if needs is None and endpoint in NEEDS:
            return None
        session = request.cookies.get(self.site.cookie, "")
        person = self.signing_in.whose(session, is_activity=endpoint not in ASKED_BY_PAGES)
        if person is None:
            return self.send_to_sign_in()
        g.person, g.session = person, session
        if request.method not in READING and not is_csrf_token(request.form.get("csrf_token", ""), session):
            return plain("this form is not of your session any more: open the page and try again", 403)
        if needs is None or not may(person.role, needs):
            self.note_refusal(person, request)
            return plain(refusal(person.role, needs), 403)
        return None

    def send_to_sign_in(self) -> AnyResponse:
        if request.method not in READING:
            abort(401)
        return redirect(within(SIGN_IN_PAGE), 303)

    def note_refusal(self, person: SignedIn, of: Request) -> None:
        about = f"{of.method} {of.endpoint}"
        self.signing_in.store.note(person.name, "portal refused", about[:200], self.signing_in.now())


def refusal(role: str, needs: Need | None) -> str:
    others = f": that is for {', '.join(roles)}" if needs and (roles := roles_with(needs)) else ""
    return f"your role ({role}) may not do that{others}"


def plain(words: str, status: int) -> Response:
    """A browser that opens a page gets it with a way back; a script, or whatever else asks, gets the line alone."""
    if request.accept_mimetypes.best_match(["text/plain", "text/html"]) == "text/html":
        return Response(render_template("portal/refusal.html", words=words), status)
    return Response(f"{words}\n", status, mimetype="text/plain")
