"""Passwords are hashed quickly here: what a hash costs a guesser is the library's own business."""

import pytest
from argon2 import PasswordHasher

from ivr.portal import credentials


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.nobodys_hash.cache_clear()
    monkeypatch.setattr(credentials, "hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
