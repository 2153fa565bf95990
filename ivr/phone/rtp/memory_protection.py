"""Keeps a process's memory to itself: keys and card audio pass through it."""

import resource
from typing import Final

from ivr.phone.rtp.syscalls import libc

PR_SET_DUMPABLE: Final = 4  # <linux/prctl.h>


def protect_memory() -> None:
    """No core dump may hold a key, and no other process of the same user may look."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
