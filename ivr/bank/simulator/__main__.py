"""`python -m ivr.bank.simulator`: the bank as a program; `... books` shows what it has booked."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ivr.bank.simulator.books import FILE, BookEntry, charged, read_books
from ivr.bank.simulator.modification_books import BookedModification, read_modifications
from ivr.bank.simulator.scenarios import SCENARIOS, Chances, SimulatorWays, scenario_for
from ivr.bank.simulator.server import BankSimulator
from ivr.errors import ConfigError, IvrError
from ivr.hangup import on_hangup
from ivr.logs import set_up_logging
from ivr.settings import load_settings


def default_folder() -> Path:
    return load_settings().var / "bank"


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=9443, show_default=True, envvar="BANK_PORT", help="0 takes any free port.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default=default_folder, help="Keys and books [var/bank]."
)
@click.option("--slow-seconds", "slow_s", default=8.0, show_default=True, help="How slow the slow cards are.")
@click.option("--iso8583-port", type=int, envvar="BANK_ISO8583_PORT", help="Speaks ISO 8583 as well, on this port.")
@click.option(
    "--adyen-port", type=int, envvar="BANK_ADYEN_PORT", help="Speaks as Adyen's Checkout as well, on this port."
)
@click.option("--adyen-notify", default="", envvar="BANK_ADYEN_NOTIFY", help="Posts Adyen's notifications there.")
@click.option("--adyen-twice", is_flag=True, help="Sends each of them twice.")
@click.option("--fault-share", default=0.0, type=click.FloatRange(0, 1), help="Breaks this share of all other charges.")
@click.option(
    "--partial-share",
    default=0.0,
    type=click.FloatRange(0, 1),
    help="Approves a part of this share of all other charges.",
)
@click.option("--seed", default=0, show_default=True, help="Of what is done by chance: the same seed, the same.")
@click.option(
    "--log-level", default="info", envvar="LOG_LEVEL", type=click.Choice(["debug", "info", "warning", "error"])
)
@click.option("--log-format", default="auto", envvar="LOG_FORMAT", type=click.Choice(["text", "json", "auto"]))
@click.pass_context
def main(context: click.Context, /, log_level: str, log_format: str, **where: Any) -> None:
    """A bank to try against: HTTPS with mutual TLS, test cards, books of its own."""
    context.obj = where["folder"]
    if context.invoked_subcommand is None:
        if os.environ.get("ENVIRONMENT") == "production":
            raise click.ClickException("the simulator approves test cards: it does not run with ENVIRONMENT=production")
        set_up_logging(log_level, log_format)
        run(**where)


@main.command()
@click.pass_obj
def books(folder: Path) -> None:
    """What the bank has booked, as tables: charges, then refunds, voids and captures."""
    entries, since = read_or_fail(folder)
    table = Table("reference", "invoice", "card", "amount", "outcome", "code", "authorization")
    for entry in entries:
        table.add_row(*row(entry))
    console = Console()
    console.print(table)
    console.print(f"{len(entries)} entries, {len(charged(entries))} charged")
    if since:
        console.print(modification_table(since))
        console.print(f"{len(since)} asked for since, {sum(one.outcome == 'done' for one in since)} done")


def modification_table(since: list[BookedModification]) -> Table:
    table = Table("kind", "reference", "key", "amount", "outcome", "code", "reason")
    for one in since:
        about = one.kind, one.reference, one.idempotency_key, str(one.amount)
        table.add_row(*about, one.outcome, one.response_code, one.reason or "-")
    return table


@main.command()
def cards() -> None:
    """The test cards and amounts, and what each does."""
    table = Table("card", "or amount", "what the bank does")
    table.add_row("any valid card", "any other", "approved")
    for scenario in SCENARIOS:
        table.add_row(scenario.pan, f"{scenario.amount_minor / 100:.2f}", scenario.what)
    Console().print(table)


def run(
    folder: Path,
    host: str,
    port: int,
    slow_s: float,
    iso8583_port: int | None,
    adyen_port: int | None,
    adyen_notify: str,
    adyen_twice: bool,
    fault_share: float,
    partial_share: float,
    seed: int,
) -> None:
    by_chance = Chances(fault_share, seed, partial_share)
    choose = by_chance if fault_share or partial_share else scenario_for
    ways = SimulatorWays(slow_s, choose=choose, twice=adyen_twice)
    try:
        bank = BankSimulator(
            folder, host, port, iso8583_port=iso8583_port, ways=ways, adyen_port=adyen_port, adyen_notify=adyen_notify
        )
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    for number in (signal.SIGTERM, signal.SIGINT):
        # `stop` waits for the serving loop, which is in this thread: so from another one.
        signal.signal(number, lambda *_: threading.Thread(target=bank.stop).start())
    on_hangup(lambda: read_again(bank))
    click.echo(f"bank simulator: {bank.url}, books and keys in {folder}")
    if bank.iso8583 is not None:
        click.echo(f"bank simulator: {bank.iso8583.url} in ISO 8583")
    if bank.adyen is not None:
        click.echo(f"bank simulator: {bank.adyen.url} as Adyen, its account in {folder / 'adyen.json'}")
    bank.serve()
    click.echo("bank simulator: stopped")


def read_again(bank: BankSimulator) -> None:
    bank.renew()
    click.echo("bank simulator: keys and certificates read again")


def row(entry: BookEntry) -> tuple[str, ...]:
    card = f"{entry.brand} {entry.last4}" if entry.last4 else "-"
    code, authorization_code = entry.response_code or "-", entry.authorization_code or "-"
    return (
        entry.reference,
        entry.invoice_reference or "-",
        card,
        str(entry.amount or "-"),
        entry.outcome,
        code,
        authorization_code,
    )


def read_or_fail(folder: Path) -> tuple[list[BookEntry], list[BookedModification]]:
    try:
        return read_books(folder), read_modifications(folder / FILE)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    try:
        main(prog_name="python -m ivr.bank.simulator")
    except IvrError as error:
        sys.exit(f"bank: {error}")
