"""What a flow declares of its look-ups, as its steps and checks want to know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from ivr.flow.schema import LookUpTerms
from ivr.reading.scalars import BILL_VALUES
from ivr.reading.typed_values import ValueType

OF_EVERY_BILL: Mapping[str, ValueType] = dict.fromkeys(sorted(BILL_VALUES), "money")
NO_TERMS = LookUpTerms()


@dataclass(frozen=True)
class Declared:
    """`look_ups` by source. Steps are validated with it as their context."""

    look_ups: Mapping[str, LookUpTerms] = field(default_factory=dict)

    @cached_property
    def keys(self) -> frozenset[str]:
        """The answers that look-ups are asked with."""
        return frozenset(name for terms in self.look_ups.values() for name in terms.takes)

    @cached_property
    def types(self) -> Mapping[str, ValueType]:
        """The type of every value that some look-up gives; bill.due and bill.min are given by all of them."""
        found = dict(OF_EVERY_BILL)
        for terms in self.look_ups.values():
            found |= terms.gives
        return found

    def takes(self, source: str) -> tuple[str, ...]:
        return tuple(self.look_ups.get(source, NO_TERMS).takes)

    @cached_property
    def given(self) -> frozenset[str]:
        """What of a bill a call knows besides what is due."""
        return frozenset(self.types.keys() - OF_EVERY_BILL.keys())

    def gives(self, source: str) -> frozenset[str]:
        return frozenset({*OF_EVERY_BILL, *self.look_ups.get(source, NO_TERMS).gives})


def short(names: Iterable[str]) -> frozenset[str]:
    """As prompts say them: `bill.due` is `due`."""
    return frozenset(name.rpartition(".")[2] for name in names)


NOTHING_DECLARED = Declared()
