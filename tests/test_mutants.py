"""Mistakes in money code, as patches: each applies to the tree as it is, and the tests that look for any mistake find it."""

import sys
from pathlib import Path

import pytest

from benchmarks.bench_mutants import main
from tests.benches import ROOT
from tests.mutants.finders import BY_NAME, FINDERS, UNIT, Finder, find
from tests.mutants.patches import Mutant, PatchFailed, applied, copy_tree, named, read_mutant, read_mutants

LEAST = 50
MUTANTS = read_mutants()
QUICK = Finder("quick", ("--noconftest", "tests/core/test_card_fees.py"))
MONEY = ("ivr/bank/", "ivr/calls/", "ivr/core/", "ivr/forwarder/", "ivr/store/", "ivr/vault/")


def tree_with(tmp_path: Path, *names: str) -> Path:
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def written(folder: Path, content: str) -> Mutant:
    folder.mkdir(exist_ok=True)
    (folder / "a-mistake.patch").write_text(content)
    return read_mutant(folder / "a-mistake.patch")


def a_patch(old: str, new: str, line: int = 1) -> str:
    return f"A mistake.\n\n--- a/money.py\n+++ b/money.py\n@@ -{line},1 +{line},1 @@\n-{old}\n+{new}\n"


def test_every_patch_applies_and_leaves_python_that_differs(tmp_path: Path):
    assert len(MUTANTS) >= LEAST
    tree = tree_with(tmp_path, *{name for one in MUTANTS for name in one.files})
    for mutant in MUTANTS:
        assert mutant.files, mutant.name
        with applied(mutant, tree):
            for name in mutant.files:
                assert (tree / name).read_bytes() != (ROOT / name).read_bytes(), mutant.name
        for name in mutant.files:
            assert (tree / name).read_bytes() == (ROOT / name).read_bytes(), mutant.name


def test_every_patch_says_in_a_line_what_is_wrong_and_what_finds_it():
    for mutant in MUTANTS:
        assert mutant.reason.endswith("."), mutant.name
        assert mutant.finder in {*BY_NAME, UNIT}, mutant.name
        assert mutant.finder != UNIT or mutant.unit, mutant.name
        assert all((ROOT / name).exists() for name in mutant.unit), mutant.name
        assert all(name.startswith(MONEY) for name in mutant.files), mutant.name
    reasons = [mutant.reason for mutant in MUTANTS]
    assert len(set(reasons)) == len(reasons)


def test_the_tests_that_are_asked_are_there():
    for finder in FINDERS:
        for test in finder.tests:
            file, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / file).read_text() if name else (ROOT / file).exists(), test


def test_a_patch_applies_though_lines_have_moved(tmp_path: Path):
    (tmp_path / "money.py").write_text("# more\n" * 40 + "minor = 1\n")
    with applied(written(tmp_path / "patches", a_patch("minor = 1", "minor = 1.0", line=3)), tmp_path):
        assert (tmp_path / "money.py").read_text().endswith("minor = 1.0\n")
    assert (tmp_path / "money.py").read_text().endswith("minor = 1\n")


@pytest.mark.parametrize(("old", "new"), [("minor = 2", "minor = 3"), ("minor = 1", "minor = = 1")])
def test_a_patch_that_does_not_fit_is_named(old: str, new: str, tmp_path: Path):
    (tmp_path / "money.py").write_text("minor = 1\n")
    mutant = written(tmp_path / "patches", a_patch(old, new))
    with pytest.raises(PatchFailed, match=r"a-mistake\.patch"), applied(mutant, tmp_path):
        pass
    assert (tmp_path / "money.py").read_text() == "minor = 1\n"


def test_a_name_that_no_patch_has_is_an_error():
    assert [one.name for one in named(MUTANTS, ["fence-dropped"])] == ["fence-dropped"]
    with pytest.raises(PatchFailed, match="no-such-mistake"):
        named(MUTANTS, ["no-such-mistake"])


def test_the_runner_lists_them(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "argv", ["bench_mutants", "--list", "--only", "fence"])
    main()
    listed = capsys.readouterr().out
    assert "fence-dropped" in listed
    assert "silence" not in listed


@pytest.mark.parametrize(("instead", "is_found"), [("fee", True), ("min(most, fee)", False)])
def test_a_mistake_is_found_and_what_is_none_is_not(instead: str, is_found: bool, tmp_path: Path):
    """A run of pytest in a copy of the tree: about two seconds."""
    (tree := tmp_path / "tree").mkdir()
    copy_tree(tree)
    patch = a_patch("        return min(fee, most)", f"        return {instead}").replace(
        "money.py", "ivr/core/card_fees.py"
    )
    found = find(written(tmp_path / "patches", patch), tree, [QUICK])
    assert bool(found.finder) == is_found
    assert found.test == ("test_no_fee_is_over_the_cap_and_a_brand_that_is_not_there_costs_nothing" if is_found else "")


@pytest.mark.long
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.name)
def test_every_mistake_is_found(mutant: Mutant, tmp_path: Path):
    """A minute each at most, where what has found it before finds it again."""
    copy_tree(tmp_path)
    assert find(mutant, tmp_path, FINDERS).finder, mutant.reason
