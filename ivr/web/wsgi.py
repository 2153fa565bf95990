"""A WSGI application behind the event loop: a request is read to its end there, then answered in a thread."""

import asyncio
import io
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.test import run_wsgi_app

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment
    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, HTTPScope

Application = Callable[..., Awaitable[None]]  # ASGI
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
# A list among the WSGI variables, of functions that are called once the answer has been sent. PEP 3333's `close` comes too
# early for that, as all of the answer is read before any of it leaves.
ONCE_SENT = "tonetill.once_sent"
# A list too: with an `AnswerStream` in it, the answer goes on after its first part, for as long as the client stays.
STREAM = "tonetill.stream"


class AnswerStream(Protocol):
    """What an answer goes on with. No thread is kept for it: between two parts it costs a timer."""

    every_s: float

    def more(self) -> bytes | None:
        """Asked in a thread each `every_s`: the next part, nothing (b"") or the end (None)."""
        ...

    def close(self) -> None:
        """Called once, however it ended."""
        ...


class WsgiInThreads:
    """An ASGI application. `threads` answer at once; more complete requests than that wait their turn. WebSockets go to
    `sockets`, an ASGI application of its own; without one they are refused."""

    def __init__(self, application: "WSGIApplication", threads: int, sockets: Application | None = None) -> None:
        self._application = application
        self._sockets = sockets
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="web")

    async def __call__(self, scope: Any, receive: "ASGIReceiveCallable", send: "ASGISendCallable") -> None:
        if scope.get("type") == "websocket":
            await (self._sockets or refuse_socket)(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        loop = asyncio.get_running_loop()
        once_sent: list[Callable[[], object]] = []
        streams: list[AnswerStream] = []
        extra = {ONCE_SENT: once_sent, STREAM: streams}
        status, headers, content = await loop.run_in_executor(self._pool, self._answer, scope, body, extra)
        if streams:
            ends = scope["state"].get("server_ends")
            await self._go_on(streams[0], (status, headers, content), receive, send, ends)
            return
        has_left = scope["state"].get("has_left", bool)()
        await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
        await send({"type": "http.response.body", "body": content, "more_body": False})
        for follow_up in () if has_left else once_sent:
            await loop.run_in_executor(self._pool, follow_up)

    async def _go_on(
        self,
        stream: AnswerStream,
        begun: Answer,
        receive: "ASGIReceiveCallable",
        send: "ASGISendCallable",
        server_ends: asyncio.Event | None,
    ) -> None:
        """Until the stream is over, its client has left, or the server ends: that waits for nothing that never ends by itself."""
        status, headers, content = begun
        loop = asyncio.get_running_loop()
        over: set[asyncio.Future[Any]] = {asyncio.ensure_future(receive())}
        if server_ends is not None:
            over.add(asyncio.ensure_future(server_ends.wait()))
        headers = [header for header in headers if header[0] != b"content-length"]
        try:
            await send({"type": "http.response.start", "status": status, "headers": headers, "trailers": False})
            more: bytes | None = content
            while more is not None:
                if more:
                    await send({"type": "http.response.body", "body": more, "more_body": True})
                done, _ = await asyncio.wait(over, timeout=stream.every_s, return_when=asyncio.FIRST_COMPLETED)
                more = None if done else await loop.run_in_executor(self._pool, stream.more)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            for waiting in over:
                waiting.cancel()
            stream.close()

    def _answer(self, scope: "HTTPScope", body: io.BytesIO, extra: Mapping[str, object]) -> Answer:
        variables = {**environ(scope, body), **extra}
        try:
            chunks, status, headers = run_wsgi_app(self._application, variables, buffered=True)
        finally:
            body.getbuffer()[:] = bytes(len(body.getbuffer()))
        return int(status.split(" ", 1)[0]), list(encoded(headers.items())), b"".join(chunks)


async def refuse_socket(_scope: Any, receive: "ASGIReceiveCallable", send: Any) -> None:
    await receive()
    await send({"type": "websocket.close", "code": 1000})


async def read_body(receive: "ASGIReceiveCallable") -> io.BytesIO | None:
    """None where the client left before the end of its request. Its length has its limit in the connection."""
    body = io.BytesIO()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body.write(message.get("body", b""))
        if not message.get("more_body"):
            body.seek(0)
            return body


def environ(scope: "HTTPScope", body: io.BytesIO) -> "WSGIEnvironment":
    """PEP 3333's variables; a header that was sent twice is joined by commas (RFC 9110 5.3)."""
    host, port = scope["server"] or ("", None)
    variables: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "surrogateescape").decode("latin-1"),
        "REQUEST_URI": scope["state"]["target"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0] if scope["client"] else "",
        "CONTENT_LENGTH": str(len(body.getbuffer())),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in header_variables(scope["headers"]):
        variables[name] = f"{variables[name]},{value}" if name in variables else value
    return variables


def header_variables(headers: Iterable[tuple[bytes, bytes]]) -> Iterable[tuple[str, str]]:
    for name, value in headers:
        variable = name.decode("latin-1").upper().replace("-", "_")
        # An underscore in a header's own name would let a client write over what a proxy sends.
        if variable in ("CONTENT_LENGTH", "TRANSFER_ENCODING") or b"_" in name:
            continue
        yield (variable if variable == "CONTENT_TYPE" else f"HTTP_{variable}"), value.decode("latin-1")


def encoded(headers: Iterable[tuple[str, str]]) -> Iterable[tuple[bytes, bytes]]:
    for name, value in headers:
        yield name.lower().encode("latin-1"), value.encode("latin-1")
