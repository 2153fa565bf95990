"""Cards that the simulator keeps: a token for each, with brand, last four and expiry, and never a card number."""

import sqlite3
import threading
from dataclasses import astuple, dataclass, field

SCHEMA = """
create table if not exists kept_cards (
    token text primary key, reference text not null unique, merchant text not null,
    brand text not null, last4 text not null, expires text not null);
"""


@dataclass(frozen=True)
class BookedCard:
    """`reference`: of the authorization that it was kept with. `expires`: 2030-12."""

    token: str = field(repr=False)
    reference: str
    merchant: str
    brand: str
    last4: str
    expires: str


class CardBooks:
    """On the books' own connection and lock."""

    def __init__(self, db: sqlite3.Connection, lock: threading.Lock) -> None:
        self._db, self._lock = db, lock

    def find(self, token: str, merchant: str) -> BookedCard | None:
        """A token is good for the merchant that it was given to, and for nobody else."""
        return self._one("token = ? and merchant = ?", token, merchant)

    def kept_with(self, reference: str) -> BookedCard | None:
        return self._one("reference = ?", reference)

    def keep(self, card: BookedCard) -> None:
        """Once for each authorization."""
        with self._lock:
            self._db.execute("insert or ignore into kept_cards values (?, ?, ?, ?, ?, ?)", astuple(card))

    def delete(self, token: str, merchant: str) -> bool:
        """Whether there was one. Nobody else's is deleted."""
        with self._lock:
            found = self._db.execute("delete from kept_cards where token = ? and merchant = ?", (token, merchant))
            return found.rowcount == 1

    def _one(self, condition: str, *values: str) -> BookedCard | None:
        with self._lock:
            row = self._db.execute(f"select * from kept_cards where {condition}", values).fetchone()  # noqa: S608
        return BookedCard(*row) if row else None
