"""Before each request of the API: from an allowed network, to our own name, by a token whose role and user may.

No cookie is read, so that no other site's page can make a browser send anything.
"""

import re
from dataclasses import dataclass

from flask import Blueprint, Request, g, request

from ivr.portal.api.problems import ProblemError
from ivr.portal.credentials import digest_of
from ivr.portal.roles import NEEDS, Need, Permission, may, roles_with
from ivr.portal.signing_in import NOBODY, SignIn
from ivr.portal.site import PortalSite, protect_all
from ivr.store import TokenHolder

_BEARER = re.compile(r"Bearer ([A-Za-z0-9_-]{1,200})", re.IGNORECASE)


@dataclass(frozen=True)
class Gate:
    site: PortalSite
    signing_in: SignIn

    def stand_before(self, blueprint: Blueprint) -> None:
        blueprint.before_request(self.let_in)
        protect_all(blueprint, self.site)

    def let_in(self) -> None:
        if not self.site.is_allowed(request):
            raise ProblemError(403, "network", "this is not answered to your network (PORTAL_NETWORKS)")
        if request.host != self.site.host and not self.site.is_alias(request.host):
            raise ProblemError(421, "other_host", "this server is called by another name (PORTAL_URL)")
        endpoint = request.endpoint or ""
        needs = NEEDS.get(endpoint)
        if needs is None and endpoint in NEEDS:
            return
        holder = self.holder_of(request)
        g.holder = holder
        if needs is None or not (may(holder.token.role, needs) and may(holder.user_role, needs)):
            self.refuse(holder, f"{request.method} {endpoint}", needs)

    def holder_of(self, of: Request) -> TokenHolder:
        """A right token is served, whatever else came from its address: nobody locks it out by guessing."""
        store, now, source = self.signing_in.store, self.signing_in.now(), self.site.source_of(of)
        found = _BEARER.fullmatch(of.headers.get("Authorization", ""))
        holder = store.token_holder(digest_of(found[1]), now) if found else None
        if holder is not None:
            return holder
        if found is None:
            raise ProblemError(401, "no_token", "send `Authorization: Bearer` and a token of `tonetill token add`")
        if self.signing_in.is_slowed(NOBODY, source, now):
            raise ProblemError(429, "slowed", "too many tokens that are none came from here: wait 15 minutes")
        store.note_failure(NOBODY, source, "token", now)
        raise ProblemError(401, "no_token", "the token is none, has ended or was revoked: `tonetill token list`")

    def require(self, permission: Permission) -> None:
        holder: TokenHolder = g.holder
        if not (may(holder.token.role, permission) and may(holder.user_role, permission)):
            self.refuse(holder, permission, permission)

    def refuse(self, holder: TokenHolder, about: str, needs: Need | None) -> None:
        said = f"{about} by token {holder.token.id}"
        self.signing_in.store.note(holder.token.user, "portal refused", said[:200], self.signing_in.now())
        roles = f"the token's role is {holder.token.role}, its user's {holder.user_role}"
        who = ", ".join(roles_with(needs)) if needs else "nobody"
        raise ProblemError(403, "forbidden", f"that is for {who}: {roles}; both must be allowed to")
