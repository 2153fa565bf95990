"""The folder of flows as a source of versions: every edit in development, the first start in production."""

import os
import shutil
import threading
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from ivr.calls.flow_folder import FlowFolder, watch
from ivr.calls.live_flows import LiveFlows
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiler import Around
from ivr.store import WITHDRAWN, Store, memory_store
from tests.benches import ROOT
from tests.patience import PATIENCE_S

SAMPLE = ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml"


@pytest.fixture(autouse=True)
def plain_logs() -> None:
    """Another test of the process may have a command log errors alone."""
    structlog.reset_defaults()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    shutil.copytree(ROOT / "flows" / "prompts", folder / "prompts")
    shutil.copy(SAMPLE, folder / "pay-a-bill.yaml")
    return folder


@pytest.fixture
def store() -> Store:
    return memory_store()


def begun(folder: Path, store: Store, environment: str = "development") -> FlowFolder:
    """A process that has just started."""
    one = FlowFolder(folder, Around(), publishes_edits=environment == "development")
    one.begin(store)
    return one


def edit(folder: Path, old: str, new: str, name: str = "pay-a-bill.yaml") -> None:
    """As an editor saves: the whole file, at another time. (A clock with coarse steps could show the same time.)"""
    file = folder / name
    text = file.read_text(encoding="utf-8")
    assert old in text
    then = file.stat().st_mtime_ns
    file.write_text(text.replace(old, new), encoding="utf-8")
    os.utime(file, ns=(then + 1_000_000, then + 1_000_000))


def live(store: Store) -> dict[str, int]:
    return {name: one.number for name, one in store.live_versions().items() if one.number != WITHDRAWN}


# ---- in development


def test_what_is_in_the_folder_is_live_at_start(folder: Path, store: Store):
    begun(folder, store)
    assert live(store) == {"pay-a-bill": 1}
    assert store.flow_versions("pay-a-bill")[0].published_by == "development"


def test_an_edit_is_the_next_calls_flow(folder: Path, store: Store):
    one = begun(folder, store)
    edit(folder, "repeat: 2", "repeat: 1")
    one.look(store)
    assert live(store) == {"pay-a-bill": 2}


def test_an_edit_of_a_prompt_is_heard_too(folder: Path, store: Store):
    one = begun(folder, store)
    edit(folder, 'goodbye: "Goodbye."', 'goodbye: "So long."', "prompts/en-US.yaml")
    one.look(store)
    assert live(store) == {"pay-a-bill": 2}


def test_without_an_edit_nothing_is_read(folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch):
    one = begun(folder, store)
    monkeypatch.setattr("ivr.calls.flow_folder.read_folder", None)
    one.look(store)


def test_a_broken_edit_keeps_the_last_good_version_and_is_told(folder: Path, store: Store):
    one = begun(folder, store)
    edit(folder, "ok: charge", "ok: chrage")
    with capture_logs() as logged:
        one.look(store)
    assert live(store) == {"pay-a-bill": 1}
    assert "no step is called 'chrage'" in one.problems[0]
    assert [line["log_level"] for line in logged] == ["error", "error"]
    edit(folder, "ok: chrage", "ok: charge")
    one.look(store)
    assert (live(store), one.problems) == ({"pay-a-bill": 1}, [])


def test_a_broken_edit_stops_no_other_flow(folder: Path, store: Store):
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "other.yaml").write_text(text.replace("flow: pay-a-bill", "flow: other"), encoding="utf-8")
    one = begun(folder, store)
    edit(folder, "ok: charge", "ok: chrage")
    edit(folder, "repeat: 2", "repeat: 1", "other.yaml")
    one.look(store)
    assert live(store) == {"pay-a-bill": 1, "other": 2}


def test_the_last_good_version_serves_after_a_restart_with_a_broken_file(folder: Path, store: Store):
    begun(folder, store)
    edit(folder, "ok: charge", "ok: chrage")
    begun(folder, store)
    assert live(store) == {"pay-a-bill": 1}


def test_a_file_that_is_taken_away_takes_its_flow_with_it(folder: Path, store: Store):
    text = SAMPLE.read_text(encoding="utf-8")
    (folder / "other.yaml").write_text(text.replace("flow: pay-a-bill", "flow: other"), encoding="utf-8")
    one = begun(folder, store)
    (folder / "other.yaml").unlink()
    one.look(store)
    assert live(store) == {"pay-a-bill": 1}


def test_a_folder_that_cannot_be_read_for_a_moment_changes_nothing(folder: Path, store: Store):
    one = begun(folder, store)
    folder.rename(folder.with_name("elsewhere"))
    one.look(store)
    assert live(store) == {"pay-a-bill": 1}
    assert "no flows in" in one.problems[0]


def test_a_rollback_is_left_alone_until_the_next_edit(folder: Path, store: Store):
    one = begun(folder, store)
    edit(folder, "repeat: 2", "repeat: 1")
    one.look(store)
    store.make_live("pay-a-bill", 1)
    one.look(store)
    edit(folder, "schema: 1", "schema: 1 # touched", "pay-a-bill.yaml")
    before = live(store)
    one.look(store)
    assert (before, live(store)) == ({"pay-a-bill": 1}, {"pay-a-bill": 3})


def test_processes_that_see_one_edit_publish_one_version(folder: Path, store: Store):
    processes = [begun(folder, store) for _ in range(3)]
    edit(folder, "repeat: 2", "repeat: 1")
    for one in processes:
        one.look(store)
    assert [version.number for version in store.flow_versions("pay-a-bill")] == [1, 2]


# ---- in production


def test_the_first_start_publishes_the_files_and_a_later_one_does_not(folder: Path, store: Store):
    begun(folder, store, "production")
    edit(folder, "repeat: 2", "repeat: 1")
    with capture_logs() as logged:
        begun(folder, store, "production").look(store)
    assert live(store) == {"pay-a-bill": 1}
    assert [(line["event"], line["serves"]) for line in logged] == [
        ("the file differs from the version that serves: publish it", 1)
    ]


def test_a_flow_that_was_withdrawn_is_not_published_by_a_restart(folder: Path, store: Store):
    begun(folder, store, "production")
    store.make_live("pay-a-bill", WITHDRAWN)
    begun(folder, store, "production")
    assert live(store) == {}


def test_published_flows_need_no_files(folder: Path, store: Store, tmp_path: Path):
    begun(folder, store, "production")
    begun(tmp_path / "nothing", store, "production")
    with pytest.raises(ConfigError, match="no flows in"):
        begun(tmp_path / "nothing", memory_store(), "production")


def test_where_nothing_can_be_used_every_problem_is_told(folder: Path, store: Store):
    edit(folder, "ok: charge", "ok: chrage")
    with pytest.raises(FlowError, match="chrage"):
        begun(folder, store, "production")


# ---- in a thread of its own


def test_a_process_that_stays_takes_up_an_edit_by_itself(folder: Path, store: Store):
    one, taken_up = begun(folder, store), threading.Event()
    flows = LiveFlows(store)
    flows.look()
    before = flows["pay-a-bill"].version
    flows.changed = taken_up.set
    stop = watch(flows, one, store)
    edit(folder, "repeat: 2", "repeat: 1")
    assert taken_up.wait(PATIENCE_S)
    stop.set()
    assert flows["pay-a-bill"].version != before
