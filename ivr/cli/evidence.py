"""`evidence`: one archive of what was, for whoever investigates; and whether an archive is what was made."""

import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from ivr.cli.keys import line_keys
from ivr.cli.payment_session import opened, operator
from ivr.cli.payments import DAY, as_day
from ivr.cli.reports import count
from ivr.errors import ConfigError
from ivr.incidents import EvidenceArchive, EvidenceWanted, check_evidence

USUAL_DAYS = 7


@click.command()
@click.option(
    "--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write it there; never over a file."
)
@click.option(
    "--since",
    metavar="DATE",
    type=DAY,
    callback=as_day,
    help=f"Calls from this day on, UTC [{USUAL_DAYS - 1} days ago].",
)
@click.option("--until", metavar="DATE", type=DAY, callback=as_day, help="Up to and with this day, UTC [today].")
@click.option("--callers-in-full", is_flag=True, help="Callers' numbers in full; without it, their last three digits.")
@click.option(
    "--check",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Check an archive instead: exit 1 where it was changed.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --check: the line's public half, VAR/keys/audit_public.pem, or the copy that you were given.",
)
def evidence(
    file: Path | None,
    since: date | None,
    until: date | None,
    callers_in_full: bool,
    check: Path | None,
    key: Path | None,
) -> None:
    """Pack what is on record into one archive, or check one.

    \b
    python -m ivr evidence --to incident.zip --since 2026-01-14 --until 2026-01-15
    python -m ivr evidence --check incident.zip --key var/keys/audit_public.pem

    In it: the whole audit trail with its verification, calls of these days turn by turn, charges, every version of every flow
    with its digest, settings without secrets, alerts, and a SHA-256 of each file. It holds no card data. That it was taken is
    on record. A trail that is broken is packed too, and the archive says so.
    """
    if check is not None:
        verify(check, key)
        return
    if file is None:
        raise click.UsageError("say where it goes: --to incident.zip (or --check FILE)")
    now = datetime.now(UTC)
    last = until or now.date()
    wanted = EvidenceWanted(since or last - timedelta(days=USUAL_DAYS - 1), last, operator(), callers_in_full)
    wanted.require()
    with opened(reads_numbers=True) as (settings, store):
        try:
            with file.open("xb") as opened_file:
                file.chmod(0o600)
                told = EvidenceArchive(settings, store, line_keys(settings, store).all).write(opened_file, wanted, now)
        except FileExistsError:
            raise ConfigError(f"{file} is there already: name another, so that no evidence is written over") from None
        except OSError as error:
            file.unlink(missing_ok=True)
            raise ConfigError(f"cannot write {file}: {error.strerror}") from None
    whole = "whole" if told["audit"]["is_whole"] else f"BROKEN at event {told['audit']['broken_event']}"
    click.echo(
        f"{file}: {count(told['calls']['count'], 'call')} from {wanted.since} to {wanted.until}, callers' numbers {told['callers']}; "
        f"the audit trail of {count(told['audit']['events'], 'event')} is {whole}"
    )


def verify(file: Path, key: Path | None) -> None:
    problems = check_evidence(file, key)
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    beside = ", and is signed by that key" if key else "; say --key to check its signature"
    click.echo(f"{file} is what was made{beside}")
