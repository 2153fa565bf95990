"""What `simulate` and `ring` are asked for, and what they say of a call when it is over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ivr.cli.agreements import agreements
from ivr.cli.flow_choice import flow_file
from ivr.cli.on_record import tell_of_line, tell_record
from ivr.cli.refusals import with_cure
from ivr.cli.ring import identity, rung_by
from ivr.cli.simulate import simulate
from ivr.cli.workbench import begin_of
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.phone.sip import CallRefusedError
from ivr.store import Store, memory_store, migrate, open_store
from ivr.testing.recording import RecordedCall
from tests.benches import ROOT, load_flow
from tests.merchants import files_by_flow
from tests.store.test_agreements import PROMISE

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


# ---- which flow


def test_a_flow_is_named_by_its_file_or_by_its_name():
    file = ROOT / "flows" / "donate.yaml"
    assert flow_file(file) == file
    assert flow_file(Path("donate")) == file


@pytest.mark.parametrize(
    ("named", "near"), [("donat", "did you mean 'donate'"), ("nope", "known: card-fee, card-on-file, deposit, donate")]
)
def test_a_flow_that_is_not_there_is_told_with_those_that_are(named: str, near: str):
    with pytest.raises(
        ConfigError, match=rf"there is no flow {named}: write a file, such as .*flows/NAME.yaml.*{near}"
    ):
        flow_file(Path(named))


def test_two_flows_at_once_are_refused():
    with pytest.raises(ConfigError, match="flow utility, but --via is the address of donate"):
        CliRunner().invoke(
            simulate, ["utility", "--via", "http://127.0.0.1:1/twilio/voice/donate"], catch_exceptions=False
        )


def test_a_call_without_a_line_says_that_nobody_is_known_again():
    told = {flow: CliRunner().invoke(simulate, [flow, "--keys", "h"]) for flow in ("returning", "donate")}
    assert [one.exit_code for one in told.values()] == [0, 0]
    assert "simulate returning --via http" in told["returning"].output
    assert "--via" not in told["donate"].output


# ---- when


@pytest.mark.parametrize(
    ("flow", "written", "utc"),
    [
        ("early-payment", "2026-12-25 10:00", "2026-12-25 15:00"),
        ("early-payment", "2026-07-04", "2026-07-04 11:00"),
        ("early-payment", "21:30", "2026-01-16 02:30"),
        ("pay-a-bill", "2026-12-25 10:00", "2026-12-25 10:00"),
    ],
)
def test_another_time_is_by_the_clock_of_the_flow(flow: str, written: str, utc: str, compiled: Callable[[str], object]):
    begin = begin_of(compiled(flow), written, NOW)
    assert f"{begin:%Y-%m-%d %H:%M}" == utc
    assert begin.tzinfo is UTC


@pytest.mark.parametrize("written", ["", "soon", "2026-13-01", "25:00", "2026-12-25T10:00", "2026-12-25 10:00 +01:00"])
def test_what_is_no_time_is_refused(written: str, compiled: Callable[[str], object]):
    with pytest.raises(ConfigError, match="is no time: write '2026-12-25 10:00', 2026-12-25 or 10:00"):
        begin_of(compiled("pay-a-bill"), written, NOW)


def test_a_holiday_can_be_tried_and_recorded(tmp_path: Path):
    file = tmp_path / "closed.txt"
    asked = ["early-payment", "--at", "2026-12-25 10:00", "--keys", "1", "--record", str(file)]
    done = CliRunner().invoke(simulate, asked, catch_exceptions=False)
    assert "the call begins on Friday, 2026-12-25 at 10:00 EST" in done.output
    assert "We are closed." in done.output
    assert file.read_text().startswith("call early-payment from +15550100 at 2026-12-25 15:00\n")


def test_a_recorded_call_that_has_no_time_of_its_own_says_none():
    assert RecordedCall("pay-a-bill", "+15550100").at == ""


@pytest.fixture
def compiled() -> Callable[[str], object]:
    return lambda name: load_flow(files_by_flow()[name])[0]


# ---- what is on record


def told_of(store: Store) -> str:
    console = Console(width=200, record=True, quiet=False, force_terminal=False)
    tell_record(console, store, "CA1")
    return console.export_text()


def test_an_agreement_is_on_record_too():
    store = memory_store()
    store.save_call(replace(rung("CA1"), phase="over", outcome="unpaid"), 0, NOW)
    store.record_agreement(PROMISE)
    told = told_of(store)
    assert "on record: unpaid" in told
    assert "promise of 42.50 USD (by 2026-01-15): agreed to, reference CA1-promise-0a1b2c3d" in told


@pytest.mark.parametrize(
    ("kind", "shown"), [("remember", "  remember: agreed to"), ("keep_card", "  keep card: agreed to")]
)
def test_what_has_no_amount_is_shown_without_one(
    kind: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    url = f"sqlite:///{tmp_path / 'agreed.db'}"
    migrate(url)
    monkeypatch.setenv("DATABASE_URL", url)
    store = open_store(url)
    store.save_call(replace(rung("CA1"), phase="over", outcome="unpaid"), 0, NOW)
    store.record_agreement(replace(PROMISE, kind=kind, amount=Money(0), terms={}))
    assert shown in told_of(store)
    commands = (["show", PROMISE.reference], ["list"], ["list", "--json"])
    told = [CliRunner().invoke(agreements, command, catch_exceptions=False).output for command in commands]
    assert "amount: none\n" in told[0]
    assert '"amount": null' in told[2]
    assert "0.00" not in "".join((*told, told_of(store)))


def test_a_call_of_somebody_elses_line_is_said_to_be_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    url = f"sqlite:///{tmp_path / 'line.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    tell_of_line(Console(width=200), lambda store: None)
    migrate(url)
    tell_of_line(Console(width=200), lambda store: None)
    assert capsys.readouterr().out.count("not in this project's database") == 2


def test_an_agreement_is_shown_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    url = f"sqlite:///{tmp_path / 'agreed.db'}"
    migrate(url)
    monkeypatch.setenv("DATABASE_URL", url)
    store = open_store(url)
    store.record_agreement(replace(PROMISE, terms={"by": "2026-01-15", "last_instalment": "1.00 USD"}))
    shown = CliRunner().invoke(agreements, ["show", PROMISE.reference], catch_exceptions=False).output
    assert "terms: by 2026-01-15, last instalment 1.00 USD\n" in shown
    assert "acknowledged at: not yet\n" in shown


# ---- ring


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        (401, "TRUNK_PEERS"),
        (403, "who may call"),
        (404, "TRUNK_FLOWS says which does"),
        (408, "is a line running"),
        (503, "no more calls"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, cure: str):
    assert cure in str(with_cure(CallRefusedError(status, "No")))


def test_a_refusal_that_nobody_knows_stays_as_it_is():
    assert str(with_cure(CallRefusedError(606, "Not Acceptable"))) == "SIP call refused: 606 Not Acceptable"


def test_a_caller_has_a_number_or_is_withheld():
    assert identity("+15550100", "127.0.0.1") == "sip:+15550100@127.0.0.1"
    assert identity("anonymous", "127.0.0.1") == "sip:anonymous@anonymous.invalid"
    with pytest.raises(ConfigError, match="write a number"):
        identity("a b>", "127.0.0.1")


def rung(name: str, ani: str = "+15550100", channel: str = "sip") -> Call:
    return Call(name, "pay-a-bill", ani, "", channel, "en-US")


def test_the_call_that_came_in_meanwhile_is_the_one():
    store = memory_store()
    store.save_call(rung("before"), 0, NOW - timedelta(minutes=1))
    store.save_call(rung("ours"), 0, NOW + timedelta(seconds=1))
    store.save_call(rung("another's", "+15550199"), 0, NOW + timedelta(seconds=1))
    store.save_call(rung("by webhooks", channel="twilio"), 0, NOW + timedelta(seconds=1))
    assert rung_by("+15550100", NOW)(store) == "ours"
    store.save_call(rung("at the same time"), 0, NOW + timedelta(seconds=2))
    assert rung_by("+15550100", NOW)(store) is None
