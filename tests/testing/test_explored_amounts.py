"""What a flow's own expressions may come to, as the monkey's rules work it out."""

from pathlib import Path

from ivr.cli.flows import read_folder
from ivr.testing.explore.amounts import FlowAmounts
from tests.benches import ROOT

EARLY = ROOT / "flows" / "early-payment.yaml"
REDUCED = "    set: {saved: 5 % of bill.due, early_amount: bill.due - saved}\n    then: early\n"
OTHER = "    between: [5.00 USD, bill.due]\n    then: {ok: card,"


def computed(folder: Path, changes: dict[str, str], keyed: tuple[int, ...] = ()) -> frozenset[int]:
    """With 100.00 USD due."""
    for name in ("prompts", "parts"):
        (folder / name).symlink_to(EARLY.parent / name)
    text = EARLY.read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / EARLY.name).write_text(text, encoding="utf-8")
    flows = read_folder(folder, [folder / EARLY.name])
    assert not [problem for problem in flows.problems if not problem.is_advice]
    return FlowAmounts(flows.flows["early-payment"]).computed({10000}, {1000}, {}, keyed)


def test_a_value_that_two_steps_set_may_be_either(tmp_path: Path):
    instead = """    when:
      - {if: bill.due > 50.00 USD, then: much}
    else: little
  much:
    set: {saved: 10 % of bill.due, early_amount: bill.due - saved}
    then: early
  little:
    set: {saved: 1.00 USD, early_amount: bill.due - saved}
    then: early
"""
    instead = instead.replace("    when:", "    set: {rest: bill.due - 1.00 USD}\n    then: size\n  size:\n    when:")
    assert {9000, 9900} <= computed(tmp_path, {REDUCED: instead})


def test_a_value_that_is_set_from_itself_has_an_end(tmp_path: Path):
    instead = REDUCED.replace("then: early", "then: less")
    instead += "  less:\n    set: {early_amount: early_amount - 1.00 USD}\n    then: early\n"
    assert {9500, 9400} <= computed(tmp_path, {REDUCED: instead})


def test_a_share_of_a_keyed_amount_is_worked_out(tmp_path: Path):
    share = REDUCED + "  share:\n    set: {amount: 50 % of amount}\n    then: card\n"
    changes = {REDUCED: share, OTHER: OTHER.replace("ok: card", "ok: share")}
    assert 3100 in computed(tmp_path, changes, keyed=(6200,))
