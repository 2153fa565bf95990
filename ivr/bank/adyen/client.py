"""Adyen's Checkout API over HTTPS. It sends once and says what it heard; `ivr.bank.adyen` says what is asked when."""

import hashlib
import json
from collections.abc import Mapping

from ivr.bank.adyen.answers import CREATED, read_modification, read_payment, theirs
from ivr.bank.adyen.card_deletions import deletion_path, read_deletion
from ivr.bank.adyen.kept_cards import asks_to_keep, charges_kept, shopper_of
from ivr.bank.adyen.settings import OTHER_MINOR_UNITS, AdyenSettings
from ivr.bank.https import BROKEN, NOTHING_LEFT, HttpsBank, no_answer, read_json, tls_context_of
from ivr.bank.interface import (
    AuthorizationRequest,
    BankAnswer,
    CardDeletionRequest,
    ModificationKind,
    ModificationRequest,
)
from ivr.bank.promises import DAY_S, Promises
from ivr.core.money import Money

PROMISES = Promises(
    seal="adyen",
    seal_to="bank",
    operations=frozenset(
        {
            *("authorize", "capture", "void", "refund", "card verification"),
            *("create token", "charge token", "delete token"),
        }
    ),
    repeats_s=7 * DAY_S,
    undo="what has arrived",
    undo_is_told_later=True,
    captures_apart=True,
    partial_approval=True,
    modifications_are_told_later=True,
)
MODIFICATIONS: Mapping[ModificationKind, str] = {"refund": "refunds", "void": "cancels", "capture": "captures"}
LONGEST_KEY = 64  # of `Idempotency-Key`
# The description wants an address for a browser to return to; RFC 2606 2: this one leads nowhere.
NOBODY_RETURNS = "https://tonetill.invalid/"
FIELDS = {
    "card_number": ("encryptedCardNumber",),
    "expiry": ("encryptedExpiryMonth", "encryptedExpiryYear"),
    "security_code": ("encryptedSecurityCode",),
}


class AdyenBank(HttpsBank):
    """One merchant account. `with` closes its connections."""

    promises = PROMISES

    def __init__(self, settings: AdyenSettings, api_key: str) -> None:
        super().__init__(settings, tls_context_of(settings.ca))
        self._account = settings.merchant_account
        self._api_key = api_key

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        reference = request.reference
        if request.amount.currency in OTHER_MINOR_UNITS:
            return BankAnswer("not_sent", reference, reason="Adyen counts this currency in other minor units")
        shopper = shopper_of(request, self._api_key)
        body = payment_body(request, self._account, shopper)
        if body is None:
            return BankAnswer("not_sent", reference, reason="what stands for the card was not given by Adyen")
        try:
            status, content = self._post("/payments", body, request.idempotency_key)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        return read_payment(reference, status, content, shopper)

    def reverse(self, reference: str) -> BankAnswer:
        """Under no idempotency key: a second one must be looked at again, and cancels no more than the first."""
        body = {"merchantAccount": self._account, "paymentReference": theirs(reference), "reference": theirs(reference)}
        try:
            status, content = self._post("/cancels", body)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        if status == CREATED and read_json(content).get("paymentReference") == theirs(reference):
            return BankAnswer("undoing", reference)
        return BankAnswer("unknown", reference, reason=f"status {status}")

    def capture(self, reference: str, bank_reference: str, amount: Money) -> BankAnswer:
        """Under one key, and of all of it: a second one takes nothing more."""
        body = {"merchantAccount": self._account, "amount": money(amount), "reference": theirs(reference)}
        path = f"/payments/{bank_reference}/captures"
        try:
            status, content = self._post(path, body, f"capture-{reference}")
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        if status == CREATED and read_json(content).get("paymentPspReference") == bank_reference:
            return BankAnswer("capturing", reference, bank_reference=bank_reference)
        return BankAnswer("unknown", reference, reason=f"status {status}, error {error_code(content)}")

    def modify(self, request: ModificationRequest) -> BankAnswer:
        """Our reference of it is its key: the notification that tells its outcome comes under that."""
        if request.bank_reference is None:
            return BankAnswer("refused", request.reference, reason="Adyen's reference is not on record: do it there")
        key = request.idempotency_key
        body: dict[str, object] = {"merchantAccount": self._account, "reference": theirs(key)}
        body |= {"amount": money(request.amount)} if request.kind != "void" else {}
        path = f"/payments/{request.bank_reference}/{MODIFICATIONS[request.kind]}"
        try:
            status, content = self._post(path, body, key)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(request.reference, error)
        return read_modification(request, status, content)

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        path = deletion_path(request.kept_card, self._account)
        if path is None:
            return BankAnswer("refused", request.key, reason="what stands for the card was not given by Adyen")
        try:
            status, content = self._line.exchange("DELETE", path, b"", {"X-API-Key": self._api_key})
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(request.key, error)
        return read_deletion(request.key, status, content)

    def payment_methods(self, currency: str | None = None) -> tuple[int, Mapping[str, object]]:
        """For `bank check`: asks and changes nothing. NOTHING_LEFT or BROKEN where there is no answer."""
        amount = {"amount": {"currency": currency, "value": 100}} if currency else {}
        status, content = self._post(
            "/paymentMethods", {"merchantAccount": self._account, "allowedPaymentMethods": ["scheme"], **amount}
        )
        return status, read_json(content)

    def _post(self, path: str, body: Mapping[str, object], key: str = "") -> tuple[int, bytes]:
        headers = {"X-API-Key": self._api_key, **({"Idempotency-Key": key_of(key)} if key else {})}
        return self._line.exchange("POST", path, json.dumps(body, separators=(",", ":")).encode(), headers)


def payment_body(request: AuthorizationRequest, account: str, shopper: str = "") -> dict[str, object] | None:
    """`shopper`: who the card is to be kept for. None for a kept card that Adyen does not keep."""
    paid_by = charges_kept(request.kept_card) if request.kept_card else keyed_in(request.sealed, shopper)
    if paid_by is None:
        return None
    return {
        "merchantAccount": account,
        "reference": theirs(request.reference),
        "amount": money(request.amount),
        **paid_by,
        "additionalData": {"manualCapture": "true", **({"allowPartialAuth": "true"} if request.takes_part else {})},
        "returnUrl": NOBODY_RETURNS,
    }


def keyed_in(sealed: Mapping[str, str], shopper: str) -> dict[str, object]:
    card = {"paymentMethod": {"type": "scheme", **encrypted(sealed)}, "shopperInteraction": "Moto"}
    return card | (asks_to_keep(shopper) if shopper else {})


def encrypted(sealed: Mapping[str, str]) -> dict[str, str]:
    """The vault's seals under Adyen's names; an expiry's are two, with a blank between."""
    named = {field: sealed[field].split(" ") for field in FIELDS if field in sealed}
    return {name: part for field, parts in named.items() for name, part in zip(FIELDS[field], parts, strict=True)}


def money(amount: Money) -> dict[str, object]:
    return {"currency": amount.currency, "value": amount.minor}


def key_of(key: str) -> str:
    """The same for the same, and never longer than Adyen keeps."""
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


def error_code(content: bytes) -> str:
    return str(read_json(content).get("errorCode", "none"))[:6]
