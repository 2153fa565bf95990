"""What is true of a call when all is settled: by the bank's books, by ours, by the bill, and by what its caller heard and was texted."""

from dataclasses import dataclass, field

from ivr.store import FINAL, Payment
from tests.faults import CHARGED, NOT_CHARGED, RECEIPT
from tests.kill.lives import DECLINED, Case
from tests.kill.world import World

UNPAID = (NOT_CHARGED, DECLINED, "so this payment was not charged", "so nothing was taken")
TEXT_PAID, TEXT_UNPAID = "went through", "did not go through"


@dataclass
class Verdict:
    """Each a sentence, by what is wrong. `unheard`: it was saved as said, but its process died before anybody heard it."""

    double: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)
    unheard: list[str] = field(default_factory=list)
    charged: int = 0

    @property
    def is_clean(self) -> bool:
        return not (self.double or self.lost or self.untold or self.unequal or self.unheard)


def judge(world: World, case: Case) -> Verdict:
    verdict = Verdict()
    payments = world.store.payments_of(case.call)
    names = {world.place.name(one): one for one in payments}
    taken = {name: minor for name, minor in world.place.taken().items() if name in names}
    _judge_books(world, case, verdict, names, taken)
    verdict.charged = sum(map(len, taken.values()))
    _judge_told(world, case, verdict, payments, is_charged=bool(taken))
    return verdict


def _judge_books(
    world: World, case: Case, verdict: Verdict, names: dict[str, Payment], taken: dict[str, list[int]]
) -> None:
    if sum(map(len, taken.values())) > 1:
        verdict.double.append(f"{case.call}: the bank has taken {taken}")
    if held := {name: minor for name, minor in world.place.held().items() if name in names}:
        verdict.unequal.append(f"{case.call}: the bank holds {held}, and nobody captures it")
    for name, payment in names.items():
        is_ours, is_theirs = payment.status == "approved", name in taken
        if payment.status not in FINAL:
            verdict.lost.append(f"{case.call}: {payment.status} for ever")
        elif is_ours != is_theirs:
            verdict.lost.append(f"{case.call}: {payment.status} here, at the bank {taken.get(name, 'nothing')}")
        elif is_ours and taken[name] != [payment.intent.amount.minor]:
            verdict.unequal.append(f"{case.call}: {payment.intent.amount} here, at the bank {taken[name]}")
        last = [one for one in world.store.entries(payment.intent.reference) if one in {*FINAL, "unknown"}][-1:]
        if last != [payment.status]:
            verdict.unequal.append(f"{case.call}: {payment.status}, but the ledger's last word is {last}")
    if open_jobs := {kind: count for kind, count in world.store.outbox_depth().items() if count}:
        verdict.lost.append(f"{case.call}: never settled: {open_jobs}")
    bill = world.store.find_bill(case.account)
    left = case.minor - sum(map(sum, taken.values()))
    if bill is None or bill.due.minor != left:
        verdict.unequal.append(f"{case.call}: the bill owes {bill and bill.due}, by the bank's books {left}")


def _judge_told(world: World, case: Case, verdict: Verdict, payments: list[Payment], *, is_charged: bool) -> None:
    """Whoever has a charge on record is told what became of it, in words or by text, and never anything else."""
    results = world.texted(case.call)
    hears_paid = RECEIPT in case.heard or any(words in case.heard for words in CHARGED)
    hears_unpaid = any(words in case.heard for words in UNPAID)
    reads_paid = any(TEXT_PAID in text for text in results)
    reads_unpaid = any(TEXT_UNPAID in text for text in results)
    if (hears_paid or reads_paid) and not is_charged:
        verdict.untold.append(f"{case.call}: was told of a charge, and there is none: {case.heard[-200:]} {results}")
    if (hears_unpaid or reads_unpaid) and is_charged:
        verdict.untold.append(f"{case.call}: was told of no charge, and there is one: {case.heard[-200:]} {results}")
    if not payments or (hears_paid or reads_paid if is_charged else hears_unpaid or reads_unpaid):
        return
    stored = world.store.load_call(case.call)
    is_told = stored is not None and all(charge.told for charge in stored.call.charges)
    missing = verdict.unheard if is_told else verdict.untold
    missing.append(f"{case.call}: {'charged' if is_charged else 'not charged'}, and never told: {case.heard[-200:]}")
