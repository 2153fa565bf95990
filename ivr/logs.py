"""Structured logs, with a scrubber as a second line of defence only: the first is that no card number gets this far.

What is scrubbed: digits, with at most one blank, dot or dash between two of them, that are a card number by issuer range,
length and check digit. What is not: call ids and other hexadecimal tokens, in which one of ten runs of digits would pass
for a card number, and telephone numbers with their plus. A call stays followable, a card number does not stay.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from ivr.core.brands import LONGEST_PAN, SHORTEST_PAN, is_pan
from ivr.merchants.serving import merchant_now

SCRUBBED = "[scrubbed]"
# An id is left alone: a UUID, a call's letters and 32 hexadecimal digits, or more of these in a row than a card number
# has with a word such as "face" before it, letters among them. So is a telephone number: E.164 has a plus and at most 15
# digits; with all 15 it could be a card of American Express.
_ID = (
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    r"|(?<![0-9a-z])[a-z]{2,4}[0-9a-f]{32}(?![0-9a-z])"
    r"|(?=\d*[a-f])[0-9a-f]{24,}"
    r"|(?<![0-9a-z])\+\d{5,14}(?!\d)"
)
FULL = "too many clients: raise max_connections (docs/scaling.md, Connections)"
AWAY = {
    **{words: words for words in ("read-only", "refused", "starting up", "shutting down", "timeout expired")},
    "closed the connection": "closed the connection",
    # PostgreSQL's words where none is left, where none is left but for its superuser, and where a role or database has its own limit
    **dict.fromkeys(
        ("too many clients", "connection slots are reserved", "too many connections for"),
        FULL,
    ),
}
_DIGITS = rf"\d(?:[ .-]?\d){{{SHORTEST_PAN - 1},}}"
_GROUP = re.compile(r"\d*[ .-]?", re.ASCII)
_LOOKED_AT = re.compile(f"(?P<id>{_ID})|(?P<digits>{_DIGITS})", re.IGNORECASE | re.ASCII)


def set_up_logging(level: str, form: str) -> None:
    """`form`: text, json, or auto (text on a terminal)."""
    as_text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer(pad_event_to=0) if as_text else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            note_merchant,
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


def note_merchant(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whose line it is about, where there are several."""
    if name := merchant_now():
        event.setdefault("merchant", name)
    return event


def fault_name(fault: BaseException) -> str:
    """Its type; of a database's the driver's own name for it too, such as SQLITE_FULL or DiskFull, or why it is away.

    Never its message, which may quote what the database was given.
    """
    by_driver = getattr(fault, "orig", None) or fault
    name = getattr(by_driver, "sqlite_errorname", "") or type(by_driver).__name__
    if name == "OperationalError":
        name = next((told for words, told in AWAY.items() if words in str(by_driver)), name)
    return type(fault).__name__ if name == type(fault).__name__ else f"{type(fault).__name__} {name}"


def scrub(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces whatever looks like a card number in any value."""
    for name, value in event.items():
        event[name] = scrub_value(value)
    return event


def scrub_value(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        text = str(value)
        return value if scrub_text(text) == text else SCRUBBED
    if isinstance(value, list | tuple):
        return [scrub_value(one) for one in value]
    return scrub_text(value if isinstance(value, str) else str(value))


def scrub_text(text: str) -> str:
    return _LOOKED_AT.sub(lambda found: found[0] if found["id"] else _without_pans(found[0]), text)


def _without_pans(run: str) -> str:
    """`run` is digits and single separators. A number may begin with it, after a separator, or after another number."""
    kept, at = [], 0
    while at < len(run):
        end = _end_of_pan(run, at)
        if end:
            kept.append(SCRUBBED)
        else:
            end = _GROUP.match(run, at).end()  # type: ignore[union-attr]  # it matches at any place
            kept.append(run[at:end])
        at = end
    return "".join(kept)


def _end_of_pan(run: str, start: int) -> int:
    """Where the card number that begins here ends, rather at the end of a group than in it; 0 where there is none."""
    if not run[start].isdigit():
        return 0
    places = [place for place, key in enumerate(run[start : start + 2 * LONGEST_PAN], start) if key.isdigit()]
    digits = "".join(run[place] for place in places[:LONGEST_PAN]).encode()
    ends = [places[size - 1] + 1 for size in range(len(digits), SHORTEST_PAN - 1, -1) if is_pan(digits[:size])]
    return next((end for end in ends if not run[end : end + 1].isdigit()), ends[0] if ends else 0)


class ScrubbingHandler(logging.StreamHandler[Any]):
    """The same for libraries that log by the standard module."""

    def format(self, record: logging.LogRecord) -> str:
        return str(scrub_value(super().format(record)))
