"""`cards`: the cards that banks keep for accounts, as far as they are known here, and having one forgotten."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.cli.payment_session import as_json, opened, operator, require_terminal, yes
from ivr.errors import RecordError
from ivr.store import CardDeletion, KeptCard

MOST_SHOWN = 200
console = Console(width=140)


@click.group()
def cards() -> None:
    """Cards that a bank keeps for later payments, with the consent of their holders.

    \b
    python -m ivr cards list
    python -m ivr cards forget 12345678
    python -m ivr cards forgotten

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
    """The card of ACCOUNT is forgotten here at once: nobody can pay with it again without keying it in. Its bank is asked to
    delete it too, until it has; `cards forgotten` shows whether it has said so."""
    with opened() as (_, store):
        found = store.kept_cards(MOST_SHOWN, account)
        if not found:
            raise RecordError(f"no card is kept for {account}")
        if not yes:
            click.echo("\n".join(f"{one.brand} {one.last4}, kept at {one.bank}" for one in found))
            require_terminal()
            click.confirm("Forget it?", abort=True)
        forgotten = store.forget_kept_card(account, operator(), datetime.now(UTC))
    click.echo(f"forgotten here: {forgotten}; the bank is asked to delete it too (`cards forgotten` shows when it has)")


@cards.command("forgotten")
@click.option("--account", default="", help="Of this bill or account.")
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_SHOWN, show_default=True, help="How many.")
@as_json
def list_forgotten(account: str, most: int, is_json: bool) -> None:
    """Cards that were forgotten here, and whether their bank has deleted them; the latest first."""
    with opened() as (_, store):
        found = store.card_deletions(most, account)
    if is_json:
        for one in found:
            click.echo(json.dumps(deletion_record(one), ensure_ascii=False))
    elif found:
        console.print(deletion_table(found))
    else:
        click.echo("no card was forgotten")


def at_bank(one: CardDeletion) -> str:
    """In words that claim no more than the bank has said."""
    match one.status:
        case "deleted":
            return "the bank has deleted it"
        case "kept_again":
            return "kept again since: the bank keeps it"
        case "refused":
            return f"NOT deleted at the bank: {one.reason}"
    return f"the bank is asked{f'; so far: {one.reason}' if one.reason else ''}"


def deletion_record(one: CardDeletion) -> dict[str, object]:
    return {
        "account": one.key,
        "card": f"{one.brand} {one.last4}",
        "bank": one.bank,
        "forgotten_by": one.asked_by,
        "forgotten_at": one.asked_at.isoformat(timespec="seconds"),
        "at_the_bank": one.status,
        "reason": one.reason or None,
        "ended_at": one.ended_at.isoformat(timespec="seconds") if one.ended_at else None,
    }


def deletion_table(found: Sequence[CardDeletion]) -> Table:
    made = Table("account", "card", "bank", "forgotten (UTC)", "by", "at the bank")
    for one in found:
        asked_at = f"{one.asked_at:%Y-%m-%d %H:%M:%S}"
        made.add_row(one.key, f"{one.brand} {one.last4}", one.bank, asked_at, one.asked_by, at_bank(one))
    return made


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
