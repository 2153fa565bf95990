"""Real telephone systems for tests: unpacked once with apt into a cache, each run from a folder and ports of its own."""

import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.channels.sip.test_torture import SHARED

PEERS = SHARED / "peers"
CACHE = Path(os.environ.get("TONETILL_PEERS", Path(tempfile.gettempdir()) / "tonetill-peers"))
needs_peers = [
    pytest.mark.peer,
    pytest.mark.skipif(not PEERS.is_dir(), reason=f"no {PEERS}; set TONETILL_SHARED"),
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="peers are unpacked with apt, which is not here"),
]


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PeerProcess:
    """`script` is one of the shared `NAME_peer.sh`; `settings` go into its environment."""

    def __init__(self, name: str, folder: Path, **settings: str) -> None:
        self.name, self.folder = name, folder / name
        self.port = free_port()
        self._environment = {**os.environ, "SIP_PORT": str(self.port), **settings}

    def start(self) -> None:
        cache = CACHE / self.name
        cache.mkdir(parents=True, exist_ok=True)
        unpacked = self.run("stop", folder=cache)
        if not (cache / "root").is_dir():
            pytest.skip(f"{self.name} could not be unpacked: {unpacked.stderr.strip()[-200:]}")
        self.folder.mkdir()
        (self.folder / "root").symlink_to(cache / "root")
        for stamp in cache.glob(".unpacked-*"):
            (self.folder / stamp.name).touch()
        started = self.run("start")
        assert started.returncode == 0, started.stdout + started.stderr

    def stop(self) -> None:
        self.run("stop")

    def run(self, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = ["sh", str(PEERS / f"{self.name}_peer.sh"), str(folder or self.folder), *words]
        return subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=240, check=False)
