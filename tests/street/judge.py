"""Looks at every call of a street when all is settled, by the rules that exploring uses, and at what only a street has:
each bill paid to the end. `Untrue` says what is not as it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ivr.core.money import Money
from ivr.testing import rules
from ivr.testing.rules import SeenCall, Untrue
from tests.street.caller import Caller

if TYPE_CHECKING:
    from tests.street.world import Street


def says_charged(text: str) -> bool:
    return "went through" in text or "aprobado" in text


@dataclass
class Report:
    """What happened, for people."""

    calls: int
    bills: int
    charged: Money
    endings: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    texts: int = 0


def judge(street: Street) -> Report:
    charged = Money(sum(street.bank.charged.values()))
    books = rules.KnownBooks(lambda reference: number_of(street, reference), says_charged)
    report = Report(len(street.callers), len(street.due), charged, fates=street.bank.fates, texts=len(street.sent))
    judge_bills(street)
    for caller in street.callers:
        seen = seen_call(street, caller)
        report.endings[f"{seen.call.outcome}{', hung up' if caller.hung_up else ''}"] += 1
        report.heard.update(phrase.name for phrase in caller.heard)
        insist(rules.consent(seen), seen.call.id)
        insist(rules.told(seen, books), seen.call.id)
        if any(
            not text.is_sent for text in seen.texts
        ):  # a bench keeps its texts; a street has somebody who takes them
            raise Untrue("text", f"{seen.call.id}: a text is never sent")
    if street.store.drop_unsent_cards(street.clock()):
        raise Untrue("end", "a sealed field was left behind")
    return report


def number_of(street: Street, reference: str) -> str:
    payment = street.store.payment(reference)
    return payment.confirmation_number if payment else ""


def insist(broken: rules.Broken, where: str) -> None:
    for rule, what in broken:
        raise Untrue(rule, f"{where}: {what}")


def seen_call(street: Street, caller: Caller) -> SeenCall:
    call, bank = street.call_of(caller), street.bank
    return SeenCall(
        call,
        caller.heard,
        caller.last_said,
        caller.hung_up,
        agreed=[Money(minor) for _, minor in caller.agreed.values()],
        asked=[Money(minor) for one, minor in bank.asked.items() if one.rpartition("-")[0] == call.id],
        charged={one: Money(minor) for one, minor in bank.charged.items() if one.rpartition("-")[0] == call.id},
        texts=street.store.texts_of(call.id),
    )


def judge_bills(street: Street) -> None:
    """Callers have chosen to pay each bill to the end, and more than once: what is charged is what was due, once."""
    charged: Counter[str] = Counter()
    for caller in street.callers:
        for reference, (account, minor) in caller.agreed.items():
            if street.bank.charged.get(reference, minor) != minor:
                raise Untrue("consent", f"{reference}: agreed to {minor}, charged {street.bank.charged[reference]}")
            charged[account] += street.bank.charged.get(reference, 0)
    for account, due in street.due.items():
        insist(rules.bill(account, Money(due), charged[account], street.due_now(account)), "the street")
        if charged[account] != due:
            raise Untrue("bill", f"{account} owed {due}: {charged[account]} charged, and nobody pays the rest")
    if sum(charged.values()) != sum(street.bank.charged.values()):
        raise Untrue("consent", "the bank charged what nobody agreed to")
    if twice := [reference for reference, times in street.bank.sent.items() if times > 1]:
        raise Untrue("books", f"sent to the bank twice: {twice}")
