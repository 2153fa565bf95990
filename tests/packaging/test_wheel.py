"""What is in the wheel and the sdist, and what an installed `tonetill` does in a folder that has never seen this repository."""

import re
import shlex
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.packaging.installed import PAID, ROOT, Installed, build

SHIPPED = ("Procfile", "config", "flows", "migrations")


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def committed(folder: str) -> list[str]:
    done = subprocess.run(["git", "ls-files", folder], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_the_wheel_puts_two_packages_and_nothing_else_at_the_top(wheel: Path):
    tops = {name.split("/")[0] for name in names(wheel)}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ivr", "dsp"}


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs the repository's list of files: git clone")
def test_every_file_that_a_line_needs_is_in_the_wheel_as_it_is_in_the_repository(wheel: Path):
    with zipfile.ZipFile(wheel) as archive:
        for file in (file for top in SHIPPED for file in committed(top) if (ROOT / file).is_file()):
            assert archive.read(f"ivr/shipped/{file}") == (ROOT / file).read_bytes(), file
        for file in (file for top in ("ivr", "dsp") for file in committed(top) if (ROOT / file).is_file()):
            assert file in archive.namelist()


def test_the_sdist_makes_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    again = build("wheel", next(tmp_path.iterdir()), tmp_path / "again")
    assert names(again) == names(wheel)


def test_a_new_project_checks_and_takes_a_paid_call(plain: Installed, tmp_path: Path):
    assert plain.tonetill(tmp_path, "init", "my-line").returncode == 0
    line = tmp_path / "my-line"
    checked = plain.tonetill(line, "check", "flows/pay-a-bill.yaml")
    assert "pay-a-bill: no problems" in checked.stdout, checked.stderr
    called = plain.tonetill(line / "calls", "simulate", "--keys", PAID)
    assert "on record: paid" in called.stdout, called.stderr
    assert not (tmp_path / "var").exists()


def test_outside_of_any_project_the_sample_can_be_called_and_a_line_says_how_to_get_one(
    plain: Installed, tmp_path: Path
):
    assert "on record: unpaid" in plain.tonetill(tmp_path, "simulate", "--keys", "1 h").stdout
    assert plain.tonetill(tmp_path, "diagram").returncode == 0
    for command in ("up", "bank"):
        refused = plain.tonetill(tmp_path, command)
        assert refused.returncode == 2, command
        assert "`tonetill init my-line` makes a project" in refused.stderr
        assert "Traceback" not in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_knows_its_version_and_says_its_own_name(plain: Installed, tmp_path: Path):
    version = plain.tonetill(tmp_path, "--version").stdout.split()
    assert version[0].startswith("tonetill")
    assert version[-1] in plain.run(tmp_path, "python", "-m", "ivr", "--version").stdout
    for command in ([], ["simulate"]):
        told = plain.tonetill(tmp_path, *command, "--help").stdout
        assert "tonetill" in told
        assert "python -m ivr" not in told


def test_a_wrong_setting_is_told_with_its_line_in_the_projects_own_file(plain: Installed, tmp_path: Path):
    plain.tonetill(tmp_path, "init", "my-line")
    (tmp_path / "my-line" / "tonetill.yaml").write_text("# ours\nport: 80000\ntrunk_prot: 5061\n")
    told = plain.tonetill(tmp_path / "my-line", "set-up").stderr
    assert "tonetill.yaml:2:1: port: " in told
    assert "tonetill.yaml:3:1: there is no setting 'trunk_prot' (did you mean 'trunk_port'?)" in told


def test_what_an_extra_brings_is_named_where_it_is_missing(plain: Installed, tmp_path: Path):
    for command in (["trunk"], ["ring", "sip:pay@127.0.0.1"]):
        told = plain.tonetill(tmp_path, *command)
        assert told.returncode == 2
        assert "pip install 'tonetill[trunk]'" in told.stderr
        assert "Traceback" not in told.stderr


def test_bash_completes_commands(plain: Installed, tmp_path: Path):
    script = (
        'eval "$(tonetill completion bash)"; COMP_WORDS=(tonetill si); COMP_CWORD=1; _tonetill_completion tonetill; '
        'echo "${COMPREPLY[@]}"; complete -p tonetill'
    )
    done = plain.run(tmp_path, "bash", "-c", script)
    assert done.stdout.splitlines()[0] == "simulate", done.stderr
    assert "_tonetill_completion tonetill" in done.stdout


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_given_the_same_commands(shell: str, plain: Installed, tmp_path: Path):
    assert f"_TONETILL_COMPLETE={shell}_complete" in plain.tonetill(tmp_path, "completion", shell).stdout
    asked = {
        "_TONETILL_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "tonetill si",
        "COMP_CWORD": "1" if shell == "zsh" else "si",
    }
    assert "simulate" in plain.tonetill(tmp_path, **asked).stdout


def test_a_clone_says_python_m_ivr_and_needs_no_project(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "ivr", "simulate", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "python -m ivr simulate --via" in done.stdout


def test_the_pre_commit_hook_works_with_what_the_wheel_installs(plain: Installed, tmp_path: Path):
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    for changed in ("flows/pay-a-bill.yaml", "flows/prompts/es-MX.yaml", "config/banks.yaml", "tonetill.yaml"):
        assert re.search(hook["files"], changed), changed
    assert not re.search(hook["files"], "README.md")
    plain.tonetill(tmp_path, "init", "my-line")
    line = tmp_path / "my-line"
    command = [*shlex.split(hook["entry"]), *hook["args"]]
    passed = plain.run(line, str(plain.venv / "bin" / command[0]), *command[1:])
    assert (passed.returncode, passed.stderr) == (0, "")
    prompts = line / "flows" / "prompts" / "es-MX.yaml"
    prompts.write_text(prompts.read_text(encoding="utf-8").replace("{due:money}", "{due:digits}"), encoding="utf-8")
    failed = plain.run(line, str(plain.venv / "bin" / command[0]), *command[1:])
    assert failed.returncode == 1
    assert "flows/prompts/es-MX.yaml:" in failed.stdout
    assert "T505 prompt 'pay_full_balance': 'due' cannot be said as digits" in failed.stdout
