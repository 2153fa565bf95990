"""Whatever ends the supervisor, its processes end too: real processes, real signals, a real closed pipe."""

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).resolve().parent.parent.parent
# Each child writes its number down, then lives until it is stopped; the first tells of SIGHUP, the second talks all the time.
QUIET = (
    "python -u -c \"import os, signal, time; signal.signal(signal.SIGHUP, lambda *_: open('quiet.hup', 'w').close())\n"
    "open('quiet.pid', 'w').write(str(os.getpid())); time.sleep(600)\""
)
CHATTY = (
    "python -u -c \"import os, time; open('chatty.pid', 'w').write(str(os.getpid()))\n"
    'while True: print(1); time.sleep(0.05)"'
)
SCRIPT = """
import os, sys
from pathlib import Path
from ivr.cli.supervisor import supervise
sys.exit(supervise({"quiet": sys.argv[1], "chatty": sys.argv[2]}, os.environ, Path(sys.argv[3])))
"""


def until(happened, seconds: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (OSError, ProcessLookupError):
        return False


class Supervised:
    def __init__(self, folder: Path, output: int) -> None:
        self.folder = folder
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, QUIET, CHATTY, str(folder)],
            stdout=output, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
        )  # fmt: skip
        until(lambda: all(self.has_started(name) for name in ("quiet", "chatty")))
        self.children = [int((folder / f"{name}.pid").read_text()) for name in ("quiet", "chatty")]

    def has_started(self, name: str) -> bool:
        file = self.folder / f"{name}.pid"
        return file.exists() and file.read_text().isdecimal()

    def nothing_is_left(self) -> bool:
        return not any(map(is_running, self.children))


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    reading, writing = os.pipe()
    running = Supervised(tmp_path, writing)
    os.close(writing)
    running.output = reading  # type: ignore[attr-defined]
    yield running
    running.process.kill()
    running.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_every_process_and_is_no_failure(supervised: Supervised, number: signal.Signals):
    supervised.process.send_signal(number)
    assert supervised.process.wait(60) == 0
    until(supervised.nothing_is_left)


def test_a_hangup_without_a_terminal_is_passed_on_and_stops_nothing(supervised: Supervised):
    supervised.process.send_signal(signal.SIGHUP)
    until((supervised.folder / "quiet.hup").exists)
    assert all(map(is_running, supervised.children))
    assert supervised.process.poll() is None


def test_nobody_reading_its_output_any_more_stops_every_process(supervised: Supervised):
    os.close(supervised.output)  # type: ignore[attr-defined]
    assert supervised.process.wait(60) == 0
    until(supervised.nothing_is_left)


def test_a_supervisor_that_is_killed_takes_its_processes_with_it(supervised: Supervised):
    supervised.process.kill()
    supervised.process.wait()
    until(supervised.nothing_is_left)


def test_a_signal_before_every_process_has_started_stops_them_all_the_same(tmp_path: Path):
    reading, writing = os.pipe()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, QUIET, CHATTY, str(tmp_path)],
        stdout=writing, stderr=subprocess.DEVNULL, cwd=tmp_path, start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PATH": path},
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as said:
            assert "started" in said.readline()  # the first has; the second has not been heard of
            process.terminate()
            assert process.wait(60) == 0
    finally:
        process.kill()


def test_one_process_that_is_killed_is_started_again_beside_the_others_and_is_told(supervised: Supervised):
    killed, other = supervised.children
    os.kill(killed, signal.SIGKILL)
    until(lambda: supervised.has_started("quiet") and int((supervised.folder / "quiet.pid").read_text()) != killed)
    assert is_running(other)
    assert supervised.process.poll() is None
    supervised.children[0] = int((supervised.folder / "quiet.pid").read_text())
    supervised.process.terminate()
    with os.fdopen(supervised.output) as said:  # type: ignore[attr-defined]
        assert "quiet was killed by SIGKILL: it is started again in 1 s" in said.read()
    assert supervised.process.wait(60) == 0
    until(supervised.nothing_is_left)


def test_a_terminal_that_is_closed_stops_every_process(tmp_path: Path):
    controller, terminal = pty.openpty()
    supervised = Supervised(tmp_path, terminal)
    os.close(terminal)
    os.close(controller)
    supervised.process.wait(60)
    until(supervised.nothing_is_left)
