"""`simulate`: a call from the terminal, in-process or through the running product's signed webhooks."""

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from click.core import ParameterSource
from rich.console import Console

from ivr.channels.simulator import START, Ask, converse, mask
from ivr.cli.flow_choice import chosen_flow, flow_file
from ivr.cli.jobs import jobs_option
from ivr.cli.load_ways import flow_in, require_webhooks
from ivr.cli.on_record import tell_of_line, tell_record
from ivr.core.stray_cards import holds_card_number
from ivr.errors import ConfigError
from ivr.logs import set_up_logging
from ivr.places import COMMAND
from ivr.settings import load_settings

if TYPE_CHECKING:
    from ivr.cli.workbench import Workbench
    from ivr.testing.recording import RecordingLine
    from ivr.testing.twilio import TwilioCall

console = Console(highlight=False)
COMMANDS = ("-", "h", "?")  # typed in place of keys

_AT_ALONE = (
    "--at goes without --via, --time and --explore: a running line's calls are at its own time, and only a call of its own has "
    "another (docs/flows.md, Hours, says how to try opening hours on a line)"
)
# Each call here has a database of its own.
_FORGETS = (
    "this flow knows callers again, but a call without --via is forgotten when it ends: to ring again as a caller who is remembered, "
    f"call a running line twice (`{COMMAND} up`, then `{COMMAND} simulate {{flow}} --via http://127.0.0.1:8000`)"
)


@click.command()
@click.argument("flow", type=click.Path(path_type=Path), default=chosen_flow)
@click.option("--via", metavar="URL", help="Call the running product at this address, by signed webhooks.")
@click.option("--from", "ani", default="+15550100", show_default=True, help="The caller's number (ANI).")
@click.option("--keys", help="Press these instead of asking: entries separated by spaces, '-' is silence.")
@click.option("--at", "when", metavar="TIME", help="Call at another time: '2026-12-25 10:00', 2026-12-25 or 10:00.")
@click.option("--record", metavar="FILE", type=click.Path(path_type=Path), help="Write the call to this call file.")
@click.option("--explore", "calls", metavar="N", type=click.IntRange(1), help="Let a monkey make N calls instead.")
@click.option("--seed", type=int, default=1, show_default=True, help="For --explore: the same calls again.")
@jobs_option("For --explore: processes.")
@click.option("--whole", is_flag=True, help="For --explore: every call through database and vault; slower.")
@click.option("--drawing", type=click.Path(path_type=Path), help="For --explore: what was gone through, as SVG.")
@click.option("--time", "timed", is_flag=True, help="Tell where the seconds go, for a first-time caller and an expert.")
@click.option("--language", "-l", metavar="TAG", help="For --time: the language that the callers choose.")
@click.option("--json", "as_json", is_flag=True, help="For --time: as JSON.")
def simulate(flow: Path, via: str | None, ani: str, keys: str | None, record: Path | None, **other: Any) -> None:
    """Call a flow: read what is said, type keys. FLOW is a file, or the name of one of the project's flows; without it the
    project's, or the sample that ships, is called.

    \b
    Without a server:          python -m ivr simulate flows/pay-a-bill.yaml
    Through the real product:  python -m ivr simulate --via http://127.0.0.1:8000
    On a holiday:              python -m ivr simulate early-payment --at "2026-12-25 10:00"
    As a test:                 python -m ivr simulate --record calls/paid.txt
    For what breaks it:        python -m ivr simulate --explore 1000
    Where the seconds go:      python -m ivr simulate --time
    A whole call at once:      python -m ivr simulate --keys "1 12345678 1 4111111111111111# 1230 123 94105 1 #"

    Account 12345678 owes 42.50 (ACCOUNTS, or what BILLING_URL says). Use published test cards only: docs/bank.md. Keys of a
    card are not shown; with --via no keys are, because nothing there says which are a card's. --at is by the clock of the
    flow's zone, or UTC where it has none.
    """
    timing = {name: other.pop(name) for name in ("timed", "language", "as_json")}
    when = other.pop("when")
    if when is not None and (via or timing["timed"] or other["calls"] is not None):
        raise ConfigError(_AT_ALONE)
    if via is None:
        flow = flow_file(flow)
    if other["calls"] is not None:
        from ivr.cli.exploring import explore_flow

        sys.exit(explore_flow(flow, **other))
    if timing["timed"]:
        from ivr.cli.timing import tell_seconds

        tell_seconds(flow, keys, timing["language"], as_json=timing["as_json"])
        return
    ask = scripted(keys) if keys is not None else typed
    if record is not None:
        require_recordable(record, via)
    if via:
        line = via_line(*called(via, flow), ani)
        converse(line, console, ask)
        tell_of_line(console, lambda store: line.call_id if store.load_call(line.call_id) else None)
        return
    call_here(flow, when, ani, ask, record)


def call_here(flow: Path, when: str | None, ani: str, ask: Ask, record: Path | None) -> None:
    """Without a server: all of the line is in this process."""
    from ivr.cli.workbench import in_zone, workbench
    from ivr.testing.recording import RecordingLine

    set_up_logging("error", "text")
    with console.status("starting a bank of your own"), ExitStack() as stack:
        bench = stack.enter_context(workbench(flow, when))
        after = stack.pop_all()
    with after:
        line = bench.dial(bench.flow.name, ani, RecordingLine)
        assert isinstance(line, RecordingLine)
        if when is not None:
            if record is not None:
                require_playable(bench.clock())
            line.recording.begins_at(bench.clock())
            console.print(f"[dim]the call begins on {in_zone(bench.flow, bench.clock()):%A, %Y-%m-%d at %H:%M %Z}[/]")
        if bench.flow.remembers:
            console.print(f"[dim]{_FORGETS.format(flow=bench.flow.name)}[/]", soft_wrap=True)
        converse(line, console, ask)
        tell_outcome(bench, line.call_id)
        if record is not None:
            write_call_file(record, line, bench)


def typed(prompt: str, hidden: bool) -> str:
    """From the terminal. A card number typed at another question is taken off the screen again."""
    if not sys.stdin.isatty():
        return console.input(prompt)
    keys = console.input(prompt, password=hidden)
    if hidden:
        console.print(f"{' ' * len(prompt)}{mask(keys)}", markup=False)
    elif looks_like_a_card(keys):
        console.print(f"\x1b[1A\x1b[2K{prompt}{mask(keys)}", markup=False)
    return keys


def scripted(keys: str) -> Ask:
    entries = iter(keys.split())

    def ask(prompt: str, hidden: bool) -> str:
        entry = next(entries, "h")
        shown = mask(entry) if (hidden and entry not in COMMANDS) or looks_like_a_card(entry) else entry
        console.print(f"{prompt}{shown}", markup=False)
        return "" if entry == "-" else entry

    return ask


def looks_like_a_card(keys: str) -> bool:
    return any(holds_card_number(part.encode()) for part in keys.replace("*", "#").split("#"))


def tell_outcome(bench: "Workbench", call_id: str) -> None:
    """What is on record afterwards; a charge still under way when the caller left is finished first."""
    bench.work()
    tell_record(console, bench.store, call_id)
    for notice in bench.store.waiting_notices(10):
        console.print(f"  the billing system was not told of {notice.payment.intent.reference}: it is tried again")


def require_recordable(file: Path, via: str | None) -> None:
    """Told before the call, not after it."""
    if via:
        raise ConfigError("--record goes without --via: webhooks do not say which keys are a card's")
    if not file.parent.is_dir():
        raise ConfigError(f"--record: there is no folder {file.parent}: `mkdir -p {file.parent}` makes it")
    if file.exists():
        raise ConfigError(f"--record: {file} is there already: choose another name")


def require_playable(begin: datetime) -> None:
    if begin < START:
        raise ConfigError(f"--record: the clock of a call file begins at {START:%Y-%m-%d %H:%M} UTC: --at is earlier")


def write_call_file(file: Path, line: "RecordingLine", bench: "Workbench") -> None:
    from ivr.testing.recording import call_file

    file.write_text(call_file(line.recording, line.call_id, bench.store), encoding="utf-8")
    console.print(f"[dim]written to {file}: keys of a card are those of a test card like it[/]")


def called(via: str, flow: Path) -> tuple[str, str]:
    """The line's address, and the flow that is called there. ConfigError where two are named."""
    require_webhooks(via)
    line, named = flow_in(via)
    source = click.get_current_context().get_parameter_source("flow")
    if named and source is ParameterSource.COMMANDLINE and named != flow.stem:
        raise ConfigError(f"flow {flow.stem}, but --via is the address of {named}: leave one of them out")
    return line, named or flow.stem


def via_line(url: str, flow: str, ani: str) -> "TwilioCall":
    """As Twilio would call the line, with this project's auth token."""
    from ivr.testing.twilio import call_application

    settings = load_settings()
    return call_application(
        f"{url}/twilio/voice/{flow}",
        auth_token=settings.twilio_auth_token,
        public_url=settings.public_url,
        status_callback=f"{urlsplit(url).path}/twilio/status",
        ani=ani,
    )
