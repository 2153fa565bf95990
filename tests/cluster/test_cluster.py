"""`python -m ivr cluster` as a person starts it: nginx, Kamailio and PostgreSQL of this machine; nodes are killed -9 in mid-call."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from benchmarks.postgresql_pair import reachable_folder
from ivr.cli.own_postgresql import find_program
from ivr.places import SHIPPED as ROOT
from ivr.testing.twilio import TwilioCall, call_application
from tests.patience import PATIENCE_S
from tests.ports import free_port, is_free

WANTED = {"nginx": "nginx-light", "kamailio": "kamailio kamailio-tls-modules", "postgres": "postgresql"}
MISSING = [package for program, package in WANTED.items() if find_program(program) is None]
pytestmark = [
    pytest.mark.long,
    pytest.mark.peer,
    pytest.mark.skipif(bool(MISSING), reason=f"apt-get install {' '.join(MISSING)}"),
]
NODES = (
    "web1",
    "web2",
    "forwarder1",
    "forwarder2",
    "trunk1",
    "trunk2",
    "bank",
    "console",
    "portal",
    "nginx",
    "kamailio",
)


class Cluster:
    def __init__(self, folder: Path, bank_port: int) -> None:
        self.folder, self.port, self.sip = folder, free_run(13), free_run(13)
        self.log = folder / "cluster.log"
        banks = folder / "banks.yaml"
        banks.write_text((ROOT / "config" / "banks.yaml").read_text().replace("9443", str(bank_port)))
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "VAR": str(folder / "var"),
            "BANKS": str(banks),
            "PORT": str(self.port),
            "CONSOLE_PORT": str(free_port()),
            "PORTAL_PORT": str(free_port()),
            "TRUNK_PORT": str(self.sip),
            "TRUNK_VOICE": "tones",
            "TRUNK_RTP_PORTS": "31000-31127",
            "DATABASE_URL": "",
        }
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ivr", "cluster"],
                cwd=ROOT, env=self.environment, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def pid(self, name: str) -> int:
        started = [line for line in self.said().splitlines() if f"| {name} started (pid=" in line]
        return int(started[-1].rpartition("pid=")[2].rstrip(")"))

    def kill(self, name: str) -> None:
        """The node and whatever it started."""
        node = psutil.Process(self.pid(name))
        for process in [*node.children(recursive=True), node]:
            process.kill()

    def is_ready(self) -> bool:
        assert self.process.poll() is None, self.said()[-3000:]
        try:
            answers = [httpx.get(f"{self.url}/healthz", trust_env=False).status_code == 200 for _ in range(2)]
        except httpx.TransportError:
            return False
        return all(answers) and self.said().count("running: trunk, at") == 2 and "bank simulator: https" in self.said()

    def call(self, number: int) -> TwilioCall:
        token = (self.folder / "var" / "keys" / "twilio_auth_token").read_text().strip()
        return call_application(
            self.url, "/twilio/voice/pay-a-bill",
            auth_token=token, public_url=self.url, status_callback="/twilio/status", ani=f"+1555{number:07d}",
        )  # fmt: skip

    def ivr(self, *arguments: str) -> str:
        """As a person does who has copied the line that the cluster prints for it."""
        url = self.said().partition("export DATABASE_URL=")[2].split()[0]
        done = subprocess.run(
            [sys.executable, "-m", "ivr", *arguments], cwd=ROOT, env={**self.environment, "DATABASE_URL": url},
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        return done.stdout + done.stderr


def free_run(length: int) -> int:
    """The first of so many ports of which each is free at this moment."""
    while True:
        first = free_port()
        kinds = socket.SOCK_STREAM, socket.SOCK_DGRAM
        if all(is_free(number, kind) for number in range(first, first + length) for kind in kinds):
            return first


def until(happened: Callable[[], bool], tell: Callable[[], str]) -> None:
    due = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < due, tell()[-3000:]
        time.sleep(0.1)  # programs of their own: what they say tells when they are ready


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with reachable_folder() as folder:
        running = Cluster(folder, free_port())
        try:
            until(running.is_ready, running.said)
            yield running
        finally:
            running.process.send_signal(signal.SIGINT)
            running.process.wait(PATIENCE_S)


def press(line: TwilioCall, *entries: str) -> None:
    for keys in entries:
        line.press(keys)


def test_a_call_goes_on_at_the_other_web_node_and_its_charge_at_the_other_forwarder(cluster: Cluster):
    calls = [cluster.call(number) for number in range(2)]
    accounts = ("12345678", "23456789")
    for line, account in zip(calls, accounts, strict=True):
        line.begin()
        press(line, "1", f"{account}#", "1", "4111111111111111#", "1230")
    cluster.kill("web1")
    cluster.kill("forwarder1")
    for line in calls:
        press(line, "123", "94105")
        line.press("1")
    listed = ""

    def all_paid() -> bool:
        nonlocal listed
        listed = cluster.ivr("payments", "list")
        return listed.count("approved") >= len(accounts)

    until(all_paid, lambda: listed + cluster.said())
    until(lambda: cluster.said().count("| web1 started") == 2, cluster.said)


def test_after_a_trunk_node_is_killed_callers_are_answered_by_the_other(cluster: Cluster):
    cluster.kill("trunk1")
    done = subprocess.run(
        [sys.executable, "-m", "ivr", "ring", f"sip:pay@127.0.0.1:{cluster.sip}", "--keys", "1"],
        cwd=ROOT, env=cluster.environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "answered" in done.stdout + done.stderr, done.stdout + done.stderr + cluster.said()[-3000:]


def test_nothing_is_left_when_it_is_stopped(cluster: Cluster):
    before = [psutil.Process(cluster.pid(name)) for name in NODES]
    cluster.process.send_signal(signal.SIGINT)
    assert cluster.process.wait(PATIENCE_S) == 0
    until(lambda: not any(process.is_running() for process in before), cluster.said)
    assert find_server(cluster.folder) is None


def find_server(folder: Path) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in " ".join(process.info["cmdline"] or ()):
            return process
    return None
