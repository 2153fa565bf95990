"""Calls in pieces on several cores: what comes out is the same on any number of them."""

from collections import Counter
from pathlib import Path

import pytest

from ivr.calls.assembly import load_flow
from ivr.channels.simulator import play
from ivr.testing.explore import explore, pieces
from ivr.testing.explore import explorer as explorer_module
from ivr.testing.project import Project
from ivr.testing.replay import replay_all
from ivr.testing.replay_pieces import replay_in_pieces
from tests.benches import ROOT, Bench
from tests.testing.projects import make_project
from tests.testing.spoken_plants import consent_names_another_card

PROJECT = Project(ROOT / "flows", ROOT / "config" / "accounts.csv")
PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")

HUNG_UP = "call pay-a-bill from +15550100\n  keys   1\n  hangs  up\n  ends   unpaid\n"


def test_the_same_calls_are_explored_by_one_process_and_by_two(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(pieces.CALLS_A_TASK, "quick", 8)  # type: ignore[arg-type]
    one, two = (list(explore(PROJECT, "pay-a-bill", 24, 1, jobs)) for jobs in (1, 2))
    assert [part.endings for part in one] == [part.endings for part in two]
    assert [part.taken for part in one] == [part.taken for part in two]
    assert sum(part.calls for part in two) >= 24
    assert sum((part.endings for part in two), Counter[str]())["paid"] > 3


def test_the_same_fault_is_found_first_by_one_process_and_by_two(monkeypatch: pytest.MonkeyPatch):
    consent_names_another_card(monkeypatch)
    monkeypatch.setattr(explorer_module, "shrink", lambda acts, _breaks: list(acts))
    monkeypatch.setitem(pieces.CALLS_A_TASK, "quick", 8)  # type: ignore[arg-type]
    parts = [list(explore(PROJECT, "pay-a-bill", 16, 1, jobs)) for jobs in (1, 2)]
    one, two = ([broken.file for part in explored for broken in part.found.values()] for explored in parts)
    assert one == two
    assert "rule: said" in one[0]


def test_calls_replayed_by_two_processes_end_as_by_one_and_in_order(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ivr.testing.replay_pieces.CALLS_A_PIECE", 2)
    for text in (HUNG_UP, PAID, HUNG_UP):
        play(text, bench.world())
    file = make_project(tmp_path / "changed") / "flows" / "pay-a-bill.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[visa, mastercard, amex, discover]", "[mastercard, amex]"), encoding="utf-8")
    flow, stored = load_flow(file)[0], list(bench.workbench.store.ended_calls("pay-a-bill", 10))
    by_two = [answer for piece in replay_in_pieces(flow, file, stored, jobs=2) for answer in piece]
    assert by_two == list(replay_all(flow, stored))
    assert [answer is not None for answer in by_two].count(True) == 1
