"""The forwarder's tests use the store's databases and the real bank simulator."""

from tests.bank_process import bank, bank_keys, bank_process
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "bank",
    "bank_keys",
    "bank_process",
    "empty_sqlite",
    "postgresql",
    "postgresql_url",
    "sqlite_url",
    "store",
    "url",
]
