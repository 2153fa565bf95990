"""Cards that Stripe keeps: a customer of its own for each, the card attached to it with its first charge, and its deletion.

Stripe wants the payment method and the customer that it is attached to together, so what is kept here is both:
`<customer>/<payment method>`. The customer has no name, address or number: nobody is known by it.
"""

from collections.abc import Mapping
from typing import Any

from ivr.bank.https import read_json
from ivr.bank.interface import AuthorizationRequest, BankAnswer
from ivr.bank.stripe.answers import KEPT, OK, bank_reference, code_of, error_of

DECEMBER, THIS_CENTURY = 12, 2000
NO_SUCH = 404
# docs.stripe.com/error-codes: the payment method or customer of a charge is none, or not attached any more.
MISSING = frozenset({"resource_missing", "payment_method_unexpected_state"})
BAD_REQUESTS = frozenset({400, NO_SUCH})
INVALID_CARD = "14"


def keeps(request: AuthorizationRequest) -> bool:
    return request.keep_card and not request.kept_card and bool(request.invoice_reference)


def parts_of(kept: str) -> tuple[str, str]:
    """Customer and payment method; both empty where it is not one of Stripe's."""
    found = KEPT.fullmatch(kept)
    return (found["customer"], found["method"]) if found else ("", "")


def customer_form(request: AuthorizationRequest) -> dict[str, object]:
    return {"metadata[tonetill_reference]": request.reference}


def read_customer(key: str, status: int, content: bytes) -> str | BankAnswer:
    """The customer's name at Stripe. Nothing is charged by it, so silence is `not_sent`."""
    said = read_json(content)
    number = bank_reference(said)
    if status == OK and number is not None and number.startswith("cus_"):
        return number
    return BankAnswer("not_sent", key, reason=f"no customer to keep the card for: status {status}, {code_of(said)}")


def kept_fields(kept: str) -> dict[str, object] | None:
    """What a charge says in place of a card that was keyed in; None where the token is not one of Stripe's.

    `off_session`: the cardholder is on the line, and cannot be asked by their bank for more. Such a charge is declined then.
    """
    customer, method = parts_of(kept)
    return {"customer": customer, "payment_method": method, "off_session": "true"} if method else None


def month_in(said: Mapping[str, Any]) -> str:
    """2030-12, of a payment method."""
    card = said.get("card")
    month, year = (card.get("exp_month"), card.get("exp_year")) if isinstance(card, dict) else (None, None)
    is_month = isinstance(month, int) and isinstance(year, int) and 1 <= month <= DECEMBER
    return f"{year}-{month:02}" if is_month and THIS_CENTURY <= int(str(year)) < THIS_CENTURY + 100 else ""


def is_not_kept(status: int, said: Mapping[str, Any]) -> bool:
    """A charge refused because Stripe keeps no such card for that customer, so nothing was charged."""
    return status in BAD_REQUESTS and error_of(said).get("code") in MISSING


def read_detached(key: str, status: int, content: bytes) -> BankAnswer:
    """Of a payment method, asked for or just detached: done where no customer has it. One that is detached can never be charged or
    attached again (docs.stripe.com/api/payment_methods/detach)."""
    said = read_json(content)
    if status == OK and bank_reference(said) is not None and "customer" in said:
        return BankAnswer("done", key) if said["customer"] is None else BankAnswer("unknown", key, reason="attached")
    if status == NO_SUCH and error_of(said).get("code") == "resource_missing":
        return BankAnswer("done", key, reason="Stripe keeps no such card")
    return BankAnswer("unknown", key, reason=f"status {status}, {code_of(said)}")
