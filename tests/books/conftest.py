"""This folder's tests run on both databases."""

from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = ["empty_sqlite", "postgresql", "postgresql_url", "sqlite_url", "store", "url"]
