"""A supervisor that keeps its processes up: real processes, killed for real."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.cli.test_supervisor import ROOT, is_running, until
from tests.patience import PATIENCE_S

SCRIPT = """
import os, sys
from pathlib import Path
from ivr.cli import supervisor
supervisor.RESTART_AFTER_S = 0.05
sys.exit(supervisor.supervise({"node": sys.argv[1]}, os.environ, Path.cwd(), restarts=True))
"""
LIVES = "python -u -c \"import os, time; open('starts', 'a').write(f'{os.getpid()}\\n'); time.sleep(600)\""
DIES = "python -u -c \"open('starts', 'a').write('once\\n'); raise SystemExit(3)\""


def supervised(folder: Path, command: str) -> "subprocess.Popen[bytes]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, command],
        stdout=subprocess.DEVNULL, cwd=folder, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
    )  # fmt: skip


def starts(folder: Path) -> list[str]:
    file = folder / "starts"
    return file.read_text().split() if file.exists() else []


def test_a_process_that_was_killed_is_started_again_and_ends_with_the_supervisor(tmp_path: Path):
    running = supervised(tmp_path, LIVES)
    try:
        for number in (1, 2):
            until(lambda number=number: len(starts(tmp_path)) == number)
            os.kill(int(starts(tmp_path)[-1]), signal.SIGKILL)
        until(lambda: len(starts(tmp_path)) == 3)
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_S) == 0
        assert not any(is_running(int(pid)) for pid in starts(tmp_path))
    finally:
        running.kill()


def test_a_process_that_never_gets_up_ends_everything_with_its_code(tmp_path: Path):
    running = supervised(tmp_path, DIES)
    assert running.wait(PATIENCE_S) == 3
    assert len(starts(tmp_path)) == 5
