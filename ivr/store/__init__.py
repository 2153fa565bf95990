"""Everything that is kept: calls, the ledger, the outbox, bills and texts; on SQLite or PostgreSQL by URL alone."""

from ivr.store.billing import Bill, Bills
from ivr.store.calls import CallRecord, Calls, StaleCall, StoredCall
from ivr.store.database import Database
from ivr.store.ledger import (
    FINAL,
    Accepted,
    AlreadyBegun,
    BankWord,
    Ledger,
    Limit,
    Limits,
    OverLimit,
    Payment,
    PaymentIntent,
    SealedField,
    Status,
)
from ivr.store.migrations import create_tables, migrate
from ivr.store.outbox import Job, Outbox
from ivr.store.texts import TextMessage, Texts


class Store(Calls, Ledger, Outbox, Bills, Texts):
    """One database's whole store; thread-safe."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        Outbox.__init__(self, database)

    def ping(self) -> None:
        """Raises what the driver raises where the database does not answer."""
        self._database.ping()

    def close(self) -> None:
        self._database.close()


def open_store(url: str) -> Store:
    """The database must have been migrated; ConfigError for a URL that is none."""
    return Store(Database(url))


def memory_store() -> Store:
    """A store that lives as long as the process: for simulated calls and tests."""
    database = Database("sqlite://")
    create_tables(database)
    return Store(database)


__all__ = [
    "FINAL",
    "Accepted",
    "AlreadyBegun",
    "BankWord",
    "Bill",
    "CallRecord",
    "Job",
    "Limit",
    "Limits",
    "OverLimit",
    "Payment",
    "PaymentIntent",
    "SealedField",
    "StaleCall",
    "Status",
    "Store",
    "StoredCall",
    "TextMessage",
    "memory_store",
    "migrate",
    "open_store",
]
