"""Worker processes are replaced when they end or are stuck, and not while they are only starting."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from uvicorn.config import Config

from ivr.web.connections import ConnectionLimits
from ivr.web.server import Site, bound
from ivr.web.workers import START_S, Worker, WorkerSupervisor
from tests.patience import PATIENCE_S

STUCK_S = 0.2
SLOW_START_S = 2.0


class SlowToLoad:
    """Takes its time where a worker loads what it is given, which is before it can answer."""

    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (SLOW_START_S,)


async def answer_nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


def made(_loaded: object) -> Any:
    return answer_nothing


@pytest.fixture
def supervisor() -> Iterator[WorkerSupervisor]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    config = Config(
        partial(made, SlowToLoad()),
        factory=True,
        interface="asgi3",
        lifespan="off",
        log_config=None,
        timeout_worker_healthcheck=STUCK_S,  # type: ignore[arg-type]
    )
    supervisor = WorkerSupervisor(config, sockets=[])
    try:
        yield supervisor
    finally:
        for process in supervisor.processes:
            process.kill()
            process.join()
        for number, handler in before.items():
            signal.signal(number, handler)


def until_it_answers(supervisor: WorkerSupervisor) -> Worker:
    until = time.monotonic() + PATIENCE_S
    while not supervisor.processes[0]._has_answered:  # type: ignore[attr-defined]
        assert time.monotonic() < until
        supervisor.keep_subprocess_alive()
    worker = supervisor.processes[0]
    assert isinstance(worker, Worker)
    return worker


def test_a_worker_that_takes_long_to_start_is_left_to_start(supervisor: WorkerSupervisor):
    supervisor.init_processes()
    first = supervisor.processes[0].pid
    assert until_it_answers(supervisor).pid == first


def test_a_worker_that_was_there_and_answers_no_more_is_replaced(supervisor: WorkerSupervisor):
    supervisor.init_processes()
    first = until_it_answers(supervisor).pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    until = time.monotonic() + PATIENCE_S
    while supervisor.processes[0].pid == first:
        assert time.monotonic() < until
        supervisor.keep_subprocess_alive()


def test_a_worker_that_never_answers_is_given_up():
    now = 0.0
    worker = Worker(Config("none"), [], lambda: now)
    worker.process = type("Running", (), {"is_alive": lambda self: True})()
    assert worker.is_alive(0)
    now = START_S - 1
    assert worker.is_alive(0)
    now = START_S
    assert not worker.is_alive(0)


def test_nobody_is_let_in_before_a_worker_can_answer():
    with bound(Site("none:none", "127.0.0.1", 0, "PORT", 1, 1, ConnectionLimits(1))) as listener:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname(), timeout=PATIENCE_S)
        listener.listen()  # as a worker does
        socket.create_connection(listener.getsockname(), timeout=PATIENCE_S).close()
