"""Which way `--via` goes, or why it goes none: told before anything is dialled."""

import re
from typing import Literal
from urllib.parse import urlsplit

from ivr.errors import ConfigError

Way = Literal["webhooks", "sip"]
OWN_TRUNK = "sip"
_EXAMPLES = "http://127.0.0.1:8000 for webhooks, sip:pay@127.0.0.1:5060, or sip for this project's own trunk"
MOST_PORT = 65535
_WEBHOOK = re.compile(
    r"(?P<mount>(?:/m/[^/]+)?)(?:/twilio/voice/(?P<flow>[^/]+))?"
)  # of a merchant among several: below /m/NAME


def read_way(via: str) -> Way:
    """ConfigError says what is wrong with the address."""
    if via == OWN_TRUNK:
        return "sip"
    scheme = via.partition(":")[0].lower()
    if scheme == "sip":
        address = via.partition(":")[2].partition(";")[0].partition("?")[0]
        if address.count("@") > 1:
            raise ConfigError(f"--via {via}: there is more than one @ in it: write {_EXAMPLES}")
        _require_host(via, address.rpartition("@")[2])
        return "sip"
    if scheme == "sips":
        raise ConfigError(f"--via {via}: calls over TLS are not placed by load: write sip:, to a line without TLS")
    if scheme not in ("http", "https") or not via.partition(":")[2].startswith("//"):
        raise ConfigError(f"--via '{via}' is no address of a line: write {_EXAMPLES}")
    _require_host(via, via.partition("//")[2].partition("/")[0].rpartition("@")[2])
    return "webhooks"


def require_webhooks(via: str) -> None:
    """ConfigError for every other way."""
    if read_way(via) != "webhooks":
        raise ConfigError(f"--via {via}: this goes by webhooks only: write http://127.0.0.1:8000")


def flow_in(via: str) -> tuple[str, str]:
    """The address of the line alone, with its merchant's path, and the flow whose webhook it was given as; "" where it names none."""
    parts = urlsplit(via)
    line, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    webhook = _WEBHOOK.fullmatch(path)
    if webhook is None or parts.query or parts.fragment:
        raise ConfigError(
            f"--via {via}: write the address of the line alone, {line}, or of a flow, {line}/twilio/voice/NAME"
        )
    return f"{line}{webhook['mount']}", webhook["flow"] or ""


def _require_host(via: str, place: str) -> None:
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        port_text = place.rpartition(":")[2]
        what = (
            f"{port_text} is no port, 1 to {MOST_PORT}"
            if port_text.isdecimal() and int(port_text[:9]) > MOST_PORT
            else "its host cannot be read"
        )
        raise ConfigError(f"--via {via}: {what}") from None
    if not host or not place.isprintable() or any(mark.isspace() for mark in place):
        raise ConfigError(f"--via {via}: there is no host in it: write {_EXAMPLES}")
    if port == 0:
        raise ConfigError(f"--via {via}: 0 is no port, 1 to {MOST_PORT}")
