"""Twilio's connection overrides: what the fragment of a URL says of asking again. It is neither sent nor signed."""

from urllib.parse import urldefrag

from ivr.errors import PeerError

MOST_RETRIES = 5
# Of `rp`, its retry policy: which failures are tried again. `ct` is to connect, `rt` to wait for the answer.
POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})
NUMBERS = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000), "rc": (0, MOST_RETRIES)}
OTHERS = frozenset({"e", "sni", "rp"})


def divided(url: str) -> tuple[str, int]:
    """The address that is called, and how often again where nothing comes back. PeerError for an override that Twilio refuses."""
    address, fragment = urldefrag(url)
    overrides = dict(pair.partition("=")[::2] for pair in fragment.split("&") if pair)
    for name, value in overrides.items():
        least, most = NUMBERS.get(name, (0, 0))
        if most and not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            raise PeerError(f"{url}: {name} is {value}, expected a number from {least} to {most}")
        if not most and name not in OTHERS:
            raise PeerError(f"{url}: {name} is no connection override")
    policies = overrides.get("rp", "ct").split(",")
    if not POLICIES.issuperset(policies):
        raise PeerError(
            f"{url}: rp is {overrides['rp']}, expected some of {', '.join(sorted(POLICIES))} (Twilio's error 11243)"
        )
    return address, int(overrides.get("rc", "1")) if "all" in policies else 0
