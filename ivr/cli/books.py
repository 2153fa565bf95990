"""`settle` and `reconcile`: what a day moved by our ledger, and what a bank's own file says otherwise."""

import csv
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from ivr.books import (
    CAUSES,
    DAY_COLUMNS,
    BankRow,
    DayTotals,
    Difference,
    Reconciliation,
    day_bounds,
    day_rows,
    form_called,
    read_bank_file,
    reconcile,
    total_of,
)
from ivr.cli.payment_session import as_json, opened, operator
from ivr.cli.payments import DAY, as_day
from ivr.cli.reports import count
from ivr.core.money import Money
from ivr.errors import ConfigError

MOST_LINES = 10
CLEAN, DIFFERENT = 0, 1


def day_given(_context: click.Context, parameter: click.Parameter, value: object) -> date | None:
    return as_day(_context, parameter, value)  # type: ignore[arg-type]


def zone_given(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # `Europe` is a folder
        raise click.UsageError(f"--zone: there is no time zone '{value[:40]}'; Europe/Berlin is one") from None
    return value


@click.command()
@click.argument("day", type=DAY, callback=day_given, metavar="DAY")
@click.option(
    "--zone",
    default="UTC",
    show_default=True,
    callback=zone_given,
    help="Whose day: a time zone such as Europe/Berlin.",
)
@click.option(
    "--csv", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write each movement to this file."
)
@as_json
def settle(day: date, zone: str, file: Path | None, is_json: bool) -> None:
    """What DAY moved: charges, refunds and voids by our ledger, with totals by merchant, bank, currency and brand.

    \b
    python -m ivr settle 2026-01-31
    python -m ivr settle 2026-01-31 --zone Europe/Berlin --csv january-31.csv
    """
    since, until = day_bounds(day, zone)
    totals = DayTotals()
    with opened() as (_, store), _csv_file(file) as writer:
        for row in day_rows(store.movements(since, until), totals):
            if writer is not None:
                writer(row)
        if file is not None:
            store.note(
                operator(),
                "day exported",
                f"{day} ({zone}): {count(sum(totals.counts.values()), 'movement')}",
                datetime.now(UTC),
            )
    if is_json:
        click.echo(json.dumps(_as_record(day, zone, totals), ensure_ascii=False))
        return
    Console(width=120).print(_table(totals))
    owed = ", ".join(str(one) for one in total_of(totals)) or "nothing"
    click.echo(f"{day} ({zone}): {count(sum(totals.counts.values()), 'movement')}, {owed} in all")
    if file is not None:
        click.echo(f"written to {file}")


@contextmanager
def _csv_file(file: Path | None) -> Iterator[Callable[[Sequence[str]], object] | None]:
    if file is None:
        yield None
        return
    try:
        with file.open("x", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(DAY_COLUMNS)
            yield writer.writerow
    except FileExistsError:
        raise ConfigError(f"{file} is there already: name another file, or remove it") from None
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None


def _table(totals: DayTotals) -> Table:
    made = Table()
    for name in ("merchant", "bank", "brand"):
        made.add_column(name, no_wrap=True)
    for name in ("movements", "charged", "refunded", "voided", "in all", "of it fees"):
        made.add_column(name, no_wrap=True, justify="right")
    for group in totals.groups:
        merchant, bank, currency, brand = group
        minors = (
            totals.charged[group],
            totals.refunded[group],
            totals.voided[group],
            totals.net(group),
            totals.fees[group],
        )
        amounts = [str(Money(minor, currency)) for minor in minors]
        made.add_row(merchant, bank, brand, str(totals.counts[group]), *amounts)
    return made


def _as_record(day: date, zone: str, totals: DayTotals) -> dict[str, object]:
    groups = [
        {
            **dict(zip(("merchant", "bank", "currency", "brand"), group, strict=True)),
            "movements": totals.counts[group],
            "charged_minor": totals.charged[group],
            "refunded_minor": totals.refunded[group],
            "voided_minor": totals.voided[group],
            "net_minor": totals.net(group),
            "fee_minor": totals.fees[group],
        }
        for group in totals.groups
    ]
    return {"day": str(day), "zone": zone, "groups": groups, "net": [str(one) for one in total_of(totals)]}


@click.command("reconcile")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--form", default="tonetill", show_default=True, help="How the bank writes it: a name, or a YAML file of yours."
)
@click.option("--bank", default="", help="Only this bank's charges and rows, by its name in banks.yaml.")
@click.option(
    "--since", metavar="DATE", type=DAY, callback=day_given, help="First day whose charges must be in it [its first]."
)
@click.option(
    "--until", metavar="DATE", type=DAY, callback=day_given, help="Last day whose charges must be in it [its last]."
)
@click.option("--zone", default="UTC", show_default=True, callback=zone_given, help="Whose days the file's are.")
@as_json
def reconcile_file(file: Path, form: str, is_json: bool, **chosen: Any) -> None:
    """Compare the bank's settlement FILE with our ledger, and name each difference, its likely cause and what to do.

    \b
    Forms that are known: tonetill (our own, what `settle --csv` writes), adyen (settlement details report), stripe
    (balance change from activity, itemized). For another bank copy one from config/settlement and change its columns.

    \b
    python -m ivr reconcile settlement_detail_report_batch_7.csv --form adyen --bank our_adyen
    python -m ivr reconcile june.csv --form our-acquirer.yaml --since 2026-06-01 --until 2026-06-30 --zone Europe/Berlin

    Exit code for a nightly job: 0 where all agrees, 1 where somebody has to look, 2 for wrong use.
    """
    rows = read_bank_file(file, form_called(form))
    with opened() as (settings, store):
        folder = settings.var
        folder.mkdir(parents=True, exist_ok=True)
        watched = _watched(rows, quiet=is_json)
        with reconcile(watched, store, folder, **chosen) as found:
            is_open = _tell(found, is_json=is_json)
    sys.exit(DIFFERENT if is_open else CLEAN)


def _watched(rows: Iterable[BankRow], *, quiet: bool) -> Iterable[BankRow]:
    """With a count of rows on a terminal."""
    if quiet or not sys.stderr.isatty():
        return rows
    return track(rows, "reading the bank's file", console=Console(stderr=True), transient=True)


def _tell(found: Reconciliation, *, is_json: bool) -> bool:
    """A line a difference as it is found, and at the end each kind's cause and cure. Whether somebody has to do something."""
    kinds: Counter[str] = Counter()
    for one in found.differences:
        kinds[one.kind] += 1
        click.echo(json.dumps(_record(one), ensure_ascii=False) if is_json else _line(one))
    if not is_json:
        click.echo("\n".join(_lessons(kinds)), nl=bool(kinds))
        click.echo(_summary(found, kinds))
    return any(CAUSES[kind].is_open for kind in kinds)


def _line(one: Difference) -> str:
    place = said_of(one.lines) if one.lines else "not in the file"
    amounts = f"{one.here or 'nothing'} here, {one.there or 'nothing'} at the bank"
    named = one.reference + (f" (bill {one.bill})" if one.bill else "")
    return f"{place}: {named}: {amounts}: {one.cause.title}"


def said_of(lines: Sequence[int]) -> str:
    """All of them, in few words where they are many."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    shown = ", ".join(map(str, lines[:MOST_LINES]))
    return f"lines {shown} and {len(lines) - MOST_LINES} more" if len(lines) > MOST_LINES else f"lines {shown}"


def _record(one: Difference) -> dict[str, object]:
    return {
        "kind": one.kind,
        "reference": one.reference,
        "bank_reference": one.bank_reference,
        "line": one.line or None,
        "lines": list(one.lines),
        "here": str(one.here) if one.here else None,
        "at_the_bank": str(one.there) if one.there else None,
        "bill": one.bill,
        "likely": one.cause.likely,
        "do": one.cause.cure,
        "is_open": one.cause.is_open,
    }


def _lessons(kinds: Counter[str]) -> Iterator[str]:
    for kind, times in kinds.most_common():
        cause = CAUSES[kind]
        yield f"\n{cause.title} ({times})\n  likely: {cause.likely}\n  do:     {cause.cure}"


def _summary(found: Reconciliation, kinds: Counter[str]) -> str:
    is_open = sum(times for kind, times in kinds.items() if CAUSES[kind].is_open)
    currencies = sorted({*found.here, *found.there})
    sums = [f"{Money(found.here[one], one)} here, {Money(found.there[one], one)} at the bank" for one in currencies]
    verdict = f"{is_open} to look into" if is_open else "nothing to look into"
    days = f"{found.since:%Y-%m-%d} to {found.until:%Y-%m-%d}"
    others = f", {count(found.left_out, 'row')} of other banks left out" if found.left_out else ""
    agree = f"{count(found.agreeing, 'charge')} {'agrees' if found.agreeing == 1 else 'agree'}"
    moved = "; ".join(sums) or "no money moved"
    return f"\n{days}: {count(found.rows, 'row')} read{others}, {agree}, {verdict}; {moved}"
