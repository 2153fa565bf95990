"""`notices`: the payments that the merchant's billing system has not acknowledged, for the operator to see and resend."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.places import COMMAND
from ivr.settings import load_settings
from ivr.store import Notice, open_store

MOST_SHOWN = 200
console = Console(width=140)


@click.group()
def notices() -> None:
    """Payments that the billing system at BILLING_URL has not acknowledged. The cards were charged and stay charged."""


@notices.command("list")
def list_notices() -> None:
    """Those that wait, the oldest first. Why each failed is in the forwarder's log."""
    settings = load_settings()
    store = open_store(settings.database_url)
    waiting = store.waiting_notices(MOST_SHOWN)
    store.close()
    if not waiting:
        nobody = "BILLING_URL is not set: no system is told of payments"
        click.echo("no payment waits to be acknowledged" if settings.billing_url else nobody)
        return
    console.print(table(waiting))


@notices.command()
@click.argument("reference", required=False)
def resend(reference: str | None) -> None:
    """Try one again at once, or all that wait; also those that were given up after 72 hours."""
    store = open_store(load_settings().database_url)
    count = store.resend_notices(datetime.now(UTC), reference)
    store.close()
    if reference and not count:
        raise click.ClickException(f"no notice of {reference} waits: `{COMMAND} notices list` shows those that do")
    click.echo(f"{count} will be sent by the forwarder within moments")


def table(waiting: Sequence[Notice]) -> Table:
    found = Table(title="not acknowledged by the billing system")
    for column in ("reference", "account", "amount", "tries", "next try"):
        found.add_column(column, no_wrap=True)
    for notice in waiting:
        intent = notice.payment.intent
        due = f"{notice.due:%Y-%m-%d %H:%M:%S} UTC" if notice.due else "given up: resend it"
        found.add_row(intent.reference, intent.account, str(intent.amount), str(notice.attempts), due)
    return found
