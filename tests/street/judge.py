"""Looks at every bill, ending, receipt and text of a street when all is settled. `Untrue` says what is not as it should be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.money import Money
from tests.street.bank import number_of
from tests.street.caller import Caller

if TYPE_CHECKING:
    from tests.street.world import Street

CHARGED = ("you_were_charged", "you_were_charged_in_total")
NOT_CHARGED = "you_were_not_charged"
PROMISES = ("we_will_text_the_result", "call_again_for_the_result")


class Untrue(AssertionError):
    """Something that was said, charged or sent is not as it should be."""


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
    report = Report(len(street.callers), len(street.due), charged, fates=street.bank.fates, texts=len(street.sent))
    judge_bills(street)
    for caller in street.callers:
        call = street.call_of(caller)
        report.endings[f"{call.outcome}{', hung up' if caller.hung_up else ''}"] += 1
        report.heard.update(phrase.name for phrase in caller.heard)
        books = books_of(street, caller)
        if not caller.hung_up:
            judge_ending(caller, call, books)
        judge_receipts(caller, call, books)
        judge_texts(street, caller, call, books)
    if street.store.drop_unsent_cards(street.clock()):
        raise Untrue("a sealed field was left behind")
    return report


def books_of(street: Street, caller: Caller) -> dict[str, int]:
    """What the bank has charged in this call."""
    return {one: street.bank.charged[one] for one in caller.agreed if one in street.bank.charged}


def judge_bills(street: Street) -> None:
    """Callers have chosen to pay each bill to the end, and more than once: what is charged is what was due, once."""
    charged: Counter[str] = Counter()
    for caller in street.callers:
        for reference, (account, minor) in caller.agreed.items():
            if street.bank.charged.get(reference, minor) != minor:
                raise Untrue(f"{reference}: agreed to {minor}, charged {street.bank.charged[reference]}")
            charged[account] += street.bank.charged.get(reference, 0)
    for account, due in street.due.items():
        if charged[account] != due or street.due_now(account):
            raise Untrue(f"{account} owed {due}: {charged[account]} charged, {street.due_now(account)} left")
    if sum(charged.values()) != sum(street.bank.charged.values()):
        raise Untrue("the bank charged what nobody agreed to")
    if twice := [reference for reference, times in street.bank.sent.items() if times > 1]:
        raise Untrue(f"sent to the bank twice: {twice}")


def judge_ending(caller: Caller, call: Call, books: dict[str, int]) -> None:
    """What the caller heard at the end, beside the bank's books as they are when all is settled."""
    names = {phrase.name for phrase in caller.last_said}
    said = sum(amount_of(phrase) for phrase in caller.last_said if phrase.name in CHARGED)
    promised = names & {*PROMISES}
    if (NOT_CHARGED in names) == bool(promised or said):
        raise Untrue(f"{call.id}: the ending says {sorted(names)}")
    later = sum(books.get(call.intent_of(charge.attempt), 0) for charge in call.unsettled)
    if promised and PROMISES[not call.can_text] not in promised:
        raise Untrue(f"{call.id}: a promise that cannot be kept")
    if sum(books.values()) != said + later or bool(promised) != bool(call.unsettled):
        raise Untrue(f"{call.id}: said {said}, promised {sorted(promised)}, charged {books}")
    if call.outcome != ("pending" if promised else "paid" if said else "unpaid"):
        raise Untrue(f"{call.id}: on record as {call.outcome}")


def judge_receipts(caller: Caller, call: Call, books: dict[str, int]) -> None:
    true = {(number_of(reference), minor) for reference, minor in books.items()}
    for phrase in caller.heard:
        if phrase.name == "confirmation_number" and (dict(phrase.values)["number"], amount_of(phrase)) not in true:
            raise Untrue(f"{call.id}: a confirmation number for what was not charged")


def judge_texts(street: Street, caller: Caller, call: Call, books: dict[str, int]) -> None:
    """A result that the caller has not heard is texted and says what the books say; nobody else gets one."""
    texts = {text.id: text for text in street.store.texts_of(call.id)}
    if any(not text.is_sent for text in texts.values()) or (texts and not call.can_text):
        raise Untrue(f"{call.id}: texts {sorted(texts)}")
    if missing := books.keys() - {call.intent_of(charge.attempt) for charge in call.charges}:
        raise Untrue(f"{call.id} does not know that it charged {sorted(missing)}")
    for charge in call.charges:
        reference = call.intent_of(charge.attempt)
        result = texts.get(f"{reference}-result")
        if (result is not None) != (not charge.told and call.can_text):
            raise Untrue(
                f"{reference}: the caller {'knows' if charge.told else 'does not know'}, texts {sorted(texts)}"
            )
        if result and ("went through" in result.body or "aprobado" in result.body) != (reference in books):
            raise Untrue(f"{reference}: the text does not say what the bank does")
    if any(phrase.name == "sms_sent" for phrase in caller.heard) and not texts:
        raise Untrue(f"{call.id}: a text that was promised never came")


def amount_of(phrase: Phrase) -> int:
    amount = dict(phrase.values)["amount"]
    assert isinstance(amount, Money)
    return amount.minor
