"""Where the portal is, from where it may be used, and how it is protected: addresses, cookie, headers."""

import ipaddress
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Blueprint, Request, Response, request
from werkzeug.wrappers import Response as AnyResponse

from ivr.core.money import Money, parse_money
from ivr.errors import ConfigError
from ivr.settings import LOOPBACK, Settings
from ivr.store import SessionEnds

CONTENT_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
Answer = TypeVar("Answer", bound=AnyResponse)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class PortalSite:
    """`origin`: as browsers write it. `proxies`: whose word on the visitor's address is taken. `alone_up_to`: the most that one
    person refunds without a second one, by currency; a currency that is not there always takes two. `root`: the path below which
    it stands, of one merchant among several."""

    origin: str
    networks: tuple[Network, ...]
    proxies: tuple[Network, ...]
    ends: SessionEnds
    alone_up_to: tuple[Money, ...]
    name: str
    root: str = ""

    @property
    def address(self) -> str:
        """Of its pages, without the last slash."""
        return f"{self.origin}{self.root}"

    @property
    def cookie_path(self) -> str:
        """A browser sends the cookie to no other merchant's pages (RFC 6265 5.1.4)."""
        return self.root or "/"

    @property
    def is_secure(self) -> bool:
        return self.origin.startswith("https:")

    @property
    def host(self) -> str:
        return urlsplit(self.origin).netloc

    def is_alias(self, host: str) -> bool:
        """This machine by its address, where it is meant by its name."""
        here, asked = urlsplit(self.origin), urlsplit(f"//{host}")
        return here.hostname in LOOPBACK and asked.hostname in LOOPBACK and asked.port == here.port

    @property
    def cookie(self) -> str:
        """`__Host-`: no other host of the domain can set it (RFC 6265bis 4.1.3.2); browsers take that name by TLS only."""
        return self._cookie_named("tonetill")

    @property
    def way_cookie(self) -> str:
        """Of a browser that is on its way to the identity provider and back."""
        return self._cookie_named("tonetill-way")

    def _cookie_named(self, name: str) -> str:
        """`__Host-` is for cookies of an entire host; one that is bound to a path is `__Secure-` (RFC 6265bis 4.1.3.1)."""
        prefix = "__Secure-" if self.root else "__Host-"
        return f"{prefix if self.is_secure else ''}{name}"

    def source_of(self, request: Request) -> str:
        """The visitor's address. Of a proxy's list the last entry is the proxy's own word; those before it are anybody's."""
        address = request.remote_addr or ""
        if is_within(address, self.proxies):
            told = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
            return told[-1] or address
        return address

    def is_allowed(self, request: Request) -> bool:
        return is_within(self.source_of(request), self.networks)

    def is_own_form(self, request: Request) -> bool:
        """Sent by a page of ours. Browsers say where a form comes from by themselves, and pages cannot change it."""
        fetched = request.headers.get("Sec-Fetch-Site")
        if fetched is not None and fetched != "same-origin":
            return False
        origin = request.headers.get("Origin")
        return origin == self.origin if origin is not None else fetched == "same-origin"

    def takes_two(self, amount: Money) -> bool:
        most = next((one for one in self.alone_up_to if one.currency == amount.currency), None)
        return most is None or amount.minor > most.minor


def site_of(settings: Settings) -> PortalSite:
    """ConfigError names the setting that is wrong."""
    origin = settings.portal_origin
    parts = urlsplit(origin)
    is_here = parts.hostname in LOOPBACK
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
        raise ConfigError("PORTAL_URL: expected what browsers ask for, without a path: https://portal.example.com")
    if parts.scheme == "http" and not is_here:
        raise ConfigError(
            f"PORTAL_URL: {origin} has no TLS, so passwords would travel in clear: put nginx or Caddy in front of it "
            "(deploy/) and name https://..."
        )
    return PortalSite(
        origin,
        networks_in(settings.portal_networks, "PORTAL_NETWORKS"),
        networks_in(settings.portal_proxies, "PORTAL_PROXIES"),
        SessionEnds(timedelta(minutes=settings.portal_idle_minutes), timedelta(hours=settings.portal_hours)),
        amounts_in(settings.portal_alone_up_to),
        settings.merchant_name or settings.merchant,
        settings.place.mount,
    )


def within(path: str) -> str:
    """A path of ours as the browser must ask for it."""
    return f"{request.script_root}{path}"


def networks_in(written: str, setting: str) -> tuple[Network, ...]:
    found = []
    for one in filter(None, (part.strip() for part in written.split(","))):
        try:
            found.append(ipaddress.ip_network(one))
        except ValueError:
            raise ConfigError(
                f"{setting}: '{one}' is no network: 10.20.0.0/16 is one, and 192.0.2.7 a single address"
            ) from None
    return tuple(found)


def amounts_in(written: str) -> tuple[Money, ...]:
    try:
        return tuple(parse_money(one.strip()) for one in written.split(",") if one.strip())
    except ValueError as error:
        raise ConfigError(f"PORTAL_ALONE_UP_TO: {error}; such as 100.00 USD, 90.00 EUR") from None


def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(mapped in network for network in networks if network.version == mapped.version)


def style_nonce(response: Response, nonce: str) -> Response:
    """A page with a drawing, whose own style stands in it."""
    response.headers["Content-Security-Policy"] = CONTENT_POLICY.replace(
        "style-src 'self'", f"style-src 'self' 'nonce-{nonce}'"
    )
    return response


def protect(response: Answer, *, is_secure: bool) -> Answer:
    """Scripts and styles come from our own files; nothing is framed, kept, or told to other sites."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    # Not `no-referrer`: a browser would then write `Origin: null` on our own forms (Fetch 3.2.4).
    headers["Referrer-Policy"] = "same-origin"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), publickey-credentials-get=(self)"
    headers.setdefault("Cache-Control", "no-store")
    if is_secure:
        headers["Strict-Transport-Security"] = "max-age=63072000"
    return response


def protect_all(blueprint: Blueprint, site: PortalSite) -> None:
    """Every answer of it, refusals included."""
    blueprint.after_request(lambda response: protect(response, is_secure=site.is_secure))
