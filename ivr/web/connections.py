"""One client's connection: a total time and size for each request, and a place among a fixed number of connections."""

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ivr.web.descriptors import affordable_connections

IDLE_S = 5.0  # between two requests, and for a client that does not read its answer
MAX_CONNECTIONS = 4_000  # of one worker
MAX_REQUEST = 128 * 1024  # head and body; an endpoint may allow less
READ_SIZE = 64 * 1024


@dataclass(frozen=True)
class ConnectionLimits:
    """`read_s`: from the first moment of a connection, or of a later request on it, to the request's last byte."""

    read_s: float = 10.0
    connections: int = MAX_CONNECTIONS


class BoundedConfig(Config):
    """uvicorn's settings, with our limits; `places` is made in the worker, when it loads the application."""

    def __init__(self, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(http=BoundedProtocol, **options)
        self.limits = limits

    def load(self) -> None:
        super().load()
        self.places = Places(min(self.limits.connections, affordable_connections()))


class Places:
    """The connections of one worker. Those that nobody works for are known in the order in which they began to wait.

    `buffer` is what all of them read into, one after the other: it is wiped as soon as it has been parsed.
    """

    def __init__(self, limit: int) -> None:
        self.buffer = bytearray(READ_SIZE)
        self._limit = limit
        self._taken = 0
        self._waiting: dict[BoundedProtocol, None] = {}

    def take(self, connection: "BoundedProtocol") -> None:
        """The newest always gets a place, unless every place is being worked for."""
        self._taken += 1
        self._waiting[connection] = None
        if self._taken > self._limit:
            next(iter(self._waiting)).give_up()

    def leave(self, connection: "BoundedProtocol") -> None:
        self._taken -= 1
        self._waiting.pop(connection, None)

    def is_worked_on(self, connection: "BoundedProtocol") -> None:
        self._waiting.pop(connection, None)

    def waits(self, connection: "BoundedProtocol") -> None:
        self._waiting[connection] = None


class BoundedProtocol(HttpToolsProtocol, asyncio.BufferedProtocol):
    """uvicorn's own protocol times the pause between two requests only; this one times each request and its answer."""

    config: BoundedConfig
    _deadline: asyncio.TimerHandle | None = None
    _has_left = _is_reading = False
    _server_ends: asyncio.Event
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._server_ends = asyncio.Event()
        self._end_after(self.config.limits.read_s)
        self.config.places.take(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._leave()
        super().connection_lost(exc)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.config.places.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._is_idle() and self._received == 0:
            self._end_after(self.config.limits.read_s)
        self._received += nbytes
        with memoryview(self.config.places.buffer)[:nbytes] as read:
            if self._received <= MAX_REQUEST:
                self.data_received(read)  # type: ignore[arg-type]  # the parser takes any buffer
            else:
                self._refuse(b"413 Content Too Large")
            read[:] = bytes(nbytes)

    def on_message_begin(self) -> None:
        self._is_reading = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # As it was sent, escapes and a bare "?" included: a signature may have been made over exactly this.
        self.scope["state"] |= {
            "target": self.url,
            "has_left": lambda: self._has_left,
            "server_ends": self._server_ends,
        }
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_reading, self._received = False, 0
        self._stop_timer()
        self.config.places.is_worked_on(self)
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        """From here on it is another protocol's connection, with limits of its own: neither timed nor counted here."""
        self._stop_timer()
        self._leave()
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._has_left or self.pipeline:
            return
        self.config.places.waits(self)
        # A pipelined request may have begun; and an answer may lie unread, of a connection that is closing already.
        self._end_after(self.config.limits.read_s if self._is_reading else IDLE_S)

    def shutdown(self) -> None:
        """The server ends: an answer that goes on is ended by whoever writes it, others are finished."""
        self._server_ends.set()
        super().shutdown()

    def give_up(self) -> None:
        """At once: a client that does not read would otherwise keep a closed connection's place."""
        self._stop_timer()
        self._leave()
        self.transport.abort()

    # ---- the timer

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end_after(self, seconds: float) -> None:
        self._unset_keepalive_if_required()
        self._stop_timer()
        self._deadline = self.loop.call_later(seconds, self._time_is_up)

    def _stop_timer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _time_is_up(self) -> None:
        if self._is_reading and self._is_idle_or_unread():
            self._refuse(b"408 Request Timeout")
        else:
            self.give_up()

    def _is_idle_or_unread(self) -> bool:
        """Whether nothing of an answer has been written: then a status line of ours is not in its middle."""
        return self._is_idle() or not self.cycle.response_started

    def _refuse(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.give_up()

    def _leave(self) -> None:
        if not self._has_left:
            self._has_left = True
            self.config.places.leave(self)
