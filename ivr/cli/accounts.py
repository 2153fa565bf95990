"""`accounts import`: renews what accounts owe from a CSV file, in development and in production, while calls go on."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from ivr.cli.payment_session import operator
from ivr.errors import ConfigError
from ivr.settings import load_settings
from ivr.store import Renewal, open_store, read_bills

MOST_SHOWN = 20


@click.group()
def accounts() -> None:
    """What accounts owe, where bills are in the embedded table (BILLING_URL is empty)."""


@accounts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Accounts that are not in the file are removed.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def import_accounts(file: Path, replace: bool, dry_run: bool) -> None:
    """Let each account in FILE owe what the file says: all of it or, where a line is wrong, nothing.

    \b
    FILE is CSV in UTF-8 with these columns, in any order:
        account,due,minimum,currency
        12345678,42.50,10.00,USD
    Accounts that are not in the file stay as they are, unless you say --replace.
    A payment taken after the file was written is not in the file: importing it makes that payment due again.
    """
    settings = load_settings()
    bills = read_bills(file)
    if replace and not bills:
        raise ConfigError(
            f"{file}: there is no account in it, and --replace would remove all that there are: write the file again; "
            "where nobody owes anything, keep the accounts and let each owe 0.00"
        )
    store = open_store(settings.database_url)
    try:
        renewal = store.renew_bills(bills, replace_all=replace, only_show=dry_run, by=operator())
    finally:
        store.close()
    for line in describe(renewal):
        click.echo(line)
    if settings.billing_url:
        click.echo("BILLING_URL is set: calls ask there, and not in this table", err=True)
    if dry_run:
        click.echo("nothing was changed (--dry-run)")


def describe(renewal: Renewal) -> Iterator[str]:
    yield from _few(f"+ {one.account} owes {one.due}, at least {one.minimum}" for one in renewal.added)
    yield from _few(
        f"~ {after.account} owes {after.due}, at least {after.minimum} (was {before.due}, at least {before.minimum})"
        for before, after in renewal.changed
    )
    yield from _few(f"- {one.account}, which owed {one.due}" for one in renewal.removed)
    yield renewal.counts


def _few(lines: Iterable[str]) -> Iterator[str]:
    more = 0
    for number, line in enumerate(lines):
        if number < MOST_SHOWN:
            yield line
        else:
            more += 1
    if more:
        yield f"  and {more} more"
