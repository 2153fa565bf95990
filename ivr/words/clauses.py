"""Which clause of a prompt belongs to which key, and what the clause says that the key does."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from ivr.words.choice_words import OPPOSITE, ChoiceWords, Meaning, says_nothing, without_otherwise
from ivr.words.keys_said import DOES_EN, DOES_ES, KeySaid, ends_with_verb
from ivr.words.known_words import denies_charge, strange_words, without_harmless_phrases, without_only_this_pays

_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")
# A colon, or a value that is filled in, begins a new thought: "You pay … by …: press 1 to agree".
_THOUGHT = re.compile(r"[:…]")
# "To pay … with this card, press 1": the value is in the middle of the thought.
_GOES_ON = re.compile(r"\s*(?:with|on|from|using|con|en|desde|usando)\b", re.IGNORECASE)
_ANSWER = re.compile(r"\b(?:if )?(yes|no|sí)\b", re.IGNORECASE)
_KEY_FIRST = re.compile(
    rf"\W*\w+\s+(?:to|for|if|is|means|and(?! (?:to|if|for)\b)|{DOES_EN}|para|si|es|y(?! (?:para|si)\b)|{DOES_ES})\b(?!\s*(?:press|oprim|presion|puls|marqu?|digit))",
    re.IGNORECASE,
)


# Of an answer to a sentence that does not say what a yes to it would do.
_UNANSWERABLE = "the question"


@dataclass(frozen=True)
class Clause:
    """`before`: the sentence before it, a question as a rule, which a yes or a no in it answers."""

    key: str
    text: str
    before: str = ""


class Meant(NamedTuple):
    """What a key's own clause makes of it. `strange`: the words by which it may mean something else all the same."""

    key: str
    meaning: Meaning
    strange: tuple[str, ...] = ()


def meanings(text: str, said: list[KeySaid], words: ChoiceWords, language: str) -> list[Meant]:
    """Each key that is said, in order."""
    meant: list[Meant] = []
    if words.harmless:  # so that a clause of nothing else is none: "to hold … on … until you leave, press 1"
        text = words.harmless.sub(lambda found: " " * len(found[0]), text)
    for clause in clauses_of(text, said, language):
        rest = without_otherwise(clause.text, language)
        own = _meant(clause, clause.text if rest is None else rest, words, language)
        if rest is not None and not own.meaning and meant:
            own = Meant(clause.key, OPPOSITE[meant[-1].meaning], meant[-1].strange)
        meant.append(own)
    return meant


def takes_nothing(text: str, said: list[KeySaid], language: str) -> str:
    """The sentence without a key that says that no charge comes of it; "" where there is none."""
    for sentence in _SENTENCE.finditer(text):
        has_key = any(sentence.start() <= one.at < sentence.end() for one in said)
        if not has_key and denies_charge(sentence[0], language):
            return sentence[0].strip(" .;!?")
    return ""


def _meant(clause: Clause, text: str, words: ChoiceWords, language: str) -> Meant:
    answer = _ANSWER.search(text)
    if answer and says_nothing(_ANSWER.sub("", text), language):
        return _answer(clause, answer[1].lower() == "no", words, language)
    return _read(clause.key, text, words, language)


def _answer(clause: Clause, is_no: bool, words: ChoiceWords, language: str) -> Meant:
    """A yes by itself agrees to whatever was asked: only a question that asks for agreement makes it one."""
    asked = _read(clause.key, clause.before, words, language)
    meaning: Meaning = asked.meaning or "first"
    strange = asked.strange if asked.meaning else (_UNANSWERABLE,)
    return Meant(clause.key, OPPOSITE[meaning] if is_no else meaning, strange)


def _read(key: str, text: str, words: ChoiceWords, language: str) -> Meant:
    rest = without_only_this_pays(text, language)
    text = text if rest is None else rest
    meaning = words.meaning(without_harmless_phrases(text, language))
    if rest is not None and not meaning and not words.denied.search(rest):
        meaning = "first"
    return Meant(key, meaning, tuple(strange_words(text, words, language)))


def clauses_of(text: str, said: list[KeySaid], language: str) -> Iterator[Clause]:
    """ "Is that right? Press 1.": where a sentence says nothing of its key, the question before it does."""
    before, is_open = "", False
    for sentence in _SENTENCE.finditer(text):
        inside = [one for one in said if sentence.start() <= one.at < sentence.end()]
        for one, share, at in _shares(sentence, inside, language):
            clause = _own_thought(share, at, language)
            if is_open and says_nothing(clause, language):
                yield Clause(one.key, before)
            else:
                yield Clause(one.key, clause, before)
            is_open = False
        if not inside:
            is_open = sentence[0].rstrip().endswith("?")
            before = sentence[0]


def _own_thought(share: str, at: int, language: str) -> str:
    """The part of a share that the key stands in, unless that says nothing: "Yes: press 1", "Press 1: you pay"."""
    cuts = [0, *(found.end() for found in _THOUGHT.finditer(share)), len(share)]
    for begin, end in pairwise(cuts):
        if begin <= at <= end and not says_nothing(share[begin:end], language):
            return (
                share[:end] if _GOES_ON.match(share, begin) and share[begin - 1 :].startswith("…") else share[begin:end]
            )
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
    follows = bool(places) and not ends_with_verb(text[: places[0]], language)
    follows = follows and (_KEY_FIRST.match(text[places[0] :]) is not None or says_nothing(text[: places[0]], language))
    ends = [*places, len(text)]
    for number, one in enumerate(inside):
        before = ends[number - 1] + 1 if number else 0
        if follows:
            yield one, text[ends[number] : ends[number + 1]], 0
        else:
            yield one, text[before : ends[number]], ends[number] - before
