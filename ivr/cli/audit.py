"""`audit`: who did what and when, whether the trail is whole, and its signed heads."""

import json
import logging.handlers
import os
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from ivr.books import HeadProblem, SignedHead, compare_heads, read_heads, signed_line
from ivr.books.audit_heads import PRIVATE, PUBLIC
from ivr.cli.payment_session import as_json, opened
from ivr.cli.payments import DAY, as_day
from ivr.cli.reports import count
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.store import AuditEvent, AuditFilter

MOST_SHOWN = 100
SYSLOG = "/dev/log"
BROKEN = 1


@click.group()
def audit() -> None:
    """Who did what: refunds, voids, flows published, messages, limits reset, accounts imported, exports, refused attempts.

    \b
    python -m ivr audit show --what refund --since 2026-01-01
    python -m ivr audit verify
    python -m ivr audit head --to heads.jsonl      nightly, to a place that this machine cannot change
    python -m ivr audit verify --heads heads.jsonl

    Events are added and never changed: the database refuses it, and each carries a digest over the one before it.
    """


@audit.command()
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_SHOWN, show_default=True, help="How many.")
@click.option("--who", default="", help="Of this person or process.")
@click.option("--what", default="", help="A part of what was done, such as `refund` or `published`.")
@click.option("--about", default="", help="A part of what it was about, such as a reference or a flow.")
@click.option("--since", metavar="DATE", type=DAY, callback=as_day, help="From this day on (UTC).")
@click.option("--until", metavar="DATE", type=DAY, callback=as_day, help="Up to and with this day (UTC).")
@as_json
def show(most: int, since: date | None, until: date | None, is_json: bool, **other: str) -> None:
    """The latest first."""
    begins = datetime.combine(since, time(), UTC) if since else None
    ends = datetime.combine(until, time(), UTC) + timedelta(days=1) if until else None
    with opened() as (_, store):
        found = store.audit_events(most, AuditFilter(other["who"], other["what"], other["about"], begins, ends))
    if is_json:
        for event in found:
            click.echo(json.dumps(_record(event), ensure_ascii=False))
    elif found:
        table = Table(box=None)
        for name in ("number", "at (UTC)", "who", "what", "about"):
            table.add_column(name, justify="right" if name == "number" else "left", no_wrap=name != "about")
        for event in found:
            table.add_row(str(event.id), f"{event.at:%Y-%m-%d %H:%M:%S}", event.who, event.what, event.about)
        Console(width=160, highlight=False, markup=False).print(table)
    else:
        click.echo("no event is like that")


def _record(event: AuditEvent) -> dict[str, object]:
    at = event.at.isoformat(timespec="milliseconds")
    return {"id": event.id, "at": at, "who": event.who, "what": event.what, "about": event.about}


@audit.command()
@click.option(
    "--heads", type=click.Path(path_type=Path, dir_okay=False), help="A file of signed heads to compare with."
)
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help=f"The public half [VAR/keys/{PUBLIC}].")
def verify(heads: Path | None, key: Path | None) -> None:
    """Whether the trail is what was written: exit code 0 where it is, 1 where it is not.

    Without --heads a cut-off end cannot be seen: nothing in a chain says how long it was.
    """
    problems: list[str] = []
    with opened() as (settings, store):
        broken = store.broken_audit_event()
        if broken is not None:
            told = "is missing" if broken.how == "missing" else "is not what was written, or not where"
            problems.append(f"event {broken.id} {told}: look at the backups from before it")
        latest = store.audit_head()
        if heads is not None:
            read = list(read_heads(heads, key or settings.var / "keys" / PUBLIC))
            wrong = [one for one in read if isinstance(one, HeadProblem)]
            wrong += compare_heads(store, [one for one in read if isinstance(one, SignedHead)])
            problems += [f"{heads}:{one.line}: {one.told}" for one in wrong]
            if not read:
                problems.append(f"{heads}: there is no head in it")
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(BROKEN)
    beside = "" if heads is None else f", and agrees with the {count(len(read), 'head')} of {heads}"
    click.echo(f"the trail of {count(latest.id, 'event')} is whole{beside}")


@audit.command()
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="Add it to this file.")
@click.option("--syslog", is_flag=True, help="Send it to this machine's syslog, which may forward it.")
def head(file: Path | None, syslog: bool) -> None:
    """Sign where the trail ends now, in one line: to the terminal, a file or syslog. For a nightly job."""
    with opened() as (settings, store):
        latest = store.audit_head()
        line = signed_line(latest, settings.var / "keys" / PRIVATE, datetime.now(UTC))
    if file is not None:
        _add(file, line)
    if syslog:
        _to_syslog(line)
    if file is None and not syslog:
        click.echo(line)
    else:
        ways = " and ".join(filter(None, [str(file) if file else "", "syslog" if syslog else ""]))
        click.echo(f"event {latest.id} is the latest; signed to {ways}")


def _add(file: Path, line: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(f"{line}\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None


def _to_syslog(line: str) -> None:
    if not Path(SYSLOG).exists():
        raise ConfigError(
            f"there is no syslog on this machine ({SYSLOG}): `{COMMAND} audit head --to FILE` writes a file"
        )
    handler = logging.handlers.SysLogHandler(SYSLOG)
    handler.ident = "tonetill-audit: "
    try:
        handler.emit(logging.LogRecord("audit", logging.INFO, "", 0, line, None, None))
    finally:
        handler.close()
