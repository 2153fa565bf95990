"""The simulator as Adyen's Checkout v72, on a port of its own: the same books, cards and faults. Nobody shows a certificate; an
API key is asked for."""

import hmac
import re
import ssl
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ivr.bank.simulator.adyen_checkout import AdyenCheckout, error
from ivr.bank.simulator.adyen_keys import PRIVATE, AdyenSeals, account_in
from ivr.bank.simulator.adyen_news import AdyenNews
from ivr.bank.simulator.authorizer import BankReply, Undecided
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.simulator.server import Handler, TlsServer
from ivr.core.json_text import parse_json
from ivr.errors import ConfigError
from ivr.places import COMMAND

PREFIX = "/v72"
KEPT = re.compile(r"/storedPaymentMethods/([A-Za-z0-9]{8,64})")
MODIFICATION = re.compile(r"/payments/([A-Z0-9]{16})/(captures|refunds|cancels)")
BRANDS = ["visa", "mc", "amex", "discover"]


class AdyenHost:
    """Begun at once; `stop` from the thread that made it. `news`: the notifications, posted to `notify` where that is given."""

    def __init__(
        self, folder: Path, books: Books, ways: SimulatorWays, where: tuple[str, int], notify: str = ""
    ) -> None:
        self.account = account_in(folder)
        self.news = AdyenNews(self.account, notify, twice=ways.twice)
        desk = AdyenCheckout(self.account, AdyenSeals(folder / PRIVATE), books, self.news, ways)
        try:
            self._server = AdyenServer(where, certificate_alone(folder), desk, self.account.api_key, ways.slow_s)
        except OSError as problem:
            self.news.stop()
            raise ConfigError(f"{where[0]}:{where[1]}: {problem.strerror}; choose another with --adyen-port") from None
        self.url = f"https://{where[0]}:{self._server.server_address[1]}{PREFIX}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="adyen-host", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.news.stop()


class AdyenServer(TlsServer):
    def __init__(
        self, where: tuple[str, int], context: ssl.SSLContext, desk: AdyenCheckout, api_key: str, slow_s: float
    ) -> None:
        super().__init__(where, AdyenHandler, context, slow_s)
        self.desk, self.api_key = desk, api_key


class AdyenHandler(Handler):
    server: AdyenServer  # type: ignore[assignment]

    def do_GET(self) -> None:  # noqa: N802 - the name is the library's
        self._send(error(404, "000", "no such path"))

    def do_DELETE(self) -> None:  # noqa: N802
        """A token of a shopper's, both named in the address; 204 has no content."""
        where = urlsplit(self.path.removeprefix(PREFIX))
        asked, found = dict(parse_qsl(where.query)), KEPT.fullmatch(where.path)
        if not self._is_let_in():
            self._send(error(401, "000", "HTTP Status Response - Unauthorized"))
        elif asked.get("merchantAccount") != self.server.desk.account_name:
            self._send(error(403, "901", "Invalid Merchant Account"))
        elif found is None or not self.server.desk.delete_card(found[1], asked.get("shopperReference", "")):
            self._send(error(422, "803", "PaymentDetail not found"))
        else:
            self._send_raw(204, b"")

    def do_POST(self) -> None:  # noqa: N802
        content = self._body()
        if content is not None:
            self._decide(self._answer(content))

    def _answer(self, content: bytes) -> BankReply | Undecided:
        if not self._is_let_in():
            return error(401, "000", "HTTP Status Response - Unauthorized")
        try:
            body = parse_json(content)
            if body["merchantAccount"] != self.server.desk.account_name:
                return error(403, "901", "Invalid Merchant Account")
            return self._routed(self.path.removeprefix(PREFIX), body)
        except (KeyError, TypeError, ValueError, AttributeError):
            return error(400, "702", "the request is not in the form that Checkout v72 describes")

    def _is_let_in(self) -> bool:
        return hmac.compare_digest(self.headers.get("X-API-Key", "").encode(), self.server.api_key.encode())

    def _routed(self, path: str, body: dict[str, object]) -> BankReply | Undecided:
        key = self.headers.get("Idempotency-Key", "")
        if path == "/payments":
            return self.server.desk.pay(body, key)
        if path == "/cancels":
            return self.server.desk.cancel(body)
        if path == "/paymentMethods":
            return BankReply(200, {"paymentMethods": [{"type": "scheme", "name": "Cards", "brands": BRANDS}]})
        if found := MODIFICATION.fullmatch(path):
            return self.server.desk.modify(found[2], found[1], body, key)
        return error(404, "000", "no such path")


def certificate_alone(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / "server.crt", folder / "server.key")
    except OSError as problem:
        cure = f"`{COMMAND} set-up` makes what is missing"
        raise ConfigError(f"{folder}: server.crt or server.key: {problem.strerror or problem}; {cure}") from None
    return context
