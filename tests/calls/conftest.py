"""The tests of calls use the store's databases and the real bank simulator."""

from tests.bank_process import bank, bank_keys, bank_process
from tests.calls.billings import server
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "bank",
    "bank_keys",
    "bank_process",
    "empty_sqlite",
    "postgresql",
    "postgresql_url",
    "server",
    "sqlite_url",
    "store",
    "url",
]
