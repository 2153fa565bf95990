"""The bills that callers can pay while a flow is explored: the project's, and made-up ones where none fits what it looks up.

A bill fits a look-up where it owes something in the flow's currency, the number that it is known by can be keyed in, and it
has each other answer and each value that the flow declares. Others are made up beside the project's: where no bill fits, and
where all that fit say the same of something that the flow may decide by, such as a date.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ivr.channels.simulator import Owed
from ivr.core.money import Money
from ivr.core.stray_cards import holds_card_number
from ivr.flow.compiled import Flow
from ivr.flow.schema import LookUpTerms
from ivr.flow.step import Step
from ivr.reading.scalars import OPEN_BILLS
from ivr.reading.typed_values import ValueType
from ivr.store import Bill

# Of each type the values that a made-up bill may say: a flow may go one way by the first, and another by the second.
SAID: Mapping[ValueType, Sequence[str]] = {
    "money": ("3.00", "0.00"),
    "text": ("example",),
    "date": ("2099-12-31", "2000-01-01"),
    "number": ("1", "100"),
    "yes_no": ("yes", "no"),
    "email": ("caller@example.com", ""),
}
DECIDES = frozenset({"money", "date", "number", "yes_no"})
DUES = ((4250, 1000), (12_000, 2500), (1805, 500))  # owed, and the least of it, in minor units
MOST_OF_ONE = 2  # bills of one made-up customer
NOBODYS = 40  # the first answer of so many that is nobody's; made-up bills have those before


@dataclass(frozen=True)
class FlowLookUp:
    """What a step looks up: `source` and what it takes, each answer with the step that asks for it, the first one first."""

    source: str
    asked: Mapping[str, Step]
    gives: Mapping[str, ValueType]

    @property
    def known_by(self) -> str:
        return next(iter(self.asked))

    def number(self, bill: Bill) -> str:
        """What a caller keys in of it; "" where it is not looked up so."""
        if self.source == OPEN_BILLS:
            return bill.belongs_to
        return "" if bill.belongs_to else bill.account

    def finds(self, bill: Bill) -> bool:
        """Whether callers can key in what it takes, and it says all that is declared."""
        details = dict(bill.details)
        says_all = all(name in details for name, kind in self.gives.items() if kind != "email")
        is_typed = bool(self.asked[self.known_by].typed(self.number(bill))) and all(self.other_keys(bill).values())
        return is_typed and says_all

    def other_keys(self, bill: Bill) -> dict[str, str]:
        """By answer, its keys: two a letter, where it has letters. "" where the bill has none that fits."""
        details, (_, *others) = dict(bill.details), self.asked
        return {name: self.asked[name].typed(details.get(f"key.{name}", "")) for name in others}


@dataclass(frozen=True)
class FlowBills:
    """`all` are the project's, and behind them those that were made up."""

    flow: Flow
    given: Sequence[Bill] = field(repr=False)

    @cached_property
    def look_ups(self) -> Sequence[FlowLookUp]:
        steps = {step.answer: step for step in reversed(list(self.flow.steps.values())) if step.answer}
        found = []
        for step in self.flow.steps.values():
            source = str(getattr(step, "lookup", None) or "")
            if step.looks_up_bills and source:
                terms = self.flow.head.lookups.get(source, LookUpTerms())
                asked = {name: steps[name] for name in terms.takes or [step.answer] if name in steps}
                found.append(FlowLookUp(source, asked, terms.gives))
        return found

    @cached_property
    def all(self) -> Sequence[Bill]:
        return [*self.given, *self.made_up]

    @cached_property
    def made_up(self) -> Sequence[Bill]:
        bills = {bill.account: bill for look_up in self.look_ups for bill in self._made_up_for(look_up)}
        return list(bills.values())

    @cached_property
    def numbers(self) -> Sequence[str]:
        """What callers key in to have a bill of theirs looked up, whether it owes something or not."""
        if not self.look_ups:
            return [bill.account for bill in self.given if not bill.belongs_to]
        found = [one.number(bill) for bill in self.all for one in self.look_ups if one.finds(bill)]
        return list(dict.fromkeys(found))

    @cached_property
    def keys(self) -> Mapping[str, Mapping[str, str]]:
        """By number, what callers key in as the other answers that it is looked up with."""
        return {one.number(bill): one.other_keys(bill) for bill in self.all for one in self.look_ups if one.finds(bill)}

    @cached_property
    def free_answers(self) -> Mapping[str, Sequence[str]]:
        """Of each question whose answer is not looked up, the keys of some answers."""
        taken = {name for one in self.look_ups for name in one.asked}
        steps = [step for step in self.flow.steps.values() if step.answer not in taken and step.some_answer(0)]
        return {step.answer: [step.typed(step.some_answer(number)) for number in range(len(DUES))] for step in steps}

    @cached_property
    def nobodys(self) -> Mapping[str, Sequence[str]]:
        """Of each question whose answer is looked up, the keys of answers that nothing is found for."""
        first = {one.known_by: one.asked[one.known_by] for one in self.look_ups}
        known = {*self.numbers, *(bill.account for bill in self.all)}
        return {
            name: [step.typed(answer) for answer in _answers(step, NOBODYS, known, len(DUES))]
            for name, step in first.items()
        }

    def said_in(self, text: str) -> Iterator[Owed]:
        """The made-up bills that this text of keys is about: a call file that stands alone has to say them."""
        for bill in self.made_up:
            steps = [one.asked[one.known_by].typed(one.number(bill)) for one in self.look_ups if one.number(bill)]
            if any(keys in text for keys in steps if keys):
                yield as_owed(bill)

    # ---- made up

    def _made_up_for(self, look_up: FlowLookUp) -> Iterator[Bill]:
        found = [bill for bill in self.given if look_up.finds(bill) and self._is_payable(bill)]
        if found and not any(self._is_one(found, name) for name, kind in look_up.gives.items() if kind in DECIDES):
            return
        known = {one for bill in self.given for one in (bill.account, bill.belongs_to)}
        numbers = _answers(look_up.asked[look_up.known_by], 0, known, len(DUES))
        for place, number in enumerate(numbers):
            details = tuple(sorted(self._details(look_up, place)))
            if look_up.source != OPEN_BILLS:
                yield self._bill(number, place, "", details)
                continue
            for of_one in range(MOST_OF_ONE):
                yield self._bill(f"{90 + place}{of_one:04}", place + of_one, number, details)

    def _is_payable(self, bill: Bill) -> bool:
        most = self.flow.head.limits.max_amount
        return bill.due.currency == most.currency and 0 < bill.due.minor <= most.minor

    @staticmethod
    def _is_one(bills: Sequence[Bill], name: str) -> bool:
        return len({dict(bill.details)[name] for bill in bills}) == 1

    def _details(self, look_up: FlowLookUp, place: int) -> Iterator[tuple[str, str]]:
        for name in list(look_up.asked)[1:]:
            yield f"key.{name}", look_up.asked[name].some_answer(place + 1)
        for name, kind in look_up.gives.items():
            said = SAID[kind][place % len(SAID[kind])]
            if said:
                yield name, f"{said} {self.flow.head.limits.max_amount.currency}" if kind == "money" else said

    def _bill(self, account: str, place: int, customer: str, details: tuple[tuple[str, str], ...]) -> Bill:
        most = self.flow.head.limits.max_amount
        due, least = (min(minor, most.minor) for minor in DUES[place % len(DUES)])
        return Bill(account, Money(due, most.currency), Money(least, most.currency), customer, details)


def as_owed(bill: Bill) -> Owed:
    """As a call file says it."""
    return Owed(bill.account, str(bill.due), str(bill.minimum), bill.belongs_to, bill.details)


def _answers(step: Step, begin: int, known: set[str], most: int) -> list[str]:
    """Which fit this question, are nobody's so far, and are not dropped as a part of a card number."""
    some = dict.fromkeys(step.some_answer(number) for number in range(begin, begin + 4 * most))
    free = [one for one in some if one and one not in known and not holds_card_number(step.typed(one).encode())]
    return free[:most]
