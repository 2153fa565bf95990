"""TCP and TLS connections: who may have one is settled before a handshake costs anything; no SIP header is read here.

A connection is taken in three steps, and leaves at any of them:

    accepted   its source may call and is below its limits; otherwise the socket is closed at once
    silent     the TLS handshake (`handshake_s`), then the first entire message (`first_message_s`)
    speaking   until it is closed, or has brought no message for `connection_idle_s`

Where a limit is reached, the connection that has been silent longest gives way to a new one (after `silence_s`).
"""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from ivr.errors import PeerError
from ivr.phone.sip.contract import Address, TransportKind
from ivr.phone.sip.framing import StreamCutter
from ivr.phone.sip.hop import Hop, Receiver
from ivr.phone.sip.rationed_log import RationedLog
from ivr.phone.sip.settings import SourceLimits

MAX_UNSENT_BYTES = 1024 * 1024
CONNECT_TIMEOUT_S = 10
BACKLOG = 128
ACCEPTED_AT_ONCE = 64
# asyncio's own server writes a line for each accept that fails, thousands a second when descriptors run out.
REST_WITHOUT_DESCRIPTORS_S = 0.5


@dataclass(frozen=True)
class Listener:
    transport: TransportKind
    socket: socket.socket
    context: ssl.SSLContext | None

    @property
    def bound(self) -> Address:
        address: Address = self.socket.getsockname()[:2]
        return address


class Streams:
    """Every connection of an endpoint. `advertised` gives our address for a bound one and a peer's."""

    def __init__(
        self,
        limits: SourceLimits,
        counters: Counter[str],
        admits: Callable[[str], bool],
        advertised: Callable[[Address, Address], Address],
        receive: Receiver,
        lost: Callable[[Hop], None],
    ) -> None:
        self.limits, self.counters, self.receive, self.lost = limits, counters, receive, lost
        self._admits, self._advertised = admits, advertised
        self._log = RationedLog()
        self._listeners: list[Listener] = []
        self._known: dict[tuple[TransportKind, Address], Connection] = {}
        self._accepted: dict[Connection, asyncio.Task[None] | None] = {}
        self._silent: dict[Connection, float] = {}
        self._per_source: Counter[str] = Counter()

    @property
    def listening(self) -> tuple[tuple[TransportKind, Address], ...]:
        return tuple((listener.transport, listener.bound) for listener in self._listeners)

    def listen(self, transport: TransportKind, address: Address, context: ssl.SSLContext | None) -> None:
        """Raises OSError when the address is taken or is none."""
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        bound = socket.create_server(address, family=family, backlog=BACKLOG)
        bound.setblocking(False)
        listener = Listener(transport, bound, context)
        self._listeners.append(listener)
        self._watch(listener)

    async def open(
        self, transport: TransportKind, remote: Address, context: ssl.SSLContext | None, name: str
    ) -> "Connection":
        known = self._known.get((transport, remote))
        if known is not None and known.alive:
            return known
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self, transport, remote),
                    *remote,
                    ssl=context,
                    server_hostname=name if context else None,
                )
        except (OSError, TimeoutError, ssl.SSLError):
            raise PeerError(f"SIP peer {remote[0]}:{remote[1]} cannot be reached over {transport}") from None
        return connection

    def stop(self) -> None:
        for listener in self._listeners:
            asyncio.get_running_loop().remove_reader(listener.socket)
            listener.socket.close()
        self._listeners.clear()
        for connection in {*self._known.values(), *self._accepted}:
            self.drop(connection)

    # --- what connections say -----------------------------------------------------------------------------------

    def own_address(self, connection: "Connection", bound: Address) -> Address:
        """A peer must be able to ring back: our listening port of this kind, not the port a connection of ours got."""
        ports = [address[1] for kind, address in self.listening if kind == connection.transport]
        port = ports[0] if ports and bound[1] not in ports else bound[1]
        return self._advertised((bound[0], port), connection.remote)

    def made(self, connection: "Connection") -> None:
        self._known[connection.transport, connection.remote] = connection

    def is_accepted(self, connection: "Connection") -> bool:
        return connection in self._accepted

    def spoke(self, connection: "Connection") -> None:
        self._silent.pop(connection, None)

    def gone(self, connection: "Connection") -> None:
        """Closed by whichever side, or never made; a second time nothing happens."""
        if self._known.get((connection.transport, connection.remote)) is connection:
            del self._known[connection.transport, connection.remote]
        self._silent.pop(connection, None)
        if connection not in self._accepted:
            return
        del self._accepted[connection]
        self._per_source[connection.remote[0]] -= 1
        if not self._per_source[connection.remote[0]]:
            del self._per_source[connection.remote[0]]

    def drop(self, connection: "Connection") -> None:
        """At once, in whatever step it is: a TLS peer is not waited for to say goodbye."""
        handshake = self._accepted.get(connection)
        if handshake is not None:
            handshake.cancel()
        connection.abort()

    # --- new connections ----------------------------------------------------------------------------------------

    def _watch(self, listener: Listener) -> None:
        if listener in self._listeners:
            asyncio.get_running_loop().add_reader(listener.socket, self._accept, listener)

    def _accept(self, listener: Listener) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, address = listener.socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as problem:
                self._rest(listener, problem)
                return
            self._take(listener, accepted, address[:2])

    def _rest(self, listener: Listener, problem: OSError) -> None:
        """Out of descriptors or memory, for which waiting is the only help."""
        self._log.error("sip_accept_failed", error=problem.strerror, cure="raise the limit of open files (nofile)")
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener.socket)
        loop.call_later(REST_WITHOUT_DESCRIPTORS_S, self._watch, listener)

    def _take(self, listener: Listener, accepted: socket.socket, remote: Address) -> None:
        refusal = self._refusal(remote[0])
        if refusal:
            self.counters["connections_refused"] += 1
            self._log.warning("sip_connection_refused", source=remote[0], reason=refusal)
            accepted.close()
            return
        accepted.setblocking(False)
        connection = Connection(self, listener.transport, remote)
        self._per_source[remote[0]] += 1
        self._silent[connection] = asyncio.get_running_loop().time()
        handshake = asyncio.create_task(self._shake_hands(connection, accepted, listener.context))
        self._accepted[connection] = handshake
        # Not at the end of the task: one that is cancelled before its first step has none.
        handshake.add_done_callback(lambda _: self._shaken(connection, accepted))

    def _refusal(self, host: str) -> str:
        """Why not; empty: it may."""
        if not self._admits(host):
            return "not in the list of peers"
        if self._per_source[host] >= self.limits.connections_per_source and not self._make_room(host):
            return "too many connections of this source"
        if len(self._accepted) >= self.limits.connections and not self._make_room(None):
            return "too many connections"
        return ""

    def _make_room(self, host: str | None) -> bool:
        oldest = next((each for each in self._silent if host in (None, each.remote[0])), None)
        if oldest is None or asyncio.get_running_loop().time() - self._silent[oldest] < self.limits.silence_s:
            return False
        self.counters["connections_silent"] += 1
        self.drop(oldest)
        self.gone(oldest)  # now, not when its transport has got round to it: its place is wanted
        return True

    async def _shake_hands(
        self, connection: "Connection", accepted: socket.socket, context: ssl.SSLContext | None
    ) -> None:
        limit_s = self.limits.handshake_s if context else None
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: connection, accepted, ssl=context, ssl_handshake_timeout=limit_s, ssl_shutdown_timeout=limit_s
            )
        except (OSError, ssl.SSLError):
            self.counters["handshakes_failed"] += 1
            self._log.info("sip_handshake_failed", source=connection.remote[0])

    def _shaken(self, connection: "Connection", accepted: socket.socket) -> None:
        if connection in self._accepted:
            self._accepted[connection] = None
        if not connection.was_made:
            accepted.close()
            self.gone(connection)


class Connection(asyncio.Protocol):
    """One TCP or TLS connection, whoever opened it; it is its own Hop."""

    def __init__(self, streams: Streams, transport: TransportKind, remote: Address) -> None:
        self.transport: TransportKind = transport
        self.remote: Address = remote
        self.local: Address = ("", 0)
        self._streams, self._cutter = streams, StreamCutter()
        self._stream: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_spoken = False

    @property
    def was_made(self) -> bool:
        """From then on the socket is asyncio's to close."""
        return self._stream is not None

    @property
    def alive(self) -> bool:
        return self._stream is not None and not self._stream.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._stream = cast(asyncio.Transport, transport)
        self.local = self._streams.own_address(self, transport.get_extra_info("sockname")[:2])
        self._streams.made(self)
        limits = self._streams.limits
        # A connection of ours has something to say already, and its far end answers when it likes.
        self._has_spoken = not self._streams.is_accepted(self)
        self._close_after(limits.connection_idle_s if self._has_spoken else limits.first_message_s)

    def data_received(self, data: bytes) -> None:
        try:
            cut = self._cutter.feed(data)
        except PeerError:
            self._streams.counters["malformed"] += 1
            self.close()
            return
        if cut.pings:
            self.send(b"\r\n" * cut.pings)
        if cut.messages:
            self._has_spoken = True
            self._streams.spoke(self)
        # Only entire messages count, and keep-alives after the first: a sender that drips single bytes is idle.
        if self._has_spoken and (cut.messages or cut.pings):
            self._close_after(self._streams.limits.connection_idle_s)
        for message in cut.messages:
            self._streams.receive(message, self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._cutter.wipe()
        if self._timer is not None:
            self._timer.cancel()
        self._streams.gone(self)
        self._streams.lost(self)

    def send(self, data: bytes, to: Address | None = None) -> None:  # a stream has one far end
        if self._stream is None or self._stream.is_closing():
            self._streams.counters["socket_errors"] += 1
        elif self._stream.get_write_buffer_size() > MAX_UNSENT_BYTES:
            self._stream.abort()  # a peer that does not read
        else:
            self._stream.write(data)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def abort(self) -> None:
        if self._stream is not None:
            self._stream.abort()

    def _close_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._tire)

    def _tire(self) -> None:
        self._streams.counters["connections_silent"] += 1
        self.abort()
