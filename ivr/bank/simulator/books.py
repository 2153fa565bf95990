"""The simulator's own books: what was authorized and reversed, append-only in SQLite. Brand and last four, never a PAN."""

import sqlite3
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Literal

from ivr.bank.simulator.card_books import SCHEMA as CARDS
from ivr.bank.simulator.card_books import CardBooks
from ivr.bank.simulator.modification_books import SCHEMA as MODIFICATIONS
from ivr.bank.simulator.modification_books import ModificationBooks
from ivr.core.money import Money
from ivr.errors import ConfigError

FILE = "books.db"
SCHEMA = """
create table if not exists authorizations (
    reference text primary key, idempotency_key text not null unique, request_hash text not null,
    merchant text not null, call text not null, amount_minor integer not null, currency text not null,
    brand text not null, last4 text not null, outcome text not null check (outcome in ('approved', 'declined')),
    response_code text not null, authorization_code text, at text not null, invoice_reference text not null default '', capture_later integer not null default 0, approved_minor integer);
create table if not exists reversals (reference text primary key, at text not null);
drop view if exists entries;
create view entries as
    select a.reference, a.idempotency_key, a.request_hash, a.merchant, a.call,
        coalesce(a.approved_minor, a.amount_minor) as amount_minor, a.currency, a.brand, a.last4,
        case when r.at is not null and a.outcome = 'approved' then 'reversed' else a.outcome end as outcome,
        a.response_code, a.authorization_code, a.invoice_reference, a.capture_later, a.at
    from authorizations a left join reversals r on r.reference = a.reference
    union all
    select r.reference, null, null, null, null, null, null, null, null, 'reversed', null, null, null, 0, r.at
    from reversals r where not exists (select 1 from authorizations a where a.reference = r.reference);
"""
# It was reversed before it arrived. ISO 8583 field 39: 12, invalid transaction.
DECLINED_AS_BLOCKED: dict[str, Any] = {
    **{"outcome": "declined", "response_code": "12", "authorization_code": None},
    "approved_minor": None,
}


@dataclass(frozen=True)
class BookEntry:
    """What the bank knows of a reference. Reversed without an amount: the authorization has not arrived and is blocked.
    `amount`: what is charged; until it is in the books, what was asked for, of which `approved_minor` may be less."""

    reference: str
    idempotency_key: str | None
    request_hash: str | None
    merchant: str | None
    call: str | None
    amount: Money | None
    brand: str | None
    last4: str | None
    outcome: Literal["approved", "declined", "reversed"]
    response_code: str | None
    authorization_code: str | None
    invoice_reference: str | None = None
    capture_later: bool = False
    approved_minor: int | None = None


def system_time() -> datetime:
    return datetime.now(UTC)


class Books:
    """One writer for all threads. What a method has written is on the disk when it returns (synchronous=FULL); without a
    folder there is no disk, and the books live as long as this object. `now`: when an entry is made."""

    def __init__(self, folder: Path | None, now: Callable[[], datetime] = system_time) -> None:
        file = folder / FILE if folder else Path(":memory:")
        self._now = now
        try:
            self._db = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=10)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = full")
            add_missing_columns(self._db)
            self._db.executescript(SCHEMA + MODIFICATIONS + CARDS)
        except sqlite3.Error as error:
            raise ConfigError(f"{file}: {error}; choose another folder with --dir, or remove the file") from None
        self._lock = threading.Lock()
        self.modifications = ModificationBooks(self._db, self._lock)
        self.cards = CardBooks(self._db, self._lock)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def find(self, reference: str) -> BookEntry | None:
        with self._lock:
            return self._find(reference)

    def find_key(self, idempotency_key: str) -> BookEntry | None:
        with self._lock:
            return self._find_key(idempotency_key)

    def authorize(self, entry: BookEntry) -> BookEntry:
        """Enters it once: whoever comes second under the reference or the key is given what the first one entered."""
        with self._lock:
            known = self._find(entry.reference)
            is_blocked = known is not None and known.idempotency_key is None
            if known is None or is_blocked:
                known = self._find_key(entry.idempotency_key)
            if known is not None:
                return known
            self._insert(replace(entry, **DECLINED_AS_BLOCKED) if is_blocked else entry)
            entered = self._find(entry.reference)
            assert entered is not None
            return entered

    def authorize_again(self, entry: BookEntry) -> BookEntry:
        """The same for a bank that tells charges apart by their keys alone: a second one under a reference stands beside the first."""
        for number in count(2):
            entered = self.authorize(entry)
            if entered.idempotency_key == entry.idempotency_key:
                return entered
            entry = replace(entry, reference=f"{entry.reference.partition('#')[0]}#{number}")
        raise AssertionError  # there is always another number

    def entries(self) -> list[BookEntry]:
        with self._lock:
            return [entry_of(row) for row in self._db.execute("select * from entries order by at")]

    def reverse(self, reference: str) -> None:
        """Also where no authorization is there yet: it will be declined when it arrives."""
        with self._lock:
            self._db.execute("insert or ignore into reversals values (?, ?)", (reference, self._at()))

    def _at(self) -> str:
        return self._now().isoformat(timespec="microseconds")

    def _insert(self, entry: BookEntry) -> None:
        assert entry.amount is not None
        about = entry.merchant, entry.call, entry.amount.minor, entry.amount.currency, entry.brand, entry.last4
        decided = entry.outcome, entry.response_code, entry.authorization_code
        values = (
            entry.reference,
            entry.idempotency_key,
            entry.request_hash,
            *about,
            *decided,
            self._at(),
            entry.invoice_reference,
            int(entry.capture_later),
            entry.approved_minor,
        )
        self._db.execute(f"insert into authorizations values ({', '.join('?' * len(values))})", values)  # noqa: S608

    def _find(self, reference: str) -> BookEntry | None:
        row = self._db.execute("select * from entries where reference = ?", (reference,)).fetchone()
        return entry_of(row) if row else None

    def _find_key(self, idempotency_key: str | None) -> BookEntry | None:
        row = self._db.execute("select * from entries where idempotency_key = ?", (idempotency_key,)).fetchone()
        return entry_of(row) if row else None


def read_books(folder: Path) -> list[BookEntry]:
    """Also while the simulator runs, or after it was killed. ConfigError where there are no books."""
    file = folder / FILE
    if not file.exists():
        raise ConfigError(f"{file}: there are no books yet; start the simulator with --dir {folder}")
    db = sqlite3.connect(file, timeout=10)
    try:
        return [entry_of(row) for row in db.execute("select * from entries order by at")]
    finally:
        db.close()


def charged(entries: Iterable[BookEntry]) -> list[BookEntry]:
    """What the bank will take money for."""
    return [entry for entry in entries if entry.outcome == "approved"]


def entry_of(row: tuple[Any, ...]) -> BookEntry:
    reference, key, request_hash, merchant, call, minor, currency, brand, last4, *decided, capture_later, _at = row
    outcome, code, authorization_code, invoice_reference = decided
    amount = None if minor is None else Money(minor, currency)
    about = reference, key, request_hash, merchant, call, amount, brand, last4
    return BookEntry(*about, outcome, code, authorization_code, invoice_reference, bool(capture_later))


# In the order in which they came.
COLUMNS_SINCE = {
    "invoice_reference": "text not null default ''",
    "capture_later": "integer not null default 0",
    "approved_minor": "integer",
}


def add_missing_columns(db: sqlite3.Connection) -> None:
    """Books that were begun before these were booked."""
    there = [row[1] for row in db.execute("pragma table_info(authorizations)")]
    for name, kind in COLUMNS_SINCE.items():
        if there and name not in there:
            db.execute(f"alter table authorizations add column {name} {kind}")
