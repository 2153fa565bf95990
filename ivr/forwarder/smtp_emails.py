"""Receipts by e-mail through the merchant's mail server, and what its answers mean.

before the final dot   nothing was taken: tried again, however the connection ended
a 4xx answer           it passes: tried again
5xx for the recipient  never to this address: refused
5xx for the sender, the user, or TLS that cannot be had: the settings; none is promised until they are mended
silence after the dot  it may have been taken: tried again under the same Message-ID, by which mailboxes fold a second one
"""

import contextlib
import hashlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Any, Literal

import structlog

from ivr.calls.emailing import NO_MAIL_SENDER, MailServer, mail_server_of
from ivr.calls.texting import TextDelayed, TextRefused, TextSender
from ivr.settings import Settings
from ivr.store import TextMessage

log = structlog.get_logger()
STEP_S = 10.0  # one answer of the server
LIMIT_S = 40.0  # the whole conversation, however slowly it drips; less than a job's lease
GO_AHEAD = 354
NOT_TLS = "the mail server offers no TLS: use a port that does, or smtps://"


def email_sender(settings: Settings) -> TextSender:
    """In production without a server none is sent, kept or promised."""
    server = mail_server_of(settings)
    if server is not None:
        return SmtpEmails(server)
    return keep_email if settings.environment == "development" else refuse_email


def keep_email(message: TextMessage) -> Literal["kept"]:
    """In development without a server: it stays in the database, and is read on the page at `/`."""
    log.info("e-mail kept (set SMTP_URL and SMTP_FROM to send it)", message=message.id)
    return "kept"


def refuse_email(message: TextMessage) -> None:
    raise TextRefused(NO_MAIL_SENDER, is_account=True)


class SmtpEmails:
    """One connection an e-mail. Never quotes the server's words: they may quote the address."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    def __call__(self, message: TextMessage) -> None:
        content = wire_form(self._server, message)
        try:
            with self._connection() as smtp:
                self._hand_over(smtp, message.recipient, content)
        except ssl.SSLCertVerificationError:
            raise TextDelayed(
                "the mail server's certificate is not trusted: see SMTP_URL and SMTP_CA", is_account=True
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise TextDelayed(f"the mail server did not answer: {type(error).__name__}") from None

    @contextlib.contextmanager
    def _connection(self) -> Iterator[smtplib.SMTP]:
        """Greeted, in TLS, logged in; closed when the time is up, whatever the server does."""
        server = self._server
        if server.is_tls:
            tls = self._trust()
            smtp: LimitedSmtp | LimitedSmtps = LimitedSmtps(server.host, server.port, timeout=STEP_S, context=tls)
        else:
            smtp = LimitedSmtp(server.host, server.port, timeout=STEP_S)
        try:
            self._begin(smtp)
            yield smtp
        finally:
            smtp.limit.cancel()
            smtp.close()

    def _begin(self, smtp: smtplib.SMTP) -> None:
        smtp.ehlo()
        if not self._server.is_tls and not self._server.is_clear:
            if not smtp.has_extn("starttls"):
                raise TextDelayed(NOT_TLS, is_account=True)
            code, _ = smtp.starttls(context=self._trust())
            _require(code, 220, "STARTTLS")
            smtp.ehlo()
        if self._server.user:
            self._log_in(smtp)

    def _log_in(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.login(self._server.user, self._server.password)
        except smtplib.SMTPAuthenticationError as error:
            passes = 400 <= error.smtp_code < 500
            cure = "" if passes else ": see to the user and password in SMTP_URL"
            raise TextDelayed(
                f"the mail server answered {error.smtp_code} to the login{cure}", is_account=not passes
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise TextDelayed(
                "the mail server takes no login there: take it out of SMTP_URL", is_account=True
            ) from None

    def _hand_over(self, smtp: smtplib.SMTP, recipient: str, content: bytes) -> None:
        code, _ = smtp.mail(self._server.sender)
        _require(code, 250, "the sender", "see to SMTP_FROM")
        code, _ = smtp.rcpt(recipient)
        if not 250 <= code <= 251:
            raise _refusal(code, "the address")
        code, _ = smtp.docmd("DATA")
        if code != GO_AHEAD:
            raise _refusal(code, "the message")
        smtp.send(content)  # where this fails the final dot has not left
        try:
            code, _ = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise TextDelayed(
                f"it may have been taken: {type(error).__name__} after the message", may_be_sent=True
            ) from None
        if not 200 <= code < 300:
            raise _refusal(code, "the message")

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._server.ca or None)


def wire_form(server: MailServer, message: TextMessage) -> bytes:
    """With the final dot. The same bytes at every try: the date is when it was queued, the Message-ID is made from its id."""
    mail = EmailMessage(policy=WIRE)
    domain = server.sender.rpartition("@")[2]
    mail["From"] = Address(one_line(server.sender_name), addr_spec=server.sender)
    mail["To"] = Address(addr_spec=message.recipient)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(message.at) if message.at else None
    mail["Message-ID"] = f"<{hashlib.sha256(message.id.encode()).hexdigest()[:32]}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence shall answer it
    mail.set_content(encodable(message.body))
    return re.sub(rb"(?m)^\.", b"..", mail.as_bytes()).rstrip(b"\r\n") + b"\r\n.\r\n"


def one_line(text: str) -> str:
    """A header is one line: a line break in a merchant's name or a bill's text would begin another one. So would one in an
    encoded word (RFC 2047), which the library reads where it finds it: what looks like the beginning of one is taken apart."""
    printable = "".join(character if character.isprintable() else " " for character in encodable(text))
    return " ".join(printable.replace("=?", "= ?").split())


def encodable(text: str) -> str:
    """Half of a character that UTF-16 writes as two is none, and cannot be sent."""
    return text.encode(errors="replace").decode()


def _require(code: int, wanted: int, what: str, cure: str = "see to SMTP_URL") -> None:
    if code != wanted:
        passes = 400 <= code < 500
        words = f"the mail server answered {code} to {what}"
        raise TextDelayed(words if passes else f"{words}: {cure}", is_account=not passes)


def _refusal(code: int, what: str) -> TextDelayed | TextRefused:
    words = f"the mail server answered {code} to {what}"
    return TextDelayed(words) if 400 <= code < 500 else TextRefused(words)


class LimitedSmtp(smtplib.SMTP):
    """Whoever reads from it when its time is up reads its end: the library's own timeout begins anew with each byte."""

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        self.limit = _limit(self)
        return super().connect(host, port, source_address)


class LimitedSmtps(smtplib.SMTP_SSL):
    """The same in TLS from the first byte."""

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        self.limit = _limit(self)
        return super().connect(host, port, source_address)


def _limit(smtp: smtplib.SMTP) -> threading.Timer:
    limit = threading.Timer(LIMIT_S, lambda: _cut(smtp))
    limit.daemon = True
    limit.start()
    return limit


def _cut(smtp: smtplib.SMTP) -> None:
    with contextlib.suppress(OSError):
        if smtp.sock is not None:
            smtp.sock.shutdown(socket.SHUT_RDWR)
