"""A merchant's project in a folder of its own, and pytest run over it as the merchant would."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.benches import ROOT


def make_project(folder: Path, **calls: str) -> Path:
    """`calls`: files by name, with their text."""
    (folder / "config").mkdir(parents=True)
    (folder / "calls").mkdir()
    shutil.copytree(ROOT / "flows" / "prompts", folder / "flows" / "prompts")
    shutil.copy(ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml", folder / "flows")
    shutil.copy(ROOT / "config" / "accounts.csv", folder / "config")
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, text in calls.items():
        (folder / "calls" / f"{name}.txt").write_text(text, encoding="utf-8")
    return folder


def run_pytest(folder: Path, *arguments: str) -> str:
    """What a person sees."""
    command = [sys.executable, "-m", "pytest", "-p", "ivr.testing.plugin", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # what else is installed here takes half of the start
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
