"""A bank's secrets, which are in the environment and never in a file of ours: `<NAME OF THE BANK>_API_KEY`, say."""

from collections.abc import Callable

from ivr.bank.interface import Examined
from ivr.bank.protocols import Opening
from ivr.errors import ConfigError


def variable(bank: str, what: str) -> str:
    """`acme_eu` and API_KEY: ACME_EU_API_KEY."""
    return f"{bank}_{what}".upper().replace("-", "_")


def secret_of(opening: Opening, what: str) -> str:
    """ConfigError where it is not set, or was not copied well. What it is, is in no message."""
    name = variable(opening.name, what)
    written = opening.environ.get(name, "")
    if not written:
        raise ConfigError(f"bank '{opening.name}': {name} is not set in the environment: set it to the bank's own")
    if not written.isascii() or not written.isprintable() or written != written.strip() or " " in written:
        raise ConfigError(f"bank '{opening.name}': {name} has blanks or signs that no such secret has: copy it again")
    return written


def examine_notifications(opening: Opening, read_secret: Callable[[Opening], bytes]) -> Examined:
    """Whether what the bank tells by itself can be told from what a stranger does."""
    try:
        read_secret(opening)
    except ConfigError as error:
        return Examined(False, f"{error}; without it no notification is believed")
    return Examined(True, f"notifications to /banks/{opening.name}/notifications can be checked")
