"""`python -m ivr cards`: what is kept is shown without what stands for it, and forgotten when that is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ivr.cli.cards import cards
from ivr.errors import RecordError
from ivr.store import Store, open_store
from tests.store.databases import make_empty
from tests.store.payments import ACCOUNT, NOW
from tests.store.test_kept_cards import WORD, pay


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'cards.db'}"
    make_empty(url)
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
    assert CliRunner().invoke(cards, ["forgotten"]).output == "no card was forgotten\n"
    said = CliRunner().invoke(cards, ["forget", ACCOUNT, "--yes"]).output
    assert said == "forgotten here: 1; the bank is asked to delete it too (`cards forgotten` shows when it has)\n"
    assert CliRunner().invoke(cards, ["list"]).output == "no card is kept\n"
    assert isinstance(CliRunner().invoke(cards, ["forget", ACCOUNT, "--yes"]).exception, RecordError)


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        ("", "", "the bank is asked"),
        ("deleted", "", "the bank has deleted it"),
        ("refused", "not given by Stripe", "NOT deleted at the bank: not given by Stripe"),
    ],
)
def test_what_is_said_of_a_forgotten_card_is_what_the_bank_has_said(status: Any, reason: str, shown: str, store: Store):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", NOW)
    if status:
        job = store.claim(NOW, 60)
        assert job is not None
        store.end_deletion(job, status, reason, NOW)
    output = CliRunner().invoke(cards, ["forgotten", "--account", ACCOUNT]).output
    assert shown in output
    record = json.loads(CliRunner().invoke(cards, ["forgotten", "--json"]).output)
    assert (record["at_the_bank"], record["card"]) == (status or "asked", "visa 1111")
    assert WORD.kept_token not in output + json.dumps(record)
