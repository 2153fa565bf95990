"""Cards that Adyen keeps: the shopper that one is kept for, how a request says so, and the token that comes with the answer.

Adyen wants a token and the shopper that it was given to together, so what is kept here is both:
`<shopperReference>/<storedPaymentMethodId>`. A later charge then needs neither the key nor the bill that the shopper was made of.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from ivr.bank.interface import AuthorizationRequest
from ivr.core.stray_cards import holds_card_number

# Under the first name Adyen gives a token since version 68, under the second before; which of them comes is a setting of the account.
TOKEN_NAMES = ("tokenization.storedPaymentMethodId", "recurring.recurringDetailReference")
SHOPPER_NAMES = ("tokenization.shopperReference", "recurring.shopperReference")
ON_FILE = {"recurringProcessingModel": "CardOnFile"}
_TOKEN = re.compile(r"[A-Za-z0-9]{8,64}")  # `storedPaymentMethodId` has 64 characters at most
_KEPT = re.compile(r"(?P<shopper>[a-p]{64})/(?P<token>[A-Za-z0-9]{8,64})")
_SHOPPER = re.compile(r"[a-p]{64}")
_EXPIRY = re.compile(r"(0?[1-9]|1[0-2])/(20[0-9]{2})")
# Letters for hexadecimal digits, so that no part of it can be taken for a card number.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def shopper_of(request: AuthorizationRequest, api_key: str) -> str:
    """Who Adyen keeps the card for, 64 letters; empty where it is not to keep one, or there is nothing to keep it for.

    A keyed hash: an account number is short enough to be guessed from a plain one. The same for the same bill or account, so
    that a repeat under the idempotency key is the same request.
    """
    if not request.keep_card or request.kept_card or not request.invoice_reference:
        return ""
    about = "\n".join(("tonetill kept card", request.merchant, request.invoice_reference))
    return hmac.new(api_key.encode(), about.encode(), hashlib.sha256).hexdigest().translate(_LETTERS)


def asks_to_keep(shopper: str) -> dict[str, object]:
    return {"storePaymentMethod": True, "shopperReference": shopper, **ON_FILE}


def charges_kept(kept: str) -> dict[str, object] | None:
    """What a request says in place of a card's fields; None where the token is not one of Adyen's.

    ContAuth, although the cardholder is on the line: Adyen's word for a card that was stored before. Moto would say that
    its number was given over the telephone again.
    """
    found = _KEPT.fullmatch(kept)
    if found is None:
        return None
    method = {"type": "scheme", "storedPaymentMethodId": found["token"]}
    return {"paymentMethod": method, "shopperReference": found["shopper"], "shopperInteraction": "ContAuth", **ON_FILE}


def is_shopper(name: str) -> bool:
    """Whether it could be one that `shopper_of` has made."""
    return _SHOPPER.fullmatch(name) is not None


def parts_of(kept: str) -> tuple[str, str]:
    """Shopper and token; both empty where it is not one of Adyen's."""
    found = _KEPT.fullmatch(kept)
    return (found["shopper"], found["token"]) if found else ("", "")


def kept_in(said: Mapping[str, Any], shopper: str) -> tuple[str, str]:
    """What stands for the card from now on, and the month in which it expires (2030-12). Both are empty where the answer gives
    no token, or one that cannot be ours: the charge is as good without it."""
    more = said.get("additionalData")
    if not shopper or not isinstance(more, dict):
        return "", ""
    token = next((more[name] for name in TOKEN_NAMES if more.get(name)), None)
    whose = next((more[name] for name in SHOPPER_NAMES if more.get(name)), shopper)
    is_token = isinstance(token, str) and _TOKEN.fullmatch(token) and not holds_card_number(token.encode())
    if not is_token or whose != shopper:
        return "", ""
    return f"{shopper}/{token}", month_in(more.get("expiryDate"))


def month_in(written: object) -> str:
    """`6/2030` as 2030-06."""
    found = _EXPIRY.fullmatch(written) if isinstance(written, str) else None
    return f"{found[2]}-{int(found[1]):02}" if found else ""
