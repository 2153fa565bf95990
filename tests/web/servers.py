"""The real web process on free ports over a database of its own, with a forwarder in this process and a scripted bank."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from ivr.calls.texting import keep_text
from ivr.channels.simulator import LineReply
from ivr.forwarder.process import Forwarder
from ivr.places import SHIPPED as ROOT
from ivr.store import Store, open_store
from ivr.testing.bank import ScriptedBank
from ivr.testing.twilio import TwilioCall, call_application
from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S
from tests.store.databases import make_empty

TOKEN = "0123456789abcdef0123456789abcdef"
WEB = (sys.executable, "-m", "ivr", "web")
CONSOLE = (sys.executable, "-m", "ivr", "console")


@dataclass
class Server:
    """`url` is where it listens; `store` is the database that it works on."""

    process: "subprocess.Popen[bytes]"
    url: str
    environment: dict[str, str]
    store: Store
    bank: ScriptedBank = field(default_factory=ScriptedBank)

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"{self.url}{path}", headers=headers, trust_env=False, timeout=PATIENCE_S)

    def workers(self) -> list[psutil.Process]:
        """The processes that answer, without multiprocessing's own tracker."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if is_worker(child)]

    def call(self, number: int, url: str = "") -> TwilioCall:
        """`url`: where it is rung instead, such as a proxy before it."""
        return call_application(
            url or self.url,
            "/twilio/voice/pay-a-bill",
            auth_token=TOKEN,
            public_url=self.url,
            status_callback="/twilio/status",
            ani=f"+1555{number:07d}",
        )


def is_worker(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def pay(line: TwilioCall, account: str, pan: str, cvv2: str = "123") -> LineReply:
    """A whole call, to its end; each answer of the server is awaited for as long as Twilio would."""
    line.begin()
    for keys in ("1", f"{account}#", "1", f"{pan}#", "1230", cvv2, "94105"):
        line.press(keys)
    reply = line.press("1")
    while reply.state == "waiting":
        reply = line.wait()
    if reply.state != "keys":
        return reply
    last = line.press("#")
    return replace(last, heard=(*reply.heard, *last.heard))


@contextmanager
def running(
    folder: Path,
    keys: BankKeys,
    command: Sequence[str] = WEB,
    limit: Callable[[], None] | None = None,
    **settings: str,
) -> Iterator[Server]:
    """`command` may use {port}; `limit` is called in the new process before anything else."""
    port, environment = prepare(folder, keys, **settings)
    words = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen(words, env=environment, cwd=ROOT, preexec_fn=limit)
    store = open_store(environment["DATABASE_URL"])
    server = Server(process, f"http://127.0.0.1:{port}", environment, store)
    listens_at = environment["CONSOLE_PORT"] if command == CONSOLE else str(port)
    server.url = f"http://127.0.0.1:{listens_at}"
    stopping = threading.Event()
    forwarder = threading.Thread(target=forward, args=(server, stopping), daemon=True)
    try:
        until(lambda: process.poll() is not None or answers(server))
        forwarder.start()
        yield server
    finally:
        stopping.set()
        end(process)
        if forwarder.is_alive():
            forwarder.join()
        store.close()


def prepare(folder: Path, keys: BankKeys, **settings: str) -> tuple[int, dict[str, str]]:
    """A database with a thousand bills of 42.50: accounts 20000000 and on."""
    accounts = folder / "accounts.csv"
    bills = [f"{20_000_000 + number},42.50,10.00,USD" for number in range(1000)]
    accounts.write_text("\n".join(["account,due,minimum,currency", *bills]) + "\n")
    port, console_port = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("PUBLIC_URL", "ENVIRONMENT")},
        "VAR": str(keys.var),
        "DATABASE_URL": f"sqlite:///{folder}/web.db",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "PORT": str(port),
        "CONSOLE_PORT": str(console_port),
        "LOG_LEVEL": "error",
        "PYTHONPATH": str(ROOT),
        **{name.upper(): value for name, value in settings.items()},
    }
    make_empty(environment["DATABASE_URL"])
    store = open_store(environment["DATABASE_URL"])
    store.seed_bills(accounts)
    store.close()
    return port, environment


def forward(server: Server, stopping: threading.Event) -> None:
    forwarder = Forwarder(server.store, {"acme_bank": server.bank}, keep_text)
    while not stopping.wait(0.05):
        while forwarder.run_once():
            pass


def answers(server: Server) -> bool:
    try:
        return server.get("/healthz").status_code < 500
    except httpx.TransportError:
        return False


def until(reached: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    deadline = time.monotonic() + within_s
    while not reached():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def end(process: "subprocess.Popen[bytes]") -> None:
    """With the workers of a server that does not end them itself, as one that was stopped may not."""
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
