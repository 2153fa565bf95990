"""What the simulator makes of requests that no client of ours would send."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ivr.bank.tonetill import TonetillBank
from ivr.bank.tonetill.client import authorization_body
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank
from tests.patience import PATIENCE_S


@pytest.fixture
def connection(bank_process: RunningBank) -> Iterator[http.client.HTTPSConnection]:
    context = ssl.create_default_context(cafile=bank_process.settings.ca)
    context.load_cert_chain(bank_process.settings.client_certificate, bank_process.settings.client_key)
    host, port = bank_process.url.removeprefix("https://").split(":")
    with closing(http.client.HTTPSConnection(host, int(port), context=context, timeout=PATIENCE_S)) as opened:
        yield opened


def ask(
    connection: http.client.HTTPSConnection, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, dict]:
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def test_it_says_that_it_is_well(connection) -> None:
    assert ask(connection, "GET", "/healthz") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/v1/authorizations/"), ("GET", "/v1/authorizations/a/reversal"), ("GET", "/v1/authorizations/%00"),
     ("POST", "/"), ("POST", "/v1/authorizations/a"), ("POST", f"/v1/authorizations/{'a' * 200}/reversal")],
)  # fmt: skip
def test_what_is_not_there_is_404_and_the_connection_lives_on(connection, method: str, path: str) -> None:
    status, body = ask(connection, method, path)
    assert (status, set(body)) == (404, {"error"})
    assert ask(connection, "GET", "/healthz")[0] == 200


def test_a_large_body_is_refused_unread(connection) -> None:
    connection.putrequest("POST", "/v1/authorizations")
    connection.putheader("Content-Length", str(10_000_000))
    connection.endheaders()
    assert connection.getresponse().status == 413


@pytest.mark.parametrize("length", ["-1", "x", "１"])
def test_a_length_that_is_none_is_refused(connection, length: str) -> None:
    connection.putrequest("POST", "/v1/authorizations")
    connection.putheader("Content-Length", length.encode())
    connection.endheaders()
    assert connection.getresponse().status == 413


@pytest.mark.parametrize(
    "change",
    [{"amount": {"minor": 0, "currency": "USD"}}, {"amount": {"minor": "100", "currency": "USD"}},
     {"amount": {"minor": 1.5, "currency": "USD"}}, {"amount": {"minor": 100, "currency": "usd"}}, {"amount": 100},
     {"reference": ""}, {"reference": "a/b"}, {"reference": "a" * 200}, {"moto": "yes"}, {"more": 1}, {"sealed": []},
     {"sealed": {"card_number": 1}}, {"sealed": {"card_number": "a" * 10_000}}],
)  # fmt: skip
def test_a_malformed_authorization_is_refused_and_not_booked(
    connection, bank_keys: BankKeys, bank_process: RunningBank, change: dict[str, object]
) -> None:
    request = new_request(bank_keys.vault())
    body = json.dumps(authorization_body(request) | change).encode()
    status, answer = ask(connection, "POST", "/v1/authorizations", body, Idempotency_Key="k")
    assert (status, set(answer)) == (400, {"error"})
    assert bank_process.entry(request.reference) is None


def test_an_authorization_needs_a_key(connection, bank_keys: BankKeys, bank_process: RunningBank) -> None:
    request = new_request(bank_keys.vault())
    status, answer = ask(connection, "POST", "/v1/authorizations", json.dumps(authorization_body(request)).encode())
    assert (status, answer) == (400, {"error": "an Idempotency-Key of 1 to 255 characters is needed"})
    assert bank_process.entry(request.reference) is None


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=5), lambda x: st.dictionaries(
        st.sampled_from(["reference", "merchant", "call", "amount", "moto", "sealed"]), x), max_leaves=8,
).map(lambda tree: json.dumps(tree).encode()))  # fmt: skip
def test_any_body_gets_a_refusal_that_does_not_quote_it(connection, body: bytes) -> None:
    status, answer = ask(connection, "POST", "/v1/authorizations", body, Idempotency_Key="k")
    assert (status, set(answer)) == (400, {"error"})


def test_one_that_stalls_keeps_nobody_out(bank: TonetillBank, bank_process: RunningBank) -> None:
    host, port = bank_process.url.removeprefix("https://").split(":")
    with socket.create_connection((host, int(port))) as stalled:
        stalled.sendall(b"\x16")
        assert bank.inquire("nothing").outcome == "not_found"


def test_many_threads_share_a_client_and_each_charge_is_booked_once(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    requests = [new_request(bank_keys.vault()) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(bank.authorize, requests * 3))
    assert {bank.inquire(request.reference).outcome for request in requests} == {"approved"}
    booked = [entry.reference for entry in bank_process.entries()]
    assert all(booked.count(request.reference) == 1 for request in requests)
