"""What a WSGI application is given of a request (PEP 3333), and what becomes of its answer."""

import asyncio
import io
from typing import Any

import pytest
from flask import Flask, Response, request

from ivr.web.wsgi import ONCE_SENT, STREAM, WsgiInThreads, environ, read_body

SCOPE: dict[str, Any] = {
    "method": "POST",
    "path": "/twilio/voice/él",
    "query_string": b"seq=1",
    "http_version": "1.1",
    "scheme": "http",
    "server": ("127.0.0.1", 8000),
    "client": ("203.0.113.9", 40000),
    "headers": [(b"host", b"pay.example.com"), (b"content-type", b"text/plain"), (b"content-length", b"999")],
    "state": {"target": b"/twilio/voice/%C3%A9l?seq=1"},
}


def scope(*headers: tuple[bytes, bytes]) -> Any:
    return SCOPE | {"headers": [*SCOPE["headers"], *headers]}


def test_path_query_and_target_are_as_the_standard_has_them():
    variables = environ(scope(), io.BytesIO(b"abc"))
    assert variables["PATH_INFO"] == "/twilio/voice/él".encode().decode("latin-1")
    assert (variables["QUERY_STRING"], variables["REQUEST_URI"]) == ("seq=1", "/twilio/voice/%C3%A9l?seq=1")
    assert (variables["HTTP_HOST"], variables["CONTENT_TYPE"]) == ("pay.example.com", "text/plain")
    assert variables["REMOTE_ADDR"] == "203.0.113.9"


def test_the_length_is_what_was_read_not_what_was_said():
    assert environ(scope(), io.BytesIO(b"abc"))["CONTENT_LENGTH"] == "3"


def test_a_header_sent_twice_is_joined_and_one_with_an_underscore_is_dropped():
    variables = environ(scope((b"x-a", b"1"), (b"x-a", b"2"), (b"x_forwarded_for", b"127.0.0.1")), io.BytesIO())
    assert variables["HTTP_X_A"] == "1,2"
    assert "HTTP_X_FORWARDED_FOR" not in variables


def messages(*bodies: bytes, left: bool = False) -> Any:
    found = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    found.append({"type": "http.disconnect"} if left else {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Any:
        return found.pop(0)

    return receive


def test_a_body_in_pieces_is_read_as_one():
    body = asyncio.run(read_body(messages(b"Digits=", b"1")))
    assert body is not None
    assert body.read() == b"Digits=1"


@pytest.mark.parametrize(("left", "answered"), [(False, True), (True, False)])
def test_a_complete_request_is_answered_and_wiped_and_one_that_was_left_is_not_begun(left: bool, answered: bool):
    app, sent, seen = Flask("test"), [], []

    @app.post("/<path:name>")
    def take(name: str) -> Response:
        seen.append(request.stream)
        return Response(request.get_data(), 201, {"X-Name": "a"})

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(WsgiInThreads(app, 1)(scope(), messages(b"4111", left=left), send))
    assert bool(sent) == answered
    if answered:
        assert (sent[0]["status"], sent[1]["body"]) == (201, b"4111")
        assert (b"x-name", b"a") in sent[0]["headers"]
        seen[0].seek(0)
        assert seen[0].read() == b"\0\0\0\0"
    else:
        assert seen == []


@pytest.mark.parametrize("has_left", [False, True])
def test_what_is_to_be_done_once_the_answer_is_sent_is_done_then_and_only_then(has_left: bool):
    happened: list[str] = []

    def application(variables: Any, start: Any) -> list[bytes]:
        variables[ONCE_SENT].append(lambda: happened.append("noted"))
        start("200 OK", [])
        return [b"ok"]

    async def send(message: Any) -> None:
        happened.append(message["type"])

    state = SCOPE["state"] | {"has_left": lambda: has_left}
    asyncio.run(WsgiInThreads(application, 1)(scope() | {"state": state}, messages(b""), send))
    assert happened == ["http.response.start", "http.response.body", *([] if has_left else ["noted"])]


# ---- answers that go on


class Counting:
    """Says these parts, one after the other."""

    every_s = 0.0

    def __init__(self, *parts: bytes | None) -> None:
        self.parts, self.closed = list(parts), 0

    def more(self) -> bytes | None:
        return self.parts.pop(0)

    def close(self) -> None:
        self.closed += 1


def streamed(stream: Counting, *, leaves: bool = False, server_ends: bool = False) -> list[dict[str, Any]]:
    """What is sent of an answer that goes on with it. `leaves`: the client is gone once the first part was sent;
    `server_ends`: the server is told to end then."""
    app, sent = Flask(__name__), []

    @app.post("/twilio/voice/<name>")
    def begin(name: str) -> Response:
        request.environ[STREAM].append(stream)
        return Response("first ", mimetype="text/event-stream")

    left, ends = asyncio.Event(), asyncio.Event()
    requests = messages()

    async def receive() -> Any:
        try:
            return await requests()
        except IndexError:
            await left.wait()
            return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if leaves and message.get("body"):
            left.set()
        if server_ends and message.get("body"):
            ends.set()

    state = SCOPE["state"] | {"server_ends": ends}
    asyncio.run(WsgiInThreads(app, 1)(SCOPE | {"state": state}, receive, send))
    return sent


def test_an_answer_goes_on_until_it_says_that_it_has_ended():
    stream = Counting(b"second ", b"", b"third", None)
    start, *bodies = streamed(stream)
    assert [body["body"] for body in bodies] == [b"first ", b"second ", b"third", b""]
    assert [body["more_body"] for body in bodies] == [True, True, True, False]
    assert b"content-length" not in dict(start["headers"])
    assert stream.closed == 1


def test_an_answer_whose_client_has_left_is_asked_for_no_more():
    stream = Counting(*[b"more"] * 3)
    stream.every_s = 60.0
    streamed(stream, leaves=True)
    assert stream.parts == [b"more"] * 3
    assert stream.closed == 1


def test_an_open_answer_does_not_keep_the_server_from_its_end():
    stream = Counting(*[b"more"] * 3)
    stream.every_s = 60.0
    sent = streamed(stream, server_ends=True)
    assert stream.parts == [b"more"] * 3
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
    assert stream.closed == 1


def test_a_stream_that_breaks_is_closed():
    stream = Counting()
    with pytest.raises(IndexError):
        streamed(stream)
    assert stream.closed == 1
