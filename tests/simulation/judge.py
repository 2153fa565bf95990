"""Looks at what a world has come to, by the rules that exploring uses; what is true is taken from the bank's books."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ivr.calls.runner import NOT_KNOWN
from ivr.core.money import Money
from ivr.store import FINAL, Payment
from ivr.testing import rules
from ivr.testing.rules import KnownBooks, SeenCall, Untrue
from tests.simulation.callers import TwilioCaller
from tests.simulation.site import site

if TYPE_CHECKING:
    from tests.simulation.world import World

WENT_THROUGH = frozenset({"payment_went_through", "reservation_went_through"})
# What no database that is away, and no bank or caller, makes of it: a fault of the program.
BUGS = frozenset(
    one.__name__ for one in (AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError, NameError)
) | {"IntegrityError", "ProgrammingError", "LookupError", "RecursionError", "NumbersUsedUp"}


def judge(world: World) -> None:
    """Untrue says what is not as it should be."""
    judge_ledger(world)
    judge_refunds(world)
    judge_bills(world)
    for caller in world.callers:
        judge_caller(world, caller)
    if broken := world.store.broken_audit_event():
        raise Untrue("books", f"the audit trail is broken at {broken}")
    if bugs := [error for error in world.errors if error[1] in BUGS]:
        raise Untrue("fault", f"something of ours broke: {bugs}")


def payments(world: World) -> list[Payment]:
    return [one for caller in world.callers for one in world.store.payments_of(caller.call_id)]


def bank_charged(world: World) -> dict[str, Money]:
    """What the bank has taken, and not given back by itself: a part that it would not void it is told to refund."""
    books, by_hand = world.host.charged, world.operator.wanted
    return {one: money for one, money in books.items() if one in by_hand or world.host.refunded(one) < money.minor}


def judge_ledger(world: World) -> None:
    ours = payments(world)
    for payment in ours:
        if payment.status not in FINAL or not payment.is_decided:
            raise Untrue("end", f"{payment.intent.reference} is still {payment.status} {payment.part}")
    charged = {one.intent.reference: one.intent.amount for one in ours if one.is_charged}
    if charged != bank_charged(world):
        raise Untrue("books", f"our ledger has {said(charged)}, the bank {said(bank_charged(world))}")
    if twice := [reference for reference, used in world.host.keys.items() if len(used) > 1]:
        raise Untrue("books", f"asked for under another key: {twice}")


def judge_refunds(world: World) -> None:
    for payment in payments(world):
        reference = payment.intent.reference
        if not payment.is_charged:
            continue
        back = world.host.refunded(reference)
        known = world.store.balance_of(payment).returned.minor
        wanted = sum(money.minor for money in world.operator.wanted.get(reference, []))
        if back != known or back > min(wanted, payment.intent.amount.minor):
            raise Untrue(
                "books", f"{reference}: the bank gave back {back}, our ledger says {known}, {wanted} was asked for"
            )


def judge_bills(world: World) -> None:
    charged, taken = Counter[str](), bank_charged(world)
    for entry in world.host.books.entries():
        if entry.reference in taken and entry.amount:
            charged[entry.invoice_reference or ""] += entry.amount.minor
    for account, owed in world.due.items():
        bill = world.store.find_bill(account)
        insist(rules.bill(account, owed, charged[account], bill.due.minor if bill else -1), "bills")
    if others := charged.keys() - world.due.keys():
        raise Untrue("bill", f"charged for bills that nobody has: {others}")


def judge_caller(world: World, caller: TwilioCaller) -> None:
    stored = world.store.load_call(caller.call_id)
    charged = of_call(bank_charged(world), caller)
    if stored is None:
        if charged or (caller.agreed and caller.has_heard_the_end and names_of(caller) & WENT_THROUGH):
            raise Untrue("end", f"{caller.call_id}: no call on record, {said(charged)} charged")
        return
    names, call = names_of(caller), stored.call
    is_plain = bool(names & (WENT_THROUGH | {NOT_KNOWN})) or call.hung_up
    seen = SeenCall(
        call,
        caller.caller.heard,
        caller.caller.last_said,
        hung_up=is_plain or not caller.has_heard_the_end,
        agreed=caller.agreed,
        asked=list(of_call(world.host.asked, caller).values()),
        charged=charged,
        texts=world.store.texts_of(caller.call_id),
        asked_in_part={one: world.host.asked[one] for one in charged if one in world.host.in_part},
    )
    books = KnownBooks(lambda reference: number_of(world, reference), words=site().merchant.prompts)
    insist(rules.consent(seen), caller.call_id)
    insist(rules.told(seen, books), caller.call_id)
    if is_plain and caller.has_heard_the_end:
        judge_plain_words(seen, names)
    for text in seen.texts:
        if text.state != "sent" or not world.sent[text.id]:
            raise Untrue("text", f"{text.id} is {text.state}")


def judge_plain_words(seen: SeenCall, names: set[str]) -> None:
    """What is said when the call's own words cannot be had, or the call has been ended as a hang-up meanwhile."""
    where, charged = seen.call.id, sum(money.minor for money in seen.charged.values())
    promised = names & {*rules.PROMISES, *rules.UNDO_PROMISES}
    results = [text for text in seen.texts if text.id.endswith("-result")]
    if NOT_KNOWN in names:
        return
    if names & WENT_THROUGH and not charged:
        raise Untrue("ending", f"{where}: told that it went through, and nothing is charged")
    if rules.NOT_CHARGED in names and charged:
        raise Untrue("ending", f"{where}: told that nothing was charged, and {charged} is")
    if "we_will_text_the_result" in names and not results:
        raise Untrue("text", f"{where}: the result was promised by text, and there is none")
    has_receipt = any(phrase.name in (rules.RECEIPT, rules.RESERVATION) for phrase in seen.heard)
    if not has_receipt and not names & (WENT_THROUGH | {rules.NOT_CHARGED, *rules.CHARGED} | promised):
        raise Untrue("ending", f"{where}: ended without a word on the money: {sorted(names)}")


def names_of(caller: TwilioCaller) -> set[str]:
    return {phrase.name for phrase in caller.caller.last_said}


def of_call(moneys: dict[str, Money], caller: TwilioCaller) -> dict[str, Money]:
    return {one: money for one, money in moneys.items() if one.rpartition("-")[0] == caller.call_id}


def number_of(world: World, reference: str) -> str:
    payment = world.store.payment(reference)
    return payment.confirmation_number if payment else ""


def insist(broken: rules.Broken, where: str) -> None:
    for rule, what in broken:
        raise Untrue(rule, f"{where}: {what}")


def said(moneys: dict[str, Money]) -> str:
    return ", ".join(f"{reference[-6:]} {money}" for reference, money in sorted(moneys.items())) or "nothing"
