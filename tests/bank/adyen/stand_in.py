"""A stand-in for Adyen's Checkout v72, a process of its own over TLS: opens seals, keeps idempotency keys and books.

`python -m tests.bank.adyen.stand_in FOLDER` prints its port. No code of the product's is in it. By amount, and only for
the first request under a key: 13.66 closes before booking, 13.67 after; 13.64 and 13.65 answer 500; 13.20 says that the key
is being worked on, after booking. Always: the first capture of 13.07 is done and fails later, 13.05 is refused, 13.99 received (a notification says more), 13.10 approved in part.
`GET /_seen` and `GET /_books` are for the tests; `POST /_forget-keys` breaks the promise of idempotency keys.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import ssl
import sys
import threading
from dataclasses import asdict, dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.bank.adyen.keys import API_KEY, HMAC_KEY, MERCHANT_ACCOUNT, Opener

SEALS = {"encryptedCardNumber": "number", "encryptedExpiryMonth": "expiryMonth", "encryptedExpiryYear": "expiryYear"}


@dataclass
class Booked:
    reference: str
    psp: str
    value: int
    currency: str
    last4: str
    status: str = "authorised"
    refunded: int = 0


@dataclass
class Kept:
    """`month`: 12/2030; one of 2000 has expired since."""

    shopper: str
    token: str
    last4: str
    month: str
    loses_answers: bool = False


@dataclass
class Adyen:
    opener: Opener
    books: list[Booked] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    answers: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    tries: dict[str, int] = field(default_factory=dict)
    seen: list[dict[str, Any]] = field(default_factory=list)
    news: list[dict[str, Any]] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    keeps_keys: bool = True

    def pay(self, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any], str]:
        """The answer, and how the line breaks."""
        with self.lock:
            self.tries[key] = self.tries.get(key, 0) + 1
            fault = FAULTS.get(body["amount"]["value"], "") if self.tries[key] == 1 else ""
            if fault in ("closed before", "500 before"):
                return 0, {}, fault
            if key not in self.answers or not self.keeps_keys:
                self.answers[key] = self._decide(body)
            return *self.answers[key], fault

    def _decide(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        method, amount = body["paymentMethod"], body["amount"]
        if "storedPaymentMethodId" in method:
            return self._charge_kept(body)
        try:
            card = {name: self.opener.open(method[sealed])[name] for sealed, name in SEALS.items()}
            if "encryptedSecurityCode" in method:
                card |= self.opener.open(method["encryptedSecurityCode"])
        except Exception:
            return 422, error(422, "174", "Unable to decrypt data", "validation")
        if len(card["expiryMonth"]) != 2 or len(card["expiryYear"]) != 4:
            return 422, error(422, "129", "Expiry Date Invalid", "validation")
        psp = secrets.token_hex(8).upper()
        said: dict[str, Any] = {"pspReference": psp, "merchantReference": body["reference"]}
        if amount["value"] == 1305:
            return 200, {
                **said,
                "resultCode": "Refused",
                "refusalReason": "Not enough balance",
                "refusalReasonCode": "12",
            }
        last4 = card["number"][-4:]
        booked = Booked(body["reference"], psp, amount["value"], amount["currency"], last4)
        booked.value = 1000 if amount["value"] == 1310 else amount["value"]
        self.books.append(booked)
        more = self._keep(body, card)
        self.tell("AUTHORISATION", booked, psp, "", more=more if amount["value"] == 1315 else None)
        if amount["value"] == 1399:
            return 200, {**said, "resultCode": "Received"}
        if amount["value"] == 1310:
            return 200, {**said, "resultCode": "PartiallyAuthorised", "amount": {**amount, "value": 1000}}
        if amount["value"] == 0:
            booked.status = "verified"
        more = {"authCode": "482913", **more}
        return 200, {**said, "resultCode": "Authorised", "amount": amount, "additionalData": more}

    def _keep(self, body: dict[str, Any], card: dict[str, str]) -> dict[str, str]:
        """13.11 gives the token by its older name, 13.12 keeps a card that has expired since, 13.13 tells no token at all; of
        one that 13.14 kept the deletion is not answered. A notification tells each token, and after 13.15 the AUTHORISATION too."""
        if not body.get("storePaymentMethod") or body["recurringProcessingModel"] != "CardOnFile":
            return {}
        value, shopper = body["amount"]["value"], body["shopperReference"]
        month = "1/2000" if value == 1312 else f"{int(card['expiryMonth'])}/{card['expiryYear']}"
        kept = Kept(shopper, secrets.token_hex(8).upper(), card["number"][-4:], month, value == 1314)
        self.kept.append(kept)
        self.tell_token(kept, body["reference"])
        if value == 1313:
            return {}
        if value == 1311:
            return {"recurring.recurringDetailReference": kept.token, "recurring.shopperReference": shopper}
        names = {"tokenization.storedPaymentMethodId": kept.token, "tokenization.shopperReference": shopper}
        return {**names, "expiryDate": month}

    def _charge_kept(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """https://docs.adyen.com/online-payments/tokenization/make-token-payments and its error codes 800 and 803."""
        method, amount, shopper = body["paymentMethod"], body["amount"], body.get("shopperReference")
        if set(method) != {"type", "storedPaymentMethodId"} or body["shopperInteraction"] != "ContAuth":
            return 422, error(422, "000", "Not allowed to change the shopperInteraction", "validation")
        if body.get("recurringProcessingModel") != "CardOnFile" or not shopper:
            return 422, error(422, "802", "Invalid contract", "validation")
        theirs = [one for one in self.kept if one.shopper == shopper]
        found = next((one for one in theirs if one.token == method["storedPaymentMethodId"]), None)
        if found is None:
            code, message = ("803", "PaymentDetail not found") if theirs else ("800", "Contract not found")
            return 422, error(422, code, message, "validation")
        psp = secrets.token_hex(8).upper()
        said: dict[str, Any] = {"pspReference": psp, "merchantReference": body["reference"]}
        if found.month.endswith("/2000"):
            refusal = {"refusalReason": "Expired Card", "refusalReasonCode": "6"}
            return 200, {**said, "resultCode": "Refused", **refusal}
        booked = Booked(body["reference"], psp, amount["value"], amount["currency"], found.last4)
        self.books.append(booked)
        self.tell("AUTHORISATION", booked, psp, "")
        return 200, {**said, "resultCode": "Authorised", "amount": amount, "additionalData": {"authCode": "482913"}}

    def delete_card(self, token: str, shopper: str) -> tuple[int, dict[str, Any], str]:
        with self.lock:
            found = next((one for one in self.kept if (one.token, one.shopper) == (token, shopper)), None)
            if found is None:
                return 422, error(422, "803", "PaymentDetail not found", "validation"), ""
            self.kept.remove(found)
            return 204, {}, "closed after" if found.loses_answers else ""

    def cancel(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            psp = secrets.token_hex(8).upper()
            found = next((one for one in self.books if one.reference == body["paymentReference"]), None)
            can = found is not None and found.status == "authorised"
            if found and can:
                found.status = "cancelled"
            self.tell("TECHNICAL_CANCEL", found or Booked(body["paymentReference"], "", 0, "USD", ""), psp, "", can)
            return 201, {**body, "pspReference": psp, "status": "received"}

    def capture(self, payment: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any]]:
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            found = next((one for one in self.books if one.psp == payment), None)
            if found is None or found.status != "authorised":
                return 422, error(422, "167", "Original pspReference required for this operation", "validation")
            found.status = "captured"
            psp = secrets.token_hex(8).upper()
            told = Booked(body["reference"], "", found.value, found.currency, "")
            self.tell("CAPTURE", told, psp, payment)
            if found.value == 1307 and payment not in self.failed:  # the scheme rejects it, days later
                self.failed.add(payment)
                found.status = "authorised"
                self.tell("CAPTURE_FAILED", told, psp, payment, reason="Capture rejected by the scheme")
            answer = {**body, "pspReference": psp, "paymentPspReference": payment, "status": "received"}
            self.answers[key] = 201, answer
            return self.answers[key]

    def modify(self, kind: str, payment: str, body: dict[str, Any], key: str) -> tuple[int, dict[str, Any], str]:
        """A refund or a cancel: the answer, and how the line breaks for the first request under the key."""
        with self.lock:
            self.tries[key] = self.tries.get(key, 0) + 1
            value = body.get("amount", {}).get("value", 0)
            fault = FAULTS.get(value, "") if self.tries[key] == 1 else ""
            if fault in ("closed before", "500 before"):
                return 0, {}, fault
            if key not in self.answers or not self.keeps_keys:
                self.answers[key] = self._modify(kind, payment, body)
            return *self.answers[key], fault

    def _modify(self, kind: str, payment: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        found = next((one for one in self.books if one.psp == payment), None)
        if found is None:
            return 422, error(422, "167", "Original pspReference required for this operation", "validation")
        psp, reference = secrets.token_hex(8).upper(), body["reference"]
        value = body["amount"]["value"] if kind == "refunds" else found.value
        told = Booked(reference, "", value, found.currency, "")
        if kind == "refunds":
            can = found.status == "captured" and found.refunded + value <= found.value and value != 1305
            found.refunded += value if can else 0
            self.tell("REFUND", told, psp, payment, can, "" if can else "Insufficient balance on payment")
            if value == 1306:  # it is sent, and comes back
                found.refunded -= value
                self.tell("REFUND_FAILED", told, psp, payment, reason="Account closed")
        else:
            can = found.status == "authorised"
            found.status = "cancelled" if can else found.status
            self.tell("CANCELLATION", told, psp, payment, can, "" if can else "Transaction was captured")
        return 201, {**body, "pspReference": psp, "paymentPspReference": payment, "status": "received"}

    def tell_token(self, kept: Kept, reference: str) -> None:
        """docs.adyen.com, RECURRING_CONTRACT: the token is its `pspReference`."""
        more = {"shopperReference": kept.shopper, "recurring.recurringDetailReference": kept.token}
        told = Booked(reference, "", 0, "USD", "")
        self.tell("RECURRING_CONTRACT", told, kept.token, "8836183819713023", more=more | {"expiryDate": kept.month})

    def tell(
        self,
        event: str,
        booked: Booked,
        psp: str,
        original: str,
        success: bool = True,
        reason: str = "",
        more: dict[str, str] | None = None,
    ) -> None:
        item = {
            "pspReference": psp,
            "originalReference": original,
            "merchantAccountCode": MERCHANT_ACCOUNT,
            "merchantReference": booked.reference,
            "amount": {"value": booked.value, "currency": booked.currency},
            "eventCode": event,
            "success": "true" if success else "false",
            "reason": "482913:1111:12/2030" if event == "AUTHORISATION" else reason,
            "eventDate": "2026-01-15T12:00:00+01:00",
            "paymentMethod": "visa",
        }
        names = ("pspReference", "originalReference", "merchantAccountCode", "merchantReference")
        parts = [*(item[name] for name in names), str(booked.value), booked.currency, event, item["success"]]
        digest = hmac.new(bytes.fromhex(HMAC_KEY), ":".join(map(str, parts)).encode(), hashlib.sha256).digest()
        item["additionalData"] = (more or {}) | {"hmacSignature": base64.b64encode(digest).decode()}
        self.news.append({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]})


FAULTS = {
    1366: "closed before",
    1367: "closed after",
    1364: "500 before",
    1365: "500 after",
    1320: "in progress",
}


def error(status: int, code: str, message: str, kind: str) -> dict[str, Any]:
    return {"status": status, "errorCode": code, "message": message, "errorType": kind}


class Handler(BaseHTTPRequestHandler):
    adyen: Adyen
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        with self.adyen.lock:
            shown = {
                "/_seen": self.adyen.seen,
                "/_books": [asdict(one) for one in self.adyen.books],
                "/_news": self.adyen.news,
            }[self.path]
            content = json.dumps(shown)
        self.send(200, content.encode())

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path in ("/_forget-keys", "/_keep-keys"):
            self.adyen.keeps_keys = self.path == "/_keep-keys"
            self.send(200, b"{}")
            return
        status, answer, fault = self.answer(json.loads(raw))
        self.note(raw, status, answer)
        if fault.startswith("closed"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.startswith("500"):
            self.send(500, json.dumps(error(500, "905", "internal", "internal")).encode())
        elif fault == "in progress":
            said = error(422, "704", "request already processed or in progress", "validation")
            self.send(422, json.dumps(said).encode())
        else:
            self.send(status, json.dumps(answer).encode())

    def do_DELETE(self) -> None:
        where = urlsplit(self.path.removeprefix("/v72"))
        asked, token = dict(parse_qsl(where.query)), where.path.removeprefix("/storedPaymentMethods/")
        if self.headers.get("X-API-Key") != API_KEY:
            status, answer, fault = 401, error(401, "000", "HTTP Status Response - Unauthorized", "security"), ""
        elif asked.get("merchantAccount") != MERCHANT_ACCOUNT:
            status, answer, fault = 403, error(403, "901", "Invalid Merchant Account", "security"), ""
        else:
            status, answer, fault = self.adyen.delete_card(token, asked["shopperReference"])
        self.note(b"", status, answer)
        if fault:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.send(status, json.dumps(answer).encode() if answer else b"")

    def note(self, raw: bytes, status: int, answer: dict[str, Any]) -> None:
        headers = {name: value for name, value in self.headers.items() if name != "X-API-Key"}
        kept = {"path": self.path, "headers": headers, "body": raw.decode(), "status": status, "answer": answer}
        with self.adyen.lock:
            self.adyen.seen.append(kept)

    def answer(self, body: dict[str, Any]) -> tuple[int, dict[str, Any], str]:
        key = self.headers.get("Idempotency-Key", "")
        if self.headers.get("X-API-Key") != API_KEY:
            return 401, error(401, "000", "HTTP Status Response - Unauthorized", "security"), ""
        if body.get("merchantAccount") != MERCHANT_ACCOUNT:
            return 403, error(403, "901", "Invalid Merchant Account", "security"), ""
        path = self.path.removeprefix("/v72")
        if path == "/payments":
            return self.adyen.pay(body, key)
        if path == "/cancels":
            return *self.adyen.cancel(body), ""
        if path == "/paymentMethods":
            takes = body.get("amount", {}).get("currency") != "SEK"
            methods = [{"type": "scheme", "name": "Cards", "brands": ["visa", "mc"]}] if takes else []
            return 200, {"paymentMethods": methods}, ""
        if path.startswith("/payments/") and path.endswith("/captures"):
            return *self.adyen.capture(path.split("/")[2], body, key), ""
        if path.startswith("/payments/") and path.endswith(("/refunds", "/cancels")):
            _, _, payment, kind = path.split("/")
            return self.adyen.modify(kind, payment, body, key)
        return 404, error(404, "000", "no such path", "validation"), ""

    def send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests ask."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


def main() -> None:
    folder = Path(sys.argv[1])
    Handler.adyen = Adyen(Opener(folder / "adyen-private.pem"))
    server = Server(folder)
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
