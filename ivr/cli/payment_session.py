"""What the commands about charges share: the store they open, who is on record for what they do, and their common options."""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from ivr.calls.notice_settings import notice_kinds
from ivr.calls.number_keys import FILE as NUMBER_KEYS
from ivr.calls.number_keys import number_seals
from ivr.settings import Settings, load_settings
from ivr.store import Store, open_store

as_json = click.option(
    "--json", "is_json", is_flag=True, help="For a program to read: JSON on one line, and of a list one line each."
)
yes = click.option("--yes", is_flag=True, help="Ask nothing: for scripts.")


@contextmanager
def opened(*, reads_numbers: bool = False) -> Iterator[tuple[Settings, Store]]:
    """`reads_numbers`: callers' too, where this machine has the key."""
    settings = load_settings()
    has_key = reads_numbers and (settings.var / "keys" / NUMBER_KEYS).exists()
    numbers = number_seals(settings) if has_key else None
    store = open_store(settings.database_url, tells=notice_kinds(settings), numbers=numbers)
    try:
        yield settings, store
    finally:
        store.close()


def require_terminal(options: str = "--yes") -> None:
    """`options`: what does it without asking."""
    if not sys.stdin.isatty():
        raise click.UsageError(f"nobody can be asked here: {options} does it without asking")


def operator() -> str:
    """For the audit trail."""
    try:
        return getpass.getuser()[:80]
    except (OSError, KeyError):
        return "operator"
