"""localstripe's fixtures, and the store's for what moves the ledger."""

from tests.bank.stripe.running import stripe_bank, stripe_process
from tests.bank_process import bank_keys
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = [
    "bank_keys",
    "empty_sqlite",
    "postgresql",
    "postgresql_url",
    "sqlite_url",
    "store",
    "stripe_bank",
    "stripe_process",
    "url",
]
