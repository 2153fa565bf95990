"""`ask: money`: an amount, cents implied, always read back and confirmed."""

from collections.abc import Iterator
from dataclasses import dataclass
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
from ivr.flow.talk.values import fixed_amount, is_never_paid, is_no_less, money_of
from ivr.flow.value_check import not_of_a_sum
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
        yield from not_of_a_sum(name, ("ask",))

    def formulas(self) -> Iterator[Formula]:
        if self.between is not None:
            yield Formula(("between", 0), self.between[0], "money", pays="at_least")
            yield Formula(("between", 1), self.between[1], "money", pays="at_most")

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
        if self.between is None or is_never_paid(self.between[1]):
            return  # the second is told where amounts are read
        low, high = self.between
        is_reversed = is_no_less(low, high)
        if is_reversed:
            message = "'between' has its values the wrong way round"
            yield Finding(values.BETWEEN_REVERSED, ("between",), message, f"write it as [{high}, {low}]")
        elif is_reversed is None:
            message = f"only one amount is between '{low}' and '{high}'"
            yield Finding(values.BETWEEN_REVERSED, ("between",), message, "write it as [bill.min, bill.due]")

    @property
    def passes_by(self) -> frozenset[str]:
        """Where no amount fits between the two, nobody is asked."""
        return frozenset({"gave_up"} if self.between else ())

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
        span = self._span(turn)
        return span is not None and int(key) in span.minors

    def put(self, turn: Turn) -> Reply:
        if turn.call.phase == "confirm":
            return self._ask_to_confirm(turn), Listen()
        if is_paid_off(turn):
            return turn.say("nothing_due"), End()
        span = self._span(turn)
        if span is None:
            return self._nothing_fits(turn)
        turn = turn.say("enter_money", min=span.low, max=span.high)
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
        amounts = self._span(turn)
        if amounts is None:
            return self._nothing_fits(turn)
        text = event.keys.text()[span.start : span.end]
        if not text.isdecimal() or len(text) > LONGEST_AMOUNT or int(text) not in amounts.minors:
            return no_match(turn, "no_match_money", min=amounts.low, max=amounts.high)
        return self._ask_to_confirm(turn.remember(money=Money(int(text), amounts.low.currency))), Listen()

    def _ask_to_confirm(self, turn: Turn) -> Turn:
        return ask_to_confirm(turn, "money", turn.call.values["money"])

    def _accept(self, turn: Turn) -> Reply:
        amount = turn.call.values["money"]
        if not isinstance(amount, Money):
            raise TypeError("an amount is money")
        return choose(turn, amount), Leave("ok")

    def _span(self, turn: Turn) -> "_AmountRange | None":
        """Never more than is due, nor than the flow's largest amount; None where the least that is asked for is more than that.
        A bill that owes less than the least can be paid as it is."""
        limit = turn.flow.head.limits.max_amount
        owed = turn.call.payable.owed if turn.call.payable else limit
        top = min(limit, owed) if owed.currency == limit.currency else limit
        if self.between is None:
            return _AmountRange(Money(1, limit.currency), top)
        low, high = (money_of(turn, text) for text in self.between)
        if not low.currency == high.currency == limit.currency:
            raise ValueError("the bill and the flow's max_amount are in different currencies")
        if turn.call.payable is not None and owed.currency == limit.currency:
            low = min(low, owed)
        span = _AmountRange(max(low, Money(1, low.currency)), min(high, top))
        return span if span.minors else None

    def _nothing_fits(self, turn: Turn) -> Reply:
        """The least is more than can be charged at once, or more than the most. Nobody is asked for what cannot be keyed in."""
        assert self.between is not None
        limit = turn.flow.head.limits.max_amount
        if turn.call.payable is None or money_of(turn, self.between[0]) > limit:
            return turn.say("limit_max_amount", max=limit), Leave("gave_up")
        return turn.say("bill_not_payable"), Leave("gave_up")


@dataclass(frozen=True)
class _AmountRange:
    low: Money
    high: Money

    @property
    def minors(self) -> range:
        return range(self.low.minor, self.high.minor + 1)
