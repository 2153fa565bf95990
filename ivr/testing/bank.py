"""A bank at the boundary that does what a transcript says, and keeps books of what it was asked."""

from collections import Counter
from dataclasses import dataclass, field

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.core.money import Money

DECLINES = {"": "05", "insufficient": "51", "expired": "54", "invalid": "14", "lost": "41"}


@dataclass
class ScriptedBank:
    """`behaviour`: approves, declines [code], is silent, is silent after charging, is unreachable, cannot say."""

    behaviour: str = "approves"
    charged: dict[str, Money] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    seen: dict[str, AuthorizationRequest] = field(default_factory=dict)
    working: bool = True

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        if self.behaviour == "is unreachable":
            return BankAnswer("not_sent", request.reference)  # no byte has left, so it may be asked again
        self.requests[request.reference] += 1
        self.seen[request.reference] = request
        verb, _, rest = self.behaviour.partition(" ")
        if verb == "declines":
            return BankAnswer("declined", request.reference, response_code=DECLINES.get(rest, rest))
        if self.behaviour == "is silent":
            return BankAnswer("unknown", request.reference)
        self.charged[request.reference] = request.amount
        if self.behaviour == "approves":
            return self._approved(request.reference)
        return BankAnswer("unknown", request.reference)

    def inquire(self, reference: str) -> BankAnswer:
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", reference)
        return self._approved(reference) if reference in self.charged else BankAnswer("not_found", reference)

    def reverse(self, reference: str) -> BankAnswer:
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", reference)
        self.charged.pop(reference, None)
        return BankAnswer("reversed", reference, response_code="00")

    def _approved(self, reference: str) -> BankAnswer:
        number = self.confirmation_number(reference)
        return BankAnswer("approved", reference, response_code="00", authorization_code=number)

    @staticmethod
    def confirmation_number(reference: str) -> str:
        return str(100000 + sum(reference.encode()) % 900000)

    def settle(self) -> None:
        """From now on whoever asks is answered, with what is in the books."""
        self.behaviour = "approves"

    def forget(self) -> None:
        """Empty books."""
        self.behaviour = "approves"
        for books in (self.charged, self.requests, self.seen):
            books.clear()
