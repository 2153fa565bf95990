"""The simulator as an ISO 8583 host, and what a merchant of it has: settings, a client, sealed requests; fixtures for the tests."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ivr.bank import AmountSaid, AuthorizationRequest
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.messages import read_trace
from ivr.bank.iso8583.settings import Iso8583Settings
from ivr.bank.simulator import BankSimulator, BookEntry, read_books
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.core.money import Money
from ivr.forwarder.opening import CardOpener
from ivr.vault import Vault
from tests.bank.requests import new_request
from tests.bank_process import SLOW_S, BankKeys, opener_of

PAN = "4111111111111111"
# Of the tests' own purchases, apart from those that a store counts.
_numbers = count(100_001)


@dataclass(frozen=True)
class RunningHost:
    url: str
    folder: Path
    keys: BankKeys

    def settings(self, **other: object) -> Iso8583Settings:
        written = {
            "url": self.url,
            "ca": "keys/bank-ca.crt",
            "client_certificate": "keys/client.crt",
            "client_key": "keys/client.key",
            "terminal": "TILL0001",
            "merchant": "ACME000000001",
            "merchant_name": "ACME WATER WORKS SPRINGFIELD IL US",
            "merchant_category": "4900",
            "acquirer": "400123",
            "connect_timeout": "5s",
            "read_timeout": "20s",
            "reversals_block": "true",
        }
        return Iso8583Settings.model_validate(written | other).below(self.keys.var)

    def opener(self) -> CardOpener:
        return opener_of(self.keys)

    def vault(self) -> Vault:
        return Vault(self.keys.keys / "forwarder-sealing.crt", bytes(32), "forwarder")

    def request(self, pan: str = PAN, minor: int = 4250) -> AuthorizationRequest:
        return new_request(self.vault(), pan, minor)

    def entry(self, trace: str) -> BookEntry | None:
        retrieval = read_trace(trace).retrieval
        return next((entry for entry in read_books(self.folder) if entry.reference == retrieval), None)

    def wait_for(self, happened: Callable[[], object]) -> None:
        for _ in range(3000):
            if happened():
                return
            threading.Event().wait(0.01)
        raise AssertionError("it did not happen")

    @contextmanager
    def client(self, now: Callable[[], datetime] | None = None, **other: object) -> Iterator[Iso8583Bank]:
        clock = {"now": now} if now else {}
        with Iso8583Bank(self.settings(**other), self.opener(), **clock) as bank:
            yield bank


def traced(bank: Iso8583Bank, request: AuthorizationRequest) -> AuthorizationRequest:
    return replace(request, trace=bank.new_trace(next(_numbers), datetime.now(UTC)))


@contextmanager
def running(keys: BankKeys, folder: Path, ways: SimulatorWays) -> Iterator[RunningHost]:
    shutil.copytree(keys.bank, folder, dirs_exist_ok=True)
    with BankSimulator(folder, iso8583_port=0, ways=ways) as simulator:
        assert simulator.iso8583 is not None
        yield RunningHost(simulator.iso8583.url, folder, keys)


@pytest.fixture(scope="session")
def host(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """One for each test process. A reversal that comes before its purchase blocks it."""
    with running(bank_keys, tmp_path_factory.mktemp("iso"), SimulatorWays(SLOW_S)) as one:
        yield one


@pytest.fixture(scope="session")
def forgetful_host(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHost]:
    """A reversal of what has not come is answered and forgotten."""
    with running(bank_keys, tmp_path_factory.mktemp("forgetful"), SimulatorWays(SLOW_S, blocks=False)) as one:
        yield one


@pytest.fixture(scope="session")
def client(host: RunningHost) -> Iterator[Iso8583Bank]:
    with host.client() as one:
        yield one


def as_said(amount: Money) -> AmountSaid:
    """As a host says it that repeats what was asked for."""
    return AmountSaid(amount.minor, amount.currency, is_whole=True)
