"""Which clause of a prompt belongs to which key, and what the clause says that the key does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from ivr.words.choice_words import OPPOSITE, ChoiceWords, Meaning, says_nothing, without_otherwise
from ivr.words.keys_said import KeySaid

_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")
# A colon, or a value that is filled in, begins a new thought: "You pay … by …: press 1 to agree".
_THOUGHT = re.compile(r"[:…]")
_ANSWER = re.compile(r"\b(?:yes|no|sí)\b", re.IGNORECASE)
_KEY_FIRST = re.compile(
    r"\W*\w+\s+(?:to|for|if|is|means|and|para|si|es|y)\b(?!\s*(?:press|oprim|presion|puls|marqu?|digit))", re.IGNORECASE
)


@dataclass(frozen=True)
class Clause:
    """`question`: the one that comes before it, which a yes or a no in it answers."""

    key: str
    text: str
    question: str = ""


def meanings(text: str, said: list[KeySaid], words: ChoiceWords, language: str) -> list[tuple[str, Meaning]]:
    """Each key that is said, in order, with what its own clause makes of it."""
    meant: list[tuple[str, Meaning]] = []
    for clause in _clauses(text, said, language):
        rest = without_otherwise(clause.text, language)
        meaning = words.meaning(clause.text if rest is None else rest)
        if rest is not None and not meaning and meant:
            meaning = OPPOSITE[meant[-1][1]]
        if words.meaning(clause.question) == "second" and says_nothing(_ANSWER.sub("", clause.text), language):
            meaning = OPPOSITE[meaning]
        meant.append((clause.key, meaning))
    return meant


def _clauses(text: str, said: list[KeySaid], language: str) -> Iterator[Clause]:
    """ "Is that right? Press 1.": where a sentence says nothing of its key, the question before it does."""
    question, is_open = "", False
    for sentence in _SENTENCE.finditer(text):
        inside = [one for one in said if sentence.start() <= one.at < sentence.end()]
        for one, share, at in _shares(sentence, inside, language):
            clause = _own_thought(share, at, language)
            if is_open and says_nothing(clause, language):
                yield Clause(one.key, question)
            else:
                yield Clause(one.key, clause, question)
            is_open = False
        if not inside:
            is_open = sentence[0].rstrip().endswith("?")
            question = sentence[0] if is_open else ""


def _own_thought(share: str, at: int, language: str) -> str:
    """The part of a share that the key stands in, unless that says nothing: "Yes: press 1", "Press 1: you pay"."""
    cuts = [0, *(found.end() for found in _THOUGHT.finditer(share)), len(share)]
    for begin, end in pairwise(cuts):
        if begin <= at <= end and not says_nothing(share[begin:end], language):
            return share[begin:end]
    return share


def _shares(sentence: re.Match[str], inside: list[KeySaid], language: str) -> Iterator[tuple[KeySaid, str, int]]:
    """Each key with its share of the sentence, and its place there: all of it, where it is the only key.

    `press 1 to pay or 2 to change`: what follows each key; `to pay press 1, to change 2`: what comes before it.
    """
    text, start = sentence[0], sentence.start()
    if len(inside) == 1:
        yield inside[0], text, inside[0].at - start
        return
    places = [one.at - start for one in inside]
    follows = bool(places) and (
        _KEY_FIRST.match(text[places[0] :]) is not None or says_nothing(text[: places[0]], language)
    )
    ends = [*places, len(text)]
    for number, one in enumerate(inside):
        before = ends[number - 1] + 1 if number else 0
        if follows:
            yield one, text[ends[number] : ends[number + 1]], 0
        else:
            yield one, text[before : ends[number]], ends[number] - before
