"""`tonetill up` from an installed wheel, in a project's folder: webhooks, SIP, books, Ctrl-C; with SIP and without."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.packaging.installed import PAID, Installed
from tests.patience import PATIENCE_S
from tests.ports import free_even_port, free_port


@dataclass(frozen=True)
class Running:
    installed: Installed
    folder: Path
    settings: dict[str, str]
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings['PORT']}"

    def tonetill(self, *arguments: str) -> str:
        done = self.installed.tonetill(self.folder, *arguments, **self.settings)
        assert done.returncode == 0, done.stdout + done.stderr + self.log()
        return " ".join(done.stdout.split())

    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def until_log_has(self, *lines: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not all(line in self.log() for line in lines):
            assert time.monotonic() < deadline, self.log()
            assert self.process.poll() is None, self.log()
            time.sleep(0.1)

    def until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not answers(f"{self.url}/readyz"):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@contextlib.contextmanager
def running(installed: Installed, folder: Path) -> Iterator[Running]:
    bank, rtp = free_port(), free_even_port()
    assert installed.tonetill(folder, "init", "my-line").returncode == 0
    line = folder / "my-line"
    banks = line / "config" / "banks.yaml"
    banks.write_text(banks.read_text(encoding="utf-8").replace(":9443", f":{bank}"), encoding="utf-8")
    # A file of the merchant's own must not take the place of a package that we use.
    (line / "flask.py").write_text("raise SystemExit('the wrong flask')\n")
    settings = {
        **{"PORT": str(free_port()), "CONSOLE_PORT": str(free_port()), "PORTAL_PORT": str(free_port())},
        "TRUNK_PORT": str(free_port()),
        **{"TRUNK_RTP_PORTS": f"{rtp}-{rtp + 1}", "TRUNK_VOICE": "tones"},
        "WEB_WORKERS": "1",
    }
    command = [str(installed.venv / "bin" / "tonetill"), "up"]
    with (line / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=line, env=installed.environment(**settings), stdout=log, stderr=subprocess.STDOUT, text=True
        )
    try:
        yield Running(installed, line, settings, process)
    finally:
        process.terminate()
        process.wait(60)


def test_a_plain_installation_runs_a_line_without_sip_and_takes_a_paid_call(plain: Installed, tmp_path: Path):
    with running(plain, tmp_path) as line:
        line.until_ready()
        line.until_log_has("bank simulator: https", '"event": "forwarder"')
        for extra in ("trunk", "portal"):
            assert f"without {extra}: pip install 'tonetill[{extra}]' brings it" in line.log()
        heard = line.tonetill("simulate", "--via", line.url, "--keys", PAID)
        assert "Paid. Confirmation" in heard
        assert "42.50 USD" in line.tonetill("bank", "books")
        line.process.send_signal(signal.SIGINT)
        assert line.process.wait(60) == 0, line.log()
        assert line.log().rstrip().endswith("stopped")


@pytest.mark.long  # an installation of its own for this; a plain one runs its line in the bounded form too
def test_with_all_extras_the_same_line_listens_for_sip_calls(everything: Installed, tmp_path: Path):
    with running(everything, tmp_path) as line:
        line.until_log_has("running: trunk, at sip:pay@127.0.0.1")  # said once its media worker has started
        assert "without trunk" not in line.log()


@pytest.mark.long
def test_a_whole_payment_by_sip_from_the_installed_package(everything: Installed, tmp_path: Path):
    with running(everything, tmp_path) as line:
        line.until_log_has("running: trunk, at sip:pay@127.0.0.1", "bank simulator: https", '"event": "forwarder"')
        line.tonetill("ring", f"sip:pay@127.0.0.1:{line.settings['TRUNK_PORT']}", "--barge-in", "--keys", PAID)
        assert "42.50 USD" in line.tonetill("bank", "books")
