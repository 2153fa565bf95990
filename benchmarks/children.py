"""Processes that a benchmark starts, what they say line by line, and the CPU that they have used."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Child:
    process: "subprocess.Popen[str]"

    def line(self) -> str:
        """The next one of its output; what came before its end where there is none."""
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise SystemExit(f"{self.process.args} has ended: {self.process.wait()}")
        return said.strip()

    def say(self, line: str) -> None:
        """To one that `takes_lines`."""
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)

    def cpu_s(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def child(
    *arguments: str,
    environment: Mapping[str, str] | None = None,
    python: str = sys.executable,
    takes_lines: bool = False,
) -> Iterator[Child]:
    """Python with these arguments; gone when the block ends."""
    chosen = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}
    given = subprocess.PIPE if takes_lines else None
    process = subprocess.Popen(
        [python, *arguments], env=chosen, cwd=ROOT, stdin=given, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Child(process)
    finally:
        process.terminate()
        process.send_signal(signal.SIGCONT)  # one that is stopped hears of its end only then
        process.wait()
