"""Whole signed webhooks a second through our server and through granian, each beside a bare Flask endpoint on it.

Everything is on: signature, store (SQLite in WAL mode), flow step, vault and sealing at the card steps, freed memory
overwritten. Rounds are interleaved; CPU is the server processes' own, from the system's accounts. granian serves more
webhooks per CPU and is stopped by a few slow clients (bench_slow_clients.py): that is why it is not the server.
"""

import asyncio
import itertools
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlencode

import click
import httpx
import psutil
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from ivr.channels.twilio import Signer, parse_form  # noqa: E402
from ivr.core.money import Money  # noqa: E402
from ivr.store import Bill, open_store  # noqa: E402
from ivr.vault import passes_luhn  # noqa: E402
from ivr.web import WIPED_MEMORY  # noqa: E402

TOKEN = "benchmark"
# One call: what is posted to ?seq=0, 1, 2 ... A new caller and card each time, so that no velocity limit is met, and
# a bill of its own, or all but the first would hear that it is being paid.
PAID = [None, "1", "ACCOUNT", "1", "PAN", "1230", "123", "94105", "1", None]
# The same without its card: language, account with its look-up, an amount with its confirmation, then a hang-up.
PLAIN = [None, "1", "12345678", "2", "1075", "2", "2000", "2"]
FIRST_ACCOUNT, ACCOUNTS = 20_000_000, 20_000
CONNECTIONS = 16
APPLICATIONS = {"bare Flask": "benchmarks.bare_web:create_app", "webhooks": "app:create_app"}
MEASURED = (("bare Flask", "bare Flask", PLAIN), ("plain steps", "webhooks", PLAIN), ("paid calls", "webhooks", PAID))
_accounts = itertools.count(FIRST_ACCOUNT)
console = Console()


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds of each, interleaved.")
@click.option("--calls", default=150, show_default=True, help="Calls a round; each is nine to eleven webhooks.")
@click.option("--threads", default=8, show_default=True, help="Threads that answer, of both servers.")
def main(rounds: int, calls: int, threads: int) -> None:
    """Prints webhooks a second and CPU a webhook on both servers, and the ratios.

    Plain steps are what most webhooks are; a paid call adds four fields sealed to RSA-3072 and one charge on disk.
    """
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        environment = prepare(Path(folder))
        servers = {
            (server, name): running.enter_context(serving(command_of(server, target, threads), environment))
            for name, target in APPLICATIONS.items()
            for server in ("ours", "granian")
        }
        for _ in track(range(rounds), description="rounds", console=console):
            for (name, application, keys), server in itertools.product(MEASURED, ("ours", "granian")):
                batch = [list(requests_of_a_call(keys)) for _ in range(calls)]
                found[server, name].append(measure(*servers[server, application], batch))
    report(found)


def prepare(folder: Path, url: str = "") -> dict[str, str]:
    """What the servers run with. `url`: of an empty database; without it a SQLite file of their own."""
    environment = {
        **os.environ,
        **WIPED_MEMORY,
        "VAR": str(folder),
        "DATABASE_URL": url or f"sqlite:///{folder}/bench.db",
        "TWILIO_AUTH_TOKEN": TOKEN,
        "PUBLIC_URL": "https://pay.example.com",
        "LOG_LEVEL": "error",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    subprocess.run(
        [sys.executable, "-m", "ivr", "set-up"], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    store = open_store(environment["DATABASE_URL"])
    numbers = range(FIRST_ACCOUNT, FIRST_ACCOUNT + ACCOUNTS)
    store.renew_bills([Bill(str(number), Money(4250), Money(1000)) for number in numbers])
    store.close()
    return environment


def command_of(server: str, target: str, threads: int) -> list[str]:
    """One worker; the port, chosen when it starts, is where {port} stands."""
    if server == "ours":
        site = f"Site('{target}', '127.0.0.1', {{port}}, 'PORT', 1, {threads}, ConnectionLimits())"
        return ["-c", f"from ivr.web import ConnectionLimits, Site, serve; serve({site})"]
    command = ["-m", "granian", "--interface", "wsgi", "--factory", "--http", "1", "--host", "127.0.0.1"]
    command += ["--port", "{port}", "--workers", "1", "--blocking-threads", str(threads), "--no-ws"]
    return [*command, "--log-level", "error", target]


@contextmanager
def serving(command: Sequence[str], environment: dict[str, str]) -> Iterator[tuple[int, psutil.Process]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [word.replace("{port}", str(port)) for word in command]
    process = subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT)
    try:
        wait_for(port)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    """Until it answers anything: a port may be open before a worker is."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.TransportError):
            httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
            return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def measure(port: int, process: psutil.Process, batch: list[list[bytes]]) -> tuple[float, float]:
    """(webhooks a second, CPU microseconds a webhook) of these calls."""
    before, started = cpu_seconds(process), time.perf_counter()
    asyncio.run(load(port, batch))
    seconds, cpu = time.perf_counter() - started, cpu_seconds(process) - before
    count = sum(map(len, batch))
    return count / seconds, cpu / count * 1e6


def cpu_seconds(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in [process, *process.children(recursive=True)]]
    return sum(time.user + time.system for time in times)


def requests_of_a_call(keys_of_call: Sequence[str | None], account: str = "") -> Iterator[bytes]:
    """`account`: whose bill is paid; without it the next one's of the benchmark's own."""
    call, ani = f"CA{secrets.token_hex(16)}", f"+1555{secrets.randbelow(10**7):07d}"
    signer = Signer(TOKEN)
    keyed = {"PAN": card_number(), "ACCOUNT": account or str(next(_accounts))}
    for sequence, keys in enumerate(keys_of_call):
        path = f"/twilio/voice/pay-a-bill?seq={sequence}" if sequence else "/twilio/voice/pay-a-bill"
        fields = {"CallSid": call, "From": ani, "To": "+15550199", "CallStatus": "in-progress", "Direction": "inbound"}
        yield request(signer, path, fields | ({"Digits": keyed.get(keys, keys)} if keys else {}))
    yield request(signer, "/twilio/status", {"CallSid": call, "CallStatus": "completed"})


def card_number() -> str:
    """A Visa number in a test range, with its check digit."""
    body = f"411111{secrets.randbelow(10**9):09d}"
    return next(f"{body}{check}" for check in range(10) if passes_luhn(f"{body}{check}".encode()))


def request(signer: Signer, path: str, fields: dict[str, str]) -> bytes:
    body = urlencode(fields).encode()
    signature = signer.sign(f"https://pay.example.com{path}", parse_form(body))
    head = f"POST {path} HTTP/1.1\r\nHost: pay.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}X-Twilio-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def load(port: int, batch: list[list[bytes]]) -> None:
    waiting = iter(batch)
    await asyncio.gather(*(one_connection(port, waiting) for _ in range(CONNECTIONS)))


async def one_connection(port: int, waiting: Iterator[list[bytes]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for message in itertools.chain.from_iterable(waiting):
        writer.write(message)
        await read_answer(reader)
    writer.close()


async def read_answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    if status not in (200, 204):
        raise SystemExit(f"the server answered {status}: {await reader.read(200)!r}")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    await reader.readexactly(length)


def report(found: Mapping[tuple[str, str], list[tuple[float, float]]]) -> None:
    table = Table(title="signed webhooks, one worker each, SQLite")
    for column in ("", "server", "webhooks/s (median)", "CPU us/webhook (median)", "of bare", "of granian"):
        table.add_column(column, justify="left" if column in ("", "server") else "right")
    rates = {key: statistics.median(rate for rate, _ in rounds) for key, rounds in found.items()}
    for (server, name), rounds in found.items():
        cpu = statistics.median(cost for _, cost in rounds)
        rate = rates[server, name]
        ratios = f"{rate / rates[server, 'bare Flask']:.0%}", f"{rate / rates['granian', name]:.0%}"
        table.add_row(name, server, f"{rate:,.0f}", f"{cpu:.0f}", *ratios)
    console.print(table)
    console.print("the usual stack (SDK, machine a call, ORM) reached 10 % of bare")


if __name__ == "__main__":
    main()
