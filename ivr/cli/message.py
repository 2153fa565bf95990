"""`message`: what every new call is told first, at once and without a restart."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import click
from rich.console import Console

from ivr.calls.assembly import around
from ivr.calls.flow_folder import read_folder
from ivr.calls.live_flows import stored_content_of
from ivr.cli.payment_session import operator
from ivr.errors import ConfigError
from ivr.reading.problems import did_you_mean, without_card_numbers
from ivr.reading.scalars import read_language
from ivr.settings import Settings, load_settings
from ivr.store import ALL_FLOWS, WITHDRAWN, Announcement, Store, open_store

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
    settings, now = load_settings(), datetime.now(UTC)
    store = open_store(settings.database_url)
    require_heard(spoken_by_flow(settings, store), flow, said)
    store.announce(Announcement(flow, said, end_calls, now))
    ends = ", ends calls" if end_calls else ""
    store.note(operator(), "message set", f"{flow or 'all flows'}: {', '.join(said)}{ends}", now)
    console.print(f"new calls of {flow or 'all flows'} hear it from now on{' and are then ended' if end_calls else ''}")


@message.command()
@click.option("--flow", default=ALL_FLOWS, metavar="NAME", help="This flow's own.")
def clear(flow: str) -> None:
    """Let new calls hear no message any more."""
    store = _store()
    if not store.stop_announcing(flow):
        console.print(f"there was no message for {flow or 'all flows'}")
        return
    store.note(operator(), "message cleared", flow or "all flows", datetime.now(UTC))
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


def spoken_by_flow(settings: Settings, store: Store) -> Mapping[str, frozenset[str]]:
    """The languages of each flow that is in the folder or answers calls; none of one whose file is broken."""
    try:
        found = read_folder(settings.flows, around(None))
    except ConfigError:  # in production what was published serves, whatever has become of the files
        spoken = {}
    else:
        spoken = {name: frozenset(flow.head.languages) for name, flow in found.flows.items()}
        spoken |= dict.fromkeys(found.left_out, frozenset())
    for name, live in store.live_versions().items():
        version = store.flow_version(name, live.number) if live.number != WITHDRAWN else None
        if version is not None:
            spoken[name] = spoken.get(name, frozenset()) | stored_content_of(version).prompts.keys()
    return spoken


def require_heard(spoken: Mapping[str, frozenset[str]], flow: str, texts: Mapping[str, str]) -> None:
    """ConfigError for a flow that nobody can call, and for a language that no call is in."""
    if flow != ALL_FLOWS and flow not in spoken:
        raise ConfigError(f"--flow {flow}: there is no such flow ({did_you_mean(flow, spoken) or 'there is none'})")
    languages = frozenset().union(*spoken.values()) if flow == ALL_FLOWS else spoken[flow]
    for tag in texts if languages else ():
        if tag not in languages:
            who = "no flow speaks it" if flow == ALL_FLOWS else f"{flow} does not speak it"
            raise ConfigError(f"--say {tag}: {who} ({did_you_mean(tag, languages)})")


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
