"""What a merchant most likely meant where YAML only says what it did not expect, and the place to look at."""

import re
from typing import NamedTuple

import yaml

CURES = (
    ("character '\\t'", "indent with spaces, not tabs"),
    ("scanning an alias", "write the key as a word: star"),
    ("expected alphabetic or numeric", "put the text in quotes; the keys of a telephone are words: star, pound"),
    ("cannot start any token", "put the text in quotes"),
    (
        "mapping values are not allowed",
        'a text with a colon needs quotes: "so: here"; otherwise look at the indentation',
    ),
    ("could not find expected ':'", "a colon and a space follow each key"),
    ("expected <block end>", "lines that belong together begin in the same column"),
    ("expected ',' or", "a bracket or brace is not closed; # begins a comment, so the pound key is written pound"),
    ("expected the node content", "something is not finished; # begins a comment, so the pound key is written pound"),
    ("unexpected end of stream", "a quote is not closed"),
    ("another document", "one file is one flow: remove the line ---"),
)
# By these YAML says, in a line below it mostly, that a line has no colon.
_NO_COLON = ("mapping values are not allowed", "could not find expected ':'", "expected '<document start>'")
# By these, that something stands behind what was complete.
_TOO_MUCH = ("expected <block end>", "mapping values are not allowed", "expected ',' or", "cannot start any token")
_KEY_ALONE = re.compile(r"(?P<indent> *)(?P<key>[A-Za-z_][\w-]*)(?: +\S.*|\s*)", re.ASCII)
_OPENS_KEYS = re.compile(r"[^#]*:\s*(#.*)?")
_NOTHING = re.compile(r"\s*(#.*)?|---\s*")
# A slot is written like a brace of YAML: `{done:key} ends it` begins with one, and goes on.
# In `{if: weekday in [monday, friday], then: open}` the bracket of the list is one of YAML, and stands behind a word.
_LIST_AFTER_WORD = re.compile(r".*\b(?:not )?in *$")
# `{if: !open, then: closed}`: to YAML the comma belongs to the tag, and the next key's colon is too much.
_TAG_AT_END = re.compile(r"[:,{\[ ]!(?P<word>[a-z][a-z_.]*),? *(?:\w+ *)?$")
QUOTES_ROUND_EXPRESSION = "in brackets and braces, put quotes round an expression with a comma or a bracket"
_BEGINS_WITH_A_SLOT = re.compile(r"\s*(?:[\w-]+:\s+)?(?P<brace>\{\w+:\w+\})", re.ASCII)
QUOTES_ROUND_IT = "put quotes round it: a text that begins with a brace is none for YAML"


class Unread(NamedTuple):
    """Line and column count from 1."""

    line: int
    column: int
    message: str
    cure: str


def meant(text: str, error: yaml.MarkedYAMLError) -> Unread:
    words = f"{error.context or ''} {error.problem or ''}".strip()
    mark, opened = error.problem_mark or error.context_mark, error.context_mark
    if mark is not None:
        found = _quote_left_open(text, words, mark) or _slot_unquoted(text, mark) or _colon_missing(text, words, error)
        if found:
            return found
    cure = next((cure for sign, cure in CURES if sign in words), "")
    if mark is not None and "got '['" in words and _LIST_AFTER_WORD.match(text.split("\n")[mark.line][: mark.column]):
        cure = QUOTES_ROUND_EXPRESSION
    before = next((line[: mark.column] for line in text.split("\n")[mark.line : mark.line + 1]), "") if mark else ""
    if "got ':'" in words and (tag := _TAG_AT_END.search(before)):
        cure = f"'!{tag['word']}' is a tag of YAML: write 'not {tag['word']}'"
    if mark and opened and opened.line < mark.line and "is not closed" in cure:
        mark = opened  # it is noticed far below; the place to look at is where it was opened
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Unread(line, column, f"not YAML: {(error.problem or words).removeprefix('but ')}", cure)


def _quote_left_open(text: str, words: str, mark: yaml.Mark) -> Unread | None:
    """A text whose quote is forgotten goes on to the next quote, that of a line below: what stands there is then too much."""
    if not any(sign in words for sign in _TOO_MUCH):
        return None
    opened: yaml.Token | None = None
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if token.start_mark.index >= mark.index:
                break
            if isinstance(token, yaml.ScalarToken) and token.style in ('"', "'"):
                opened = token
    except yaml.YAMLError:
        pass  # the words after the quote, which are what the error is about
    if opened is None or not opened.start_mark.line < opened.end_mark.line == mark.line:
        return None
    message = f"not YAML: the text in quotes that begins here ends on line {mark.line + 1}, in the middle of another"
    return Unread(opened.start_mark.line + 1, opened.start_mark.column + 1, message, "a quote is not closed")


def _slot_unquoted(text: str, mark: yaml.Mark) -> Unread | None:
    line = _lines(text)[mark.line] if mark.line < len(_lines(text)) else ""
    found = _BEGINS_WITH_A_SLOT.match(line)
    if found is None or mark.column < found.end():
        return None
    message = f"not YAML: '{found['brace']}' is read as keys, and words follow it"
    return Unread(mark.line + 1, found.start("brace") + 1, message, QUOTES_ROUND_IT)


def _colon_missing(text: str, words: str, error: yaml.MarkedYAMLError) -> Unread | None:
    """The line above the one that YAML stumbles over, where that one begins with a key and has no colon."""
    mark = error.problem_mark
    if mark is None or not any(sign in words for sign in _NO_COLON):
        return None
    lines = _lines(text)
    below = lines[mark.line] if mark.line < len(lines) else ""
    if "mapping values" in words and below.find(":") != mark.column:
        return None  # the second colon of a line: that line has one too many
    indent = len(below) - len(below.lstrip(" ")) if below.strip() else len(below)
    for number in range(min(mark.line, len(lines)) - 1, -1, -1):
        if _NOTHING.fullmatch(lines[number]) or (below.strip() and _indent(lines[number]) > indent):
            continue
        found = _KEY_ALONE.fullmatch(lines[number])
        if found is None or ":" in lines[number] or _continues(lines, number):
            return None
        cure = f"a colon and a space follow each key: '{found['key']}: ...'"
        return Unread(number + 1, len(found["indent"]) + 1, f"not YAML: no colon after '{found['key']}'", cure)
    return None


def _continues(lines: list[str], number: int) -> bool:
    """Whether a line goes on with the text of the one that it is indented below."""
    indent = _indent(lines[number])
    for above in reversed(lines[:number]):
        if not _NOTHING.fullmatch(above) and _indent(above) < indent:
            return _OPENS_KEYS.fullmatch(above) is None
    return indent > 0


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _lines(text: str) -> list[str]:
    """As YAML counts them."""
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)
