"""A supervisor that keeps its processes up: real processes, killed for real."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_supervisor import ROOT, is_running, until
from tests.patience import PATIENCE_S

SCRIPT = """
import os, sys
from pathlib import Path
from ivr.cli import supervisor
supervisor.RESTART_AFTER_S = 0.05
supervisor.SOON_S = 600
processes = dict(zip(sys.argv[2::2], sys.argv[3::2]))
is_needed = sys.argv[1] == "must start"
sys.exit(supervisor.supervise(processes, os.environ, Path.cwd(), must_start=is_needed, may_fail=["bank.acme-water"]))
"""
LIVES = "python -u -c \"import os, time; open('starts', 'a').write(f'{os.getpid()}\\n'); time.sleep(600)\""
DIES = "python -u -c \"open('starts', 'a').write('once\\n'); raise SystemExit({code})\""
UP_ONCE = (
    "python -u -c \"import os, time; open('starts', 'a').write(f'{os.getpid()}\\n')\n"
    "if len(open('starts').readlines()) > 1: raise SystemExit(3)\n"
    'time.sleep(600)"'
)
IS_KILLED = "python -u -c \"open('starts', 'a').write('once\\n'); import os; os.kill(os.getpid(), 9)\""


def supervised(folder: Path, *, must_start: bool = False, **processes: str) -> "subprocess.Popen[str]":
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    named = [word for pair in processes.items() for word in pair]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, "must start" if must_start else "", *named],
        stdout=subprocess.PIPE, text=True, cwd=folder, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
    )  # fmt: skip


def starts(folder: Path) -> list[str]:
    file = folder / "starts"
    return file.read_text().split() if file.exists() else []


@pytest.mark.parametrize("must_start", [True, False])
def test_a_process_that_was_killed_is_started_again_and_ends_with_the_supervisor(tmp_path: Path, must_start: bool):
    running = supervised(tmp_path, must_start=must_start, node=LIVES)
    try:
        for number in (1, 2):
            until(lambda number=number: len(starts(tmp_path)) == number)
            os.kill(int(starts(tmp_path)[-1]), signal.SIGKILL)
        until(lambda: len(starts(tmp_path)) == 3)
        running.send_signal(signal.SIGTERM)
        told, _ = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == 0
        assert told.count("node was killed by SIGKILL: it is started again in ") == 2
        assert not any(is_running(int(pid)) for pid in starts(tmp_path))
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (DIES.format(code=3), 3, "ended with 3"),
        (DIES.format(code=0), 1, "ended with 0"),
        (IS_KILLED, 128 + 9, "was killed by SIGKILL"),
    ],
)
def test_a_process_that_never_stays_up_ends_everything_with_its_code(
    tmp_path: Path, command: str, code: int, told: str
):
    running = supervised(tmp_path, node=command, other=LIVES.replace("starts", "others"))
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == code
    assert (
        f"node ended 5 times soon after its start; the last time it {told}; see above. Everything is stopped." in said
    )
    assert len(starts(tmp_path)) == 5
    pauses = [float(line.split(" in ")[1].split()[0]) for line in said.splitlines() if "is started again in" in line]
    assert pauses == [0.05, 0.1, 0.2, 0.4]
    assert not is_running(int((tmp_path / "others").read_text()))


def test_where_all_must_start_one_that_cannot_ends_everything_at_once_with_its_code(tmp_path: Path):
    running = supervised(tmp_path, must_start=True, node=DIES.format(code=2), other=LIVES.replace("starts", "others"))
    said, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 2
    assert "node cannot start: it ended with 2; see above. Everything is stopped." in said
    assert len(starts(tmp_path)) == 1


def test_one_that_was_up_once_is_tried_again_also_where_all_must_start(tmp_path: Path):
    """What it needs may be away for a moment, as a database that starts again."""
    running = supervised(tmp_path, must_start=True, node=UP_ONCE)
    until(lambda: len(starts(tmp_path)) == 1)
    os.kill(int(starts(tmp_path)[0]), signal.SIGKILL)
    running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 3
    assert len(starts(tmp_path)) == 5


def test_one_merchants_process_that_never_stays_up_does_not_end_the_others(tmp_path: Path):
    failing = DIES.format(code=3).replace("starts", "tries")
    running = supervised(tmp_path, node=LIVES, **{"bank.acme-water": failing})
    try:
        until(lambda: (tmp_path / "tries").exists() and (tmp_path / "tries").read_text().count("once") > 5)
        assert is_running(int(starts(tmp_path)[0]))
        running.send_signal(signal.SIGTERM)
        said, _ = running.communicate(timeout=PATIENCE_S)
        assert running.returncode == 0
        assert "Everything is stopped" not in said
        assert len(starts(tmp_path)) == 1
    finally:
        running.kill()
