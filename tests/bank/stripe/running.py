"""localstripe and the front door as processes, and what a merchant has for them: settings, a vault, a client; fixtures."""

import http.client
import importlib.util
import json
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from ivr.bank import AuthorizationRequest
from ivr.bank.stripe import StripeBank, StripeSettings
from ivr.core.brands import BRAND_NAMES
from ivr.core.money import Money
from ivr.forwarder.opening import CardOpener
from ivr.places import SHIPPED as ROOT
from ivr.vault import CardRules, SealContext, Vault
from tests.bank.requests import SEALED_AT
from tests.bank.stripe.stand_in import SECRET_KEY
from tests.bank_process import BankKeys, opener_of
from tests.patience import PATIENCE_S
from tests.ports import free_port

PAN, EXPIRY, CVC, POSTAL_CODE = "4242424242424242", "1230", "737", "94105"
DECLINED_PAN = "4000000000000341"  # localstripe declines the charge
ASKING_PAN = "4000002500003155"  # and wants authentication for this one
STATUSES = {"requires_capture": "authorized", "succeeded": "captured", "canceled": "cancelled"}


@dataclass(frozen=True)
class RunningStripe:
    """`port`: localstripe's own, for its list of payment intents; `url`: the front door's."""

    url: str
    port: int
    keys: BankKeys

    def settings(self, **other: object) -> StripeSettings:
        written = {
            "url": self.url,
            "ca": str(self.keys.keys / "bank-ca.crt"),
            "connect_timeout": "8s",
            "read_timeout": "16s",
        }
        return StripeSettings.model_validate(written | other).below(self.keys.var)

    def vault(self) -> Vault:
        return Vault(self.keys.keys / "forwarder-sealing.crt", bytes(32), "forwarder")

    def opener(self) -> CardOpener:
        return opener_of(self.keys)

    def bank(self, key: str = SECRET_KEY, **other: object) -> StripeBank:
        return StripeBank(self.settings(**other), key, self.opener())

    def intents(self) -> list[dict[str, Any]]:
        return self.listed("payment_intents")

    def listed(self, what: str) -> list[dict[str, Any]]:
        """localstripe's own list, from localstripe itself."""
        line = http.client.HTTPConnection("localhost", self.port, timeout=PATIENCE_S)
        line.request("GET", f"/v1/{what}?limit=100000", headers={"Authorization": f"Bearer {SECRET_KEY}"})
        listed = json.loads(line.getresponse().read())["data"]
        line.close()
        return listed

    def booked(self, reference: str) -> list[tuple[int, str]]:
        """What it holds or has taken under a reference of ours: cents, and how it stands."""
        ours = [one for one in self.intents() if one["metadata"].get("tonetill_reference") == reference]
        return [(one["amount"], STATUSES[one["status"]]) for one in ours if one["status"] in STATUSES]

    def refunded(self, reference: str) -> list[int]:
        """Cents of each refund, of what is charged under a reference of ours."""
        ours = {one["id"] for one in self.intents() if one["metadata"].get("tonetill_reference") == reference}
        return [one["amount"] for one in self.listed("refunds") if one["payment_intent"] in ours]

    def seen(self, reference: str) -> list[dict[str, str]]:
        """What came about a payment of ours, in order."""
        return [one for one in self.ask("/_seen") if reference in "".join(one.values())]

    def ask(self, path: str, method: str = "GET") -> Any:
        request = urllib.request.Request(f"{self.url}{path}", method=method)
        context = ssl.create_default_context(cafile=self.keys.keys / "bank-ca.crt")
        with urllib.request.urlopen(request, context=context, timeout=PATIENCE_S) as answer:
            return json.load(answer)


@pytest.fixture(scope="session")
def stripe_process(bank_keys: BankKeys) -> Iterator[RunningStripe]:
    if importlib.util.find_spec("localstripe") is None:
        pytest.skip("localstripe is not installed: pip install --require-hashes -r requirements/dev.txt brings it")
    port = free_port()
    with localstripe(port):
        line = [sys.executable, "-m", "tests.bank.stripe.stand_in", str(bank_keys.bank), str(port)]
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            front = process.stdout.readline().strip()
            yield RunningStripe(f"https://127.0.0.1:{front}", port, bank_keys)
            process.terminate()


@contextmanager
def localstripe(port: int) -> Iterator[None]:
    line = [sys.executable, "-m", "tests.bank.stripe.localstripe_in_memory", "--from-scratch", "--port", str(port)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        if "Running on" not in process.stdout.readline():
            pytest.skip("localstripe does not start here: it listens on IPv6 and IPv4, and needs both")
        try:
            yield
        finally:  # leaving waits for it
            process.terminate()


@pytest.fixture
def stripe_bank(stripe_process: RunningStripe) -> Iterator[StripeBank]:
    with stripe_process.bank() as bank:
        yield bank


def sealed_card(vault: Vault, reference: str, pan: str = PAN) -> dict[str, str]:
    context = SealContext("demo-merchant", reference.rpartition("-")[0], reference)
    rules = CardRules(BRAND_NAMES, "visa")
    keyed = {"card_number": pan, "expiry": EXPIRY, "security_code": CVC, "postal_code": POSTAL_CODE}
    taken = {
        name: vault.take(name, bytearray(keys, "ascii"), context, rules, SEALED_AT) for name, keys in keyed.items()
    }
    return {name: intake.sealed or "" for name, intake in taken.items()}


def request_of(
    vault: Vault, reference: str, minor: int = 4250, pan: str = PAN, currency: str = "USD"
) -> AuthorizationRequest:
    sealed, call = sealed_card(vault, reference, pan), reference.rpartition("-")[0]
    money = Money(minor, currency)
    return AuthorizationRequest(
        reference, reference, "demo-merchant", call, money, sealed, invoice_reference="bill 7&8"
    )
