"""The forwarder against the bank simulator, over mutual TLS: whatever the bank does, its books and ours agree."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from ivr.bank import LEASE_S
from ivr.bank.simulator import charged
from ivr.bank.tonetill import TonetillBank
from ivr.calls.number_keys import write_number_keys
from ivr.channels.simulator import Clock
from ivr.forwarder.process import Forwarder
from ivr.places import SHIPPED as ROOT
from ivr.store import Accepted, AttemptLimits, SealedField, Store
from ivr.vault import SealContext
from tests.bank.requests import sealed_fields
from tests.bank_process import BankKeys, RunningBank
from tests.patience import PATIENCE_S
from tests.store.databases import NUMBER_KEY
from tests.store.payments import intent

SILENCE_S = 2.0  # how long the client waits for the two amounts that are never answered
# The published amounts: what becomes of each in the end, and by which way.
ENDS = {
    4250: ["requested", "approved"],
    1305: ["requested", "declined"],
    1351: ["requested", "declined"],
    1360: ["requested", "approved"],
    1362: ["requested", "unknown", "undo_asked", "reversed"],
    1363: ["requested", "unknown", "approved"],
    1364: ["requested", "unknown", "undo_asked", "reversed"],
    1365: ["requested", "unknown", "approved"],
    1366: ["requested", "unknown", "undo_asked", "reversed"],
    1367: ["requested", "unknown", "approved"],
    1368: ["requested", "unknown", "approved"],
    1369: ["requested", "unknown", "undo_asked", "reversed"],
}


def begin(store: Store, keys: BankKeys, minor: int, now: datetime, *, captures_later: bool = False) -> str:
    """A charge with fields that the vault has sealed to this bank."""
    wanted = replace(intent(f"CA{uuid4().hex}-1", minor=minor), captures_later=captures_later)
    context = SealContext(wanted.merchant, wanted.call, wanted.reference)
    for field, jwe in sealed_fields(keys.vault(), context, "4111111111111111").items():
        store.stage_sealed(SealedField(wanted.reference, field, jwe), now)
    assert store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
    return wanted.reference


def settle(store: Store, bank: TonetillBank, clock: Clock) -> None:
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock)
    for _ in range(100):
        while forwarder.run_once():
            pass
        if not any(store.outbox_depth().values()):
            return
        clock.advance(LEASE_S + 1)
    raise AssertionError("never settled")


def agree(store: Store, bank: RunningBank, references: dict[int, str]) -> None:
    theirs = {entry.reference: entry.amount.minor for entry in charged(bank.entries()) if entry.amount}
    for minor, reference in references.items():
        payment = store.payment(reference)
        assert payment is not None
        assert (payment.status == "approved") == (reference in theirs)
        assert theirs.get(reference, minor) == minor


def test_whatever_the_bank_does_the_books_agree(store: Store, bank_keys: BankKeys, bank_process: RunningBank):
    clock = Clock(datetime.now(UTC))
    references = {minor: begin(store, bank_keys, minor, clock()) for minor in ENDS}
    settings = bank_process.settings.model_copy(update={"read_timeout": SILENCE_S})
    with TonetillBank(settings) as bank:
        settle(store, bank, clock)
    agree(store, bank_process, references)
    told = {minor: store.entries(reference) for minor, reference in references.items()}
    assert told == ENDS


def test_a_bank_that_is_not_there_is_surely_not_sent_to(store: Store, bank_keys: BankKeys, bank_process: RunningBank):
    clock = Clock(datetime.now(UTC))
    reference = begin(store, bank_keys, 4250, clock())
    nobody = bank_process.settings.model_copy(update={"url": "https://127.0.0.1:1"})
    with TonetillBank(nobody) as bank:
        settle(store, bank, clock)
    assert store.entries(reference) == ["requested", "not_sent"]
    agree(store, bank_process, {4250: reference})


def environment(url: str, bank: RunningBank, folder: Path) -> dict[str, str]:
    """Of a process that has the key which the tests' own store seals numbers with."""
    var = folder / "var"
    shutil.copytree(bank.var / "keys", var / "keys", dirs_exist_ok=True)
    write_number_keys(var / "keys", [NUMBER_KEY])
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": url,
        "BANKS": str(bank.write_banks_yaml(folder / "banks.yaml")),
        "VAR": str(var),
        "LOG_FORMAT": "json",
    }


def wait_for(happened: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    tick = threading.Event()
    for _ in range(int(PATIENCE_S * 20)):
        if happened():
            return
        assert process.poll() is None, "the forwarder has stopped by itself"
        tick.wait(0.05)
    raise AssertionError("it did not happen")


def test_the_process_is_killed_while_the_bank_charges_and_the_next_finds_out(
    store: Store, url: str, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, tmp_path: Path
):
    """A charge in the bank's books, its answer lost, and the forwarder gone before it could notice."""
    now = datetime.now(UTC)
    reference = begin(store, bank_keys, 1363, now)
    process = subprocess.Popen(
        [sys.executable, "-m", "ivr.forwarder"], cwd=ROOT, env=environment(url, bank_process, tmp_path)
    )
    try:
        wait_for(lambda: bank_process.entry(reference), process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    payment = store.payment(reference)
    assert payment is not None
    assert payment.status == "sent"
    settle(store, bank, Clock(datetime.now(UTC) + timedelta(seconds=LEASE_S + 1)))
    assert store.entries(reference) == ["requested", "unknown", "approved"]
    agree(store, bank_process, {1363: reference})


def test_the_process_takes_what_is_due_and_stops_cleanly_when_told(
    store: Store, url: str, bank_keys: BankKeys, bank_process: RunningBank, tmp_path: Path
):
    references = {minor: begin(store, bank_keys, minor, datetime.now(UTC)) for minor in (4250, 1305)}
    process = subprocess.Popen(
        [sys.executable, "-m", "ivr.forwarder"], cwd=ROOT, env=environment(url, bank_process, tmp_path)
    )
    try:
        wait_for(lambda: not any(store.outbox_depth().values()), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
    agree(store, bank_process, references)


def test_without_its_database_the_process_says_what_to_do(bank_process: RunningBank, tmp_path: Path):
    url = f"sqlite:///{tmp_path / 'nothing.db'}"
    ended = subprocess.run(
        [sys.executable, "-m", "ivr.forwarder"],
        cwd=ROOT,
        env=environment(url, bank_process, tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert ended.returncode != 0
    assert "set-up" in ended.stderr
    assert "Traceback" not in ended.stderr
