"""A step kind is one file: with `track.py` alone, everything that handles steps handles its kind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.cli.flows import read_folder
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.flow.drawing.diagram import svg
from ivr.flow.drawing.mermaid import mermaid
from ivr.flow.editor_schema import flow_schema
from ivr.flow.files import FlowSet
from ivr.flow.parts import Explained
from ivr.flow.registry import KINDS, PARTS
from ivr.flow.step_docs import steps_in_markdown
from ivr.flow.steps import kinds, step_kind
from ivr.store import migrate, open_store
from ivr.testing.bench import Bench, build_bench
from ivr.testing.explore import Explorer
from ivr.testing.project import Project
from tests.benches import ROOT, SAMPLE
from tests.flow.steps.track import FindParcel, ParcelFound, TrackStep
from tests.leaks import leaks_in_files

PAN = "4012888888881881"
FLOW = """
flow: parcels
languages: [en-US]
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
start: parcel
steps:
  parcel: {track: parcel_number, then: {ok: goodbye, gave_up: goodbye}}
  goodbye: {end: unpaid}
"""
PROMPTS = """
enter_parcel_number: "Please enter your parcel's number."
parcel_is_in: "Your parcel is in {town:text}. To hear that again, press {key:key}."
"""


@pytest.fixture
def _registered() -> Iterator[None]:
    step_kind(TrackStep)
    yield
    del KINDS[TrackStep.__name__]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    words = (SAMPLE.parent / "prompts" / "en-US.yaml").read_text(encoding="utf-8")
    (tmp_path / "prompts" / "en-US.yaml").write_text(words + PROMPTS, encoding="utf-8")
    (tmp_path / "parcels.yaml").write_text(FLOW, encoding="utf-8")
    return tmp_path


def checked(folder: Path, old: str = "", new: str = "", file: str = "parcels.yaml") -> FlowSet:
    path = folder / file
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return read_folder(folder, [folder / "parcels.yaml"])


def told(flows: FlowSet) -> list[str]:
    return [str(problem).partition(": ")[2] for problem in flows.problems]


def bench_of(flows: FlowSet, sealing_key: Path, url: str = "") -> Bench:
    if url:
        migrate(url)
    assert flows.prompts is not None
    accounts = ROOT / "config" / "accounts.csv"
    store = open_store(url) if url else None
    bench = build_bench(list(flows.flows.values()), flows.prompts, accounts, sealing_key=sealing_key, store=store)
    bench.workbench.runner.performers[FindParcel] = lambda call, action, event: ParcelFound(event.at, "Leeds")
    return bench


def stored_call(bench: Bench) -> Call:
    assert bench.line is not None
    stored = bench.workbench.store.load_call(bench.line.call_id)
    assert stored is not None
    return stored.call


# ---- without a call


@pytest.mark.usefixtures("_registered")
def test_editors_are_offered_it():
    part = flow_schema()["definitions"]["TrackStep"]
    assert part["description"] == "Say where a parcel is."
    assert set(part["properties"]["then"]["properties"]) == {"ok", "gave_up", "cancelled"}


@pytest.mark.usefixtures("_registered")
def test_its_row_and_example_are_in_the_docs():
    docs = steps_in_markdown()
    assert "| `track: <name>` | Says where a parcel is | `ok`, `gave_up` |" in docs
    assert "parcel: {track: parcel_number" in docs


@pytest.mark.usefixtures("_registered")
def test_it_is_drawn(folder: Path):
    (flow,) = checked(folder).flows.values()
    assert "where is the parcel?" in mermaid(flow)
    assert "where is the parcel?" in svg(flow)


@pytest.mark.usefixtures("_registered")
def test_a_right_flow_passes(folder: Path):
    assert told(checked(folder)) == []


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("gave_up: goodbye", "gaveup: goodbye", "step 'parcel' has no outcome 'gaveup' (did you mean 'gave_up'?)"),
        ("track:", "trakc:", "step 'parcel' does not say what it does (did you mean 'track'?)"),
        ("track: parcel_number", "track: card_number", "'track': card data is only taken by a 'collect' step"),
        ("track: parcel_number,", "track: parcel_number, loud: yes,", "unknown key 'loud' (known: then, track)"),
        ("track: parcel_number", "track: letter_number", "prompt 'enter_letter_number' is missing in en-US"),
    ],
)
def test_what_is_wrong_with_a_flow_is_told(folder: Path, old: str, new: str, problem: str):
    assert any(problem in one for one in told(checked(folder, old, new)))


@pytest.mark.usefixtures("_registered")
@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("parcel_is_in:", "parcel_was_in:", "prompt 'parcel_is_in' is missing in en-US"),
        ("{town:text}", "{twon:text}", "prompt 'parcel_is_in' has a slot 'twon' that nothing fills in there"),
        ("{town:text}", "{town:money}", "prompt 'parcel_is_in': 'town' cannot be said as money"),
        ("parcel's number.", "parcel's number in {town:text}.", "prompt 'enter_parcel_number' says 'town'"),
    ],
)
def test_what_is_wrong_with_its_prompts_is_told(folder: Path, old: str, new: str, problem: str):
    assert any(problem in one for one in told(checked(folder, old, new, "prompts/en-US.yaml")))


# ---- in a call


@pytest.mark.usefixtures("_registered")
def test_it_is_gone_through_with_its_action_its_look_up_and_its_notes(folder: Path, sealing_key: Path):
    bench = bench_of(checked(folder), sealing_key)
    line = bench.dial("parcels", "+15550100")
    assert line.begin().heard[-1].name == "enter_parcel_number"
    assert line.press("1234567890").heard[-1].words.startswith("Your parcel is in Leeds.")
    stored = stored_call(bench)
    assert (stored.phase, stored.notes) == ("again", {"town": "Leeds", "due": Money(4250)})
    assert line.press("1").heard[-1].name == "parcel_is_in"
    assert line.press("3").state == "over"
    assert (stored_call(bench).notes, stored_call(bench).values) == ({}, {})


@pytest.mark.usefixtures("_registered")
def test_a_carrier_without_an_answer_is_asked_again_after_each_pause(folder: Path, sealing_key: Path):
    bench = bench_of(checked(folder), sealing_key)
    answers = [None, None, "Leeds"]
    bench.workbench.runner.performers[FindParcel] = lambda call, action, event: (
        ParcelFound(event.at, town) if (town := answers.pop(0)) else None
    )
    line = bench.dial("parcels", "+15550100")
    line.begin()
    assert line.press("1234567890").state == "waiting"
    assert bench.workbench.runner.is_on_hold(stored_call(bench))
    assert line.wait().heard == []
    assert line.wait().heard[-1].name == "parcel_is_in"


@pytest.mark.usefixtures("_registered")
def test_its_number_is_in_no_history(folder: Path, sealing_key: Path):
    bench = bench_of(checked(folder), sealing_key)
    line = bench.dial("parcels", "+15550100")
    line.begin()
    line.press("1234567890")
    assert "digits 10" in stored_call(bench).history[1]
    assert not any("1234567890" in entry for entry in stored_call(bench).history)


@pytest.mark.usefixtures("_registered")
def test_a_card_number_keyed_in_there_is_left_nowhere(folder: Path, sealing_key: Path, tmp_path: Path):
    bench = bench_of(checked(folder), sealing_key, f"sqlite:///{tmp_path}/calls.db")
    line = bench.dial("parcels", "+15550100")
    line.begin()
    assert "card_asked_later" in [heard.name for heard in line.press(f"{PAN}#").heard]
    line.press("1234567890")
    assert "card_asked_later" in [heard.name for heard in line.press(f"{PAN}#").heard]
    line.hang_up()
    assert not leaks_in_files(tmp_path, [PAN])


@pytest.mark.usefixtures("_registered")
def test_a_call_in_a_phase_that_its_step_does_not_know_ends_truthfully(folder: Path, sealing_key: Path):
    bench = bench_of(checked(folder), sealing_key)
    strange = Call("CA1", "parcels", "+1", "+2", "simulator", "en-US", step="parcel", phase="dancing")
    advance = bench.workbench.runner.advance(strange, ParcelFound(bench.workbench.clock(), "Leeds"))  # type: ignore[arg-type]
    assert (advance.is_over, advance.call.outcome) == (True, "unpaid")


@pytest.mark.usefixtures("_registered")
def test_random_callers_find_their_way_through_it(folder: Path, monkeypatch: pytest.MonkeyPatch):
    explorer = Explorer(Project(folder, ROOT / "config" / "accounts.csv"), "parcels", "seed")
    explorer.bench("quick").workbench.runner.performers[FindParcel] = lambda call, action, event: ParcelFound(
        event.at, "Leeds"
    )
    for _ in range(40):
        explorer.next_walk()
    assert explorer.found == {}


# ---- what keeps it so


@pytest.mark.parametrize("part", PARTS)
def test_a_kind_without_one_of_its_parts_is_refused_by_its_name(part: str):
    body = {name: value for name, value in vars(TrackStep).items() if name in PARTS and name != part}
    halved = type("HalvedStep", (TrackStep.__base__,), {"__doc__": "Half a kind.", "__module__": __name__, **body})
    with pytest.raises(TypeError, match=f"step kind HalvedStep in .* lacks '{part}': {re.escape(PARTS[part])}"):
        step_kind(halved)
    assert "HalvedStep" not in KINDS


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("word", ""),
        ("word", None),
        ("word", "Track it"),
        ("place", "15"),
        ("place", None),
        ("explained", "a step"),
        ("explained", Explained("", "")),
        ("example", "\n"),
        ("outcomes", None),
        ("outcomes", ("ok",)),
        ("outcomes", frozenset({"ok", ""})),
        ("optional_outcomes", None),
        ("phases", {}),
        ("phases", {"entry": "ask"}),
        ("hears", None),
        ("leads", {"entry": ("fnding",)}),
    ],
)
def test_a_kind_with_a_part_that_is_none_is_refused_by_its_name(part: str, value: object):
    body = {"__doc__": "Empty.", "__module__": __name__, "word": "empty", "place": 16, part: value}
    with pytest.raises(TypeError, match=r"step kind EmptyStep in .* lacks .*"):
        step_kind(type("EmptyStep", (TrackStep,), body))
    assert "EmptyStep" not in KINDS


@pytest.mark.filterwarnings("ignore:Field name")
def test_a_key_that_would_hide_a_part_is_refused():
    class HidingStep(TrackStep):
        """Has a key by the name of a part."""

        place = 16
        bank: str = ""
        """Hides the bank that a step names."""

    with pytest.raises(TypeError, match=r"HidingStep in .* lacks another name for its key 'bank'"):
        step_kind(HidingStep)


@pytest.mark.usefixtures("_registered")
def test_a_kind_with_the_class_name_of_another_file_is_refused():
    namesake = type("TrackStep", (TrackStep,), {"__doc__": "Another.", "__module__": "elsewhere", "place": 16})
    with pytest.raises(TypeError, match=r"TrackStep in elsewhere lacks a name of its own: .*track has a TrackStep"):
        step_kind(namesake)
    assert KINDS["TrackStep"] is TrackStep


@pytest.mark.usefixtures("_registered")
def test_a_kind_with_the_word_of_another_is_refused():
    alike = type("FollowStep", (TrackStep,), {"__doc__": "Another.", "__module__": __name__, "place": 16})
    with pytest.raises(
        TypeError, match=r"FollowStep in .* lacks a word of its own, or 'claims': TrackStep has 'track'"
    ):
        step_kind(alike)


def test_nobody_outside_of_its_file_knows_a_kind():
    """No class of a kind is named, and no kind is told from another by its class."""
    names = re.compile(r"\b(" + "|".join(kind.__name__ for kind in kinds()) + r")\b")
    files = [file for file in (ROOT / "ivr").rglob("*.py") if file.parent != ROOT / "ivr" / "flow" / "steps"]
    assert len(files) > 300
    assert [str(file) for file in files if names.search(file.read_text(encoding="utf-8"))] == []
