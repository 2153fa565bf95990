"""What slow clients do to everybody else: our web process alone and behind its proxies, beside granian.

Each server gets each attack for some seconds; meanwhile /healthz is asked again and again and a caller pays a bill.
The attacks of our own open a connection again that the server has ended; slowhttptest (apt-get install slowhttptest)
brings four more that we did not write. Loopback only.
"""

import itertools
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.bench_web import card_number
from ivr.bank.dev_keys import make_development_keys
from ivr.testing.twilio import Application, TwilioCall
from tests.bank_process import BankKeys
from tests.web.fronts import FRONTS, client
from tests.web.servers import TOKEN, WEB, Server, pay, running
from tests.web.slow_clients import SLOW_BODIES, SLOW_HEADERS, SlowClients, held_http2

PUBLIC = "https://pay.example.com"
GRANIAN = (
    *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1", "--port", "{port}"),
    *("--workers", "1", "--blocking-threads", "2", "--no-ws", "--log-level", "critical", "app:create_app"),
)
SLOWHTTPTEST = {"slow headers": "-H", "slow bodies": "-B", "slow reading": "-X", "ranges": "-R"}
CONNECTIONS = 200
SILENT = 2000
GIVE_UP_S = 15.0  # as Twilio does
console = Console()


@dataclass(frozen=True)
class Target:
    """`url` is what callers and attackers reach; each call that `pays` has a bill of its own."""

    url: str
    bills: Iterator[int] = field(default_factory=lambda: itertools.count(20_000_000))

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 0


Attack = Callable[[Target], AbstractContextManager[object]]


@click.command()
@click.option("--seconds", default=12.0, show_default=True, help="How long each attack lasts before it is measured.")
@click.option("--only", multiple=True, help="Servers by name; all by default.")
def main(seconds: float, only: Sequence[str]) -> None:
    """Prints, for each server and attack, the slowest of 20 /healthz and how long a whole paid call took.

    "for good": a second after the attackers had gone the server still did not answer.
    """
    table = Table(
        title=f"beside slow clients: slowest of 20 /healthz, and a paid call (given up after {GIVE_UP_S:.0f} s)"
    )
    servers = {name: opened for name, opened in all_servers().items() if not only or name in only}
    table.add_column("attack")
    for name in servers:
        table.add_column(name, justify="right")
    rows: dict[str, list[str]] = {name: [] for name in attacks()}
    for name, opened in servers.items():
        for attack_name, cell in zip(rows, all_attacks(opened, seconds), strict=True):
            console.print(f"{name}: {attack_name}: {cell}")
            rows[attack_name].append(cell)
    for attack_name, cells in rows.items():
        table.add_row(attack_name, *cells)
    console.print(table)


def attacks() -> dict[str, Attack]:
    found: dict[str, Attack] = {
        "nobody": lambda _target: ExitStack(),
        f"{CONNECTIONS} slow bodies": lambda target: SlowClients(target.address, CONNECTIONS, SLOW_BODIES),
        f"{CONNECTIONS} slow headers": lambda target: SlowClients(target.address, CONNECTIONS, SLOW_HEADERS),
        f"{SILENT} silent connections": lambda target: SlowClients(target.address, SILENT, ["silent"]),
        "HTTP/2, one connection": lambda target: held_http2(target.address),
        "all of these": together,
    }
    if shutil.which("slowhttptest"):
        found |= {f"slowhttptest {name}": partial(slowhttptest, mode) for name, mode in SLOWHTTPTEST.items()}
    else:
        console.print("without slowhttptest: apt-get install slowhttptest")
    return found


@contextmanager
def together(target: Target) -> Iterator[None]:
    with ExitStack() as held:
        for count, kinds in ((CONNECTIONS, SLOW_BODIES), (CONNECTIONS, SLOW_HEADERS), (SILENT, ["silent"])):
            held.enter_context(SlowClients(target.address, count, kinds))
        held.enter_context(held_http2(target.address))
        yield


@contextmanager
def slowhttptest(mode: str, target: Target) -> Iterator[None]:
    command = ["slowhttptest", mode, "-c", "1000", "-r", "500", "-i", "2", "-l", "240", "-p", "3", "-s", "8192"]
    process = subprocess.Popen(
        [*command, "-u", f"{target.url}/twilio/status", "-t", "POST" if mode == "-B" else "GET"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def all_servers() -> dict[str, Callable[[], AbstractContextManager[Target]]]:
    found: dict[str, Callable[[], AbstractContextManager[Target]]] = {"ours": partial(behind, "", WEB)}
    for name in FRONTS:
        if shutil.which(name):
            found[f"ours, {name}"] = partial(behind, name, WEB)
        else:
            console.print(f"without {name}: apt-get install {name}")
    found["granian --http 1"] = partial(behind, "", (*GRANIAN, "--http", "1"))
    found["granian"] = partial(behind, "", GRANIAN)
    return found


@contextmanager
def behind(front: str, command: Sequence[str]) -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as started:
        var = Path(folder)
        make_development_keys(var / "keys", var / "bank")
        server: Server = started.enter_context(running(var, BankKeys(var), command, public_url=PUBLIC))
        url = started.enter_context(FRONTS[front](var, server.address[1])) if front else server.url
        yield Target(url)


def all_attacks(opened: Callable[[], AbstractContextManager[Target]], seconds: float) -> Iterator[str]:
    """One server for all of them; another where one has been stopped for good."""
    with ExitStack() as started:
        target = started.enter_context(opened())
        for attack in attacks().values():
            with attack(target):
                time.sleep(seconds)
                cell = measured(target)
            time.sleep(1)
            if slowest_health(target, 1) is None:
                cell += ", for good"
                started.close()
                target = started.enter_context(opened())
            yield cell


def measured(target: Target) -> str:
    health = slowest_health(target)
    return "stopped" if health is None else f"{health * 1000:,.0f} ms, {paid_call(target)}"


def slowest_health(target: Target, times: int = 20) -> float | None:
    slowest = 0.0
    for _ in range(times):
        began = time.perf_counter()
        try:
            with client(target.url) as http:
                http.get("/healthz", timeout=GIVE_UP_S).raise_for_status()
        except httpx.HTTPError:
            return None
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


def paid_call(target: Target) -> str:
    heard: list[str] = []

    def call() -> None:
        with client(target.url) as http:
            ani = f"+1555{next(target.bills):08d}"
            application = Application(http, f"{target.url}/twilio/voice/pay-a-bill", TOKEN, PUBLIC)
            line = TwilioCall(application, ani)
            reply = pay(line, str(next(target.bills)), card_number())
            heard.append(" ".join(heard.words for heard in reply.heard))

    began = time.perf_counter()
    caller = threading.Thread(target=call, daemon=True)
    caller.start()
    caller.join(GIVE_UP_S)
    took = time.perf_counter() - began
    return f"paid in {took:.1f} s" if any("was charged" in words for words in heard) else "not paid"


if __name__ == "__main__":
    main()
