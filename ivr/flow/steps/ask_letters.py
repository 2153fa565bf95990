"""`ask: <name>` with `letters`: an answer of letters and digits, such as a ticket number, a postcode or a number plate.

It is asked and looked up as digits are; what differs is what an entry is, and that it is always read back: no caller knows
by heart which letter is where on a key. How letters are keyed in is in `core.two_key`.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Literal

from pydantic import model_validator

from ivr.core.two_key import alike, answer_of, key_count, keys_of, some_answer
from ivr.flow.answer_step import AnswerStep
from ivr.flow.parts import Explained, Finding, Known
from ivr.flow.registry import step_kind
from ivr.reading.rules.values import PATTERNS_ALIKE, WRONG_VALUE
from ivr.reading.scalars import LONGEST_PATTERN, Length, Patterns, WrongValue, plain_pattern
from ivr.words.slots import LETTERED_KINDS


@step_kind
class AskLettersStep(AnswerStep):
    """Ask for letters and digits, two keys a letter. Always read back and confirmed."""

    place = 12
    explained = Explained(
        "`ask: <name>` with `letters: two_key`",
        "Asks for letters and digits, two keys a letter. Always read back and confirmed",
        "`ok`, or with `lookup` `found` and `not_found`; `gave_up`; optional `cancelled`",
        "`pattern: LL DDD DDD` or a `length`, `lookup`: [Letters](#letters)",
    )
    example = """
ticket:
  ask: ticket
  letters: two_key
  pattern: LL DDD DDD
  lookup: billing.find_bill
  then: {found: amount, not_found: retry, gave_up: not_charged}
"""

    letters: Literal["two_key"]
    """How letters are keyed in. two_key: the letter's key, then its place on it: 2 then 1 is A."""
    pattern: Patterns | None = None
    """What stands at each place: L a letter, D a digit, X either. One pattern, or a list of them."""
    length: Length | None = None
    """Without a pattern: how many letters or digits, two keys each; a digit is followed by 0."""
    confirm: Literal["always"] | None = None
    """An answer with letters is confirmed whether this is written or not."""

    @model_validator(mode="after")
    def has_length(self) -> "AskLettersStep":
        if (self.pattern is None) == (self.length is None):
            raise WrongValue(WRONG_VALUE, "letters need a pattern, such as LL DDD DDD, or else a length", "letters")
        if self.length and self.length[1] > LONGEST_PATTERN:
            raise WrongValue(WRONG_VALUE, f"at most {LONGEST_PATTERN}, at two keys each", "length")
        return self

    @classmethod
    def claims(cls, body: Any) -> bool:
        return "ask" in body and body["ask"] != "money" and "letters" in body

    @property
    def answer_kinds(self) -> frozenset[str]:
        return LETTERED_KINDS

    def typed(self, answer: str) -> str:
        return keys_of(answer, self._patterns)

    def stand_in(self, keys: int, number: int = 0) -> str:
        answer = some_answer(keys, self._patterns, number)
        return keys_of(answer, self._patterns) or super().stand_in(keys, number)

    def said_by(self, keys: str) -> str:
        return self._answer_of(keys) or ""

    def answer_can_be(self, text: str, *, only_begins: bool = False) -> bool:
        return only_begins or bool(keys_of(text.upper(), self._patterns))

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        yield from super().findings(name, known)
        pairs = combinations(self.pattern or (), 2)
        one, other = next((pair for pair in pairs if alike(*map(plain_pattern, pair))), ("", ""))
        if one:
            message = f"'pattern': '{one}' and '{other}' can be keyed in alike"
            cure = "write X where one has a letter and the other a digit"
            yield Finding(PATTERNS_ALIKE, ("pattern",), message, cure)

    # ---- what an entry is

    @property
    def _shortest_answer(self) -> int:
        return self._key_counts[0] // 2

    @property
    def _patterns(self) -> tuple[str, ...]:
        if self.pattern is not None:
            return tuple(map(plain_pattern, self.pattern))
        shortest, longest = self.length or (1, 1)
        return tuple("X" * count for count in range(shortest, longest + 1))

    @property
    def _key_counts(self) -> tuple[int, int]:
        counts = [key_count(pattern) for pattern in self._patterns]
        return min(counts), max(counts)

    @property
    def _length_key(self) -> str:
        return "pattern" if self.pattern is not None else "length"

    @property
    def _is_read_back(self) -> bool:
        return True

    def _answer_of(self, keys: str) -> str | None:
        return answer_of(keys, self._patterns)
