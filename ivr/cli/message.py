"""`message`: what every new call is told first, at once and without a restart."""

import re
from datetime import UTC, datetime

import click
from rich.console import Console

from ivr.errors import ConfigError
from ivr.reading.problems import without_card_numbers
from ivr.reading.scalars import read_language
from ivr.settings import load_settings
from ivr.store import ALL_FLOWS, Announcement, Store, open_store

LONGEST = 500  # characters: half a minute
console = Console(highlight=False)


@click.group()
def message() -> None:
    """An announcement before everything else in a call, such as a power cut. docs/operating.md says more."""


@message.command(name="set")
@click.option("--say", "texts", nargs=2, multiple=True, required=True, metavar="LANGUAGE TEXT", help="Once a language.")
@click.option("--flow", default=ALL_FLOWS, metavar="NAME", help="Of this flow's calls only.")
@click.option("--end-calls", is_flag=True, help="Hang up after it: nothing can be paid until it is cleared.")
def set_message(texts: tuple[tuple[str, str], ...], flow: str, end_calls: bool) -> None:
    """Let new calls hear this first. It takes the place of the one before."""
    said = {_language(language): _sayable(language, text) for language, text in texts}
    store, now = _store(), datetime.now(UTC)
    store.announce(Announcement(flow, said, end_calls, now))
    ends = ", ends calls" if end_calls else ""
    store.note("operator", "message set", f"{flow or 'all flows'}: {', '.join(said)}{ends}", now)
    console.print(f"new calls of {flow or 'all flows'} hear it from now on{' and are then ended' if end_calls else ''}")


@message.command()
@click.option("--flow", default=ALL_FLOWS, metavar="NAME", help="This flow's own.")
def clear(flow: str) -> None:
    """Let new calls hear no message any more."""
    store = _store()
    if not store.stop_announcing(flow):
        console.print(f"there was no message for {flow or 'all flows'}")
        return
    store.note("operator", "message cleared", flow or "all flows", datetime.now(UTC))
    console.print(f"new calls of {flow or 'all flows'} hear it no more")


@message.command()
def show() -> None:
    """What new calls are told now."""
    told = _store().announcements()
    for one in told:
        ends = ", and the call ends" if one.ends_calls else ""
        console.print(f"{one.flow or 'all flows'}, since {one.set_at:%Y-%m-%d %H:%M}Z{ends}:")
        for language, text in one.texts.items():
            console.print(f"  {language}  {text}", markup=False)
    if not told:
        console.print("no message is set")


def _store() -> Store:
    return open_store(load_settings().database_url)


def _language(tag: str) -> str:
    try:
        return read_language(tag)
    except ValueError as error:
        raise ConfigError(f"--say {tag}: {error}") from None


def _sayable(language: str, text: str) -> str:
    if not re.search(r"\w", text) or not text.isprintable():
        raise ConfigError(f"--say {language}: there are no words that can be said")
    if len(text) > LONGEST:
        raise ConfigError(f"--say {language}: at most {LONGEST} characters, which take half a minute to say")
    if without_card_numbers(text) != text:
        raise ConfigError(f"--say {language}: a number in it is as long as a card number")
    return text
