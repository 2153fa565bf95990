"""The stand-in as a process, and what a merchant of it has: settings, a vault, a client; fixtures for the tests."""

import json
import shutil
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ivr.bank import AuthorizationRequest
from ivr.bank.adyen import AdyenBank, AdyenSettings
from ivr.core.brands import BRAND_NAMES
from ivr.core.money import Money
from ivr.places import SHIPPED as ROOT
from ivr.vault import CardRules, SealContext, Vault
from tests.bank.adyen.keys import API_KEY, MERCHANT_ACCOUNT, Opener, make_keys
from tests.bank.requests import SEALED_AT
from tests.bank_process import BankKeys

PAN, EXPIRY, CVC = "4111111111111111", "1230", "737"


@dataclass(frozen=True)
class RunningAdyen:
    url: str
    folder: Path
    ca: Path

    def settings(self, **other: object) -> AdyenSettings:
        written = {
            "protocol": "adyen",
            "url": f"{self.url}/v72",
            "merchant_account": MERCHANT_ACCOUNT,
            "sealing_key": "adyen-public.txt",
            "ca": str(self.ca),
            "connect_timeout": "20s",
            "read_timeout": "20s",
        }
        return AdyenSettings.model_validate(written | other).below(self.folder)

    def vault(self) -> Vault:
        return Vault(self.folder / "adyen-public.txt", bytes(32), "adyen")

    def opener(self) -> Opener:
        return Opener(self.folder / "adyen-private.pem")

    def seen(self, reference: str) -> list[dict[str, Any]]:
        """What came about a payment of ours, in order."""
        theirs = reference.replace("-", ".")
        return [one for one in self.ask("/_seen") if f'"{theirs}"' in one["body"]]

    def booked(self, reference: str) -> list[dict[str, Any]]:
        theirs = reference.replace("-", ".")
        return [one for one in self.ask("/_books") if one["reference"] == theirs]

    def news(self, reference: str, event: str) -> list[bytes]:
        theirs = reference.replace("-", ".")
        items = [(one["notificationItems"][0]["NotificationRequestItem"], one) for one in self.ask("/_news")]
        found = [one for item, one in items if (item["merchantReference"], item["eventCode"]) == (theirs, event)]
        return [json.dumps(one).encode() for one in found]

    def ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        context = ssl.create_default_context(cafile=self.ca)
        with urllib.request.urlopen(request, context=context, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def adyen_process(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAdyen]:
    folder = tmp_path_factory.mktemp("adyen")
    for name in ("server.crt", "server.key"):
        shutil.copy(bank_keys.bank / name, folder / name)
    make_keys(folder)
    line = [sys.executable, "-m", "tests.bank.adyen.stand_in", str(folder)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        yield RunningAdyen(f"https://127.0.0.1:{port}", folder, bank_keys.keys / "bank-ca.crt")
        process.terminate()


@pytest.fixture
def adyen(adyen_process: RunningAdyen) -> Iterator[AdyenBank]:
    with AdyenBank(adyen_process.settings(), API_KEY) as bank:
        yield bank


def sealed_card(vault: Vault, reference: str) -> dict[str, str]:
    context = SealContext("demo-merchant", reference.rpartition("-")[0], reference)
    rules = CardRules(BRAND_NAMES, "visa")
    keyed = {"card_number": PAN, "expiry": EXPIRY, "security_code": CVC}
    taken = {
        name: vault.take(name, bytearray(keys, "ascii"), context, rules, SEALED_AT) for name, keys in keyed.items()
    }
    return {name: intake.sealed or "" for name, intake in taken.items()}


def request_of(vault: Vault, reference: str, minor: int = 4250, currency: str = "USD") -> AuthorizationRequest:
    sealed = sealed_card(vault, reference)
    call = reference.rpartition("-")[0]
    return AuthorizationRequest(reference, reference, "demo-merchant", call, Money(minor, currency), sealed)
