"""A forwarder that sends cards in clear inside TLS has none left: not in its memory, its log, its database or an exception."""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from ivr.bank.simulator import BY_NAME
from ivr.places import SHIPPED as ROOT
from ivr.store import Accepted, AttemptLimits, SealedField, Store, open_store
from ivr.vault import SealContext, Vault
from ivr.web.server import WIPED_MEMORY
from tests.bank.iso8583.running import RunningHost, host
from tests.bank.requests import sealed_fields
from tests.bank.stripe.running import RunningStripe, stripe_process
from tests.bank_process import BankKeys, bank_keys
from tests.forwarder.charging_process import CHARGED, END, KEEP
from tests.leaks import leaks_in, leaks_in_files
from tests.patience import PATIENCE_S
from tests.store.databases import make_empty
from tests.store.payments import intent
from tests.web.process_memory import card_number, left_in

__all__ = ["bank_keys", "host", "stripe_process"]
CARDS = 6
PANS = [card_number(number) for number in range(CARDS)]
# Charged, declined, and answers that are lost or garbled: every way out of the client.
AMOUNTS = [4250, *(BY_NAME[name].amount_minor for name in ("insufficient_funds", "error_after"))]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[tuple[str, Store]]:
    url = f"sqlite:///{tmp_path}/canary.db"
    make_empty(url)
    store = open_store(url)
    yield url, store
    store.close()


def queue(store: Store, vault: Vault, numbers: Iterable[int]) -> None:
    """A charge for each of these cards, sealed to the forwarder's key."""
    for number in numbers:
        wanted = intent(f"CA{number}-1", minor=AMOUNTS[number % len(AMOUNTS)], caller=f"caller-{number}")
        context = SealContext(wanted.merchant, wanted.call, wanted.reference)
        for field, jwe in sealed_fields(vault, context, PANS[number]).items():
            store.stage_sealed(SealedField(wanted.reference, field, jwe, f"card-{number}"), datetime.now(UTC))
        assert store.begin_payment(wanted, AttemptLimits(), datetime.now(UTC)) == Accepted()


class Charging:
    """The other process, and all that it has printed."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process, self.printed = process, b""

    def does(self, what: str) -> int:
        """How many of the cards lie in its memory afterwards."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n".encode())
        self.process.stdin.flush()
        for said in self.process.stdout:
            self.printed += said
            if said.strip() == CHARGED.encode():
                return left_in([psutil.Process(self.process.pid)], PANS).pans
        raise AssertionError(self.printed.decode())


@contextmanager
def charging(protocol: str, url: str, folder: Path, keys: BankKeys, database: str) -> Iterator[Charging]:
    line = [
        sys.executable,
        "-m",
        "tests.forwarder.charging_process",
        protocol,
        database,
        url,
        str(folder),
        str(keys.var),
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(line, cwd=ROOT, env=os.environ | WIPED_MEMORY, **pipes) as process:  # type: ignore[call-overload]
        forwarder = Charging(process)
        yield forwarder
        rest, _ = process.communicate(f"{END}\n".encode(), timeout=PATIENCE_S)
        forwarder.printed += rest
        assert process.returncode == 0, forwarder.printed


def test_no_card_is_left_by_charges_at_an_iso_8583_host(host: RunningHost, database: tuple[str, Store], tmp_path: Path):
    url, store = database
    with store._database.money() as connection:  # numbers that no other store's charges have at this host
        connection.execute(text("INSERT INTO bank_number (bank, number) VALUES ('acme_bank', 800000)"))
    with charging("iso8583", host.url, host.folder, host.keys, url) as forwarder:
        nothing_is_left(forwarder, store, host.vault())
    assert b"approved" in forwarder.printed
    assert (
        leaks_in(forwarder.printed, PANS) == leaks_in_files(tmp_path, PANS) == leaks_in_files(host.folder, PANS) == []
    )


def test_no_card_is_left_by_charges_at_stripe(
    stripe_process: RunningStripe, database: tuple[str, Store], tmp_path: Path
):
    url, store = database
    with charging("stripe", stripe_process.url, tmp_path, stripe_process.keys, url) as forwarder:
        nothing_is_left(forwarder, store, stripe_process.vault())
    assert b"authorize" in forwarder.printed
    assert leaks_in(forwarder.printed, PANS) == leaks_in_files(tmp_path, PANS) == []


def nothing_is_left(forwarder: Charging, store: Store, vault: Vault) -> None:
    """But what a planted fault keeps of the last card."""
    queue(store, vault, range(CARDS - 1))
    assert forwarder.does("charge") == 0
    assert all(store.entries(f"CA{number}-1")[1:] for number in range(CARDS - 1))
    queue(store, vault, [CARDS - 1])
    assert forwarder.does(KEEP) == 1
