"""`alerts`: what is wrong with the line, and whether whoever should hear of it does."""

import json
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.table import Table

from ivr.calls.alert_settings import KINDS, alert_receivers
from ivr.calls.emailing import mail_server_of
from ivr.cli.payment_session import as_json, opened
from ivr.places import COMMAND
from ivr.store import FoundAlert

MOST_SHOWN = 200
TEST = "test"
NOT_SENT = (
    "not sent, because SMTP_URL is not set: set SMTP_URL and SMTP_FROM; until then it is kept, and shown on the page"
)
console = Console(width=160, highlight=False)


@click.group()
def alerts() -> None:
    """What is wrong with the line. The forwarder looks once a minute, and tells of each once until it is over.

    \b
    python -m ivr alerts list
    python -m ivr alerts test
    """


@alerts.command("list")
@click.option("--all", "also_over", is_flag=True, help="Also those that are over, the latest first.")
@as_json
def list_alerts(also_over: bool, is_json: bool) -> None:
    """Those that stand; exit 1 where there is one."""
    with opened() as (_, store):
        found = store.alerts(MOST_SHOWN, also_over=also_over)
    table = Table("since (UTC)", "alert", "what is wrong", "over (UTC)", box=None)
    for one in found:
        over = one.ended_at.isoformat() if one.ended_at else None
        if is_json:
            told = {"alert": one.id, "kind": one.kind, "about": one.about, "words": one.words}
            click.echo(json.dumps(told | {"since": one.since.isoformat(), "over": over}))
        table.add_row(
            f"{one.since:%Y-%m-%d %H:%M}", one.kind, one.words, f"{one.ended_at:%H:%M}" if one.ended_at else ""
        )
    if not is_json:
        console.print(table if found else f"nothing is wrong that the forwarder looks for: {', '.join(KINDS)}")
    if any(one.ended_at is None for one in found):
        raise SystemExit(1)


@alerts.command()
def test() -> None:
    """Raise an alert that is none, and let it be over at once: both are sent to whoever is told of real ones."""
    now = datetime.now(UTC)
    with opened() as (settings, store):
        to = alert_receivers(settings)
        words = f"this is a test by `{COMMAND} alerts test`: nothing is wrong"
        store.note_alerts(TEST, [FoundAlert("test", f"{now:%Y-%m-%d %H:%M:%S}", words)], timedelta(), to, now)
        store.note_alerts(TEST, [], timedelta(), to, now)
        is_told, can_send = bool(settings.notices_url), mail_server_of(settings) is not None
    if to.emails:
        click.echo(f"by e-mail to {', '.join(to.emails)}{'' if can_send else f': {NOT_SENT}'}")
    if is_told:
        click.echo("to NOTICES_URL, where NOTICES_KINDS has alert.raised")
    if not (to.emails or is_told):
        click.echo(f"nobody is told: set ALERT_EMAILS or NOTICES_URL; `{COMMAND} alerts list --all` shows it")
    elif is_told or can_send:
        click.echo(f"the forwarder sends it; `{COMMAND} notices list` shows what was not taken")
