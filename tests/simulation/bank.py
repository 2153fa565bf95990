"""The bank at the other end of a line that loses, doubles, delays and garbles: the product's client here, the product's
simulator there, with books of its own. What is on the line is bytes, as on HTTPS."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cached_property

import httpcore

from ivr.bank import Promises
from ivr.bank.simulator.authorizer import Authorizer, BankReply, Undecided
from ivr.bank.simulator.books import BookEntry, Books
from ivr.bank.simulator.decryption import Decryption
from ivr.bank.simulator.modifier import Modifier
from ivr.bank.simulator.scenarios import APPROVAL, BY_NAME, Scenario
from ivr.bank.simulator.server import AUTHORIZATIONS, MODIFICATIONS, ONE, ONE_MODIFICATION
from ivr.bank.tonetill import TonetillBank
from ivr.bank.tonetill.client import PROMISES
from ivr.core.money import Money
from tests.simulation.clocks import MachineClock
from tests.simulation.faults import Faults
from tests.simulation.scheduler import Answer, Scheduler

READ_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Kind:
    """What a bank promises, which is all that it keeps: one that does not honour keys charges a repeated request again."""

    promises: Promises
    honours_keys: bool = False


KINDS: Mapping[str, Kind] = {
    "can be asked": Kind(replace(PROMISES, repeats_s=0.0)),
    "honours keys": Kind(replace(PROMISES, inquires=False), honours_keys=True),
    "can be asked, honours keys": Kind(PROMISES, honours_keys=True),
    "can only undo": Kind(replace(PROMISES, inquires=False, repeats_s=0.0)),
}


@dataclass
class BankHost:
    """What happens at the bank. `asked`: by reference, what it was asked to charge, however it answered."""

    scheduler: Scheduler
    faults: Faults
    decryption: Decryption
    honours_keys: bool = True
    asked: dict[str, Money] = field(default_factory=dict)
    in_part: set[str] = field(default_factory=set)
    arrived: Counter[str] = field(default_factory=Counter)
    keys: dict[str, set[str]] = field(default_factory=dict)

    @cached_property
    def clock(self) -> MachineClock:
        return MachineClock(self.scheduler)

    @cached_property
    def books(self) -> Books:
        return Books(None, self.clock)

    @cached_property
    def _authorizer(self) -> Authorizer:
        return Authorizer(self.decryption, self.books, self._today, self._choose, self.scheduler.chance.randrange)

    @cached_property
    def _modifier(self) -> Modifier:
        return Modifier(self.books, self._today)

    def _today(self) -> date:
        return self.clock().date()

    def _choose(self, pan: str, amount_minor: int) -> Scenario:
        return BY_NAME["do_not_honor"] if self.scheduler.chance.random() < self.faults.bank_declines else APPROVAL

    def answer(self, method: str, path: str, content: bytes, key: str) -> tuple[int, bytes]:
        """As `ivr.bank.simulator.server` routes them."""
        self.arrived[f"{method} {path}"] += 1
        reply = self._get(path) if method == "GET" else self._post(path, content, key)
        if isinstance(reply, Undecided):
            reply = reply.enter()
        self.scheduler.note("bank", f"{method} {path}: {reply.body.get('outcome', reply.status)}")
        return reply.status, json.dumps(reply.body).encode()

    def _get(self, path: str) -> BankReply:
        if modification := ONE_MODIFICATION.fullmatch(path):
            return self._modifier.inquire(*modification.groups())
        found = ONE.fullmatch(path)
        assert found is not None
        return self._authorizer.inquire(found[1])

    def _post(self, path: str, content: bytes, key: str) -> BankReply | Undecided:
        if path == AUTHORIZATIONS:
            self._note_asked(content, key)
            if not self.honours_keys and (known := self.books.find_key(key)) is not None:
                return self._charge_again(known)
            return self._authorizer.authorize(content, key)
        found = ONE.fullmatch(path)
        assert found is not None
        if found[2] == "/reversal":
            return self._authorizer.reverse(found[1])
        return self._modifier.modify(MODIFICATIONS[found[2]], found[1], content, key)

    def _charge_again(self, known: BookEntry) -> BankReply:
        """A second charge, beside the first; of one that was reversed or declined none."""
        if known.outcome == "approved":
            key = f"{known.idempotency_key}#{self.scheduler.chance.randrange(10**9)}"
            self.books.authorize_again(replace(known, idempotency_key=key))
            self.scheduler.note("bank", f"charges {known.reference} again")
        return self._authorizer.inquire(known.reference)

    def _note_asked(self, content: bytes, key: str) -> None:
        asked = json.loads(content)
        reference = asked["reference"]
        self.asked[reference] = Money(asked["amount"]["minor"], asked["amount"]["currency"])
        if asked.get("partial") == "accept":
            self.in_part.add(reference)
        self.keys.setdefault(reference, set()).add(key)

    @property
    def charged(self) -> dict[str, Money]:
        """What the bank takes money for, refunds taken off; voided and reversed charges are none."""
        sums = {one.reference: one.amount for one in self.books.entries() if one.outcome == "approved" and one.amount}
        return {one: money for one, money in sums.items() if self._is_open(one)}

    def _is_open(self, reference: str) -> bool:
        standing = self.books.modifications.standing(reference, self._today().isoformat())
        return standing is not None and standing.is_open

    def refunded(self, reference: str) -> int:
        standing = self.books.modifications.standing(reference, self._today().isoformat())
        return standing.returned_minor if standing else 0


@dataclass
class BankLine:
    """What the product's client takes for its connections. `faults` are those of the moment."""

    scheduler: Scheduler
    faults: Faults
    host: BankHost
    _under_way: dict[int, Answer] = field(default_factory=dict)
    _count: int = 0

    def exchange(self, method: str, path: str, content: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        chance, faults, who = self.scheduler.chance, self.faults, self.scheduler.current.process.name
        self.scheduler.sleep(chance.uniform(0.001, 0.05))
        if chance.random() < faults.bank_unreachable:
            self.scheduler.note(who, f"cannot reach the bank: {method} {path}")
            raise httpcore.ConnectError("refused")
        self._count += 1
        answer, request = Answer(self.scheduler), (method, path, bytes(content), headers.get("Idempotency-Key", ""))
        self._under_way[self._count] = answer
        number = self._count
        try:
            self._send(request, answer)
            if not answer.wait(READ_TIMEOUT_S):
                self.scheduler.note(who, f"no answer: {method} {path}")
                raise httpcore.ReadTimeout("silence")
        finally:
            del self._under_way[number]
        if isinstance(answer.value, Exception):
            raise answer.value
        return answer.value

    def _send(self, request: tuple[str, str, bytes, str], answer: Answer) -> None:
        chance, faults = self.scheduler.chance, self.faults
        if chance.random() < faults.bank_request_lost:
            self.scheduler.note("line", f"loses {request[0]} {request[1]}")
            if chance.random() < 0.5:
                self.scheduler.after(0.1, lambda: answer.give(httpcore.ReadError("reset")))
            return
        is_late = chance.random() < faults.bank_request_late
        delay = chance.expovariate(1 / 60.0) if is_late else chance.uniform(0.01, 0.8)
        self.scheduler.after(delay, lambda: self._arrive(request, answer))
        # What a network doubles is never a charge where the bank does not honour keys: TLS would not let it.
        can_double = self.host.honours_keys or request[1] != AUTHORIZATIONS
        if chance.random() < faults.bank_request_doubled and can_double:
            again = delay + chance.choice((0.0, 0.2, 15.0, 90.0)) * chance.random()
            self.scheduler.after(again, lambda: self._arrive(request, answer))

    def _arrive(self, request: tuple[str, str, bytes, str], answer: Answer) -> None:
        chance, faults = self.scheduler.chance, self.faults
        fails = chance.random() < faults.bank_fails
        if fails and chance.random() < 0.5:
            self.scheduler.after(0.05, lambda: answer.give((500, b'{"error": "internal error"}')))
            return
        reply = self.host.answer(*request)
        if fails:
            reply = (500, b'{"error": "internal error"}')
        if chance.random() < faults.bank_answer_lost:
            self.scheduler.note("line", f"loses the answer to {request[0]} {request[1]}")
            if chance.random() < 0.5:
                self.scheduler.after(0.1, lambda: answer.give(httpcore.ReadError("reset")))
            return
        if chance.random() < faults.bank_answer_garbled:
            reply = reply[0], reply[1][: chance.randrange(len(reply[1]))]
        self.scheduler.after(chance.uniform(0.01, 0.8), lambda: self._give(answer, reply))

    def _give(self, answer: Answer, reply: tuple[int, bytes]) -> None:
        """Out of order now and then: somebody else's answer, as from a proxy that has mixed up two connections."""
        others = [one for one in self._under_way.values() if one is not answer and not one.is_given]
        if others and self.scheduler.chance.random() < self.faults.bank_answers_swapped:
            self.scheduler.note("line", "gives an answer to whom it is not for")
            answer = self.scheduler.chance.choice(others)
        answer.give(reply)


class SimulatedBank(TonetillBank):
    """The product's client on a simulated line. `promises`: those that the forwarder goes by in this seed."""

    def __init__(self, line: BankLine, promises: Promises = PROMISES, connections: int = 3) -> None:
        self.connections, self.promises = connections, promises
        self._line = line  # type: ignore[assignment]
        self._shown_until = datetime.max.replace(tzinfo=UTC)  # no certificate is shown on it
