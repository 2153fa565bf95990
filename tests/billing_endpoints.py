"""A merchant's billing endpoint to test against: a real HTTP server on loopback that does whatever a test wants of it."""

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.patience import PATIENCE_S


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class BillingServer:
    """`bills`: what GET `/bills/<account>` answers, as JSON. `handle`, where set, does something else instead."""

    bills: dict[str, object] = field(default_factory=dict)
    handle: Handler | None = None
    status_of_notices: int = 204
    requests: list[Request] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"
    changed: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/bills"

    @property
    def notices(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]

    def until(self, reached: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(reached, PATIENCE_S), "the billing server never saw it"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await read_request(reader)
                with self.changed:
                    self.requests.append(request)
                    self.changed.notify_all()
                await (self.handle or self.answer)(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        account = request.path.rpartition("/")[2]
        if request.method == "POST":
            write(writer, self.status_of_notices)
        elif account in self.bills:
            write(writer, 200, json.dumps(self.bills[account]).encode())
        else:
            write(writer, 404)


async def read_request(reader: asyncio.StreamReader) -> Request:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    return Request(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


def write(writer: asyncio.StreamWriter, status: int, body: bytes = b"", head: str = "") -> None:
    length = "" if status == 204 else f"Content-Length: {len(body)}\r\n"
    writer.write(f"HTTP/1.1 {status} X\r\n{length}{head}\r\n".encode() + body)


def answering(status: int, body: bytes = b"", head: str = "") -> Handler:
    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        write(writer, status, body, head)

    return handle


async def hang(request: Request, writer: asyncio.StreamWriter) -> None:
    """Takes the request and never says a word."""
    await asyncio.Event().wait()


@contextmanager
def billing_server(tls: ssl.SSLContext | None = None) -> Iterator[BillingServer]:
    loop, server = asyncio.new_event_loop(), BillingServer(scheme="https" if tls else "http")
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(
        asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls), loop
    ).result(60)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(listening), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
        loop.close()


async def stop(listening: asyncio.Server) -> None:
    listening.close()
    serving = asyncio.all_tasks() - {asyncio.current_task()}
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)
