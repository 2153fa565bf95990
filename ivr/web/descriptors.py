"""File descriptors: as many as the system allows us, and how many connections that is enough for."""

import resource

WANTED = 16_384
# A worker's database connections, look-ups, logs; and what is accepted in one go, before others are given up for it.
OWN_USE = 512
BACKLOG = 128


def raise_limit() -> None:
    """The soft limit (often 1,024) up to what we want or the hard limit allows; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def accepted_at_once() -> int:
    """The listener's backlog, which asyncio takes in one go: each is open before the first of them can be refused."""
    return max(1, min(BACKLOG, affordable_connections() // 4))


def affordable_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else max(soft - OWN_USE, soft // 4)
