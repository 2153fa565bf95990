"""Finds one charge by what somebody can read out: its reference, its confirmation number, or a card's last four and the day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

from ivr.core.confirmation import in_groups, is_confirmation_number, is_in_form
from ivr.core.stray_cards import holds_card_number
from ivr.errors import RecordError
from ivr.places import COMMAND
from ivr.store import Payment, PaymentFilter, Store

LAST4_DIGITS = 4
LONGEST_CODE = 8  # a bank's code has six (ISO 8583 field 38); eight have been ours
MOST_TOLD = 5
ANY_PAYMENT = PaymentFilter()


def find_one(store: Store, written: str, on: date | None) -> Payment:
    """RecordError where there is none, where there are several, and for a confirmation number that cannot be right."""
    found = store.payment(written)
    if found is not None:
        return found
    digits = "".join(written.replace("-", " ").split())
    if not (digits.isascii() and digits.isdecimal()):
        raise RecordError(f"there is no charge {shown(written)}: `{COMMAND} payments list` shows those that there are")
    if holds_card_number(digits.encode()):
        raise RecordError(
            "that holds a card number: give its last four digits and --on, and take it out of your history"
        )
    return only(by_digits(store, digits, on), digits)


def by_digits(store: Store, digits: str, on: date | None) -> Sequence[Payment]:
    if len(digits) == LAST4_DIGITS:
        if on is None:
            raise RecordError(f"which day? `--on 2026-01-31` with the last four digits {digits} of the card")
        return store.find_payments(day_filter(on, PaymentFilter(last4=digits)), MOST_TOLD + 1)
    if is_in_form(digits) and not is_confirmation_number(digits):
        raise RecordError(
            f"{in_groups(digits)} is no confirmation number: its last digit does not fit the others, so one of them is "
            "wrong or two are swapped; ask for it again"
        )
    return store.payments_by_number(digits) if is_in_form(digits) or len(digits) <= LONGEST_CODE else ()


def only(found: Sequence[Payment], digits: str) -> Payment:
    if not found:
        raise RecordError(
            f"no charge is found by {in_groups(digits)}: `{COMMAND} payments list` shows those that there are"
        )
    if len(found) > 1:
        told = [f"  {one.intent.reference}  {one.intent.amount}  {one.status}" for one in found[:MOST_TOLD]]
        more = ["  and more"] if len(found) > MOST_TOLD else []
        raise RecordError("\n".join([f"more than one charge is found by {digits}; give its reference:", *told, *more]))
    return found[0]


def day_filter(day: date | None, wanted: PaymentFilter = ANY_PAYMENT) -> PaymentFilter:
    """From midnight to midnight, UTC, as all times are shown."""
    if day is None:
        return wanted
    since = datetime.combine(day, time(), UTC)
    return replace(wanted, since=since, until=since + timedelta(days=1))


def shown(written: str) -> str:
    """What was typed, unless it could hold a card number."""
    digits = "".join(filter(str.isdecimal, written))
    return "of that name" if not written.isprintable() or holds_card_number(digits.encode()) else f"'{written[:120]}'"
