"""`agreements`: what callers agreed to besides charges, with the words that they heard, for the operator and for an audit."""

import json
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from ivr.settings import load_settings
from ivr.store import Agreement, open_store

MOST_SHOWN = 200
KINDS = ("promise", "plan", "mandate", "keep_card", "remember")
console = Console(width=140)


@click.group()
def agreements() -> None:
    """Promises to pay, instalment plans, mandates, cards to be kept and callers to be remembered that callers agreed to. No card was charged for any of them."""


@agreements.command("list")
@click.option("--kind", type=click.Choice(KINDS), default=None, help="Of this kind only.")
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_SHOWN, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="All that is on record of each, as JSON, one a line.")
def list_agreements(kind: str | None, most: int, as_json: bool) -> None:
    """The latest first. `show` has the words of one."""
    store = open_store(load_settings().database_url)
    found = store.latest_agreements(most, kind or "")
    store.close()
    if as_json:
        for one in found:
            click.echo(json.dumps(record_of(one), ensure_ascii=False))
    elif found:
        console.print(table(found))
    else:
        click.echo("nobody has agreed to anything")


@agreements.command()
@click.argument("reference")
def show(reference: str) -> None:
    """All that is on record of one: what the caller heard, word for word, the key, the time, the flow's version."""
    store = open_store(load_settings().database_url)
    found = store.agreement(reference)
    store.close()
    if found is None:
        raise click.ClickException(f"there is no agreement {reference}")
    for name, value in record_of(found).items():
        shown = "none" if name == "amount" and value is None else in_words(value)
        click.echo(f"{name.replace('_', ' ')}: {shown}")


def record_of(agreement: Agreement) -> dict[str, object]:
    """`amount`: None where nothing is to be paid, as of a caller to be remembered."""
    known = agreement.acknowledged_at
    return {
        "reference": agreement.reference,
        "kind": agreement.kind,
        "subject": agreement.subject,
        "account": agreement.account,
        "amount": str(agreement.amount) if agreement.amount.minor else None,
        "terms": dict(agreement.terms),
        "wording": agreement.wording,
        "language": agreement.language,
        "key": agreement.key,
        "at": agreement.at.isoformat(timespec="seconds"),
        "flow": agreement.flow,
        "flow_version": agreement.flow_version,
        "merchant": agreement.merchant,
        "call": agreement.call,
        "acknowledged_at": known.isoformat(timespec="seconds") if known else None,
    }


def in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items())
    return "not yet" if value is None else str(value)


def table(found: Sequence[Agreement]) -> Table:
    made = Table(title="agreed to by callers; nothing was charged for it")
    for column in ("at (UTC)", "reference", "kind", "account", "amount", "terms"):
        made.add_column(column, no_wrap=column != "terms")
    for one in found:
        terms = in_words(dict(one.terms))
        at = f"{one.at:%Y-%m-%d %H:%M:%S}"
        made.add_row(at, one.reference, one.kind, one.account, str(one.amount) if one.amount.minor else "", terms)
    return made
