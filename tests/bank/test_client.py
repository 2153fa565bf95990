"""What the client makes of a bank that is absent, is somebody else, or answers badly."""

import json
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from ivr.bank import Bank, BankAnswer
from ivr.bank.certificates import Issuer, Use, issue
from ivr.bank.dev_keys import make_development_keys, new_tls_key, pem, private_pem
from ivr.bank.simulator import BankSimulator
from ivr.bank.tonetill import TonetillBank
from ivr.bank.tonetill.answers import AUTHORIZATION_OUTCOMES, INQUIRY_OUTCOMES, read_answer
from ivr.errors import ConfigError
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank
from tests.patience import PATIENCE_S


def ask(settings) -> BankAnswer:
    with TonetillBank(settings) as bank:
        return bank.inquire("r-1")


@contextmanager
def free_port() -> Iterator[int]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        yield held.getsockname()[1]


@contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one connection, which `serve` handles."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)

        def run() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE_S)
                serve(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


def test_the_client_is_a_bank(bank: TonetillBank) -> None:
    as_bank: Bank = bank
    assert as_bank.inquire("never-heard-of").outcome == "not_found"


# ---- nothing has left: it may be sent again


def test_a_refused_connection_sent_nothing(bank_keys: BankKeys) -> None:
    with free_port() as port:
        answer = ask(bank_keys.settings(f"https://127.0.0.1:{port}"))
    assert answer == BankAnswer("not_sent", "r-1", reason="ConnectError connection refused")


def test_an_unknown_host_was_sent_nothing(bank_keys: BankKeys) -> None:
    assert ask(bank_keys.settings("https://no-such-bank.invalid")).outcome == "not_sent"


def test_a_handshake_that_stalls_sent_nothing(bank_keys: BankKeys) -> None:
    with listener(lambda connection: connection.recv(1) and None) as url:
        # It has read a byte of our greeting and says nothing more.
        settings = bank_keys.settings(url, connect_timeout="100ms")
        assert ask(settings).outcome == "not_sent"


def test_a_bank_that_closes_during_the_handshake_was_sent_nothing(bank_keys: BankKeys) -> None:
    with listener(lambda connection: None) as url:
        assert ask(bank_keys.settings(url)).outcome == "not_sent"


def test_a_connection_that_is_reset_before_the_handshake_begins_was_sent_nothing(
    bank_keys: BankKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's `ssl` makes of it, as of one that never stood, a socket without a handshake and no error."""
    connect = httpcore.SyncBackend.connect_tcp

    def reset_at_once(*arguments: Any) -> httpcore.NetworkStream:
        stream = connect(*arguments)
        stream.close()
        return type(stream)(socket.socket())  # type: ignore[call-arg]

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", reset_at_once)
    with listener(lambda connection: None) as url:
        assert ask(bank_keys.settings(url)).outcome == "not_sent"


def test_a_server_of_another_authority_is_told_nothing(bank_keys: BankKeys, tmp_path: Path) -> None:
    stranger = BankKeys(tmp_path / "stranger")
    make_development_keys(stranger.keys, stranger.bank)
    with BankSimulator(stranger.bank) as simulator:
        answer = ask(bank_keys.settings(simulator.url))
        assert simulator.books.find("r-1") is None
    assert (answer.outcome, answer.reason) == ("not_sent", "ConnectError self-signed certificate in certificate chain")


def test_a_bank_whose_certificate_expired_is_told_nothing(own_keys: BankKeys) -> None:
    server = own_keys.bank / "server.crt"
    reissue(own_keys, server, "server", datetime.now(UTC) - timedelta(days=400))
    with BankSimulator(own_keys.bank) as simulator:
        answer = ask(own_keys.settings(simulator.url))
    assert (answer.outcome, answer.reason) == ("not_sent", "ConnectError certificate has expired")


def test_a_bank_under_another_name_is_told_nothing(bank_keys: BankKeys, bank_process: RunningBank) -> None:
    answer = ask(bank_keys.settings(bank_process.url.replace("127.0.0.1", "127.0.0.2")))
    assert answer.outcome == "not_sent"


# ---- it may have arrived: unknown


def test_a_refused_client_certificate_is_unknown_and_books_nothing(
    own_keys: BankKeys, bank_process: RunningBank, tmp_path: Path
) -> None:
    stranger = BankKeys(tmp_path / "stranger")
    make_development_keys(stranger.keys, stranger.bank)
    for name in ("client.crt", "client.key"):
        shutil.copy(stranger.keys / name, own_keys.keys / name)
    request = new_request(own_keys.vault())
    with TonetillBank(own_keys.settings(bank_process.url)) as client:
        answer = client.authorize(request)
    assert answer.outcome == "unknown"
    assert bank_process.entry(request.reference) is None


def test_a_client_without_certificate_gets_no_answer_at_all(bank_process: RunningBank) -> None:
    context = ssl.create_default_context(cafile=bank_process.settings.ca)
    host, port = bank_process.url.removeprefix("https://").split(":")
    with (
        socket.create_connection((host, int(port)), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        assert answer_on(secured) == b""


def answer_on(secured: ssl.SSLSocket) -> bytes:
    """The refusal is an alert or a reset, whichever is noticed first."""
    try:
        secured.sendall(b"GET /healthz HTTP/1.1\r\nHost: bank\r\n\r\n")
        return secured.recv(1)
    except OSError:
        return b""


def test_an_answer_that_drips_is_given_up_in_time(own_keys: BankKeys) -> None:
    """Each byte comes well within the read timeout; together they would take minutes."""
    finished = threading.Event()

    def drip(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        while not finished.wait(0.05):
            connection.sendall(b" ")

    with tls_listener(own_keys, drip) as url:
        answer = ask(own_keys.settings(url, read_timeout="300ms"))
        finished.set()
    assert (answer.outcome, answer.reason) == ("unknown", "ReadTimeout")


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_headers_that_drip_are_held_to_the_same_time(own_keys: BankKeys, start: bytes) -> None:
    """Each byte comes well within the read timeout; a header of theirs would never end."""
    finished = threading.Event()

    def drip(connection: ssl.SSLSocket) -> None:
        connection.sendall(start)
        while not finished.wait(0.05):
            connection.sendall(b"a" if start.endswith(b": ") else b"HTTP/1.1 100 Continue\r\n\r\n")

    with tls_listener(own_keys, drip) as url:
        answer = ask(own_keys.settings(url, read_timeout="300ms"))
        finished.set()
    assert (answer.outcome, answer.reason) == ("unknown", "ReadTimeout")


def test_a_request_that_the_bank_does_not_read_is_given_up_in_time(own_keys: BankKeys) -> None:
    """More than the buffers between us hold, so that writing it waits for the bank."""
    finished = threading.Event()
    request = replace(new_request(own_keys.vault()), sealed={"card_number": "x" * 50_000_000})
    with tls_listener(own_keys, lambda connection: finished.wait(10) and None) as url:
        with TonetillBank(own_keys.settings(url, read_timeout="300ms")) as bank:
            answer = bank.authorize(request)
        finished.set()
    assert (answer.outcome, answer.reason) == ("unknown", "WriteTimeout")


def test_an_answer_that_does_not_end_is_given_up(own_keys: BankKeys) -> None:
    def flood(connection: ssl.SSLSocket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + b" " * 200_000)

    with tls_listener(own_keys, flood) as url:
        answer = ask(own_keys.settings(url, read_timeout="5s"))
    assert (answer.outcome, answer.reason) == ("unknown", "RemoteProtocolError")


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"SIP/2.0 200 OK\r\n\r\n",
    ],
)
def test_what_is_not_the_banks_own_answer_is_unknown(own_keys: BankKeys, response: bytes) -> None:
    def answer_so(connection: ssl.SSLSocket) -> None:
        connection.sendall(response)

    with tls_listener(own_keys, answer_so) as url:
        assert ask(own_keys.settings(url)).outcome == "unknown"


@contextmanager
def tls_listener(keys: BankKeys, serve: Callable[[ssl.SSLSocket], None]) -> Iterator[str]:
    """The bank's certificate, and one connection on which anything may be answered."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys.bank / "server.crt", keys.bank / "server.key")

    def run(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            try:
                serve(secured)
            except OSError:
                return  # the client has had enough

    with listener(run) as url:
        yield url


# ---- reading an answer


def test_an_answer_is_read() -> None:
    body = {"reference": "r-1", "outcome": "approved", "response_code": "00", "authorization_code": "123456"}
    assert read_answer("r-1", 200, json.dumps(body).encode(), AUTHORIZATION_OUTCOMES) == BankAnswer(
        "approved", "r-1", "00", "123456"
    )


@pytest.mark.parametrize(
    ("status", "change"),
    [
        (500, {}),
        (502, {}),
        (409, {}),
        (200, {"reference": "r-2"}),
        (200, {"reference": None}),
        (200, {"outcome": "reversed"}),
        (200, {"outcome": "Approved"}),
        (200, {"outcome": ["approved"]}),
        (200, {"outcome": {}}),
        (202, {}),
        (400, {}),
        (402, {}),
        (404, {}),
        (404, {"outcome": "declined"}),
    ],
)
def test_an_answer_to_something_else_is_unknown(status: int, change: dict[str, object]) -> None:
    body = {"reference": "r-1", "outcome": "approved", "response_code": "00", "authorization_code": "1"} | change
    assert read_answer("r-1", status, json.dumps(body).encode(), AUTHORIZATION_OUTCOMES).outcome == "unknown"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
answers = st.dictionaries(
    st.sampled_from(["reference", "outcome", "response_code", "authorization_code"]),
    st.sampled_from(["r-1", "approved", "00"]) | json_values,
)


@given(
    status=st.integers(100, 599), content=st.binary(max_size=60) | answers.map(lambda body: json.dumps(body).encode())
)
def test_whatever_comes_back_is_an_outcome(status: int, content: bytes) -> None:
    answer = read_answer("r-1", status, content, INQUIRY_OUTCOMES)
    assert answer.outcome in INQUIRY_OUTCOMES
    if answer.outcome != "unknown":
        assert json.loads(content)["outcome"] == answer.outcome
        assert status < 500


# ---- our own files


def reissue(keys: BankKeys, file: Path, use: Use, now: datetime) -> None:
    """A certificate of the same authority, as it was issued at that time."""
    authority = load_pem_private_key((keys.bank / "ca.key").read_bytes(), password=None)
    assert isinstance(authority, ec.EllipticCurvePrivateKey)
    key = new_tls_key()
    file.write_bytes(pem(issue("localhost", use, key, Issuer("Tonetill development authority", authority), now)))
    file.with_suffix(".key").write_bytes(private_pem(key))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("client.crt", r"client.crt: no such file or directory; .*what the bank issued you; .*set-up"),
        ("client.key", r"client.key: no such file or directory; they must be a certificate and its own key"),
        ("bank-ca.crt", r"bank-ca.crt: no such file or directory; `ca` must be the bank's authority"),
    ],
)
def test_a_missing_file_is_named_with_its_cure(own_keys: BankKeys, name: str, says: str) -> None:
    (own_keys.keys / name).unlink()
    with pytest.raises(ConfigError, match=says):
        TonetillBank(own_keys.settings("https://127.0.0.1:1"))


@pytest.mark.parametrize("name", ["client.crt", "client.key", "bank-ca.crt"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff\x00"])
def test_a_file_of_something_else_is_named(own_keys: BankKeys, name: str, content: bytes) -> None:
    (own_keys.keys / name).write_bytes(content)
    with pytest.raises(ConfigError, match=name):
        TonetillBank(own_keys.settings("https://127.0.0.1:1"))


def test_a_key_of_another_certificate_is_told(own_keys: BankKeys) -> None:
    (own_keys.keys / "client.key").write_bytes(private_pem(new_tls_key()))
    with pytest.raises(
        ConfigError, match=r"client.key: key values mismatch; they must be a certificate and its own key"
    ):
        TonetillBank(own_keys.settings("https://127.0.0.1:1"))


def test_our_own_expired_certificate_is_told_with_its_day(own_keys: BankKeys) -> None:
    reissue(own_keys, own_keys.keys / "client.crt", "client", datetime(2024, 1, 1, tzinfo=UTC))
    with pytest.raises(
        ConfigError, match=r"client.crt: our certificate expired on 2024-12-31; ask the bank for a new one"
    ):
        TonetillBank(own_keys.settings("https://127.0.0.1:1"))


def test_an_encrypted_key_is_told_and_nobody_is_asked_for_a_password(own_keys: BankKeys) -> None:
    locked = new_tls_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    (own_keys.keys / "client.key").write_bytes(locked)
    with pytest.raises(ConfigError, match="unencrypted PEM"):
        TonetillBank(own_keys.settings("https://127.0.0.1:1"))
