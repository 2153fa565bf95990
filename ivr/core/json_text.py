"""JSON that somebody else wrote, read no deeper than anything that we speak is nested.

`json.loads` goes down until the interpreter's stack is at its end. The RecursionError that comes then can be caught,
but whatever happens to be collected down there (a socket, a generator) fails in its own clean-up: so how deep it goes
is counted before it is read (RFC 8259, section 9: a reader may limit the depth).
"""

import json
import re
from typing import Any

DEEPEST = 64  # what we and the banks write is nested 8 deep at most
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)
_AS_LATIN = "latin-1"  # byte by byte: brackets and quotes are the same in UTF-8


def parse_json(text: str | bytes, **options: Any) -> Any:
    """As `json.loads` with these options. ValueError where it is no JSON, or nested more than `DEEPEST` deep."""
    opening: tuple[Any, Any] = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    if sum(map(text.count, opening)) > DEEPEST and _depth(text) > DEEPEST:
        raise ValueError(f"nested more than {DEEPEST} deep")
    return json.loads(text, **options)


def _depth(text: str | bytes) -> int:
    written = text if isinstance(text, str) else text.decode(_AS_LATIN)
    depth = deepest = 0
    for found in _BRACKETS.finditer(written):
        depth += (found[1] is not None) - (found[2] is not None)
        deepest = max(deepest, depth)
    return deepest
