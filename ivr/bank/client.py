"""The bank over HTTPS with mutual TLS. It sends once and says what it heard; sending again is the forwarder's to decide."""

import json
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from cryptography import x509

from ivr.bank.interface import AuthorizationRequest, BankAnswer, Outcome
from ivr.bank.settings import BankSettings
from ivr.errors import ConfigError

MAX_ANSWER_BYTES = 16_384
# What each question can be answered with; anything else is not an answer.
AUTHORIZATION_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined"})
INQUIRY_OUTCOMES: frozenset[Outcome] = frozenset({"approved", "declined", "reversed", "not_found", "unknown"})
REVERSAL_OUTCOMES: frozenset[Outcome] = frozenset({"reversed"})
# Nothing has left: no connection stood yet, so no request could be written to it. httpx raises ConnectError for a name
# that does not resolve, a refused connection and a failed handshake (also the bank's wrong certificate), and PoolTimeout
# while waiting for a free connection. A connection kept alive from before is past this stage: a break there is a read
# or write error, hence unknown. So is the bank's refusal of our certificate: in TLS 1.3 (RFC 8446 4.4.2) it arrives
# only after we have finished our side, perhaps with the request on its way.
NOTHING_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class HttpsBank:
    """One bank; its connections are kept alive and shared by all threads. `with` closes them."""

    def __init__(self, settings: BankSettings) -> None:
        self._read_timeout = settings.read_timeout
        self._http = httpx.Client(
            base_url=settings.url,
            verify=tls_context(settings),
            timeout=httpx.Timeout(settings.read_timeout, connect=settings.connect_timeout),
            follow_redirects=False,  # a redirect would take the request to somebody we have not agreed with
            trust_env=False,  # nor through a proxy that the environment names
            headers={"Accept-Encoding": "identity"},
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
        self._http.close()

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
        try:
            status, content = self._exchange(method, path, body, headers)
        except NOTHING_LEFT as error:
            return BankAnswer("not_sent", reference, reason=describe(error))
        except httpx.RequestError as error:
            return BankAnswer("unknown", reference, reason=describe(error))
        return read_answer(reference, status, content, outcomes)

    def _exchange(
        self, method: str, path: str, body: Mapping[str, object] | None, headers: Mapping[str, str] | None
    ) -> tuple[int, bytes]:
        # httpx counts its read timeout anew for each piece; a bank that drips bytes must not hold the call longer.
        deadline = time.monotonic() + self._read_timeout
        content = bytearray()
        with self._http.stream(method, path, json=body, headers=headers) as response:
            for piece in response.iter_bytes():
                content += piece
                if time.monotonic() > deadline:
                    raise httpx.ReadTimeout("the answer did not end in time")
                if len(content) > MAX_ANSWER_BYTES:
                    raise httpx.RemoteProtocolError("the answer is too long")
        return response.status_code, bytes(content)


def authorization_body(request: AuthorizationRequest) -> dict[str, object]:
    return {
        "reference": request.reference,
        "merchant": request.merchant,
        "call": request.call,
        "amount": {"minor": request.amount.minor, "currency": request.amount.currency},
        "moto": request.moto,
        "sealed": dict(request.sealed),
    }


def read_answer(reference: str, status: int, content: bytes, outcomes: frozenset[Outcome]) -> BankAnswer:
    """Only the bank's own words in its own form decide; a status alone could come from any box in between."""
    # 409: the key or the reference was used for another request. What became of that one only an inquiry can tell.
    if status >= 500 or status == 409:
        return BankAnswer("unknown", reference, reason=f"status {status}")
    try:
        answer: Any = json.loads(content)
        outcome, about = answer["outcome"], answer["reference"]
        codes = [answer.get(name) for name in ("response_code", "authorization_code")]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return BankAnswer("unknown", reference, reason=f"status {status}, not an answer in the agreed form")
    if (
        about != reference
        or not is_one_of(outcome, outcomes)
        or not all(code is None or is_code(code) for code in codes)
    ):
        return BankAnswer("unknown", reference, reason=f"status {status}, an answer to something else")
    return BankAnswer(outcome, reference, *codes)


def is_one_of(outcome: object, outcomes: frozenset[Outcome]) -> bool:
    return isinstance(outcome, str) and outcome in outcomes


def is_code(code: object) -> bool:
    """Field 38 has six characters, field 39 two (ISO 8583-1): nothing longer is kept, so nothing secret can be."""
    return isinstance(code, str) and len(code) <= 6 and code.isascii() and code.isalnum()


def describe(error: httpx.RequestError) -> str:
    """The network's own words beside the error's name: `ConnectError certificate has expired`."""
    found: BaseException | None = error
    while found is not None and not isinstance(found, OSError):
        found = found.__cause__ or found.__context__
    if isinstance(found, ssl.SSLCertVerificationError):
        return f"{type(error).__name__} {found.verify_message}"
    return f"{type(error).__name__} {why(found)}" if isinstance(found, OSError) else type(error).__name__


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
        cure = "`python -m ivr.bank.dev_keys` makes development keys"
        raise ConfigError(f"{file}: {why(error)}; `client_certificate` is what the bank issued you; {cure}") from None
    except ValueError:
        raise ConfigError(
            f"{file}: not a certificate in PEM; `client_certificate` is what the bank issued you"
        ) from None
    if certificate.not_valid_after_utc < datetime.now(UTC):
        day = certificate.not_valid_after_utc.date()
        raise ConfigError(f"{file}: our certificate expired on {day}; ask the bank for a new one")


def why(error: Exception) -> str:
    words = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    return (words or "not readable").lower().replace("_", " ")


def no_password() -> str:
    """Without it OpenSSL would ask on the terminal, and a service would hang."""
    raise ValueError
