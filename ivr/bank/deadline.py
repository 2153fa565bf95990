"""Network streams with one deadline for a whole exchange, however the other side hands out its bytes.

An HTTP client's timeouts begin anew with each read, so a bank that drips its headers could hold a worker for hours.
This is httpcore's own extension point, its network backend.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore

PIECE = 16_384  # bytes of one TLS record


class Deadlines:
    """The exchange that a thread has under way: one at a time. Counted by the monotonic clock."""

    def __init__(self, connect_s: float, answer_s: float) -> None:
        self._connect_s, self._answer_s = connect_s, answer_s
        self._of_thread = threading.local()

    @contextmanager
    def exchange(self) -> Iterator[None]:
        self._of_thread.connected_by = time.monotonic() + self._connect_s
        self._of_thread.answered_by = None
        yield

    def left_to_connect(self) -> float:
        left: float = self._of_thread.connected_by - time.monotonic()
        if left <= 0:
            raise httpcore.ConnectTimeout("no connection stood in time")
        return left

    def left_to_answer(self, late: type[Exception]) -> float:
        """From the request's first byte on: writing it, waiting, and reading the entire answer."""
        if self._of_thread.answered_by is None:
            self._of_thread.answered_by = time.monotonic() + self._answer_s
        left: float = self._of_thread.answered_by - time.monotonic()
        if left <= 0:
            raise late("the answer did not end in time")
        return left


class PunctualStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadlines: Deadlines) -> None:
        self._stream, self._deadlines = stream, deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadlines.left_to_answer(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # Piece by piece: the stream below gives each piece of a long request its whole timeout again.
        for start in range(0, len(buffer), PIECE):
            left = self._deadlines.left_to_answer(httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadlines.left_to_connect())
        # Of a connection that the other side has ended already, Python's `ssl` may give back a socket without a handshake, and no
        # error (`SSLSocket._create`, where `getpeername` fails). No request is written to it, so nothing has left.
        if secured.get_extra_info("ssl_object") is None:
            secured.close()
            raise httpcore.ConnectError("the connection broke before its handshake")
        return PunctualStream(secured, self._deadlines)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class PunctualBackend(httpcore.SyncBackend):
    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Every address of the host's in turn, all within one time; the last one's error if none answers."""
        failed: httpcore.ConnectError | httpcore.ConnectTimeout = httpcore.ConnectError("the host has no address")
        for address in _addresses(host, port):
            try:
                left = self._deadlines.left_to_connect()
                stream = super().connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
            else:
                return PunctualStream(stream, self._deadlines)
        raise failed


def _addresses(host: str, port: int) -> list[str]:
    try:
        return list(
            dict.fromkeys(str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        )
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(str(error)) from error
