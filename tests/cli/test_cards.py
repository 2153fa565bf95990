"""`python -m ivr cards`: what is kept is shown without what stands for it, and forgotten when that is asked for."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli.cards import cards
from ivr.errors import RecordError
from ivr.store import Store, migrate, open_store
from tests.store.payments import ACCOUNT
from tests.store.test_kept_cards import WORD, pay


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'cards.db'}"
    migrate(url)
    monkeypatch.setenv("DATABASE_URL", url)
    return open_store(url)


def test_a_kept_card_is_listed_without_what_stands_for_it_and_forgotten(store: Store):
    pay(store, "CA1-1")
    for form in ([], ["--json"], ["--account", ACCOUNT]):
        shown = CliRunner().invoke(cards, ["list", *form]).output
        assert "visa 1111" in shown
        assert WORD.kept_token not in shown
    (record,) = [json.loads(line) for line in CliRunner().invoke(cards, ["list", "--json"]).output.splitlines()]
    assert (record["account"], record["expires"]) == (ACCOUNT, "2030-12")
    asked = CliRunner().invoke(cards, ["forget", ACCOUNT])
    assert "--yes does it without asking" in asked.output
    assert CliRunner().invoke(cards, ["forget", ACCOUNT, "--yes"]).output == "forgotten: 1\n"
    assert CliRunner().invoke(cards, ["list"]).output == "no card is kept\n"
    assert isinstance(CliRunner().invoke(cards, ["forget", ACCOUNT, "--yes"]).exception, RecordError)
