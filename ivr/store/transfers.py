"""The rows of double entry: what an entry of the ledger moves between two accounts; what it moves is decided in `postings`."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, text

from ivr.store.database import straight
from ivr.store.postings import MoneyTransfer, Posted

_READ = text(
    "SELECT e.id, e.kind, e.modification, t.debit_account, t.credit_account, t.amount_minor "
    "FROM ledger_entry e LEFT JOIN transfer t ON t.entry = e.id AND t.currency = :currency "
    "WHERE e.reference = :reference ORDER BY e.id, t.line"
)


EntryRow = tuple[str, str, int, str, str | None, int, int]
"""Reference, kind, minor units, currency, response code, time in milliseconds, number of the modification."""
_ENTRY = (
    "INSERT INTO ledger_entry (reference, kind, amount_minor, currency, response_code, at, modification, last_line) "
)
_TRANSFER = "INSERT INTO transfer (entry, line, debit_account, credit_account, amount_minor, currency, at) "


def write_entry(connection: Connection, row: EntryRow, transfers: Sequence[MoneyTransfer]) -> None:
    """The entry and all of its transfers. Straight to the driver, as `Database.run` and for its reason."""
    entry = (*row, len(transfers) or None)
    moved = [(one.debit, one.credit, one.minor) for one in transfers]
    if connection.dialect.name == "sqlite":
        added = straight(connection, _sqlite_entry(), entry).lastrowid
        about = row[3], row[5]
        rows = [value for line, one in enumerate(moved, 1) for value in (added, line, *one, *about)]
        if rows:
            straight(connection, _sqlite_transfers(len(moved)), tuple(rows))
        return
    values = [value for line, one in enumerate(moved, 1) for value in (line, *one)]
    straight(connection, _postgresql(len(moved)), (*entry, *values))


@cache
def _sqlite_entry() -> str:
    return f"{_ENTRY} VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


@cache
def _sqlite_transfers(count: int) -> str:
    return f"{_TRANSFER} VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?)'] * count)}"


@cache
def _postgresql(count: int) -> str:
    """Both in one statement: one way to the server and back."""
    entry = f"{_ENTRY} VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
    if not count:
        return entry
    rows = ", ".join(["(%s::int, %s::varchar, %s::varchar, %s::bigint)"] * count)
    return (
        f"WITH entry AS ({entry} RETURNING id, currency, at) "  # noqa: S608
        f"{_TRANSFER} SELECT entry.id, moved.line, moved.debit, moved.credit, moved.minor, entry.currency, entry.at "
        f"FROM entry CROSS JOIN (VALUES {rows}) AS moved (line, debit, credit, minor)"
    )


def read_posted(connection: Connection, reference: str, currency: str) -> list[Posted]:
    """The ledger's story of a charge, oldest first, with what each entry moved in this currency."""
    found: dict[int, tuple[str, int, list[MoneyTransfer]]] = {}
    for entry, kind, modification, debit, credit, minor in connection.execute(
        _READ, {"reference": reference, "currency": currency}
    ):
        posted = found.setdefault(entry, (kind, modification, []))
        if debit is not None:
            posted[2].append(MoneyTransfer(debit, credit, minor))
    return [Posted(kind, modification, tuple(transfers)) for kind, modification, transfers in found.values()]
