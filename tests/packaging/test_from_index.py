"""The wheel with its dependencies from the package index, into an environment that has nothing: what a stranger types."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.installed import PAID, Installed, pip
from tests.packaging.test_line import running

pytestmark = pytest.mark.long
INSTALL_WITHIN_S = 1200


def install(wheel: Path, venv: Path, extras: str = "") -> Installed:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True, timeout=180)
    reached = subprocess.run(
        [*pip(venv), "download", "-q", "--no-deps", "-d", str(venv / "probe"), "click"],
        capture_output=True, timeout=INSTALL_WITHIN_S, check=False,
    )  # fmt: skip
    if reached.returncode != 0:
        pytest.skip("the package index cannot be reached: pip download click")
    subprocess.run([*pip(venv), "install", "-q", f"{wheel}{extras}"], check=True, timeout=INSTALL_WITHIN_S)
    return Installed(venv)


def test_a_plain_installation_brings_all_that_a_line_without_sip_needs(wheel: Path, tmp_path: Path):
    installed = install(wheel, tmp_path / "venv")
    with running(installed, tmp_path) as line:
        line.until_ready()
        line.until_log_has("bank simulator: https", '"event": "forwarder"')
        assert "without trunk" in line.log()
        assert "Paid. Confirmation" in line.tonetill("simulate", "--via", line.url, "--keys", PAID)


def test_the_extras_bring_sip_speech_and_pictures(wheel: Path, tmp_path: Path):
    installed = install(wheel, tmp_path / "venv", "[trunk,voice,plot]")
    with running(installed, tmp_path) as line:
        line.until_log_has("running: trunk, at sip:pay@127.0.0.1")
        uri, picture = f"sip:pay@127.0.0.1:{line.settings['TRUNK_PORT']}", tmp_path / "call.png"
        line.tonetill("ring", uri, "--barge-in", "--keys", "1 1# *", "--plot", str(picture))
        assert picture.stat().st_size > 0
        assert "espeak" in line.tonetill("prompts", "say", "goodbye", "-l", "en-US", "--out", str(tmp_path / "bye.wav"))
