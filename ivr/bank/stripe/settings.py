"""What a bank at Stripe needs in `banks.yaml`; its secret key and its webhook's secret are in the environment."""

import re
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, field_validator

from ivr.bank.protocols import Opening
from ivr.bank.secrets import secret_of, variable
from ivr.bank.settings import LONGEST_EXCHANGE_S, Timeout, VaultSealed, https_only, require_counted_alike
from ivr.errors import ConfigError

EXCHANGES = 3  # of one charge at most: the card, the charge, and after a fault of Stripe's a search
# Stripe counts these in other minor units than ISO 4217 does, or not to the last digit (docs.stripe.com/currencies).
OTHER_MINOR_UNITS = frozenset({"ISK", "UGX", "MGA", "BHD", "JOD", "KWD", "OMR", "TND"})
SECRET_KEY = re.compile(r"(?:sk|rk)_(test|live)_[A-Za-z0-9_]{8,240}")
WHERE = "copy the secret key (sk_...) from Stripe's dashboard: Developers, API keys"


def within_a_third(seconds: float) -> float:
    """Each of a charge's exchanges may take as long, and all of them together a lease."""
    longest = LONGEST_EXCHANGE_S / EXCHANGES
    if seconds > longest:
        raise ValueError(f"at most {int(longest)}s: a charge is up to {EXCHANGES} exchanges, within one lease")
    return seconds


class StripeSettings(VaultSealed):
    """`ca`: an authority to trust in place of the system's, for a stand-in."""

    FILES: ClassVar[tuple[str, ...]] = (*VaultSealed.FILES, "ca")

    protocol: str = "stripe"
    url: Annotated[str, AfterValidator(https_only)] = "https://api.stripe.com"
    connect_timeout: Annotated[Timeout, AfterValidator(within_a_third)] = 3.0
    read_timeout: Annotated[Timeout, AfterValidator(within_a_third)] = 13.0
    ca: Path | None = None

    @field_validator("currencies")
    @classmethod
    def counted_alike(cls, currencies: list[str]) -> list[str]:
        return require_counted_alike(currencies, OTHER_MINOR_UNITS, "Stripe")


def secret_key(opening: Opening) -> str:
    """ConfigError where it is not set, or is none. What it is, is in no message."""
    key, name = secret_of(opening, "API_KEY"), variable(opening.name, "API_KEY")
    if key.startswith("pk_"):
        raise ConfigError(f"bank '{opening.name}': {name} is a publishable key, which can charge nobody; {WHERE}")
    if SECRET_KEY.fullmatch(key) is None:
        raise ConfigError(f"bank '{opening.name}': {name} is none of Stripe's secret keys; {WHERE}")
    return key


def is_live(opening: Opening) -> bool | None:
    """By the key, as the address is the same; None in a process that has none. ConfigError for one that is none."""
    if not opening.environ.get(variable(opening.name, "API_KEY")):
        return None
    return "_live_" in secret_key(opening)[:8]
