"""`notices`: what a billing system and the merchant's own systems have not taken, for the operator to see and send again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.cli.payment_session import operator
from ivr.places import COMMAND
from ivr.settings import load_settings
from ivr.store import MerchantNotice, Notice, open_store

MOST_SHOWN = 200
console = Console(width=160)


@dataclass(frozen=True)
class NoticeRow:
    """`due`: its next try; None where none is due. `id` is what `resend` takes."""

    id: str
    to: str
    about: str
    state: str
    attempts: int
    due: datetime | None
    problem: str = ""


@click.group()
def notices() -> None:
    """Notices to BILLING_URL and NOTICES_URL that have not been taken. Cards that were charged stay charged."""


@notices.command("list")
@click.option("--all", "also_sent", is_flag=True, help="Also those to NOTICES_URL that were taken.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one a line.")
def list_notices(also_sent: bool, as_json: bool) -> None:
    """Those that wait or have failed, the oldest first."""
    settings = load_settings()
    store = open_store(settings.database_url)
    found = [billing_row(one) for one in store.waiting_notices(MOST_SHOWN)]
    found += [merchant_row(one) for one in store.merchant_notices(MOST_SHOWN, also_sent=also_sent)]
    store.close()
    if as_json:
        for one in found:
            click.echo(json.dumps(one.__dict__ | {"due": one.due.isoformat() if one.due else None}))
    elif found:
        console.print(table(found))
    else:
        nobody = "neither BILLING_URL nor NOTICES_URL is set: no system is told of payments"
        is_anybody = settings.billing_url or settings.notices_url
        click.echo("nothing waits: all that was told has been taken" if is_anybody else nobody)


@notices.command()
@click.argument("notice", required=False)
def resend(notice: str | None) -> None:
    """Send one again at once, or all that were not taken; also those that have failed.

    NOTICE is an id of `list`, or a payment's reference for one to the billing system. One to NOTICES_URL is sent again also
    where it was taken before: under the same id.
    """
    store = open_store(load_settings().database_url)
    count = store.resend_notices(datetime.now(UTC), notice) + store.resend_merchant_notices(notice)
    if count:
        store.note(operator(), "notices resent", f"{notice or 'all'}: {count}", datetime.now(UTC))
    store.close()
    if notice and not count:
        raise click.ClickException(f"no notice of {notice} waits: `{COMMAND} notices list` shows those that do")
    click.echo(f"{count} will be sent by the forwarder within moments")


def billing_row(notice: Notice) -> NoticeRow:
    intent = notice.payment.intent
    state = "waiting" if notice.due else "failed"
    about = f"{notice.bill.key}, {notice.bill.amount}" if notice.bill else f"{intent.account}, {intent.amount}"
    return NoticeRow(notice.id, "BILLING_URL", about, state, notice.attempts, notice.due)


def merchant_row(notice: MerchantNotice) -> NoticeRow:
    told = (notice.id, "NOTICES_URL", notice.about, notice.state, notice.attempts, notice.due)
    return NoticeRow(*told, notice.problem or "")


def table(rows: Sequence[NoticeRow]) -> Table:
    found = Table(title="notices")
    for column in ("id", "to", "about", "state", "tries", "next try", "why it was not taken"):
        found.add_column(column, no_wrap=column == "id")
    for row in rows:
        due = f"{row.due:%Y-%m-%d %H:%M:%S} UTC" if row.due else ""
        due = due or ("resend it" if row.state == "failed" else "")
        found.add_row(row.id, row.to, row.about, row.state, str(row.attempts), due, row.problem)
    return found
