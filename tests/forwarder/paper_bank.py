"""A bank whose books are a file, so that they outlive a forwarder that is killed; what becomes of a request is the test's to say."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.bank.tonetill import PROMISES

# lost: never arrives. silent: charged, and the answer is lost. late: arrives when `deliver` is called, perhaps after all.
Fate = Literal["approve", "decline", "lost", "silent", "late", "not_sent"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS request (reference TEXT, fields INTEGER);
CREATE TABLE IF NOT EXISTS late (reference TEXT PRIMARY KEY, minor INTEGER);
CREATE TABLE IF NOT EXISTS book (reference TEXT PRIMARY KEY, minor INTEGER, outcome TEXT);
CREATE TABLE IF NOT EXISTS reversal (reference TEXT PRIMARY KEY);
"""


@dataclass
class PaperBank:
    """`at` is called at each point of a request's way; `answers`: what inquiries and reversals meet."""

    file: Path
    fate: Fate = "approve"
    answers: Literal["well", "not at all", "nobody there"] = "well"
    at: Callable[[str], object] = lambda point: None
    promises = PROMISES

    def __post_init__(self) -> None:
        with self._books() as books:
            books.executescript(SCHEMA)

    # ---- what the forwarder asks

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        fate, reference = self.fate, request.reference
        self.at("before it leaves")
        if fate == "not_sent":
            return BankAnswer("not_sent", reference)
        with self._books() as books:
            books.execute("INSERT INTO request VALUES (?, ?)", (reference, len(request.sealed)))
            if fate == "late":
                books.execute("INSERT OR IGNORE INTO late VALUES (?, ?)", (reference, request.amount.minor))
        self.at("on its way")
        if fate in ("lost", "late"):
            return BankAnswer("unknown", reference)
        answer = self._enter(reference, request.amount.minor, declines=fate == "decline")
        self.at("in the books")
        return BankAnswer("unknown", reference) if fate == "silent" else answer

    def inquire(self, reference: str) -> BankAnswer:
        self.at("inquiry")
        if self.answers != "well":
            return self._no_answer(reference)
        with self._books() as books:
            if books.execute("SELECT 1 FROM reversal WHERE reference = ?", (reference,)).fetchone():
                return BankAnswer("reversed", reference, "00")
        return self._answer(reference) or BankAnswer("not_found", reference, "25")

    def reverse(self, reference: str) -> BankAnswer:
        self.at("reversal")
        if self.answers != "well":
            return self._no_answer(reference)
        with self._books() as books:
            books.execute("INSERT OR IGNORE INTO reversal VALUES (?)", (reference,))
        self.at("reversed")
        return BankAnswer("reversed", reference, "00")

    # ---- what the test asks

    def deliver(self) -> int:
        """The late requests arrive now."""
        with self._books() as books:
            late = books.execute("SELECT reference, minor FROM late").fetchall()
            books.execute("DELETE FROM late")
        for reference, minor in late:
            self._enter(reference, minor)
        return len(late)

    def charged(self) -> dict[str, int]:
        """What the bank takes money for."""
        with self._books() as books:
            return dict(
                books.execute(
                    "SELECT reference, minor FROM book WHERE outcome = 'approved' "
                    "AND reference NOT IN (SELECT reference FROM reversal)"
                )
            )

    def sent_more_than_once(self) -> list[str]:
        with self._books() as books:
            return [row[0] for row in books.execute("SELECT reference FROM request GROUP BY 1 HAVING count(*) > 1")]

    def sent_without_card(self) -> list[str]:
        with self._books() as books:
            return [row[0] for row in books.execute("SELECT reference FROM request WHERE fields <> 4")]

    def requests(self) -> int:
        with self._books() as books:
            return int(books.execute("SELECT count(*) FROM request").fetchone()[0])

    # ---- the books

    def _enter(self, reference: str, minor: int, *, declines: bool = False) -> BankAnswer:
        with self._books() as books:
            blocked = books.execute("SELECT 1 FROM reversal WHERE reference = ?", (reference,)).fetchone()
            outcome = "declined" if declines or blocked else "approved"
            books.execute("INSERT OR IGNORE INTO book VALUES (?, ?, ?)", (reference, minor, outcome))
        answer = self._answer(reference)
        assert answer is not None
        return answer

    def _answer(self, reference: str) -> BankAnswer | None:
        with self._books() as books:
            row = books.execute("SELECT outcome FROM book WHERE reference = ?", (reference,)).fetchone()
        if row is None:
            return None
        return BankAnswer(row[0], reference, *(("00", "123456") if row[0] == "approved" else ("05", None)))

    def _no_answer(self, reference: str) -> BankAnswer:
        return BankAnswer("not_sent" if self.answers == "nobody there" else "unknown", reference)

    @contextmanager
    def _books(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file, timeout=10, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            if connection.in_transaction:
                connection.execute("COMMIT")
        finally:
            connection.close()
