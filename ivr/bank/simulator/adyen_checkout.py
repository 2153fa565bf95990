"""What the simulated Adyen does with a request of Checkout v72: reads it, decides, books it in the bank's own books, tells of it.

The cards and amounts of `scenarios` do here what they do in every protocol; a line breaks for the first request under a key
only. A second payment under another key is booked as a second one, beside the first: `<reference>#2`.
"""

import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from ivr.bank.simulator.adyen_keys import AdyenAccount, AdyenSeals
from ivr.bank.simulator.adyen_news import AdyenNews, AdyenNotice
from ivr.bank.simulator.authorizer import BankReply, Undecided
from ivr.bank.simulator.books import BookEntry, Books
from ivr.bank.simulator.card_books import BookedCard
from ivr.bank.simulator.decryption import DecryptedCard, Refused
from ivr.bank.simulator.modification_books import DONE, BookedModification, Kind
from ivr.bank.simulator.scenarios import PARTIAL, LineFault, SimulatorWays, scenario_for
from ivr.core.money import Money

TAKEN, UNPROCESSABLE = 201, 422
KINDS: Mapping[str, Kind] = {"captures": "capture", "refunds": "refund", "cancels": "void"}
EVENTS: Mapping[Kind, str] = {"capture": "CAPTURE", "refund": "REFUND", "void": "CANCELLATION"}
# docs.adyen.com, "Refusal reasons": ISO 8583 field 39 as Adyen says it; any other is "Refused".
REFUSALS = {"51": ("Not enough balance", "12"), "54": ("Expired Card", "6"), "14": ("Invalid Card Number", "8")}
# What Adyen finds in a card before it asks anybody.
CARD_ERRORS = {"14": ("101", "Invalid card number"), "54": ("129", "Expiry Date Invalid")}
CARD_ERRORS |= {"30": ("129", "Expiry Date Invalid"), "63": ("174", "Unable to decrypt data")}
NOT_KEPT, EXPIRED = "not kept", "54"
CARD_ERRORS |= {NOT_KEPT: ("803", "PaymentDetail not found")}


class AdyenCheckout:
    """Shared by all threads."""

    def __init__(
        self, account: AdyenAccount, seals: AdyenSeals, books: Books, news: AdyenNews, ways: SimulatorWays,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
    ) -> None:  # fmt: skip
        self._account, self._seals, self._books, self._news, self._ways = account, seals, books, news, ways
        self._today, self.account_name = today, account.merchant_account
        self._tried: set[str] = set()
        self._payments = {psp_of(entry): entry.reference for entry in books.entries() if entry.amount}
        self._lock = threading.RLock()

    def pay(self, body: Mapping[str, Any], key: str) -> BankReply | Undecided:
        reference, said = str(body["reference"]), body["amount"]
        amount = Money(int(said["value"]), str(said["currency"]))
        digest = hashlib.sha256(json.dumps([reference, amount.minor, amount.currency]).encode()).hexdigest()
        known = self._books.find_key(key) if key else None
        if known is not None:
            return self._replay(known, digest)
        try:
            card = self._card(body)
        except Refused as refused:
            return error(UNPROCESSABLE, *CARD_ERRORS.get(refused.response_code, ("905", "refused")))
        scenario = self._ways.choose(card.pan, amount.minor)
        fault = scenario.fault if self._is_first(key) else None
        if fault == "duplicate":
            return error(UNPROCESSABLE, "704", "request already processed or in progress")
        takes_part = body.get("additionalData", {}).get("allowPartialAuth") == "true"
        code, approved_minor = scenario.decide(amount.minor, takes_part=takes_part)
        code = DONE if scenario.fault else code
        code = EXPIRED if card.expires < f"{self._today():%Y-%m}" else code
        is_approved = code in (DONE, PARTIAL)
        entry = BookEntry(
            reference=reference,
            idempotency_key=key or secrets.token_hex(8),
            request_hash=digest,
            merchant=self._account.merchant_account,
            call="",
            invoice_reference="",
            amount=amount,
            brand=card.brand,
            last4=card.last4,
            outcome="approved" if is_approved else "declined",
            response_code=code,
            authorization_code=f"{secrets.randbelow(10**6):06d}" if is_approved else None,
            capture_later=True,
            approved_minor=approved_minor,
        )
        return Undecided(fault, lambda: self._enter(entry, digest, self._kept(body, card)))

    def _card(self, body: Mapping[str, Any]) -> DecryptedCard:
        """Of its seals, or kept for this shopper. Refused where it is neither, or cannot be used."""
        method = dict(body["paymentMethod"])
        if "storedPaymentMethodId" not in method:
            return self._seals.card(method, self._today())
        kept = self._books.cards.find(str(method["storedPaymentMethodId"]), self._owner(body))
        as_agreed = body["shopperInteraction"], body["recurringProcessingModel"]
        if kept is None or as_agreed != ("ContAuth", "CardOnFile") or method.keys() - {"type", "storedPaymentMethodId"}:
            raise Refused(NOT_KEPT, "no such card is kept")
        return DecryptedCard("", kept.brand, kept.last4, kept.expires)

    def _kept(self, body: Mapping[str, Any], card: DecryptedCard) -> BookedCard | None:
        """The card as it will be kept, where that is asked for."""
        if body.get("storePaymentMethod") is not True or body["recurringProcessingModel"] != "CardOnFile":
            return None
        about = new_psp(), str(body["reference"]), self._owner(body)
        return BookedCard(*about, card.brand, card.last4, card.expires)

    def delete_card(self, token: str, shopper: str) -> bool:
        """Whether there was one."""
        return self._books.cards.delete(token, f"{self.account_name}/{shopper}")

    def _owner(self, body: Mapping[str, Any]) -> str:
        """A token is good for the shopper that it was given to, at this account."""
        return f"{self.account_name}/{body['shopperReference']}"

    def _enter(self, entry: BookEntry, digest: str, kept: BookedCard | None) -> BankReply:
        with self._lock:
            entered = self._books.authorize_again(entry)
            is_new = psp_of(entered) not in self._payments
            self._payments[psp_of(entered)] = entered.reference
        if is_new and kept and entered.outcome == "approved":
            self._books.cards.keep(replace(kept, reference=entered.reference))
        if is_new:
            self._tell_payment(entered)
        if is_new and (booked := self._books.cards.kept_with(entered.reference)):
            told = AdyenNotice("RECURRING_CONTRACT", told_as(entered), booked.token, Money(0), psp_of(entered))
            self._news.tell_token(told, booked.merchant.partition("/")[2])
        return self._replay(entered, digest)

    def _tell_payment(self, entry: BookEntry) -> None:
        assert entry.amount is not None
        reason = f"{entry.authorization_code}:{entry.last4}:12/2030" if entry.authorization_code else "Refused"
        is_success = entry.outcome == "approved"
        self._news.tell(
            AdyenNotice("AUTHORISATION", told_as(entry), psp_of(entry), entry.amount, "", is_success, reason)
        )

    def _replay(self, entry: BookEntry, digest: str) -> BankReply:
        if entry.request_hash != digest:
            return error(UNPROCESSABLE, "702", "the idempotency key was used for another request")
        assert entry.amount is not None
        said: dict[str, object] = {"pspReference": psp_of(entry), "merchantReference": told_as(entry)}
        if entry.authorization_code is None:
            reason, number = REFUSALS.get(entry.response_code or "", ("Refused", "2"))
            return BankReply(
                200, {**said, "resultCode": "Refused", "refusalReason": reason, "refusalReasonCode": number}
            )
        amount = {"currency": entry.amount.currency, "value": entry.amount.minor}
        result = "PartiallyAuthorised" if entry.response_code == PARTIAL else "Authorised"
        more = {"authCode": entry.authorization_code, **token_of(self._books.cards.kept_with(entry.reference))}
        return BankReply(200, {**said, "resultCode": result, "amount": amount, "additionalData": more})

    def cancel(self, body: Mapping[str, Any]) -> BankReply:
        """By the merchant's reference. What has not arrived is not blocked: it is told that there was nothing to cancel."""
        reference, psp = str(body["paymentReference"]), new_psp()
        entry = self._books.find(reference)
        can = entry is not None and entry.outcome == "approved" and not self._is_captured(reference)
        if can:
            self._books.reverse(reference)
        amount = entry.amount if entry is not None and entry.amount else Money(0)
        original = psp_of(entry) if entry is not None and entry.amount else ""
        self._news.tell(AdyenNotice("TECHNICAL_CANCEL", reference, psp, amount, original, is_success=can))
        return BankReply(TAKEN, {**body, "pspReference": psp, "status": "received"})

    def modify(self, what: str, psp: str, body: Mapping[str, Any], key: str) -> BankReply | Undecided:
        """A capture, refund or cancel of a payment by Adyen's own number; its outcome is told in a notification."""
        reference = self._payments.get(psp)
        entry = self._books.find(reference) if reference else None
        if entry is None or entry.amount is None:
            return error(UNPROCESSABLE, "167", "Original pspReference required for this operation")
        kind, said = KINDS[what], body.get("amount")
        amount = Money(int(said["value"]), str(said["currency"])) if said else entry.amount
        wanted = BookedModification(key or secrets.token_hex(8), entry.reference, kind, amount)
        known = self._books.modifications.find(wanted.idempotency_key)
        scenario = scenario_for("", amount.minor) if kind == "refund" else None
        fault: LineFault | None = scenario.fault if scenario and self._is_first(key) else None
        if scenario and scenario.response_code != DONE and not scenario.fault:
            wanted = wanted.refused(scenario.response_code, scenario.what)
        if kind == "void" and self._is_captured(entry.reference):
            wanted = wanted.refused("12", "captured already: refund it")
        if fault == "duplicate" and known is None:
            return error(UNPROCESSABLE, "704", "request already processed or in progress")
        return Undecided(fault, lambda: self._modified(wanted, psp, str(body.get("reference", "")), body))

    def _modified(self, wanted: BookedModification, psp: str, reference: str, body: Mapping[str, Any]) -> BankReply:
        own = hashlib.sha256(f"{psp} {wanted.idempotency_key}".encode()).hexdigest()[:16].upper()
        with self._lock:
            is_new = self._books.modifications.find(wanted.idempotency_key) is None
            done = self._books.modifications.enter(wanted, self._today().isoformat())
        if is_new:
            is_success = done.outcome == "done"
            self._news.tell(AdyenNotice(EVENTS[done.kind], reference, own, done.amount, psp, is_success, done.reason))
        return BankReply(TAKEN, {**body, "pspReference": own, "paymentPspReference": psp, "status": "received"})

    def _is_captured(self, reference: str) -> bool:
        standing = self._books.modifications.standing(reference, self._today().isoformat())
        return standing is not None and standing.is_captured

    def _is_first(self, key: str) -> bool:
        with self._lock:
            is_first = key not in self._tried
            self._tried.add(key)
            return is_first


def token_of(kept: BookedCard | None) -> dict[str, str]:
    if kept is None:
        return {}
    year, month = kept.expires.split("-")
    named = {"storedPaymentMethodId": kept.token, "shopperReference": kept.merchant.partition("/")[2]}
    return {f"tokenization.{name}": value for name, value in named.items()} | {"expiryDate": f"{int(month)}/{year}"}


def psp_of(entry: BookEntry) -> str:
    """Adyen's number of a payment: made of what is in the books, so that it is the same after a restart."""
    return hashlib.sha256(f"{entry.reference} {entry.idempotency_key}".encode()).hexdigest()[:16].upper()


def told_as(entry: BookEntry) -> str:
    return entry.reference.partition("#")[0]


def new_psp() -> str:
    return secrets.token_hex(8).upper()


def error(status: int, code: str, message: str) -> BankReply:
    body = {"status": status, "errorCode": code, "message": message, "errorType": "validation"}
    return BankReply(status, body, f"error {code}")
