"""A line between the forwarder and a bank that can be cut at any point of an exchange, or slowed: a TCP relay on loopback.

It knows nothing of TLS. Cut a connection that stands, or its handshake fails and nothing has left.
"""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from benchmarks.link import CHUNK

# What becomes of what is sent through it. Lost or half: the connection is broken off then, by a reset.
Line = Literal[
    "open", "refuses", "request lost", "half a request", "answer lost", "half an answer", "slow", "silent"
]  # fmt: skip
CUTS: tuple[Line, ...] = ("refuses", "request lost", "half a request", "answer lost", "half an answer")
PIECE, PIECE_S = 64, 0.002  # slow: as a line of a few hundred kilobits
RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends RST


class Relay:
    """Whoever connects to `port` talks to the other port as `line` says, which may change at any time."""

    def __init__(self, to: int) -> None:
        self._to = to
        self.line: Line = "open"
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """All connections break; new ones are taken as `line` says."""
        ends, self._ends = self._ends, []
        for end in ends:
            _break(end)

    def refuse(self) -> None:
        """All connections break, also one that is only being taken; new ones do not come to stand."""
        self.line = "refuses"
        self.cut()

    def close(self) -> None:
        self._listening.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.line == "refuses":
                    _break(near)
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                for end in (near, far):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ends += [near, far]
                for source, target, kind in ((near, far, "request"), (far, near, "answer")):
                    threading.Thread(target=self._relay, args=(source, target, kind), daemon=True).start()

    def _relay(self, source: socket.socket, target: socket.socket, kind: str) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if not self._pass_on(data, target, kind):
                    break
        _break(target)
        _break(source)

    def _pass_on(self, data: bytes, target: socket.socket, kind: str) -> bool:
        """False where the connection breaks now."""
        line = self.line
        if line in (f"{kind} lost", "refuses"):
            return False
        if line in (f"half a {kind}", f"half an {kind}"):
            target.sendall(data[: len(data) // 2])
            time.sleep(PIECE_S)  # a reset at once could overtake it
            return False
        while self.line == "silent":
            time.sleep(PIECE_S)
        if line == "slow":
            for start in range(0, len(data), PIECE):
                time.sleep(PIECE_S)
                target.sendall(data[start : start + PIECE])
        else:
            target.sendall(data)
        return True


def _break(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def relay(to: int) -> Iterator[Relay]:
    made = Relay(to)
    try:
        yield made
    finally:
        made.close()
