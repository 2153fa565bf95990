"""A phrase's pieces as lines for a voice: what is said in one breath, which recordings say the same, how long a pause after."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ivr.words.numerals import Sound
from ivr.words.phrases import Piece

STOP_MS, COMMA_MS, JOIN_MS, DIGIT_MS, GROUP_MS = 320, 160, 40, 60, 300
AND = "units/and"
_WORDS = re.compile(r"\w")
_LEADING = re.compile(r"[\s.,;:!?)]*")


@dataclass(frozen=True)
class ScriptLine:
    """`words` carry the punctuation that gives the voice its melody; `recordings` is empty where there can be none."""

    words: str
    recordings: tuple[str, ...]
    kind: str
    pause_ms: int


def lines_of(pieces: Sequence[Piece]) -> list[ScriptLine]:
    """Punctuation before a literal's first word belongs to the value before it: `42 dollars` `. To pay it in full`."""
    lines: list[ScriptLine] = []
    for index, piece in enumerate(pieces):
        following = pieces[index + 1].text if index + 1 < len(pieces) else "."
        after = _LEADING.match(following)
        if piece.kind == "literal":
            lines += _literal(piece)
        else:
            lines += _value(piece, _mark(after[0] if after else ""))
    return lines


def _literal(piece: Piece) -> Iterator[ScriptLine]:
    leading = _LEADING.match(piece.text)
    body = piece.text[leading.end() if leading else 0 :].strip()
    if not _WORDS.search(body):
        return
    mark = _mark(body[-1])
    words = body if body[-1] in ".,;:!?" else f"{body},"
    # A comma that is not written keeps the voice up, but there is no pause before the value.
    yield ScriptLine(words, _recordings(piece.sounds), "literal", _pause(mark) if words == body else JOIN_MS)


def _value(piece: Piece, mark: str) -> Iterator[ScriptLine]:
    breaths = list(_breaths(piece))
    for number, (sounds, pause) in enumerate(breaths, 1):
        last = number == len(breaths)
        words = " ".join(sound.words for sound in sounds)
        pause = _pause(mark) if last and mark else pause
        yield ScriptLine(f"{words}{mark or ',' if last else ','}", _recordings(sounds), piece.kind, pause)


def _breaths(piece: Piece) -> Iterator[tuple[tuple[Sound, ...], int]]:
    """Digits one at a time, so that no account number ever is a clip; money in two, so that there are few clips."""
    if piece.kind == "digits":
        ends = _group_ends(piece.text)
        for position, sound in enumerate(piece.sounds, 1):
            yield (sound,), GROUP_MS if position in ends else DIGIT_MS
        return
    cut = next((index for index, sound in enumerate(piece.sounds) if sound.recording == AND), 0)
    if cut:
        yield piece.sounds[:cut], 0
    yield piece.sounds[cut:], JOIN_MS


def _group_ends(text: str) -> set[int]:
    """After which character a group ends, from `1, 2, 3, 4; 5, 6`."""
    ends, total = set(), 0
    for group in text.split("; "):
        total += len(group.split(", "))
        ends.add(total)
    return ends


def _recordings(sounds: Sequence[Sound]) -> tuple[str, ...]:
    names = [sound.recording for sound in sounds]
    return tuple(name for name in names if name) if all(names) else ()


def _mark(punctuation: str) -> str:
    return "." if set(punctuation) & set(".!?") else "," if set(punctuation) & set(",;:") else ""


def _pause(mark: str) -> int:
    return {".": STOP_MS, ",": COMMA_MS}.get(mark, JOIN_MS)
