"""A stored call that another version may have written: read whole, or as much of it as a truthful ending needs."""

import json
from typing import Any, get_args

from ivr.core.call import Call, Ending

ENDINGS = frozenset(get_args(Ending))
# What an ending needs of a call that cannot be gone on with: where texts go, in which language, which attempts there were.
TEXTS, NUMBERS = ("ani", "dnis", "channel", "language"), ("attempt",)


def read_call(text: str, call_id: str, flow: str) -> tuple[Call, bool]:
    """The call, and whether it is all there: one that is not must not go on, only end. `flow` is the row's own column."""
    try:
        call = Call.from_json(text)
        is_whole = (call.id, call.flow) == (call_id, flow) and isinstance(call.phase, str)
    except (ValueError, TypeError, KeyError, AttributeError):
        is_whole = False
    return (call, True) if is_whole else (_what_can_be_read(text, call_id, flow), False)


def _what_can_be_read(text: str, call_id: str, flow: str) -> Call:
    stored = _fields(text)
    read: dict[str, Any] = {name: stored[name] if isinstance(stored.get(name), str) else "" for name in TEXTS}
    read |= {name: stored[name] for name in NUMBERS if type(stored.get(name)) is int}
    read |= {name: stored.get(name) is True for name in ("hung_up",)}
    if stored.get("phase") == "over":
        read |= {"phase": "over", "outcome": stored.get("outcome") if stored.get("outcome") in ENDINGS else None}
    return Call(call_id, flow, **read)


def _fields(text: str) -> dict[str, Any]:
    try:
        stored = json.loads(text)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}
