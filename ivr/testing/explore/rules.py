"""What must be true of every walk: taken from the bank's own books and from what each caller heard and agreed to, never
from our ledger.

    consent  nothing is charged that the caller did not agree to, in that amount, as often as agreed
    bill     a bill is charged what it owes at most; what is left is what was due without what was charged
    books    our ledger says what the bank's books say, and nothing was sent to the bank twice
    ending   the last words say what became of the money, and so does the record
    receipt  a confirmation number is said for what was charged only
    text     a result that was not heard is texted, and no text goes to nobody
    end      every call comes to an end, and everything is settled
    fault    nothing of ours broke on the way
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.money import Money
from ivr.testing.explore.walk import NeverEnds, Walk, WalkingCaller

CHARGED = ("you_were_charged", "you_were_charged_in_total")
NOT_CHARGED = "you_were_not_charged"
PROMISES = ("we_will_text_the_result", "call_again_for_the_result")


class Untrue(Exception):
    """`rule` is one of the above."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{what} (rule: {rule})")
        self.rule = rule


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
    for caller in walk.callers:
        yield from _consent(walk, caller)
    yield from _bills(walk, due)
    if disagreement := walk.bench.disagreement():
        yield "books", disagreement
    for caller in walk.callers:
        if any(phrase.name == "apology" for phrase in caller.heard):
            yield "fault", "something of ours broke: the caller heard an apology"
        if not caller.hung_up:
            yield from _ending(walk, caller)
        yield from _receipts(walk, caller)
        yield from _texts(walk, caller)


def books_of(walk: Walk, caller: WalkingCaller) -> dict[str, Money]:
    """What the bank has charged in this call."""
    charged = walk.bench.bank.charged
    return {one: money for one, money in charged.items() if one.rpartition("-")[0] == caller.line.call_id}


def _consent(walk: Walk, caller: WalkingCaller) -> Iterator[tuple[str, str]]:
    asked = [one.amount for one in walk.bench.bank.seen.values() if one.call == caller.line.call_id]
    not_agreed = Counter(map(str, asked)) - Counter(map(str, caller.agreed))
    for amount in not_agreed:
        yield "consent", f"{amount} was sent to the bank, and nobody agreed to it"
    not_agreed = Counter(map(str, books_of(walk, caller).values())) - Counter(map(str, caller.agreed))
    for amount in not_agreed:
        yield "consent", f"{amount} was charged, and nobody agreed to it"


def _bills(walk: Walk, due: Mapping[str, Money]) -> Iterator[tuple[str, str]]:
    store, charged = walk.bench.workbench.store, Counter[str]()
    for caller in walk.callers:
        for payment in store.payments_of(caller.line.call_id):
            money = walk.bench.bank.charged.get(payment.intent.reference)
            if money is not None:
                charged[payment.intent.payable_key] += money.minor
    for account, owed in due.items():
        bill = store.find_bill(account)
        left = bill.due.minor if bill else 0
        if charged[account] > max(owed.minor, 0):
            yield "bill", f"{account} owed {owed}, and {Money(charged[account], owed.currency)} was charged"
        elif left != owed.minor - charged[account]:
            yield "bill", f"{account} owed {owed}, {Money(charged[account], owed.currency)} was charged, {left} is left"


def _ending(walk: Walk, caller: WalkingCaller) -> Iterator[tuple[str, str]]:
    call, books = walk.call_of(caller), books_of(walk, caller)
    names = {phrase.name for phrase in caller.last_said}
    said = sum(_minor(phrase) for phrase in caller.last_said if phrase.name in CHARGED)
    promised = names & {*PROMISES}
    later = sum(books[one].minor for one in _unsettled(call) if one in books)
    charged = sum(money.minor for money in books.values())
    if (NOT_CHARGED in names) == bool(promised or said):
        yield "ending", f"the last words were {', '.join(sorted(names))}; the bank charged {charged}"
    elif charged != said + later or bool(promised) != bool(call.unsettled):
        yield "ending", f"the caller was told of {said}, promised {sorted(promised)}; the bank charged {charged}"
    elif promised and PROMISES[not call.can_text] not in promised:
        yield "ending", "a text was promised that nobody can send"
    elif call.outcome != ("pending" if promised else "paid" if said else "unpaid"):
        yield "ending", f"on record as {call.outcome}, but the caller heard {', '.join(sorted(names))}"


def _receipts(walk: Walk, caller: WalkingCaller) -> Iterator[tuple[str, str]]:
    bank = walk.bench.bank
    true = {(bank.confirmation_number(one), money.minor) for one, money in books_of(walk, caller).items()}
    for phrase in caller.heard:
        if phrase.name == "confirmation_number":
            number = str(dict(phrase.values).get("number", ""))
            if (number, _minor(phrase)) not in true:
                yield "receipt", f"confirmation number {number} for {_minor(phrase)}, which was not charged"


def _texts(walk: Walk, caller: WalkingCaller) -> Iterator[tuple[str, str]]:
    call = walk.call_of(caller)
    texts = {text.id: text for text in walk.bench.workbench.store.texts_of(call.id)}
    if texts and not call.can_text:
        yield "text", "a text to nobody"
    for charge in call.charges:
        has_text = f"{call.intent_of(charge.attempt)}-result" in texts
        if has_text != (not charge.told and call.can_text):
            knows = "knows" if charge.told else "does not know"
            yield "text", f"the caller {knows} how the charge ended, and is {'' if has_text else 'not '}texted"


def _unsettled(call: Call) -> Sequence[str]:
    return [call.intent_of(charge.attempt) for charge in call.unsettled]


def _minor(phrase: Phrase) -> int:
    amount = dict(phrase.values).get("amount")
    return amount.minor if isinstance(amount, Money) else 0
