"""The simulator as a program of its own: it starts, stops when told, and forgets nothing when it is killed."""

import os
import re
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ivr.bank.simulator import BY_NAME, charged, read_books
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.modification_books import BookedModification
from ivr.bank.tonetill import TonetillBank
from ivr.core.money import Money
from ivr.places import SHIPPED as ROOT
from tests.bank.requests import new_request
from tests.bank_process import IMPATIENT, BankKeys, RunningBank
from tests.patience import PATIENCE_S

PROGRAM = [sys.executable, "-m", "ivr.bank.simulator"]


@pytest.fixture
def folder(bank_keys: BankKeys, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bank_keys.bank, tmp_path / "bank"))


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [*PROGRAM, "--port", "0", "--dir", str(folder), "--slow-seconds", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            assert select.select([process.stdout], [], [], PATIENCE_S)[0], "it did not start"
            found = re.search(r"https://\S+:\d+", process.stdout.readline())
            assert found
            yield process, found[0]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_when_told_also_in_the_middle_of_a_request(
    bank_keys: BankKeys, folder: Path, number: signal.Signals
) -> None:
    request = new_request(bank_keys.vault(), BY_NAME["slow"].pan)
    with running(folder) as (process, url), TonetillBank(bank_keys.settings(url, read_timeout=IMPATIENT)) as bank:
        assert bank.authorize(request).outcome == "unknown"
        RunningBank(url, folder, bank_keys.var, bank_keys.settings(url)).wait_for(request.reference)
        process.send_signal(number)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == "bank simulator: stopped\n"
    assert len(charged(read_books(folder))) == 1


def test_killed_it_has_forgotten_nothing_it_has_answered(bank_keys: BankKeys, folder: Path) -> None:
    requests = [new_request(bank_keys.vault()) for _ in range(3)]
    with running(folder) as (process, url), TonetillBank(bank_keys.settings(url)) as bank:
        assert [bank.authorize(request).outcome for request in requests] == ["approved"] * 3
        assert bank.reverse(requests[0].reference).outcome == "reversed"
        process.kill()
        process.wait(PATIENCE_S)
        assert bank.inquire(requests[1].reference).outcome in ("not_sent", "unknown")
    assert [entry.outcome for entry in read_books(folder)] == ["reversed", "approved", "approved"]
    with running(folder) as (_, url), TonetillBank(bank_keys.settings(url)) as bank:
        assert [bank.inquire(request.reference).outcome for request in requests] == ["reversed", "approved", "approved"]
        assert bank.authorize(requests[1]).outcome == "approved"
    assert len(charged(read_books(folder))) == 2


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=ROOT
    )


def test_the_books_are_shown_as_a_table(bank_keys: BankKeys, folder: Path) -> None:
    request = new_request(bank_keys.vault())
    with running(folder) as (_, url), TonetillBank(bank_keys.settings(url)) as bank:
        bank.authorize(request)
        shown = run("--dir", str(folder), "books")
    assert "visa 1111" in shown.stdout
    assert "1 entries, 1 charged" in shown.stdout


def test_the_published_cards_are_shown() -> None:
    shown = run("cards").stdout
    assert all(scenario.pan in shown for scenario in BY_NAME.values())


@pytest.mark.parametrize("missing", ["server.key", "ca.crt", "sealing.key"])
def test_without_its_keys_it_says_how_to_make_them(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    done = run("--port", "0", "--dir", str(folder))
    assert done.returncode == 1
    assert "`python -m ivr set-up` makes" in done.stderr


def test_without_books_it_says_so(tmp_path: Path) -> None:
    assert "there are no books yet" in run("--dir", str(tmp_path), "books").stderr


def test_a_port_that_is_taken_is_named(bank_process, folder: Path) -> None:
    port = bank_process.url.rpartition(":")[2]
    done = run("--port", port, "--dir", str(folder))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}: Address already in use; choose another with --port" in done.stderr


def test_its_books_list_refunds_voids_and_captures_too(folder: Path) -> None:
    books = Books(folder)
    charge = (
        "insert into authorizations (reference, idempotency_key, request_hash, merchant, call, amount_minor, currency, "
    )
    charge += (
        "brand, last4, outcome, response_code, at) values ('CA1-1', 'k', 'h', 'm', 'CA1', 4250, 'USD', 'visa', '1111', "
    )
    books._db.execute(charge + "'approved', '00', '2026-01-15')")
    for number, minor in enumerate((1000, 9000)):
        wanted = BookedModification(f"m{number}", "CA1-1", "refund", Money(minor))
        books.modifications.enter(wanted, "2026-01-15")
    books.close()
    shown = subprocess.run(
        [*PROGRAM, "--dir", str(folder), "books"], cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "160"},
    ).stdout  # fmt: skip
    assert "1 entries, 1 charged" in shown
    assert re.search(r"refund .* m0 .* 10\.00 USD .* done", shown)
    assert re.search(r"refund .* m1 .* 90\.00 USD .* refused .* 61 .* more than is left", shown)
    assert "2 asked for since, 1 done" in shown
