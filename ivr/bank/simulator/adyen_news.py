"""The simulated Adyen's notifications: signed as Adyen signs them, kept, and posted until they are acknowledged."""

import base64
import hashlib
import hmac
import json
import queue
import threading
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import structlog

from ivr.bank.simulator.adyen_keys import AdyenAccount
from ivr.core.money import Money

log = structlog.get_logger()
# For longer than the minute in which a forwarder that has died keeps its lease: until then what is told comes too early.
TRIES, PAUSE_S, LIMIT_S = 300, 1.0, 10.0
SIGNED = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")


@dataclass(frozen=True)
class AdyenNotice:
    """`original`: the charge's number, of what is about one; `reason`: why it is no success, or what Adyen says of a success;
    `more`: additional data, which the signature does not cover."""

    event: str
    reference: str
    psp: str
    amount: Money
    original: str = ""
    is_success: bool = True
    reason: str = ""
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Signed:
    """What is posted; `headers`: where the signature is, of what has it there."""

    content: bytes
    headers: Mapping[str, str]


class AdyenNews:
    """`url`: where they are posted; "" keeps them only. Each is posted twice where `twice`, as Adyen's may come."""

    def __init__(self, account: AdyenAccount, url: str = "", *, twice: bool = False) -> None:
        self._account, self._url, self._twice = account, url, twice
        self.told: list[bytes] = []
        self.told_of_tokens: list[Signed] = []
        self._waiting: queue.Queue[tuple[Signed, int] | None] = queue.Queue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._post_all, name="adyen-news", daemon=True)
        self._thread.start()

    def tell(self, told: AdyenNotice) -> None:
        content = notification(self._account, told)
        self.told.append(content)
        self._put(Signed(content, {}))

    def tell_token(self, told: AdyenNotice, shopper: str) -> None:
        """In both forms, as to an account that has asked for both. `told.psp`: the token; `told.original`: the payment's number."""
        names = {"shopperReference": shopper, "recurring.shopperReference": shopper}
        self.tell(replace(told, more={**names, "recurring.recurringDetailReference": told.psp}))
        event = token_event(self._account, told, shopper)
        self.told_of_tokens.append(event)
        self._put(event)

    def _put(self, event: "Signed") -> None:
        for _ in range(1 + self._twice if self._url else 0):
            self._waiting.put((event, TRIES))

    def stop(self) -> None:
        self._stopping.set()
        self._waiting.put(None)
        self._thread.join()

    def _post_all(self) -> None:
        """One that is not taken goes behind the others: they are not held up by it."""
        while (waiting := self._waiting.get()) is not None and not self._stopping.is_set():
            event, left = waiting
            if self._is_taken(event):
                continue
            if left > 1:
                self._waiting.put((event, left - 1))
                self._stopping.wait(PAUSE_S)
            else:
                log.warning("a notification was never acknowledged", tries=TRIES)

    def _is_taken(self, event: "Signed") -> bool:
        headers = {"Content-Type": "application/json", **event.headers}
        request = urllib.request.Request(self._url, event.content, headers)  # noqa: S310 - the operator's
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_S) as answer:  # noqa: S310
                return bool(200 <= answer.status < 300)
        except OSError as error:
            log.info("notification not taken yet", reason=type(error).__name__)
            return False


def notification(account: AdyenAccount, told: AdyenNotice) -> bytes:
    item: dict[str, Any] = {
        "pspReference": told.psp,
        "originalReference": told.original,
        "merchantAccountCode": account.merchant_account,
        "merchantReference": told.reference,
        "amount": {"value": told.amount.minor, "currency": told.amount.currency},
        "eventCode": told.event,
        "success": "true" if told.is_success else "false",
        "reason": told.reason,
        "eventDate": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    parts = [*(item[name] for name in SIGNED), told.amount.minor, told.amount.currency, told.event, item["success"]]
    signed = ":".join(map(str, parts)).encode()
    digest = hmac.new(bytes.fromhex(account.hmac_key), signed, hashlib.sha256).digest()
    item["additionalData"] = {**told.more, "hmacSignature": base64.b64encode(digest).decode()}
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}).encode()


def token_event(account: AdyenAccount, told: AdyenNotice, shopper: str, kind: str = "created") -> Signed:
    """docs.adyen.com, Tokenization webhooks: the body is signed in full, in a header."""
    about = {"merchantAccount": account.merchant_account, "storedPaymentMethodId": told.psp, "type": "visa"}
    event = {
        "createdAt": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": "test",
        "eventId": told.original,
        "type": f"recurring.token.{kind}",
        "data": {**about, "operation": kind, "shopperReference": shopper},
    }
    content = json.dumps(event).encode()
    digest = hmac.new(bytes.fromhex(account.hmac_key), content, hashlib.sha256).digest()
    return Signed(content, {"HmacSignature": base64.b64encode(digest).decode(), "Protocol": "HmacSHA256"})
