"""What a billing endpoint may say of an account, read strictly; a money value is never a JSON number (docs/billing.md)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ivr.core.events import Value
from ivr.core.json_text import parse_json
from ivr.core.money import Money, parse_money
from ivr.reading.typed_values import WRITTEN_MONEY, ValueType, read_json_value
from ivr.store import Bill

log = structlog.get_logger()
Amount = Annotated[str, Field(pattern=WRITTEN_MONEY, examples=["42.50 USD"])]
Gives = Iterable[tuple[str, str]]  # the values that a flow declares, each with its type
MOST_BILLS = 50  # nobody listens to more
OF_BILL = "bill"  # the first word of values that stand at the top of the answer
_KEY = re.compile(r"[0-9A-Z]{1,32}")
_EXPECTED = "expected a string such as '42.50 USD'"


class BillAnswer(BaseModel):
    """The body of a 200 answer to GET `<billing_url>/<account>`; other members are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)

    due: Amount
    """What is owed now. Zero or less (a credit): the caller hears that nothing is due."""
    min: Amount | None = None
    """The least that is taken; more than is due means all of it. Left out: the smallest unit of the currency."""
    account: str | None = None
    """The account that the answer is about; refused where it is not the one that was asked for."""


class BillingDown(Exception):
    """What is due is not known: the billing endpoint cannot be reached, or refuses us. The message never quotes an answer."""


class UnreadableBill(BillingDown):
    """The endpoint answered, and what it said of this account is no bill in the agreed form."""


@dataclass(frozen=True)
class FoundBill:
    """A bill, and the values that the flow has declared, by name."""

    bill: Bill
    given: Mapping[str, Value] = field(default_factory=dict)


def read_bill(account: str, content: bytes, gives: Gives = ()) -> FoundBill:
    """UnreadableBill says which member is wrong and what would be right."""
    return _bill(account, _parsed(content), gives)


def read_bills(content: bytes, gives: Gives = ()) -> list[FoundBill]:
    """`{"bills": [...]}`, each as one bill is answered, with its own account. None at all: everything is paid."""
    body = _parsed(content)
    listed = body.get("bills") if isinstance(body, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_BILLS:
        raise UnreadableBill(f"bills: expected a list of at most {MOST_BILLS}")
    found: dict[str, FoundBill] = {}
    for number, one in enumerate(listed):
        account = one.get("account") if isinstance(one, dict) else None
        if not isinstance(account, str) or not _KEY.fullmatch(account):
            raise UnreadableBill(f"bills.{number}.account: expected a string of 1 to 32 digits or capital letters")
        if account in found:
            raise UnreadableBill(f"bills.{number}.account: it is there twice")
        found[account] = _bill(account, one, gives)
    return list(found.values())


def _bill(account: str, body: Any, gives: Gives) -> FoundBill:
    answer = _answer(body)
    if answer.account not in (None, account):
        raise UnreadableBill("account: the answer is about another account")
    due = _money("due", answer.due)
    least = _money("min", answer.min) if answer.min is not None else Money(1, due.currency)
    if least.currency != due.currency:
        raise UnreadableBill(f"min: in {least.currency}, while due is in {due.currency}")
    if least.minor < 0:
        raise UnreadableBill("min: less than nothing")
    return FoundBill(Bill(account, due, min(least, due)), {name: _given(name, kind, body) for name, kind in gives})


def _given(name: str, kind: Any, body: Mapping[str, Any]) -> Value:
    """`bill.fee` is the member `fee`, `customer.name` the member `name` of the object `customer`."""
    first, _, last = name.partition(".")
    place = body if first == OF_BILL else body.get(first)
    if kind == "email":
        return _address(name, place.get(last) if isinstance(place, dict) else None)
    if not isinstance(place, dict) or last not in place:
        raise UnreadableBill(f"{_member(name)}: missing")
    of_type: ValueType = kind
    try:
        return read_json_value(of_type, place[last])
    except ValueError as error:
        raise UnreadableBill(f"{_member(name)}: {error}") from None


def _address(name: str, value: Any) -> str:
    """Where receipts go. A bill can be paid without one: what is no address is none."""
    try:
        return str(read_json_value("email", value or ""))
    except ValueError:
        return not_an_address(name)


def not_an_address(name: str) -> str:
    log.warning("no e-mail address, so no receipt goes there", member=name)
    return ""


def _member(name: str) -> str:
    return name.removeprefix(f"{OF_BILL}.")


def _parsed(content: bytes) -> Any:
    try:
        return parse_json(content, object_pairs_hook=_without_repetition)
    except RepeatedMember as error:
        raise UnreadableBill(f"the member '{error}' is there twice") from None
    except ValueError:
        raise UnreadableBill("the answer is not JSON") from None


def _answer(body: Any) -> BillAnswer:
    try:
        return BillAnswer.model_validate(body)
    except ValidationError as error:
        raise UnreadableBill("; ".join(map(_explain, error.errors(include_input=False, include_url=False)))) from None


class RepeatedMember(ValueError):
    """RFC 8259, section 4: which of two members of one name counts is left open, so neither does."""


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RepeatedMember(name[:40] if re.fullmatch(r"[a-z_]+", name) else "...")
        found[name] = value
    return found


def _explain(error: Any) -> str:
    name = ".".join(map(str, error["loc"]))
    match error["type"]:
        case "missing":
            return f"{name}: missing, {_EXPECTED}"
        case "string_type" | "string_pattern_mismatch":
            return f"{name}: {_EXPECTED if name != 'account' else 'expected a string'}"
    return "the answer is not a JSON object with 'due' and 'min'"


def _money(name: str, written: str) -> Money:
    try:
        amount = parse_money(written.removeprefix("-"))
    except ValueError as error:
        raise UnreadableBill(f"{name}: {error}") from None
    return Money(-amount.minor, amount.currency) if written.startswith("-") else amount
