"""Which folder is the project, and which of its settings win: default, the project's file, the environment."""

import os
import re
from pathlib import Path

import pytest

from ivr import places
from ivr.errors import ConfigError
from ivr.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, with the working directory two folders below it."""
    folder = tmp_path / "my-line"
    (folder / "flows" / "prompts").mkdir(parents=True)
    (folder / "tonetill.yaml").write_text("port: 8100\nvar: data\n")
    monkeypatch.chdir(folder / "flows" / "prompts")
    return folder


def wrong(environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as told:
        load_settings(environ or {})
    return str(told.value)


def test_the_nearest_folder_upwards_with_a_settings_file_is_the_project(line: Path):
    assert places.project_folder({}) == line


def test_a_named_project_wins_over_the_nearest(line: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "tonetill.yaml").touch()
    assert places.project_folder({"TONETILL_PROJECT": str(tmp_path / "other")}) == tmp_path / "other"


def test_a_named_project_that_is_none_is_refused(line: Path):
    assert "TONETILL_PROJECT=/nowhere: there is no tonetill.yaml" in wrong({"TONETILL_PROJECT": "/nowhere"})


def test_without_a_settings_file_the_clone_is_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert places.project_folder({}) == ROOT == places.SHIPPED


def test_an_installed_product_outside_of_a_project_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(places, "IS_CLONE", False)
    with pytest.raises(ConfigError, match=r"init my-line` makes a project.*TONETILL_PROJECT"):
        places.project_folder({})


def test_the_projects_file_wins_over_the_default_and_the_environment_over_both(line: Path):
    assert load_settings({}).port == 8100
    assert load_settings({"PORT": "8200"}).port == 8200
    assert load_settings({}).console_port == 8001


def test_paths_are_relative_to_the_project_wherever_the_command_is_typed(line: Path):
    settings = load_settings({"TRUNK_RECORD": "kept", "TRUNK_TLS_CERT": "/etc/line.pem"})
    assert settings.var == line / "data"
    assert settings.banks == line / "config" / "banks.yaml"
    assert settings.database_url == f"sqlite:///{line}/data/tonetill.db"
    assert settings.trunk_record == str(line / "kept")
    assert settings.trunk_tls_cert == "/etc/line.pem"
    assert settings.trunk_tls_key == ""


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("host: h\nport: many\n", r"tonetill.yaml:2:1: port: Input should be a valid integer"),
        ("prot: 8000\n", r"tonetill.yaml:1:1: there is no setting 'prot' \(did you mean 'port'\?\)"),
        ("port: 1\nport: 2\n", r"tonetill.yaml:2:1: 'port' is there twice"),
        ("- port\n", r"tonetill.yaml:1:1: expected settings, each a line such as \(port: 8000\)"),
        ("just words\n", r"tonetill.yaml:1:1: expected settings"),
        ("port: [1, 2]\n", r"tonetill.yaml:1:1: port: Input should be a valid integer"),
        ("port: {a\n", r"tonetill.yaml:\d:\d+: not YAML"),
    ],
)
def test_what_is_wrong_in_the_projects_file_is_told_with_its_line(line: Path, written: str, told: str):
    (line / "tonetill.yaml").write_text(written)
    assert re.search(told, wrong())


def test_a_file_that_is_no_text_is_told(line: Path):
    (line / "tonetill.yaml").write_bytes(b"port: \xff\n")
    assert "tonetill.yaml:1:7: not a text in UTF-8" in wrong()


def test_a_wrong_variable_is_told_as_one_even_where_the_file_has_the_setting(line: Path):
    assert wrong({"PORT": "x"}).startswith("environment variable PORT: ")


def test_an_empty_file_changes_nothing(line: Path):
    (line / "tonetill.yaml").write_text("# nothing yet\n")
    assert load_settings({}).port == 8000


def test_a_folder_that_cannot_be_written_is_one_clear_line(line: Path):
    (line / "data").touch()
    assert "set VAR to a folder that can be written" in wrong()


def test_children_find_our_modules_first_and_none_in_the_folder_they_run_in():
    made = places.for_children({"PYTHONPATH": "/opt/more"})
    assert made["PYTHONPATH"].split(os.pathsep) == [str(ROOT), "/opt/more"]
    assert made["PYTHONSAFEPATH"] == "1"
