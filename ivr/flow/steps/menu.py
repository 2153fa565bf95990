"""`menu`: one key, one way on; a key can make a value the amount to pay."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field

from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered
from ivr.core.fixed_keys import HELP_KEY, REPEAT_KEY
from ivr.core.money import Money
from ivr.flow.parts import Drawn, Explained, Facts, Finding, Formula, Keyed, Known, Need, Phases, Place, Said, Values
from ivr.flow.registry import step_kind
from ivr.flow.schema import Written
from ivr.flow.step import Step, Way
from ivr.flow.talk.amounts import choose, is_more_than_owed, is_paid_off
from ivr.flow.talk.entries import hear_keys, span_of
from ivr.flow.talk.turn import End, Leave, Listen, Reply, Turn, no_match, offer_cancel
from ivr.flow.talk.values import fixed_amount, is_name, money_of
from ivr.flow.value_check import not_of_a_sum
from ivr.reading.rules import advice
from ivr.reading.scalars import MenuKey, Name, PayableAmount, Target

_ASIDES = {REPEAT_KEY: "to hear the question again", HELP_KEY: "for help"}


class MenuOption(Written):
    """One key of a menu."""

    say: Name
    """The prompt that offers this key."""
    set: PayableAmount | None = None
    """Choosing this makes it the amount to pay: a value such as bill.due, an amount such as 25.00 USD, or bill.due - 5 %."""
    then: Target
    """The step this key leads to."""

    @property
    def fixed(self) -> Money | None:
        """The amount that is written in the flow itself."""
        return fixed_amount(self.set) if self.set else None

    @property
    def is_said(self) -> bool:
        """Whether the prompt may say the amount, because it has no name of its own."""
        return self.set is not None and not is_name(self.set)


@step_kind
class MenuStep(Step):
    """One key, one way on."""

    word = "menu"
    place = 20
    explained = Explained(
        "`menu`",
        "One key, one way on: `1: {say: <prompt>, then: <step>}`; `set: bill.due` or `set: 25.00 USD` makes that the amount",
        "the keys; optional `gave_up` and `cancelled`",
    )
    example = """
amount:
  menu:
    1: {say: pay_full_balance, set: bill.due, then: card}
    2: {say: pay_another_amount, then: other_amount}
"""
    outcomes = frozenset()
    optional_outcomes = frozenset({"gave_up", "cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks"}
    speaks: ClassVar[Values] = {
        "nothing_due": frozenset({"due", "min"}),
        "amount_not_payable": frozenset(),
        "due_over_limit": frozenset({"due", "max"}),
    }

    menu: Annotated[dict[MenuKey, MenuOption], Field(min_length=1)]
    """The keys 0 to 9, each with what is said and where it leads."""
    then: dict[str, Target] = {}
    """Where gave_up and cancelled go; without it the call ends there, uncharged."""

    @classmethod
    def ways_written(cls, body: Mapping[str, Any]) -> Iterator[Way]:
        yield from super().ways_written(body)
        menu = body.get("menu", {})
        if not isinstance(menu, dict):
            yield ("menu",), "", None
            return
        for key, option in menu.items():
            yield ("menu", key, "then"), f"key_{key}", option.get("then") if isinstance(option, dict) else None

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        yield from super().targets()
        for key, option in self.menu.items():
            yield ("menu", key, "then"), f"key_{key}", option.then

    def ends_by(self) -> frozenset[str]:
        return frozenset() if "gave_up" in self.then else frozenset({"gave_up"})

    @property
    def passes_by(self) -> frozenset[str]:
        """Where no key's amount can be paid, nobody is asked."""
        return frozenset({"gave_up"} if all(option.set for option in self.menu.values()) else ())

    def says(self) -> Iterator[Said]:
        for key, option in self.menu.items():
            fills = frozenset({"key", "amount"} if option.is_said else {"key"})
            yield Said(("menu", key, "say"), option.say, fills, key)

    @property
    def fixed_amounts(self) -> Iterator[tuple[Place, Money]]:
        for key, option in self.menu.items():
            if option.fixed:
                yield ("menu", key, "set"), option.fixed

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        for key, option in self.menu.items():
            if option.set is not None:
                yield from not_of_a_sum(name, ("menu", key, "set"))

    def formulas(self) -> Iterator[Formula]:
        for key, option in self.menu.items():
            if option.set is not None:
                yield Formula(("menu", key, "set"), option.set, "money", pays="as_it_is")

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        return (facts | {"amount"}) - {"confirmed"} if self._sets_amount(path) else facts

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        return known | {"amount"} if self._sets_amount(path) else known

    def _sets_amount(self, path: Place) -> bool:
        return path[0] == "menu" and self.menu[str(path[1])].set is not None

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        for key, asked in _ASIDES.items():
            if key in self.menu:
                message = f"key {key} of this menu is what callers press everywhere else {asked}"
                yield Finding(advice.KEY_OF_ALL_QUESTIONS, ("menu", key), message, "another key, 1 to 8")

    def drawn(self) -> Drawn:
        return Drawn("talk", f"menu: {', '.join(self.menu)}")

    # ---- in a call

    def keyed(self, phase: str) -> Keyed:
        return "key"

    def takes(self, turn: Turn, key: str) -> bool:
        return key in self._offered(turn)

    def put(self, turn: Turn) -> Reply:
        """An amount that cannot be paid is not offered; that one is over the flow's largest is said, and that nothing is due."""
        if self._pays_what_is_paid(turn):
            turn = turn.say("nothing_due")
            if not self._offered(turn):
                return turn, End()
        payable, offered, limit = self._payable(turn), self._offered(turn), turn.flow.head.limits.max_amount
        if not payable:
            turn = turn.say("bill_not_payable" if turn.call.payable else "amount_not_payable")
        elif len(offered) < len(payable):
            turn = turn.say("due_over_limit" if turn.call.payable else "limit_max_amount", max=limit)
        if not offered:
            return turn, Leave("gave_up")
        for key, option in offered.items():
            amount = {"amount": money_of(turn, option.set)} if option.set and option.is_said else {}
            turn = turn.say(option.say, key=key, **amount)
        return turn.collect_one_key("menu"), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        return hear_keys(turn, event, self._hear_key)

    def _hear_key(self, turn: Turn, event: KeysEntered) -> Reply:
        span = span_of(turn, event, 1, 1)
        if span.reading is Reading.CANCEL:
            return offer_cancel(turn)
        key = event.keys.text()[span.start : span.end]
        option = self._offered(turn).get(key)
        if option is None:
            return no_match(turn, "no_match")
        if option.set is not None:
            turn = choose(turn, money_of(turn, option.set))
        return turn, Leave(f"key_{key}")

    def _payable(self, turn: Turn) -> Mapping[str, MenuOption]:
        """The keys whose amount is more than nothing and no more than is due; of a bill that is paid those alone that lead to
        no payment of it."""
        if self._pays_what_is_paid(turn):
            steps = turn.flow.steps
            unpaying = ((key, option) for key, option in self.menu.items() if option.set is None)
            return {key: option for key, option in unpaying if steps[option.then].answer != "money"}
        return {
            key: option
            for key, option in self.menu.items()
            if option.set is None or _can_be_paid(turn, money_of(turn, option.set))
        }

    def _pays_what_is_paid(self, turn: Turn) -> bool:
        return is_paid_off(turn) and any(option.set for option in self.menu.values())

    def _offered(self, turn: Turn) -> Mapping[str, MenuOption]:
        """Of those, the keys whose amount, where it can be charged from there on, is not over the flow's largest."""
        limit, step = turn.flow.head.limits.max_amount, turn.call.step
        return {
            key: option
            for key, option in self._payable(turn).items()
            if option.set is None
            or not _is_over(money_of(turn, option.set), limit)
            or not turn.flow.charges(turn.flow.follow(step, f"key_{key}"))
        }


def _can_be_paid(turn: Turn, amount: Money) -> bool:
    """Nothing is set that may be more than the bill: a menu says amounts before they are chosen."""
    is_ours = amount.currency == turn.flow.head.limits.max_amount.currency
    return amount.minor > 0 and is_ours and not is_more_than_owed(turn, amount)


def _is_over(amount: Money, limit: Money) -> bool:
    return amount.currency == limit.currency and amount.minor > limit.minor
