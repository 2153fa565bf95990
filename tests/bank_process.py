"""A bank to test against: the real simulator over real TLS, its keys made once for all test processes.

Use it from a `conftest.py` or a test module: `from tests.bank_process import bank, bank_keys  # noqa: F401`.
"""

import functools
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr.bank.dev_keys import make_development_keys, one_at_a_time
from ivr.bank.settings import seconds
from ivr.bank.simulator import BankSimulator, BookEntry, read_books
from ivr.bank.simulator.adyen_keys import account_in
from ivr.bank.tonetill import TonetillBank, TonetillSettings
from ivr.forwarder.opening import CardOpener
from ivr.vault import Vault

PATIENT = "20s"  # a busy machine must not make an answer unknown
IMPATIENT = "300ms"  # where silence is what is tested
SLOW_S = 0.05  # the slow cards, still answered in time


@dataclass(frozen=True)
class BankKeys:
    """`var` is as the engine sees it: `keys` below it; the bank's own folder is beside."""

    var: Path

    @property
    def keys(self) -> Path:
        return self.var / "keys"

    @property
    def bank(self) -> Path:
        return self.var / "bank"

    def settings(self, url: str, **other: object) -> TonetillSettings:
        written = {
            "url": url,
            "sealing_key": "keys/bank-sealing.crt",
            "ca": "keys/bank-ca.crt",
            "client_certificate": "keys/client.crt",
            "client_key": "keys/client.key",
            "connect_timeout": "5s",
            "read_timeout": PATIENT,
        }
        return TonetillSettings.model_validate(written | other).below(self.var)

    def vault(self) -> Vault:
        return Vault(self.keys / "bank-sealing.crt", (self.keys / "fingerprint.key").read_bytes())


@functools.cache
def opener_of(keys: BankKeys) -> CardOpener:
    """The forwarder's own; OpenSSL examines its key for a tenth of a second."""
    return CardOpener(keys.keys / "forwarder-sealing.key")


@dataclass(frozen=True)
class RunningBank:
    """`folder` holds its books; `settings` are the engine's for it."""

    url: str
    folder: Path
    var: Path
    settings: TonetillSettings

    def entries(self) -> list[BookEntry]:
        return read_books(self.folder)

    def entry(self, reference: str) -> BookEntry | None:
        return next((entry for entry in self.entries() if entry.reference == reference), None)

    def wait_for(self, reference: str) -> None:
        """Until the bank has booked it: a client that gave up does not know when."""
        for _ in range(2000):
            if self.entry(reference) is not None:
                return
            threading.Event().wait(0.01)
        raise AssertionError(f"the bank has not booked {reference}")

    def write_banks_yaml(self, file: Path, name: str = "acme_bank", read_timeout: str = PATIENT) -> Path:
        """A `banks.yaml` with this bank alone, for a whole engine with its `var` here."""
        file.write_text(
            f"banks:\n  {name}:\n    url: {self.url}\n    sealing_key: {self.settings.sealing_key}\n"
            f"    ca: {self.settings.ca}\n    client_certificate: {self.settings.client_certificate}\n"
            f"    client_key: {self.settings.client_key}\n    read_timeout: {read_timeout}\n",
            encoding="utf-8",
        )
        return file


@pytest.fixture(scope="session")
def bank_keys(tmp_path_factory: pytest.TempPathFactory) -> BankKeys:
    """One set for all workers of a run: RSA keys are slow to make. Copy the folder before changing anything in it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    made = BankKeys(shared / "bank-var")
    make_development_keys(made.keys, made.bank)
    with one_at_a_time(made.keys):
        account_in(made.bank)
    return made


@pytest.fixture
def own_keys(bank_keys: BankKeys, tmp_path: Path) -> BankKeys:
    """A copy to break."""
    return BankKeys(Path(shutil.copytree(bank_keys.var, tmp_path / "own-var")))


@pytest.fixture(scope="session")
def bank_process(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBank]:
    """One simulator for each test process; references tell the tests' charges apart."""
    folder = tmp_path_factory.mktemp("bank")
    shutil.copytree(bank_keys.bank, folder, dirs_exist_ok=True)
    with BankSimulator(folder, slow_s=SLOW_S) as simulator:
        yield RunningBank(simulator.url, folder, bank_keys.var, bank_keys.settings(simulator.url))


@pytest.fixture
def impatient_bank(bank_process: RunningBank) -> Iterator[TonetillBank]:
    """A client that soon takes silence for an answer; on a busy machine also where the answer is on its way."""
    settings = bank_process.settings.model_copy(update={"read_timeout": seconds(IMPATIENT)})
    with TonetillBank(settings) as client:
        yield client


@pytest.fixture
def bank(bank_process: RunningBank) -> Iterator[TonetillBank]:
    """A client of the running simulator."""
    with TonetillBank(bank_process.settings) as client:
        yield client
