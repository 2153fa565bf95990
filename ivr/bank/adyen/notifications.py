"""Adyen's standard notifications: who sent them (HMAC-SHA256), and what each says of a charge of ours.

The signature covers eight fields joined by colons, under a key in hexadecimal from the Customer Area. Adyen sends each
notification until it is acknowledged, perhaps more than once and in any order.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ivr.bank.adyen.answers import APPROVED, DO_NOT_HONOR, code_of, ours
from ivr.bank.adyen.kept_cards import SHOPPER_NAMES, TOKEN_NAMES, is_shopper, kept_in
from ivr.bank.interface import BankNews, Told
from ivr.bank.protocols import Opening
from ivr.bank.reasons import reason_in
from ivr.bank.secrets import secret_of
from ivr.core.money import Money
from ivr.errors import ConfigError, PeerError

SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
# Tells of a token by itself: it is the notification's own reference, which the signature covers.
KEPT = "RECURRING_CONTRACT"
# By event and success.
MEANING: Mapping[tuple[str, bool], Told] = {
    ("AUTHORISATION", True): "approved",
    ("AUTHORISATION", False): "declined",
    ("TECHNICAL_CANCEL", True): "reversed",
    ("TECHNICAL_CANCEL", False): "undo_refused",
    ("CANCELLATION", True): "reversed",
    ("CANCEL_OR_REFUND", True): "reversed",
    ("CANCELLATION", False): "undo_refused",
    ("REFUND", True): "refunded",
    ("REFUND", False): "refund_failed",
    ("REFUND_FAILED", True): "refund_failed",  # it was sent, and has come back
    ("REFUNDED_REVERSED", True): "refund_failed",
    ("CAPTURE", True): "captured",
    ("CAPTURE", False): "capture_failed",
    ("CAPTURE_FAILED", True): "capture_failed",
    (KEPT, True): "kept",
}


def read_notifications(opening: Opening, content: bytes, _headers: Mapping[str, str]) -> Sequence[BankNews]:
    """The signature is in the content. PeerError where one of them is not Adyen's, not for this account, or cannot be read: none of them is believed then."""
    key = hmac_key(opening)
    try:
        items = [item["NotificationRequestItem"] for item in json.loads(content)["notificationItems"]]
        return [read_item(item, key, opening.settings.merchant_account) for item in items]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise PeerError("not a notification in the agreed form") from None


def read_item(item: Mapping[str, Any], key: bytes, account: str) -> BankNews:
    said = item.get("additionalData", {}).get("hmacSignature", "")
    if not hmac.compare_digest(str(said).encode(), signature(item, key).encode()):
        raise PeerError("a notification with a wrong signature")
    if item["merchantAccountCode"] != account:
        raise PeerError("a notification for another merchant account")
    event, is_success = str(item["eventCode"]), str(item["success"]).lower() == "true"
    amount = item["amount"]
    token, until = kept_told(item, event) if is_success else ("", "")
    number = hashlib.sha256(str(item["pspReference"]).encode()).hexdigest() if event == KEPT else item["pspReference"]
    is_about_another = bool(item.get("originalReference")) and event != KEPT
    return BankNews(
        event=f"{number} {event} {is_success}"[:120],
        reference=ours(str(item["merchantReference"])),
        told=MEANING.get((event, is_success), "other"),
        bank_reference=str(item.get("originalReference") or item["pspReference"]),
        amount=Money(int(amount["value"]), str(amount["currency"])),
        response_code=APPROVED if is_success else DO_NOT_HONOR,
        authorization_code=number_in(item) if is_success else None,
        modification=str(item["pspReference"]) if is_about_another else "",
        reason="" if event == "AUTHORISATION" else reason_in(item.get("reason")),
        kept_token=token,
        kept_until=until,
    )


def kept_told(item: Mapping[str, Any], event: str) -> tuple[str, str]:
    """The token that a notification tells, with the shopper that it names; both empty where it tells none, or nobody of ours.

    The signature does not cover `additionalData`. A token or shopper that somebody put there is no harm: it charges no card that
    Adyen does not keep for that shopper, and whoever knows both could ask for nothing without our API key.
    """
    more = item.get("additionalData", {})
    shopper = next((str(more[name]) for name in (*SHOPPER_NAMES, "shopperReference") if more.get(name)), "")
    if event == KEPT:
        more = {**more, TOKEN_NAMES[0]: item["pspReference"]}
    elif event != "AUTHORISATION":
        return "", ""
    return kept_in({"additionalData": more}, shopper) if is_shopper(shopper) else ("", "")


def number_in(item: Mapping[str, Any]) -> str | None:
    """An authorization's `reason` is its code, the card's last four and its expiry: `033899:1111:10/2029`."""
    return code_of(str(item.get("reason") or "").partition(":")[0])


def signature(item: Mapping[str, Any], key: bytes) -> str:
    amount = item["amount"]
    last = (amount["value"], amount["currency"], item["eventCode"], str(item["success"]).lower())
    signed = ":".join(str(one) for one in (*(item.get(name) or "" for name in SIGNED), *last))
    return base64.b64encode(hmac.new(key, signed.encode(), hashlib.sha256).digest()).decode()


def hmac_key(opening: Opening) -> bytes:
    try:
        return binascii.unhexlify(secret_of(opening, "HMAC_KEY"))
    except binascii.Error:
        raise ConfigError(f"bank '{opening.name}': the HMAC key is not hexadecimal: copy it from Adyen again") from None
