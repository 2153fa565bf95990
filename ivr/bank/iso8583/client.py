"""A bank at an ISO 8583 host. It sends once and says what it heard; `ivr.bank.iso8583` says what is asked when."""

import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from ivr.bank.clear_card import CardNotOpened, OpenCard
from ivr.bank.https import no_password
from ivr.bank.interface import AuthorizationRequest, Bank, BankAnswer
from ivr.bank.iso8583.answers import NO_SUCH_RECORD, read_purchase, read_reversal
from ivr.bank.iso8583.codec import encode
from ivr.bank.iso8583.connection import HostAddress, NothingLeft, words_of
from ivr.bank.iso8583.currencies import NUMBERS
from ivr.bank.iso8583.link import Fields, HostLink, NoAnswer
from ivr.bank.iso8583.messages import MessageWriter, PurchaseTrace, new_trace, read_trace
from ivr.bank.iso8583.settings import FRESH_S, Iso8583Settings
from ivr.bank.iso8583.spec import load_spec
from ivr.errors import ConfigError


def system_time() -> datetime:
    return datetime.now(UTC)


class Iso8583Bank(Bank):
    """One merchant at one host. `with` closes its connection."""

    def __init__(
        self, settings: Iso8583Settings, open_card: OpenCard, now: Callable[[], datetime] = system_time
    ) -> None:
        self.promises = settings.promises
        self.connections = settings.connections
        self._settings, self._open_card, self._now = settings, open_card, now
        self._spec = load_spec(settings.spec)
        self._writer = MessageWriter(self._spec.host, settings)
        self.link = HostLink(address_of(settings), self._spec, self._writer, settings.echo_every)

    def close(self) -> None:
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def new_trace(self, number: int, now: datetime) -> str:
        return str(new_trace(number, now))

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        reference, trace = request.reference, read_trace(request.trace)
        if request.amount.currency not in NUMBERS:
            return BankAnswer("not_sent", reference, reason="no number is known of this currency")
        if (self._now() - trace.at).total_seconds() > FRESH_S:
            return BankAnswer("not_sent", reference, reason="it is too late to send it")
        try:
            message, frame = self._purchase(request, trace)
            answer = self.link.ask(message, frame, self._settings.read_timeout)
        except (CardNotOpened, NothingLeft) as error:
            return BankAnswer("not_sent", reference, reason=str(error))
        except NoAnswer as error:
            return BankAnswer("unknown", reference, reason=str(error))
        return read_purchase(reference, answer, request.amount)

    def undo(self, original: AuthorizationRequest, again: bool) -> BankAnswer:
        """Asked until it is answered, as long as a request may take in all."""
        reference, trace = original.reference, read_trace(original.trace)
        until = time.monotonic() + self._settings.read_timeout
        reason = ""
        while (left := until - time.monotonic()) > 0:
            try:
                message, frame = self._reversal(original, trace, again)
                answer = self.link.ask(message, frame, min(left, self._settings.repeat_after))
            except (CardNotOpened, NothingLeft) as error:
                return BankAnswer("not_sent", reference, reason=str(error))
            except NoAnswer as error:
                reason, again = str(error), True
            else:
                return self._undone(read_reversal(reference, answer), trace)
        return BankAnswer("unknown", reference, reason=reason)

    def _undone(self, answer: BankAnswer, trace: PurchaseTrace) -> BankAnswer:
        """A host that finds nothing to reverse blocks nothing either."""
        age_s = (self._now() - trace.at).total_seconds()
        if answer.response_code == NO_SUCH_RECORD and age_s < self._settings.arrives_within:
            return BankAnswer("unknown", answer.reference, reason="the purchase may still arrive")
        return answer

    # ---- frames, in which the card is clear

    def _purchase(self, request: AuthorizationRequest, trace: PurchaseTrace) -> tuple[Fields, bytearray]:
        with self._open_card(request) as card:
            message, clear = self._writer.purchase(trace, request.amount, card)
            return message, encode(self._spec, message, clear)

    def _reversal(
        self, original: AuthorizationRequest, trace: PurchaseTrace, is_repeat: bool
    ) -> tuple[Fields, bytearray]:
        with self._open_card(original) as card:
            message, clear = self._writer.reversal(trace, original.amount, card, self._now(), is_repeat)
            return message, encode(self._spec, message, clear)


def address_of(settings: Iso8583Settings) -> HostAddress:
    host, port = settings.address
    return HostAddress(host, port, tls_context(settings), settings.connect_timeout, settings.read_timeout)


def tls_context(settings: Iso8583Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; trusts the system's authorities, or the one that is named and no other."""
    try:
        context = ssl.create_default_context(cafile=settings.ca)
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigError(
            f"{settings.ca}: {words_of(error)}; `ca` must be an authority in PEM, or be left out"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_certificate is None:
        return context
    try:
        context.load_cert_chain(settings.client_certificate, settings.client_key, password=no_password)
    except (OSError, ValueError) as error:
        files = f"{settings.client_certificate} and {settings.client_key}"
        cure = "they must be a certificate and its own key, unencrypted PEM"
        raise ConfigError(f"{files}: {words_of(error)}; {cure}") from None
    return context
