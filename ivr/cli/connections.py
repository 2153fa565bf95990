"""How many connections to PostgreSQL the processes of a site have at most: what a server's `max_connections` must let in.

A process has two pools. Of calls, one connection for each thread that has asked for something, which the thread keeps; of
money, one for each thread that is in a transaction (`store.most_money` at most). Nothing is connected before it is needed.
"""

from collections.abc import Iterable

from ivr.bank import BankSettings
from ivr.channels.browser import BLOCKING_THREADS as PHONE_THREADS
from ivr.channels.trunk import BLOCKING_THREADS as TRUNK_THREADS
from ivr.cli.web import CONSOLE_THREADS
from ivr.forwarder.worker_pool import queues_for, threads_of
from ivr.settings import Settings
from ivr.store import most_money

OTHER_THREADS = 2  # the main one, and the one that takes up published flows
COMMANDS = 20  # what people run beside it, and PostgreSQL's own places for a superuser


def of_threads(threads: int) -> int:
    return threads + most_money(threads)


def connections_of(settings: Settings, banks: Iterable[BankSettings]) -> dict[str, int]:
    """By kind of process, of one of each. A web process has them in its workers."""
    queues = queues_for({str(number): bank.connections for number, bank in enumerate(banks)})
    return {
        "web": settings.web_workers * of_threads(settings.web_threads + OTHER_THREADS),
        "forwarder": of_threads(threads_of(queues)),
        "trunk": of_threads(TRUNK_THREADS + OTHER_THREADS),
        "console": of_threads(CONSOLE_THREADS + PHONE_THREADS + OTHER_THREADS),
        "portal": of_threads(settings.web_threads + OTHER_THREADS) + 1,  # its first process looks at the settings
    }
