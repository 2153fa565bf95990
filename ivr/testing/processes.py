"""Work in pieces on several cores: how many processes, and how they end when somebody presses Ctrl-C."""

import os
import signal


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def end_at_once() -> None:
    """For a worker: Ctrl-C reaches it as well, and what it was at is of no use to anybody then."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
