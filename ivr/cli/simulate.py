"""`simulate`: a call from the terminal, in-process or through the running product's signed webhooks."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from ivr.channels.simulator import Ask, CallerLine, converse, mask
from ivr.cli.flow_choice import chosen_flow
from ivr.cli.load_ways import require_webhooks
from ivr.core.stray_cards import holds_card_number
from ivr.errors import ConfigError
from ivr.logs import set_up_logging
from ivr.settings import load_settings

if TYPE_CHECKING:
    from ivr.cli.workbench import Workbench
    from ivr.testing.recording import RecordingLine

console = Console(highlight=False)
COMMANDS = ("-", "h", "?")  # typed in place of keys


@click.command()
@click.argument("flow", type=click.Path(path_type=Path), default=chosen_flow)
@click.option("--via", metavar="URL", help="Call the running product at this address, by signed webhooks.")
@click.option("--from", "ani", default="+15550100", show_default=True, help="The caller's number (ANI).")
@click.option("--keys", help="Press these instead of asking: entries separated by spaces, '-' is silence.")
@click.option("--record", metavar="FILE", type=click.Path(path_type=Path), help="Write the call to this call file.")
@click.option("--explore", "calls", metavar="N", type=click.IntRange(1), help="Let a monkey make N calls instead.")
@click.option("--seed", type=int, default=1, show_default=True, help="For --explore: the same calls again.")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="For --explore: processes.")
@click.option("--whole", is_flag=True, help="For --explore: every call through database and vault; slower.")
@click.option("--drawing", type=click.Path(path_type=Path), help="For --explore: what was gone through, as SVG.")
@click.option("--time", "timed", is_flag=True, help="Tell where the seconds go, for a first-time caller and an expert.")
@click.option("--language", "-l", metavar="TAG", help="For --time: the language that the callers choose.")
@click.option("--json", "as_json", is_flag=True, help="For --time: as JSON.")
def simulate(flow: Path, via: str | None, ani: str, keys: str | None, record: Path | None, **other: Any) -> None:
    """Call a flow: read what is said, type keys. Without a FLOW: the project's, or the sample that ships.

    \b
    Without a server:          python -m ivr simulate flows/pay-a-bill.yaml
    Through the real product:  python -m ivr simulate --via http://127.0.0.1:8000
    As a test:                 python -m ivr simulate --record calls/paid.txt
    For what breaks it:        python -m ivr simulate --explore 1000
    Where the seconds go:      python -m ivr simulate --time
    A whole call at once:      python -m ivr simulate --keys "1 12345678 1 4111111111111111# 1230 123 94105 1 #"

    Account 12345678 owes 42.50 (ACCOUNTS, or what BILLING_URL says). Use published test cards only: docs/bank.md. Keys of a
    card are not shown; with --via no keys are, because nothing there says which are a card's.
    """
    timing = {name: other.pop(name) for name in ("timed", "language", "as_json")}
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
        converse(via_line(via, flow.stem, ani), console, ask)
        return
    from ivr.cli.workbench import workbench
    from ivr.testing.recording import RecordingLine

    set_up_logging("error", "text")
    with console.status("starting a bank of your own"), ExitStack() as stack:
        bench = stack.enter_context(workbench(flow))
        after = stack.pop_all()
    with after:
        line = bench.dial(bench.flow.name, ani, RecordingLine)
        converse(line, console, ask)
        tell_outcome(bench, line.call_id)
        if record is not None and isinstance(line, RecordingLine):
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
    stored = bench.store.load_call(call_id)
    console.print(f"[bold]on record:[/] {stored.call.outcome if stored else 'nothing'}")
    for payment in bench.store.payments_of(call_id):
        number = f", confirmation {payment.receipt_number}" if payment.receipt_number else ""
        console.print(f"  {payment.intent.amount} by {payment.intent.card_summary}: {payment.status}{number}")

    for notice in bench.store.waiting_notices(10):
        console.print(f"  the billing system was not told of {notice.payment.intent.reference}: it is tried again")


def require_recordable(file: Path, via: str | None) -> None:
    """Told before the call, not after it."""
    if via:
        raise ConfigError("--record goes without --via: webhooks do not say which keys are a card's")
    if not file.parent.is_dir():
        raise ConfigError(f"--record: there is no folder {file.parent}")
    if file.exists():
        raise ConfigError(f"--record: {file} is there already: choose another name")


def write_call_file(file: Path, line: "RecordingLine", bench: "Workbench") -> None:
    from ivr.testing.recording import call_file

    file.write_text(call_file(line.recording, line.call_id, bench.store), encoding="utf-8")
    console.print(f"[dim]written to {file}: keys of a card are those of a test card like it[/]")


def via_line(url: str, flow: str, ani: str) -> CallerLine:
    """As Twilio would call the line, with this project's auth token."""
    from ivr.testing.twilio import call_application

    require_webhooks(url)
    settings = load_settings()
    return call_application(
        url,
        f"/twilio/voice/{flow}",
        auth_token=settings.twilio_auth_token,
        public_url=settings.public_url,
        status_callback="/twilio/status",
        ani=ani,
    )
