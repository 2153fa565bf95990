"""What callers at their cards, and a health check, notice of 24 others whose look-ups, or consents, hang: latencies through
the real server.

The billing endpoint answers some accounts at once, never says a word of others, and of a third kind only at the look-up: what
is due at the consent it never says. Rounds without and with the hanging callers are interleaved; every request is a signed
webhook, as Twilio sends it.
"""

import asyncio
import contextlib
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bench_web import TOKEN, card_number, command_of, prepare, request, serving  # noqa: E402
from ivr.channels.twilio import Signer  # noqa: E402

QUICK, HANGING = "12345678", "99999999"
ONCE = "777"  # how accounts begin that are answered for the first time only: each of these callers has one
ROUNDS = ("nobody hangs", "look-ups hang", "consents hang")
CARD = ["1230", "123", "94105"]
PAYERS = 6
console = Console()


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds of each kind, interleaved.")
@click.option("--hanging", default=24, show_default=True, help="Callers whose look-ups, or consents, hang.")
@click.option("--calls", default=60, show_default=True, help="Calls at their cards in a round.")
@click.option("--threads", default=2, show_default=True, help="The web server's blocking threads.")
def main(rounds: int, hanging: int, calls: int, threads: int) -> None:
    """Prints p50, p99 and the longest answer to card keys and to /healthz, with and without the hanging callers."""
    with tempfile.TemporaryDirectory() as folder:
        environment = prepare(Path(folder))
        found = asyncio.run(measure(environment, rounds, hanging, calls, threads))
    report(found, hanging, threads)


@dataclass
class Found:
    keys: list[float] = field(default_factory=list)
    health: list[float] = field(default_factory=list)
    hung: list[float] = field(default_factory=list)
    endings: set[str] = field(default_factory=set)


async def measure(environment: dict[str, str], rounds: int, hanging: int, calls: int, threads: int) -> dict[str, Found]:
    found = {name: Found() for name in ROUNDS}
    billing = await asyncio.start_server(answer_billing, "127.0.0.1", 0)
    port = billing.sockets[0].getsockname()[1]
    settings = {"BILLING_URL": f"http://127.0.0.1:{port}/bills", "WEB_THREADS": str(threads)}
    for _ in range(rounds):
        # A server for each round, so that no circuit breaker has been opened by the round before.
        for name, one in found.items():
            with serving(command_of("ours", "app:create_app", threads), environment | settings) as (web, _):
                await one_round(web, name, one, hanging, calls)
    billing.close()
    return found


answered: set[bytes] = set()


async def answer_billing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            account = head.split(b" ", 2)[1].rpartition(b"/")[2]
            is_again = account in answered
            answered.add(account)
            if account == HANGING.encode() or (is_again and account.startswith(ONCE.encode())):
                await reader.read()  # until the server gives up
                break
            body = b'{"due": "42.50 USD", "min": "10.00 USD"}'
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    writer.close()


async def one_round(port: int, name: str, found: Found, hanging: int, calls: int) -> None:
    ready = [Caller(port) for _ in range(calls)]
    for caller in ready:
        for keys in (None, "1", QUICK, "1"):
            await caller.post(keys)
    stuck = []
    if name == "look-ups hang":
        stuck = [asyncio.create_task(Caller(port).hang_at_look_up(found)) for _ in range(hanging)]
    elif name == "consents hang":
        consenting = [Caller(port) for _ in range(hanging)]
        for number, caller in enumerate(consenting):
            for keys in (None, "1", f"{ONCE}{secrets.randbelow(1000):03d}{number:02d}", "1", card_number(), *CARD):
                await caller.post(keys)
        stuck = [asyncio.create_task(caller.hang_at_consent(found)) for caller in consenting]
    checking = asyncio.create_task(check_health(port, found.health))
    waiting = iter(ready)
    await asyncio.gather(*(key_cards(waiting, found.keys) for _ in range(PAYERS)))
    checking.cancel()
    await asyncio.gather(*stuck)  # once the endpoint has had its time
    await asyncio.gather(checking, return_exceptions=True)


async def key_cards(waiting: Iterator["Caller"], seconds: list[float]) -> None:
    for caller in waiting:
        for keys in (card_number(), *CARD):
            seconds.append(await caller.post(keys))
            await asyncio.sleep(0.05)  # people key more slowly still


async def check_health(port: int, seconds: list[float]) -> None:
    while True:
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.read()
        writer.close()
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(0.1)


class Caller:
    """One call's webhooks, each on a connection of its own, as they come from Twilio."""

    def __init__(self, port: int) -> None:
        self._port, self._signer = port, Signer(TOKEN)
        self._call, self._ani = f"CA{secrets.token_hex(16)}", f"+1555{secrets.randbelow(10**7):07d}"
        self._sequence = 0
        self.answer = b""

    async def post(self, keys: str | None) -> float:
        path = f"/twilio/voice/pay-a-bill{f'?seq={self._sequence}' if self._sequence else ''}"
        fields = {"CallSid": self._call, "From": self._ani, "To": "+15550199", "CallStatus": "in-progress"}
        self._sequence += 1
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(request(self._signer, path, fields | ({"Digits": keys} if keys else {})))
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0]
        self.answer = await reader.readexactly(int(length))
        writer.close()
        if b" 200 " not in head.split(b"\r\n", 1)[0]:
            raise SystemExit(f"the server answered {head[:60]!r}")
        return time.perf_counter() - started

    async def hang_at_look_up(self, found: Found) -> None:
        """Keys in the account that is never answered for."""
        await asyncio.sleep(random.random())  # callers do not ring in step
        for keys in (None, "1", HANGING):
            found.hung.append(await self.post(keys))
        await self._hold(found)

    async def hang_at_consent(self, found: Found) -> None:
        await asyncio.sleep(random.random())
        found.hung.append(await self.post("1"))
        await self._hold(found)

    async def _hold(self, found: Found) -> None:
        """Comes again each second, as Twilio is told to."""
        while b"<Redirect" in self.answer:
            await asyncio.sleep(1)
            found.hung.append(await self.post(None))
        found.endings.add("not charged" if b"was not charged" in self.answer else self.answer.decode())


def report(found: dict[str, Found], hanging: int, threads: int) -> None:
    table = Table(title=f"milliseconds, one worker with {threads} threads")
    for column in ("", "p50", "p99", "longest", "answers"):
        table.add_column(column, justify="left" if not column else "right")
    for name, one in found.items():
        for what, seconds in (("card keys", one.keys), ("healthz", one.health), ("the hanging callers", one.hung)):
            if seconds:
                table.add_row(f"{name}: {what}", *row(seconds))
    console.print(table)
    for name, one in found.items():
        if one.endings:
            console.print(f"{hanging} {name}: {', '.join(one.endings)}")


def row(seconds: Sequence[float]) -> list[str]:
    ranked = sorted(seconds)
    p99 = ranked[min(len(ranked) - 1, int(len(ranked) * 0.99))]
    return [f"{value * 1000:.1f}" for value in (statistics.median(ranked), p99, ranked[-1])] + [str(len(ranked))]


if __name__ == "__main__":
    main()
