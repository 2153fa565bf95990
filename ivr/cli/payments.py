"""`payments`: charges, and what is done with them afterwards: refunds, voids and captures, each asked for once."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import click
from rich.console import Console

from ivr.bank import ModificationKind, load_banks
from ivr.books import YEARS
from ivr.calls.modifying import Standing, amount_to_modify, money_in, standing_at
from ivr.calls.payment_lookup import day_filter, find_one
from ivr.cli.payment_session import as_json, opened, operator, require_terminal, yes
from ivr.cli.payment_views import Seen, modification_record, payment_record, shown, story_lines, table, what_will_happen
from ivr.cli.settling import settle
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.settings import Settings
from ivr.store import (
    AlreadyAsked,
    Changed,
    Modification,
    Payment,
    PaymentFilter,
    Store,
    WantedModification,
    named_database,
    reservation_state,
)

MOST_SHOWN = 200
LONGEST_ABOUT = 200  # characters of an audit event
STATUSES = ("approved", "unknown", "declined", "reversed", "not_sent", "accepted", "sent", "refunded", "waiting")
console = Console(width=160)


class DayOfDate(click.DateTime):
    """Says what it expects as people write it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            day = super().convert(value, param, ctx)
        except click.BadParameter:
            day = None
        # Whoever counts days from it must not come to before the first or after the last that there is.
        if day is None or day.year not in YEARS:
            self.fail(f"'{str(value)[:40]}' is no day: expected year, month and day, such as 2026-01-31", param, ctx)
        return day


DAY = DayOfDate(["%Y-%m-%d"])


def as_day(_context: click.Context, _parameter: click.Parameter, value: datetime | None) -> date | None:
    return value.date() if value else None


on_day = click.option(
    "--on", metavar="DATE", type=DAY, callback=as_day, help="With a card's last four digits: the day."
)
reopen = click.option("--reopen-bill", is_flag=True, help="The bill is owed again, as soon as the bank has done it.")


@click.group()
def payments() -> None:
    """Charges: find one, see all that is on record of it, give its money back.

    \b
    A charge is found by
      its reference                          CA1f2e-1
      its confirmation number                414 995 123, with or without the blanks
      the bank's own code, where it gave one 482913
      a card's last four digits and the day  1111 --on 2026-01-31

    \b
    python -m ivr payments list --day 2026-01-31 --status approved
    python -m ivr payments show 414995123
    python -m ivr payments refund 414995123 --amount 10.00
    python -m ivr payments void 1111 --on 2026-01-31
    python -m ivr payments list --uncaptured
    python -m ivr payments capture 414995123
    python -m ivr payments settle CA1f2e-1-m1 --done

    Refunds, voids and captures are asked for here and taken to the bank by the forwarder; `show` says what became of one.
    docs/money.md says what holds that never more is given back than was charged.
    """


@payments.command("list")
@click.option("--day", metavar="DATE", type=DAY, callback=as_day, help="Begun on that day (UTC).")
@click.option("--status", type=click.Choice(STATUSES), help="`waiting`: a refund, void or capture without an outcome.")
@click.option("--flow", default="", help="Of this flow.")
@click.option("--bank", default="", help="At this bank, by its name in banks.yaml.")
@click.option("--bill", default="", help="For this bill or account.")
@click.option(
    "--uncaptured", is_flag=True, help="Amounts that are reserved only: nothing of them is taken or given up."
)
@click.option("--most", type=click.IntRange(1, 100_000), default=MOST_SHOWN, show_default=True, help="How many.")
@as_json
def list_payments(
    day: date | None, status: str | None, most: int, is_json: bool, uncaptured: bool, **other: str
) -> None:
    """The latest first, with what has been given back of each."""
    with opened() as (settings, store):
        wanted = day_filter(day, PaymentFilter(status=status or "", uncaptured=uncaptured, **other))  # type: ignore[arg-type]
        found = [seen(store, one) for one in store.find_payments(wanted, most)]
    if is_json:
        for one in found:
            click.echo(json.dumps(payment_record(one), ensure_ascii=False))
    elif found:
        console.print(table(found))
    else:
        database = named_database(settings.database_url)
        click.echo(
            f"no charge is like that in {database} (a call by `simulate` keeps nothing there, but for one with --via)"
        )


@payments.command()
@click.argument("charge", metavar="REF")
@on_day
@as_json
def show(charge: str, on: date | None, is_json: bool) -> None:
    """All that is on record of one: what was charged, what the bank said, what was asked for since and what became of it."""
    with opened() as (_, store):
        payment = find_one(store, charge, on)
        reference = payment.intent.reference
        record = payment_record(seen(store, payment))
        since = [modification_record(one) for one in store.modifications_of(reference)]
        entries = [one for one in store.ledger_of(payment.intent.call) if one.reference == reference]
    if is_json:
        click.echo(json.dumps(record | {"modifications": since}, ensure_ascii=False))
        return
    for name, value in shown(record):
        click.echo(f"{name.replace('_', ' ')}: {'-' if value in (None, '') else value}")
    click.echo("\n".join(["", *story_lines(entries, since)]))


@payments.command()
@click.argument("charge", metavar="REF")
@on_day
@click.option("--amount", metavar="AMOUNT", help="A part of it, such as 10.00; without it, all that is left.")
@click.option("--refundable", metavar="AMOUNT", help="Only while exactly this much can be refunded.")
@reopen
@yes
@as_json
def refund(
    charge: str, on: date | None, amount: str | None, refundable: str | None, reopen_bill: bool, yes: bool, **how: bool
) -> None:
    """Give a charge's money back to the card, all of it or a part.

    A script that refunds a part says with --refundable how much could be refunded before it: run twice, it refunds once.

    \b
    python -m ivr payments refund 414995123
    python -m ivr payments refund 414995123 --amount 10.00 --refundable 42.50 --yes
    """
    if yes and amount and not refundable:
        raise click.UsageError(
            "--yes with --amount needs --refundable: what can be refunded before it, so that a second run asks for nothing"
        )
    modify(Wish("refund", amount, refundable, reopen_bill), charge, on, yes=yes, **how)


@payments.command()
@click.argument("charge", metavar="REF")
@on_day
@reopen
@yes
@as_json
def void(charge: str, on: date | None, reopen_bill: bool, **how: bool) -> None:
    """Let go of a charge before the bank has settled or captured it: the cardholder never sees it."""
    modify(Wish("void", reopen_bill=reopen_bill), charge, on, **how)


@payments.command()
@click.argument("charge", metavar="REF")
@on_day
@yes
@as_json
def capture(charge: str, on: date | None, **how: bool) -> None:
    """Take the money of an amount that was reserved, or of a charge whose capture has failed: all of it, once."""
    modify(Wish("capture"), charge, on, **how)


@dataclass(frozen=True)
class Wish:
    """As it was typed. `refundable`: only while this much can be refunded."""

    kind: ModificationKind
    amount: str | None = None
    refundable: str | None = None
    reopen_bill: bool = False


def modify(wish: Wish, charge: str, on: date | None, *, yes: bool, is_json: bool) -> None:
    """Looks, shows, asks, and leaves the rest to the forwarder. What is shown goes to stderr where stdout is for a program."""
    with opened() as (settings, store):
        payment = find_one(store, charge, on)
        with refusals_noted(store, wish.kind, payment.intent.reference):
            wanted, standing = wanted_of(wish, settings, store, payment)
        if isinstance(wanted, AlreadyAsked):
            tell(wanted.modification, is_json=is_json, is_new=False)
            return
        if not yes:
            click.echo(what_will_happen(standing, wanted), err=is_json)
            # Of a part the second run must not give it back once more.
            require_terminal(f'--refundable "{wanted.left}" --yes' if wish.amount else "--yes")
            click.confirm(f"{wish.kind.capitalize()} {wanted.amount}?", abort=True, err=is_json)
        asked = store.ask_modification(wanted, datetime.now(UTC))
        with refusals_noted(store, wish.kind, payment.intent.reference):
            if isinstance(asked, Changed):
                raise changed(asked.refundable)
    is_new = isinstance(asked, Modification)
    tell(asked if isinstance(asked, Modification) else asked.modification, is_json=is_json, is_new=is_new)


def seen(store: Store, payment: Payment) -> Seen:
    reserved = payment.status == "approved" and payment.intent.captures_later
    story = store.entries(payment.intent.reference) if reserved else ()
    return Seen(payment, store.balance_of(payment), reservation_state(story) if reserved else None)


def wanted_of(
    wish: Wish, settings: Settings, store: Store, payment: Payment
) -> tuple[WantedModification | AlreadyAsked, Standing]:
    if wish.reopen_bill:
        require_our_bill(settings, payment)
    standing = standing_at(load_banks(settings.banks, settings.var), store, payment)
    left = standing.balance.refundable
    expected = money_in(wish.refundable, left.currency, "--refundable") if wish.refundable else left
    about = (payment.intent.reference, wish.kind)
    if expected != left:
        # Perhaps it is this very command again: the store knows, and adds nothing where it is not.
        part = money_in(wish.amount, left.currency) if wish.amount else expected
        found = store.asked_before(WantedModification(*about, part, expected, operator(), wish.reopen_bill))
        if found is None:
            raise changed(left)
        return AlreadyAsked(found), standing
    amount = amount_to_modify(standing, wish.kind, wish.amount)
    if wish.reopen_bill:
        require_all_of_sum(payment, amount)
    return WantedModification(*about, amount, left, operator(), wish.reopen_bill), standing


@contextmanager
def refusals_noted(store: Store, kind: ModificationKind, reference: str) -> Iterator[None]:
    """What is refused is on record too: who tried it, with which charge, and why not."""
    try:
        yield
    except RecordError as error:
        store.note(operator(), f"{kind} refused", f"{reference}: {error}"[:LONGEST_ABOUT], datetime.now(UTC))
        raise


def changed(refundable: object) -> RecordError:
    return RecordError(f"{refundable} can be refunded now, no longer what it was: look again, nothing was asked for")


def require_our_bill(settings: Settings, payment: Payment) -> None:
    if settings.billing_url:
        raise RecordError("--reopen-bill: bills are at BILLING_URL; reopen it there")
    if not payment.intent.payable_key:
        raise RecordError("--reopen-bill: the charge pays no bill that was looked up")


def require_all_of_sum(payment: Payment, amount: Money) -> None:
    """Nobody can say of which of several bills a part is given back."""
    if payment.intent.bills and amount != payment.intent.amount:
        raise RecordError(
            f"--reopen-bill: the charge paid {len(payment.intent.bills)} bills in one sum, and a part of it is of none of "
            f"them: refund all of it, or refund the part without --reopen-bill and let `{COMMAND} accounts import` say "
            "which bill owes what"
        )


def tell(asked: Modification, *, is_json: bool, is_new: bool) -> None:
    if is_json:
        click.echo(json.dumps({"is_new": is_new, **modification_record(asked)}, ensure_ascii=False))
        return
    word = (
        "asked for" if is_new else f"asked for already, by {asked.asked_by} at {asked.asked_at:%Y-%m-%d %H:%M:%S} UTC"
    )
    click.echo(f"{asked.kind} of {asked.amount} {word}: {asked.id}")
    is_over = asked.status in ("done", "failed")
    where = f"it is {asked.status}" if is_over else "the forwarder takes it to the bank"
    click.echo(f"{where}; `{COMMAND} payments show {asked.reference}` says what became of it")


payments.add_command(settle)
