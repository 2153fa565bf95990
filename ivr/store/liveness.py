"""Whether a connection to a server is still alive: the system knows of most ends, and only a long silence is asked about.

A server that was stopped, killed or restarted leaves an end of the stream in the socket, and so does one that ends a session. That is
read there without asking anybody. A way to the server and back before each transaction, as `pool_pre_ping` takes it, is 0.1 ms.
"""

import select
import time
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

IDLE_S = (
    1.0  # after which it is asked all the same: whatever lies between may have forgotten the connection without a word
)
_GIVEN_BACK = "given back"


def has_word(driver: Any) -> bool:
    """Whether something that nobody has asked for has come from the server on this psycopg connection: its end, or a notice."""
    if driver.closed:
        return True
    poll = select.poll()
    poll.register(driver.pgconn.socket, select.POLLIN)
    return bool(poll.poll(0))


def ask_when_in_doubt(engine: Engine) -> None:
    """Of this engine's pool none is given out that is known to have ended; where one has, no other of its time is."""

    def given_back(_driver: Any, record: Any) -> None:
        record.info[_GIVEN_BACK] = time.monotonic()

    def given_out(driver: Any, record: Any, _proxy: Any) -> None:
        since = record.info.get(_GIVEN_BACK)
        if since is None or (time.monotonic() - since <= IDLE_S and not has_word(driver)):
            return
        try:
            engine.dialect.do_ping(driver)
        except Exception as error:
            raise InvalidatePoolError from error

    event.listen(engine, "checkin", given_back)
    event.listen(engine, "checkout", given_out)
