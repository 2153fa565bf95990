"""Raises this process's limit of open files, for calls and connections; its child, the media worker, inherits it."""

import resource

import structlog

log = structlog.get_logger("trunk")
# Database, logs, listening sockets, prompts: what is open without any call.
OWN_FILES = 200


def allow_open_files(calls: int, connections: int) -> None:
    """As many as the system lets us have; a warning, with its cure, when that is too few."""
    wanted = OWN_FILES + calls + connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and soft < wanted:
        log.warning("too few open files are allowed", allowed=soft, wanted=wanted, cure="LimitNOFILE= or ulimit -n")
