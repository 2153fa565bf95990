"""The model of the store, which exploring stands on, ends every call as the store itself does, and keeps no card."""

from pathlib import Path

import pytest

from ivr.calls.checking_vault import CheckingVault
from ivr.channels.simulator import play
from ivr.testing.explore import Explorer, explorer
from ivr.testing.explore.acts import Act
from ivr.testing.explore.depth import bench_at
from ivr.testing.explore.explorer import MODEL
from ivr.testing.explore.model import ModelledStore
from ivr.testing.project import Project
from ivr.testing.quiet import quiet
from ivr.testing.rehearsal import rehearse
from ivr.vault import CardRules, SealContext
from tests.benches import ROOT

PROJECT = Project(ROOT / "tests" / "flows" / "sample", ROOT / "config" / "accounts.csv")
CALLS = ROOT / "tests" / "calls"
SAMPLE = sorted(file for file in CALLS.glob("*.txt") if "pay-a-bill" in file.read_text(encoding="utf-8"))
CANARY = "4012888888881881"  # a published test number


def explored(seed: str, walks: int, monkeypatch: pytest.MonkeyPatch) -> Explorer:
    """Every walk at both depths."""
    monkeypatch.setattr(explorer, "WHOLE_EVERY", 1)
    walked = Explorer(PROJECT, "pay-a-bill", seed, "quick")
    with quiet():
        for _ in range(walks):
            walked.next_walk()
    return walked


def test_random_walks_end_alike_in_the_model_and_in_the_store(monkeypatch: pytest.MonkeyPatch):
    walked = explored("model", 80, monkeypatch)
    assert not walked.found, [found.file for found in walked.found.values()]
    assert walked.whole_calls == walked.calls
    assert walked.endings["paid"] > 10


def test_a_model_that_drifts_is_found_and_the_way_to_it_shrunk(monkeypatch: pytest.MonkeyPatch):
    """Here it takes every bill for one that is being paid: the calls end uncharged, and break no other rule."""
    monkeypatch.setattr(ModelledStore, "is_being_paid", lambda *_arguments: True)
    found = explored("drift", 30, monkeypatch).found[MODEL]
    assert len(found.acts) <= 9, found.file
    assert "rule: model" in found.file


@pytest.mark.parametrize("file", SAMPLE, ids=lambda file: file.stem)
def test_a_call_file_passes_over_the_model_as_well(file: Path):
    bench = bench_at("quick", PROJECT, "pay-a-bill")
    play(file.read_text(encoding="utf-8"), bench.world())
    bench.money_agrees()


def test_the_checking_vault_wipes_what_it_is_given_and_seals_nothing():
    keys = bytearray(CANARY.encode())
    bench = bench_at("quick", PROJECT, "pay-a-bill")
    rules = CardRules(frozenset({"visa"}))
    now = bench.workbench.clock()
    intake = CheckingVault(bytes(32)).take("card_number", keys, SealContext("m", "c", "i"), rules, now)
    assert intake.valid
    assert intake.sealed == ""
    assert not any(keys)
    assert CANARY not in repr(intake)


def test_no_card_number_is_kept_in_the_model():
    text = (CALLS / "approved.txt").read_text(encoding="utf-8").replace("4111111111111111", CANARY)
    bench = bench_at("quick", PROJECT, "pay-a-bill")
    play(text, bench.world())
    store = bench.workbench.store
    assert bench.payments() == ["approved"]
    assert CANARY not in repr(vars(store))


def test_no_card_number_is_kept_while_it_is_being_keyed_in():
    text = (CALLS / "hang-up-mid-card.txt").read_text(encoding="utf-8").partition("  hangs")[0]
    bench = bench_at("quick", PROJECT, "pay-a-bill")
    rehearse(text.replace("4111111111111111", CANARY) + "  ends   open\n", bench.world())
    store = bench.workbench.store
    assert isinstance(store, ModelledStore)
    assert store.is_staged(f"{bench.line.call_id}-1")  # type: ignore[union-attr]
    assert CANARY not in repr(vars(store))


def test_a_walk_does_not_begin_with_the_card_that_an_earlier_one_had_kept():
    """Seed 2711/5 of `card-on-file` broke the rule `model`: an earlier walk's card was still kept in the store, and key 1 paid."""
    flows = Explorer(Project(ROOT / "flows", None), "card-on-file", "kept", "quick")
    card = ["2", "111111#", "1001", "1", "4111111111111111#", "1230", "123", "94105", "1", "1"]
    keep = [Act("call", "card-on-file from +15550101"), *(Act("keys", keys) for keys in card)]
    keep += [Act("bank", "approves"), Act("wait")]
    with quiet():
        kept = flows._done_twice(keep)
        again = flows._done_twice([*keep[:5], *keep[9:]])
    assert [kept.untrue, kept.endings, again.untrue, again.endings] == [None, ["paid"], None, ["unpaid"]]
    assert kept.records[0][3], "the card was not kept, which is what this test is about"
