"""`load`: many calls at once against a running line, by signed webhooks or SIP, with progress and a table of latencies."""

import asyncio
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import httpx
from click.core import ParameterSource
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID
from rich.table import Table

from ivr.cli.exploring import progress_bar
from ivr.cli.load_ways import OWN_TRUNK, flow_in, read_way
from ivr.errors import ConfigError
from ivr.extras import require_extra
from ivr.logs import set_up_logging
from ivr.settings import Settings, load_settings
from ivr.testing.load import Latencies, Placed, place
from ivr.testing.twilio import Application, TwilioCall

if TYPE_CHECKING:
    from ivr.testing.sip.load import LoadPlan, SipLoad

console = Console(highlight=False)
# Nothing is charged by them: an account that nobody has, and the caller hangs up.
KEYS = "1 99999999# h"
MOST_AT_ONCE = 1000  # a thread and a connection each, or two sockets
FILES_A_CALL = 2  # RTP and RTCP
INTERRUPTED = 130  # what a shell gives for Ctrl-C
OF_SIP = ("method", "barge_in", "per_second", "bind")


@dataclass(frozen=True)
class Asked:
    """What was typed, whichever way the calls take."""

    calls: int
    via: str
    flow: str
    keys: Sequence[str]
    at_once: int


@click.command()
@click.argument("calls", type=click.IntRange(1, 1_000_000))
@click.option(
    "--via",
    metavar="WAY",
    required=True,
    help="The running line: http://127.0.0.1:8000 (webhooks), sip:pay@127.0.0.1:5060, or `sip`, this project's own trunk.",
)
@click.option(
    "--flow", default="pay-a-bill", show_default=True, help="Which flow; a SIP address decides it by its number."
)
@click.option(
    "--keys", default=KEYS, show_default=True, help="Entries separated by spaces; '-' is silence, 'h' hangs up."
)
@click.option("--at-once", type=click.IntRange(1, MOST_AT_ONCE), help="Fewer callers at one time.")
@click.option(
    "--method", type=click.Choice(["rfc4733", "inband"]), default="rfc4733", help="SIP: keys as events, or tones."
)
@click.option("--barge-in", is_flag=True, help="SIP: press into the prompts, without hearing them out.")
@click.option(
    "--per-second",
    type=click.FloatRange(0.1, 1000),
    default=50,
    show_default=True,
    help="SIP: new calls a second at most.",
)
@click.option("--bind", default="127.0.0.1", show_default=True, help="SIP: our own address.")
@click.pass_context
def load(
    context: click.Context, /, calls: int, via: str, flow: str, keys: str, at_once: int | None, **of_sip: Any
) -> None:
    """Place CALLS calls at once (1000 at most, then as they end) against a running line, and say how long its answers take.

    \b
    By signed webhooks:
      python -m ivr load 1000 --via http://127.0.0.1:8000
      python -m ivr load 200 --via http://127.0.0.1:8000 --keys "1 12345678# 1 4111111111111111# 1230 123 94105 1 #"
    By SIP, with RTP both ways:
      python -m ivr load 100 --via sip
      python -m ivr load 100 --via sip:pay@127.0.0.1:5060 --barge-in

    Each call comes from a number of its own. By webhooks, the line must run with this project's auth token. By SIP, a caller
    presses keys when a prompt is over (or --barge-in), and `key to prompt` is from the last key to the first sound after it;
    Ctrl-C hangs up every call and says what was measured so far. Calls that pay are real to the line: use it against a
    development line only. The exit code is 1 where a call went wrong; each kind of failure is told.
    """
    entries = [entry for entry in keys.split() if entry != "h"]
    asked = Asked(calls, via, flow, entries, min(calls, at_once or MOST_AT_ONCE))
    given = [name for name in (*OF_SIP, "flow") if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if read_way(via) == "sip":
        sys.exit(load_by_sip(asked, given, of_sip))
    if wrong := [name for name in given if name in OF_SIP]:
        raise ConfigError(f"--{wrong[0].replace('_', '-')} goes with --via sip only: webhooks carry no audio")
    line, named = flow_in(via)
    if named and "flow" in given and named != flow:
        raise ConfigError(f"--flow {flow}, but --via is the address of {named}: leave one of them out")
    sys.exit(load_by_webhooks(replace(asked, via=line, flow=named or flow)))


def load_by_webhooks(asked: Asked) -> int:
    settings, via = load_settings(), asked.via
    parts = urlsplit(via)
    public = settings.public_url.rstrip("/") or f"{parts.scheme}://{parts.netloc}"
    status = f"{parts.path.rstrip('/')}/twilio/status"
    limits = httpx.Limits(max_connections=asked.at_once, max_keepalive_connections=asked.at_once)
    with httpx.Client(base_url=via, timeout=15, trust_env=False, limits=limits) as http, Measured(asked) as measured:
        application = Application(
            http, f"{via.rstrip('/')}/twilio/voice/{asked.flow}", settings.twilio_auth_token, public, status
        )

        def new_call(number: int) -> TwilioCall:
            return TwilioCall(application, f"+1556{number:07d}")

        for placed in place(new_call, asked.keys, asked.calls, asked.at_once):
            measured.note(placed)
    return measured.tell()


# ---- by SIP


def load_by_sip(asked: Asked, given: Sequence[str], of_sip: dict[str, Any]) -> int:
    require_extra("trunk", f"`load --via {asked.via}`")
    from ivr.channels.trunk.open_files import allow_open_files
    from ivr.testing.sip.load import LoadPlan, SipLoad

    set_up_logging("error", "text")
    plan = LoadPlan(asked.via, asked.keys, asked.calls, asked.at_once, **of_sip)
    if asked.via == OWN_TRUNK:
        plan = to_own_trunk(plan, asked.flow, load_settings())
    elif "flow" in given:
        raise ConfigError(f"--flow goes without {asked.via}: the number that is called decides the flow (TRUNK_FLOWS)")
    allow_open_files(FILES_A_CALL * asked.at_once, 0)
    with Measured(replace(asked, flow=plan.uri)) as measured:
        load = SipLoad(plan, measured.note)
        asyncio.run(until_over_or_interrupted(load))
    code = measured.tell()
    tell_of_this_side(load)
    return INTERRUPTED if load.was_stopped else code


def to_own_trunk(plan: "LoadPlan", flow: str, settings: Settings) -> "LoadPlan":
    """The number that this project's trunk answers with the flow. ConfigError lists those that there are."""
    from ivr.phone.sip import Credentials

    routes = dict(pair.strip().split("=", 1) for pair in settings.trunk_flows.split(",") if "=" in pair)
    numbers = [number for number, name in routes.items() if name == flow]
    if not numbers:
        raise ConfigError(f"no number of the trunk is answered by '{flow}'; TRUNK_FLOWS is {settings.trunk_flows}")
    user = "load" if numbers[0] == "*" else numbers[0]
    host = "127.0.0.1" if settings.trunk_bind == "0.0.0.0" else settings.trunk_bind  # noqa: S104 - compared, not bound
    login = Credentials(settings.trunk_user, settings.trunk_password) if settings.trunk_user else None
    return replace(plan, uri=f"sip:{user}@{host}:{settings.trunk_port}", login=login)


async def until_over_or_interrupted(load: "SipLoad") -> None:
    """Ctrl-C hangs every call up; a second one does not wait for that."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        load.stop()

    loop.add_signal_handler(signal.SIGINT, stop)
    await load.run()


def tell_of_this_side(load: "SipLoad") -> None:
    if load.was_stopped:
        console.print(f"stopped: {load.interrupted} calls under way were hung up, and are not in the table")
    if load.late > load.ticks / 100:
        share = load.late / load.ticks
        console.print(
            f"[yellow]this side was late[/] in {share:.0%} of its ticks: the line is quicker than the table says"
        )


# ---- what was measured


class Measured:
    """Progress while calls end, and a table afterwards."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._latencies = Latencies()

    def __enter__(self) -> "Measured":
        self._bar: Progress = progress_bar()
        self._bar.start()
        self._task: TaskID = self._bar.add_task(f"calling {self._asked.flow}", total=self._asked.calls)
        self._began = time.perf_counter()
        return self

    def __exit__(self, *_error: object) -> None:
        self._took_s = time.perf_counter() - self._began
        self._bar.stop()

    def note(self, placed: Placed) -> None:
        self._latencies.add(placed)
        self._bar.advance(self._task)

    def tell(self) -> int:
        """1 where a call went wrong."""
        tell(self._latencies, self._took_s)
        return 1 if self._latencies.problems else 0


def tell(latencies: Latencies, took_s: float) -> None:
    console.print(f"{latencies.calls} calls in {took_s:.1f} s: {latencies.calls / took_s:,.1f} a second")
    table = Table("waited for", *("times", "median", "95 %", "99 %", "longest"), box=None, pad_edge=False)
    for what, times, seconds in latencies.rows():
        table.add_row(what, str(times), *(f"{1000 * one:,.0f} ms" for one in seconds))
    console.print(table)
    for problem, times in latencies.problems.most_common(10):
        console.print(f"[red]{times} times:[/] {escape(problem)}", markup=True)
