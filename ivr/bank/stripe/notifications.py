"""Stripe's events: who sent them (HMAC-SHA256 of time and content), and what each says of a charge of ours.

The header is `t=<seconds>,v1=<hexadecimal>`, perhaps with several `v1` while a secret is being replaced. Stripe sends each
event until it is acknowledged, signed anew, perhaps more than once and in any order.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping, Sequence
from typing import Any

from ivr.bank.interface import BankNews, Told
from ivr.bank.protocols import Opening
from ivr.bank.reasons import reason_in
from ivr.bank.secrets import secret_of, variable
from ivr.bank.stripe.answers import APPROVED, DO_NOT_HONOR, kept_in, reference_of
from ivr.bank.stripe.modifications import modification_of
from ivr.core.json_text import parse_json
from ivr.core.money import Money
from ivr.errors import ConfigError, PeerError

HEADER = "Stripe-Signature"
TOLERANCE_S = 300  # as Stripe's own libraries: an event that somebody recorded cannot be played again later
MEANING: Mapping[str, Told] = {
    "payment_intent.amount_capturable_updated": "approved",
    "payment_intent.payment_failed": "declined",
    "payment_intent.canceled": "reversed",
    "payment_intent.succeeded": "captured",
    "charge.refunded": "refunded",
}
# Of a refund: by how it stands, whatever the event is called.
REFUND_MEANING: Mapping[str, Told] = {
    "succeeded": "refunded",
    "failed": "refund_failed",
    "canceled": "refund_failed",
}
CODES = {"approved": APPROVED, "declined": DO_NOT_HONOR}


def read_events(opening: Opening, content: bytes, headers: Mapping[str, str]) -> Sequence[BankNews]:
    """None for an event about what was not made here. PeerError where it is not Stripe's or cannot be read."""
    check_signature(content, headers.get(HEADER, ""), webhook_secret(opening), time.time())
    try:
        event = parse_json(content)
        news = read_event(event, event["data"]["object"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PeerError("not an event in the agreed form") from None
    return [news] if news else []


def read_event(event: Mapping[str, Any], about: Mapping[str, Any]) -> BankNews | None:
    if about.get("object") == "refund":
        return read_refund_event(event, about)
    reference, told = reference_of(about), MEANING.get(str(event["type"]), "other")
    if not reference:
        return None
    is_charge = about.get("object") == "charge"
    if told == "refunded" and about.get("captured") is False:
        told = (
            "other"  # a hold that was let go of: no money came, so none goes back; `payment_intent.canceled` says that
        )
    value = about["amount_refunded"] if told == "refunded" else about["amount"]
    return BankNews(
        event=f"{event['id']} {event['type']}"[:120],
        reference=reference,
        told=told,
        bank_reference=str(about["payment_intent"] if is_charge else about["id"]),
        amount=Money(int(value), str(about["currency"]).upper()),
        response_code=CODES.get(told),
        is_total=told == "refunded",
        told_at_s=made_at(event),
        kept_token=kept_in(about) if told in ("approved", "reversed") else "",
    )


def read_refund_event(event: Mapping[str, Any], about: Mapping[str, Any]) -> BankNews | None:
    """Of one that was not asked for here `charge.refunded` tells, by its total, and this alone that it has failed; a charge that
    was not made here is for nobody."""
    key = modification_of(about)
    if not key and REFUND_MEANING.get(str(about["status"])) != "refund_failed":
        return None
    return BankNews(
        event=f"{event['id']} {event['type']}"[:120],
        reference=key,
        told=REFUND_MEANING.get(str(about["status"]), "other"),
        bank_reference=str(about["payment_intent"]),
        amount=Money(int(about["amount"]), str(about["currency"]).upper()),
        modification=str(about["id"]),
        reason=reason_in(about.get("failure_reason")),
        is_total=not key,
        told_at_s=made_at(event),
    )


def made_at(event: Mapping[str, Any]) -> int:
    """When Stripe took down what the event shows: a total may be told after the failure of a refund that it counts."""
    return int(event.get("created") or 0)


def check_signature(content: bytes, header: str, secret: bytes, now_s: float) -> None:
    """PeerError where the content was not signed under the secret, or not just now."""
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    signed_at = next((value for name, value in pairs if name == "t"), "")
    if not signed_at.isascii() or not signed_at.isdigit() or len(signed_at) > len("99999999999"):
        raise PeerError(f"no {HEADER} in the agreed form")
    right = hmac.new(secret, signed_at.encode() + b"." + content, hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(value.encode(), right.encode()) for name, value in pairs if name == "v1"):
        raise PeerError("an event with a wrong signature")
    if abs(now_s - int(signed_at)) > TOLERANCE_S:
        raise PeerError("an event that was signed too long ago, or this machine's clock is wrong")


def webhook_secret(opening: Opening) -> bytes:
    """ConfigError where it is not set, or is none of Stripe's."""
    secret = secret_of(opening, "WEBHOOK_SECRET")
    if not secret.startswith("whsec_"):
        name = variable(opening.name, "WEBHOOK_SECRET")
        raise ConfigError(f"bank '{opening.name}': {name} is no webhook's secret (whsec_...): copy it from Stripe")
    return secret.encode()
