"""An identity provider as a portal meets one: what it was asked is kept, and what it answers can be made wrong."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from ivr.portal.identity_provider import CALLBACK, IdentityProvider, ProviderSettings
from tests.portal.lines import ORIGIN, Line

ISSUER = "https://login.example.com"
KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, parameters={"kid": "one"})


@dataclass
class Provider:
    """`claims`: what the next ID token has in place of what is right. `key`: signs it."""

    line: Line
    multi_factor: frozenset[str] = frozenset()
    claim: str = "email"
    claims: dict[str, Any] = field(default_factory=dict)
    key: RSAKey = field(default_factory=lambda: KEY)
    is_down: bool = False
    asked: dict[str, str] = field(default_factory=dict)

    def client(self) -> IdentityProvider:
        settings = ProviderSettings(ISSUER, "portal", "secret", self.claim, self.multi_factor, f"{ORIGIN}{CALLBACK}")
        return IdentityProvider(settings, httpx.Client(transport=httpx.MockTransport(self.answer)), self.line.clock)

    def authorize(self, address: str) -> str:
        """Somebody signs in there; where the browser is sent back to."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        return f"{urlsplit(self.asked['redirect_uri']).path}?code=a-code&state={self.asked['state']}"

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("down")
        if request.url.path.endswith("openid-configuration"):
            known = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/authorize"}
            return httpx.Response(
                200, json={**known, "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/keys"}
            )
        if request.url.path == "/keys":
            return httpx.Response(200, json=KeySet([KEY]).as_dict(private=False))
        return self.token(parse_qs(request.content.decode()))

    def token(self, sent: dict[str, list[str]]) -> httpx.Response:
        digest = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
        is_shown = urlsafe_b64encode(digest).rstrip(b"=").decode() == self.asked["code_challenge"]
        if not is_shown or sent["redirect_uri"] != [self.asked["redirect_uri"]] or sent["code"] != ["a-code"]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        at = int(self.line.clock().timestamp())
        right = {"iss": ISSUER, "sub": "248289", "aud": "portal", "iat": at, "exp": at + 300}
        of_ada = {"email": "Ada@example.com", "email_verified": True, "nonce": self.asked["nonce"]}
        claims = {name: value for name, value in {**right, **of_ada, **self.claims}.items() if value is not None}
        return httpx.Response(200, json={"id_token": jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key)})
