"""An operator's message: every new call hears it first, in the caller's language, from the moment at which it is set."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.channels.simulator import play
from ivr.cli.message import message
from ivr.errors import ConfigError
from ivr.store import Announcement, Store, open_store
from tests.benches import Bench
from tests.store.databases import make_empty

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
TEXTS = {"en-US": "The power is out.", "es-MX": "No hay luz."}


def test_a_message_is_heard_first_and_the_call_goes_on(bench: Bench):
    bench.workbench.store.announce(Announcement("", TEXTS, False, NOW))
    script = """
    call pay-a-bill from +15550100
      keys  2
      says  No hay luz.
      hears welcome
      hears enter_account_number
      hangs up
      ends  unpaid
    """
    play(script, bench.world())


def test_a_message_that_ends_calls_ends_them_with_the_truth(bench: Bench):
    bench.workbench.store.announce(Announcement("pay-a-bill", {"en-US": "Closed today."}, True, NOW))
    script = """
    call pay-a-bill from +15550100
      keys  2
      says  Closed today.
      never hears enter_account_number
      hears you_were_not_charged
      hears goodbye
      ends  unpaid
    """
    play(script, bench.world())


def test_a_message_of_the_flow_goes_before_that_of_all(bench: Bench):
    store = bench.workbench.store
    store.announce(Announcement("", TEXTS, False, NOW))
    store.announce(Announcement("pay-a-bill", {"en-US": "First."}, False, NOW))
    store.announce(Announcement("pay-a-bill", {"en-US": "Second."}, False, NOW))
    assert store.announcement_for("pay-a-bill").texts == {"en-US": "Second."}
    assert store.announcement_for("another").texts == TEXTS
    assert store.stop_announcing("pay-a-bill")
    assert not store.stop_announcing("pay-a-bill")
    assert store.announcement_for("pay-a-bill").texts == TEXTS


def test_a_call_goes_on_where_the_message_cannot_be_read(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    def broken(_store: Store, _flow: str) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(type(bench.workbench.store), "announcement_for", broken)
    play("call pay-a-bill from +15550100\n  keys 1\n  hears enter_account_number\n  ends open\n", bench.world())


def test_a_message_is_set_shown_and_cleared_from_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'message.db'}"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    store, run = open_store(url), CliRunner().invoke
    told = run(message, ["set", "--say", "en-US", "The power is out.", "--end-calls"])
    assert "new calls of all flows hear it from now on and are then ended" in told.output
    assert store.announcement_for("pay-a-bill").ends_calls
    assert "en-US  The power is out." in run(message, ["show"]).output
    run(message, ["clear"])
    assert store.announcement_for("pay-a-bill") is None
    assert "no message is set" in run(message, ["show"]).output
    assert [event.what for event in store.audit_events(2)] == ["message cleared", "message set"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--flow", "pay-a-bil"], r"--flow pay-a-bil: there is no such flow \(did you mean 'pay-a-bill'\?\)"),
        (["--flow", "nope"], r"there is no such flow \(known: card-fee, card-on-file, .*pay-a-bill"),
        (["--say", "fr-FR", "Fermé."], r"--say fr-FR: no flow speaks it \(known: en-US, es-MX\)"),
        (["--flow", "pay-a-bill", "--say", "en-GB", "Closed."], r"pay-a-bill does not speak it \(did you mean 'en-US'"),
    ],
)
def test_a_message_that_nobody_would_hear_is_refused(
    arguments: list[str], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    url = f"sqlite:///{tmp_path / 'message.db'}"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(ConfigError, match=why):
        CliRunner().invoke(message, ["set", "--say", "en-US", "The power is out.", *arguments], catch_exceptions=False)
    assert not open_store(url).announcements()


@pytest.mark.parametrize(
    ("language", "text", "why"),
    [
        ("en_US", "Hello.", "this is not a language"),
        ("en-US", "   ", "no words"),
        ("en-US", "x" * 501, "at most 500"),
        ("en-US", "Use 4111 1111 1111 1111.", "as long as a card number"),
    ],
)
def test_a_message_that_cannot_be_said_is_refused(language: str, text: str, why: str):
    result = CliRunner().invoke(message, ["set", "--say", language, text])
    assert why in str(result.exception)
