"""A bank that does what it likes, with books of its own."""

import random
from collections import Counter
from dataclasses import dataclass, field

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.bank.tonetill import PROMISES

# lose: the request never arrives. cannot say: charged, and inquiries meet silence half of the time.
FATES = {"approve": 60, "decline": 12, "lose": 6, "charge and say nothing": 12, "be away": 5, "cannot say": 5}


@dataclass
class FickleBank:
    """`settles`: from now on every inquiry is answered."""

    chance: random.Random
    charged: dict[str, int] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    sent: Counter[str] = field(default_factory=Counter)
    asked: dict[str, int] = field(default_factory=dict)
    fates: Counter[str] = field(default_factory=Counter)
    fate_of: dict[str, str] = field(default_factory=dict)
    settles: bool = False
    promises = PROMISES

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        reference = request.reference
        fate = self.fate_of.setdefault(reference, self.chance.choices(list(FATES), list(FATES.values()))[0])
        self.fates[fate] += 1
        if fate == "be away":
            return BankAnswer("not_sent", reference)
        self.sent[reference] += 1
        self.asked[reference] = request.amount.minor
        if fate == "decline":
            return BankAnswer("declined", reference, "05")
        if fate == "lose":
            return BankAnswer("unknown", reference)
        self.charged[reference] = request.amount.minor
        if fate == "cannot say":
            self.silent.add(reference)
        return approval(reference) if fate == "approve" else BankAnswer("unknown", reference)

    def inquire(self, reference: str) -> BankAnswer:
        if self._is_silent(reference):
            return BankAnswer("unknown", reference)
        if reference in self.charged:
            return approval(reference)
        return BankAnswer("reversed" if reference in self.reversed else "not_found", reference)

    def reverse(self, reference: str) -> BankAnswer:
        if self._is_silent(reference):
            return BankAnswer("unknown", reference)
        self.charged.pop(reference, None)
        self.reversed.add(reference)
        return BankAnswer("reversed", reference, "00")

    def _is_silent(self, reference: str) -> bool:
        return reference in self.silent and not self.settles and self.chance.random() < 0.5


def approval(reference: str) -> BankAnswer:
    return BankAnswer("approved", reference, "00", number_of(reference))


def number_of(reference: str) -> str:
    """The confirmation number that this bank gives."""
    return str(100_000 + sum((place + 1) * byte for place, byte in enumerate(reference.encode())) % 900_000)
