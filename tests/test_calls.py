"""Every call written out in tests/calls/*.txt goes as it says: no Python is needed to add one."""

from pathlib import Path

import pytest

from ivr.channels.simulator import World, play, read_script
from ivr.errors import FlowError
from tests.benches import Bench

CALLS = Path(__file__).parent / "calls"
SCRIPTS = sorted(CALLS.glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_call_goes_as_written(script: Path, bench: Bench):
    play(script.read_text(encoding="utf-8"), bench.world())
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
