"""`cards`: the cards that banks keep for accounts, as far as they are known here, and having one forgotten."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.cli.payment_session import as_json, opened, operator, require_terminal, yes
from ivr.errors import RecordError
from ivr.store import KeptCard

MOST_SHOWN = 200
console = Console(width=140)


@click.group()
def cards() -> None:
    """Cards that a bank keeps for later payments, with the consent of their holders.

    \b
    python -m ivr cards list
    python -m ivr cards forget 12345678

    Nothing shown here can be charged: what stands for a card at its bank is never shown.
    """


@cards.command("list")
@click.option("--account", default="", help="Of this bill or account.")
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_SHOWN, show_default=True, help="How many.")
@as_json
def list_cards(account: str, most: int, is_json: bool) -> None:
    """The latest first."""
    with opened() as (_, store):
        found = store.kept_cards(most, account)
    if is_json:
        for one in found:
            click.echo(json.dumps(record_of(one), ensure_ascii=False))
    elif found:
        console.print(table(found))
    else:
        click.echo("no card is kept")


@cards.command()
@click.argument("account")
@yes
def forget(account: str, yes: bool) -> None:
    """What stands for the card of ACCOUNT is deleted here: nobody can pay with it again without keying it in."""
    with opened() as (_, store):
        found = store.kept_cards(MOST_SHOWN, account)
        if not found:
            raise RecordError(f"no card is kept for {account}")
        if not yes:
            click.echo("\n".join(f"{one.brand} {one.last4}, kept at {one.bank}" for one in found))
            require_terminal()
            click.confirm("Forget it?", abort=True)
        forgotten = store.forget_kept_card(account, operator(), datetime.now(UTC))
    click.echo(f"forgotten: {forgotten}")


def record_of(card: KeptCard) -> dict[str, object]:
    return {
        "account": card.key,
        "card": f"{card.brand} {card.last4}",
        "expires": card.expires or None,
        "bank": card.bank,
        "kept_at": card.kept_at.isoformat(timespec="seconds"),
        "consent": card.consent,
        "source": card.source,
    }


def table(found: Sequence[KeptCard]) -> Table:
    made = Table("account", "card", "expires", "bank", "kept (UTC)", "consent")
    for one in found:
        kept_at = f"{one.kept_at:%Y-%m-%d %H:%M:%S}"
        made.add_row(one.key, f"{one.brand} {one.last4}", one.expires, one.bank, kept_at, one.consent)
    return made
