"""Whether a comment behind a prompt without quotes is the rest of its words, which YAML has cut off at a #."""

import re
from typing import Any

# A slot, or a # that belongs to what comes after it: "press #1", "press #, then wait".
_OF_THE_WORDS = re.compile(r"#[^\s#]|#+ .*\{[a-z_]+:[a-z]+\}")
_ENDS = (".", "?", "!", ";", "\u2026", "\u3002", "\uff1f", "\uff01", '"', "\u201d", "\u00bb", ")")


def is_cut(text: Any, comment: str, *, is_word: bool) -> bool:
    """A remark comes behind an entire sentence: what breaks off, or is empty, goes on in the comment. `comment`: from its #
    on; `is_word`: the prompt is a name (of a key, a currency), and no sentence."""
    if not comment or not isinstance(text, str):
        return False
    if is_word and text:
        return False
    return _OF_THE_WORDS.match(comment) is not None or not text.rstrip().endswith(_ENDS)
