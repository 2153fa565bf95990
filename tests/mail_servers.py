"""A mail server to test against: aiosmtpd on loopback, with TLS, that answers whatever a test wants of it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.patience import PATIENCE_S
from tests.ports import free_port

USER, PASSWORD = "till", "open/sesame"


@dataclass
class MailPeer:
    """`sender`, `recipient`, `message`: answers to MAIL, RCPT and the final dot, where they are not 250. `cuts`: how many
    connections end after the final dot, without an answer, though the message was taken."""

    sender: str = ""
    recipient: str = ""
    message: str = ""
    login: str = ""
    cuts: int = 0
    taken: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    connections: int = 0
    secured: list[bool] = field(default_factory=list)
    port: int = 0

    @property
    def mails(self) -> list[EmailMessage]:
        read: list[Any] = [message_from_bytes(one, policy=default) for one in self.taken]
        return read

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.connections += session.ssl is None
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender:
            return self.sender
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient:
            return self.recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.message:
            return self.message
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(content)
        self.recipients += envelope.rcpt_tos
        self.secured.append(session.ssl is not None)
        if self.cuts:
            self.cuts -= 1
            assert server.transport is not None
            server.transport.abort()
        return "250 OK"

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: Any
    ) -> AuthResult:
        assert isinstance(login, LoginPassword)
        is_right = (login.login, login.password) == (USER.encode(), PASSWORD.encode())
        if self.login or not is_right:
            return AuthResult(success=False, handled=False, message=self.login or None)
        return AuthResult(success=True)


@contextmanager
def mail_server(starttls: ssl.SSLContext | None = None, tls: ssl.SSLContext | None = None) -> Iterator[MailPeer]:
    """STARTTLS is offered, and needed, where it is given; `tls`: from the first byte."""
    server = MailPeer()
    options = {"authenticator": server.authenticate, "auth_require_tls": starttls is not None}
    controller = Controller(
        server,
        hostname="127.0.0.1",
        port=free_port(),
        ssl_context=tls,
        tls_context=starttls,
        require_starttls=starttls is not None,
        ready_timeout=PATIENCE_S,
        **options,
    )
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()
