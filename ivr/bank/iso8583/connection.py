"""One TLS connection to a host: whole frames in, whole frames out. What they mean, and who waits for them, is for `link`.

The socket does not block, and one lock holds all use of TLS, because OpenSSL's connections must not be read and written at
once. What is read lies in one buffer, overwritten after each message.
"""

import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass

from ivr.bank.iso8583.codec import LENGTH_BYTES, wipe
from ivr.bank.iso8583.spec import HostFraming

SHORTEST_MESSAGE = 10  # a type in BCD and one bitmap
LINGER_NOT = b"\x01\x00\x00\x00\x00\x00\x00\x00"  # struct linger: on, 0 s. What has not left is thrown away


class Away(Exception):
    """The connection is of no more use. The message says why."""


class NothingLeft(Exception):
    """No byte of the frame has left this machine."""


@dataclass(frozen=True)
class HostAddress:
    host: str
    port: int
    context: ssl.SSLContext
    connect_s: float
    answer_s: float


class HostConnection:
    """`send` and `abort` from any thread; `receive` and `close` from the one that keeps it."""

    def __init__(self, address: HostAddress, framing: HostFraming) -> None:
        self._framing = framing
        self._answer_s = address.answer_s
        self._socket = connected(address)
        self._using = threading.Lock()
        self._sending = threading.Lock()
        self._buffer = bytearray(LENGTH_BYTES + framing.longest)
        self._filled = 0
        self._begun_at = 0.0

    def close(self) -> None:
        """At once, without a goodbye: a frame that has not left yet must not arrive minutes later."""
        with self._using:
            with suppress(OSError):  # it is gone already
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
            self._socket.close()
            wipe(self._buffer)

    def abort(self) -> None:
        """Wakes the thread that keeps it, which closes it: a number of a file that is closed elsewhere may be another's."""
        with self._using, suppress(OSError):
            # Not the one of SSLSocket, which would go on without TLS.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    # ---- out

    def send(self, frame: bytearray, within_s: float) -> None:
        """NothingLeft where nobody can have it; Away where a part may have left, after which the connection is closed."""
        until = time.monotonic() + within_s
        if not self._sending.acquire(timeout=within_s):
            raise NothingLeft("others were being sent")
        try:
            while not self._sent(frame):
                self._writable(until)
        except (OSError, ValueError) as error:
            self.abort()
            raise Away(f"broken while sending: {words_of(error)}") from None
        finally:
            self._sending.release()

    def _sent(self, frame: bytearray) -> bool:
        """OpenSSL takes a frame of this size in one record; where the socket is full it wants the same frame again."""
        with self._using:
            try:
                if self._socket.send(frame) != len(frame):
                    raise OSError("the frame was cut")
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                return False
            return True

    # ---- in

    def receive(self, quiet_s: float) -> bytearray | None:
        """The next message without its frame, which is the caller's to overwrite; None after `quiet_s` without any.

        Away where the host has gone, where a length cannot be, and where a frame is not whole in the time of an answer.
        """
        until = time.monotonic() + quiet_s
        while True:
            message = self._next_message()
            if message is not None:
                return message
            if self._read():
                continue
            now = time.monotonic()
            whole_by = self._begun_at + self._answer_s if self._filled else until
            if self._filled and now >= whole_by:
                raise Away("a frame was begun and not ended in time")
            if now >= until:
                return None
            self._readable(min(until, whole_by) - now)

    def _readable(self, left_s: float) -> None:
        try:
            select.select([self._socket], [], [], left_s)
        except (OSError, ValueError):  # closed meanwhile, by the thread that sent
            raise Away("closed") from None

    def _read(self) -> bool:
        """Whether anything came."""
        with self._using:
            try:
                count = self._socket.recv_into(memoryview(self._buffer)[self._filled :])
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            except OSError as error:
                raise Away(words_of(error)) from None
        if count == 0:
            raise Away("closed by the host")
        if self._filled == 0:
            self._begun_at = time.monotonic()
        self._filled += count
        return True

    def _next_message(self) -> bytearray | None:
        while self._filled >= LENGTH_BYTES:
            length = self._length()
            end = LENGTH_BYTES + length
            if self._filled < end:
                return None
            message = self._buffer[LENGTH_BYTES + len(self._framing.tpdu) // 2 : end]
            self._drop(end)
            if length:
                return message
        return None

    def _length(self) -> int:
        """Of what follows. Nought keeps a connection open at some hosts."""
        said = int.from_bytes(self._buffer[:LENGTH_BYTES], "big")
        length = said - LENGTH_BYTES if self._framing.length_counts_itself and said else said
        shortest = SHORTEST_MESSAGE + len(self._framing.tpdu) // 2
        if length and not shortest <= length <= self._framing.longest:
            raise Away(f"a frame of {said} bytes cannot be")
        return length

    def _drop(self, count: int) -> None:
        left = self._filled - count
        self._buffer[:left] = self._buffer[count : self._filled]
        wipe(memoryview(self._buffer)[left : self._filled])
        self._filled = left
        self._begun_at = time.monotonic()

    def _writable(self, until: float) -> None:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the host takes nothing")
        select.select([], [self._socket], [], left)


def connected(address: HostAddress) -> ssl.SSLSocket:
    """NothingLeft says in a few words why there is none."""
    try:
        plain = socket.create_connection((address.host, address.port), timeout=address.connect_s)
    except (OSError, UnicodeError) as error:
        raise NothingLeft(words_of(error)) from None
    try:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # What the host's side has not acknowledged by then is given up with the connection, and cannot arrive later.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(address.answer_s * 1000))
        secured = address.context.wrap_socket(plain, server_hostname=address.host)
    except OSError as error:
        plain.close()
        raise NothingLeft(words_of(error)) from None
    if secured.version() is None:  # as `PunctualStream.start_tls` explains
        secured.close()
        raise NothingLeft("the connection broke before its handshake")
    secured.setblocking(False)
    return secured


def words_of(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return str(error.verify_message)
    reason = error.reason if isinstance(error, ssl.SSLError) else getattr(error, "strerror", None)
    return str(reason or error or type(error).__name__).lower().replace("_", " ")
