"""Stripe's API over HTTPS. It sends once and says what it heard; `ivr.bank.stripe` says what is asked when."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from ivr.bank.clear_card import CardNotOpened, ClearCard, OpenCard
from ivr.bank.https import BROKEN, NOTHING_LEFT, HttpsBank, describe, no_answer, read_json, tls_context_of
from ivr.bank.interface import AuthorizationRequest, BankAnswer, CardDeletionRequest, ModificationRequest
from ivr.bank.promises import HOUR_S, Promises
from ivr.bank.stripe.answers import (
    OK,
    OURS,
    SERVER_FAULT,
    bank_reference,
    error_of,
    is_ours,
    kept_in,
    read_charge,
    read_intent,
    read_method,
)
from ivr.bank.stripe.kept_cards import (
    INVALID_CARD,
    customer_form,
    is_not_kept,
    keeps,
    kept_fields,
    month_in,
    parts_of,
    read_customer,
    read_detached,
)
from ivr.bank.stripe.modifications import (
    inquiry_path,
    modification_form,
    modification_path,
    read_inquiry,
    read_modification,
)
from ivr.bank.stripe.settings import OTHER_MINOR_UNITS, StripeSettings
from ivr.core.money import Money

PROMISES = Promises(
    seal="forwarder",
    seal_to="vault",
    operations=frozenset({"authorize", "capture", "void", "refund", "create token", "charge token", "delete token"}),
    # Keys are kept for 24 hours at least, counted there; the charge is counted from when it was written down here.
    repeats_s=23 * HOUR_S,
    undo="what has arrived",
    captures_apart=True,
    inquires_modifications=True,
)
VERSION = "2024-06-20"  # of the API, so that an account's own setting changes nothing
FORM = "application/x-www-form-urlencoded"
MOST_FOUND = 3  # under one reference there is one; more would be a fault, and each answer has a limit
LONGEST_METADATA = 500


class StripeBank(HttpsBank):
    """One account. `with` closes its connections."""

    promises = PROMISES

    def __init__(self, settings: StripeSettings, secret_key: str, open_card: OpenCard) -> None:
        super().__init__(settings, tls_context_of(settings.ca))
        self._headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": VERSION, "Content-Type": FORM}
        self._open_card = open_card

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        reference = request.reference
        if request.amount.currency in OTHER_MINOR_UNITS:
            return BankAnswer("not_sent", reference, reason="Stripe counts this currency in other minor units")
        paid_by = self._paid_by(request)
        if isinstance(paid_by, BankAnswer):
            return paid_by
        try:
            form = encoded(intent_form(request, paid_by.fields))
            status, content = self._post("/payment_intents", form, request.idempotency_key)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        if request.kept_card and is_not_kept(status, read_json(content)):
            return BankAnswer("declined", reference, INVALID_CARD, reason="Stripe keeps no such card")
        answer = read_charge(reference, status, content)
        answer = self._look_for(answer) if status >= SERVER_FAULT else answer
        return replace(answer, kept_until=paid_by.until) if answer.kept_token else answer

    def _paid_by(self, request: AuthorizationRequest) -> "PaidBy | BankAnswer":
        """What stands for the card in the charge. No charge can come of what is asked here, so whatever becomes of it nothing was
        sent."""
        if request.kept_card:
            fields = kept_fields(request.kept_card)
            wrong = BankAnswer("not_sent", request.reference, reason="what stands for the card was not given by Stripe")
            return PaidBy(fields) if fields else wrong
        customer = self._customer(request) if keeps(request) else ""
        if isinstance(customer, BankAnswer):
            return customer
        sent = self._send_card(request)
        if isinstance(sent, BankAnswer):
            return sent
        keyed_in: dict[str, object] = {"payment_method": sent[0], "payment_method_options[card][moto]": "true"}
        keyed_in |= {"customer": customer, "setup_future_usage": "off_session"} if customer else {}
        return PaidBy(keyed_in, sent[1])

    def _customer(self, request: AuthorizationRequest) -> str | BankAnswer:
        try:
            form = encoded(customer_form(request))
            status, content = self._post("/customers", form, f"customer-{request.idempotency_key}")
        except (*NOTHING_LEFT, *BROKEN) as error:
            return BankAnswer("not_sent", request.reference, reason=f"the customer: {describe(error)}")
        return read_customer(request.reference, status, content)

    def _send_card(self, request: AuthorizationRequest) -> tuple[str, str] | BankAnswer:
        """The card's name at Stripe, and the month in which it expires."""
        reference = request.reference
        try:
            with self._open_card(request) as card, card_form(card) as form:
                status, content = self._post("/payment_methods", form["form"], f"card-{request.idempotency_key}")
        except (CardNotOpened, *NOTHING_LEFT, *BROKEN) as error:
            why = str(error) if isinstance(error, CardNotOpened) else describe(error)
            return BankAnswer("not_sent", reference, reason=f"the card: {why}")
        method = read_method(reference, status, content)
        return method if isinstance(method, BankAnswer) else (method, month_in(read_json(content)))

    def _look_for(self, answer: BankAnswer) -> BankAnswer:
        """After a fault of Stripe's, which its key would only bring again."""
        try:
            found = self._search(answer.reference)
        except (*NOTHING_LEFT, *BROKEN):
            return answer
        return read_intent(answer.reference, found[0]) if found else answer

    def reverse(self, reference: str) -> BankAnswer:
        try:
            found = self._search(reference)
            if found is None:
                return BankAnswer("unknown", reference, reason="the search is not answered")
            left = [status for status in map(self._cancel, found) if status != "canceled"]
        except (*NOTHING_LEFT, *BROKEN) as error:
            return BankAnswer("unknown", reference, reason=describe(error))
        if left:
            return BankAnswer("unknown", reference, reason=f"not cancelled: {left[0]}; look it up at Stripe")
        # The card was kept when the charge was confirmed, and stays so without it.
        kept = next((token for token in map(kept_in, found) if token), "")
        return BankAnswer("reversed", reference, "00" if found else "25", kept_token=kept)

    def capture(self, reference: str, bank_reference: str, amount: Money) -> BankAnswer:
        """Under one key, and of all of it: a second one takes nothing more."""
        path = f"/payment_intents/{bank_reference}/capture"
        try:
            status, content = self._post(path, encoded({"amount_to_capture": amount.minor}), f"capture-{reference}")
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        if status_of(status, content) == "succeeded":
            return BankAnswer("capturing", reference, bank_reference=bank_reference)
        return BankAnswer("unknown", reference, reason=f"status {status}, {status_of(status, content)}")

    def modify(self, request: ModificationRequest) -> BankAnswer:
        if request.bank_reference is None:
            return BankAnswer("refused", request.reference, reason="Stripe's name of it is not on record: do it there")
        form = encoded(modification_form(request))
        try:
            status, content = self._post(modification_path(request), form, request.idempotency_key)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(request.reference, error)
        answer = read_modification(request, status, content)
        if status < SERVER_FAULT:
            # A hold that stands as before says nothing of a request that may be on its way.
            return replace(answer, outcome="unknown") if answer.outcome == "not_found" else answer
        # The key would only bring the fault again.
        found = self.inquire_modification(request)
        return found if found.outcome in ("done", "taken", "refused") else answer

    def inquire_modification(self, request: ModificationRequest) -> BankAnswer:
        try:
            status, said = self.get(inquiry_path(request))
        except (*NOTHING_LEFT, *BROKEN) as error:
            return BankAnswer("unknown", request.reference, reason=describe(error))
        return read_inquiry(request, status, said)

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        """Under no idempotency key: a second one must be looked at again. One that is detached already is refused, so what
        a refusal means is asked of the payment method itself."""
        method = parts_of(request.kept_card)[1]
        if not method:
            return BankAnswer("refused", request.key, reason="what stands for the card was not given by Stripe")
        path = f"/payment_methods/{method}"
        try:
            status, content = self._line.exchange("POST", f"/v1{path}/detach", b"", self._headers)
            if status != OK:
                status, said = self.get(path)
                content = json.dumps(said).encode()
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(request.key, error)
        return read_detached(request.key, status, content)

    def get(self, path: str) -> tuple[int, Mapping[str, Any]]:
        """Asks and changes nothing. NOTHING_LEFT or BROKEN where there is no answer."""
        status, content = self._line.exchange("GET", f"/v1{path}", b"", self._headers)
        return status, read_json(content)

    def _search(self, reference: str) -> list[Mapping[str, Any]] | None:
        """What was made for our reference, as far as the index knows; None without an answer to be believed."""
        query = {"query": f"metadata['{OURS}']:'{reference}'", "limit": MOST_FOUND}
        status, said = self.get(f"/payment_intents/search?{urlencode(query)}")
        found = said.get("data")
        if status != OK or not isinstance(found, list):
            return None
        return [one for one in found if isinstance(one, dict) and is_ours(one, reference)]

    def _cancel(self, intent: Mapping[str, Any]) -> str:
        """How the intent stands afterwards."""
        number = bank_reference(intent)
        if number is None or intent.get("status") in ("canceled", "succeeded"):
            return str(intent.get("status"))
        status, content = self._post(
            f"/payment_intents/{number}/cancel", encoded({"cancellation_reason": "abandoned"}), f"cancel-{number}"
        )
        return status_of(status, content)

    def _post(self, path: str, content: bytes | bytearray, key: str) -> tuple[int, bytes]:
        return self._line.exchange("POST", f"/v1{path}", content, {**self._headers, "Idempotency-Key": key})


def card_form(card: ClearCard) -> ClearCard:
    """The card as Stripe's form, in one buffer under the name `form`: digits need no encoding, so none is copied."""
    expiry = memoryview(card["expiry"])
    parts = [b"type=card&card[number]=", card["card_number"], b"&card[exp_month]=", expiry[:2]]
    parts += [b"&card[exp_year]=", expiry[2:]]
    if "security_code" in card:
        parts += [b"&card[cvc]=", card["security_code"]]
    if "postal_code" in card:
        parts += [b"&billing_details[address][postal_code]=", card["postal_code"]]
    form, at = bytearray(sum(map(len, parts))), 0
    for part in parts:  # into its place: a buffer that grows is moved, and leaves what it held behind
        form[at : at + len(part)] = part
        at += len(part)
    return ClearCard({"form": form})


@dataclass(frozen=True)
class PaidBy:
    """What a charge says of its card; `until`: the month in which that expires, where Stripe has said so."""

    fields: Mapping[str, object] = field(repr=False)
    until: str = ""


def intent_form(request: AuthorizationRequest, paid_by: Mapping[str, object]) -> dict[str, object]:
    """The same for the same request: Stripe refuses a key that comes with other words."""
    fields = {
        "amount": request.amount.minor,
        "currency": request.amount.currency.lower(),
        "payment_method_types[0]": "card",
        "capture_method": "manual",
        "confirm": "true",
        f"metadata[{OURS}]": request.reference,
        **paid_by,
    }
    bill = request.invoice_reference[:LONGEST_METADATA]
    return fields | ({"metadata[invoice_reference]": bill} if bill else {})


def encoded(fields: Mapping[str, object]) -> bytes:
    return urlencode(fields).encode()


def status_of(status: int, content: bytes) -> str:
    """Of the intent that an answer is about: a refusal shows it too ("it has been captured already")."""
    said = read_json(content)
    intent = said if status == OK else error_of(said).get("payment_intent")
    found = intent.get("status") if isinstance(intent, dict) else None
    return str(found or f"status {status}")
