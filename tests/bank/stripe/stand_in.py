"""Stripe's front door before localstripe: TLS, idempotency keys, a search and an account, which localstripe does not have.

`python -m tests.bank.stripe.stand_in FOLDER PORT_OF_LOCALSTRIPE` prints its port. Everything else goes to localstripe as it
came, which does the bookkeeping. By amount, and only for the first charge or refund under a key: 13.61 is held back until
`POST /_arrive`, which answers when it is booked; 13.62 is not answered before booking, 13.63 not after; 13.66 closes before, 13.67
after, 13.68 cuts the answer; 13.64 and 13.65 answer 500, which the key brings again; 13.20 says that the key is being worked on,
after booking; 13.29 is one too many. `GET /_seen` is for the tests (no card is in it); `POST /_forget-keys` breaks the promise
of keys, `POST /_keep-keys` restores it.
"""

import http.client
import json
import socket
import ssl
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit
from uuid import uuid4

SECRET_KEY = "sk_test_standin0123456789"
FAULTS = {
    1364: "500 before", 1365: "500 after", 1366: "closed before", 1367: "closed after", 1368: "cut", 1320: "in progress",
    1329: "too many", 1361: "late", 1362: "silent before", 1363: "silent after",
}  # fmt: skip
MONEY = ("/v1/payment_intents", "/v1/refunds")
Answer = tuple[int, bytes]


def error(kind: str, code: str, **more: Any) -> bytes:
    return json.dumps({"error": {"type": kind, "code": code, **more}}).encode()


@dataclass
class FrontDoor:
    """`answers`: by idempotency key, with what was sent under it. `keeping`: the payment intents that were to keep their card."""

    port: int
    answers: dict[str, tuple[bytes, Answer]] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)
    seen: list[dict[str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    keeps_keys: bool = True
    keeping: dict[str, str] = field(default_factory=dict)
    arrived: threading.Event = field(default_factory=threading.Event)
    held: list[threading.Thread] = field(default_factory=list)

    def post(self, path: str, form: bytes, key: str) -> tuple[Answer, str]:
        """The answer, and how the line breaks."""
        with self.lock:
            fault, arrived = self.fault_of(path, form, key), self.arrived
            if fault == "late":
                self.held.append(threading.current_thread())
        if fault == "late":
            arrived.wait()
        with self.lock:
            if fault in ("closed before", "silent before"):
                return (0, b""), fault
            if fault == "too many":
                return (429, error("invalid_request_error", "rate_limit")), ""
            if key not in self.answers or not self.keeps_keys:
                answer = (500, error("api_error", "")) if fault == "500 before" else self.pass_on("POST", path, form)
                # Stripe keeps a fault of its own under the key too, whatever it has booked.
                self.answers[key] = form, ((500, error("api_error", "")) if fault == "500 after" else answer)
            first_form, answer = self.answers[key]
            if first_form != form:
                return (400, error("idempotency_error", "")), ""
            return answer, fault

    def arrive(self) -> int:
        """What is held back comes to the books. How many."""
        with self.lock:
            held, self.held = self.held, []
            self.arrived.set()
            self.arrived = threading.Event()
        for thread in held:
            thread.join()
        return len(held)

    def fault_of(self, path: str, form: bytes, key: str) -> str:
        """None but for the first charge or refund under a key."""
        is_first = key not in self.tried
        self.tried.add(key)
        amount = int(dict(parse_qsl(form.decode())).get("amount", "0")) if path in MONEY else 0
        return FAULTS.get(amount, "") if is_first else ""

    def pass_on(self, method: str, path: str, form: bytes = b"") -> Answer:
        """localstripe knows no `setup_future_usage`: the card is attached here once its charge is authorized, as Stripe does it. It
        charges and detaches what is attached to nobody; Stripe refuses both."""
        fields = dict(parse_qsl(form.decode()))
        attaches = fields.pop("setup_future_usage", "") if path == "/v1/payment_intents" and method == "POST" else ""
        if fields.get("off_session") and self.customer_of(fields["payment_method"]) != fields["customer"]:
            return 400, error("invalid_request_error", "payment_method_unexpected_state")
        if path.endswith("/detach") and self.customer_of(path.split("/")[3]) is None:
            return 400, error("invalid_request_error", "payment_method_unexpected_state")
        status, content = self.ask(method, path, urlencode(fields).encode() if attaches else form)
        if status == 404:
            return 404, error("invalid_request_error", "resource_missing")  # localstripe gives no code
        said = json.loads(content)
        if attaches and status == 200 and said["status"] == "requires_capture":
            attached = urlencode({"customer": fields["customer"]}).encode()
            self.ask("POST", f"/v1/payment_methods/{fields['payment_method']}/attach", attached)
            self.keeping[said["id"]] = attaches
            content = json.dumps(said | {"setup_future_usage": attaches}).encode()
        return status, content

    def customer_of(self, payment_method: str) -> str | None:
        """None for what is attached to nobody, and for what is none."""
        return json.loads(self.ask("GET", f"/v1/payment_methods/{payment_method}")[1]).get("customer")

    def ask(self, method: str, path: str, form: bytes = b"") -> Answer:
        line = http.client.HTTPConnection("localhost", self.port, timeout=60)
        headers = {"Authorization": f"Bearer {SECRET_KEY}", "Content-Type": "application/x-www-form-urlencoded"}
        # localstripe cancels without a reason only.
        line.request(method, path, b"" if path.endswith("/cancel") else form, headers)
        answer = line.getresponse()
        content = answer.read()
        line.close()
        if answer.status == 400 and path.endswith(("/cancel", "/capture")):
            # As Stripe does, and localstripe does not: how the payment intent stands.
            intent = json.loads(self.ask("GET", path.rpartition("/")[0])[1])
            return 400, error("invalid_request_error", "payment_intent_unexpected_state", payment_intent=intent)
        return answer.status, content

    def get(self, path: str) -> Answer:
        parts = urlsplit(path)
        if parts.path == "/v1/account":
            return 200, json.dumps({"id": "acct_1", "country": "US", "charges_enabled": True}).encode()
        if parts.path.startswith("/v1/country_specs/"):
            return 200, json.dumps({"supported_payment_currencies": ["usd", "eur"]}).encode()
        if parts.path == "/v1/payment_intents/search":
            return 200, json.dumps({"object": "search_result", "data": self.search(parse_qs(parts.query))}).encode()
        return self.pass_on("GET", path)

    def search(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        """`metadata['name']:'value'`, over localstripe's own list."""
        _, name, _, value, _ = query["query"][0].split("'")
        listed = json.loads(self.pass_on("GET", "/v1/payment_intents?limit=100000")[1])["data"]
        found = [one for one in listed if one["metadata"].get(name) == value][: int(query["limit"][0])]
        return [one | {"setup_future_usage": self.keeping.get(one["id"])} for one in found]


class FrontDoorHandler(BaseHTTPRequestHandler):
    door: FrontDoor
    protocol_version = "HTTP/1.1"
    timeout = 60

    def do_GET(self) -> None:
        if self.path == "/_seen":
            with self.door.lock:
                self.send(200, json.dumps(self.door.seen).encode())
        elif self.may_in():
            self.note(b"")
            with self.door.lock:
                answer = self.door.get(self.path)
            self.send(*answer)

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        form = self.rfile.read(length)
        if len(form) < length:  # whoever sent it died on the way: no server takes the half of a request
            self.close_connection = True
        elif self.path in ("/_forget-keys", "/_keep-keys"):
            self.door.keeps_keys = self.path == "/_keep-keys"
            self.send(200, b"{}")
        elif self.path == "/_arrive":
            self.send(200, json.dumps(self.door.arrive()).encode())
        elif self.may_in():
            self.note(form)
            key = self.headers.get("Idempotency-Key") or f"none {uuid4()}"
            answer, fault = self.door.post(self.path, form, key)
            self.answer(answer, fault)

    def answer(self, answer: Answer, fault: str) -> None:
        if fault.startswith("closed"):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif fault.startswith("silent"):
            self.close_connection = True
            with suppress(OSError):
                self.connection.recv(1)  # until the other side gives up
        elif fault == "late":
            self.close_connection = True  # nobody waits any more
        elif fault == "cut":
            self.send(*answer, cut=True)
        elif fault == "in progress":
            self.send(409, error("invalid_request_error", "idempotency_key_in_use"))
        else:
            self.send(*answer)

    def may_in(self) -> bool:
        is_known = self.headers.get("Authorization") == f"Bearer {SECRET_KEY}"
        if not is_known:
            self.send(401, error("invalid_request_error", ""))
        return is_known

    def note(self, form: bytes) -> None:
        shown = "a card" if b"card[number]" in form else form.decode()
        kept = {"path": self.path, "key": self.headers.get("Idempotency-Key", ""), "form": shown}
        with self.door.lock:
            self.door.seen.append(kept)

    def send(self, status: int, content: bytes, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        if cut:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the tests ask."""


class FrontDoorServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), FrontDoorHandler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)


if __name__ == "__main__":
    FrontDoorHandler.door = FrontDoor(int(sys.argv[2]))
    server = FrontDoorServer(Path(sys.argv[1]))
    print(server.server_address[1], flush=True)
    server.serve_forever(poll_interval=0.05)
