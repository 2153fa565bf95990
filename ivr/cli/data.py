"""`data`: what is kept of people and for how long, and the keys that callers' numbers are sealed with (docs/personal-data.md)."""

import json
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.table import Table

from ivr.calls.number_keys import new_number_key as new_key
from ivr.calls.number_keys import number_seals, read_number_keys, write_number_keys
from ivr.calls.retention import FIXED, WORDS, due_before, kept_days
from ivr.cli.data_of_person import delete, export
from ivr.cli.payment_session import as_json, operator
from ivr.cli.reports import count
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.settings import Settings, load_settings
from ivr.store import Store, number_key_id, open_store


@click.group()
def data() -> None:
    """What is kept of people and for how long, and the keys that callers' numbers are sealed with."""


data.add_command(export)
data.add_command(delete)


@data.command()
@as_json
def retention(is_json: bool) -> None:
    """How long each kind of data is kept, its oldest row, and how many rows are due to be deleted.

    KEEP_TURNS_DAYS and its like set the days; the forwarder deletes what is due, once an hour and a few thousand rows at a time.
    """
    settings, now = load_settings(), datetime.now(UTC)
    store = open_store(settings.database_url)
    table = Table("kind", "what", "days", "oldest", "due", box=None)
    for kind, days in kept_days(settings).items():
        found = store.kept_so_far(kind, due_before(days, now))
        oldest = found.oldest.date().isoformat() if found.oldest else ""
        if is_json:
            click.echo(json.dumps({"kind": kind, "days": days, "oldest": oldest or None, "due": found.due}))
        table.add_row(kind, WORDS[kind], str(days) if days else "for ever", oldest, str(found.due))
    store.close()
    if not is_json:
        for what, how in FIXED.items():
            table.add_row("", what, how, "", "")
        Console(highlight=False).print(table)


@data.command()
@click.option("--add", is_flag=True, help="Add a key to the end of the file: it opens, and seals nothing yet.")
@click.option("--use", is_flag=True, help="Let the last key of the file seal from the next start on.")
@click.option("--renew", is_flag=True, help="Seal everything with the key that seals now.")
@click.option("--drop", metavar="KEY", help="Forget a key that seals nothing any more, also in the file.")
@click.option("--lost", metavar="KEY", help="Go on without a key that is lost: numbers sealed with it are lost too.")
def keys(*, add: bool, use: bool, renew: bool, drop: str | None, lost: str | None) -> None:
    """The keys that numbers are sealed with, and changing them.

    \b
    data keys --add      on one node; copy numbers.key to all others, start their processes again
    data keys --use      on each node, which is then started again
    data keys --renew    once
    data keys --drop KEY on each node
    """
    if sum(map(bool, (add, use, renew, drop, lost))) > 1:
        raise click.UsageError("one of --add, --use, --renew, --drop and --lost at a time")
    settings = load_settings()
    if lost:
        go_on_without(settings, lost)
        return
    store = open_store(settings.database_url, numbers=number_seals(settings))
    try:
        change(settings, store, add=add, use=use, renew=renew, drop=drop)
    finally:
        store.close()


def change(settings: Settings, store: Store, *, add: bool, use: bool, renew: bool, drop: str | None) -> None:
    folder, console = settings.var / "keys", Console(highlight=False)
    found = read_number_keys(folder)
    if add:
        found = [*found, new_key()]
        write_number_keys(folder, found)
        note(store, "number key added", number_key_id(found[-1]))
        console.print("Copy the file to every node and start its processes again; then `--use` on each node.")
    elif use:
        found = [found[-1], *found[:-1]]
        write_number_keys(folder, found)
        note(store, "number key used", number_key_id(found[0]))
        console.print("Start this node's processes again: then it seals.")
    elif renew:
        sealed = store.seal_numbers(renew=True)
        note(store, "numbers sealed again", number_key_id(found[0]))
        console.print(f"{count(sealed, 'row')} sealed")
    elif drop:
        require_unused(store, found, drop)
        write_number_keys(folder, [key for key in found if number_key_id(key) != drop])
        store.drop_number_key(drop)
        note(store, "number key dropped", drop)
    else:
        show(console, store, found)


def require_unused(store: Store, found: list[bytes], key: str) -> None:
    rows = sum(one.rows for one in store.number_keys() if one.id == key)
    if rows:
        raise ConfigError(
            f"{count(rows, 'number')} {'is' if rows == 1 else 'are'} sealed with {key}: `{COMMAND} data keys --renew` seals them with the first"
        )
    if number_key_id(found[0]) == key:
        raise ConfigError(f"{key} is the key that seals: add another, and use it first")


def go_on_without(settings: Settings, key: str) -> None:
    store = open_store(settings.database_url)
    try:
        if not store.drop_number_key(key):
            raise ConfigError(f"no number is sealed with a key {key}")
        note(store, "number key lost", key)
    finally:
        store.close()


def show(console: Console, store: Store, found: list[bytes]) -> None:
    known = {one.id: one for one in store.number_keys()}
    table = Table("key", "seals", "numbers sealed", "since", box=None)
    for place, name in enumerate(map(number_key_id, found)):
        one = known.get(name)
        since = one.since.date().isoformat() if one else "not used yet"
        table.add_row(name, "yes" if place == 0 else "no", str(one.rows if one else 0), since)
    console.print(table)


def note(store: Store, what: str, about: str) -> None:
    store.note(operator(), what, about, datetime.now(UTC))
