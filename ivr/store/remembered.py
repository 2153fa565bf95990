"""What callers agreed to have remembered, a row for each number and flow: sealed as numbers are, found by the number's hash.

A row holds no number, and what it holds opens for nobody where it is copied to another row (`store.caller_numbers`).
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from ivr.core.remembered import Remembered
from ivr.store.caller_numbers import SEALED, NumberSeals
from ivr.store.database import Database, milliseconds
from ivr.store.tables import remembered_caller as table

_KEEP = (
    "INSERT INTO remembered_caller (id, caller_hash, flow, kept, consent, at) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (id) DO UPDATE SET kept = excluded.kept, consent = excluded.consent, at = excluded.at"
)


class RememberedCallers:
    """Thread-safe. `caller_hash`: never that of a withheld number, which is nobody's."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recall(self, caller_hash: str, flow: str, now: datetime) -> Remembered | None:
        """Of a caller who rings now: it is kept from this call on for as long as from the first. None also for what was sealed with
        a key that is lost."""
        mine = table.c.id == row_id(caller_hash, flow)
        with self._database.calls() as connection:
            row = connection.execute(select(table).where(mine)).first()
            if row is not None:
                connection.execute(update(table).where(mine).values(at=milliseconds(now)))
        return opened(self._database.numbers, row) if row is not None else None

    def remember_caller(self, caller_hash: str, flow: str, what: Remembered, consent: str, now: datetime) -> None:
        """In place of what was kept before; the same however often it is asked for. `consent`: the agreement's reference."""
        mine = row_id(caller_hash, flow)
        written = json.dumps({"language": what.language, "account": what.account})
        kept = self._database.numbers.seal(written, sealed_to(mine)) if self._database.numbers else written
        self._database.run(_KEEP, (mine, caller_hash, flow, kept, consent, milliseconds(now)))

    def forget_caller(self, caller_hash: str, flow: str) -> bool:
        """On disk when this returns. False where nothing was kept."""
        with self._database.money() as connection:
            mine = delete(table).where(table.c.id == row_id(caller_hash, flow))
            was_kept = connection.execute(mine).rowcount > 0
        if was_kept:
            self._database.drop_wal()
        return was_kept


def forget_number(connection: Connection, caller_hash: str) -> int:
    """In every flow; how many rows."""
    return connection.execute(delete(table).where(table.c.caller_hash == caller_hash)).rowcount


def row_id(caller_hash: str, flow: str) -> str:
    return f"{caller_hash} {flow}"


def sealed_to(row: str) -> str:
    return f"remembered {row}"


def opened(numbers: NumberSeals | None, row: Row[Any]) -> Remembered | None:
    """None where it cannot be opened."""
    kept = row.kept
    if kept.startswith(SEALED):
        kept = numbers.open(kept, sealed_to(row.id)) if numbers else ""
    return Remembered(**json.loads(kept)) if kept else None
