"""`ask: money`: an amount, cents implied, always read back and confirmed."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from ivr.core.events import Event, KeysEntered
from ivr.core.money import Money
from ivr.flow.parts import Drawn, Explained, Facts, Finding, Formula, Keyed, Known, Need, Phases, Place, Said, Values
from ivr.flow.registry import step_kind
from ivr.flow.step import Step
from ivr.flow.talk.amounts import choose, is_paid_off
from ivr.flow.talk.dropping import MOST_KEYS
from ivr.flow.talk.entries import ask_to_confirm, edited, hear_confirmation, hear_keys, span_of
from ivr.flow.talk.turn import End, Leave, Listen, Reply, Turn, no_match
from ivr.flow.talk.values import fixed_amount, money_of
from ivr.reading.rules import values
from ivr.reading.scalars import LONGEST_AMOUNT, PayableAmount, Target, WrongValue

BOUNDS = frozenset({"min", "max"})


@step_kind
class AskMoneyStep(Step):
    """Ask for an amount, cents implied: 1075 is 10.75."""

    word = "ask"
    place = 11
    explained = Explained(
        "`ask: money`",
        "Asks for an amount, cents implied: 1075 is 10.75. Always read back and confirmed",
        "`ok`, `gave_up`; optional `cancelled`",
        "`between: [bill.min, bill.due]`",
    )
    example = """
other_amount:
  ask: money
  between: [bill.min, bill.due]
  then: {ok: card, gave_up: not_charged}
"""
    outcomes = frozenset({"ok", "gave_up"})
    optional_outcomes = frozenset({"cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks", "confirm": "asks"}
    speaks: ClassVar[Values] = {"nothing_due": frozenset({"due", "min"})}

    ask: Literal["money"]
    """An amount, whose cents are implied."""
    between: tuple[PayableAmount, PayableAmount] | None = None
    """The smallest and the largest amount, such as [bill.min, bill.due] or [5.00 USD, bill.due]."""
    confirm: Literal["always"] | None = None
    """An amount is confirmed whether this is written or not."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @model_validator(mode="before")
    @classmethod
    def is_no_number(cls, written: Any) -> Any:
        key = next((key for key in ("length", "lookup") if isinstance(written, dict) and key in written), None)
        if key:
            raise WrongValue(values.WRONG_VALUE, "an amount has no length and no lookup", key)
        return written

    @classmethod
    def claims(cls, body: Any) -> bool:
        return bool(body.get("ask") == "money")

    def says(self) -> Iterator[Said]:
        yield Said(("ask",), "enter_money", BOUNDS)
        yield Said(("ask",), "no_match_money", BOUNDS)
        confirm = ("confirm",) if self.confirm else ("ask",)
        yield Said(confirm, "confirm_money", frozenset({"value", "amount", "money"}))

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        yield from ()

    def formulas(self) -> Iterator[Formula]:
        for index, text in enumerate(self.between or ()):
            yield Formula(("between", index), text, "money")

    @property
    def fixed_amounts(self) -> Iterator[tuple[Place, Money]]:
        for index, text in enumerate(self.between or ()):
            if (amount := fixed_amount(text)) is not None:
                yield ("between", index), amount

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return (facts | {"amount"}) - {"confirmed"} if outcome == "ok" else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | {"money", "amount"} if outcome == "ok" else known

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        if self.between is None:
            return
        cure = "write it as [bill.min, bill.due]"
        low, high = map(fixed_amount, self.between)
        if self.between == ("bill.due", "bill.min") or (low and high and low.minor > high.minor):
            message = "'between' has its values the wrong way round"
            cure = f"write it as [{self.between[1]}, {self.between[0]}]"
            yield Finding(values.BETWEEN_REVERSED, ("between",), message, cure)
        elif self.between[0] == self.between[1]:
            message = f"only one amount is between '{self.between[0]}' and '{self.between[1]}'"
            yield Finding(values.BETWEEN_REVERSED, ("between",), message, cure)

    def drawn(self) -> Drawn:
        return Drawn("talk", "ask money")

    # ---- in a call

    @property
    def answer(self) -> str:
        return "money"

    def keyed(self, phase: str) -> Keyed:
        return "amount" if phase == "entry" else "key"

    def takes(self, turn: Turn, key: str) -> bool:
        """Nine cents, where they can be paid."""
        if turn.call.phase != "entry" or not key.isdecimal():
            return False
        low, high = self._bounds(turn)
        return low.minor <= int(key) <= high.minor

    def put(self, turn: Turn) -> Reply:
        if turn.call.phase == "confirm":
            return self._ask_to_confirm(turn), Listen()
        if is_paid_off(turn):
            return turn.say("nothing_due"), End()
        low, high = self._bounds(turn)
        turn = turn.say("enter_money", min=low, max=high)
        # Not over by its length: a card number keyed in here is to arrive in one piece, and is known by that.
        rules = turn.rules(1, LONGEST_AMOUNT, is_plain=True, ends_by_length=False)
        return turn.collect("money", rules), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        return hear_keys(turn, event, self._hear_keys)

    def _hear_keys(self, turn: Turn, event: KeysEntered) -> Reply:
        if turn.call.phase == "confirm":
            return hear_confirmation(turn, event, self._accept)
        span = span_of(turn, event, 1, MOST_KEYS)
        if (reply := edited(turn, span.reading)) is not None:
            return reply
        low, high = self._bounds(turn)
        text = event.keys.text()[span.start : span.end]
        if not text.isdecimal() or len(text) > LONGEST_AMOUNT or not low.minor <= int(text) <= high.minor:
            return no_match(turn, "no_match_money", min=low, max=high)
        return self._ask_to_confirm(turn.remember(money=Money(int(text), low.currency))), Listen()

    def _ask_to_confirm(self, turn: Turn) -> Turn:
        return ask_to_confirm(turn, "money", turn.call.values["money"])

    def _accept(self, turn: Turn) -> Reply:
        amount = turn.call.values["money"]
        if not isinstance(amount, Money):
            raise TypeError("an amount is money")
        return choose(turn, amount), Leave("ok")

    def _bounds(self, turn: Turn) -> tuple[Money, Money]:
        """Never more than is due, nor than the flow's largest amount."""
        limit, payable = turn.flow.head.limits.max_amount, turn.call.payable
        if payable is not None and payable.owed.currency == limit.currency:
            limit = min(limit, payable.owed)
        if self.between is None:
            return Money(1, limit.currency), limit
        low, high = (money_of(turn, text) for text in self.between)
        if not low.currency == high.currency == limit.currency:
            raise ValueError("the bill and the flow's max_amount are in different currencies")
        top = min(high.minor, limit.minor)
        return Money(min(max(low.minor, 1), top), low.currency), Money(top, high.currency)
