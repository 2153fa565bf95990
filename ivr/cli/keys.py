"""`keys`: which keys and certificates of each bank are good from when until when, and one more of them."""

import json
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.bank import BankSettings, VaultSealed, load_banks
from ivr.bank.dev_keys import new_bank_key, new_forwarders_key
from ivr.bank.terms import Term
from ivr.calls.bank_keys import SEALING, ends_of, ring_of, terms_of
from ivr.cli.keys_file import add_key
from ivr.cli.payment_session import operator
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.reading.problems import did_you_mean
from ivr.settings import Settings, load_settings
from ivr.store import open_store

console = Console(width=160, highlight=False)
DAY = timedelta(days=1)
on_day = click.DateTime(["%Y-%m-%d"])
begins = click.option("--from", "first", type=on_day, help="Its first day, UTC [tomorrow].")


@click.group()
def keys() -> None:
    """Keys and certificates of banks: rotate them while calls go on. docs/bank.md, Rotation, says the whole of it."""


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one a line.")
def list_keys(as_json: bool) -> None:
    """What each bank has, until when; exit code 1 where something ends within 30 days and nothing follows."""
    settings, now = load_settings(), datetime.now(UTC)
    table, is_alarming = Table("bank", "what", "key", "file", "from", "until", "now"), False
    for name, bank in load_banks(settings.banks, settings.var).items():
        ring, problem = None, ""
        try:
            ring = ring_of(bank)
        except ConfigError as error:
            problem = str(error)
        terms = terms_of(bank, ring)
        alarms = [problem] if problem else []
        alarms += [end.told(now) for end in ends_of(name, terms, now) if end.is_alarming(now)]
        sealing = ring.at(now.date()).file if ring else None
        for term in terms:
            row = row_of(name, term, now, sealing)
            click.echo(json.dumps(row)) if as_json else table.add_row(*row.values())
        for alarm in alarms:
            click.echo(f"{name}: {alarm}", err=True)
        is_alarming |= bool(alarms)
    if not as_json:
        console.print(table)
    sys.exit(1 if is_alarming else 0)


def row_of(bank: str, term: Term, now: datetime, sealing: Path | None) -> dict[str, str]:
    if now < term.first:
        state = "begins later"
    elif now >= term.last:
        state = "ended"
    elif term.what == SEALING:
        state = "seals" if term.file == sealing else "opens only"
    else:
        state = "good"
    first, last = (f"{day:%Y-%m-%d}" if 1 < day.year < 9999 else "-" for day in (term.first, term.last))
    about = {"bank": bank, "what": term.what, "key": term.kid[:16], "file": str(term.file)}
    return about | {"from": first, "until": last, "now": state}


@keys.command()
@click.argument("bank")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--kid", default="", help="The bank's name for it, where it is not the key's own.")
@begins
@click.option("--until", "last", type=on_day, help="Its last day, UTC.")
@click.option("--opening-key", type=click.Path(path_type=Path), help="Of a pair of the forwarder's: the private half.")
def add(
    bank: str, file: Path, kid: str, first: datetime | None, last: datetime | None, opening_key: Path | None
) -> None:
    """Let the bank BANK have the sealing key FILE too, which the bank has issued; a path below VAR.

    It is read first: what is no key, or is not good, changes nothing.
    """
    settings, chosen = found(bank)
    entry = {"file": below(settings.var, file)}
    entry |= {"opening_key": below(settings.var, opening_key)} if opening_key else {}
    entry |= {"kid": kid} if kid else {}
    entry |= {"not_before": day_of(first)} | ({"not_after": f"{last:%Y-%m-%d}"} if last else {})
    take(settings, bank, chosen, entry, "key added")


@keys.command()
@click.argument("bank")
@begins
def rotate(bank: str, first: datetime | None) -> None:
    """Make a new pair for the bank BANK, and keep the old one: the forwarder's own, or in development the simulator's.

    A key that the bank makes is asked for there, and added by `keys add`.
    """
    settings, chosen = found(bank)
    day, folder = day_of(first), settings.var / "keys"
    if isinstance(chosen, VaultSealed):
        certificate, key = new_forwarders_key(folder, day)
        entry = {"file": below(settings.var, certificate), "opening_key": below(settings.var, key)}
    elif settings.environment == "development" and (settings.var / "bank" / "sealing.key").exists():
        made = new_bank_key(folder, settings.var / "bank", day, by_hpke=bool(chosen.sealing_form))
        entry = {"file": below(settings.var, made)}
    else:
        raise ConfigError(
            f"the bank makes the key of '{bank}': ask for its next one, then `{COMMAND} keys add {bank} FILE`"
        )
    take(settings, bank, chosen, entry | {"not_before": day}, "key rotated")


def take(settings: Settings, bank: str, chosen: BankSettings, entry: dict[str, str], what: str) -> None:
    before = {"file": below(settings.var, chosen.sealing_key)}
    if isinstance(chosen, VaultSealed):
        before |= {"opening_key": below(settings.var, chosen.opening_key)}
    require_key(settings, chosen, entry)
    add_key(settings.banks, settings.var, bank, before, entry)
    store = open_store(settings.database_url)
    try:
        store.note(operator(), what, f"{bank}: {entry['file']} from {entry['not_before']}", datetime.now(UTC))
    finally:
        store.close()
    console.print(f"{settings.banks}: {bank} seals to {entry['file']} from {entry['not_before']} on", soft_wrap=True)
    console.print("send SIGHUP to `up`, or to each process on every machine, before that day: no call is dropped")


def require_key(settings: Settings, chosen: BankSettings, entry: dict[str, str]) -> None:
    """ConfigError where it is none in the form that this bank is sealed to."""
    alone = chosen.model_copy(update={"sealing_key": settings.var / entry["file"], "sealing_keys": ()})
    ring_of(alone)


def found(bank: str) -> tuple[Settings, BankSettings]:
    settings = load_settings()
    banks = load_banks(settings.banks, settings.var)
    if bank not in banks:
        raise click.UsageError(f"{settings.banks} names no bank '{bank}' ({did_you_mean(bank, banks)})")
    return settings, banks[bank]


def day_of(first: datetime | None) -> str:
    day: date = first.date() if first else datetime.now(UTC).date() + DAY
    return day.isoformat()


def below(var: Path, file: Path) -> str:
    """As `banks.yaml` has it: relative to VAR where it is in there."""
    whole = (var / file).resolve()
    return str(whole.relative_to(var.resolve())) if whole.is_relative_to(var.resolve()) else str(whole)
