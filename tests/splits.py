"""One bill, several cards, a bank that does what it likes: whole calls over the product's own parts, judged by the bank's books."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from ivr.channels.simulator import LineReply, LocalLine
from ivr.core.actions import Phrase
from ivr.core.call import OPEN_PARTS
from ivr.core.money import Money
from ivr.testing import rules
from ivr.testing.bench import Bench
from ivr.testing.explore.depth import Depth, bench_at
from ivr.testing.project import Project
from ivr.testing.rules import SeenCall
from tests.benches import ROOT

CARDS = ("4111111111111111#", "5555555555554444", "4242424242424242#", "5105105105105100")
FLOW = "split"
SETTLED_BY = 30  # pauses of ten minutes
# What a bank does with a card, in the words of call files; `part` is some amount.
APPROVES, IN_PART, DECLINES = "approves", "approves part", "declines 51"
LOST, CHARGED_SILENTLY, CANNOT_SAY = "is silent", "is silent after charging", "cannot say"
FATES = {APPROVES: 40, IN_PART: 30, DECLINES: 10, LOST: 6, CHARGED_SILENTLY: 6, CANNOT_SAY: 4, "is unreachable": 4}


@cache
def project() -> Project:
    return Project(ROOT / "flows", ROOT / "config" / "accounts.csv")


def split_bench(depth: Depth) -> Bench:
    return bench_at(depth, project(), FLOW)


@dataclass
class SplitCaller:
    """One caller with a bill of their own. `heard`: every phrase; `untrue`: what a phrase said that was not so."""

    bench: Bench
    account: str
    due: int
    line: LocalLine = field(init=False)
    reply: LineReply = field(init=False)
    heard: list[Phrase] = field(default_factory=list)
    turn_began: int = 0
    hung_up: bool = False
    agreed: list[Money] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    dues: list[int] = field(default_factory=list)
    agreed_of: int = 0  # what was due when the last charge was begun: no bank can be told to take less any more

    def __post_init__(self) -> None:
        self.owe(self.due)
        self.bench.dial(FLOW, f"+1555{int(self.account):07d}")
        assert self.bench.line is not None
        self.line = self.bench.line
        self.line.words = self.hear
        self.reply = self.line.begin()
        self.press("1", f"{self.account}#")

    @property
    def charged(self) -> dict[str, Money]:
        books = self.bench.bank.charged
        return {one: money for one, money in books.items() if one.rpartition("-")[0] == self.line.call_id}

    def owe(self, minor: int) -> "SplitCaller":
        """An accounts file says so, whatever the caller has paid by then."""
        self.due = minor
        self.dues.append(minor)
        store = self.bench.workbench.store
        known = store.find_bill("12345678")
        assert known is not None
        store.renew_bills([replace(known, account=self.account, due=Money(minor), minimum=Money(0))])
        return self

    def hear(self, phrase: Phrase) -> str:
        self.heard.append(phrase)
        values = dict(phrase.values)
        paid = sum(money.minor for money in self.charged.values())
        left = [Money(due - paid) for due in self.dues]
        if phrase.name in ("part_approved", "pay_with_one_card") and values["due"] not in left:
            self.untrue.append(f"{phrase.name} said {values['due']} is left, and it is {left}")
        if phrase.name == "nothing_due" and self.due > paid:
            self.untrue.append(f"nothing_due was said, and {self.due} is, of which {paid} is paid")
        if phrase.name == "part_approved" and values["amount"] not in self.charged.values():
            self.untrue.append(f"{phrase.name} said {values['amount']}, which the bank did not approve")
        return phrase.name

    def press(self, *entries: str) -> "SplitCaller":
        for keys in entries:
            self._turn(lambda keys=keys: self.line.press(keys))  # type: ignore[misc]
        return self

    def wait(self) -> "SplitCaller":
        while self.reply.state == "waiting":
            self._turn(self.line.wait)
        return self

    def _turn(self, act) -> None:
        began = len(self.heard)
        self.reply = act()
        self.turn_began = began if len(self.heard) > began else self.turn_began

    @property
    def is_over(self) -> bool:
        return self.hung_up or self.reply.state == "over"

    @property
    def can_choose(self) -> bool:
        return self.reply.state == "keys" and self.reply.asks == "menu"

    def key_in(self, card: str, amount: int | None = None) -> "SplitCaller":
        """Up to the consent, for this amount or for all that is left."""
        self.press(*(("1",) if amount is None else ("2", f"{amount}#", "1")))
        if self.reply.asks == "card_number":
            self.press(card, "1230", "123")
        return self

    def consent(self, fate: str) -> "SplitCaller":
        """And then what the bank does."""
        if self.reply.asks != "confirm":
            return self
        said = next(phrase for phrase in reversed(self.heard) if phrase.name == "confirm_card")
        amount = dict(said.values)["amount"]
        assert isinstance(amount, Money)
        self.agreed.append(amount)
        self.bench.bank.behaviour = fate
        self.agreed_of = self.due
        return self.press("1")

    def take_back(self) -> "SplitCaller":
        return self.press("3").wait()

    def hang_up(self) -> "SplitCaller":
        self.line.hang_up()
        self.hung_up = True
        return self

    # ---- when all is settled

    def settle(self) -> "SplitCaller":
        for _ in range(40):
            if self.is_over:
                break
            self.wait()
            self._turn(self.line.stay_silent)
        self.bench.bank.settle()
        for _ in range(SETTLED_BY):
            self.bench.pass_time(600)
            if not any(self.bench.workbench.store.outbox_depth().values()):
                break
        return self

    def wrong(self) -> Sequence[str]:
        """What is not as it should be: nothing, or all of the bill, is charged, and the caller knows which."""
        self.settle()
        store, bank = self.bench.workbench.store, self.bench.bank
        stored, charged = store.load_call(self.line.call_id), sum(money.minor for money in self.charged.values())
        assert stored is not None
        found, bill = list(self.untrue), store.find_bill(self.account)
        if charged not in (0, self.due, self.agreed_of):
            found.append(f"{charged} of {self.due} is charged")
        if bill is None or bill.due.minor != max(self.due - charged, 0):
            found.append(f"the bill says {bill.due if bill else None}, of {self.due} {charged} was charged")
        if any(store.outbox_depth().values()):
            found.append(f"never settled: {store.outbox_depth()}")
        payments = store.payments_of(stored.call.id)
        left = [
            one.intent.reference
            for one in payments
            if one.status == "approved" and one.part in (*OPEN_PARTS, "undoing")
        ]
        if left:
            found.append(f"left undecided: {left}")
        ours = {one.intent.reference: one.intent.amount for one in payments if one.is_charged}
        if ours != self.charged:
            found.append(f"our ledger has {ours}, the bank {self.charged}")
        asked = {one: sent.amount for one, sent in bank.seen.items() if sent.call == stored.call.id}
        seen = SeenCall(
            stored.call,
            self.heard,
            self.heard[self.turn_began :],
            self.hung_up,
            agreed=self.agreed,
            asked=list(asked.values()),
            charged=self.charged,
            texts=store.texts_of(stored.call.id),
            asked_in_part={one: amount for one, amount in asked.items() if bank.seen[one].takes_part},
        )
        books = rules.KnownBooks(lambda one: number_of(self.bench, one), words=self.bench.workbench.prompts)
        found += [what for _, what in (*rules.consent(seen), *rules.told(seen, books))]
        return found


def number_of(bench: Bench, reference: str) -> str:
    payment = bench.workbench.store.payment(reference)
    return payment.confirmation_number if payment else ""


@dataclass
class RandomPayer:
    """Pays one bill in a random way: one to four cards, parts, partial approvals, silence, take-backs and hang-ups."""

    bench: Bench
    chance: random.Random
    count: int = 0
    endings: Counter[str] = field(default_factory=Counter)
    cards: Counter[int] = field(default_factory=Counter)

    def pay(self) -> Sequence[str]:
        chance, self.count = self.chance, self.count + 1
        caller = SplitCaller(self.bench, f"{30_000_000 + self.count}", chance.randrange(400, 40_000))
        cards = chance.randint(1, 4)
        for number in range(cards * 2):
            if caller.is_over or not caller.can_choose:
                break
            if chance.random() < 0.06:
                (caller.take_back if chance.random() < 0.5 else caller.hang_up)()
                break
            self._one_card(caller, is_last=number >= cards - 1)
        wrong = caller.wrong()
        stored = self.bench.workbench.store.load_call(caller.line.call_id)
        assert stored is not None
        self.endings[f"{stored.call.outcome}{', hung up' if caller.hung_up else ''}"] += 1
        self.cards[len(stored.call.charges)] += 1
        self._forget()
        return wrong

    def _one_card(self, caller: SplitCaller, *, is_last: bool) -> None:
        chance = self.chance
        left = caller.due - sum(money.minor for money in caller.charged.values())
        amount = None if is_last or left <= 200 else chance.randrange(100, left)
        caller.key_in(chance.choice(CARDS), amount)
        if chance.random() < 0.03:
            caller.hang_up()
            return
        fate = chance.choices(list(FATES), list(FATES.values()))[0]
        if fate == IN_PART:
            fate = f"approves {Money(chance.randrange(1, left + 1))}".removesuffix(" USD")
        caller.consent(fate)
        if chance.random() < 0.04:
            caller.hang_up()
            return
        caller.wait()

    def _forget(self) -> None:
        """No limit on attempts counts what an earlier payment did."""
        self.bench.workbench.clock.advance(3 * 24 * 3600)
        self.bench.begun.clear()
