"""File descriptors: as many as the system allows us, and how many connections that is enough for."""

import resource

WANTED = 16_384
# A worker's database connections, look-ups, logs; and the connections that are accepted in one go before others go.
OWN_USE = 512


def raise_limit() -> None:
    """The soft limit (often 1,024) up to what we want or the hard limit allows; children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def affordable_connections() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return WANTED if soft == resource.RLIM_INFINITY else max(soft - OWN_USE, soft // 4)
