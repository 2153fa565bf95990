"""Adyen's notifications: who sent them (HMAC-SHA256), and what each says of a charge of ours.

Of a standard one the signature covers eight fields joined by colons, and is among its fields; of one about a token, which has
another form (docs.adyen.com, "Tokenization webhooks"), it covers all of the body, and is in a header. The key is in hexadecimal, from
the Customer Area, where each webhook has one of its own. Adyen sends each notification until it is acknowledged, perhaps more than
once and in any order.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from ivr.bank.adyen.answers import APPROVED, DO_NOT_HONOR, code_of, ours
from ivr.bank.adyen.kept_cards import SHOPPER_NAMES, TOKEN_NAMES, is_shopper, kept_in
from ivr.bank.interface import BankNews, Told
from ivr.bank.protocols import Opening
from ivr.bank.reasons import reason_in
from ivr.bank.secrets import secret_of, variable
from ivr.core.json_text import parse_json
from ivr.core.money import Money
from ivr.errors import ConfigError, PeerError

SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
# Tells of a token by itself: it is the notification's own reference, which the signature covers.
KEPT = "RECURRING_CONTRACT"
# The newer form. Of a card that the shopper had stored before, Adyen gives the same token, and says so.
TOKENS = "recurring.token."
TOKEN_MADE = frozenset({f"{TOKENS}created", f"{TOKENS}alreadyExisting"})
HEADER, TOKEN_KEY = "hmacsignature", "TOKEN_HMAC_KEY"
KEY_BYTES = 32
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


def read_notifications(opening: Opening, content: bytes, headers: Mapping[str, str]) -> Sequence[BankNews]:
    """PeerError where one of them is not Adyen's, not for this account, or cannot be read: none of them is believed then."""
    try:
        said = parse_json(content)
        if str(said.get("type", "")).startswith(TOKENS):
            check_body(content, headers, token_key(opening))
            return [read_token_event(said, opening.settings.merchant_account)]
        key = hmac_key(opening)
        items = [item["NotificationRequestItem"] for item in said["notificationItems"]]
        return [read_item(item, key, opening.settings.merchant_account) for item in items]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise PeerError("not a notification in the agreed form") from None


def check_body(content: bytes, headers: Mapping[str, str], key: bytes) -> None:
    """PeerError where all of it was not signed under the key. Adyen's libraries know the header as HmacSignature; case says nothing."""
    said = next((value for name, value in headers.items() if name.lower() == HEADER), "")
    right = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest())
    if not hmac.compare_digest(said.encode(), right):
        raise PeerError("a notification with a wrong signature")


def read_token_event(said: Mapping[str, Any], account: str) -> BankNews:
    """It names the payment by Adyen's reference alone, which is `eventId`, and no month. Of a shopper that is nobody's of ours nothing
    is to be known here."""
    about, kind = said["data"], str(said["type"])
    if about["merchantAccount"] != account:
        raise PeerError("a notification for another merchant account")
    shopper, payment = str(about["shopperReference"]), str(said["eventId"])
    named = {TOKEN_NAMES[0]: about["storedPaymentMethodId"]}
    token, _ = kept_in({"additionalData": named}, shopper) if is_shopper(shopper) and kind in TOKEN_MADE else ("", "")
    return BankNews(
        event=f"{payment} {kind}"[:120],
        reference="",
        told="kept" if token else "other",
        bank_reference=payment,
        amount=Money(0),
        kept_token=token,
    )


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
        amount=Money(minor_in(amount), str(amount["currency"])),
        response_code=APPROVED if is_success else DO_NOT_HONOR,
        authorization_code=number_in(item) if is_success else None,
        modification=str(item["pspReference"]) if is_about_another else "",
        reason="" if event == "AUTHORISATION" else reason_in(item.get("reason")),
        kept_token=token,
        kept_until=until,
    )


def minor_in(amount: Mapping[str, Any]) -> int:
    """ValueError for a part of a minor unit, which no amount has."""
    if isinstance(amount["value"], float):
        raise ValueError("an amount in minor units is whole")
    return int(amount["value"])


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


def hmac_key(opening: Opening, what: str = "HMAC_KEY") -> bytes:
    """ConfigError where it is not one that Adyen has made: those have 64 hexadecimal digits."""
    try:
        key = binascii.unhexlify(secret_of(opening, what))
    except binascii.Error:
        raise ConfigError(f"bank '{opening.name}': the HMAC key is not hexadecimal: copy it from Adyen again") from None
    if len(key) != KEY_BYTES:
        name, digits = variable(opening.name, what), 2 * len(key)
        raise ConfigError(
            f"bank '{opening.name}': {name} has {digits} digits, Adyen's have {2 * KEY_BYTES}: copy all of it from Adyen again"
        )
    return key


def token_key(opening: Opening) -> bytes:
    """Of the webhook that tells of tokens; of the standard one where it has none of its own here."""
    return hmac_key(opening, TOKEN_KEY if opening.environ.get(variable(opening.name, TOKEN_KEY)) else "HMAC_KEY")
