"""Fixtures that whole-call tests share, and how all tests are collected."""

import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ivr.testing.bench import throw_away_key
from tests.benches import Bench, make_bench
from tests.shares import in_shares

# One profile for all properties: how long an example takes says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Twelve thousand tests are no garbage: to look for it among them, over and over, is a third of collecting them in each
    process, and half a second each time later on."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)  # of what is left once marks have chosen
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = in_shares(items, lambda item: item.path, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


@pytest.fixture(scope="session")
def sealing_key() -> Path:
    return throw_away_key()


@pytest.fixture
def bench(sealing_key: Path) -> Bench:
    return make_bench(sealing_key)
