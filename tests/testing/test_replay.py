"""Stored calls gone through again: the same flow ends them all the same, and a changed one is caught by those it changes."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr.channels.simulator import play, read_script
from ivr.flow.compiled import Flow
from ivr.testing.explore import Explorer
from ivr.testing.explore.walk import Walk
from ivr.testing.project import Project
from ivr.testing.quiet import quiet
from ivr.testing.replay import EndsOtherwise, can_replay, ended_as, replay, replay_all
from tests.benches import ROOT, Bench, load_flow
from tests.conversation.talk import Talk, sample
from tests.merchants import bench_of, files_by_flow
from tests.testing.projects import make_project

CALLS = sorted((ROOT / "tests" / "calls").glob("*.txt"))
PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "history",
    [
        ("NaN began",),
        ("NaN",),
        ("a b c d e",),
        ("0 began", "NaN keys 1"),
        ("0 began", "1"),
        ("0 began", "1 card"),
        ("0 began", "0 remembered es-MX 700101"),
        ("0 began", "1 found a b c"),
        ("0 began", "1 bank perhaps"),
        ("9" * 5000 + " began",),
    ],
    ids=lambda history: " ".join(history)[:20],
)
def test_a_history_that_cannot_be_read_is_not_replayed(history: tuple[str, ...]):
    assert not can_replay(sample(), replace(Talk().at_receipt().keys("#").call, history=history))


def changed(tmp_path: Path, old: str, new: str) -> Flow:
    folder = make_project(tmp_path / "changed")
    file = folder / "flows" / "pay-a-bill.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return load_flow(file)[0]


def replayed(bench: Bench, flow: Flow) -> EndsOtherwise | None:
    stored = list(bench.workbench.store.ended_calls(flow.name, 10))
    return next(iter(replay_all(flow, stored)))


def test_a_call_that_was_asked_back_for_a_dropped_answer_is_left_out():
    paid = replace(Talk().at_receipt().keys("#").call, history=("1768478400 began", "1 keys 1"))
    assert can_replay(sample(), paid)
    assert can_replay(sample(), replace(paid, moves=("- began", "charge back")))
    assert not can_replay(sample(), replace(paid, moves=("- began", "account back")))


@pytest.mark.parametrize("script", CALLS, ids=lambda path: path.stem)
def test_a_call_through_the_same_flow_ends_the_same(script: Path, sealing_key: Path):
    text = script.read_text(encoding="utf-8")
    name = read_script(text)[0].rest.partition(" from ")[0]
    bench = bench_of(sealing_key, name)
    play(text, bench.world())
    flow = load_flow(files_by_flow()[name])[0]
    stored = list(bench.workbench.store.ended_calls(name, 10))
    assert stored
    for call in stored:
        if "pin back" in call.moves:
            assert not can_replay(flow, call)
            continue
        assert can_replay(flow, call)
        assert ended_as(replay(flow, call)) == ended_as(call), call.history


def test_random_calls_through_the_same_flow_end_the_same():
    project = Project(ROOT / "flows", ROOT / "config" / "accounts.csv")
    explorer = Explorer(project, "pay-a-bill", "5", "whole")
    store = explorer.bench("whole").workbench.store
    with quiet():
        for _ in range(120):
            walk = Walk(explorer.bench("whole"))
            explorer._monkey.walk(walk)
            walk.finish()
            store.renew_bills(project.bills)
    stored = list(store.ended_calls("pay-a-bill", 1000))
    flow = load_flow(ROOT / "flows" / "pay-a-bill.yaml")[0]
    assert len(stored) > 100
    assert [found for found in replay_all(flow, stored) if found] == []


CHANGES = {
    "a brand that is no longer taken": ("[visa, mastercard, amex, discover]", "[mastercard, amex]"),
    "an amount that is too much now": ("max_amount: 500.00 USD", "max_amount: 40.00 USD"),
    "a question more": ("set: bill.due, then: card", "set: bill.due, then: other_amount"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_flow_is_told_by_the_calls_that_end_otherwise(name: str, bench: Bench, tmp_path: Path):
    play(PAID, bench.world())
    found = replayed(bench, changed(tmp_path, *CHANGES[name]))
    assert found is not None
    assert found.before.outcome == "paid"
    assert found.now.outcome == "unpaid"
    assert found.call == bench.line.call_id  # type: ignore[union-attr]


def test_a_change_that_ends_nothing_otherwise_is_silent(bench: Bench, tmp_path: Path):
    play(PAID, bench.world())
    assert replayed(bench, changed(tmp_path, "repeat: 2", "repeat: 3")) is None


def test_no_digit_of_an_account_or_a_card_is_kept(bench: Bench):
    play(PAID, bench.world())
    (call,) = bench.workbench.store.ended_calls("pay-a-bill", 10)
    history = " ".join(call.history)
    assert "digits 8#" in history
    for secret in ("12345678", "4111", "1230", " 123 ", "94105", "1111"):
        assert secret not in history


def test_the_command_names_calls_and_exits_with_one(tmp_path: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch):
    from click.testing import CliRunner

    from ivr.cli import replay as command

    play(PAID, bench.world())
    monkeypatch.setattr(command, "open_store", lambda _url, **_numbers: bench.workbench.store)
    monkeypatch.setattr(command, "number_seals", lambda _settings: None)
    same = CliRunner().invoke(command.replay, [str(ROOT / "flows" / "pay-a-bill.yaml")])
    assert same.exit_code == 0
    changed(tmp_path, *CHANGES["a brand that is no longer taken"])
    other = CliRunner().invoke(command.replay, [str(tmp_path / "changed" / "flows" / "pay-a-bill.yaml")])
    assert other.exit_code == 1
    assert "1 calls replayed, 1 end otherwise" in other.output
    assert "paid (approved 42.50 USD)" in other.output
    assert bench.line is not None
    assert bench.line.call_id[:24] in other.output
