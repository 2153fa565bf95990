"""Where the seconds of a call go: counted for two kinds of callers, with a voice of which every character takes a tenth."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.cli.simulate import simulate
from ivr.core.actions import Phrase
from ivr.errors import ConfigError
from ivr.testing import seconds
from ivr.testing.seconds import (
    BANK_S,
    BARGE_IN_S,
    EXPERT,
    FIRST_TIME,
    KEY_S,
    Answers,
    CallPart,
    PhraseLengths,
    TimedCaller,
    TimedLine,
    by_kind,
    by_name,
    in_order,
    time_call,
)
from tests.benches import ROOT, Bench

FLOW = ROOT / "flows" / "pay-a-bill.yaml"
CANARY = "4000001234567899"


def voice_of(bench: Bench) -> PhraseLengths:
    words = bench.workbench.prompts.words

    def until(phrase: Phrase, values: frozenset[str]) -> float:
        spoken = {slot.name for slot in bench.workbench.prompts.slots(phrase.language, phrase.name)}
        return len(words(phrase)) / 20 if spoken & values else 0.0

    return PhraseLengths(lambda phrase: len(words(phrase)) / 10, until)


def timed(bench: Bench, caller: TimedCaller, keys: str | None = None, language: int = 1) -> list[CallPart]:
    work = bench.workbench
    line = TimedLine(work.runner, work.store, work.prompts.words, work.clock, work.work)
    line.dial("SIM-time", "pay-a-bill", ani="+15550100")
    answers = in_order(keys) if keys is not None else Answers(language, "12345678")
    return time_call(line, caller, answers, voice_of(bench))


def test_a_first_time_caller_hears_every_prompt_to_its_end(bench: Bench):
    spent = by_name(timed(bench, FIRST_TIME))
    words = bench.workbench.prompts.words(Phrase("enter_card_number", "en-US"))
    assert spent["prompt", "enter_card_number"] == pytest.approx(len(words) / 10)
    assert list(spent)[:3] == [("prompt", "choose_language"), ("keys", "language"), ("prompt", "welcome")]
    assert list(spent)[-1] == ("prompt", "goodbye")


def test_an_expert_hears_only_what_is_new_up_to_its_last_value(bench: Bench):
    parts = timed(bench, EXPERT)
    spent = by_name(parts)
    assert spent["prompt", "enter_card_number"] == BARGE_IN_S
    assert spent["prompt", "confirm_card"] > BARGE_IN_S
    assert ("prompt", "pay_another_amount") not in spent
    assert ("prompt", "sms_offer") not in spent


def test_what_cannot_be_interrupted_is_heard_out_by_an_expert_too(bench: Bench):
    first = {part.name: part.seconds for part in timed(bench, EXPERT) if part.kind == "prompt"}
    words = bench.workbench.prompts.words
    assert first["hold_while_charging"] == len(words(Phrase("hold_while_charging", "en-US"))) / 10


def test_each_key_takes_its_time_and_the_done_key_is_pressed_where_a_timer_would_run(bench: Bench):
    parts = timed(bench, FIRST_TIME)
    keys = {part.name: part.seconds / KEY_S for part in parts if part.kind == "keys"}
    assert keys == {
        **{"language": 1, "account_number": 9, "menu": 1, "card_number": 17, "expiry": 4},
        **{"security_code": 3, "postal_code": 5, "confirm": 1, "repeat": 1},
    }


def test_the_bank_and_the_words_before_its_answer_take_no_less_than_the_bank(bench: Bench):
    spent = by_name(timed(bench, FIRST_TIME))
    waited = spent["prompt", "hold_while_charging"] + spent.get(("hold", "bank"), 0.0)
    assert BANK_S <= waited < BANK_S + 0.5


def test_a_silence_lasts_as_long_as_the_flows_patience(bench: Bench):
    keys = "- 12345678 1 4111111111111111 1230 123 94105 1 #"
    assert by_name(timed(bench, FIRST_TIME, keys))["silence", "language"] == 10.0


def test_the_parts_of_a_call_are_all_of_it(bench: Bench):
    parts = timed(bench, FIRST_TIME)
    assert sum(by_kind(parts).values()) == pytest.approx(sum(by_name(parts).values()))
    assert sum(by_kind(parts).values()) == pytest.approx(sum(part.seconds for part in parts))


def test_a_question_of_the_flows_own_needs_keys():
    with pytest.raises(ConfigError, match=r"key in for ticket_number: give the keys of a call with --keys"):
        Answers(1, "12345678")("ticket_number", ())


def test_a_call_that_finds_no_end_is_told(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(seconds, "MOST_TURNS", 5)
    with pytest.raises(ConfigError, match="not over after"):
        timed(bench, FIRST_TIME, "1 12345678# 1")


# ---- the command


def run(*arguments: str, var: Path) -> str:
    environment = {"VAR": str(var), "TRUNK_VOICE": "tones"}
    result = CliRunner().invoke(simulate, [str(FLOW), "--time", *arguments], env=environment, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_tells_both_callers_as_json(tmp_path: Path):
    told = json.loads(run("--json", "-l", "es-MX", var=tmp_path))
    assert (told["flow"], told["language"], told["voice"]) == ("pay-a-bill", "es-MX", "tones")
    assert set(told["callers"]) == {"first time", "expert"}
    first = told["callers"]["first time"]
    assert first["total_s"] == pytest.approx(sum(part["seconds"] for part in first["parts"]), abs=1.0)


def test_the_command_prints_a_table_with_a_total(tmp_path: Path):
    table = run(var=tmp_path)
    assert "enter_card_number" in table
    assert "answer to goodbye" in table


def test_a_language_that_the_flow_does_not_speak_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"--language es-MY: the flow does not speak it \(did you mean 'es-MX'"):
        run("-l", "es-MY", var=tmp_path)


def test_no_card_is_told_or_left_behind(tmp_path: Path):
    keys = f"1 12345678 1 {CANARY}# 1230 739 94105 1 #"
    told = run("--json", "--keys", keys, var=tmp_path)
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert CANARY not in told
    assert CANARY.encode() not in left


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Auckland"])
def test_a_flow_with_hours_is_called_when_it_is_open(tmp_path: Path, zone: str):
    """A simulated call begins on a Thursday at noon by UTC: an hour after midnight in Auckland."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows")
    file = tmp_path / "flows" / "early-payment.yaml"
    file.write_text(file.read_text().replace("America/New_York", zone))
    environment = {"VAR": str(tmp_path), "TRUNK_VOICE": "tones"}
    told = CliRunner().invoke(simulate, [str(file), "--time", "--json"], env=environment, catch_exceptions=False)
    names = {part["name"] for part in json.loads(told.output)["callers"]["first time"]["parts"]}
    assert "confirm_card" in names or "enter_card_number" in names
