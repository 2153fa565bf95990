"""procrastinate (PyPI) in an environment of its own, so that nothing of it is among what we pin: `make bench-forward` makes that."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.children import ROOT, Child, child
from benchmarks.peers.debian import PeerMissing

SEAL = "eyJ" + "5e" * 400
SEALED = dict.fromkeys(("card_number", "expiry", "security_code", "postal_code"), SEAL)


def peer_python() -> str | None:
    """The Python of the peers' environment."""
    python = Path(os.environ.get("PEERS", ROOT / ".venv" / "peers")) / "bin" / "python"
    return str(python) if python.exists() else None


@dataclass
class PeerRuns:
    process: Child
    jobs: int

    @classmethod
    @contextmanager
    def started(cls, database: str, bank: str, keys: Path, jobs: int, workers: int) -> Iterator[Self]:
        """On a database of our own, whose tables it shares; `keys`: the folder with what the bank is shown."""
        python = peer_python()
        if python is None:
            raise PeerMissing("procrastinate is not installed: `make bench-forward` does that")
        program = str(ROOT / "benchmarks" / "peers" / "procrastinate_jobs.py")
        words = (program, database.replace("+psycopg", ""), bank, str(keys), str(jobs), str(workers))
        with child(*words, python=python, takes_lines=True) as process:
            yield cls(process, jobs)

    def run(self) -> tuple[float, float]:
        """Jobs a second, and CPU milliseconds of each."""
        body = (
            '{"merchant": "m", "call": "CA1", "amount": {"minor": 4250, "currency": "USD"}, "moto": true, "sealed": %s}'
        )
        sealed = "{" + ", ".join(f'"{name}": "{seal}"' for name, seal in SEALED.items()) + "}"
        self.process.say(body % sealed)
        seconds, cpu_s = map(float, self.process.line().split())
        return self.jobs / seconds, cpu_s / self.jobs * 1000
