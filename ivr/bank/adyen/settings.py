"""What a bank at Adyen needs in `banks.yaml`; its API key and its HMAC key are in the environment."""

from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from ivr.bank.settings import BankSettings, require_counted_alike

TEST_HOST = "checkout-test.adyen.com"
LIVE_HOSTS = "-checkout-live.adyenpayments.com"
# Adyen counts these in other minor units than ISO 4217 does (docs.adyen.com, "Currency codes and minor units").
OTHER_MINOR_UNITS = frozenset({"CLP", "CVE", "IDR", "ISK"})


class AdyenSettings(BankSettings):
    """`ca`: an authority to trust in place of the system's, for a stand-in."""

    FILES: ClassVar[tuple[str, ...]] = ("sealing_key", "ca")

    protocol: str = "adyen"
    merchant_account: str = Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")
    ca: Path | None = None

    @field_validator("currencies")
    @classmethod
    def counted_alike(cls, currencies: list[str]) -> list[str]:
        return require_counted_alike(currencies, OTHER_MINOR_UNITS, "Adyen")

    @property
    def is_live(self) -> bool | None:
        host = urlsplit(self.url).hostname or ""
        if host == TEST_HOST:
            return False
        return True if host.endswith(LIVE_HOSTS) else None
