"""What `init` makes is tested by `pytest` in it, as its README says."""

from pathlib import Path

from click.testing import CliRunner

from ivr.cli.init import init
from tests.testing.projects import run_pytest


def test_the_calls_of_a_new_project_pass(tmp_path: Path):
    (tmp_path / "setup.py").write_text("raise SystemExit('somebody else's package, above the project')\n")
    folder = tmp_path / "my-line"
    made = CliRunner().invoke(init, [str(folder)])
    assert made.exit_code == 0, made.output
    seen = run_pytest(folder, "-q", "-rA", "--flow-coverage")
    for file in (folder / "calls").glob("*.txt"):
        assert f"PASSED calls/{file.name}" in seen, seen
    assert "pay-a-bill: " in seen
