"""Looks after worker processes: one that has ended, or is stuck, is replaced; one that is only starting is given its time.

uvicorn asks each worker whether it is there from the first moment on, and a worker answers once its modules are loaded. On a busy
machine, with the lower priority that the portal has, that takes longer than a worker may be stuck: each would be ended while it
starts, and nobody would ever answer.
"""

import pickle
import socket
import time
from collections.abc import Callable

import structlog
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

log = structlog.get_logger()
# From its start to its first answer. Half a second where nobody else wants the processor.
START_S = 300.0


class Worker(Process):
    """`clock`: seconds, as time.monotonic."""

    def __init__(
        self, config: Config, sockets: list[socket.socket], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(config, sockets)
        self._clock, self._begun = clock, clock()
        self._is_asked = self._has_answered = False

    def is_alive(self, timeout: float = 5) -> bool:
        """Once it has answered, `timeout` is how long it may take; until then it has START_S in all."""
        if self._has_answered:
            return super().is_alive(timeout)
        return self.process.is_alive() and self._is_starting()

    def _is_starting(self) -> bool:
        try:
            if not self._is_asked:  # once: an answer to a second question would later stand for another one
                self.parent_conn.send(b"ping")
                self._is_asked = True
            if self.parent_conn.poll(0):
                self.parent_conn.recv()
                self._has_answered = True
        except (OSError, EOFError, pickle.UnpicklingError):
            return False
        return self._has_answered or self._clock() - self._begun < START_S


class WorkerSupervisor(Multiprocess):
    """uvicorn's, with workers that may take their time to start; says when it replaces one."""

    def init_processes(self) -> None:
        self.processes += [self._started() for _ in range(self.processes_num)]

    def keep_subprocess_alive(self) -> None:
        for place, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.is_alive(self.config.timeout_worker_healthcheck):
                continue
            has_ended = not worker.process.is_alive()
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:  # it has said why, and would again
                self.should_exit.set()
                return
            reason = f"it ended with {worker.exitcode}" if has_ended else "it did not answer"
            log.error("a worker is started again", pid=worker.pid, reason=reason)
            self.processes[place] = self._started()

    def _started(self) -> Worker:
        worker = Worker(self.config, self.sockets)
        worker.start()
        return worker
