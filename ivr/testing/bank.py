"""A bank at the boundary that does what a transcript says, and keeps books of what it was asked."""

from collections import Counter
from dataclasses import dataclass, field, replace

from ivr.bank import (
    AmountSaid,
    AuthorizationRequest,
    Bank,
    BankAnswer,
    CardDeletionRequest,
    ModificationRequest,
    protocol_called,
)
from ivr.core.money import Money, parse_money

KEPT_UNTIL = "2030-12"
DECLINES = {"": "05", "insufficient": "51", "expired": "54", "invalid": "14", "lost": "41"}


@dataclass
class ScriptedBank(Bank):
    """`charged`: also what is only reserved, which is among `reserved` until it is captured.

    `behaviour`: approves, approves 20.00 (that much, where a part will do; else it declines), declines [code], is silent, is
    silent after charging, is unreachable, cannot say.

    `words`: the last outcome that was answered, by reference. `overlaps`: what was asked for although it had not said its
    last word on another charge of the same bill.
    """

    behaviour: str = "approves"
    charged: dict[str, Money] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    seen: dict[str, AuthorizationRequest] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    overlaps: list[str] = field(default_factory=list)
    modified: dict[str, ModificationRequest] = field(default_factory=dict)
    captured: set[str] = field(default_factory=set)
    deleted: list[str] = field(default_factory=list)
    working: bool = True
    promises = protocol_called("tonetill").promises
    connections = 1

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        return self._noted(self._authorize(request))

    def inquire(self, reference: str) -> BankAnswer:
        return self._noted(self._inquire(reference))

    def reverse(self, reference: str) -> BankAnswer:
        return self._noted(self._reverse(reference))

    def modify(self, request: ModificationRequest) -> BankAnswer:
        """Done, once under each key, as soon as the bank can say anything. A void leaves nothing charged."""
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", request.reference)
        self.modified[request.idempotency_key] = request
        if request.kind == "void":
            self.charged.pop(request.reference, None)
            self.words[request.reference] = "reversed"
        if request.kind == "capture":
            self.captured.add(request.reference)
        said = AmountSaid(request.amount.minor, request.amount.currency, is_whole=True)
        return BankAnswer("done", request.reference, response_code="00", amounts=(said,))

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        """Done, as soon as the bank can say anything."""
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", request.key)
        self.deleted.append(request.kept_card)
        return BankAnswer("done", request.key)

    @property
    def reserved(self) -> dict[str, Money]:
        """What it has approved and was not told to take, by reference."""
        held = (one for one in self.charged if self.seen[one].capture_later and one not in self.captured)
        return {one: self.charged[one] for one in held}

    def _noted(self, answer: BankAnswer) -> BankAnswer:
        self.words[answer.reference] = answer.outcome
        return answer

    def _authorize(self, request: AuthorizationRequest) -> BankAnswer:
        if self.behaviour == "is unreachable":
            return BankAnswer("not_sent", request.reference)  # no byte has left, so it may be asked again
        if any(self._is_open(other, request) for other in self.seen.values()):
            self.overlaps.append(request.reference)
        self.requests[request.reference] += 1
        self.seen[request.reference] = request
        verb, _, rest = self.behaviour.partition(" ")
        if verb == "declines":
            return BankAnswer("declined", request.reference, response_code=DECLINES.get(rest, rest))
        if self.behaviour == "is silent":
            return BankAnswer("unknown", request.reference)
        approved = self._part_of(request, rest) if verb == "approves" and rest else request.amount
        if approved is None:
            return BankAnswer("declined", request.reference, response_code="51")
        self.charged[request.reference] = approved
        if verb == "approves":
            return self._approved(request.reference)
        return BankAnswer("unknown", request.reference)

    @staticmethod
    def _part_of(request: AuthorizationRequest, most: str) -> Money | None:
        """What there is on the card, where it is enough or a part will do."""
        there = parse_money(f"{most} {request.amount.currency}")
        if there.minor >= request.amount.minor:
            return request.amount
        return there if request.takes_part else None

    def _is_open(self, other: AuthorizationRequest, request: AuthorizationRequest) -> bool:
        """Whether the other is a charge of the same bill without a last word."""
        is_same_bill = request.invoice_reference and not _bills(other).isdisjoint(_bills(request))
        is_another = other.reference != request.reference
        return bool(is_same_bill) and is_another and self.words[other.reference] in ("unknown", "not_found")

    def _inquire(self, reference: str) -> BankAnswer:
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", reference)
        return self._approved(reference) if reference in self.charged else BankAnswer("not_found", reference)

    def _reverse(self, reference: str) -> BankAnswer:
        if self.behaviour == "cannot say":
            return BankAnswer("unknown", reference)
        self.charged.pop(reference, None)
        return BankAnswer("reversed", reference, response_code="00")

    def _approved(self, reference: str) -> BankAnswer:
        number, charged = self.authorization_code(reference), self.charged[reference]
        code = "00" if charged == self.seen[reference].amount else "10"
        said = AmountSaid(charged.minor, charged.currency, is_whole=True)
        kept = (f"tok-{reference}", KEPT_UNTIL) if self.seen[reference].keep_card else ("", "")
        answer = BankAnswer("approved", reference, response_code=code, authorization_code=number, amounts=(said,))
        return replace(answer, kept_token=kept[0], kept_until=kept[1])

    @staticmethod
    def authorization_code(reference: str) -> str:
        return str(100000 + sum(reference.encode()) % 900000)

    def settle(self) -> None:
        """From now on whoever asks is answered, with what is in the books."""
        self.behaviour = "approves"

    def forget(self) -> None:
        """Empty books."""
        self.behaviour = "approves"
        for books in (self.charged, self.requests, self.seen, self.words, self.overlaps, self.modified):
            books.clear()
        self.captured.clear()
        self.deleted.clear()


def _bills(request: AuthorizationRequest) -> set[str]:
    """Several bills in one sum are named one after another, where there is room."""
    return set(request.invoice_reference.split(", "))
