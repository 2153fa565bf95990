"""The stand-in's fixtures, and the store's for what moves the ledger."""

from tests.bank.adyen.running import adyen, adyen_process
from tests.bank_process import bank_keys
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "adyen",
    "adyen_process",
    "bank_keys",
    "empty_sqlite",
    "postgresql",
    "postgresql_url",
    "sqlite_url",
    "store",
    "url",
]
