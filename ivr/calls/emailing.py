"""Whether receipts can go by e-mail, and through which server: from settings. How one is sent is the forwarder's."""

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from ivr.core.email_addresses import is_email_address
from ivr.errors import ConfigError
from ivr.settings import Settings

PORTS = {"smtp": 587, "smtps": 465}
EXPECTED = "SMTP_URL: expected smtp://user:password@host:587 or smtps://user:password@host:465"
NO_MAIL_SENDER = "no mail server is configured: set SMTP_URL and SMTP_FROM"


@dataclass(frozen=True)
class MailServer:
    """`is_tls`: from the first byte; otherwise STARTTLS is demanded, unless `is_clear`: loopback, in development. `ca`: a
    PEM file of authorities in place of the system's."""

    host: str
    port: int
    sender: str
    sender_name: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    is_tls: bool = False
    is_clear: bool = False
    ca: str = ""


def mail_server_of(settings: Settings) -> MailServer | None:
    """None where no e-mail is sent. ConfigError says which setting is wrong and what would be right."""
    if not settings.smtp_url:
        if settings.smtp_from:
            raise ConfigError("SMTP_FROM is set and SMTP_URL is not: set both, or neither")
        return None
    parts, port = _parts(settings.smtp_url)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        raise ConfigError("SMTP_URL: a user and a password, or neither; write @ : / in them as %40 %3A %2F")
    if not f"{user}{password}".isprintable():
        raise ConfigError("SMTP_URL: user and password without control characters")
    if settings.smtp_ca and not Path(settings.smtp_ca).is_file():
        raise ConfigError(f"SMTP_CA: there is no file {settings.smtp_ca}")
    name, sender = _sender(settings.smtp_from)
    host = parts.hostname or ""
    is_clear = parts.scheme == "smtp" and settings.environment == "development" and _is_loopback(host)
    tls = parts.scheme == "smtps"
    return MailServer(host, port, sender, name, user, password, tls, is_clear, settings.smtp_ca)


def emailing(settings: Settings, trouble: Callable[[], str | None] = lambda: None) -> Callable[[], bool]:
    """Whether a receipt by e-mail can be promised. `trouble`: what keeps every one from being sent at present."""
    if mail_server_of(settings) is not None:
        return lambda: trouble() is None
    in_development = settings.environment == "development"
    return lambda: in_development


def _parts(url: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise ConfigError(EXPECTED) from None
    if not port or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ConfigError(EXPECTED)
    return parts, port


def _sender(written: str) -> tuple[str, str]:
    """Display name and address."""
    name, address = parseaddr(written)
    if not is_email_address(address) or not written.isprintable():
        example = "receipts@example.com, or Example Water <receipts@example.com>"
        raise ConfigError(f"SMTP_FROM: needed with SMTP_URL: {example}")
    return name, address


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
