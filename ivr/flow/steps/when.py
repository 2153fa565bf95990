"""`when`: goes on by the first condition that is true; nothing is said."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ivr.flow.parts import Drawn, Explained, Formula, Place, Said, Values
from ivr.flow.passing import Passing
from ivr.flow.registry import step_kind
from ivr.flow.schema import Written
from ivr.flow.step import Way
from ivr.flow.talk.turn import Leave, Reply, Turn
from ivr.flow.talk.values import names, value_of, with_next_opening
from ivr.reading.scalars import FormulaText, Target
from ivr.words.slots import DATE_KINDS, TIME_KINDS

MOST_CASES = 20
OPENS = frozenset({"opens_on", "opens_at"})
LONGEST_LABEL = 40  # characters, at an arrow


class Case(Written):
    """A condition, and where it leads."""

    condition: FormulaText = Field(alias="if")
    """What is yes or no, such as today <= 2026-12-31 and bill.due > 5.00 USD."""
    then: Target
    """The next step, where it is yes."""


@step_kind
class WhenStep(Passing):
    """Go on by the first condition that is true."""

    word = "when"
    place = 25
    explained = Explained(
        "`when`",
        "Goes on by the first condition that is yes: `- if: <condition>` and `then: <step>`, then `else: <step>`",
        "",
        "`else` (required): [Conditions and values](#conditions-and-values)",
    )
    example = """
opening:
  when:
    - {if: not open, then: not_charged}
    - {if: bill.due > 100.00 USD and language = es-MX, then: other_amount}
  else: amount
"""
    outcomes = frozenset()
    optional_outcomes = frozenset({"else"})
    values: ClassVar[Values] = {"opens_on": DATE_KINDS, "opens_at": TIME_KINDS}

    when: Annotated[list[Case], Field(min_length=1, max_length=MOST_CASES)]
    """The conditions, of which the first that is yes leads on."""
    otherwise: Target = Field(alias="else")
    """The next step, where none is yes."""

    @classmethod
    def ways_written(cls, body: Mapping[str, Any]) -> Iterator[Way]:
        written = body.get("when")
        for index, case in enumerate(written if isinstance(written, list) else ()):
            yield ("when", index, "then"), f"case_{index + 1}", case.get("then") if isinstance(case, dict) else None
        yield ("else",), "else", body.get("else")

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        for index, case in enumerate(self.when):
            yield ("when", index, "then"), f"case_{index + 1}", case.then
        yield ("else",), "else", self.otherwise

    def known_outcomes(self) -> frozenset[str]:
        return super().known_outcomes() | {outcome for _, outcome, _ in self.targets()}

    def says(self) -> Iterator[Said]:
        yield from ()

    # ---- what the checks want to know

    def formulas(self) -> Iterator[Formula]:
        for index, case in enumerate(self.when):
            yield Formula(("when", index, "if"), case.condition, "yes_no", is_case=True)

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | OPENS if self._asks_whether_open else known

    @property
    def _asks_whether_open(self) -> bool:
        return any("open" in names(case.condition) for case in self.when)

    def drawn(self) -> Drawn:
        return Drawn("talk", "when")

    def label(self, outcome: str) -> str:
        if outcome == "else":
            return "else"
        text = self.when[int(outcome.removeprefix("case_")) - 1].condition
        return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 3]}..."

    # ---- in a call

    def put(self, turn: Turn) -> Reply:
        if self._asks_whether_open:
            turn = with_next_opening(turn)
        for index, case in enumerate(self.when, 1):
            if value_of(turn, case.condition):
                return turn, Leave(f"case_{index}")
        return turn, Leave("else")
