"""`load`: many calls at once against a running line, by signed webhooks, with progress and a table of latencies."""

import sys
import time

import click
import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ivr.cli.exploring import progress_bar
from ivr.settings import load_settings
from ivr.testing.load import Latencies, place
from ivr.testing.twilio import Application, TwilioCall

console = Console(highlight=False)
# Nothing is charged by them: an account that nobody has, and the caller hangs up.
KEYS = "1 99999999# h"
MOST_AT_ONCE = 1000  # a thread and a connection each


@click.command()
@click.argument("calls", type=click.IntRange(1, 1_000_000))
@click.option("--via", metavar="URL", required=True, help="The running line, such as http://127.0.0.1:8000.")
@click.option("--flow", default="pay-a-bill", show_default=True)
@click.option(
    "--keys", default=KEYS, show_default=True, help="Entries separated by spaces; '-' is silence, 'h' hangs up."
)
@click.option("--at-once", type=click.IntRange(1, MOST_AT_ONCE), help="Fewer callers at one time.")
def load(calls: int, via: str, flow: str, keys: str, at_once: int | None) -> None:
    """Place CALLS calls at once (1000 at most, then as they end) against a running line, and say how long its answers take.

    \b
    python -m ivr load 1000 --via http://127.0.0.1:8000
    python -m ivr load 200 --via http://127.0.0.1:8000 --keys "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"

    Each call comes from a number of its own. The line must run with this project's auth token. Calls that pay are real to the
    line: use it against a development line only. The exit code is 1 where an answer was no right one.
    """
    at_once = min(calls, at_once or MOST_AT_ONCE)
    settings = load_settings()
    public = settings.public_url.rstrip("/") or via.rstrip("/")
    entries = [entry for entry in keys.split() if entry != "h"]
    latencies, began = Latencies(), time.perf_counter()
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    with httpx.Client(base_url=via, timeout=15, trust_env=False, limits=limits) as http, progress_bar() as bar:
        application = Application(
            http, f"{via.rstrip('/')}/twilio/voice/{flow}", settings.twilio_auth_token, public, "/twilio/status"
        )
        task = bar.add_task(f"calling {flow}", total=calls)
        for placed in place(lambda number: TwilioCall(application, f"+1556{number:07d}"), entries, calls, at_once):
            latencies.add(placed)
            bar.advance(task)
    tell(latencies, time.perf_counter() - began)
    sys.exit(1 if latencies.problems else 0)


def tell(latencies: Latencies, took_s: float) -> None:
    console.print(f"{latencies.calls} calls in {took_s:.1f} s: {latencies.calls / took_s:,.1f} a second")
    table = Table("waited for", *("times", "median", "95 %", "99 %", "longest"), box=None, pad_edge=False)
    for what, times, seconds in latencies.rows():
        table.add_row(what, str(times), *(f"{1000 * one:,.0f} ms" for one in seconds))
    console.print(table)
    for problem, times in latencies.problems.most_common(10):
        console.print(f"[red]{times} times:[/] {escape(problem)}", markup=True)
