"""What a bank of ISO 8583 needs in `banks.yaml`: where its host is, who the merchant is to it, and what it promises."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, ClassVar, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ivr.bank.iso8583.currencies import NUMBERS
from ivr.bank.iso8583.spec import SHIPPED_SPEC
from ivr.bank.promises import HOUR_S, Promises
from ivr.bank.settings import ClientCertificateEntry, Timeout, VaultSealed, seconds

ARRIVES_WITHIN_S = 90.0
# A purchase leaves this soon after its numbers were written down, or not at all: a process that slept in between must not
# send one that somebody else has given up on meanwhile.
FRESH_S = 10.0
PROMISES = Promises(
    seal="forwarder",
    seal_to="vault",
    operations=frozenset({"sale", "void"}),
    undo="what has arrived",
    undo_waits_s=ARRIVES_WITHIN_S,
    traced=True,
    repeats_modifications_s=HOUR_S,  # 0421 in place of 0420, and no longer than the day of the charge
)


def tls_only(url: str) -> str:
    """The port has no default: hosts have none in common."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = None
    if (
        port is None
        or parts.scheme != "tls"
        or not parts.hostname
        or parts.username
        or parts.path.strip("/")
        or parts.query
    ):
        raise ValueError("expected tls://host:port")
    return url.rstrip("/")


def known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone '{name}'; America/New_York is one")
    return name


class Iso8583Settings(VaultSealed):
    """`reversals_block`: whether a reversal that comes before its purchase also stops that. Ask the acquirer; no is safe.

    `partial_approvals`: whether the host approves less than is asked for where it is told that it may (`partial` in the spec).
    `arrives_within`: how long after it was sent a purchase may still come to the host's books. `spec`: how the host writes.
    """

    FILES: ClassVar[tuple[str, ...]] = (
        *VaultSealed.FILES,
        *("spec", "ca", "client_certificate", "client_key"),
    )
    KEY_PAIRS: ClassVar[tuple[tuple[str, str], ...]] = (
        *VaultSealed.KEY_PAIRS,
        ("client_certificate", "client_key"),
    )

    protocol: str = "iso8583"
    url: Annotated[str, AfterValidator(tls_only)]
    spec: Path = SHIPPED_SPEC
    ca: Path | None = None
    client_certificate: Path | None = None
    client_key: Path | None = None
    client_certificates: Sequence[ClientCertificateEntry] = ()
    terminal: str = Field(pattern=r"^[A-Za-z0-9]{1,8}$")
    merchant: str = Field(pattern=r"^[A-Za-z0-9]{1,15}$")
    merchant_name: str = Field(pattern=r"^[\x20-\x7e]{1,40}$")
    merchant_category: str = Field(pattern=r"^\d{4}$")
    acquirer: str = Field(pattern=r"^\d{1,11}$")
    zone: Annotated[str, AfterValidator(known_zone)] = "UTC"
    reversals_block: bool = False
    partial_approvals: bool = False
    arrives_within: Annotated[float, BeforeValidator(seconds), Field(ge=60, le=86_400)] = ARRIVES_WITHIN_S
    echo_every: Annotated[float, BeforeValidator(seconds), Field(ge=1, le=600)] = 60.0
    repeat_after: Timeout = 8.0

    @field_validator("currencies")
    @classmethod
    def have_numbers(cls, currencies: list[str]) -> list[str]:
        for currency in currencies:
            if currency not in NUMBERS:
                raise ValueError(f"{currency} cannot be taken: its ISO 4217 number is not in currencies.py")
        return currencies

    @model_validator(mode="after")
    def cannot_arrive_later(self) -> Self:
        """It leaves while it is fresh, once a connection stands; twice the time of an answer: to leave, and in the network."""
        least = FRESH_S + self.connect_timeout + 2 * self.read_timeout
        if not self.reversals_block and self.arrives_within < least:
            raise PydanticCustomError(
                "reversed_too_early", f"arrives_within must be {least:g}s or more, by the timeouts"
            )
        return self

    @property
    def promises(self) -> Promises:
        promises = replace(PROMISES, partial_approval=self.partial_approvals)
        if self.reversals_block:
            return replace(promises, undo="also before arrival", undo_waits_s=0.0)
        return replace(promises, undo_waits_s=self.arrives_within)

    def promises_of(self, protocol: Promises) -> Promises:
        return self.promises

    @property
    def local_zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        assert parts.hostname is not None and parts.port is not None  # noqa: PT018
        return parts.hostname, parts.port
