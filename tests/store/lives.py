"""Random lives of charges, to hold the books to: whatever can happen to one, in any order that the store allows.

Beside the store goes the bank's side, written down as it answers (`owed`), and what each bill owed at first. Neither knows of
accounts.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

from ivr.core.actions import SplitPart
from ivr.core.call import OPEN, OPEN_PARTS, Call, Charge
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    BankWord,
    Bill,
    FollowUp,
    Job,
    Modification,
    ModificationWord,
    News,
    Payment,
    PaymentIntent,
    Store,
    TooEarly,
    WantedModification,
)
from tests.store.payments import NO_LIMITS, NOW, a_call, intent, stage
from tests.store.sums import sum_intent

SOURCE = "billing.find_bill"
BANKS = ("acme_bank", "other_bank")
BILLS = {"700101": 64_20, "700102": 71_85, "700103": 18_00}
TOPS_UP = 10_000_00  # bills that single charges pay: none is ever paid in full


class Lives:
    """One store's charges. `owed`: what each bank has taken less what it has given back, and let go of, by its own count;
    `made_at_bank`: refunds that nobody here asked for, and by their names those that `came_back`;
    `holds`: what it holds of each charge and has not taken.
    `due`: what each bill owed at first; `paid_twice`: bills that came to owe less than nothing, which none of them says."""

    def __init__(self, store: Store, random: Random) -> None:
        self.store, self.random, self.now, self.begun = store, random, NOW, 0
        self.owed: Counter[str] = Counter()
        self.holds: dict[str, int] = {}
        self.made_at_bank: list[News] = []
        self.came_back: set[str] = set()
        self.references: list[str] = []
        self.calls: dict[str, Call] = {}
        self.due = {**{f"8{n}": TOPS_UP for n in range(3)}, **BILLS}
        self.paid_twice: set[str] = set()
        store.renew_bills([Bill(key, Money(minor), Money(0)) for key, minor in self.due.items()])

    def step(self) -> None:
        self.now += timedelta(minutes=3)
        often = [self.begin, self.answer] * 3 + [self.ask, self.end] * 2
        self.random.choice([*often, self.resolve, self.hear, self.end_call, self.take_back])()

    # ---- charges

    def begin(self) -> None:
        made = self.random.choice([self.plain, self.for_bill, self.with_fee, self.reserved, self.in_one_sum, self.part])
        self.begun += 1
        wanted = made(f"CA{self.begun}-1")
        wanted = replace(wanted, bank=self.random.choice(BANKS))
        if wanted.call not in self.calls:
            self.calls[wanted.call] = a_call(wanted.call)
            self.store.save_call(self.calls[wanted.call], 0, self.now)
        if self.is_over(wanted.call):
            return  # where the caller of a part has hung up nothing is keyed in any more
        stage(self.store, wanted.reference, card=wanted.reference, now=self.now)
        if self.store.begin_payment(wanted, NO_LIMITS, self.now) == Accepted():
            self.references.append(wanted.reference)

    def plain(self, reference: str) -> PaymentIntent:
        return intent(reference, minor=self.random.randint(1, 9999), caller=reference)

    def for_bill(self, reference: str) -> PaymentIntent:
        key = f"8{self.random.randrange(3)}"
        return intent(reference, minor=self.random.randint(1, 9999), caller=reference, pays=key)

    def with_fee(self, reference: str) -> PaymentIntent:
        made = self.random.choice([self.plain, self.for_bill])(reference)
        fee = Money(self.random.randint(1, 299))
        return replace(made, amount=Money(made.amount.minor + fee.minor), fee=fee)

    def reserved(self, reference: str) -> PaymentIntent:
        made = self.random.choice([self.plain, self.for_bill, self.with_fee])(reference)
        return replace(made, captures_later=True)

    def in_one_sum(self, reference: str) -> PaymentIntent:
        made = sum_intent(reference, BILLS, caller=reference)
        fee = Money(self.random.choice([0, 150]))
        return replace(made, amount=Money(made.amount.minor + fee.minor), fee=fee) if fee.minor else made

    def part(self, reference: str) -> PaymentIntent:
        """Of a bill of its own, or the rest of one that is open; its call is that of the first part."""
        open_ones = [one for one in self.payments() if one.split and one.is_charged and one.part in OPEN_PARTS]
        first = self.random.choice(open_ones).split if open_ones and self.random.random() < 0.8 else reference
        key, total = f"9{first}", 5000
        if first == reference:
            self.due[key] = total
            self.store.renew_bills([Bill(key, Money(total), Money(0))])
        rest = total - sum(one.intent.amount.minor for one in open_ones if one.split == first)
        minor = self.random.choice([rest, self.random.randint(1, max(rest, 1))])
        policy = self.random.choice(["keep", "take_back"]) if first == reference else self.policy(first)
        part = SplitPart(first, Money(total), policy, takes_part=True)  # type: ignore[arg-type]
        call = first.rpartition("-")[0]
        return replace(intent(reference, minor=max(minor, 1), caller=reference, call=call, pays=key), part=part)

    def policy(self, first: str) -> str:
        return next(one.part for one in self.payments() if one.split == first and one.part in OPEN_PARTS)

    def answer(self) -> None:
        job = self.job("authorize")
        if job is None or self.store.mark_sent(job) is None:
            return
        status = self.random.choice(["approved", "approved", "approved", "declined", "unknown", "not_sent"])
        self.said(job, status)

    def resolve(self) -> None:
        job = self.job("resolve")
        if job is not None:
            self.said(job, self.random.choice(["approved", "declined", "reversed"]))

    def said(self, job: Job, status: str) -> None:
        payment = self.payment(job.reference)
        approved = None
        if status == "approved" and payment.takes_part and self.random.random() < 0.4:
            approved = Money(self.random.randint(1, payment.intent.amount.minor))
        word = BankWord("482913", "00", f"bank-{job.reference}", approved)
        is_recorded = self.store.record(job, status, self.now, word, FollowUp())  # type: ignore[arg-type]
        if is_recorded and status == "approved" and payment.intent.captures_later:
            self.holds[job.reference] = payment.intent.amount.minor
        elif is_recorded and status == "approved":
            self.owed[payment.intent.bank] += (approved or payment.intent.amount).minor

    # ---- afterwards

    def ask(self) -> None:
        charged = [one for one in self.payments() if one.status == "approved"]
        if not charged:
            return
        # Few of them wait for their capture, and without this hardly one would come to it.
        reserved = [one for one in charged if self.is_reserved(one)]
        payment = self.random.choice(reserved if reserved and self.random.random() < 0.5 else charged)
        left = self.store.balance_of(payment).refundable
        kind = self.kind_for(payment)
        reopens = self.random.random() < 0.4
        is_total = kind != "refund" or (reopens and payment.intent.bills) or self.random.random() < 0.3
        amount = left if is_total else Money(self.random.randint(1, max(left.minor, 1)))
        if (kind == "void" and left != payment.intent.amount) or amount.minor <= 0 or amount.minor > left.minor:
            return
        if reopens and payment.intent.bills and amount != payment.intent.amount:
            return
        wanted = WantedModification(payment.intent.reference, kind, amount, left, "ada", reopens)  # type: ignore[arg-type]
        self.require_a_limit(wanted, left)
        self.store.ask_modification(wanted, self.now)
        asked = [one for one in self.modifications(payment) if one.kind != "capture" and one.status != "failed"]
        assert sum(one.amount.minor for one in asked) <= payment.intent.amount.minor, (
            "more than was charged is given back"
        )

    def require_a_limit(self, wanted: WantedModification, left: Money) -> None:
        """A cent more than is left is never given back, whoever asks."""
        if wanted.kind == "refund" and not wanted.reopens_bill:
            more = replace(wanted, amount=Money(left.minor + 1, left.currency))
            assert not isinstance(self.store.ask_modification(more, self.now), Modification), "more than is left"

    def kind_for(self, payment: Payment) -> str:
        """What a forwarder can do with it: of an amount that is only reserved nothing is given back, nor of one whose capture
        has failed."""
        last = self.last_of_capture(payment)
        if last == "capture_failed" or (payment.intent.captures_later and last != "captured"):
            return self.random.choice(["capture", "capture", "void"])
        return self.random.choice(["refund", "void"]) if not last and not payment.intent.captures_later else "refund"

    def last_of_capture(self, payment: Payment) -> str:
        """Empty where nobody has spoken of one."""
        story = self.store.entries(payment.intent.reference)
        return next((kind for kind in reversed(story) if kind in ("captured", "capture_failed")), "")

    def is_reserved(self, payment: Payment) -> bool:
        return payment.intent.captures_later and "captured" not in self.store.entries(payment.intent.reference)

    def end(self) -> None:
        job = self.job("modification")
        if job is None:
            return
        if not self.store.mark_modification_sent(job):
            return
        status = self.random.choice(["done", "done", "failed", "taken"])
        found = self.modification(job.reference)
        if self.store.end_modification(job, status, ModificationWord(), self.now) and status == "done":  # type: ignore[arg-type]
            self.moved(found, 1)

    def hear(self) -> None:
        """What the bank tells by itself: how a modification ended, that a refund came back, or of the charge."""
        told = [(one, payment) for payment in self.payments() for one in self.modifications(payment)]
        told = [(one, payment) for one, payment in told if one.status in ("taken", "done")]
        if told and self.random.random() < 0.7:
            self.hear_of(*self.random.choice(told))
            return
        approved = [one for one in self.payments() if one.status == "approved"]
        if approved:
            kinds = [self.hear_of_charge, self.hear_of_capture, self.hear_of_refund_at_bank]
            self.random.choice(kinds)(self.random.choice(approved))

    def hear_of(self, found: Modification, payment: Payment) -> None:
        words = {"refund": ("refunded", "refund_failed"), "void": ("reversed", "undo_refused")}
        done, failed = words.get(found.kind, ("captured", "capture_failed"))
        if found.status == "done" and found.kind == "void":
            return  # a void that is done stays done
        is_done = found.status == "taken" and self.random.random() < 0.5
        word = BankWord(None, "00")
        news = self.news(payment, done if is_done else failed, found.amount, found.id)
        if found.status == "done" or found.kind == "capture":
            self.comes_back(payment)
        is_moved = self.store.hear(replace(news, word=word), self.now, FollowUp()) == "moved"
        if is_moved and (is_done or found.status == "done"):
            self.moved(found, 1 if is_done else -1)

    def comes_back(self, payment: Payment) -> None:
        """Where its bill was, or is being, paid again meanwhile it may be paid twice, and a bill owes no less than nothing."""
        asked = Counter[str]()
        for other in self.payments():
            if other.status in OPEN:
                asked.update({one.key: one.amount.minor for one in other.intent.paid_bills})
        for one in payment.intent.paid_bills:
            bill = self.store.find_bill(one.key)
            if bill and bill.due.minor < one.amount.minor + asked[one.key]:
                self.paid_twice.add(one.key)

    def hear_of_capture(self, payment: Payment) -> None:
        """Of one that nobody here has asked for by name: the forwarder's own, or one that was made at the bank."""
        asked = [one for one in self.modifications(payment) if one.kind == "capture" or one.status != "failed"]
        last, let_go = self.last_of_capture(payment), "hold_lapsed" in self.store.entries(payment.intent.reference)
        if asked or (last == "capture_failed" and let_go) or self.store.balance_of(payment).returned.minor:
            return
        told = "captured" if last != "captured" and self.random.random() < 0.8 else "capture_failed"
        self.comes_back(payment)
        if self.tell(self.news(payment, told, payment.intent.amount)) != "noted" or told == last:
            return
        # An approval that is captured apart counts from the approval, a reserved amount from its capture.
        is_reserved, minor = payment.intent.captures_later, payment.intent.amount.minor
        if told == "captured":
            self.owed[payment.intent.bank] += minor if last or is_reserved else 0
            self.holds.pop(payment.intent.reference, None)
        else:
            self.owed[payment.intent.bank] -= minor if last or not is_reserved else 0
            self.held_again(payment)

    def hear_of_charge(self, payment: Payment) -> None:
        balance = self.store.balance_of(payment)
        last = self.last_of_capture(payment)
        is_reserved = payment.intent.captures_later and last != "captured"
        if is_reserved or self.random.random() < 0.5:
            if payment.intent.captures_later and not is_reserved:
                return
            voids = [one for one in self.modifications(payment) if (one.kind, one.status) == ("void", "taken")]
            is_untouched = balance.refundable == payment.intent.amount or (voids and not balance.returned.minor)
            if is_untouched and last != "captured":  # lets go of all of it
                effect = self.tell(self.news(payment, "reversed", payment.intent.amount))
                is_new = effect == "lost" or (voids and not payment.intent.captures_later)
                is_new = is_new and last != "capture_failed"
                self.owed[payment.intent.bank] -= payment.intent.amount.minor * bool(is_new)
                if effect != "too early":
                    self.holds.pop(payment.intent.reference, None)
        elif balance.refundable.minor > 0 and last != "capture_failed":
            amount = Money(self.random.randint(1, balance.refundable.minor))
            self.begun += 1
            news = replace(self.news(payment, "refunded", amount), modification=f"R{self.begun}")
            if self.tell(news) == "noted":
                self.owed[payment.intent.bank] -= amount.minor
                self.made_at_bank.append(news)

    def hear_of_refund_at_bank(self, _payment: Payment) -> None:
        """One that came back is told as such once, or twice, or of one that was never made."""
        if not self.made_at_bank:
            return
        news = self.random.choice(self.made_at_bank)
        is_there = self.random.random() < 0.8
        name = news.modification if is_there else f"{news.modification}?"
        effect = self.tell(
            replace(news, told="refund_failed", event=f"{news.event} failed {self.now}", modification=name)
        )
        if is_there and news.modification not in self.came_back and effect != "too early":
            self.came_back.add(news.modification)
            self.owed[news.bank] += news.amount.minor

    def tell(self, news: News) -> str:
        try:
            return self.store.hear(news, self.now, FollowUp())
        except TooEarly:
            return "too early"

    def news(self, payment: Payment, told: str, amount: Money, modification: str = "") -> News:
        event = f"{told} {self.now.timestamp()} {modification}"
        return News(payment.intent.bank, event, modification or payment.intent.reference, told, BankWord(), amount)

    def moved(self, found: Modification, sign: int) -> None:
        payment = self.payment(found.reference)
        is_hold = payment.intent.captures_later and found.kind == "void"
        if sign > 0 and found.kind != "refund":
            self.holds.pop(found.reference, None)
        elif found.kind == "capture":
            self.held_again(payment)
        if found.kind == "capture":
            self.owed[payment.intent.bank] += found.amount.minor * sign
        elif not is_hold and not (found.kind == "void" and self.last_of_capture(payment) == "capture_failed"):
            self.owed[payment.intent.bank] -= found.amount.minor * sign  # of what it never took a void takes nothing

    def held_again(self, payment: Payment) -> None:
        """A capture has failed: what had not lapsed before it is as it was."""
        if payment.intent.captures_later and "hold_lapsed" not in self.store.entries(payment.intent.reference):
            self.holds[payment.intent.reference] = payment.intent.amount.minor

    # ---- calls

    def end_call(self) -> None:
        stored = self.store.load_call(self.random.choice([*self.calls])) if self.calls else None
        if stored is None or stored.call.phase == "over":
            return
        parts = [one for one in self.store.payments_of(stored.call.id) if one.split]
        charges = tuple(
            Charge(number, one.intent.amount, one.status, part=one.part, told=True)
            for number, one in enumerate(parts, 1)
        )
        ended = replace(stored.call, phase="over", outcome="pending", charges=charges)
        self.store.save_call(ended, stored.version, self.now)

    def is_over(self, call: str) -> bool:
        stored = self.store.load_call(call)
        return stored is None or stored.call.phase == "over"

    def take_back(self) -> None:
        if self.calls:
            self.store.take_back(self.random.choice([*self.calls]), self.now)

    # ---- what is there

    def job(self, kind: str) -> Job | None:
        """Of all that is due, one of this kind; the leases of the others are over at the next step."""
        due = [one for one in self.store.claim_jobs(self.now, 60, 99) if one.kind == kind]
        return self.random.choice(due) if due else None

    def payments(self) -> Sequence[Payment]:
        return [self.payment(one) for one in self.references]

    def payment(self, reference: str) -> Payment:
        found = self.store.payment(reference)
        assert found is not None
        return found

    def modifications(self, payment: Payment) -> Sequence[Modification]:
        return self.store.modifications_of(payment.intent.reference)

    def modification(self, key: str) -> Modification:
        found = self.store.modification(key)
        assert found is not None
        return found


def lived(store: Store, seed: int, steps: int) -> Lives:
    lives = Lives(store, Random(seed))
    for _ in range(steps):
        lives.step()
    return lives
