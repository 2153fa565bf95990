"""The documented nginx and Caddy before the real web process: what passes, what does not, what a caller hears without it."""

import shutil
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from ivr.testing.twilio import Application, TwilioCall
from tests.bank_process import BankKeys
from tests.web.fronts import FALLBACK, FRONTS, INSTALL, client, front
from tests.web.servers import TOKEN, end, free_port, pay, running

PUBLIC = "https://pay.example.com"
STATUS = "/twilio/status"


@pytest.fixture(params=sorted(FRONTS))
def kind(request: pytest.FixtureRequest) -> str:
    if shutil.which(request.param) is None:
        pytest.skip(f"no {request.param} here: {INSTALL}")
    return request.param


def test_a_call_is_paid_through_it_and_a_caller_hears_what_to_do_when_the_web_process_is_away(
    tmp_path: Path, bank_keys: BankKeys, kind: str
):
    with ExitStack() as started:
        server = started.enter_context(running(tmp_path, bank_keys, public_url=PUBLIC, web_workers="1"))
        url = started.enter_context(FRONTS[kind](tmp_path, server.address[1]))
        with client(url) as http:
            application = Application(http, f"{url}/twilio/voice/pay-a-bill", TOKEN, PUBLIC, STATUS)
            reply = pay(TwilioCall(application), "20000005", "4111111111111111")
            assert "Paid. Confirmation" in " ".join(heard.words for heard in reply.heard)
            for path in ("/", "/latest", "/metrics"):
                assert http.get(path).status_code == 404
            assert http.get("/healthz").text == "ok\n"
            assert http.post(STATUS, data={"CallSid": "CA"}).status_code == 403
            assert http.post("/twilio/fallback", data={"CallSid": "CA"}).content == FALLBACK
            end(server.process)
            answer = http.post("/twilio/voice/pay-a-bill", data={"CallSid": "CA"})
            assert (answer.status_code, answer.content) == (200, FALLBACK)
            assert answer.headers["content-type"].startswith("text/xml")


@pytest.mark.skipif(shutil.which("nginx") is None, reason=f"no nginx here: {INSTALL}")
def test_where_a_worker_dies_with_a_webhook_nginx_asks_once_more(tmp_path: Path):
    bodies: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=die_first, args=(listener, bodies), daemon=True).start()
        with FRONTS["nginx"](tmp_path, listener.getsockname()[1]) as url, client(url) as http:
            answer = http.post("/twilio/voice/pay-a-bill", data={"CallSid": "CA", "Digits": "1"})
    assert (answer.status_code, answer.text) == (200, "told")
    assert bodies == [b"CallSid=CA&Digits=1"] * 2


def die_first(listener: socket.socket, bodies: list[bytes]) -> None:
    """Two connections: one reads its request and is gone, the other answers."""
    for answer in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntold"):
        connection, _ = listener.accept()
        with connection:
            read = b""
            while b"Digits=1" not in read:
                read += connection.recv(4096)
            bodies.append(read.partition(b"\r\n\r\n")[2])
            connection.sendall(answer)


@pytest.mark.skipif(shutil.which("nginx") is None, reason=f"no nginx here: {INSTALL}")
def test_an_nginx_that_passes_everything_on_shows_neither_page_nor_metrics(tmp_path: Path, bank_keys: BankKeys):
    """The shortest configuration there is: it sends `Host: 127.0.0.1:<port>` and no X-Forwarded-For."""
    with ExitStack() as started:
        server = started.enter_context(running(tmp_path, bank_keys, web_workers="1"))
        url = started.enter_context(plain_nginx(tmp_path, free_port(), server.address[1]))
        with client(url) as http:
            assert http.get("/healthz").text == "ok\n"
            assert {http.get(path).status_code for path in ("/", "/latest", "/metrics")} == {404}


def plain_nginx(folder: Path, port: int, upstream: int):
    (folder / "nginx.conf").write_text(
        f"daemon off; pid nginx.pid; error_log error.log; events {{}} http {{ access_log off; "
        f"client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s; "
        f"server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }} }}"
    )
    return front(["nginx", "-p", str(folder), "-e", "error.log", "-c", "nginx.conf"], folder, port, scheme="http")
