"""`init`: a project of one's own, and what it refuses to write over."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import ivr
from ivr.channels.simulator import play
from ivr.cli import COMMANDS, main
from ivr.cli.init import TEMPLATE, init
from ivr.errors import ConfigError
from ivr.settings import DEFAULTS
from tests.benches import make_bench

CALLS = sorted((TEMPLATE / "calls").glob("*.txt"))


@pytest.fixture
def line(tmp_path: Path) -> Path:
    done = CliRunner().invoke(init, [str(tmp_path / "my-line")], catch_exceptions=False)
    assert done.exit_code == 0
    return tmp_path / "my-line"


@pytest.mark.parametrize("script", CALLS, ids=lambda path: path.stem)
def test_the_calls_of_a_new_project_go_as_written(script: Path, line: Path, sealing_key: Path):
    bench = make_bench(sealing_key, line / "flows" / "pay-a-bill.yaml")
    play((line / "calls" / script.name).read_text(encoding="utf-8"), bench.world())
    bench.money_agrees()


def test_what_it_prints_plays_the_calls_of_the_new_project_where_nothing_is_installed(tmp_path: Path):
    """As somebody does it who follows what is printed, in a clone: `pytest` alone would find no calls."""
    printed = CliRunner().invoke(init, [str(tmp_path / "my-line")], catch_exceptions=False).output
    command = next(line.strip() for line in printed.splitlines() if "-m pytest" in line)
    shorter = (
        f"PYTEST_ADDOPTS= {command} -q --collect-only -p no:cacheprovider"  # whatever options these tests were given
    )
    done = subprocess.run(shorter, shell=True, cwd=tmp_path / "my-line", capture_output=True, text=True, check=False)
    assert f"{len(CALLS)} tests collected" in done.stdout


def test_one_sample_flow_is_in_it_and_others_are_asked_for_by_name(line: Path, tmp_path: Path):
    assert [file.name for file in (line / "flows").iterdir()] in (
        ["pay-a-bill.yaml", "prompts"],
        ["prompts", "pay-a-bill.yaml"],
    )
    arguments = [str(tmp_path / "plan"), "--flow", "payment-plan", "--flow", "pay-a-bill"]
    CliRunner().invoke(init, arguments, catch_exceptions=False)
    flows = tmp_path / "plan" / "flows"
    assert sorted(file.name for file in flows.glob("*.yaml")) == ["pay-a-bill.yaml", "payment-plan.yaml"]
    assert [file.name for file in (flows / "parts").iterdir()] == ["authenticate.yaml"]


def test_a_sample_that_there_is_not_is_told_with_those_that_there_are(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"no such sample; there are card-fee, .*utility"):
        init.callback(tmp_path / "new", ("list",))
    assert not (tmp_path / "new").exists()


def test_its_settings_file_lists_every_setting_and_changes_none(line: Path):
    written = (line / "tonetill.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(written) is None
    uncommented = re.sub(r"^# (?=\w+: )", "", written, flags=re.MULTILINE)
    assert yaml.safe_load(uncommented) == yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))


def test_it_names_the_project_and_the_version_that_made_it(line: Path):
    assert (line / "README.md").read_text(encoding="utf-8").startswith("# my-line\n")
    assert f"tonetill=={ivr.__version__}\n" in (line / "requirements.txt").read_text(encoding="utf-8")
    assert not any("{name}" in file.read_text("utf-8") for file in line.rglob("*") if file.is_file())


def test_links_of_its_readme_lead_somewhere(line: Path):
    for link in re.findall(r"\]\(([^)h][^)]*)\)", (line / "README.md").read_text(encoding="utf-8")):
        assert (line / link).exists(), link


def test_its_workflow_runs_commands_that_exist(line: Path):
    workflow = yaml.safe_load((line / ".github" / "workflows" / "calls.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["calls"]["steps"]
    typed = [shlex.split(run) for step in steps for run in step.get("run", "").splitlines()]
    ours = [words[1] for words in typed if words[0] == "tonetill"]
    assert {"check", "simulate"} <= set(ours) <= set(COMMANDS)


def test_the_git_ignores_keys_and_database(line: Path):
    assert "var/" in (line / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_a_folder_with_anything_in_it_is_left_as_it_is(line: Path):
    (line / "tonetill.yaml").write_text("port: 1\n")
    with pytest.raises(ConfigError, match=r"is not empty \(\.github, \.gitignore, README\.md\)"):
        init.callback(line)
    assert (line / "tonetill.yaml").read_text() == "port: 1\n"


def test_a_new_repository_may_be_there_already(tmp_path: Path):
    (tmp_path / ".git").mkdir()
    init.callback(tmp_path)
    assert (tmp_path / "flows" / "pay-a-bill.yaml").is_file()


def test_what_cannot_be_written_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SystemExit):
            main(["init", str(folder)])
    told = capsys.readouterr().err
    assert "is a file: choose another name" in told
    assert "Not a directory: choose a folder that can be written" in told
