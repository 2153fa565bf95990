"""What the commands on stored flows share: the store, the version that is meant, who it is that changes something."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ivr.settings import Settings
from ivr.store import FlowVersion, Store, open_store

LONGEST_NAME = 80
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
by_option = click.option("--by", default="", metavar="NAME", help="Who does it; without it, who is logged in.")


@contextmanager
def opened(settings: Settings) -> Iterator[Store]:
    store = open_store(settings.database_url)
    try:
        yield store
    finally:
        store.close()


def who(by: str) -> str:
    """As the audit trail names them."""
    try:
        return (by or getpass.getuser())[:LONGEST_NAME]
    except (KeyError, OSError):  # a container's user without a name
        return "operator"


def ask(yes: bool) -> None:
    if not yes:
        click.confirm("Go on?", abort=True)


def named(live: FlowVersion | None) -> str:
    return f"version {live.number}" if live else "no version"


def told_time(version: FlowVersion) -> str:
    return f"{version.published_at:%Y-%m-%d %H:%M}Z, by {version.published_by}"


def calls_on(store: Store, version: FlowVersion) -> int:
    return sum(call.flow_version == version.digest for call in store.open_calls(version.flow))


def hint_in_development(settings: Settings) -> None:
    if settings.environment == "development":
        click.echo("in development a flow's file goes live again when it is saved, and at the next start")
