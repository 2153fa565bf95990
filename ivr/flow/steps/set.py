"""`set`: computes values, among them the amount to pay; nothing is said."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ivr.flow.parts import (
    Drawn,
    Explained,
    Facts,
    Formula,
    Need,
    Place,
    Said,
    Values,
    in_words,
    with_set,
)
from ivr.flow.passing import Passing
from ivr.flow.registry import step_kind
from ivr.flow.step import Way
from ivr.flow.talk.amounts import at_most_owed, choose, computed, is_paid_off
from ivr.flow.talk.turn import End, Leave, Reply, Turn
from ivr.flow.talk.values import money_of, value_of
from ivr.flow.value_check import not_of_a_sum
from ivr.reading.scalars import FormulaText, SetName, Target

MOST_VALUES = 10


@step_kind
class SetStep(Passing):
    """Compute values."""

    word = "set"
    place = 26
    explained = Explained(
        "`set`",
        "Computes values: `set: {amount: bill.due - 5 %}` makes that the amount to pay, another name a value of its own",
        "",
        "`then: <step>`; `else: <step>` where the amount cannot be paid: [Conditions and values](#conditions-and-values)",
    )
    example = """
reduced:
  set: {saved: 5 % of bill.due, amount: bill.due - 5 %}
  then: card
"""
    outcomes = frozenset()
    optional_outcomes = frozenset({"ok", "else"})
    speaks: ClassVar[Values] = {"nothing_due": frozenset({"due", "min"}), "bill_not_payable": frozenset()}

    set: Annotated[dict[SetName, FormulaText], Field(min_length=1, max_length=MOST_VALUES)]
    """The values by name, in their order: amount is what will be charged, never more than is due."""
    then: Target
    """The next step."""
    otherwise: Target | None = Field(alias="else", default=None)
    """The next step where the amount is nothing, or more than max_amount; without it the call ends there, uncharged."""

    @classmethod
    def ways_written(cls, body: Mapping[str, Any]) -> Iterator[Way]:
        yield ("then",), "ok", body.get("then")
        if "else" in body:
            yield ("else",), "else", body["else"]

    @classmethod
    def set_written(cls, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        written = body.get("set")
        for name, text in written.items() if isinstance(written, dict) else ():
            if isinstance(text, str):
                yield name, text

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        yield ("then",), "ok", self.then
        if self.otherwise:
            yield ("else",), "else", self.otherwise

    def ends_by(self) -> frozenset[str]:
        return frozenset({"end"} if "amount" in self.set and not self.otherwise else ())

    def says(self) -> Iterator[Said]:
        yield from ()

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        if "amount" in self.set:
            yield from not_of_a_sum(name, ("set", "amount"))

    def formulas(self) -> Iterator[Formula]:
        for name, text in self.set.items():
            is_amount = name == "amount"
            yield Formula(("set", name), text, "money" if is_amount else "", name, "at_most_due" if is_amount else "")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """An amount that cannot be paid is none."""
        facts = with_set(facts, self.set.keys() - {"amount"})
        if "amount" not in self.set:
            return facts
        return (facts - {"confirmed", "amount"}) | ({"amount"} if outcome == "ok" else set())

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        known = with_set(known, self.set.keys() - {"amount"})
        return known | {"amount"} if "amount" in self.set and outcome == "ok" else known

    def drawn(self) -> Drawn:
        return Drawn("talk", f"set {', '.join(map(in_words, self.set))}")

    # ---- in a call

    def put(self, turn: Turn) -> Reply:
        for name, text in self.set.items():
            if name != "amount":
                turn = computed(turn, **{name: value_of(turn, text)})
                continue
            if is_paid_off(turn):
                return turn.say("nothing_due"), End()
            amount, limit = at_most_owed(turn, money_of(turn, text)), turn.flow.head.limits.max_amount
            if amount.minor <= 0 or amount.currency != limit.currency:
                return self._not_payable(turn.say("bill_not_payable"))
            if amount.minor > limit.minor:
                return self._not_payable(turn.say("limit_max_amount", max=limit))
            turn = choose(turn, amount)
        return turn, Leave("ok")

    def _not_payable(self, turn: Turn) -> Reply:
        return turn.forget("amount"), Leave("else") if self.otherwise else End()
