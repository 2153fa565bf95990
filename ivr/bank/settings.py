"""`config/banks.yaml`: what every bank has there. What else a protocol needs is in its folder, and `banks_file` reads both."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import SplitResult, urlsplit

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
    is_known = parts.scheme == "https" and parts.hostname and not (parts.username or parts.query or parts.fragment)
    if not is_known or not has_a_port(parts):
        raise ValueError("expected https://host or https://host:port")
    return url.rstrip("/")


def has_a_port(parts: SplitResult) -> bool:
    """One that there can be, or none."""
    try:
        return parts.port != 0
    except ValueError:
        return False


def require_counted_alike(currencies: list[str], others: Collection[str], bank: str) -> list[str]:
    """`others`: the currencies that the bank counts in other minor units than ISO 4217 does. An amount in one of them would
    be a hundred times too much or too little."""
    for currency in currencies:
        if currency in others:
            raise ValueError(f"{currency} cannot be taken: {bank} counts it in other minor units than ISO 4217")
    return currencies


Timeout = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=LONGEST_EXCHANGE_S)]


class Dated(BaseModel):
    """A file of several that take each other's place. It is used from its first day to its last, by the dates of UTC."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    file: Path
    not_before: date = date.min
    not_after: date = date.max

    @model_validator(mode="after")
    def in_order(self) -> Self:
        if self.not_after < self.not_before:
            raise PydanticCustomError("never_used", "not_after is before not_before: it would never be used")
        return self


class SealingKeyEntry(Dated):
    """One of `sealing_keys`. `kid`: the bank's name for it, where it is not the key's own."""

    kid: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{0,64}$")] = ""


class OwnKeyEntry(SealingKeyEntry):
    """The same of a pair of the forwarder's."""

    opening_key: Path


class ClientCertificateEntry(Dated):
    """One of `client_certificates`, with its own key."""

    key: Path


# The settings that list several, and the names of the first one's files where only one is used.
LISTS: Mapping[str, Mapping[str, str]] = {
    "sealing_keys": {"file": "sealing_key", "opening_key": "opening_key"},
    "client_certificates": {"file": "client_certificate", "key": "client_key"},
}


class BankSettings(BaseModel):
    """One bank, as far as all protocols agree. `FILES`: the settings that are paths. `KEY_PAIRS`: those that are a
    certificate and its own key. `SEALS_TO`: whose key the protocol wants fields sealed to; with `vault` the class is
    a `VaultSealed`. Where several keys or certificates are listed, the settings of one are those of the first."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    FILES: ClassVar[tuple[str, ...]] = ("sealing_key",)
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = ()
    SEALS_TO: ClassVar[Literal["bank", "vault"]] = "bank"

    protocol: str = "tonetill"
    url: Annotated[str, AfterValidator(https_only)]
    seal_to: Literal["bank", "vault"] = "bank"
    sealing_key: Path
    sealing_keys: Sequence[SealingKeyEntry] = ()
    # What the bank takes; without it, any. A flow whose limit is in another currency is not used.
    currencies: list[Annotated[str, AfterValidator(known_currency)]] = []
    connect_timeout: Timeout = 3.0
    read_timeout: Timeout = 20.0
    connections: Annotated[int, Field(ge=1, le=MOST_CONNECTIONS)] = 16

    @model_validator(mode="before")
    @classmethod
    def first_of_several(cls, written: Any) -> Any:
        return with_first_of_lists(written) if isinstance(written, dict) else written

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
        one = {name: folder / file for name, file in self._single_files().items()}
        several = {name: tuple(_below(folder, entry) for entry in getattr(self, name, ())) for name in LISTS}
        return self.model_copy(update=one | {name: entries for name, entries in several.items() if entries})

    def files(self) -> dict[str, Path]:
        """The files that are named, by the setting that names them: of a list `sealing_keys.1.file`."""
        found = self._single_files()
        for name, of_first in LISTS.items():
            for number, entry in enumerate(getattr(self, name, ())):
                found = {one: file for one, file in found.items() if one not in of_first.values()}
                found |= {f"{name}.{number}.{one}": file for one, file in _paths(entry).items()}
        return found

    def key_pairs(self) -> list[tuple[Path, Path]]:
        """Each certificate with what must be its own key."""
        one = self._single_files()
        pairs = [(one[ours], one[its]) for ours, its in self.KEY_PAIRS if ours in one and its in one]
        listed = [tuple(_paths(entry).values()) for name in LISTS for entry in getattr(self, name, ())]
        return pairs + [(pair[0], pair[1]) for pair in listed if len(pair) > 1 and pair not in pairs]

    def _single_files(self) -> dict[str, Path]:
        found = {name: getattr(self, name) for name in self.FILES}
        return {name: file for name, file in found.items() if file is not None}

    def showing(self, today: date) -> Self:
        """With the newest of the listed client certificates that may be used today, or the latest that could be."""
        listed: Sequence[ClientCertificateEntry] = getattr(self, "client_certificates", ())
        if not listed:
            return self
        now = [entry for entry in listed if entry.not_before <= today <= entry.not_after]
        chosen = max(now, key=lambda entry: entry.not_before) if now else max(listed, key=lambda entry: entry.not_after)
        return self.model_copy(update={"client_certificate": chosen.file, "client_key": chosen.key})

    @property
    def sealing_form(self) -> str:
        """The vault's name of the form in which fields are sealed, where it is not the protocol's own; else empty."""
        return ""

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
    sealing_keys: Sequence[OwnKeyEntry] = ()


def with_first_of_lists(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is listed wrongly is for the list's own checks."""
    found = dict(written)
    for several, names in LISTS.items():
        if several not in written:
            continue
        if both := [name for name in names.values() if name in written]:
            raise PydanticCustomError("both", f"'{both[0]}' and '{several}': write one or the other")
        listed = written[several]
        first = listed[0] if isinstance(listed, (list, tuple)) and listed else None
        if first is None:
            raise PydanticCustomError("empty_list", f"'{several}' lists nothing")
        if isinstance(first, dict):
            found |= {name: first[one] for one, name in names.items() if one in first}
    return found


def _paths(entry: Dated) -> dict[str, Path]:
    return {name: value for name, value in dict(entry).items() if isinstance(value, Path)}


def _below(folder: Path, entry: Dated) -> Dated:
    return entry.model_copy(update={name: folder / file for name, file in _paths(entry).items()})
