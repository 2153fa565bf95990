"""Letters on a keypad, two keys each: the key that the letter stands on, then its place there. 2 then 1 is A, 9 then 4 is Z.

A pattern says what stands at each place of an answer, so that a digit that can be nothing else is one key alone:

    L   a letter, two keys
    D   a digit, one key
    X   a letter or a digit, two keys; a digit is followed by 0, which is no letter's place

Multi-tap (the key pressed as often as the letter's place says) is not here. Two letters of one key can only be told apart by
a pause between them; networks that hand over an entry as a whole (Twilio's <Gather>) take that pause for its end, and callers
who cannot press keys quickly are misread.
"""

from collections.abc import Iterator, Mapping, Sequence

# ITU-T E.161 3.2; on 7 and 9 there are four.
LETTERS_OF_KEY: Mapping[str, str] = {
    **{"2": "ABC", "3": "DEF", "4": "GHI", "5": "JKL"},
    **{"6": "MNO", "7": "PQRS", "8": "TUV", "9": "WXYZ"},
}
KEYS_OF_LETTER: Mapping[str, str] = {
    letter: f"{key}{place}" for key, letters in LETTERS_OF_KEY.items() for place, letter in enumerate(letters, 1)
}
LETTER_OF_KEYS: Mapping[str, str] = {keys: letter for letter, keys in KEYS_OF_LETTER.items()}
DIGITS = "0123456789"
KEYS_OF: Mapping[str, Mapping[str, str]] = {
    "L": LETTER_OF_KEYS,
    "D": {digit: digit for digit in DIGITS},
    "X": {**LETTER_OF_KEYS, **{f"{digit}0": digit for digit in DIGITS}},
}
"""By the letter of a pattern: the keys that may stand there, and what they mean."""


def key_count(pattern: str) -> int:
    return sum(1 if kind == "D" else 2 for kind in pattern)


def answer_of(keys: str, patterns: Sequence[str]) -> str | None:
    """What the keys say in the pattern that they fit; None where they fit none."""
    return next((answer for pattern in patterns if (answer := _read(keys, pattern)) is not None), None)


def keys_of(answer: str, patterns: Sequence[str]) -> str:
    """How the answer is keyed in; "" where no pattern has it."""
    return next((keys for pattern in patterns if (keys := _written(answer, pattern))), "")


def some_answer(keys: int, patterns: Sequence[str], number: int = 0) -> str:
    """An answer of so many keys, which is nobody's, another one for each number as far as there are any; "" where no
    pattern has as many."""
    found = next((pattern for pattern in patterns if key_count(pattern) == keys), "")
    said = []
    for kind in reversed(found):
        of_kind = "1234567890" if kind == "D" else "MNOPQRSTUVWXYZABCDEFGHIJKL"
        number, place = divmod(number, len(of_kind))
        said.append(of_kind[place])
    return "".join(reversed(said))


def alike(one: str, other: str) -> bool:
    """Whether some keys fit both patterns: nobody could tell which was meant."""
    if one == other:
        return True
    return key_count(one) == key_count(other) and _meet(one, other)


def _meet(one: str, other: str) -> bool:
    """Key by key: more than really meet, where a pair of keys is no letter, and never fewer."""
    return all(mine & others for mine, others in zip(_possible(one), _possible(other), strict=True))


def _possible(pattern: str) -> Iterator[frozenset[str]]:
    """By place the keys that may be pressed there."""
    for kind in pattern:
        for column in zip(*KEYS_OF[kind], strict=True):
            yield frozenset(column)


def _read(keys: str, pattern: str) -> str | None:
    if len(keys) != key_count(pattern):
        return None
    said, at = [], 0
    for kind in pattern:
        size = 1 if kind == "D" else 2
        said.append(KEYS_OF[kind].get(keys[at : at + size], ""))
        at += size
    return "".join(said) if all(said) else None


def _written(answer: str, pattern: str) -> str:
    if len(answer) != len(pattern):
        return ""
    keys = [
        next((keys for keys, said in KEYS_OF[kind].items() if said == character), "")
        for kind, character in zip(pattern, answer, strict=True)
    ]
    return "".join(keys) if all(keys) else ""
