"""Reads what Adyen answers to a payment, and puts it into the words of every bank here (ISO 8583 fields 38 and 39)."""

from collections.abc import Mapping
from typing import Any

from ivr.bank.adyen.kept_cards import kept_in
from ivr.bank.https import read_json
from ivr.bank.interface import AmountSaid, BankAnswer, ModificationRequest
from ivr.bank.reasons import reason_in

OK, CREATED, BAD_REQUEST, UNPROCESSABLE, SERVER_FAULT = 200, 201, 400, 422, 500
REFUSED_REQUEST = frozenset({BAD_REQUEST, 401, 403, UNPROCESSABLE})
IN_PROGRESS = "704"  # "request already processed or in progress": the key's first request is still being worked on
# Error codes by which Adyen refuses the card before it asks anybody, as field 39 would: a number that fails its checks,
# a security code of the wrong length, an expiry that has passed; a shopper of whom it keeps no card, or not that one.
CARD_ERRORS = {"101": "14", "103": "82", "129": "54", "800": "14", "803": "14"}
NOTHING_CHARGED = frozenset({"Refused", "Error", "Cancelled"})
# A shopper at a browser would have to go on. On the telephone nobody can, and nothing is charged unless they do.
WANTS_A_BROWSER = frozenset({"RedirectShopper", "ChallengeShopper", "IdentifyShopper", "PresentToShopper"})
APPROVED, PARTIAL, DO_NOT_HONOR, WANTS_AUTHENTICATION = "00", "10", "05", "1A"
# docs.adyen.com, "Refusal reasons": `refusalReasonCode` as ISO 8583 field 39. Any other is 05, do not honor.
RESPONSE_CODES = {
    "3": "01", "4": "96", "5": "62", "6": "54", "7": "13", "8": "14", "9": "91", "10": "57", "12": "51", "14": "59",
    "17": "55", "20": "59", "22": "59", "23": "57", "24": "82", "25": "62", "28": "61", "29": "65", "31": "59",
}  # fmt: skip
LONGEST_CODE = 6  # field 38
LONGEST_REFERENCE = 40


def theirs(reference: str) -> str:
    """Our reference as Adyen is told it."""
    return reference.replace("-", ".")


def ours(reference: str) -> str:
    return reference.replace(".", "-")


def read_payment(reference: str, status: int, content: bytes, shopper: str = "") -> BankAnswer:
    """The answer to a charge. A status alone could come from any box in between. `shopper`: who the card was to be kept for."""
    said = read_json(content)
    if status in REFUSED_REQUEST and "errorCode" in said:
        return read_refused_request(reference, status, said)
    if status != OK or not said:
        return BankAnswer("unknown", reference, reason=f"status {status}")
    if said.get("merchantReference") != theirs(reference):
        return BankAnswer("unknown", reference, reason="an answer to something else")
    return read_result(reference, said, shopper)


def read_refused_request(reference: str, status: int, said: Mapping[str, Any]) -> BankAnswer:
    """Adyen has not taken the request, so nothing was charged by *it*; about an earlier one under the key it says nothing."""
    code = str(said["errorCode"])[:LONGEST_CODE]
    if code == IN_PROGRESS:
        return BankAnswer("unknown", reference, reason="still being worked on")
    if status == UNPROCESSABLE and code in CARD_ERRORS:
        return BankAnswer("declined", reference, CARD_ERRORS[code], reason=f"error {code}")
    return BankAnswer("not_sent", reference, reason=f"refused with status {status}, error {code}")


def read_modification(request: ModificationRequest, status: int, content: bytes) -> BankAnswer:
    """Taken, or refused before anything was done; how it ends is told in a notification. Wrong credentials say nothing."""
    said, reference = read_json(content), request.reference
    if status == CREATED and said.get("paymentPspReference") == request.bank_reference:
        return BankAnswer("taken", reference, bank_reference=bank_reference(said))
    code = str(said.get("errorCode", ""))[:LONGEST_CODE]
    if status in (BAD_REQUEST, UNPROCESSABLE) and code and code != IN_PROGRESS:
        return BankAnswer("refused", reference, reason=f"{reason_in(said.get('message'))} (error {code})")
    if status in REFUSED_REQUEST and code and code != IN_PROGRESS:
        return BankAnswer("not_sent", reference, reason=f"refused with status {status}, error {code}")
    return BankAnswer("unknown", reference, reason=f"status {status}")


def read_result(reference: str, said: Mapping[str, Any], shopper: str = "") -> BankAnswer:
    result, number = said.get("resultCode"), bank_reference(said)
    if result in ("Authorised", "PartiallyAuthorised"):
        code = APPROVED if result == "Authorised" else PARTIAL
        token, until = kept_in(said, shopper)
        return BankAnswer(
            *("approved", reference, code, authorization_code(said), None, amount(said), number),
            kept_token=token,
            kept_until=until,
        )
    if result in NOTHING_CHARGED:
        code = RESPONSE_CODES.get(str(said.get("refusalReasonCode")), DO_NOT_HONOR)
        return BankAnswer("declined", reference, code, reason=str(result), bank_reference=number)
    if result in WANTS_A_BROWSER:
        return BankAnswer("declined", reference, WANTS_AUTHENTICATION, reason=str(result), bank_reference=number)
    # Pending and Received: a notification brings the result. Anything else is none that was agreed on.
    return BankAnswer("unknown", reference, reason="no result yet", bank_reference=number)


def authorization_code(said: Mapping[str, Any]) -> str | None:
    """Adyen gives the issuer's code where the account's "Additional data settings" say so."""
    more = said.get("additionalData")
    return code_of(str(more.get("authCode", "")).strip()) if isinstance(more, dict) else None


def code_of(code: str) -> str | None:
    return code if 0 < len(code) <= LONGEST_CODE and code.isascii() and code.isalnum() else None


def bank_reference(said: Mapping[str, Any]) -> str | None:
    """Adyen's own: `pspReference`."""
    number = said.get("pspReference")
    is_good = isinstance(number, str) and number.isascii() and number.isalnum() and len(number) <= LONGEST_REFERENCE
    return number if is_good else None


def amount(said: Mapping[str, Any]) -> tuple[AmountSaid, ...]:
    written = said.get("amount")
    if written is None:
        return ()
    value, currency = (written.get("value"), written.get("currency")) if isinstance(written, dict) else (None, None)
    minor = value if isinstance(value, int) and not isinstance(value, bool) else None
    currency = currency if isinstance(currency, str) and len(currency) == len("USD") else None
    return (AmountSaid(minor, currency, minor is not None and currency is not None),)
