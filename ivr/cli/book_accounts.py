"""`books`: what the accounts of double entry come to, of a bill and of a caller, and whether they say what the charges say."""

import json
import sys
from collections.abc import Iterable
from datetime import date
from zoneinfo import ZoneInfoNotFoundError

import click
from rich.console import Console
from rich.table import Table

from ivr.books import day_bounds
from ivr.calls.assembly import read_secret
from ivr.cli.books import CLEAN, DIFFERENT, day_given
from ivr.cli.limits import BILLING
from ivr.cli.payment_session import as_json, opened
from ivr.cli.payments import DAY
from ivr.cli.reports import count
from ivr.core.caller import caller_key
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.store import AccountBalance, BookFault, hash_of_caller

MOST_SHOWN = 20
TITLES = {
    "in_flight": "asked for, not answered yet",
    "suspense": "not known: may have been charged",
    "reserved": "held on cards, not taken",
    "bank": "the bank owes us",
    "uncollected": "approved, and let go of by the bank",
    "refunds": "given back, with the bill still paid",
    "pending": "agreed to by callers, without an outcome",
    "held": "reserved for bills, or open parts of them",
    "bill": "paid on bills",
    "sales": "paid without a bill",
    "fees": "fees for cards",
}


@click.group()
def books() -> None:
    """The accounts of the ledger: what banks owe, what is not known, what was paid. docs/books.md says which there are."""


@books.command()
@click.option("--day", type=DAY, callback=day_given, metavar="DATE", help="As they stood at the end of this day [now].")
@click.option("--zone", default="UTC", show_default=True, help="Whose day: a time zone such as Europe/Berlin.")
@as_json
def balances(day: date | None, zone: str, is_json: bool) -> None:
    """What every account comes to: what each bank owes us, what is not known, what was paid for what.

    \b
    python -m ivr books balances
    python -m ivr books balances --day 2026-01-31 --zone Europe/Berlin --json
    """
    try:
        until = day_bounds(day, zone)[1] if day else None
    except (ZoneInfoNotFoundError, ValueError):
        raise click.UsageError(f"--zone: there is no time zone '{zone[:40]}'; Europe/Berlin is one") from None
    with opened() as (_, store):
        found = store.account_balances(until)
    if is_json:
        click.echo(json.dumps([_record(one) for one in found], ensure_ascii=False))
        return
    Console(width=120).print(_table(found) if found else "nothing has been charged")


@books.command()
@click.argument("key")
@click.option("--source", default=BILLING, show_default=True, help="Where it was looked up.")
@as_json
def bill(key: str, source: str, is_json: bool) -> None:
    """What was paid here on the bill KEY, what is held for it, and what it owes still where its table is ours."""
    with opened() as (settings, store):
        paid = store.paid_on_bill(source, key)
        known = None if settings.billing_url or source != BILLING else store.find_bill(key)
        is_open = store.is_being_paid(source, key)
    owes = str(known.due) if known else None
    if is_json:
        amounts = [{"paid": str(one.paid), "held": str(one.held)} for one in paid]
        click.echo(json.dumps({"bill": key, "amounts": amounts, "owes": owes, "is_being_paid": is_open}))
        return
    for one in paid:
        click.echo(f"{key}: {one.paid} paid" + (f", {one.held} held" if one.held.minor else ""))
    if not paid:
        click.echo(f"{key}: nothing was charged for it")
    if owes:
        click.echo(f"it owes {owes}")
    if is_open:
        click.echo("it is being paid at this moment")


@books.command()
@click.option("--caller", default="", metavar="NUMBER", help="A telephone number, however it is written.")
@click.option("--call", default="", metavar="ID", help="One call.")
@as_json
def paid(caller: str, call: str, is_json: bool) -> None:
    """What a caller has paid, or what was paid in one call."""
    if bool(caller) == bool(call):
        raise click.UsageError("of whom? --caller or --call")
    with opened() as (settings, store):
        whom = ""
        if caller:
            if not caller_key(caller):
                raise ConfigError("--caller: that is how a withheld number is written; use --call")
            whom = hash_of_caller(read_secret(settings.var / "keys" / "fingerprint.key"), caller)
        found = store.paid_by(caller=whom, call=call)
    rows = [
        {"paid": str(one.paid), "given back": str(one.returned), "held": str(one.held), "no outcome": str(one.pending)}
        for one in found
    ]
    if is_json:
        click.echo(json.dumps([{name.replace(" ", "_"): text for name, text in row.items()} for row in rows]))
        return
    for row in rows:
        click.echo(", ".join(f"{text} {name}" for name, text in row.items()))
    if not rows:
        click.echo("nothing")


@books.command()
@as_json
def check(is_json: bool) -> None:
    """See whether the accounts say what the charges say: exit code 1 and every difference where they do not."""
    faults = 0
    with opened() as (_, store):
        for faults, one in enumerate(store.book_faults(), 1):
            if is_json:
                click.echo(json.dumps(_fault_record(one)))
            elif faults <= MOST_SHOWN:
                click.echo(_fault_line(one))
        off = _trial_balance(store.account_balances())
    if not is_json:
        click.echo(count(faults, "difference") if faults else "every account says what its charges say")
    sys.exit(DIFFERENT if faults or off else CLEAN)


def _trial_balance(found: Iterable[AccountBalance]) -> list[str]:
    """Currencies in which debits and credits are not the same: there are none while the tables are what they are."""
    sums: dict[str, int] = {}
    for one in found:
        sums[one.debit.currency] = sums.get(one.debit.currency, 0) + one.minor
    return [currency for currency, minor in sums.items() if minor]


def _table(found: list[AccountBalance]) -> Table:
    made = Table("account", "", box=None)
    for name in ("debit", "credit", "balance"):
        made.add_column(name, justify="right", no_wrap=True)
    for one in found:
        side = "debit" if one.minor >= 0 else "credit"
        balance = f"{Money(abs(one.minor), one.debit.currency)} {side}" if one.minor else "-"
        made.add_row(one.account, TITLES.get(one.kind, ""), str(one.debit), str(one.credit), balance)
    return made


def _record(one: AccountBalance) -> dict[str, object]:
    amounts = {"debit_minor": one.debit.minor, "credit_minor": one.credit.minor, "balance_minor": one.minor}
    return {"account": one.account, "currency": one.debit.currency, **amounts}


def _fault_record(one: BookFault) -> dict[str, object]:
    expected, found = one.expected and str(one.expected), one.found and str(one.found)
    return {"reference": one.reference, "account": one.account, "expected": expected, "found": found, "why": one.why}


def _fault_line(one: BookFault) -> str:
    if one.why:
        return f"{one.reference}: {one.account}: {one.why}"
    if one.expected is None:
        return f"{one.reference}: the entry '{one.account}' has not the transfers that it says"
    return f"{one.reference}: {one.account}: {one.expected} by the charge, {one.found} in the accounts"
