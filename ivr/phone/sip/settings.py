"""Every number and name signalling is set up with; where they are read from (file, environment) is not in here."""

import ipaddress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from ivr.errors import ConfigError
from ivr.phone.sip.contract import TransportKind
from ivr.phone.sip.session import ANY_MEDIA, MediaRules

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class ListenAddress:
    """A socket to be rung at; port 0 takes any free one, `SipEndpoint.listening` tells which."""

    transport: TransportKind = "udp"
    host: str = "127.0.0.1"
    port: int = 5060


@dataclass(frozen=True)
class Peer:
    """Someone who may ring us: known by address, and by digest too when a username is given (RFC 8760).

    ConfigError at the start of the endpoint when only one of username and password is given.
    """

    name: str
    networks: tuple[str, ...] = ("0.0.0.0/0", "::/0")
    username: str | None = None
    password: str = field(default="", repr=False)

    def check(self) -> None:
        if bool((self.username or "").strip()) != bool(self.password.strip()):
            missing = "password" if self.username else "username"
            raise ConfigError(f"peer {self.name}: a login needs username and password, and the {missing} is empty")
        _ = self.ranges

    @cached_property
    def ranges(self) -> tuple[Network, ...]:
        return tuple(parse_network(self.name, text) for text in self.networks)


def parse_network(peer: str, text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ConfigError(
            f"peer {peer}: {text!r} is no IP address or network; write 192.0.2.7 or 192.0.2.0/24"
        ) from None


@dataclass(frozen=True)
class Tls:
    """Our certificate; with `client_ca` a peer must show one too, signed by it."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    server_ca: Path | None = None
    """Trust for connections we open; None is the system's."""


@dataclass(frozen=True)
class Timers:
    """RFC 3261 table 4, in seconds; all others are multiples of these."""

    t1_s: float = 0.5
    t2_s: float = 4.0
    t4_s: float = 5.0

    @property
    def give_up_s(self) -> float:
        """Timers B, F, H, J, L and M: 64 * T1."""
        return 64 * self.t1_s


@dataclass(frozen=True)
class SourceLimits:
    """What one source, or all together, may take from us; what is over it is dropped without an answer, and counted."""

    messages_per_s: float = 4000
    messages_burst: int = 8000
    invites_per_s: float = 100
    invites_burst: int = 200
    failed_logins_per_s: float = 0.2
    failed_logins_burst: int = 10
    sources_remembered: int = 10_000
    calls: int = 2000
    unanswered_per_source: int | None = None
    """Calls of one source between INVITE and ACK; None, or more than half of `calls`, is half of them."""
    transactions: int = 100_000
    connections: int = 1000
    connections_per_source: int = 100
    connection_idle_s: float = 900
    handshake_s: float = 5
    """A TLS handshake that takes longer is broken off."""
    first_message_s: float = 5
    """A connection that has brought no entire message by then is closed: those that say nothing are not kept."""
    silence_s: float = 1
    """Where a limit is reached, a connection that has been silent for longer gives way to a new one."""
    body_bytes: int = 16_384

    @property
    def most_unanswered(self) -> int:
        """A source that acknowledges nothing leaves room for the others, however small the node is."""
        half = max(2, self.calls // 2)
        return half if self.unanswered_per_source is None else min(self.unanswered_per_source, half)


@dataclass(frozen=True)
class SipSettings:
    listen: tuple[ListenAddress, ...] = (ListenAddress("udp"), ListenAddress("tcp"))
    peers: tuple[Peer, ...] = ()
    """Empty: whoever reaches the socket may ring. Anything but loopback wants a list."""
    advertised_host: str | None = None
    """The address in our Contact and Via where the socket's own is not the one peers reach (NAT, 0.0.0.0)."""
    tls: Tls | None = None
    media: MediaRules = ANY_MEDIA
    realm: str = "tonetill"
    nonce_lifetime_s: float = 60
    server_name: str = "Tonetill"
    dnis_from: Literal["request-uri", "to"] = "request-uri"
    """`to` for providers that put our registered contact into the request line."""
    reply_to_source: bool = False
    """Send requests within a call to where its INVITE came from, not to its Contact: for peers behind NAT."""
    answer_timeout_s: float = 20
    """The handler's time to answer an INVITE; after it the caller gets 408."""
    max_call_s: float = 3600
    session_expires_s: int = 1800
    """RFC 4028, for calls whose peer asks for none; 0 then runs no session timer."""
    min_se_s: int = 90
    retry_after_s: int = 10
    timers: Timers = Timers()
    limits: SourceLimits = SourceLimits()
