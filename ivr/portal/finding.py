"""Finds charges by what somebody has in hand: a number that was read out, a card's last four, an account, an amount, a call, a caller."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, get_args

from ivr.books import day_bounds
from ivr.calls.payment_lookup import LAST4_DIGITS, LONGEST_CODE, day_filter
from ivr.core.caller import caller_key
from ivr.core.confirmation import is_confirmation_number, is_in_form
from ivr.core.money import parse_money
from ivr.core.stray_cards import is_card_typed
from ivr.errors import RecordError
from ivr.store import Payment, PaymentFilter, Store

PAGE = 50
SearchStatus = Literal["approved", "declined", "unknown", "reversed", "not_sent", "refunded", "waiting"]
STATUSES: tuple[SearchStatus, ...] = get_args(SearchStatus)
FIELDS = ("text", "day", "status", "flow", "bank", "amount", "caller", "older_than")
CARD = "that holds a card number: search by its last four digits and the day"

LONGEST_MS = 15  # digits of a cursor's time; the databases' integers have 18


@dataclass(frozen=True)
class FoundPayments:
    """The latest first. `older`: what `older_than` is for the next page; empty on the last one."""

    payments: Sequence[Payment]
    older: str = ""


@dataclass(frozen=True)
class Finder:
    """`hash_caller`: a caller's number as the ledger knows it."""

    store: Store
    hash_caller: Callable[[str], str]

    def find(self, asked: Mapping[str, str]) -> FoundPayments:
        """`asked` by FIELDS, as typed. Who names a charge, or the call that it was begun in, is asked for nothing else. RecordError says what
        is wrong with it."""
        text = asked.get("text", "").strip()
        named = self.store.payment(text) if text else None
        if named:
            return FoundPayments((named,))
        of_call = self.store.payments_of(text) if text else []
        if of_call:
            return FoundPayments(of_call[::-1])
        require_no_card(asked)
        exact = self._by_number(text, asked) if text else ()
        if exact:
            return FoundPayments(exact)
        found = self.store.find_payments(self._filter(text, asked), PAGE + 1)
        shown = found[:PAGE]
        return FoundPayments(shown, cursor(shown[-1]) if len(found) > PAGE else "")

    def _by_number(self, text: str, asked: Mapping[str, str]) -> Sequence[Payment]:
        """By our number, the bank's code, or last four and day; nothing where it may be an account."""
        digits = "".join(text.replace("-", " ").split())
        if not (digits.isascii() and digits.isdecimal()):
            return ()
        if len(digits) == LAST4_DIGITS and asked.get("day"):
            return self.store.find_payments(day_filter(day_in(asked["day"]), PaymentFilter(last4=digits)), PAGE)
        if len(digits) == LAST4_DIGITS and not self.store.find_payments(PaymentFilter(bill=text), 1):
            raise RecordError("text: for a card's last four digits say the day too")
        if is_confirmation_number(digits) or len(digits) <= LONGEST_CODE:
            return self.store.payments_by_number(digits, PAGE)
        return ()

    def _filter(self, text: str, asked: Mapping[str, str]) -> PaymentFilter:
        digits = "".join(text.split())
        is_no_account = bool(text) and is_in_form(digits) and not is_confirmation_number(digits)
        if is_no_account and not self.store.find_payments(PaymentFilter(bill=text), 1):
            raise RecordError("text: that is no confirmation number and no account; ask for it again")
        minor, currency = amount_in(asked.get("amount", ""))
        at, reference = cursor_in(asked.get("older_than", ""))
        status = asked.get("status", "")
        if status and status not in STATUSES:
            raise RecordError(f"status: expected one of {', '.join(STATUSES)}")
        wanted = PaymentFilter(
            status=status,
            flow=asked.get("flow", "").strip(),
            bank=asked.get("bank", "").strip(),
            bill=text,
            amount_minor=minor,
            currency=currency,
            ani_hash=self._caller(asked.get("caller", "")),
            older_than=(at, reference) if reference else None,
        )
        return day_filter(day_in(asked["day"]) if asked.get("day") else None, wanted)

    def _caller(self, written: str) -> str:
        if not written.strip():
            return ""
        if not caller_key(written):
            raise RecordError("caller: that is how a withheld number is written; search by the day")
        return self.hash_caller(written)


def require_no_card(asked: Mapping[str, str]) -> None:
    """RecordError names the field."""
    for name, one in asked.items():
        if name != "older_than" and is_card_typed(one):
            raise RecordError(f"{name}: {CARD}")


def without_cards(asked: Mapping[str, str]) -> dict[str, str]:
    """What was typed, to be shown again: empty where it could be a card number."""
    return {name: "" if is_card_typed(one) else one for name, one in asked.items()}


def day_in(written: str) -> date:
    try:
        day = date.fromisoformat(written)
        day_bounds(day)
    except (ValueError, OverflowError):
        raise RecordError("day: expected a date such as 2026-01-31") from None
    return day


def amount_in(written: str) -> tuple[int | None, str]:
    """Without a currency: of any that has hundredths."""
    text = written.strip()
    if not text:
        return None, ""
    has_currency = text[-3:].isalpha()
    try:
        money = parse_money(text if has_currency else f"{text} USD")
    except ValueError as error:
        raise RecordError(f"amount: {error}") from None
    return money.minor, money.currency if has_currency else ""


def cursor(last: Payment) -> str:
    return f"{int(last.begun_at.timestamp() * 1000)} {last.intent.reference}"


def cursor_in(written: str) -> tuple[int, str]:
    at, _, reference = written.partition(" ")
    is_one = at.isascii() and at.isdecimal() and len(at) <= LONGEST_MS and reference
    return (int(at), reference) if is_one else (0, "")
