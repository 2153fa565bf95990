"""A bank of our own protocol, over HTTPS with mutual TLS. It sends once and says what it heard."""

import json
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from cryptography import x509

from ivr.bank.https import BROKEN, NOTHING_LEFT, HttpsBank, no_answer, no_password, why
from ivr.bank.interface import (
    AuthorizationRequest,
    BankAnswer,
    CardDeletionRequest,
    ModificationKind,
    ModificationRequest,
    Outcome,
)
from ivr.bank.promises import DAY_S, Promises
from ivr.bank.tonetill.answers import (
    AUTHORIZATION_OUTCOMES,
    DELETION_OUTCOMES,
    INQUIRY_OUTCOMES,
    REVERSAL_OUTCOMES,
    read_answer,
)
from ivr.bank.tonetill.modifications import read_modification
from ivr.bank.tonetill.settings import TonetillSettings
from ivr.core.events import CARD_FIELDS
from ivr.errors import ConfigError
from ivr.places import COMMAND

# docs/bank.md: a reversal is also accepted for a reference that the bank has not seen yet, and blocks it.
PROMISES = Promises(
    seal="tonetill",
    seal_to="bank",
    operations=frozenset(
        {"sale", "authorize", "capture", "void", "refund", "create token", "charge token", "delete token"}
    ),
    inquires=True,
    repeats_s=DAY_S,
    undo="also before arrival",
    partial_approval=True,
    fields=frozenset(CARD_FIELDS),
    inquires_modifications=True,
)
NEXT_CERTIFICATE = "ask the bank for the next one, put it in its place, then send SIGHUP (docs/bank.md, Rotation)"
MODIFICATIONS: Mapping[ModificationKind, str] = {"refund": "refunds", "void": "void", "capture": "capture"}


class TonetillBank(HttpsBank):
    """One bank. `with` closes its connections."""

    promises = PROMISES

    def __init__(self, settings: TonetillSettings) -> None:
        super().__init__(settings, self.context_for(settings))
        self.promises = settings.promises_of(PROMISES)

    def context_for(self, settings: TonetillSettings) -> ssl.SSLContext:
        context = tls_context(settings)
        self._shown = settings.showing(datetime.now(UTC).date()).client_certificate
        self._shown_until = not_after(self._shown)
        return context

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        if datetime.now(UTC) >= self._shown_until:
            # The bank would refuse it, but only after the handshake (RFC 8446 4.4.2): perhaps with the request on its way.
            reason = f"our certificate expired on {self._shown_until.date()} ({self._shown}); {NEXT_CERTIFICATE}"
            return BankAnswer("not_sent", request.reference, reason=reason)
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

    def modify(self, request: ModificationRequest) -> BankAnswer:
        path = f"/v1/authorizations/{quote(request.reference, safe='')}/{MODIFICATIONS[request.kind]}"
        body = {"amount": {"minor": request.amount.minor, "currency": request.amount.currency}}
        content = json.dumps(body, separators=(",", ":")).encode()
        return self._ask_about(request, "POST", path, content, {"Idempotency-Key": request.idempotency_key})

    def inquire_modification(self, request: ModificationRequest) -> BankAnswer:
        reference, key = (quote(one, safe="") for one in (request.reference, request.idempotency_key))
        path = f"/v1/authorizations/{reference}/modifications/{key}"
        return self._ask_about(request, "GET", path, b"", {})

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        """By POST: a path would have the token in it, and paths are logged."""
        body = {"reference": request.key, "merchant": request.merchant, "kept_card": request.kept_card}
        return self._ask("POST", "/v1/kept-cards/deletion", request.key, DELETION_OUTCOMES, body)

    def _ask_about(
        self, request: ModificationRequest, method: str, path: str, content: bytes, headers: Mapping[str, str]
    ) -> BankAnswer:
        try:
            status, answer = self._line.exchange(method, path, content, headers)
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(request.reference, error)
        return read_modification(request, status, answer)

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
            status, answer = self._line.exchange(method, path, content, headers or {})
        except (*NOTHING_LEFT, *BROKEN) as error:
            return no_answer(reference, error)
        return read_answer(reference, status, answer, outcomes)


def authorization_body(request: AuthorizationRequest) -> dict[str, object]:
    return {
        "reference": request.reference,
        "merchant": request.merchant,
        "call": request.call,
        "amount": {"minor": request.amount.minor, "currency": request.amount.currency},
        "moto": request.moto,
        **({"invoice_reference": request.invoice_reference} if request.invoice_reference else {}),
        **({"capture": "later"} if request.capture_later else {}),
        **({"partial": "accept"} if request.takes_part else {}),
        **({"keep_card": True} if request.keep_card else {}),
        **({"kept_card": request.kept_card} if request.kept_card else {"sealed": dict(request.sealed)}),
    }


def tls_context(settings: TonetillSettings) -> ssl.SSLContext:
    """Trusts the bank's authority and no other, shows our certificate. ConfigError names the file and the cure."""
    settings = settings.showing(datetime.now(UTC).date())
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


def check_certificate(settings: TonetillSettings) -> None:
    file = settings.client_certificate
    try:
        until = not_after(file)
    except OSError as error:
        cure = f"`{COMMAND} set-up` makes development keys"
        raise ConfigError(f"{file}: {why(error)}; `client_certificate` is what the bank issued you; {cure}") from None
    except ValueError:
        raise ConfigError(
            f"{file}: not a certificate in PEM; `client_certificate` is what the bank issued you"
        ) from None
    if until < datetime.now(UTC):
        raise ConfigError(f"{file}: our certificate expired on {until.date()}; ask the bank for a new one")


def not_after(certificate: Path) -> datetime:
    return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
