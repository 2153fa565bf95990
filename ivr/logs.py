"""Structured logs, with a scrubber as a second line of defence only: the first is that no card number gets this far."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Thirteen to nineteen digits, however they are spaced: longer than any telephone or account number we log.
_LIKE_A_PAN = re.compile(r"(?<!\d)(?:\d[ .-]?){12,18}\d(?!\d)")
SCRUBBED = "[scrubbed]"


def set_up_logging(level: str, form: str) -> None:
    """`form`: text, json, or auto (text on a terminal)."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer(pad_event_to=0) if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            scrub,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        # Today's stderr, not the one of import time: a supervisor may reopen it, and a test captures it.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[ScrubbingHandler(sys.stderr)], force=True)


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces whatever looks like a card number in any value."""
    for name, value in event.items():
        event[name] = scrub_value(value)
    return event


def scrub_value(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return SCRUBBED if _LIKE_A_PAN.fullmatch(str(value)) else value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list | tuple):
        return [scrub_value(one) for one in value]
    text = value if isinstance(value, str) else str(value)
    return _LIKE_A_PAN.sub(SCRUBBED, text)


class ScrubbingHandler(logging.StreamHandler[Any]):
    """The same for libraries that log by the standard module."""

    def format(self, record: logging.LogRecord) -> str:
        return str(scrub_value(super().format(record)))
