"""What the bank does with a request: decrypts it, decides, enters it in the books. How it is answered, or not, is for `server`."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ivr.bank.simulator.books import BookEntry, Books
from ivr.bank.simulator.card_books import BookedCard
from ivr.bank.simulator.decryption import Bound, DecryptedCard, Decryption, Refused
from ivr.bank.simulator.scenarios import PARTIAL, Choice, LineFault, scenario_for
from ivr.core.money import Money

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:@-]{1,128}$")]
Sealed = Annotated[str, StringConstraints(max_length=8192)]
APPROVED = "00"


class Amount(BaseModel):
    """Integer minor units (ISO 4217)."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    minor: int = Field(gt=0, lt=10**12)  # ISO 8583 field 4 has twelve digits
    currency: str = Field(pattern=r"^[A-Z]{3}$")


class Message(BaseModel):
    """An authorization as it arrives."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    reference: Name
    merchant: Name
    call: Name
    amount: Amount
    moto: bool
    invoice_reference: str = Field(default="", max_length=40)
    capture: Literal["with the sale", "later"] = "with the sale"
    partial: Literal["", "accept"] = ""
    sealed: dict[str, Sealed] = Field(default_factory=dict)
    keep_card: bool = False
    kept_card: str = Field(default="", max_length=200, repr=False)


@dataclass(frozen=True)
class Request:
    """An authorization and the key that says whether it is the same one again."""

    message: Message
    key: str

    @cached_property
    def hash(self) -> str:
        """Of the content: the same for the same request, however its JSON was written."""
        return hashlib.sha256(json.dumps(self.message.model_dump(), sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class BankReply:
    """`note` is for the bank's log."""

    status: int
    body: dict[str, object]
    note: str = ""


@dataclass(frozen=True)
class Undecided:
    """An authorization read but not yet in the books: the moment at which a line can break *before* charging."""

    fault: LineFault | None
    enter: Callable[[], BankReply]


class Authorizer:
    """Shared by all threads."""

    def __init__(
        self,
        decryption: Decryption,
        books: Books,
        today: Callable[[], date] = lambda: datetime.now(UTC).date(),
        choose: Choice = scenario_for,
        draw: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        """`draw`: a number below the one given, for authorization codes."""
        self._decryption = decryption
        self._books = books
        self._today = today
        self._choose = choose
        self._draw = draw

    def authorize(self, body: bytes, idempotency_key: str) -> BankReply | Undecided:
        """A reply at once to what is malformed, known already or refused; otherwise what is still to be entered."""
        try:
            message = Message.model_validate_json(body)
        except ValidationError as error:
            return BankReply(400, {"error": problems(error)}, "malformed")
        if not idempotency_key.isascii() or not 1 <= len(idempotency_key) <= 255:
            return BankReply(400, {"error": "an Idempotency-Key of 1 to 255 characters is needed"}, "malformed")
        request = Request(message, idempotency_key)
        known = self._books.find_key(idempotency_key)
        return self._decide(request) if known is None else self._with_card(replay(known, request))

    def _decide(self, request: Request) -> BankReply | Undecided:
        message = request.message
        bound = Bound(message.merchant, message.call, message.reference)
        note, fault, approved = "", None, None
        try:
            card = self._card(message, bound)
            scenario = self._choose(card.pan, message.amount.minor)
            code, approved = scenario.decide(message.amount.minor, takes_part=message.partial == "accept")
            fault, note = scenario.fault, scenario.name
        except Refused as refused:
            card, code, note = DecryptedCard("", "unknown", ""), refused.response_code, str(refused)
        if fault == "duplicate":
            return conflict(message.reference)
        entry = new_entry(request, card, code, f"{self._draw(10**6):06d}", approved)
        return Undecided(fault, lambda: self._enter(entry, request, card, note))

    def _card(self, message: Message, bound: Bound) -> DecryptedCard:
        if not message.kept_card:
            return self._decryption.decrypt_card(message.sealed, bound, self._today())
        kept = self._books.cards.find(message.kept_card, message.merchant)
        if kept is None or message.sealed:
            raise Refused("14", "no such card is kept")
        if kept.expires < f"{self._today():%Y-%m}":
            raise Refused("54", "expired card")
        return DecryptedCard("", kept.brand, kept.last4, kept.expires)

    def _enter(self, entry: BookEntry, request: Request, card: DecryptedCard, note: str) -> BankReply:
        booked = self._books.authorize(entry)
        is_new = (booked.outcome, booked.idempotency_key) == ("approved", request.key)
        if is_new and request.message.keep_card and not request.message.kept_card:
            token, merchant = f"kept_{secrets.token_urlsafe(24)}", request.message.merchant
            kept = BookedCard(token, entry.reference, merchant, card.brand, card.last4, card.expires)
            self._books.cards.keep(kept)
        return self._with_card(replay(booked, request, note))

    def _with_card(self, reply: BankReply) -> BankReply:
        """The same whoever asks, and however often: what stands for the card that was kept with it."""
        kept = self._books.cards.kept_with(str(reply.body.get("reference", "")))
        if kept is None or reply.body.get("outcome") not in ("approved", "reversed"):
            return reply
        body = reply.body | {"kept_card": {"token": kept.token, "expires": kept.expires}}
        return BankReply(reply.status, body, reply.note)

    def delete_card(self, body: bytes) -> BankReply:
        """Done as well where there is none (any more)."""
        try:
            asked = Deletion.model_validate_json(body)
        except ValidationError as error:
            return BankReply(400, {"error": problems(error)}, "malformed")
        self._books.cards.delete(asked.kept_card, asked.merchant)
        return BankReply(200, {"reference": asked.reference, "outcome": "done", "response_code": APPROVED})

    def inquire(self, reference: str) -> BankReply:
        entry = self._books.find(reference)
        if entry is None:
            # ISO 8583 field 39: 25, unable to locate record.
            return BankReply(404, {"reference": reference, "outcome": "not_found", "response_code": "25"})
        return self._with_card(answer(entry))

    def reverse(self, reference: str) -> BankReply:
        self._books.reverse(reference)
        return self._with_card(
            BankReply(200, {"reference": reference, "outcome": "reversed", "response_code": APPROVED})
        )


class Deletion(BaseModel):
    """What asks that a kept card be kept no longer."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    reference: Name
    merchant: Name
    kept_card: str = Field(min_length=8, max_length=200, repr=False)


def new_entry(
    request: Request, card: DecryptedCard, code: str, authorization_code: str, approved_minor: int | None = None
) -> BookEntry:
    message = request.message
    outcome: Literal["approved", "declined"] = "approved" if code in (APPROVED, PARTIAL) else "declined"
    return BookEntry(
        reference=message.reference,
        idempotency_key=request.key,
        request_hash=request.hash,
        merchant=message.merchant,
        invoice_reference=message.invoice_reference,
        capture_later=message.capture == "later",
        approved_minor=approved_minor,
        call=message.call,
        amount=Money(message.amount.minor, message.amount.currency),
        brand=card.brand,
        last4=card.last4,
        outcome=outcome,
        response_code=code,
        authorization_code=authorization_code if outcome == "approved" else None,
    )


def replay(entry: BookEntry, request: Request, note: str = "") -> BankReply:
    """The same request again has the same answer; another one under a key or reference that is taken has none."""
    if (entry.idempotency_key, entry.request_hash) != (request.key, request.hash):
        return conflict(request.message.reference)
    return answer(entry, note or "repeated")


def answer(entry: BookEntry, note: str = "") -> BankReply:
    body: dict[str, object] = {
        "reference": entry.reference,
        "outcome": entry.outcome,
        "response_code": entry.response_code,
        "authorization_code": entry.authorization_code,
    }
    if entry.response_code == PARTIAL and entry.amount is not None:
        body["approved_amount"] = {"minor": entry.amount.minor, "currency": entry.amount.currency}
    return BankReply(200, body, note)


def conflict(reference: str) -> BankReply:
    # ISO 8583 field 39: 94, duplicate transmission. No outcome: this says nothing of the request that came first.
    return BankReply(409, {"reference": reference, "response_code": "94"}, "key or reference used before")


def problems(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in found[:5])
