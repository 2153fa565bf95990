"""HTTPS with mutual TLS around the authorizer, and the ways a line to a bank breaks. What is decided is the authorizer's."""

import json
import re
import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any

import structlog

from ivr.bank.simulator.authorizer import Authorizer, BankReply, Undecided
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.decryption import Decryption
from ivr.bank.simulator.modification_books import Kind
from ivr.bank.simulator.modifier import Modifier
from ivr.bank.simulator.scenarios import LineFault, SimulatorWays
from ivr.errors import ConfigError
from ivr.places import COMMAND

log = structlog.get_logger()
MAX_BODY = 65_536
HANDSHAKE_S = 10.0
IDLE_S = 120.0  # also how long a silent answer is kept up
AUTHORIZATIONS = "/v1/authorizations"
DELETION = "/v1/kept-cards/deletion"
ONE = re.compile(rf"{AUTHORIZATIONS}/([A-Za-z0-9._:@-]{{1,128}})(/reversal|/refunds|/void|/capture)?")
ONE_MODIFICATION = re.compile(
    rf"{AUTHORIZATIONS}/([A-Za-z0-9._:@-]{{1,128}})/modifications/([A-Za-z0-9._:@-]{{1,255}})"
)
MODIFICATIONS: dict[str, Kind] = {"/refunds": "refund", "/void": "void", "/capture": "capture"}


class BankSimulator:
    """`with BankSimulator(folder) as bank:` serves in a thread; `bank.url` is where. Port 0 takes any free port."""

    def __init__(
        self,
        folder: Path,
        host: str = "127.0.0.1",
        port: int = 0,
        slow_s: float = 8.0,
        iso8583_port: int | None = None,
        ways: SimulatorWays | None = None,
        adyen_port: int | None = None,
        adyen_notify: str = "",
    ) -> None:
        self._folder, context = folder, tls_context(folder)
        self._decryption = Decryption(folder / "sealing.key")
        self.books = Books(folder)
        ways = ways or SimulatorWays(slow_s)
        try:
            authorizer = Authorizer(self._decryption, self.books, choose=ways.choose)
            self._server = Server((host, port), context, authorizer, Modifier(self.books), ways.slow_s)
            self.iso8583 = None if iso8583_port is None else iso_host(host, iso8583_port, folder, self.books, ways)
            self.adyen = (
                None if adyen_port is None else adyen_host(folder, self.books, ways, (host, adyen_port), adyen_notify)
            )
        except OSError as error:
            self.books.close()
            raise ConfigError(f"{host}:{port}: {error.strerror}; choose another with --port") from None
        self.url = f"https://{host}:{self._server.server_address[1]}"
        self._thread: threading.Thread | None = None

    def serve(self) -> None:
        """Until `stop`, called from another thread."""
        try:
            self._server.serve_forever(poll_interval=0.05)
        finally:
            self._server.server_close()
            if self.iso8583 is not None:
                self.iso8583.stop()
            if self.adyen is not None:
                self.adyen.stop()
            self.books.close()

    def renew(self) -> None:
        """Takes up keys and certificates as the folder has them now. ConfigError, and nothing has changed."""
        context = tls_context(self._folder)
        self._decryption.renew()
        self._server.context = context

    def stop(self) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        if self._thread is not None:
            self._thread.join()

    def __enter__(self) -> "BankSimulator":
        self._thread = threading.Thread(target=self.serve, name="bank-simulator", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def iso_host(host: str, port: int, folder: Path, books: Books, ways: SimulatorWays) -> Any:
    """Begun at once. Its codec is an extra: ConfigError, with the cure, where that is missing."""
    try:
        module = import_module("ivr.bank.simulator.iso_host")
    except ModuleNotFoundError as error:
        if error.name != "iso8583":
            raise
        raise ConfigError("--iso8583-port needs more than is installed: pip install 'tonetill[iso8583]'") from None
    found = module.IsoHost(folder, books, tls_context(folder), ways)
    found.start(host, port)
    return found


def adyen_host(folder: Path, books: Books, ways: SimulatorWays, where: tuple[str, int], notify: str) -> Any:
    """Begun at once. It is made of what is here, and loaded only where it is asked for."""
    return import_module("ivr.bank.simulator.adyen_host").AdyenHost(folder, books, ways, where, notify)


class TlsServer(ThreadingHTTPServer):
    """A thread for each connection; the handshake is in it too, so that nobody who stalls keeps others out."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext, slow_s: float
    ) -> None:
        super().__init__(address, handler)
        self.context, self.slow_s = context, slow_s
        self.stopping = threading.Event()

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(HANDSHAKE_S)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError as error:
            log.warning("handshake refused", reason=getattr(error, "reason", None) or type(error).__name__)
            return
        try:
            super().finish_request(secured, client_address)
        except OSError as error:  # the other side has gone: its business
            log.info("connection lost", reason=type(error).__name__)
        finally:
            secured.close()


class Server(TlsServer):
    def __init__(
        self,
        address: tuple[str, int],
        context: ssl.SSLContext,
        authorizer: Authorizer,
        modifier: Modifier,
        slow_s: float,
    ) -> None:
        super().__init__(address, Handler, context, slow_s)
        self.authorizer, self.modifier = authorizer, modifier


class Handler(BaseHTTPRequestHandler):
    """One connection, request after request."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "bank-simulator"
    sys_version = ""
    timeout = IDLE_S

    def do_GET(self) -> None:
        found = ONE.fullmatch(self.path)
        if self.path == "/healthz":
            self._send(BankReply(200, {"status": "ok"}))
        elif found and not found[2]:
            self._send(self.server.authorizer.inquire(found[1]))
        elif modification := ONE_MODIFICATION.fullmatch(self.path):
            self._send(self.server.modifier.inquire(*modification.groups()))
        else:
            self._send(BankReply(404, {"error": f"there is GET {AUTHORIZATIONS}/<reference>[/modifications/<key>]"}))

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        found = ONE.fullmatch(self.path)
        if self.path == AUTHORIZATIONS:
            self._decide(self.server.authorizer.authorize(body, self.headers.get("Idempotency-Key", "")))
        elif self.path == DELETION:
            self._send(self.server.authorizer.delete_card(body))
        elif found and found[2] == "/reversal":
            self._send(self.server.authorizer.reverse(found[1]))
        elif found and found[2]:
            key = self.headers.get("Idempotency-Key", "")
            self._decide(self.server.modifier.modify(MODIFICATIONS[found[2]], found[1], body, key))
        else:
            known = "/reversal, /refunds, /void or /capture"
            self._send(
                BankReply(404, {"error": f"there is POST {AUTHORIZATIONS}, [/<reference>] with {known}, or {DELETION}"})
            )

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(
                BankReply(413, {"error": f"a body of at most {MAX_BODY} bytes with its Content-Length is needed"})
            )
            return None
        return self.rfile.read(int(length))

    def _decide(self, decided: BankReply | Undecided) -> None:
        if isinstance(decided, BankReply):
            self._send(decided)
            return
        if self._breaks(decided.fault, "before"):
            return
        reply = decided.enter()
        if not self._breaks(decided.fault, "after"):
            self._send(reply)

    def _breaks(self, fault: LineFault | None, moment: str) -> bool:
        """Whether there will be no proper answer."""
        match fault, moment:
            case ("late", "before") | ("slow", "after"):
                self.server.stopping.wait(self.server.slow_s)
                return False
            case ("silent_before", "before") | ("silent_after", "after"):
                self._say_nothing()
            case ("error_before", "before") | ("error_after", "after"):
                self._send(BankReply(500, {"error": "internal error"}, fault or ""))
            case ("closed_before", "before") | ("closed_after", "after"):
                self._close()
            case ("garbled_after", "after"):
                self._send_raw(200, b'{"reference": "')
            case _:
                return False
        return True

    def _say_nothing(self) -> None:
        """Until the other side gives up."""
        log.info("request", method=self.command, note="no answer")
        self.close_connection = True
        with suppress(OSError):
            self.connection.recv(1)

    def _close(self) -> None:
        log.info("request", method=self.command, note="connection closed")
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, reply: BankReply) -> None:
        code = reply.body.get("response_code")
        outcome = reply.body.get("outcome")
        log.info("request", method=self.command, status=reply.status, outcome=outcome, code=code, note=reply.note)
        self._send_raw(reply.status, json.dumps(reply.body).encode())

    def _send_raw(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """The line for each request is written above, without the path that a caller may have put anything into."""


def tls_context(folder: Path) -> ssl.SSLContext:
    """Shows the bank's certificate, and speaks to nobody who has none of the bank's authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    try:
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
        context.load_verify_locations(cafile=folder / "ca.crt")
    except OSError as error:
        cure = f"`{COMMAND} set-up` makes what is missing"
        raise ConfigError(f"{folder}: server.crt, server.key or ca.crt: {error.strerror or error}; {cure}") from None
    return context
