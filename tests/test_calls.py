"""Every call written out in tests/calls/*.txt goes as it says: no Python is needed to add one."""

from pathlib import Path

import pytest

from ivr.channels.simulator import World, play, read_script
from ivr.errors import FlowError
from tests.benches import Bench, make_bench
from tests.merchants import bench_of

CALLS = Path(__file__).parent / "calls"
SCRIPTS = sorted(CALLS.glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_call_goes_as_written(script: Path, sealing_key: Path):
    text = script.read_text(encoding="utf-8")
    bench = bench_of(sealing_key, read_script(text)[0].rest.partition(" from ")[0])
    play(text, bench.world())
    bench.money_agrees()


def test_a_call_that_goes_another_way_is_told_with_its_line(bench: Bench):
    with pytest.raises(AssertionError, match=r"line 3: did not hear enter_card_number; heard .*enter_account_number"):
        play("call pay-a-bill from +15550100\n  keys 1\n  hears enter_card_number\n", bench.world())


def test_a_wrong_ending_is_told(bench: Bench):
    with pytest.raises(AssertionError, match="line 3: ends unpaid, expected paid"):
        play("call pay-a-bill\n hangs up\n ends paid\n", bench.world())


@pytest.mark.parametrize("text", ["", "hears welcome", "call pay-a-bill\n  whistles\n"])
def test_a_script_that_cannot_be_read_is_a_clear_error(text: str):
    with pytest.raises(FlowError, match=r"line 2|begins with"):
        read_script(text)


def test_the_world_can_be_asked_what_was_texted(bench: Bench):
    assert isinstance(bench.world(), World)


def test_a_fault_after_a_charge_has_begun_does_not_say_that_nothing_was_charged(bench: Bench, monkeypatch):
    store = type(bench.workbench.store)
    begin = store.begin_payment

    def begin_then_break(*arguments):
        begin(*arguments)
        raise OSError("the disk is full")

    script = (CALLS / "approved.txt").read_text(encoding="utf-8").partition("  hears  confirm_card")[0]
    monkeypatch.setattr(store, "begin_payment", begin_then_break)
    script += "  keys 1\n  hears apology\n  hears we_will_text_the_result\n  ends pending\n  bank approves\n  payment approved\n"
    play(script, bench.world())


def test_a_flow_that_charges_nobody_is_a_flow_too(sealing_key, tmp_path):
    (tmp_path / "prompts").symlink_to(CALLS.parent.parent / "flows" / "prompts")
    flow = "flow: greet\nlanguages: [en-US]\nlimits: {max_amount: 1.00 USD}\nstart: bye\nsteps:\n  bye: {end: unpaid}\n"
    (tmp_path / "greet.yaml").write_text(flow)
    bench = make_bench(sealing_key, tmp_path / "greet.yaml")
    play("call greet\n  hears you_were_not_charged\n  ends unpaid\n", bench.world())
