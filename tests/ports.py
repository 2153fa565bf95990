"""Ports for servers that a test starts: free for UDP and TCP alike, and not handed to anybody else meanwhile."""

import contextlib
import itertools
import os
import socket
from collections.abc import Iterator

# Below the ports that the kernel gives to clients (32768 and up), so that no connection of another test takes one in the
# moment before its server binds it; each worker of pytest-xdist has a range of its own, each process starts elsewhere in it.
FIRST, PER_WORKER, WORKERS = 10_000, 1_600, 12
# A program that is given one port may take those above it too, as sipp does for RTCP and a second stream.
STEP = 4


def _candidates() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    start = os.getpid() * 36 % PER_WORKER
    return (FIRST + worker * PER_WORKER + (start + step) % PER_WORKER for step in itertools.count(step=STEP))


_next = _candidates()


def free_port() -> int:
    """No number twice until the range has been gone through."""
    for port in itertools.islice(_next, PER_WORKER // STEP):
        if is_free(port, socket.SOCK_STREAM) and is_free(port, socket.SOCK_DGRAM):
            return port
    raise OSError("no port is free")


def is_free(port: int, kind: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


def free_even_port() -> int:
    """For RTP, which has RTCP on the odd port above it."""
    return next(port for port in iter(free_port, None) if port is not None and port % 2 == 0 and _odd_is_free(port))


def _odd_is_free(port: int) -> bool:
    return is_free(port + 1, socket.SOCK_DGRAM)
