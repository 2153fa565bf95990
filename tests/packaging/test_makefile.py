"""What `make` says in a fresh clone: nothing that takes its time is begun without a word."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("target", ["run", "test", "check", "cases", "set-up"])
def test_a_fresh_clone_says_what_it_installs_before_it_does(target: str, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    planned = subprocess.run(["make", "-n", target], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    lines = planned.splitlines()
    installs = [number for number, line in enumerate(lines) if "pip install" in line]
    assert installs
    assert all(lines[number - 1].startswith("echo ") for number in installs)
