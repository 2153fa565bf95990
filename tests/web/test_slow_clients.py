"""The web process among clients that are slow, silent or speak another protocol: nobody else notices them."""

import resource
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ivr.places import SHIPPED as ROOT
from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S
from tests.web.servers import WEB, Server, answers, pay, prepare, running, until
from tests.web.slow_clients import (
    KINDS,
    SLOW_BODIES,
    SLOW_HEADERS,
    SlowClients,
    held_http2,
    opened,
    prior_knowledge_http2,
)

CARD = "4111111111111111"
READ_S = "3"
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory, bank_keys: BankKeys) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("web"), bank_keys, web_read_s=READ_S, web_workers="1") as server:
        yield server


def test_slow_and_silent_clients_stop_neither_health_nor_a_paying_caller(web: Server):
    slow = SlowClients(web.address, 200, SLOW_BODIES), SlowClients(web.address, 200, SLOW_HEADERS)
    with slow[0], slow[1], SlowClients(web.address, 400, ["silent"]), held_http2(web.address):
        assert web.get("/healthz").text == "ok\n"
        reply = pay(web.call(1), "20000001", CARD)
        assert "Paid. Confirmation" in " ".join(heard.words for heard in reply.heard)
        assert sum(money.minor for money in web.bank.charged.values()) == 4250
    assert web.get("/readyz").text == "ready\n"


def test_a_request_that_takes_too_long_in_all_is_ended_however_it_drips(web: Server):
    connections = {opened(web.address, slow.opening): slow for slow in KINDS.values()}
    answers: list[bytes] = []
    deadline = time.monotonic() + PATIENCE_S
    while connections and time.monotonic() < deadline:
        ended, _, _ = select.select(list(connections), [], [], 0.1)
        for connection in ended:
            answers.append(read_to_the_end(connection))
            del connections[connection]
        for connection, slow in connections.items():
            with suppress(ConnectionError):
                connection.send(slow.drop)
    assert connections == {}
    assert sum(answer.startswith(b"HTTP/1.1 408 ") for answer in answers) >= len(SLOW_BODIES + SLOW_HEADERS) // 2
    assert {answer[:13] for answer in answers} <= {b"", b"HTTP/1.1 408 "}


def read_to_the_end(connection: socket.socket) -> bytes:
    connection.settimeout(60)
    found = b""
    with connection, suppress(ConnectionResetError):
        while data := connection.recv(4096):
            found += data
    return found


def test_http2_by_prior_knowledge_is_refused(web: Server):
    assert len(prior_knowledge_http2()) == 375
    assert read_to_the_end(opened(web.address, prior_knowledge_http2())).startswith(b"HTTP/1.1 400 ")
    assert web.get("/healthz").text == "ok\n"


def test_a_kept_connection_is_ended_when_nothing_more_comes_or_only_a_part(web: Server):
    kept = [opened(web.address, HEALTH + more) for more in (b"", b"GET /hea", b"\r\n")]
    for connection in kept:
        assert read_to_the_end(connection).count(b"ok\n") == 1


def test_two_requests_sent_at_once_are_both_answered(web: Server):
    last = HEALTH.replace(b"Host", b"Connection: close\r\nHost")
    assert read_to_the_end(opened(web.address, HEALTH + last)).count(b"ok\n") == 2


@pytest.mark.parametrize(
    "start", [b"POST /healthz HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n", b"GET /healthz HTTP/1.1\r\nX: "]
)
def test_a_request_that_is_too_large_is_refused_before_it_has_been_read(web: Server, start: bytes):
    answers: list[bytes] = []
    # On a busy machine the time that a request may take is over before so much of it has come.
    until(lambda: answers.append(answer_to_a_flood(web, start)) or not answers[-1].startswith(b"HTTP/1.1 408 "))
    assert answers[-1] == b"" or answers[-1].startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 400 "))


def answer_to_a_flood(web: Server, start: bytes) -> bytes:
    connection = opened(web.address, start)
    connection.settimeout(60)
    with pytest.raises(ConnectionError):
        connection.sendall(b"x" * 100_000_000)
    return read_to_the_end(connection)


def test_more_silent_clients_than_descriptors_stop_nobody(tmp_path: Path, bank_keys: BankKeys):
    """With 128 descriptors a worker has few places; whoever came first and sent nothing makes room."""

    def few_descriptors() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))

    limited = running(tmp_path, bank_keys, limit=few_descriptors, web_workers="1", web_read_s="60")
    with limited as server, SlowClients(server.address, 300, ["silent", *SLOW_BODIES]):
        assert server.get("/healthz").text == "ok\n"
        assert pay(server.call(3), "20000003", CARD).state == "over"
        assert len(server.bank.charged) == 1


def test_a_worker_that_dies_is_started_again_and_workers_end_with_their_supervisor(tmp_path: Path, bank_keys: BankKeys):
    with running(tmp_path, bank_keys, web_workers="1") as server:
        line = server.call(4)
        line.begin()
        first = {worker.pid for worker in server.workers()}
        assert len(first) == 1
        for worker in server.workers():
            worker.send_signal(signal.SIGKILL)
        until(lambda: len({worker.pid for worker in server.workers()} - first) == 1)
        until(lambda: answers(server))
        assert "account" in " ".join(heard.words for heard in line.press("1").heard)
        workers = server.workers()
        server.process.kill()
        _, alive = psutil.wait_procs(workers, timeout=PATIENCE_S)
        assert alive == []


def test_what_is_wrong_at_start_is_one_line(tmp_path: Path, bank_keys: BankKeys):
    """A worker finds it, after the supervisor has begun to listen."""
    _, environment = prepare(tmp_path, bank_keys, banks=str(tmp_path / "none.yaml"))
    done = subprocess.run(
        WEB, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 2
    assert "none.yaml" in done.stderr
    assert "Traceback" not in done.stderr
