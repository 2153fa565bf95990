"""Drills: real alerts, ledger and kill switch on a line of their own, and points that follow from what was done to it."""

import json
import zipfile
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.testing.drills import SCENARIOS, drill_line
from ivr.testing.drills.drill_line import cards_of
from tests.leaks import leaks_in_files

NAMES = [scenario.name for scenario in SCENARIOS]
WELL = {
    "bank-silent": """wait 3
        alerts list
        stop bank acme_bank --reason silent
        payments list --status unknown
        tell bank
        wait 7
        payments list --status unknown
        start bank acme_bank""",
    "forged-webhooks": """wait 3
        alerts list
        keys plan TWILIO_AUTH_TOKEN
        tell twilio
        payments list
        evidence --to a.zip""",
    "key-ends": """alerts list
        keys plan acme_bank
        keys rotate acme_bank
        tell bank
        keys list""",
    "audit-broken": """wait 3
        alerts list
        stop line --reason broken
        audit verify
        evidence --to a.zip
        keys rotate audit
        tell bank""",
}


def drill(tmp_path: Path, name: str, *commands: str, more: tuple[str, ...] = ()) -> Result:
    answers = tmp_path / "answers.txt"
    answers.write_text("\n".join(["# as somebody typed it", *commands]))
    return CliRunner().invoke(cli, ["drill", name, "--answers", str(answers), *more])


def scored(tmp_path: Path, name: str, *commands: str) -> dict[str, object]:
    result = drill(tmp_path, name, *commands, more=("--json",))
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("name", sorted(WELL))
def test_whoever_does_what_the_plan_says_gets_all_points(tmp_path: Path, name: str):
    score = scored(tmp_path, name, *WELL[name].splitlines())
    assert (score["points"], score["better"]) == (100, [])


@pytest.mark.parametrize("name", NAMES)
def test_whoever_does_nothing_is_told_what_would_have_been_better(tmp_path: Path, name: str):
    score = scored(tmp_path, name, "wait 8")
    assert score["minutes_to_notice"] is None
    assert score["minutes_to_contain"] is None
    assert len(score["better"]) >= 3  # type: ignore[arg-type]
    assert score["points"] == score["tasks"]


def test_a_flow_that_is_stopped_takes_no_stolen_card_any_more_and_late_stops_cost_points(tmp_path: Path):
    early = scored(tmp_path, "card-testing", "wait 3", "stop flow pay-a-bill --reason tried", "wait 3")
    late = scored(tmp_path, "card-testing", "wait 9", "stop flow pay-a-bill --reason tried", "wait 2")
    assert early["contain"] == 40
    assert int(str(late["contain"])) < 40
    assert int(str(early["tried"])) < int(str(late["tried"])) // 2
    assert int(str(early["let_through"])) < int(str(late["let_through"]))


def test_charges_that_were_let_through_are_given_back_by_their_references(tmp_path: Path):
    with drill_line() as line:
        line.tester("+12125550001", 3, hits=True)
        (paid,) = line.let_through()
        assert [one.status for one in line.attack_payments()] == ["declined", "declined", "approved"]
        result = CliRunner().invoke(cli, ["payments", "refund", paid.intent.reference, "--yes"], env=line.environment)
        assert result.exit_code == 0, result.output
        assert line.store.modifications_of(paid.intent.reference)


def test_a_drill_reads_and_touches_no_other_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real = tmp_path / "real"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{real}/real.db")
    monkeypatch.setenv("VAR", str(real))
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "of-the-real-line")
    with drill_line() as line:
        assert line.environment["TWILIO_AUTH_TOKEN"] is None
        stopped = CliRunner().invoke(cli, ["stop", "line", "--reason", "a drill"], env=line.environment)
        assert stopped.exit_code == 0, stopped.output
        assert line.store.is_stopped("pay-a-bill", "acme_bank")
        folder = line.folder
    assert not real.exists()
    assert not folder.exists()


def test_what_starts_processes_and_what_is_none_is_refused(tmp_path: Path):
    told = drill(tmp_path, "key-ends", "up", "frobnicate", 'stop line --reason "open', "wait 99", "tell", "done").output
    assert "'up' is nothing for a drill" in told
    assert "'frobnicate' is nothing for a drill" in told
    assert "a quotation mark is not closed" in told
    assert "wait how long?" in told
    assert "tell whom?" in told


def test_what_a_command_writes_stays_in_the_drill(tmp_path: Path):
    target = tmp_path / "mine.zip"
    drill(tmp_path, "key-ends", f"evidence --to {target}", "done")
    assert not target.exists()


def test_mistakes_cost_points_and_are_named(tmp_path: Path):
    score = scored(tmp_path, "forged-webhooks", "wait 3", "alerts list", "stop line --reason forged", "done")
    assert score["mistakes"] == 10
    assert any("turned away for nothing" in words for words in score["better"])  # type: ignore[union-attr]


def test_the_list_and_the_best_answers_are_told_without_a_drill():
    listed = CliRunner().invoke(cli, ["drill", "--list"]).output
    assert all(name in listed for name in NAMES)
    assert len(NAMES) >= 5
    assert "stop bank acme_bank" in CliRunner().invoke(cli, ["drill", "bank-silent", "--best"]).output
    assert "there is no drill 'bank-silnt': did you mean 'bank-silent'?" in str(
        CliRunner().invoke(cli, ["drill", "bank-silnt"]).exception
    )


def test_too_few_points_fail_a_script(tmp_path: Path):
    assert drill(tmp_path, "key-ends", "done", more=("--least", "70")).exit_code == 1


def test_no_card_is_left_in_the_files_of_a_drill():
    with drill_line() as line:
        line.tester("+12125550001", 2)
        line.payer()
        assert len(line.attack_payments()) == 2
        packed = CliRunner().invoke(cli, ["evidence", "--to", str(line.folder / "a.zip")], env=line.environment)
        assert packed.exit_code == 0, packed.output
        with zipfile.ZipFile(line.folder / "a.zip") as archive:
            archive.extractall(line.folder / "unpacked")
        assert not leaks_in_files(line.folder, islice(cards_of("400000"), 3))
