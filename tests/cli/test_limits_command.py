"""`python -m ivr limits`: an operator sees what counts, and lets somebody try again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli.limits import limits
from ivr.store import Store, hash_of_caller, open_store
from tests.store.databases import make_empty
from tests.store.payments import begin

KEY = bytes(32)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'limits.db'}"
    make_empty(url)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "fingerprint.key").write_bytes(KEY)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("VAR", str(tmp_path))
    store = open_store(url)
    caller = hash_of_caller(KEY, "+15550100")
    now = datetime.now(UTC)
    begin(store, "CA1-1", caller=caller, card="one card", now=now)
    begin(store, "CA2-1", caller=caller, card="another", now=now)
    begin(store, "CA3-1", caller="", card="another", line="pay-a-bill 15550199", now=now)
    return store


def ivr(*arguments: str) -> str:
    result = CliRunner().invoke(limits, arguments, catch_exceptions=False)
    return result.output


def test_what_counts_is_shown_and_no_number_of_a_caller(store: Store):
    shown = ivr("show")
    assert "line" in shown
    assert "pay-a-bill 15550199" in shown
    assert "5550100" not in shown


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--caller", "001-555-0100"), 2),
        (("--call", "CA2"), 2),
        (("--line", "pay-a-bill 15550199"), 1),
        (("--all",), 3),
        (("--account", "99"), 0),
    ],
)
def test_a_reset_takes_out_what_it_names_and_leaves_an_audit_event(
    store: Store, arguments: tuple[str, ...], count: int
):
    assert ivr("reset", *arguments).startswith(f"{count} ")
    assert (
        sum(one.count for one in store.counted_attempts(datetime(2020, 1, 1, tzinfo=UTC)) if one.what == "card")
        == 3 - count
    )
    assert store.audit_events(1)[0].what == "limits reset"
    assert "5550100" not in store.audit_events(1)[0].about.replace("...", "")


def test_a_reset_of_nobody_asks_whose(store: Store):
    assert "whose?" in ivr("reset")


def test_a_charge_that_was_approved_is_none_of_the_attempts_that_are_reset(store: Store):
    job = store.claim(datetime.now(UTC), 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "approved", datetime.now(UTC))
    assert ivr("reset", "--all").startswith("2 ")
