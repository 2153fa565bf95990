"""A database that lives in one process's memory is refused where settings are read, before anything is made in it."""

from pathlib import Path

import pytest

from ivr.errors import ConfigError
from ivr.settings import load_settings

IN_MEMORY = [
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite+pysqlite://",
    "sqlite:///file:tills?mode=memory&cache=shared&uri=true",
]


@pytest.mark.parametrize("url", IN_MEMORY)
def test_a_database_in_memory_is_refused_with_the_cure(tmp_path: Path, url: str):
    with pytest.raises(ConfigError, match=r"DATABASE_URL.*a database in memory is lost.*name a file"):
        load_settings({"DATABASE_URL": url, "VAR": str(tmp_path)}, tmp_path)


@pytest.mark.parametrize("url", ["", "sqlite:///till.db", "sqlite:////var/memory/till.db", "postgresql://db/till"])
def test_a_database_that_others_can_open_is_taken(tmp_path: Path, url: str):
    assert load_settings({"DATABASE_URL": url, "VAR": str(tmp_path)}, tmp_path).database_url
