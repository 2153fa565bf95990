"""A card is kept, charged and deleted by a bank that loses an answer, and both sides are judged by what the bank then does with the token.

`Faulty` stands between the forwarder and a real client of a real stand-in, and knows no protocol. docs/money.md has the cells as a
table, and a test compares.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ivr.bank import AuthorizationRequest, Bank, BankAnswer, CardDeletionRequest, Promises
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.store import KEPT_CARD, Accepted, AttemptLimits, Bill, SealedField, Store, TooEarly, memory_store
from tests.store.payments import intent

BILL, OWED = "700101", 4250
PROTOCOLS = ("tonetill", "adyen", "iso8583", "stripe")
NO_TOKENS = "no tokens in the protocol"
OPERATIONS = ("create token", "charge token", "delete token")
FAULTS = ("lost before it is booked", "lost after it is booked", "sent twice", "late, after everything was over")
UNDONE = ("create token", "lost after it is booked, and undone")
CELLS = (*((one, fault) for one in OPERATIONS for fault in FAULTS), UNDONE)


def token_walks_table() -> str:
    """As Markdown."""
    lines = [["token", "how the answer breaks", *(f"`{one}`" for one in PROTOCOLS)], ["---"] * (2 + len(PROTOCOLS))]
    walked = [NO_TOKENS if one == "iso8583" else "walked" for one in PROTOCOLS]
    lines += [[operation.removesuffix(" token"), fault, *walked] for operation, fault in CELLS]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


@dataclass
class Faulty:
    """The first request of `operation` meets `fault`; every other arrives and is answered. `tokens`: whatever the bank has ever given."""

    bank: Bank
    promises: Promises
    operation: str = ""
    fault: str = ""
    tokens: set[str] = field(default_factory=set)
    late: list[Callable[[], object]] = field(default_factory=list)
    connections: int = 1

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        what = "charge token" if request.kept_card else "create token"
        return self._meet(what, request.reference, lambda: self._noted(self.bank.authorize(request)))

    def delete_card(self, request: CardDeletionRequest) -> BankAnswer:
        return self._meet("delete token", request.key, lambda: self.bank.delete_card(request))

    def reverse(self, reference: str) -> BankAnswer:
        return self._noted(self.bank.reverse(reference))

    def inquire(self, reference: str) -> BankAnswer:
        return self._noted(self.bank.inquire(reference))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bank, name)

    def _noted(self, answer: BankAnswer) -> BankAnswer:
        self.tokens |= {answer.kept_token} - {""}
        return answer

    def _meet(self, operation: str, about: str, send: Callable[[], BankAnswer]) -> BankAnswer:
        if operation != self.operation or not self.fault:
            return send()
        fault, self.fault = self.fault, ""
        if fault.startswith("late"):
            self.late.append(send)
        elif fault == "sent twice":
            send()
            return send()
        elif fault.startswith("lost after"):
            send()
        return BankAnswer("unknown", about, reason="lost")


@dataclass(frozen=True)
class TokenPlace:
    """A bank to walk at. `seal`: a card for a reference; `charges`: how often the bank charges for one, by its own books;
    `tell`: what the bank tells by itself of one comes to the store."""

    bank: Bank
    seal: Callable[[str], Mapping[str, str]]
    charges: Callable[[str], int]
    tell: Callable[[Store, str], object] = lambda store, reference: None


@dataclass
class TokenWalk:
    place: TokenPlace
    bank: Faulty
    store: Store = field(default_factory=memory_store)
    clock: Clock = field(default_factory=lambda: Clock(datetime.now(UTC)))

    def pay(self, *, kept: bool = False) -> str:
        """By a card that the bank is to keep, or by the one that it keeps."""
        self.store.renew_bills([Bill(BILL, Money(OWED), Money(1))])
        reference, now = f"CA{uuid4().hex}-1", self.clock()
        sealed = {KEPT_CARD: self.store.kept_cards(1)[0].token} if kept else self.place.seal(reference)
        for name, seal in sealed.items():
            self.store.stage_sealed(SealedField(reference, name, seal, reference[:60]), now)
        wanted = replace(intent(reference, minor=OWED, pays=BILL, caller=uuid4().hex), keeps_card=not kept)
        assert self.store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
        self.settle(reference)
        return reference

    def settle(self, reference: str = "") -> None:
        forwarder = Forwarder(self.store, {"acme_bank": self.bank}, lambda message: None, now=self.clock)
        for _ in range(40):
            while forwarder.run_once():
                pass
            if reference:
                self.place.tell(self.store, reference)
            if not any(self.store.outbox_depth().values()):
                return
            self.clock.advance(301.0)
        raise AssertionError(f"never settled: {self.store.outbox_depth()}")

    def arrive(self, reference: str = "") -> None:
        for send in self.bank.late:
            send()
        self.settle(reference)

    def is_good(self, token: str) -> bool:
        """What the bank itself makes of it: the only judge of whether a card is kept there."""
        reference = f"CA{uuid4().hex}-1"
        about = (reference, reference, "demo-merchant", reference[:-2], Money(1500), {})
        return self.place.bank.authorize(AuthorizationRequest(*about, kept_card=token)).outcome == "approved"

    def good_tokens(self) -> set[str]:
        return {token for token in self.bank.tokens if self.is_good(token)}


def walk(place: TokenPlace, operation: str, fault: str) -> None:
    """One cell, and its judgement: each charge once in both books or in neither, and the bank keeps just the card that is kept here."""
    promises = place.bank.promises
    if (operation, fault) == UNDONE:
        promises = replace(promises, inquires=False, repeats_s=0.0)
    walk = TokenWalk(place, Faulty(place.bank, promises))
    if operation == "create token":
        walk.bank.operation, walk.bank.fault = operation, fault
        references = [walk.pay()]
    else:
        references = [walk.pay()]
        walk.bank.operation, walk.bank.fault = operation, fault
    if operation == "charge token":
        references.append(walk.pay(kept=True))
    if operation == "delete token":
        walk.store.forget_kept_card(BILL, "ada", walk.clock())
        walk.settle()
    walk.arrive(references[-1])
    assert not walk.bank.fault, "it was met"
    judge(walk, references)
    if (operation, fault) == UNDONE:
        assert walk.bank.tokens, "the bank had kept the card"
        assert not walk.store.kept_cards(9)


def judge(walk: TokenWalk, references: list[str]) -> None:
    for reference in references:
        payment = walk.store.payment(reference)
        assert payment is not None
        assert payment.status in ("approved", "reversed", "declined"), payment.status
        assert walk.place.charges(reference) == (payment.status == "approved"), reference
    assert walk.good_tokens() == {one.token for one in walk.store.kept_cards(9)}
    assert {one.status for one in walk.store.card_deletions(9)} <= {"deleted"}
    assert not any(one.token for one in walk.store.card_deletions(9))


def told(take: Callable[[bytes], object], contents: list[bytes]) -> None:
    """Each twice, the latest first, and again as long as it is too early: in the end all of them are taken."""
    for content in (*reversed(contents), *contents):
        with suppress(TooEarly):
            take(content)
