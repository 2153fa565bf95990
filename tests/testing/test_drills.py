"""Drills: real alerts, ledger and kill switch on a line of their own, and points that follow from what was done to it."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.cli import cli
from ivr.cli.drill import run_on, silent_log
from ivr.testing.drills import SCENARIOS, Drill, DrillRecord, DrillScenario, Score, drill_line, score_of
from ivr.testing.drills.drill_line import cards_of
from tests.leaks import leaks_in_files

NAMES = [scenario.name for scenario in SCENARIOS]
BLIND = {
    "card-testing": ("stop flow pay-a-bill --reason x", "tell bank", "evidence --to i.zip"),
    "card-testing-spread": ("stop flow pay-a-bill --reason x", "tell bank", "evidence --to i.zip"),
    "bank-silent": ("stop bank acme_bank --reason x", "payments list", "tell bank", "wait 10", "start bank acme_bank"),
    "audit-broken": ("stop line --reason x", "evidence --to i.zip", "keys rotate audit", "tell bank"),
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


def played(scenario: DrillScenario) -> Score:
    """What `--best` says, with the references that a list shows."""
    with silent_log(), drill_line(scenario.sealing_key_days) as line:
        drill = Drill(scenario, DrillRecord(line), run_on)
        drill.begin()
        for command in scenario.best:
            given = [paid.intent.reference for paid in line.let_through()] if "REFERENCE" in command else [""]
            for reference in given:
                drill.take(command.replace("REFERENCE", reference))
        return score_of(drill)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_whoever_types_what_the_drill_calls_best_gets_all_points(scenario: DrillScenario):
    score = played(scenario)
    assert (score.points, score.better) == (100, [])


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
def test_every_incident_raises_an_alert(scenario: DrillScenario):
    with silent_log(), drill_line(scenario.sealing_key_days) as line:
        drill = Drill(scenario, DrillRecord(line), run_on)
        drill.begin()
        drill.take("wait 10")
        assert drill.alert_at is not None
        assert drill.alert_at >= scenario.begins


@pytest.mark.parametrize("scenario", SCENARIOS, ids=NAMES)
@pytest.mark.parametrize("minutes", [0, 30])
def test_a_drill_soon_after_midnight_begins_as_any_other(scenario: DrillScenario, minutes: int):
    """Its calls begin three quarters of an hour before, on the day before: keys have days."""
    midnight = datetime.now(UTC).replace(hour=0, minute=0)
    with silent_log(), drill_line(scenario.sealing_key_days, midnight + timedelta(minutes=minutes)) as line:
        drill = Drill(scenario, DrillRecord(line), run_on)
        for _ in range(scenario.begins):
            drill.take("wait 1")
        assert (drill.alert_at, line.turned_away) == (None, 0)


@pytest.mark.parametrize("name", sorted(BLIND))
def test_whoever_stops_before_there_is_a_sign_earns_little_and_reads_why(tmp_path: Path, name: str):
    score = scored(tmp_path, name, *BLIND[name])
    assert (score["notice"], score["contain"], score["mistakes"]) == (0, 0, 20)
    assert int(str(score["points"])) <= 20
    (told,) = [words for words in score["better"] if "before there is a sign" in words]  # type: ignore[attr-defined]
    assert "callers were turned away without a reason (" in told
    assert "(0 of them)" not in told


def test_a_blind_stop_is_no_ending_of_what_is_looked_at_later(tmp_path: Path):
    score = scored(tmp_path, "audit-broken", "stop line --reason x", "wait 2", "alerts list", "audit verify")
    assert (score["notice"], score["contain"], score["mistakes"]) == (20, 0, 20)


def test_whoever_ends_it_at_the_alert_without_a_look_has_noticed_nothing(tmp_path: Path):
    score = scored(tmp_path, "card-testing", "wait 4", "stop flow pay-a-bill --reason x")
    assert (score["notice"], score["contain"]) == (0, 40)


def test_whoever_sees_it_in_a_list_before_the_first_alert_may_end_it(tmp_path: Path):
    score = scored(tmp_path, "card-testing", "wait 2", "payments list", "stop flow pay-a-bill --reason x")
    assert (score["notice"], score["contain"], score["mistakes"]) == (20, 40, 0)


def test_a_list_that_shows_nothing_yet_is_no_sign(tmp_path: Path):
    score = scored(tmp_path, "card-testing", "payments list", "alerts list", "stop flow pay-a-bill --reason x")
    assert (score["notice"], score["contain"], score["mistakes"]) == (0, 0, 20)


@pytest.mark.parametrize("name", NAMES)
def test_whoever_does_nothing_is_told_what_would_have_been_better(tmp_path: Path, name: str):
    score = scored(tmp_path, name, "wait 8")
    assert score["minutes_to_notice"] is None
    assert score["minutes_to_contain"] is None
    assert len(score["better"]) >= 3  # type: ignore[arg-type]
    assert score["points"] == score["tasks"]


def test_a_flow_that_is_stopped_takes_no_stolen_card_any_more_and_late_stops_cost_points(tmp_path: Path):
    early = scored(tmp_path, "card-testing", "wait 4", "stop flow pay-a-bill --reason tried", "wait 3")
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
