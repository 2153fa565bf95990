"""`keys`: every key, certificate and secret of the line, by name; what rotating one does; and one more key of a bank."""

import json
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Column, Table

from ivr.bank import BankSettings, load_banks
from ivr.bank.terms import Term, said_end
from ivr.calls.bank_keys import SEALING, ring_of, terms_of
from ivr.cli.payment_session import opened, operator
from ivr.errors import ConfigError
from ivr.extras import require_extra
from ivr.incidents import LineKey, LineKeys, RotationPlan, alarms_of, below
from ivr.loading import load
from ivr.reading.problems import did_you_mean
from ivr.settings import Settings, load_settings
from ivr.store import Store

console = Console(width=160, highlight=False)
DAY = timedelta(days=1)
WHOLE_FILE = Column("file", overflow="fold")  # it is typed and copied: a path that is cut short names nothing
on_day = click.DateTime(["%Y-%m-%d"])
begins = click.option("--from", "first", type=on_day, help="Its first day, UTC [tomorrow].")


@click.group()
def keys() -> None:
    """Keys, certificates and secrets of the line: rotate them while calls go on.

    \b
    python -m ivr keys list
    python -m ivr keys plan portal           what a rotation will do, who must be told; changes nothing
    python -m ivr keys rotate audit
    python -m ivr keys rotate acme_bank --from 2026-03-01

    docs/bank.md, Rotation, says the whole of it for banks; docs/incidents.md, what to do when somebody may have one.
    """


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one a line.")
def list_keys(as_json: bool) -> None:
    """All that the line uses, until when, with a fingerprint and never the secret itself.

    Exit code 1 where a bank's key or certificate ends within 30 days and nothing follows.
    """
    settings, now = load_settings(), datetime.now(UTC)
    table, is_alarming = Table("bank", "what", "key", WHOLE_FILE, "from", "until", "now"), False
    for name, bank in load_banks(settings.banks, settings.var).items():
        ring = None
        with suppress(ConfigError):  # told among the alarms
            ring = ring_of(bank)
        alarms = alarms_of(name, bank, now).values()
        sealing = ring.at(now).file if ring else None
        for term in terms_of(bank, ring):
            row = row_of(name, term, now, sealing)
            click.echo(json.dumps(row)) if as_json else table.add_row(*row.values())
        for alarm in alarms:
            click.echo(f"{name}: {alarm}", err=True)
        is_alarming |= bool(alarms)
    with opened() as (_, store):
        own = [
            key
            for key in line_keys(settings, store).all(now)
            if not is_of_bank(key, load_banks(settings.banks, settings.var))
        ]
    for key in own:
        row = row_of_own(key)
        click.echo(json.dumps(row)) if as_json else table.add_row(*row.values())
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
    first = f"{term.first:%Y-%m-%d}" if term.first.year > 1 else "-"
    last = said_end(term.last) if term.last.year < 9999 else "-"
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
    with opened() as (_, store):
        line = line_keys(settings, store)
        line.list_sealing_key(bank, chosen, entry)
        line.note_added(bank, entry, operator(), datetime.now(UTC))
    console.print(f"{settings.banks}: {bank} seals to {entry['file']} from {entry['not_before']} on", soft_wrap=True)
    console.print("send SIGHUP to `up`, or to each process on every machine, before that day: no call is dropped")


@keys.command()
@click.argument("name")
def plan(name: str) -> None:
    """Say what rotating the key NAME will do, and who must be told. Changes nothing.

    NAME is a bank, or what `keys list` calls the key: audit, portal, fingerprint, NOTICES_SECRET ...
    """
    with opened() as (settings, store):
        tell(line_keys(settings, store).plan(full_name(settings, name), datetime.now(UTC)))


@keys.command()
@click.argument("name")
@begins
def rotate(name: str, first: datetime | None) -> None:
    """Rotate the key NAME, where the line can do it itself; else say the exact commands, and change nothing.

    NAME is a bank (its sealing key: of the forwarder's own pair, or in development the simulator's), or what `keys list` calls
    the key: audit, portal. Old keys stay for what still needs them: `keys plan NAME` says what.
    """
    now = datetime.now(UTC)
    with opened() as (settings, store):
        named, line = full_name(settings, name), line_keys(settings, store)
        found = line.plan(named, now)
        if not found.by_line:
            tell(found)
        console.print(line.rotate(named, operator(), now, first.date() if first else None), soft_wrap=True)
        for command in found.commands:
            click.echo(f"  {command}")


def tell(found: RotationPlan) -> None:
    for head, words in (
        ("what it does", found.does),
        ("still the old one", found.stays),
        ("is read again", found.reads),
        ("must be told", found.tell),
    ):
        click.echo(f"{head + ':':<20}{words}")
    for command in found.commands:
        click.echo(f"  {command}")


def line_keys(settings: Settings, store: Store) -> LineKeys:
    return LineKeys(settings, store, renew_portal_key)


def renew_portal_key(keys: Path, store: Store) -> None:
    require_extra("portal", "the portal's key")
    load("ivr.portal").renew_portal_key(keys, store)


def full_name(settings: Settings, name: str) -> str:
    """A bank alone means its sealing key."""
    return f"{name} sealing" if name in load_banks(settings.banks, settings.var) else name


def is_of_bank(key: LineKey, banks: dict[str, BankSettings]) -> bool:
    return key.name.partition(" ")[0] in banks


def row_of_own(key: LineKey) -> dict[str, str]:
    first, last = f"{key.first:%Y-%m-%d}" if key.first else "-", said_end(key.last) if key.last else "-"
    about = {"bank": "", "what": f"{key.name}: {key.what}", "key": key.fingerprint, "file": key.where}
    return about | {"from": first, "until": last, "now": key.state}


def found(bank: str) -> tuple[Settings, BankSettings]:
    settings = load_settings()
    banks = load_banks(settings.banks, settings.var)
    if bank not in banks:
        raise click.UsageError(f"{settings.banks} names no bank '{bank}' ({did_you_mean(bank, banks)})")
    return settings, banks[bank]


def day_of(first: datetime | None) -> str:
    day: date = first.date() if first else datetime.now(UTC).date() + DAY
    return day.isoformat()
