"""Refunds, voids and captures at Stripe: what is sent for each, and what the answers say in the words of every bank here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from ivr.bank.https import read_json
from ivr.bank.interface import UNREADABLE, AmountSaid, BankAnswer, ModificationRequest, Outcome
from ivr.bank.reasons import reason_in
from ivr.bank.stripe.answers import (
    FAILED_CARD,
    OK,
    REFUSED_REQUEST,
    bank_reference,
    code_of,
    error_of,
    is_ours,
)

MODIFICATION = "tonetill_modification"  # in the metadata of a refund: our key of it
# About the request itself: nothing was done. 401, 403 and 429 are about who asks, or how often.
REFUSED = frozenset({400, FAILED_CARD, 404})
# How a payment intent stands once it is done, and how it stands where it can no longer be.
STANDS = {"void": "canceled", "capture": "succeeded"}
TOO_LATE = {
    ("void", "succeeded"): "captured already: refund it",
    ("capture", "canceled"): "the hold is cancelled or has lapsed: there is nothing to capture",
}
MOST_LISTED = 100


def modification_path(request: ModificationRequest) -> str:
    match request.kind:
        case "refund":
            return "/refunds"
        case "void":
            return f"/payment_intents/{request.bank_reference}/cancel"
        case _:
            return f"/payment_intents/{request.bank_reference}/capture"


def modification_form(request: ModificationRequest) -> dict[str, object]:
    match request.kind:
        case "refund":
            key = {f"metadata[{MODIFICATION}]": request.idempotency_key}
            return {"payment_intent": request.bank_reference, "amount": request.amount.minor, **key}
        case "void":
            return {"cancellation_reason": "requested_by_customer"}
        case _:
            return {"amount_to_capture": request.amount.minor}


def inquiry_path(request: ModificationRequest) -> str:
    if request.kind == "refund":
        return f"/refunds?{urlencode({'payment_intent': request.bank_reference, 'limit': MOST_LISTED})}"
    return f"/payment_intents/{request.bank_reference}"


def read_modification(request: ModificationRequest, status: int, content: bytes) -> BankAnswer:
    said, reference = read_json(content), request.reference
    if status == OK and said:
        return read_refund(request, said) if request.kind == "refund" else read_standing(request, said)
    error = error_of(said)
    if not error or error.get("type") == "idempotency_error":
        return BankAnswer("unknown", reference, reason=f"status {status}, {code_of(said)}")
    intent = error.get("payment_intent")
    if request.kind != "refund" and isinstance(intent, dict):
        standing = read_standing(request, intent)
        if standing.outcome in ("done", "refused"):
            return standing
    if status in REFUSED:
        return BankAnswer("refused", reference, reason=f"status {status}, {code_of(said)}")
    outcome: Outcome = "not_sent" if status in REFUSED_REQUEST else "unknown"
    return BankAnswer(outcome, reference, reason=f"status {status}, {code_of(said)}")


def read_inquiry(request: ModificationRequest, status: int, said: Mapping[str, Any]) -> BankAnswer:
    """Of a refund the list of the charge's; of a void or capture how the charge stands."""
    if status != OK:
        return BankAnswer("unknown", request.reference, reason=f"status {status}, {code_of(said)}")
    return read_list(request, said) if request.kind == "refund" else read_standing(request, said)


def read_list(request: ModificationRequest, said: Mapping[str, Any]) -> BankAnswer:
    listed = said.get("data")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return BankAnswer("unknown", request.reference, reason="no list of refunds")
    ours = next((one for one in listed if modification_of(one) == request.idempotency_key), None)
    if ours is not None:
        return read_refund(request, ours)
    if said.get("has_more") is True:
        return BankAnswer("unknown", request.reference, reason="more refunds than one list has")
    return BankAnswer("not_found", request.reference, reason="Stripe lists no such refund")


def read_refund(request: ModificationRequest, said: Mapping[str, Any]) -> BankAnswer:
    """`pending` and `requires_action` go on: an event tells how they end."""
    number, reference = bank_reference(said), request.reference
    is_ours_too = modification_of(said) == request.idempotency_key
    if number is None or not is_ours_too or said.get("payment_intent") != request.bank_reference:
        return BankAnswer("unknown", reference, reason="an answer to something else")
    match said.get("status"):
        case "succeeded":
            return BankAnswer("done", reference, amounts=amount_of(said, "amount"), bank_reference=number)
        case "pending" | "requires_action":
            return BankAnswer("taken", reference, amounts=amount_of(said, "amount"), bank_reference=number)
        case "failed" | "canceled":
            return BankAnswer("refused", reference, reason=reason_in(said.get("failure_reason")), bank_reference=number)
    return BankAnswer("unknown", reference, reason="no result yet")


def read_standing(request: ModificationRequest, said: Mapping[str, Any]) -> BankAnswer:
    """A void or capture is done where the charge stands so, whoever has asked for it."""
    reference, stands = request.reference, str(said.get("status"))
    if bank_reference(said) != request.bank_reference or not is_ours(said, reference):
        return BankAnswer("unknown", reference, reason="an answer to something else")
    if stands == STANDS[request.kind]:
        taken = "amount_received" if request.kind == "capture" and said.get("amount_received") else "amount"
        return BankAnswer("done", reference, amounts=amount_of(said, taken))
    if (request.kind, stands) in TOO_LATE:
        return BankAnswer("refused", reference, reason=TOO_LATE[request.kind, stands])
    return BankAnswer("not_found", reference, reason=f"the charge stands as {stands[:40]}")


def modification_of(said: Mapping[str, Any]) -> str:
    """Our key of a refund; empty for one that was not asked for here."""
    metadata = said.get("metadata")
    return str(metadata.get(MODIFICATION, "")) if isinstance(metadata, dict) else ""


def amount_of(said: Mapping[str, Any], name: str) -> tuple[AmountSaid, ...]:
    value, currency = said.get(name), said.get("currency")
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(currency, str) or len(currency) != 3:
        return (UNREADABLE,)
    return (AmountSaid(value, currency.upper(), is_whole=True),)
