"""Installed, the pytest plugin needs no option: a new project's calls are tests at once, without any extra."""

import sys
from pathlib import Path

from tests.packaging.installed import Installed


def test_pytest_in_a_new_project_plays_its_calls(plain: Installed, tmp_path: Path):
    assert plain.tonetill(tmp_path, "init", "line").returncode == 0
    (tmp_path / "line" / "calls" / "wrong.txt").write_text(
        "call pay-a-bill\n  hears goodbye\n  hangs up\n  ends unpaid\n"
    )
    python = str(plain.venv / "bin" / "python")
    done = plain.run(tmp_path / "line", python, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider")
    assert "PASSED calls/paid.txt::paid" in done.stdout, done.stdout + done.stderr + sys.version
    assert "calls/wrong.txt:2: did not hear goodbye; heard choose_language" in done.stdout


def test_a_fault_free_flow_is_explored_from_the_installed_command(plain: Installed, tmp_path: Path):
    assert plain.tonetill(tmp_path, "init", "line").returncode == 0
    done = plain.tonetill(tmp_path / "line", "simulate", "--explore", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "every rule held" in done.stdout
