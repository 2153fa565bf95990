"""Whose work is being done, where one process serves several merchants: a word for logs and metrics, and for nothing else.

Nothing is decided by it. What a merchant's call can reach is what its own engine was made of (docs/merchants.md); a thread
that has forgotten whose it is logs without a name, and still has one merchant's database and no other's.
"""

import contextvars
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import Any, TypeVar

import structlog

from ivr.errors import ConfigError
from ivr.places import MERCHANT_VARIABLE

log = structlog.get_logger()

Result = TypeVar("Result")
_NOW = contextvars.ContextVar("merchant", default="")


def merchant_now() -> str:
    """Empty where there is one merchant only, and for what is nobody's, such as the media plane."""
    return _NOW.get() or os.environ.get(MERCHANT_VARIABLE, "")


@contextmanager
def serving(merchant: str) -> Iterator[None]:
    before = _NOW.set(merchant)
    try:
        yield
    finally:
        _NOW.reset(before)


class ServingExecutor(Executor):
    """Threads of another executor, for one merchant: a thread does not know by itself for whom it was asked."""

    def __init__(self, merchant: str, pool: Executor) -> None:
        self._merchant, self._pool = merchant, pool

    def submit(self, work: Callable[..., Result], /, *given: Any, **named: Any) -> "Future[Result]":
        return self._pool.submit(self._serve, work, given, named)

    def _serve(self, work: Callable[..., Result], given: tuple[Any, ...], named: dict[str, Any]) -> Result:
        with serving(self._merchant):
            return work(*given, **named)


def tell_left_out(problems: Mapping[str, list[str]], *, is_any_served: bool) -> None:
    """Of each merchant that cannot be served, what is wrong, in the log under its name. ConfigError with all of it where none is served."""
    if not is_any_served:
        raise ConfigError(
            "\n".join(line for lines in problems.values() for line in lines) or "no merchant is named yet"
        )
    for name, lines in problems.items():
        with serving(name):
            for line in lines:
                log.error("merchant left out", problem=line)
