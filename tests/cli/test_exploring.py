"""What exploring says of a flow that no rule was broken in: little, where little of it was reached."""

from collections import Counter

from ivr.cli.exploring import verdict
from ivr.flow.drawing.coverage import Coverage
from tests.benches import SAMPLE, load_flow


def coverage(*unreached: str) -> Coverage:
    flow, _ = load_flow(SAMPLE)
    found = {("account", "found"): 1} if "amount" not in unreached else {}
    return Coverage(flow, Counter(found), Counter({name: 1 for name in flow.steps if name not in unreached}))


def test_where_every_step_was_reached_every_rule_held():
    (line,) = verdict(coverage())
    assert line == "[green]every rule held[/]: docs/testing.md lists them"


def test_where_most_steps_were_reached_it_says_how_many():
    (line,) = verdict(coverage("goodbye_pending"))
    assert "every rule held[/] in the 90 % of steps that calls reached" in line


def test_where_no_bill_was_ever_found_it_says_so_and_what_to_add():
    flow, _ = load_flow(SAMPLE)
    first, *more = verdict(coverage(*[name for name in flow.steps if name != "account"]))
    assert "every rule held" not in first
    assert "calls reached only 10 % of the steps" in first
    assert "nothing was ever found at account" in more[0]
    assert "ACCOUNTS" in more[0]
