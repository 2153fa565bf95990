"""The rows of double entry: what an entry of the ledger moves between two accounts; what it moves is decided in `postings`."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Connection, TextClause, text

from ivr.store.postings import Posted, Transfer

_READ = text(
    "SELECT e.id, e.kind, e.modification, t.debit_account, t.credit_account, t.amount_minor "
    "FROM ledger_entry e LEFT JOIN transfer t ON t.entry = e.id AND t.currency = :currency "
    "WHERE e.reference = :reference ORDER BY e.id, t.line"
)


def add_transfers(connection: Connection, entry: int, transfers: Sequence[Transfer], currency: str, at_ms: int) -> None:
    """All in one statement; the entry is there, and names the last of them."""
    row: dict[str, object] = {"entry": entry, "currency": currency, "at": at_ms}
    for line, one in enumerate(transfers, 1):
        row |= {f"debit{line}": one.debit, f"credit{line}": one.credit, f"minor{line}": one.minor}
    connection.execute(_add(len(transfers)), row)


@cache
def _add(count: int) -> TextClause:
    rows = (f"(:entry, {n}, :debit{n}, :credit{n}, :minor{n}, :currency, :at)" for n in range(1, count + 1))
    return text(
        "INSERT INTO transfer (entry, line, debit_account, credit_account, amount_minor, currency, at) "  # noqa: S608
        f"VALUES {', '.join(rows)}"
    )


def read_posted(connection: Connection, reference: str, currency: str) -> list[Posted]:
    """The ledger's story of a charge, oldest first, with what each entry moved in this currency."""
    found: dict[int, tuple[str, int, list[Transfer]]] = {}
    for entry, kind, modification, debit, credit, minor in connection.execute(
        _READ, {"reference": reference, "currency": currency}
    ):
        posted = found.setdefault(entry, (kind, modification, []))
        if debit is not None:
            posted[2].append(Transfer(debit, credit, minor))
    return [Posted(kind, modification, tuple(transfers)) for kind, modification, transfers in found.values()]
