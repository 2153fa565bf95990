"""A bank at an ISO 8583 host. It sends once and says what it heard; `ivr.bank.iso8583` says what is asked when."""

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from types import TracebackType
from typing import Self

from ivr.bank.clear_card import CardNotOpened, OpenCard
from ivr.bank.https import no_password
from ivr.bank.interface import AuthorizationRequest, Bank, BankAnswer, ModificationRequest
from ivr.bank.iso8583.answers import NO_SUCH_RECORD, read_purchase, read_reversal, read_void
from ivr.bank.iso8583.codec import encode
from ivr.bank.iso8583.connection import HostAddress, NothingLeft, words_of
from ivr.bank.iso8583.currencies import NUMBERS
from ivr.bank.iso8583.link import Fields, HostLink, NoAnswer
from ivr.bank.iso8583.messages import MessageWriter, PurchaseTrace, new_trace, read_trace
from ivr.bank.iso8583.settings import FRESH_S, Iso8583Settings
from ivr.bank.iso8583.spec import load_spec
from ivr.bank.settings import BankSettings
from ivr.errors import ConfigError

Written = Callable[[bool], tuple[Fields, bytearray]]


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
        if settings.partial_approvals and not self._spec.host.partial:
            raise ConfigError(
                f"{settings.spec}: 'partial' says nothing, so the host is never told that it may approve a part; say with which "
                "fields it is, or leave out 'partial_approvals' in banks.yaml"
            )
        self._writer = MessageWriter(self._spec.host, settings)
        self.link = HostLink(address_of(settings), self._spec, self._writer, settings.echo_every)

    def renew(self, settings: BankSettings) -> None:
        """The connection that stands goes on as long as both sides keep it."""
        assert isinstance(settings, Iso8583Settings)
        self.link.renew(address_of(settings))

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
        return read_purchase(reference, answer, request.amount, self._spec.host.partial_answer)

    def undo(self, original: AuthorizationRequest, again: bool) -> BankAnswer:
        trace = read_trace(original.trace)
        answer = self._insist(original.reference, lambda is_repeat: self._reversal(original, trace, is_repeat), again)
        if isinstance(answer, BankAnswer):
            return answer
        return self._undone(read_reversal(original.reference, answer.said), trace)

    def modify(self, request: ModificationRequest) -> BankAnswer:
        """A void alone: a reversal of the approved charge, on its day. It holds no card, which is no longer kept."""
        reference = request.reference
        if request.kind != "void" or not request.trace:
            return BankAnswer("refused", reference, reason="nothing to name the charge by: do it at the acquirer")
        trace = read_trace(request.trace)
        if self._local_day(self._now()) != self._local_day(trace.at):
            if request.is_repeat:
                return BankAnswer("unknown", reference, reason="its day is over: ask the acquirer")
            return BankAnswer("refused", reference, reason="only on the day of the charge: refund it at the acquirer")
        answer = self._insist(reference, lambda is_repeat: self._void(request, trace, is_repeat), request.is_repeat)
        return answer if isinstance(answer, BankAnswer) else read_void(reference, answer.said, answer.to_repeat)

    def _insist(self, reference: str, written: Written, is_repeat: bool) -> "HostAnswer | BankAnswer":
        """Asked until it is answered, as long as a request may take in all. Not sent only if no try may have left."""
        until, reason, may_have_left = time.monotonic() + self._settings.read_timeout, "", False
        while (left := until - time.monotonic()) > 0:
            try:
                message, frame = written(is_repeat)
                said = self.link.ask(message, frame, min(left, self._settings.repeat_after))
            except (CardNotOpened, NothingLeft) as error:
                return BankAnswer("unknown" if may_have_left else "not_sent", reference, reason=str(error))
            except NoAnswer as error:
                reason, is_repeat, may_have_left = str(error), True, True
            else:
                return HostAnswer(said, is_repeat)
        return BankAnswer("unknown", reference, reason=reason)

    def _undone(self, answer: BankAnswer, trace: PurchaseTrace) -> BankAnswer:
        """A host that finds nothing to reverse blocks nothing either."""
        age_s = (self._now() - trace.at).total_seconds()
        if answer.response_code == NO_SUCH_RECORD and age_s < self._settings.arrives_within:
            return BankAnswer("unknown", answer.reference, reason="the purchase may still arrive")
        return answer

    def _local_day(self, at: datetime) -> date:
        return at.astimezone(self._settings.local_zone).date()

    # ---- frames, in which the card is clear

    def _purchase(self, request: AuthorizationRequest, trace: PurchaseTrace) -> tuple[Fields, bytearray]:
        with self._open_card(request) as card:
            message, clear = self._writer.purchase(trace, request.amount, card, takes_part=request.takes_part)
            return message, encode(self._spec, message, clear)

    def _reversal(
        self, original: AuthorizationRequest, trace: PurchaseTrace, is_repeat: bool
    ) -> tuple[Fields, bytearray]:
        with self._open_card(original) as card:
            message, clear = self._writer.reversal(trace, original.amount, card, self._now(), is_repeat)
            return message, encode(self._spec, message, clear)

    def _void(self, request: ModificationRequest, trace: PurchaseTrace, is_repeat: bool) -> tuple[Fields, bytearray]:
        message = self._writer.void(trace, request.charged, self._now(), is_repeat)
        return message, encode(self._spec, message, [])


@dataclass(frozen=True)
class HostAnswer:
    """`to_repeat`: the question may have come to the host more than once."""

    said: Fields
    to_repeat: bool


def address_of(settings: Iso8583Settings) -> HostAddress:
    host, port = settings.address
    return HostAddress(host, port, tls_context(settings), settings.connect_timeout, settings.read_timeout)


def tls_context(settings: Iso8583Settings) -> ssl.SSLContext:
    """TLS 1.2 or newer; trusts the system's authorities, or the one that is named and no other."""
    settings = settings.showing(datetime.now(UTC).date())
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
