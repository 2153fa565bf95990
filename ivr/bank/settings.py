"""`config/banks.yaml`: what every bank has there. What else a protocol needs is in its folder, and `banks_file` reads both."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ivr.bank.promises import Promises
from ivr.reading.scalars import known_currency

# A job is leased to one forwarder for this long. Whatever is asked of a bank must have been answered or given up by then,
# with time left to write the answer down: a lease that ends earlier brings a second forwarder to the same charge.
LEASE_S = 60.0
FOR_OUR_DATABASE_S = 10.0
LONGEST_EXCHANGE_S = LEASE_S - FOR_OUR_DATABASE_S
MOST_CONNECTIONS = 64


def seconds(written: object) -> float:
    """`3s`, `0.5s` or `250ms`."""
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)", str(written))
    if match is None:
        raise ValueError("expected a time such as '3s' or '250ms'")
    return float(match[1]) / (1000 if match[2] == "ms" else 1)


def https_only(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("expected https://host or https://host:port")
    return url.rstrip("/")


def require_counted_alike(currencies: list[str], others: Collection[str], bank: str) -> list[str]:
    """`others`: the currencies that the bank counts in other minor units than ISO 4217 does. An amount in one of them would
    be a hundred times too much or too little."""
    for currency in currencies:
        if currency in others:
            raise ValueError(f"{currency} cannot be taken: {bank} counts it in other minor units than ISO 4217")
    return currencies


Timeout = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST_EXCHANGE_S)]


class BankSettings(BaseModel):
    """One bank, as far as all protocols agree. `FILES`: the settings that are paths. `KEY_PAIRS`: those that are a
    certificate and its own key. `SEALS_TO`: whose key the protocol wants fields sealed to; with `vault` the class is
    a `VaultSealed`."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    FILES: ClassVar[tuple[str, ...]] = ("sealing_key",)
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = ()
    SEALS_TO: ClassVar[Literal["bank", "vault"]] = "bank"

    protocol: str = "tonetill"
    url: Annotated[str, AfterValidator(https_only)]
    seal_to: Literal["bank", "vault"] = "bank"
    sealing_key: Path
    # What the bank takes; without it, any. A flow whose limit is in another currency is not used.
    currencies: list[Annotated[str, AfterValidator(known_currency)]] = []
    connect_timeout: Timeout = 3.0
    read_timeout: Timeout = 20.0
    connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] = 16

    @field_validator("seal_to")
    @classmethod
    def as_the_protocol_wants(cls, written: str) -> str:
        if written != cls.SEALS_TO:
            raise ValueError(f"expected '{cls.SEALS_TO}': this protocol has fields sealed to the {cls.SEALS_TO}'s key")
        return written

    @model_validator(mode="after")
    def within_the_lease(self) -> Self:
        if self.connect_timeout + self.read_timeout > LONGEST_EXCHANGE_S:
            raise PydanticCustomError(
                "longer_than_the_lease",
                f"connect_timeout and read_timeout together may be at most {LONGEST_EXCHANGE_S:g}s: "
                f"a charge is leased to one forwarder for {LEASE_S:g}s",
            )
        return self

    def below(self, folder: Path) -> Self:
        return self.model_copy(update={name: folder / file for name, file in self.files().items()})

    def files(self) -> dict[str, Path]:
        """The files that are named, by the setting that names them."""
        found = {name: getattr(self, name) for name in self.FILES}
        return {name: file for name, file in found.items() if file is not None}

    def promises_of(self, protocol: Promises) -> Promises:
        """What this bank promises, where its settings say more than its protocol does."""
        return protocol

    @property
    def is_live(self) -> bool | None:
        """Whether real cards are charged there; None where the address does not say."""
        return None


class VaultSealed(BankSettings):
    """A bank that is sent the card in clear inside TLS: fields are sealed to the forwarder's own key, which it opens."""

    FILES: ClassVar[tuple[str, ...]] = ("sealing_key", "opening_key")
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = (("sealing_key", "opening_key"),)
    SEALS_TO: ClassVar[Literal["bank", "vault"]] = "vault"

    seal_to: Literal["bank", "vault"] = "vault"
    sealing_key: Path = Path("keys/forwarder-sealing.crt")
    opening_key: Path = Path("keys/forwarder-sealing.key")
