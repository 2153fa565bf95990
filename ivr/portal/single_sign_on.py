"""Signing in by an identity provider: whom it vouches for, and whether a second factor of the portal's own is asked for still.

Only people who were invited get in, by what the provider calls them (`user identity`). The provider's word is one factor; it is
two where its `amr` or `acr` says so and OIDC_MULTI_FACTOR believes that. Otherwise the portal's own code is asked for, and
whoever has none yet must open their invitation first. A passkey is two factors in itself, and needs no provider.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ivr.errors import PeerError
from ivr.portal.credentials import digest_of, new_secret, open_code_secret, seal_code_secret
from ivr.portal.identity_provider import IdentityProvider, Way
from ivr.portal.signing_in import NOBODY, NotSignedIn, SignIn

GOOD_FOR = timedelta(minutes=10)
TICKET = "single sign-on"
BACK_TOO_LATE = "this way to the identity provider is not good any more: begin it again"
NOT_INVITED = "you are not known here: whoever runs this line can invite you"
OPEN_INVITATION = (
    "the portal's own code is asked for, and you have none: open your invitation first, or ask for another"
)


@dataclass(frozen=True)
class CodeWanted:
    """`ticket`: says whom the provider has vouched for; good for GOOD_FOR, with a code alone."""

    ticket: str


@dataclass(frozen=True)
class SingleSignOn:
    signing_in: SignIn
    provider: IdentityProvider

    def begin(self) -> tuple[str, str]:
        """The secret for the browser's cookie, and where it is sent. PeerError where the provider does not answer."""
        way, now = Way(new_secret()), self.signing_in.now()
        address = self.provider.address(way)
        self.signing_in.store.add_challenge(digest_of(way.part("state")), now + GOOD_FOR, now)
        return way.secret, address

    def end(self, secret: str, came: Mapping[str, str], source: str) -> str | CodeWanted | NotSignedIn:
        """The secret of the new session's cookie, or what is missing. `came`: the query that the browser came back with."""
        way, store = Way(secret), self.signing_in.store
        is_ours = bool(secret) and hmac.compare_digest(came.get("state", "").encode(), way.part("state").encode())
        if not is_ours or not store.spend_challenge(digest_of(way.part("state")), self.signing_in.now()):
            return NotSignedIn(BACK_TOO_LATE)
        # RFC 9207: an answer of another provider is not taken for this one's.
        if came.get("iss", self.provider.settings.issuer) != self.provider.settings.issuer or "code" not in came:
            return self._refused(NOBODY, source, "the identity provider let nobody in")
        try:
            claims = self.provider.claims(way, came["code"])
        except PeerError as error:
            return self._refused(NOBODY, source, str(error))
        user = store.user_by_identity(self.provider.identity(claims))
        if user is None:
            return self._refused(NOBODY, source, NOT_INVITED)
        if self.provider.is_multi_factor(claims):
            return self.signing_in.begin(user.name, source)
        if not user.has_password:
            return self._refused(user.name, source, OPEN_INVITATION)
        until = int((self.signing_in.now() + GOOD_FOR).timestamp())
        return CodeWanted(seal_code_secret(self.signing_in.key, json.dumps([user.name, until]), TICKET))

    def with_code(self, ticket: str, code: str, source: str) -> str | NotSignedIn:
        name = self._name_in(ticket)
        if name is None:
            return NotSignedIn(BACK_TOO_LATE)
        return self.signing_in.by_code(name, code, source)

    def _name_in(self, ticket: str) -> str | None:
        try:
            opened = open_code_secret(self.signing_in.key, ticket, TICKET)
        except ValueError:
            return None
        if opened is None:
            return None
        name, until = json.loads(opened)
        return (
            str(name) if self.signing_in.now() < datetime.fromtimestamp(until, self.signing_in.now().tzinfo) else None
        )

    def _refused(self, name: str, source: str, reason: str) -> NotSignedIn:
        about = f"single sign-on, from {source}: {reason}"[:200]
        self.signing_in.store.note(name, "sign-in refused", about, self.signing_in.now())
        return NotSignedIn(reason)
