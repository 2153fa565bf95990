"""A bank that costs next to nothing: approves whatever comes, over mutual TLS, as a process of its own. `python -m benchmarks.bank_stand_in FOLDER`.

FOLDER has the simulator's keys. The first line of its output is its address; `--tell` adds one for each request, when the first
bytes of it came (the monotonic clock, in nanoseconds) and its reference. It has no books: what is measured with it is whoever asks.
"""

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from ssl import SSLContext

from benchmarks.children import Child, child
from ivr.bank.simulator.server import tls_context

MOST = 65_536


def main() -> None:
    folder, tells = Path(sys.argv[1]), "--tell" in sys.argv
    context = tls_context(folder)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        print(f"https://127.0.0.1:{server.getsockname()[1]}", flush=True)
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=serve, args=(connection, context, tells), daemon=True).start()


def serve(plain: socket.socket, context: SSLContext, tells: bool) -> None:
    with suppress(OSError, ValueError), context.wrap_socket(plain, server_side=True) as connection:
        while received := connection.recv(MOST):
            came_ns = time.monotonic_ns()
            while (content := content_of(received)) is None:
                received += connection.recv(MOST)
            reference = json.loads(content)["reference"]
            connection.sendall(answer_to(reference))
            if tells:
                print(came_ns, reference, flush=True)


def content_of(received: bytes) -> bytes | None:
    """None until all of it is there."""
    head, blank, content = received.partition(b"\r\n\r\n")
    if not blank:
        return None
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return content if len(content) >= int(length[15:]) else None


def answer_to(reference: str) -> bytes:
    said = {"reference": reference, "outcome": "approved", "response_code": "00", "authorization_code": "482913"}
    content = json.dumps(said).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    return head.encode() + content


@contextmanager
def stand_in(folder: Path, *options: str) -> Iterator[tuple[str, Child]]:
    """Its address, and the process."""
    with child("-m", "benchmarks.bank_stand_in", str(folder), *options) as process:
        yield process.line(), process


if __name__ == "__main__":
    main()
