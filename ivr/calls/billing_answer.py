"""What a billing endpoint may say of one account, read strictly; a money value is never a JSON number (docs/billing.md)."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ivr.core.money import Money, parse_money
from ivr.store import Bill

WRITTEN_MONEY = r"^-?[0-9]{1,9}(\.[0-9]{1,3})? [A-Z]{3}$"
Amount = Annotated[str, Field(pattern=WRITTEN_MONEY, examples=["42.50 USD"])]
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


def read_bill(account: str, content: bytes) -> Bill:
    """UnreadableBill says which member is wrong and what would be right."""
    answer = _read(content)
    if answer.account not in (None, account):
        raise UnreadableBill("account: the answer is about another account")
    due = _money("due", answer.due)
    least = _money("min", answer.min) if answer.min is not None else Money(1, due.currency)
    if least.currency != due.currency:
        raise UnreadableBill(f"min: in {least.currency}, while due is in {due.currency}")
    if least.minor < 0:
        raise UnreadableBill("min: less than nothing")
    return Bill(account, due, min(least, due))


def _read(content: bytes) -> BillAnswer:
    try:
        body: Any = json.loads(content, object_pairs_hook=_without_repetition)
        return BillAnswer.model_validate(body)
    except ValidationError as error:
        raise UnreadableBill("; ".join(map(_explain, error.errors(include_input=False, include_url=False)))) from None
    except RepeatedMember as error:
        raise UnreadableBill(f"the member '{error}' is there twice") from None
    except (ValueError, RecursionError):
        raise UnreadableBill("the answer is not JSON") from None


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
