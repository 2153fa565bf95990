"""A stored call that another version may have written: read whole, or as much of it as a truthful ending needs."""

import json
from typing import Any, get_args

from ivr.core.call import Call, Phase

PHASES = frozenset(get_args(Phase))
# What an ending needs of a call that cannot be gone on with: where texts go, in which language, which attempts there were.
TEXTS, NUMBERS = ("ani", "dnis", "channel", "language"), ("attempt", "charged_attempt")


def read_call(text: str, call_id: str, flow: str) -> tuple[Call, bool]:
    """The call, and whether it is all there: one that is not must not go on, only end. `flow` is the row's own column."""
    try:
        call = Call.from_json(text)
        is_whole = (call.id, call.flow) == (call_id, flow) and call.phase in PHASES
    except (ValueError, TypeError, KeyError, AttributeError):
        is_whole = False
    return (call, True) if is_whole else (_what_can_be_read(text, call_id, flow), False)


def _what_can_be_read(text: str, call_id: str, flow: str) -> Call:
    stored = _fields(text)
    texts = {name: stored[name] if isinstance(stored.get(name), str) else "" for name in TEXTS}
    numbers = {name: stored[name] for name in NUMBERS if type(stored.get(name)) is int}
    is_over = stored.get("phase") == "over"
    outcome = stored["outcome"] if is_over and stored.get("outcome") in ("paid", "unpaid", "pending") else None
    return Call(
        call_id,
        flow,
        **texts,
        **numbers,
        unsettled=stored.get("unsettled") is True,
        phase="over" if is_over else "entry",
        outcome=outcome,
        hung_up=stored.get("hung_up") is True,
    )


def _fields(text: str) -> dict[str, Any]:
    try:
        stored = json.loads(text)
    except ValueError:
        return {}
    return stored if isinstance(stored, dict) else {}
