"""SIGHUP: reads again what may be changed while a process runs, its keys; or stops it, where its terminal has gone.

Both come as the same signal. Where a process had a terminal and that is a terminal no more, it was hung up.
"""

import os
import queue
import signal
import threading
from collections.abc import Callable

import structlog

from ivr.errors import IvrError

log = structlog.get_logger()


class Terminals:
    """Those that a process has at its beginning, among its standard streams."""

    def __init__(self) -> None:
        self._open = [stream for stream in (0, 1, 2) if os.isatty(stream)]

    def are_gone(self) -> bool:
        return any(not os.isatty(stream) for stream in self._open)


def stop_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def on_hangup(reload: Callable[[], object], stop: Callable[[], object] = stop_this_process) -> None:
    """`reload` is called in a thread of its own, once for each signal; what it raises is logged, and changes nothing.

    Call it in the main thread, the only one that may; in any other it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    terminals, wanted = Terminals(), queue.SimpleQueue[None]()  # which a handler may put to within itself

    def hear(*_: object) -> None:
        if terminals.are_gone():
            stop()
        else:
            wanted.put(None)

    def follow() -> None:
        while True:
            wanted.get()
            reload_or_log(reload)

    threading.Thread(target=follow, daemon=True, name="reload").start()
    signal.signal(signal.SIGHUP, hear)


def reload_or_log(reload: Callable[[], object]) -> None:
    try:
        reload()
    except IvrError as error:
        for line in str(error).splitlines():
            log.error("not taken up: what was in force stays", problem=line)
    except Exception as error:
        log.error("cannot reload", reason=type(error).__name__)
