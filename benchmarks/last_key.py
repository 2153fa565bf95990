"""How long after the request with a caller's last key the first bytes of their charge are at the bank: one call at a time."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bank_stand_in import stand_in
from benchmarks.bench_web import PAID, TOKEN, command_of, requests_of_a_call, serving
from benchmarks.children import ROOT, child
from ivr.core.money import Money
from ivr.store import Bill, open_store
from ivr.web import WIPED_MEMORY
from tests.bank_process import BankKeys, RunningBank

CONSENT = len(PAID) - 2  # the request of a call that has its last key
BILL = Bill("12345678", Money(4250), Money(1000))
BETWEEN_S = 0.3  # calls: the forwarder has been idle for as long as it is between calls


def seconds_to_the_bank(folder: Path, url: str, keys: BankKeys, calls: int) -> list[float]:
    """Of web server, forwarder and bank as processes of their own."""
    with stand_in(keys.bank, "--tell") as (bank, process):
        there = RunningBank(bank, folder, keys.var, keys.settings(bank))
        environment = {
            **os.environ,
            **WIPED_MEMORY,
            "PYTHONPATH": str(ROOT),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "VAR": str(keys.var),
            "DATABASE_URL": url,
            "BANKS": str(there.write_banks_yaml(folder / "banks-told.yaml")),
            "TWILIO_AUTH_TOKEN": TOKEN,
            "PUBLIC_URL": "https://pay.example.com",
            "LOG_LEVEL": "error",
        }
        command = [sys.executable, "-m", "ivr", "set-up"]
        subprocess.run(command, env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        web = serving(command_of("ours", "app:create_app", 8), environment)
        with web as (port, _), child("-m", "ivr.forwarder", environment=environment):
            waited, store = [], open_store(url)
            for _ in range(calls + 1):
                store.renew_bills([BILL])  # the call before has paid it
                sent_ns = pays(port)
                waited.append((int(process.line().split()[0]) - sent_ns) / 1e9)
                time.sleep(BETWEEN_S + secrets.randbelow(100) / 1000)
            store.close()
            return waited[1:]  # the first waits for the forwarder to start


def pays(port: int) -> int:
    """A call as far as the caller's consent; when that was sent, by the monotonic clock in nanoseconds."""
    sent_ns = 0
    with connected(port) as connection:
        for number, message in enumerate(requests_of_a_call(PAID, BILL.account)):
            if number <= CONSENT:
                sent_ns = time.monotonic_ns()
                connection.sendall(message)
                require_answer(connection)
    return sent_ns


@contextmanager
def connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connection


def require_answer(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65_536)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 204")):
        raise SystemExit(f"the server answered {head[:200]!r}")
    length = next((int(one[15:]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65_536)
