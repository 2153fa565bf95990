"""The host's fixtures, and the store's for what moves the ledger."""

from tests.bank.iso8583.running import client, forgetful_host, host
from tests.bank_process import bank_keys
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "bank_keys",
    "client",
    "empty_sqlite",
    "forgetful_host",
    "host",
    "postgresql",
    "postgresql_url",
    "sqlite_url",
    "store",
    "url",
]
