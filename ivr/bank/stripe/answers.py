"""Reads what Stripe answers, and puts it into the words of every bank here (ISO 8583 fields 38 and 39)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ivr.bank.https import read_json
from ivr.bank.interface import UNREADABLE, AmountSaid, BankAnswer

OK, FAILED_CARD, SERVER_FAULT = 200, 402, 500
# Stripe has refused the request before it did anything (docs.stripe.com/api/errors): ours, the key's, or too many at once.
REFUSED_REQUEST = frozenset({400, 401, 403, 404, 429})
OURS = "tonetill_reference"  # in the metadata of what we make there
APPROVED, DO_NOT_HONOR, WANTS_AUTHENTICATION = "00", "05", "1A"
# docs.stripe.com/declines/codes and /error-codes, as ISO 8583 field 39. Any other is 05, do not honor.
RESPONSE_CODES = {
    "call_issuer": "01", "pickup_card": "04", "processing_error": "96", "invalid_amount": "13", "incorrect_number": "14",
    "invalid_number": "14", "invalid_account": "14", "lost_card": "41", "stolen_card": "43", "insufficient_funds": "51",
    "expired_card": "54", "invalid_expiry_month": "54", "invalid_expiry_year": "54", "card_not_supported": "57",
    "transaction_not_allowed": "57", "service_not_allowed": "57", "fraudulent": "59", "merchant_blacklist": "59",
    "withdrawal_count_limit_exceeded": "61", "restricted_card": "62", "card_velocity_exceeded": "65",
    "incorrect_cvc": "82", "invalid_cvc": "82", "issuer_not_available": "91", "try_again_later": "91",
    "authentication_required": WANTS_AUTHENTICATION, "authentication_not_handled": WANTS_AUTHENTICATION,
}  # fmt: skip
LONGEST_CODE = 40
LONGEST_REFERENCE = 80
# What stands for a card that Stripe keeps: its customer there, and the payment method.
KEPT = re.compile(r"(?P<customer>cus_[A-Za-z0-9_]{1,60})/(?P<method>(?:pm|card)_[A-Za-z0-9_]{1,60})")


def read_method(reference: str, status: int, content: bytes) -> str | BankAnswer:
    """The card's name at Stripe (`pm_...`), or why there is none. Nothing is charged by it, so silence is `not_sent`."""
    said = read_json(content)
    number = bank_reference(said)
    if status == OK and number is not None:
        return number
    if status == FAILED_CARD and "error" in said:
        return read_failed_card(reference, said)
    return BankAnswer("not_sent", reference, reason=f"the card is not taken: status {status}, {code_of(said)}")


def read_charge(reference: str, status: int, content: bytes) -> BankAnswer:
    """The answer to a charge. A status alone could come from any box in between."""
    said = read_json(content)
    error = error_of(said)
    if status == FAILED_CARD and error:
        return read_failed_card(reference, said)
    # The key was used before with other words: about that request this answer says nothing.
    if status in REFUSED_REQUEST and error and error.get("type") != "idempotency_error":
        return BankAnswer("not_sent", reference, reason=f"refused with status {status}, {code_of(said)}")
    if status != OK or not said:
        return BankAnswer("unknown", reference, reason=f"status {status}, {code_of(said)}")
    return read_intent(reference, said)


def read_failed_card(reference: str, said: Mapping[str, Any]) -> BankAnswer:
    """The issuer's word where there is one (`decline_code`), else Stripe's own."""
    error = error_of(said)
    intent = error.get("payment_intent")
    if isinstance(intent, dict) and not is_ours(intent, reference):
        return BankAnswer("unknown", reference, reason="an answer to something else")
    code = str(error.get("decline_code") or error.get("code"))
    number = bank_reference(intent) if isinstance(intent, dict) else None
    said_code = RESPONSE_CODES.get(code, DO_NOT_HONOR)
    return BankAnswer("declined", reference, said_code, reason=code[:LONGEST_CODE], bank_reference=number)


def read_intent(reference: str, said: Mapping[str, Any]) -> BankAnswer:
    """`requires_action`: a shopper at a browser would have to go on. On the telephone nobody can, and nothing is charged."""
    if not is_ours(said, reference):
        return BankAnswer("unknown", reference, reason="an answer to something else")
    number, status = bank_reference(said), said.get("status")
    if status in ("requires_capture", "succeeded"):
        kept = kept_in(said)
        return BankAnswer("approved", reference, APPROVED, None, None, amount(said), number, kept_token=kept)
    if status in ("requires_action", "requires_confirmation"):
        return BankAnswer("declined", reference, WANTS_AUTHENTICATION, reason=str(status), bank_reference=number)
    if status == "requires_payment_method":
        return read_failed_card(reference, {"error": said.get("last_payment_error") or {}})
    if status == "canceled":
        refused = BankAnswer("declined", reference, DO_NOT_HONOR, reason="canceled", bank_reference=number)
        return replace(refused, kept_token=kept_in(said))
    return BankAnswer("unknown", reference, reason="no result yet", bank_reference=number)


def kept_in(said: Mapping[str, Any]) -> str:
    """What stands for the card from now on, of an intent that was to keep it."""
    kept = f"{said.get('customer')}/{said.get('payment_method')}"
    return kept if said.get("setup_future_usage") == "off_session" and KEPT.fullmatch(kept) else ""


def is_ours(said: Mapping[str, Any], reference: str) -> bool:
    return reference_of(said) == reference


def reference_of(said: Mapping[str, Any]) -> str:
    """Empty for what was not made here."""
    metadata = said.get("metadata")
    return str(metadata.get(OURS, "")) if isinstance(metadata, dict) else ""


def bank_reference(said: Mapping[str, Any]) -> str | None:
    """Stripe's own: `id`. It becomes part of a path, so nothing but letters, digits and `_` is one."""
    number = said.get("id")
    if not isinstance(number, str) or not number.isascii() or len(number) > LONGEST_REFERENCE:
        return None
    return number if number.replace("_", "").isalnum() else None


def amount(said: Mapping[str, Any]) -> tuple[AmountSaid, ...]:
    value, currency = said.get("amount_capturable") or said.get("amount"), said.get("currency")
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(currency, str) or len(currency) != 3:
        return (UNREADABLE,)
    return (AmountSaid(value, currency.upper(), is_whole=True),)


def error_of(said: Mapping[str, Any]) -> Mapping[str, Any]:
    error = said.get("error")
    return error if isinstance(error, dict) else {}


def code_of(said: Mapping[str, Any]) -> str:
    """Of an error, for the log: Stripe's words are left out, because they may quote what was sent."""
    error = error_of(said)
    return f"error {str(error.get('code') or error.get('type') or 'none')[:LONGEST_CODE]}"
