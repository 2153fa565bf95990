"""What many calls played one after another can do without: the log, and looking for cycles of objects after every few hundred."""

import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

OBJECTS_A_LOOK = 20_000  # Python's own 700 cost a fifth of all time: calls leave few cycles behind


@contextmanager
def quiet() -> Iterator[None]:
    """The log is still, because what happened is told in another way. Errors are still told."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        yield
    finally:
        structlog.configure(**before)


@contextmanager
def few_collections() -> Iterator[None]:
    """Objects without cycles are freed at once, as ever; those with cycles later, and what is there already never."""
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_A_LOOK, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
