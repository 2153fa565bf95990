"""Listens, starts worker processes, and starts again those that fail."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from uvicorn.config import STARTUP_FAILURE
from uvicorn.importer import import_from_string

from ivr.errors import ConfigError, IvrError
from ivr.hangup import on_hangup
from ivr.loading import load
from ivr.web.connections import BoundedConfig, ConnectionLimits
from ivr.web.descriptors import accepted_at_once, raise_limit
from ivr.web.workers import WorkerSupervisor
from ivr.web.wsgi import Application, WsgiInThreads

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

# Freed memory is overwritten at once, so that a process dump holds no card a caller keyed in (docs/card-data.md);
# without glibc's per-thread cache, which would keep the last few pieces as they were.
WIPED_MEMORY = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.perturb=165:glibc.malloc.tcache_count=0"}
GRACE_S = 5  # at SIGTERM: for requests that are being answered
MAX_MESSAGE = 2_048  # of a WebSocket; uvicorn closes the connection of a longer one with 1009
# A worker that has answered its supervisor before and does not for this long is stuck: it is ended and another started.
STUCK_S = 10


@dataclass(frozen=True)
class Site:
    """`application` names a function that makes the WSGI application: `module:function`. With `sockets` it makes two,
    the WSGI application and an ASGI one for WebSockets, or None for none today."""

    application: str
    host: str
    port: int
    setting: str  # what the port is called, for whoever must choose another
    workers: int
    threads: int
    limits: ConnectionLimits
    sockets: bool = False


def serve(site: Site) -> None:
    """Until SIGTERM or SIGINT. ConfigError for a port that is taken; exits with 2 where a worker could not start."""
    raise_limit()
    listener = bound(site)
    os.environ.update(WIPED_MEMORY)  # the workers are processes of their own: their memory begins with it
    config = BoundedConfig(
        site.limits,
        app=partial(make_application, site.application, site.threads, site.sockets),
        factory=True,
        interface="asgi3",
        loop="asyncio",
        ws="websockets-sansio" if site.sockets else "none",
        ws_max_size=MAX_MESSAGE,
        ws_per_message_deflate=False,  # it would keep what was sent in its window, and audio does not get smaller
        lifespan="off",
        log_config=None,
        log_level="error",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=site.workers,
        backlog=accepted_at_once(),
        timeout_graceful_shutdown=GRACE_S,
        timeout_worker_healthcheck=STUCK_S,
    )
    supervisor = WorkerSupervisor(config, sockets=[listener])
    on_hangup(lambda: pass_on(supervisor), supervisor.should_exit.set)
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(2)


def pass_on(supervisor: WorkerSupervisor) -> None:
    """To each worker, which reads its keys again. One that is only just starting reads the new ones, or is started again."""
    for process in supervisor.processes:
        if process.pid is not None:
            os.kill(process.pid, signal.SIGHUP)


def bound(site: Site) -> socket.socket:
    """The port is ours and nobody is let in yet: the first worker that can answer listens. Until then a proxy is refused, and asks
    another node at once; a connection that is only queued would keep its caller until the proxy gives up."""
    family = socket.AF_INET6 if ":" in site.host else socket.AF_INET
    # The protocol is named because asyncio switches Nagle's algorithm off only then: 40 ms a request otherwise.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((site.host, site.port))
        return listener
    except OSError as error:
        listener.close()
        where = f"{site.host}:{site.port}"
        raise ConfigError(
            f"cannot listen on {where} ({error.strerror}): choose another with {site.setting}=..."
        ) from None


def make_application(name: str, threads: int, sockets: bool = False) -> Application:
    """In a worker. What is wrong with settings, keys or flows is one line, and no reason to try again."""
    end_with_the_supervisor()
    load(name.partition(":")[0])
    factory: Callable[[], Any] = import_from_string(name)
    try:
        made: tuple[WSGIApplication, Application | None] = factory() if sockets else (factory(), None)
        return WsgiInThreads(made[0], threads, made[1])
    except IvrError as error:
        print(f"{type(error).__name__.removesuffix('Error').lower()} error: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(STARTUP_FAILURE)


def end_with_the_supervisor() -> None:
    """A worker whose supervisor was killed would go on listening, with nobody to stop it."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None:
        return

    def watch(sentinel: int) -> None:
        wait([sentinel])
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, args=(supervisor.sentinel,), daemon=True, name="supervisor").start()
