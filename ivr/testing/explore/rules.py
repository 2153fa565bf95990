"""The rules of `ivr.testing.rules` asked of a walk: its bench has the bank's books, its callers what was heard and agreed to."""

from collections import Counter
from collections.abc import Iterator, Mapping

from ivr.core.money import Money
from ivr.core.remembered import END, Remembered, end_of
from ivr.store import Payment, Store
from ivr.testing import rules
from ivr.testing.explore.walk import NeverEnds, Walk, WalkingCaller
from ivr.testing.rules import SeenCall, Untrue

NO_FEE = Money(0)


def judge(walk: Walk, due: Mapping[str, Money]) -> None:
    """Finishes the walk, then looks. `due`: what each account owed before it."""
    try:
        walk.finish()
    except NeverEnds as error:
        raise Untrue("end", str(error)) from None
    for rule, what in _broken(walk, due):
        raise Untrue(rule, what)


def _broken(walk: Walk, due: Mapping[str, Money]) -> Iterator[tuple[str, str]]:
    """The gravest first."""
    calls = [_seen(walk, caller) for caller in walk.callers]
    for seen in calls:
        yield from rules.consent(seen)
        yield from rules.agreement(seen)
    yield from _remembered(walk)
    yield from _bills(walk, due)
    for reference in walk.bench.bank.overlaps:
        yield "bill", f"{walk.bench.bank.seen[reference].amount} was sent while another charge of the bill was open"
    if disagreement := walk.bench.disagreement():
        yield "books", disagreement
    bench = walk.bench.workbench
    books = rules.KnownBooks(lambda one: number_of(bench.store, one), words=bench.prompts)
    for seen in calls:
        if any(phrase.name == "apology" for phrase in seen.heard):
            yield "fault", "something of ours broke: the caller heard an apology"
        yield from rules.told(seen, books)
    for caller in walk.callers:
        yield from caller.witness.found()


def _remembered(walk: Walk) -> Iterator[tuple[str, str]]:
    """Of each number: what is kept is in an agreement of one of its calls, whose words `rules.agreement` holds to what was heard."""
    bench = walk.bench.workbench
    agreed: dict[str, list[tuple[str, str]]] = {}
    for caller in walk.callers:
        found = [one for one in bench.store.agreements_of(caller.line.call_id) if one.kind == "remember"]
        agreed.setdefault(caller.witness.ani, []).extend((one.language, one.terms.get(END, "")) for one in found)
    for ani, every in agreed.items():
        who = bench.runner.payments.ani_hash(ani)
        for flow in bench.runner.flows if who else ():
            kept = bench.store.recall(who, flow, bench.clock())
            if kept and not any(_is_of(kept, language, end) for language, end in every):
                yield "agreement", "something is remembered of a caller who agreed to nothing like it"


def _is_of(kept: Remembered, language: str, end: str) -> bool:
    """Whether somebody who agreed in this language, to an account that ends so, agreed to this."""
    return kept.language in ("", language) and (not kept.account or end_of(kept.account) == end)


def _by_bill(payment: Payment, charged: Money) -> Mapping[str, int]:
    """Of a charge for several bills in one sum each has its own part."""
    intent = payment.intent
    if not intent.bills:
        return {intent.payable_key: charged.minor}
    parts = {bill.key: bill.amount.minor for bill in intent.bills}
    if charged.minor != sum(parts.values()):
        raise Untrue("bill", f"{charged} was charged for bills that come to {sum(parts.values())}")
    return parts


def number_of(store: Store, reference: str) -> str:
    """The confirmation number on record; none where the charge is not."""
    payment = store.payment(reference)
    return payment.confirmation_number if payment else ""


def _seen(walk: Walk, caller: WalkingCaller) -> SeenCall:
    call, bank = walk.call_of(caller), walk.bench.bank
    agreements = walk.bench.workbench.store.agreements_of(call.id)
    return SeenCall(
        call,
        caller.heard,
        caller.last_said,
        caller.hung_up,
        agreed=caller.agreed,
        asked=[one.amount for one in bank.seen.values() if one.call == call.id],
        charged={one: money for one, money in bank.charged.items() if one.rpartition("-")[0] == call.id},
        reserved={one: money for one, money in bank.reserved.items() if one.rpartition("-")[0] == call.id},
        agreed_words=caller.witness.agreed_words,
        agreements=[one.wording for one in agreements],
        agreed_to_pay={one.wording: one.amount for one in agreements if one.kind != "keep_card"},
        owed_when_agreed=caller.witness.owed_when_agreed,
        texts=walk.bench.workbench.store.texts_of(call.id),
        asked_in_part={one: request.amount for one, request in bank.seen.items() if request.takes_part},
        fees=_fees(walk),
    )


def _fees(walk: Walk) -> dict[str, Money]:
    """What callers agreed to pay for their card, by the charge: no bill is credited with it."""
    return {one.reference: one.fee for one in walk.consents if one.fee is not None}


def _bills(walk: Walk, due: Mapping[str, Money]) -> Iterator[tuple[str, str]]:
    store, charged = walk.bench.workbench.store, Counter[str]()
    fees = _fees(walk)
    for caller in walk.callers:
        for payment in store.payments_of(caller.line.call_id):
            money = walk.bench.bank.charged.get(payment.intent.reference)
            if money is not None:
                fee = fees.get(payment.intent.reference, NO_FEE)
                charged.update(_by_bill(payment, Money(money.minor - fee.minor, money.currency)))
    for account, owed in due.items():
        found = store.find_bill(account)
        left = found.due.minor if found else 0
        if charged[account] or left != owed.minor:
            yield from rules.bill(account, owed, charged[account], left)
