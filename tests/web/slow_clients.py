"""Clients that hold a web server up: slow bodies, slow headers, silence, HTTP/2 by prior knowledge. To loopback only."""

import contextlib
import resource
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

from tests.patience import PATIENCE_S

Address = tuple[str, int]
POST = (
    b"POST /twilio/status HTTP/1.1\r\nHost: pay.example.com\r\nX-Twilio-Signature: none\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)
DRIP_S = 1.0


@dataclass(frozen=True)
class Slow:
    """`opening` is sent at once, `drop` once a second for as long as the server listens."""

    opening: bytes
    drop: bytes = b""


KINDS = {
    "body, then silence": Slow(POST + b"Content-Length: 10\r\n\r\nabc"),
    "body, dripping": Slow(POST + b"Content-Length: 9000\r\n\r\n", b"a"),
    "chunked, then silence": Slow(POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
    "chunked, dripping": Slow(POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "headers, then silence": Slow(POST),
    "headers, dripping": Slow(POST, b"X-More: 1\r\n"),
    "blank lines, dripping": Slow(b"\r\n", b"\r\n"),
    "silent": Slow(b""),
}
SLOW_BODIES = [kind for kind in KINDS if kind.startswith(("body", "chunked"))]
SLOW_HEADERS = [kind for kind in KINDS if kind.startswith("headers")]


def prior_knowledge_http2() -> bytes:
    """375 bytes: the preface, empty SETTINGS, and three POST streams with a signature whose bodies never come."""
    frames = [_frame(0x04, 0, 0, b"")]
    frames += [_frame(0x01, 0x04, stream, _post_headers()) for stream in (1, 3, 5)]
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"".join(frames)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """RFC 9113 4.1."""
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def _post_headers() -> bytes:
    """RFC 7541: indexed :method POST and :scheme http; the rest literal, without indexing and without Huffman."""
    named = [(b"\x04", b"/twilio/status"), (b"\x01", b"127.0.0.1:8000")]
    literal = b"".join(name + bytes((len(value),)) + value for name, value in named)
    signature = b"\x00\x12x-twilio-signature\x1c" + b"A" * 28
    return b"\x83\x86" + literal + b"\x0f\x0d\x0210" + signature + b"\x00\x08x-filler\x06abcdef"


class SlowClients:
    """Holds `count` connections open, and opens those again that the server has ended."""

    def __init__(self, address: Address, count: int, kinds: list[str]) -> None:
        self._address = address
        self._kinds = [KINDS[kinds[number % len(kinds)]] for number in range(count)]
        self._sockets: list[socket.socket | None] = [None] * count
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._drip, daemon=True)

    def __enter__(self) -> "SlowClients":
        allow_descriptors(len(self._kinds))
        self._round()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        for one in filter(None, self._sockets):
            one.close()

    def _drip(self) -> None:
        while not self._done.wait(DRIP_S):
            self._round()

    def _round(self) -> None:
        for place, kind in enumerate(self._kinds):
            if self._done.is_set():
                return
            try:
                self._sockets[place] = self._one(self._sockets[place], kind)
            except TimeoutError:
                return  # the server takes no more connections: as many as it has will do

    def _one(self, held: socket.socket | None, kind: Slow) -> socket.socket | None:
        try:
            if held is not None and not has_ended(held):
                held.send(kind.drop)
                return held
        except OSError:
            pass
        if held is not None:
            held.close()
        with contextlib.suppress(ConnectionError):
            return opened(self._address, kind.opening)
        return None


@contextmanager
def held_http2(address: Address) -> Iterator[None]:
    with opened(address, prior_knowledge_http2()):
        yield


def opened(address: Address, opening: bytes) -> socket.socket:
    connection = socket.create_connection(address, timeout=PATIENCE_S)
    connection.sendall(opening)
    connection.setblocking(False)
    return connection


def has_ended(connection: socket.socket) -> bool:
    """Reads away what has come. OSError where the server has reset it."""
    try:
        while data := connection.recv(4096):
            del data
    except BlockingIOError:
        return False
    return True


def allow_descriptors(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + 512
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted * 2, hard), hard))
