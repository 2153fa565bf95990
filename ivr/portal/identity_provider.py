"""The identity provider: OpenID Connect's authorization code flow with PKCE, state and nonce (OpenID Connect Core 3.1, RFC 7636).

    portal      sends the browser to the provider, with state, nonce and the SHA-256 of a verifier
    provider    signs somebody in, and sends the browser back with a code
    portal      changes the code for an ID token, showing the verifier; checks its signature, and for whom and when it was made

State, nonce and verifier are made of one secret that the browser keeps in a cookie: what comes back counts in that browser
alone, and once (`SingleSignOn`).
"""

import base64
import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from ivr.errors import ConfigError, PeerError
from ivr.settings import LOOPBACK, Settings

# Signatures by a key that only the provider has; `none` and those by a shared secret are not among them.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "EdDSA")
CALLBACK = "/single-sign-on/callback"
LIMIT_S, LEEWAY_S = 10.0, 60
KNOWN_FOR = timedelta(hours=1)
LARGEST = 256 * 1024
NO_ANSWER = "the identity provider did not answer: try again, or sign in here"


@dataclass(frozen=True)
class ProviderSettings:
    """`multi_factor`: values of `amr` and `acr` that stand for a second factor."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    claim: str
    multi_factor: frozenset[str]
    redirect_uri: str


@dataclass(frozen=True)
class Way:
    """What one way to the provider and back is known by, made of the cookie's secret."""

    secret: str

    def part(self, name: str) -> str:
        made = hmac.new(self.secret.encode(), name.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    @property
    def challenge(self) -> str:
        digest = hashlib.sha256(self.part("verifier").encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass
class IdentityProvider:
    """`http`: reaches it; its answers are read in full only up to LARGEST."""

    settings: ProviderSettings
    http: httpx.Client
    now: Callable[[], datetime]
    _known: Mapping[str, Any] = field(default_factory=dict, init=False)
    _known_at: datetime | None = field(default=None, init=False)

    def address(self, way: Way) -> str:
        """Where the browser is sent. PeerError where the provider does not answer."""
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.settings.redirect_uri,
            "scope": "openid email" if self.settings.claim == "email" else "openid profile email",
            "state": way.part("state"),
            "nonce": way.part("nonce"),
            "code_challenge": way.challenge,
            "code_challenge_method": "S256",
        }
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    def claims(self, way: Way, code: str) -> Mapping[str, Any]:
        """Of the ID token for this code. PeerError where there is none that is by the provider, for us, for this way and now."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.redirect_uri,
            "code_verifier": way.part("verifier"),
        }
        secret = self.settings.client_secret
        auth = httpx.BasicAuth(self.settings.client_id, secret) if secret else None
        if auth is None:
            sent["client_id"] = self.settings.client_id
        answer = self._read("POST", self._endpoint("token_endpoint"), data=sent, auth=auth)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise PeerError("the identity provider gave no ID token")
        return self._checked(token, way)

    def _checked(self, token: str, way: Way) -> Mapping[str, Any]:
        wanted = jwt.JWTClaimsRegistry(
            now=int(self.now().timestamp()),
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self.settings.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self.settings.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": way.part("nonce")},
        )
        try:
            keys = KeySet.import_key_set(self._read("GET", self._endpoint("jwks_uri")))  # type: ignore[arg-type]
            claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise PeerError(f"the identity provider's ID token is not good: {type(error).__name__}") from None
        # 3.1.3.7: a token for others too must say that it was made for us.
        if claims.get("azp", self.settings.client_id) != self.settings.client_id:
            raise PeerError("the identity provider's ID token was made for somebody else")
        return claims

    def identity(self, claims: Mapping[str, Any]) -> str:
        """What people are known by here; empty where the provider does not vouch for it."""
        found = claims.get(self.settings.claim)
        is_vouched = self.settings.claim != "email" or claims.get("email_verified") is True
        if not isinstance(found, str) or not is_vouched:
            return ""
        return found.lower() if self.settings.claim == "email" else found

    def is_multi_factor(self, claims: Mapping[str, Any]) -> bool:
        amr = claims.get("amr")
        said = {one for one in (*(amr if isinstance(amr, list) else ()), claims.get("acr")) if isinstance(one, str)}
        return bool(said & self.settings.multi_factor)

    def _endpoint(self, name: str) -> str:
        if self._known_at is None or self.now() - self._known_at > KNOWN_FOR:
            known = self._read("GET", f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
            # OpenID Connect Discovery 4.3: exactly, or somebody stands in for it.
            if known.get("issuer") != self.settings.issuer:
                raise PeerError("the identity provider calls itself by another name than OIDC_ISSUER")
            self._known, self._known_at = known, self.now()
        found = self._known.get(name)
        if not isinstance(found, str) or not is_safe(found):
            raise PeerError(f"the identity provider names no {name} that can be used")
        return found

    def _read(self, method: str, url: str, **sent: Any) -> Mapping[str, Any]:
        try:
            answer = self.http.request(method, url, **sent)
            body = answer.json() if answer.status_code == 200 and len(answer.content) <= LARGEST else None
        except (httpx.HTTPError, ValueError):
            body = None
        if not isinstance(body, dict):
            raise PeerError(NO_ANSWER)
        return body


def is_safe(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def provider_of(settings: Settings, origin: str, now: Callable[[], datetime]) -> IdentityProvider | None:
    """None without OIDC_ISSUER. ConfigError names the setting that is wrong."""
    if not settings.oidc_issuer:
        return None
    if not is_safe(settings.oidc_issuer):
        raise ConfigError(
            "OIDC_ISSUER: expected an address with TLS, as the provider writes it: https://login.example.com"
        )
    if not settings.oidc_client_id:
        raise ConfigError("OIDC_CLIENT_ID: needed with OIDC_ISSUER: what the provider calls the portal")
    asked = ProviderSettings(
        settings.oidc_issuer,
        settings.oidc_client_id,
        settings.oidc_client_secret,
        settings.oidc_claim,
        frozenset(settings.oidc_multi_factor.replace(",", " ").split()),
        f"{origin}{CALLBACK}",
    )
    try:
        trust = ssl.create_default_context(cafile=settings.oidc_ca or None)
    except OSError as error:
        raise ConfigError(f"OIDC_CA: {settings.oidc_ca}: {error.strerror or 'no certificates in it'}") from None
    return IdentityProvider(asked, httpx.Client(verify=trust, timeout=LIMIT_S, follow_redirects=False), now)
