"""The host's fixtures, and the store's for what moves the ledger."""

from tests.bank.iso8583.running import client, forgetful_host, host
from tests.bank.iso8583.strangers import foreign
from tests.bank_process import bank_keys, own_keys
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "bank_keys",
    "client",
    "empty_sqlite",
    "foreign",
    "forgetful_host",
    "host",
    "own_keys",
    "postgresql",
    "postgresql_url",
    "sqlite_url",
    "store",
    "url",
]
