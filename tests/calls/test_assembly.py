"""Starting with flows of which some are broken: each of those stops only itself, and says why."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ivr.bank import load_banks
from ivr.calls.assembly import Engine, assemble, load_flows, read_folder
from ivr.calls.flow_folder import FlowFolder
from ivr.channels.trunk.answering import read_routes
from ivr.channels.trunk.call_handler import TrunkCallHandler
from ivr.errors import ConfigError, FlowError
from ivr.flow.compiler import Around
from ivr.settings import load_settings
from ivr.store import memory_store
from tests.bank_process import BankKeys
from tests.store.databases import make_empty

ROOT = Path(__file__).parents[2]


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    shutil.copytree(ROOT / "flows" / "prompts", folder / "prompts")
    shutil.copy(ROOT / "flows" / "pay-a-bill.yaml", folder)
    return folder


def add(flows: Path, name: str, *changes: tuple[str, str]) -> None:
    text = (flows / "pay-a-bill.yaml").read_text(encoding="utf-8").replace("flow: pay-a-bill", f"flow: {name}")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (flows / f"{name}.yaml").write_text(text, encoding="utf-8")


def edit_prompt(flows: Path, language: str, old: str, new: str) -> None:
    file = flows / "prompts" / f"{language}.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_broken_flow_is_left_out_and_the_others_are_used(flows: Path):
    add(flows, "second")
    add(flows, "broken", ("ok: charge", "ok: chrage"))
    found = read_folder(flows)
    assert (set(found.flows), found.left_out) == ({"pay-a-bill", "second"}, {"broken"})
    assert [problem.message for problem in found.problems] == ["no step is called 'chrage'"]


def test_a_flow_with_an_unknown_bank_stops_only_itself(flows: Path):
    add(flows, "elsewhere", ("acme_bank", "acme_bnk"))
    found = read_folder(flows, load_banks(ROOT / "config" / "banks.yaml", Path()))
    assert (set(found.flows), found.left_out) == ({"pay-a-bill"}, {"elsewhere"})
    assert {problem.suggestion for problem in found.problems} == {"did you mean 'acme_bank'?"}


def test_a_file_that_is_no_flow_stops_nobody(flows: Path):
    (flows / "notes.yaml").write_text("- buy milk\n", encoding="utf-8")
    assert set(read_folder(flows).flows) == {"pay-a-bill"}


def test_a_broken_prompt_stops_the_flows_that_speak_it(flows: Path):
    add(flows, "spanish", ("[en-US, es-MX]", "[es-MX]"))
    edit_prompt(flows, "en-US", "{due:money}", "{due:mony}")
    found = read_folder(flows)
    assert (set(found.flows), found.left_out) == ({"spanish"}, {"pay-a-bill"})


def test_a_broken_prompt_that_no_flow_speaks_is_told_and_stops_nobody(flows: Path):
    edit_prompt(flows, "en-US", "goodbye:", 'confirm_meter: "{meter:digits}"\ngoodbye:')
    found = read_folder(flows)
    assert set(found.flows) == {"pay-a-bill"}
    assert found.problems


def test_the_second_of_two_flows_of_one_name_is_left_out(flows: Path):
    shutil.copy(flows / "pay-a-bill.yaml", flows / "zz.yaml")
    found = read_folder(flows)
    assert set(found.flows) == {"pay-a-bill"}
    assert found.left_out == frozenset()


def test_where_no_flow_is_left_every_problem_is_told(flows: Path):
    for file in flows.glob("*.yaml"):
        file.write_text(file.read_text(encoding="utf-8").replace("ok: charge", "ok: chrage"), encoding="utf-8")
    with pytest.raises(FlowError, match="no step is called 'chrage'"):
        load_flows(flows)


@pytest.fixture
def engine(flows: Path, bank_keys: BankKeys, tmp_path: Path) -> Engine:
    add(flows, "broken", ("acme_bank", "acme_bnk"))
    url = f"sqlite:///{tmp_path}/calls.db"
    make_empty(url)
    given = {"VAR": str(bank_keys.var), "FLOWS": str(flows), "DATABASE_URL": url, "TWILIO_AUTH_TOKEN": "x" * 32}
    return assemble(load_settings(given))


def test_an_engine_starts_without_the_broken_flow(engine: Engine):
    assert (set(engine.flows), engine.left_out) == ({"pay-a-bill"}, {"broken"})


def test_each_problem_of_a_flow_that_is_left_out_is_logged(flows: Path):
    add(flows, "broken", ("ok: charge", "ok: chrage"))
    with capture_logs() as logged:
        FlowFolder(flows, Around(), publishes_edits=True).begin(memory_store())
    assert [line["log_level"] for line in logged] == ["error", "error"]
    assert logged[0]["problem"].endswith("no step is called 'chrage' (did you mean 'charge'?)")
    assert logged[1]["flow"] == "broken"


def test_numbers_of_a_broken_flow_are_not_answered_by_another(engine: Engine):
    routes = read_routes("100=broken,*=pay-a-bill", engine.flows, engine.left_out)
    assert routes == {"100": "broken", "*": "pay-a-bill"}
    handler = TrunkCallHandler({"100": None, "200": object(), "*": object()}, "127.0.0.1", 1)  # type: ignore[dict-item]
    assert handler._route("100") is None
    assert handler._route("300") is not None


def test_a_flow_that_is_not_there_at_all_is_an_error(engine: Engine):
    with pytest.raises(ConfigError, match="expected number=flow"):
        read_routes("100=nowhere", engine.flows, engine.left_out)
