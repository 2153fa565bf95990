"""The whole product as `make run` starts it, on free ports, with a bank that does not keep anybody waiting for long."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ivr.store import Store, open_store
from tests.patience import PATIENCE_S
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[3]
UP = [sys.executable, "-m", "ivr", "up", "--without", "trunk", "--without", "portal"]


@dataclass(frozen=True)
class Product:
    page: str
    var: Path
    ready_s: float  # from the command until the page answered
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    def second_run(self) -> "subprocess.CompletedProcess[str]":
        """The same command with the same settings, while this one runs."""
        return subprocess.run(UP, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def store(self) -> Store:
        return open_store(f"sqlite:///{self.var}/product.db")

    @property
    def log(self) -> str:
        return (self.var / "log").read_text(encoding="utf-8")


@contextlib.contextmanager
def running(var: Path, **settings: str) -> Iterator[Product]:
    console_port, bank_port = free_port(), free_port()
    banks = (ROOT / "config" / "banks.yaml").read_text(encoding="utf-8")
    banks = banks.replace(":9443", f":{bank_port}").replace("read_timeout: 20s", "read_timeout: 2s")
    (var / "banks.yaml").write_text(banks, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in ("TWILIO_AUTH_TOKEN", "PUBLIC_URL")}
    environment = kept | {
        "VAR": str(var),
        "DATABASE_URL": f"sqlite:///{var}/product.db",
        "PORT": str(free_port()),
        "CONSOLE_PORT": str(console_port),
        "BANK_PORT": str(bank_port),
        "BANKS": str(var / "banks.yaml"),
        "LOG_LEVEL": "debug",
        "WEB_WORKERS": "1",  # what the browser speaks to is the console
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    began = time.monotonic()
    with (var / "log").open("w") as log:
        process = subprocess.Popen(UP, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        page = f"http://127.0.0.1:{console_port}"
        try:
            wait_until_ready(process, page, var / "log")
            yield Product(page, var, time.monotonic() - began, environment)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def wait_until_ready(process: "subprocess.Popen[bytes]", page: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not (answers(f"{page}/readyz") and "bank simulator: https" in log.read_text()):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
