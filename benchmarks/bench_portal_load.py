"""What people at the portal cost callers: webhooks' latency with fifty users clicking and with nobody there. `make bench-portal-load`.

Web server and portal are the processes that `python -m ivr up` starts, on one database. A process of its own writes 200 calls a second into
it, each with its turns, as other nodes of a site do; signed webhooks come at a fixed rate, whether or not the ones before are answered, and
their time counts from when each was due. Users, in a process of their own, so that what they take is not counted as the webhooks', wait a
second between an answer and the next click. Rounds with and without them are interleaved.
"""

import asyncio
import json
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.bench_web import PLAIN, command_of, prepare, read_answer, requests_of_a_call, serving  # noqa: E402
from benchmarks.children import Child, child  # noqa: E402
from benchmarks.scan_portal import Portal  # noqa: E402
from ivr.cli.own_postgresql import own_postgresql  # noqa: E402
from ivr.store import TurnRecord, open_store  # noqa: E402
from tests.ports import free_port  # noqa: E402
from tests.store.payments import a_call  # noqa: E402

TURNS = 8  # of each written call
WAITED_AT_ONCE = 16  # callers at a time
THINKS_S = 1.0
PAGES = ("/payments", "/calls", "/live", "/drop-off", "/prompts", f"/days/{datetime.now(UTC):%Y-%m-%d}")
console = Console(width=120)


@dataclass
class Times:
    """Seconds of each webhook and each page, of one kind of round."""

    webhooks: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)


@click.command()
@click.option("--rounds", default=3, show_default=True, help="Rounds with users and without, interleaved.")
@click.option("--seconds", default=20, show_default=True, help="Of each round.")
@click.option("--users", default=50, show_default=True, help="People at the portal.")
@click.option("--calls", default=200, show_default=True, help="Calls written a second by another process.")
@click.option("--webhooks", default=40, show_default=True, help="Signed webhooks a second.")
@click.option("--postgresql", is_flag=True, help="On a PostgreSQL of its own instead of SQLite.")
@click.option("--write", hidden=True, help="The process that writes calls; the URL of the database.")
@click.option("--visit", hidden=True, help="The process of the users; the portal's address.")
def main(
    rounds: int,
    seconds: int,
    users: int,
    calls: int,
    webhooks: int,
    postgresql: bool,
    write: str | None,
    visit: str | None,
) -> None:
    """Prints p50 and p99 of webhooks with nobody at the portal and with users, and of the users' pages."""
    if write:
        write_calls(write, calls)
        return
    if visit:
        visit_when_told(visit, json.loads(input()))
        return
    found = {"nobody": Times(), f"{users} users": Times()}
    with tempfile.TemporaryDirectory(prefix="tonetill-") as name, ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)  # as root PostgreSQL runs as another user
        url = running.enter_context(own_postgresql(folder / "postgresql", free_port())) if postgresql else ""
        environment = prepare(folder, url)
        portal = Portal(folder, environment["DATABASE_URL"])
        port, _ = running.enter_context(serving(command_of("ours", "app:create_app", 8), environment))
        running.enter_context(portal.running())
        arguments = (
            "-m",
            "benchmarks.bench_portal_load",
            "--calls",
            str(calls),
            "--write",
            environment["DATABASE_URL"],
        )
        writer = running.enter_context(child(*arguments, environment=environment))
        writer.line()
        arguments = "-m", "benchmarks.bench_portal_load", "--visit", portal.origin
        visitors = running.enter_context(child(*arguments, takes_lines=True))
        visitors.say(json.dumps(portal.sessions(users)))
        for _ in track(range(rounds), description="rounds", console=console):
            asyncio.run(webhooks_at(port, webhooks, seconds, found["nobody"].webhooks))
            visited = found[f"{users} users"]
            visited.pages += with_users(
                visitors, seconds, partial(webhooks_at, port, webhooks, seconds, visited.webhooks)
            )
    report(found)


def write_calls(url: str, a_second: int) -> None:
    """Until it is stopped; says so once it has begun."""
    store, began, written = open_store(url), time.monotonic(), 0
    print("writing", flush=True)
    while True:
        due = int((time.monotonic() - began) * a_second)
        for _ in range(due - written):
            call, now = f"CA{secrets.token_hex(16)}", datetime.now(UTC)
            store.save_call(a_call(call, phase="over", outcome="unpaid", moves=("- began", "account end")), 0, now)
            for turn in range(TURNS):
                store.note_turn(TurnRecord(call, turn, now, "key", "account", "entry", ("enter_account_number",), 4))
        written = due
        time.sleep(0.005)


def with_users(visitors: Child, seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> list[float]:
    """Does it while users click for as long; the seconds of their pages."""
    visitors.say(str(seconds))
    asyncio.run(work())
    return list(json.loads(visitors.line()))


def visit_when_told(origin: str, sessions: Sequence[str]) -> None:
    """For each line, which says for how many seconds: each session clicks through the pages. Prints how long each page took."""
    for line in sys.stdin:
        print(json.dumps(asyncio.run(visited(origin, sessions, float(line)))), flush=True)


async def visited(origin: str, sessions: Sequence[str], seconds: float) -> list[float]:
    took: list[float] = []
    until = time.monotonic() + seconds
    await asyncio.gather(*(user(origin, session, until, took) for session in sessions))
    return took


async def webhooks_at(port: int, a_second: int, seconds: float, took: list[float]) -> None:
    """Each when it is due, for so long; the webhooks of a call one after the other."""
    until = time.monotonic() + seconds
    lanes = [lane(port, WAITED_AT_ONCE / a_second, until, took) for _ in range(WAITED_AT_ONCE)]
    await asyncio.gather(*lanes)


async def lane(port: int, every_s: float, until: float, took: list[float]) -> None:
    """A caller after the other, a webhook each `every_s`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    due = time.monotonic() + random.random() * every_s
    while due < until:
        for message in requests_of_a_call(PLAIN):
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(message)
            await read_answer(reader)
            took.append(time.monotonic() - due)
            due += every_s
    writer.close()


async def user(origin: str, session: str, until: float, took: list[float]) -> None:
    async with httpx.AsyncClient(base_url=origin, headers={"Cookie": session}, timeout=60, trust_env=False) as browser:
        await asyncio.sleep(random.random() * THINKS_S)
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await browser.get(random.choice(PAGES))
            if answer.status_code != httpx.codes.OK:
                raise SystemExit(f"the portal answered {answer.status_code}: {answer.text[:200]}")
            took.append(time.monotonic() - began)
            await asyncio.sleep(THINKS_S * (0.5 + random.random()))


def report(found: dict[str, Times]) -> None:
    table = Table(title="milliseconds, from when each was due")
    for column in ("at the portal", "webhooks", "p50", "p99", "pages", "p50", "p99"):
        table.add_column(column, justify="right")
    for who, times in found.items():
        table.add_row(who, *figures(times.webhooks), *figures(times.pages))
    console.print(table)


def figures(seconds: Sequence[float]) -> tuple[str, str, str]:
    if not seconds:
        return "0", "", ""
    ordered = sorted(seconds)
    return (
        f"{len(ordered):,}",
        f"{statistics.median(ordered) * 1e3:.1f}",
        f"{ordered[int(len(ordered) * 0.99)] * 1e3:.1f}",
    )


if __name__ == "__main__":
    main()
