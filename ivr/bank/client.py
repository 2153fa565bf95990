"""The bank over HTTPS with mutual TLS. It sends once and says what it heard; sending again is the forwarder's to decide."""

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpcore
from cryptography import x509

from ivr.bank.answers import AUTHORIZATION_OUTCOMES, INQUIRY_OUTCOMES, REVERSAL_OUTCOMES, read_answer
from ivr.bank.deadline import Deadlines, PunctualBackend
from ivr.bank.interface import AuthorizationRequest, BankAnswer, Outcome
from ivr.bank.settings import BankSettings
from ivr.errors import ConfigError
from ivr.places import COMMAND

MAX_ANSWER_BYTES = 16_384
IDLE_S = 30.0  # a kept connection is used no longer: banks and what is in between close theirs after a minute or so
# Nothing has left: no connection stood yet, so no request could be written to it. httpcore raises ConnectError for a name
# that does not resolve, a refused connection and a failed handshake (also the bank's wrong certificate), and PoolTimeout
# while waiting for a free connection. A connection kept alive from before is past this stage: a break there is a read
# or write error, hence unknown. So is the bank's refusal of our certificate: in TLS 1.3 (RFC 8446 4.4.2) it arrives
# only after we have finished our side, perhaps with the request on its way.
NOTHING_LEFT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout)
BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


class HttpsBank:
    """One bank; its connections are kept alive and shared by its own workers, no more than it allows. `with` closes them.

    No redirect is followed: it would take the request to somebody we have not agreed with. Nor is a proxy used that the
    environment names.
    """

    def __init__(self, settings: BankSettings) -> None:
        self.connections = settings.connections
        self._url = settings.url
        self._connect_s = settings.connect_timeout
        self._deadlines = Deadlines(settings.connect_timeout, settings.read_timeout)
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls_context(settings),
            max_connections=settings.connections,
            max_keepalive_connections=settings.connections,
            keepalive_expiry=IDLE_S,
            network_backend=PunctualBackend(self._deadlines),
        )

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        headers = {"Idempotency-Key": request.idempotency_key}
        return self._ask(
            "POST",
            "/v1/authorizations",
            request.reference,
            AUTHORIZATION_OUTCOMES,
            authorization_body(request),
            headers,
        )

    def inquire(self, reference: str) -> BankAnswer:
        return self._ask("GET", f"/v1/authorizations/{quote(reference, safe='')}", reference, INQUIRY_OUTCOMES)

    def reverse(self, reference: str) -> BankAnswer:
        path = f"/v1/authorizations/{quote(reference, safe='')}/reversal"
        return self._ask("POST", path, reference, REVERSAL_OUTCOMES)

    def close(self) -> None:
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(
        self,
        method: str,
        path: str,
        reference: str,
        outcomes: frozenset[Outcome],
        body: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> BankAnswer:
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        try:
            status, answer = self._exchange(method, path, content, dict(headers or {}))
        except NOTHING_LEFT as error:
            return BankAnswer("not_sent", reference, reason=describe(error))
        except BROKEN as error:
            return BankAnswer("unknown", reference, reason=describe(error))
        return read_answer(reference, status, answer, outcomes)

    def _exchange(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        headers |= {"Host": host_of(self._url), "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {"Content-Type": "application/json", "Content-Length": str(len(content))} if content else {}
        received = bytearray()
        with (
            self._deadlines.exchange(),
            self._pool.stream(
                method,
                f"{self._url}{path}",
                headers=[*headers.items()],
                content=content,
                extensions={"timeout": {"pool": self._connect_s}},
            ) as response,
        ):
            for piece in response.iter_stream():
                received += piece
                if len(received) > MAX_ANSWER_BYTES:
                    raise httpcore.RemoteProtocolError("the answer is too long")
        return response.status, bytes(received)


def host_of(url: str) -> str:
    """As the Host header says it: with the port, where one is named."""
    return url.removeprefix("https://").partition("/")[0]


def authorization_body(request: AuthorizationRequest) -> dict[str, object]:
    return {
        "reference": request.reference,
        "merchant": request.merchant,
        "call": request.call,
        "amount": {"minor": request.amount.minor, "currency": request.amount.currency},
        "moto": request.moto,
        **({"invoice_reference": request.invoice_reference} if request.invoice_reference else {}),
        "sealed": dict(request.sealed),
    }


def describe(error: Exception) -> str:
    """The network's own words beside the error's name: `ConnectError certificate has expired`."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"{type(error).__name__} {found.verify_message}"
    has_words = isinstance(found, ssl.SSLError) or (isinstance(found, OSError) and found.strerror)
    return f"{type(error).__name__} {why(found)}" if found and has_words else type(error).__name__


def tls_context(settings: BankSettings) -> ssl.SSLContext:
    """Trusts the bank's authority and no other, shows our certificate. ConfigError names the file and the cure."""
    check_certificate(settings)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # PCI DSS 4.2.1: strong cryptography only
    try:
        context.load_verify_locations(cafile=settings.ca)
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigError(f"{settings.ca}: {why(error)}; `ca` must be the bank's authority in PEM") from None
    try:
        context.load_cert_chain(settings.client_certificate, settings.client_key, password=no_password)
    except (OSError, ValueError) as error:
        files = f"{settings.client_certificate} and {settings.client_key}"
        raise ConfigError(
            f"{files}: {why(error)}; they must be a certificate and its own key, unencrypted PEM"
        ) from None
    return context


def check_certificate(settings: BankSettings) -> None:
    file = settings.client_certificate
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except OSError as error:
        cure = f"`{COMMAND} set-up` makes development keys"
        raise ConfigError(f"{file}: {why(error)}; `client_certificate` is what the bank issued you; {cure}") from None
    except ValueError:
        raise ConfigError(
            f"{file}: not a certificate in PEM; `client_certificate` is what the bank issued you"
        ) from None
    if certificate.not_valid_after_utc < datetime.now(UTC):
        day = certificate.not_valid_after_utc.date()
        raise ConfigError(f"{file}: our certificate expired on {day}; ask the bank for a new one")


def why(error: BaseException) -> str:
    words = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    return (words or "not readable").lower().replace("_", " ")


def no_password() -> str:
    """Without it OpenSSL would ask on the terminal, and a service would hang."""
    raise ValueError
