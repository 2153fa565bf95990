"""How long `reconcile` takes over a bank's file of a million rows, and how much memory: it must not grow with the file."""

import csv
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ivr.books import form_called, read_bank_file, reconcile
from ivr.store import Store, migrate, open_store
from ivr.store.database import milliseconds
from ivr.store.tables import ledger_entry, payment_intent, transfer
from tests.store.payments import NOW

AT_ONCE = 10_000
WRONG_EACH = 10_000  # one charge in so many has another amount at the bank


@click.command()
@click.option("--rows", "sizes", multiple=True, type=int, default=(10_000, 1_000_000), show_default=True)
def main(sizes: tuple[int, ...]) -> None:
    """Prints seconds and the most memory of this process, which has grown by what the larger file needed more."""
    table = Table(title="reconcile: a bank's file beside our ledger (SQLite)")
    for column in ("rows", "seconds", "CPU seconds", "rows a second", "differences", "most memory (MB)"):
        table.add_column(column, justify="right")
    for size in sizes:
        table.add_row(f"{size:,}", *measured(size))
    Console().print(table)


def measured(size: int) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store, file = filled(folder, size), written(folder, size)
        began, cpu = time.perf_counter(), time.process_time()
        with reconcile(read_bank_file(file, form_called("tonetill")), store, folder) as found:
            differences = sum(1 for _ in found.differences)
        took = time.perf_counter() - began
        store.close()
        yield from (f"{took:.1f}", f"{time.process_time() - cpu:.1f}", f"{size / took:,.0f}", str(differences))
        yield f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"


def filled(folder: Path, size: int) -> Store:
    """Approved charges, as the ledger has them."""
    url = f"sqlite:///{folder / 'ledger.db'}"
    migrate(url)
    store = open_store(url)
    at = milliseconds(NOW)
    for begin in range(0, size, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, size))
        with store._database.money() as connection:
            connection.execute(insert(payment_intent), [intent_row(number, at) for number in numbers])
            entry = {"kind": "approved", "amount_minor": 4250, "currency": "USD", "at": at, "last_line": 1}
            rows = [{"id": number + 1, "reference": f"CA{number}-1", **entry} for number in numbers]
            connection.execute(insert(ledger_entry), rows)
            moved = {"debit_account": "bank:acme_bank", "credit_account": "sales:demo-merchant", "line": 1}
            moved |= {"amount_minor": 4250, "currency": "USD", "at": at}
            connection.execute(insert(transfer), [{"entry": number + 1, **moved} for number in numbers])
    return store


def intent_row(number: int, at: int) -> dict[str, object]:
    row = {
        "merchant": "demo-merchant",
        "bank": "acme_bank",
        "amount_minor": 4250,
        "currency": "USD",
        "account": "12345678",
    }
    row |= {
        "card_summary": "visa 1111",
        "ani_hash": "a",
        "card_fingerprint": "c",
        "status": "approved",
        "created_at": at,
    }
    named = {"reference": f"CA{number}-1", "idempotency_key": f"CA{number}-1", "call": f"CA{number}"}
    return row | named | {"confirmation_number": f"{number:09d}", "bank_reference": f"B{number}"}


def written(folder: Path, size: int) -> Path:
    file = folder / "bank.csv"
    with file.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("kind", "reference", "bank_reference", "amount", "currency", "at"))
        for number in range(size):
            amount = "42.00" if number % WRONG_EACH == 0 else "42.50"
            writer.writerow(("charge", f"CA{number}-1", f"B{number}", amount, "USD", "2026-01-15T12:00:00"))
    return file


if __name__ == "__main__":
    main()
