"""Receipts by e-mail through a real mail server: what is sent, tried again, refused, and shown to the operator."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from urllib.parse import quote

import pytest

from ivr.calls.emailing import MailServer, emailing, mail_server_of
from ivr.channels.simulator import Clock
from ivr.errors import ConfigError
from ivr.forwarder.process import Forwarder
from ivr.forwarder.smtp_emails import SmtpEmails, email_sender, wire_form
from ivr.forwarder.texts import TRIES_IN_DOUBT
from ivr.settings import Settings, load_settings
from ivr.store import Store, TextMessage
from tests.bank_process import BankKeys
from tests.mail_servers import PASSWORD, USER, MailPeer, mail_server
from tests.store.payments import NOW

ADDRESS = "ann.ek+bills@example.com"
SENDER = "receipts@water.example"
MAIL = "CA1-1-email"


@dataclass
class Post:
    """A queue with one receipt in it, a clock, and a forwarder that does what is due."""

    store: Store
    server: MailServer
    clock: Clock

    def work(self, seconds: float = 0) -> TextMessage:
        self.clock.advance(seconds)
        forwarder = Forwarder(self.store, {}, lambda message: None, now=self.clock, send_email=SmtpEmails(self.server))
        while forwarder.run_once():
            pass
        message = self.store.text_message(MAIL)
        assert message is not None
        return message


@pytest.fixture
def server_tls(bank_keys: BankKeys) -> ssl.SSLContext:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(bank_keys.bank / "server.crt", bank_keys.bank / "server.key")
    return tls


@pytest.fixture
def peer(server_tls: ssl.SSLContext) -> Iterator[MailPeer]:
    with mail_server(starttls=server_tls) as peer:
        yield peer


@pytest.fixture
def post(store: Store, peer: MailPeer, bank_keys: BankKeys) -> Post:
    store.queue_email(MAIL, ADDRESS, "Receipt", "Paid: $42.50\n.\n.hidden\nThank you.", NOW)
    ca = str(bank_keys.keys / "bank-ca.crt")
    return Post(store, MailServer("127.0.0.1", peer.port, SENDER, "Example Wäter", USER, PASSWORD, ca=ca), Clock(NOW))


def test_a_receipt_goes_out_once_over_tls_with_its_words(post: Post, peer: MailPeer):
    sent = post.work()
    assert (sent.is_sent, sent.state, sent.problem) == (True, "sent", None)
    assert post.work(3600) == sent
    (mail,) = peer.mails
    assert (peer.recipients, peer.secured) == ([ADDRESS], [True])
    assert (mail["From"], mail["To"]) == (f"Example Wäter <{SENDER}>", ADDRESS)
    assert (mail["Subject"], mail["Date"].datetime) == ("Receipt", NOW)
    assert mail.get_content().replace("\r\n", "\n") == "Paid: $42.50\n.\n.hidden\nThank you.\n"
    assert mail["Message-ID"].endswith("@water.example>")
    assert post.store.emails_of("CA1") == [sent]
    assert post.store.texts_of("CA1") == []


def test_tls_from_the_first_byte_is_spoken_too(post: Post, server_tls: ssl.SSLContext):
    with mail_server(tls=server_tls) as peer:
        post.server = replace(post.server, port=peer.port, is_tls=True, user="", password="")
        assert post.work().is_sent
        assert len(peer.mails) == 1


@pytest.mark.parametrize("answer", ["550 5.1.1 no such user ann.ek", "552 full", "553 no"])
def test_an_address_that_is_refused_is_not_marked_as_sent_and_not_tried_again(post: Post, peer: MailPeer, answer: str):
    peer.recipient = answer
    refused = post.work()
    assert (refused.is_sent, refused.state) == (False, "refused")
    assert refused.problem == f"the mail server answered {answer[:3]} to the address"
    peer.recipient = ""
    post.work(3600)
    assert peer.mails == []
    assert post.store.email_trouble() is None


def test_a_message_that_is_refused_is_not_marked_as_sent(post: Post, peer: MailPeer):
    peer.message = "554 5.7.1 looks like spam"
    assert post.work().state == "refused"


@pytest.mark.parametrize("step", ["sender", "recipient", "message", "login"])
def test_what_passes_is_tried_again_with_growing_pauses(post: Post, peer: MailPeer, step: str):
    setattr(peer, step, "451 4.7.1 try again later")
    assert post.work().state == "waiting"
    setattr(peer, step, "")
    assert post.store.email_trouble() is None
    assert post.work(0.5).state == "waiting"
    assert post.work(1).is_sent


@pytest.mark.parametrize(
    ("step", "answer", "cure"),
    [("login", "535 5.7.8 no", "user and password in SMTP_URL"), ("sender", "550 5.7.1 not you", "see to SMTP_FROM")],
)
def test_settings_that_are_refused_delay_receipts_until_they_are_mended_and_none_is_promised_meanwhile(
    post: Post, peer: MailPeer, step: str, answer: str, cure: str
):
    setattr(peer, step, answer)
    can_email = emailing(settings(), post.store.email_trouble)
    assert can_email()
    waiting = post.work()
    assert (waiting.is_sent, waiting.state) == (False, "waiting")
    assert cure in str(waiting.problem)
    assert post.store.email_trouble() == waiting.problem
    assert not can_email()
    setattr(peer, step, "")
    assert post.work(600).is_sent
    assert can_email()


def test_a_server_without_tls_or_with_a_certificate_that_nobody_vouches_for_gets_nothing(post: Post, peer: MailPeer):
    with mail_server() as plain:
        post.server = replace(post.server, port=plain.port)
        assert "offers no TLS" in str(post.work().problem)
        assert plain.mails == []
    assert post.store.email_trouble() is not None
    post.server = replace(post.server, port=peer.port, ca="")
    assert "certificate is not trusted" in str(post.work(600).problem)
    assert peer.mails == []


def test_a_server_that_cannot_be_reached_is_tried_again(post: Post, peer: MailPeer):
    post.server = replace(post.server, port=1)
    assert (post.work().state, post.work().problem) == (
        "waiting",
        "the mail server did not answer: ConnectionRefusedError",
    )
    post.server = replace(post.server, port=peer.port)
    assert post.work(60).is_sent


def test_silence_after_the_final_dot_is_tried_again_under_the_same_message_id(post: Post, peer: MailPeer):
    peer.cuts = 1
    doubtful = post.work()
    assert (doubtful.is_sent, doubtful.state) == (False, "waiting")
    assert "may have been taken" in str(doubtful.problem)
    assert post.work(60).is_sent
    first, second = peer.taken
    assert first == second


def test_silence_after_the_final_dot_is_not_tried_for_ever(post: Post, peer: MailPeer):
    peer.cuts = 100
    for _ in range(10):
        last = post.work(60)
    assert (last.state, len(peer.taken)) == ("refused", TRIES_IN_DOUBT)
    assert "may have been taken" in str(last.problem)


@pytest.mark.parametrize(
    "text",
    [
        "Water\r\nBcc: eve@example.com",
        "Water\nBcc: eve@example.com",
        "W\u2028Bcc: e@x.com\0",
        "=?utf-8?q?Hi=0d=0aBcc:_x@evil.com?=",
        "=?utf-8?b?SGkNCkJjYzogeEBldmlsLmNvbQ==?=",
        "half \ud83d",
    ],
)
def test_no_text_of_a_merchant_or_a_bill_begins_another_header(text: str):
    message = TextMessage(
        MAIL, ADDRESS, f"{text}\r\n\r\n.\r\nMAIL FROM:<eve@example.com>", False, "waiting", None, "email", text, NOW
    )
    server = MailServer("127.0.0.1", 25, SENDER, text)
    content = wire_form(server, message)
    head = content.partition(b"\r\n\r\n")[0].decode()
    assert not [line for line in head.split("\r\n") if line.lower().startswith(("bcc", "cc"))]
    assert content.count(b"\r\n.\r\n") == 1
    assert content.endswith(b"\r\n.\r\n")


def test_neither_address_nor_password_is_in_a_problem_or_shown(post: Post, peer: MailPeer):
    peer.recipient = f"550 no {ADDRESS}"
    assert ADDRESS not in str(post.work().problem)
    assert PASSWORD not in repr(post.server)


# ---- settings


def settings(**changed: str) -> Settings:
    url = f"smtp://{USER}:{quote(PASSWORD, safe='')}@mail.example.com:587"
    return load_settings({"SMTP_URL": url, "SMTP_FROM": f"Example Water <{SENDER}>", **changed})


def production(**changed: str) -> Settings:
    return settings(ENVIRONMENT="production", PUBLIC_URL="https://pay.example.com", **changed)


def test_a_mail_server_is_read_from_its_url():
    server = mail_server_of(settings())
    assert server == MailServer("mail.example.com", 587, SENDER, "Example Water", USER, PASSWORD)
    tls = mail_server_of(settings(SMTP_URL="smtps://mail.example.com"))
    assert tls is not None
    assert (tls.port, tls.is_tls, tls.user) == (465, True, "")


def test_tls_is_demanded_but_on_loopback_in_development():
    loopback, elsewhere = "smtp://127.0.0.1:1025", "smtp://mail.example.com"
    found = [
        mail_server_of(chosen)
        for chosen in (settings(SMTP_URL=loopback), settings(SMTP_URL=elsewhere), production(SMTP_URL=loopback))
    ]
    assert [one and one.is_clear for one in found] == [True, False, False]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"SMTP_URL": "mail.example.com"}, "SMTP_URL: expected smtp://"),
        ({"SMTP_URL": "https://mail.example.com"}, "SMTP_URL: expected smtp://"),
        ({"SMTP_URL": "smtp://mail.example.com:port"}, "SMTP_URL: expected smtp://"),
        ({"SMTP_URL": "smtp://mail.example.com/x?y"}, "SMTP_URL: expected smtp://"),
        ({"SMTP_URL": "smtp://user@mail.example.com"}, "a user and a password"),
        ({"SMTP_URL": "smtp://user:a%0d%0aQUIT@mail.example.com"}, "without control characters"),
        ({"SMTP_URL": ""}, "SMTP_FROM is set and SMTP_URL is not"),
        ({"SMTP_FROM": ""}, "SMTP_FROM: needed with SMTP_URL"),
        ({"SMTP_FROM": "Water"}, "SMTP_FROM: needed"),
        ({"SMTP_FROM": "a@example.com\nBcc: b@example.com"}, "SMTP_FROM: needed"),
        ({"SMTP_CA": "/nowhere.pem"}, "SMTP_CA: there is no file"),
    ],
)
def test_a_setting_that_is_wrong_is_told_with_what_is_right(changed: dict[str, str], problem: str):
    with pytest.raises(ConfigError, match=problem):
        mail_server_of(settings(**changed))


def test_a_merchants_name_of_two_lines_is_refused():
    with pytest.raises(ConfigError, match="MERCHANT_NAME: expected one line"):
        settings(MERCHANT_NAME="Water\r\nBcc: eve@example.com")


def test_without_a_server_receipts_are_shown_in_development_and_not_promised_in_production(store: Store):
    nobody = {"SMTP_URL": "", "SMTP_FROM": ""}
    assert emailing(settings(**nobody))()
    assert not emailing(production(**nobody))()
    store.queue_email(MAIL, ADDRESS, "Receipt", "Paid.", NOW)
    for chosen, state in ((settings(**nobody), "kept"), (production(**nobody), "refused")):
        forwarder = Forwarder(store, {}, lambda message: None, now=Clock(NOW), send_email=email_sender(chosen))
        while forwarder.run_once():
            pass
        message = store.text_message(MAIL)
        assert message is not None
        assert message.state == "kept", state
