"""What must be true of every call, whoever made it: taken from the bank's own books and from what each caller heard and
agreed to, never from our ledger.

    consent  nothing is charged that the caller did not agree to, in that amount, as often as agreed
    agreement  no promise, plan or mandate is on record that the caller did not agree to, in these words, as often as agreed, nor
             one for more than its bill owed then; and nothing is remembered of a caller who did not agree to it
    bill     a bill is charged what it owes at most, without a fee that was agreed to, one charge at a time; what is left is what
             was due without what was charged
    books    our ledger says what the bank's books say, and nothing was sent to the bank twice
    ending   the last words say what became of the money, and so does the record
    receipt  a confirmation number is said for what was charged only
    text     a result that was not heard is texted, a text that was promised comes, none goes to nobody, and one on a charge
             says its amount and number
    said     what a prompt says is so at that moment (`ivr.testing.said`)
    limit    nothing is sent to the bank over a limit on failed attempts
    sealed   no sealed card field is left when all is settled
    end      every call comes to an end, and everything is settled
    fault    nothing of ours broke on the way

Exploring and the tests' street of random callers both look by these. `books`, `end` and `fault` are theirs to find out; `said`,
`limit` and `sealed` are held by exploring alone, whose witness knows the keys of each caller.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.store import TextMessage
from ivr.words.phrases import Prompts
from ivr.words.wordings import endings

CHARGED = ("you_were_charged", "you_were_charged_in_total")
RESERVED = "amount_reserved"
NOT_CHARGED = "you_were_not_charged"
PROMISES = ("we_will_text_the_result", "call_again_for_the_result")
UNDO_PROMISES = ("we_will_text_once_undone", "call_again_once_undone")  # of parts of a bill that are being taken back
RECEIPT, RESERVATION = "confirmation_number", "reservation_number"
TEXT_PROMISED = "sms_sent"
# What the bank's books do not hold, each by a mark that no word of a prompt has.
BESIDES: Mapping[str, Value] = {
    "merchant": "<merchant>",
    "paid_on": "<day>",
    "brand": "<brand>",
    "last4": "<last4>",
    "paid_for": "<account>",
}
_MARKS = re.compile("|".join(map(re.escape, map(str, BESIDES.values()))))
Broken = Iterator[tuple[str, str]]
"""A rule, and what was found instead."""


class Untrue(Exception):
    """`rule` is one of the above."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{what} (rule: {rule})")
        self.rule = rule


@dataclass(frozen=True)
class SeenCall:
    """A call when all is settled. `asked`: the amounts that the bank was asked for; `charged`: its books, by reference, and
    `reserved` what of them it only holds;
    `agreed`: the amounts that the caller consented to; `last_said`: the last turn. `agreed_words`: what was heard before each
    consent to something other than a charge; `agreements`: the wordings on record; by wording, `agreed_to_pay`: the amounts on
    record, and `owed_when_agreed`: what the bill owed when the caller agreed, where there is one. `asked_in_part`: by reference, the amounts
    of which the bank was told that it may approve less. `fees`: what was said of one in the amount that was agreed to, by the charge."""

    call: Call
    heard: Sequence[Phrase]
    last_said: Sequence[Phrase]
    hung_up: bool
    agreed: Sequence[Money]
    asked: Sequence[Money]
    charged: Mapping[str, Money]
    texts: Sequence[TextMessage]
    agreed_words: Sequence[str] = ()
    agreements: Sequence[str] = ()
    asked_in_part: Mapping[str, Money] = field(default_factory=dict)
    reserved: Mapping[str, Money] = field(default_factory=dict)
    fees: Mapping[str, Money] = field(default_factory=dict)
    agreed_to_pay: Mapping[str, Money] = field(default_factory=dict)
    owed_when_agreed: Mapping[str, Money] = field(default_factory=dict)

    def agreed_for(self, reference: str) -> Money:
        """What was charged, or the amount agreed to of which the bank may approve less."""
        charged, asked = self.charged[reference], self.asked_in_part.get(reference)
        return asked if asked is not None and charged.minor <= asked.minor else charged


@dataclass(frozen=True)
class KnownBooks:
    """What rules have to know of what is on record: the confirmation number of a reference, and, where the words of texts
    are known, whether a text says that something was charged. `words`: with them every text on a charge is read."""

    confirmation_number: Callable[[str], str]
    says_charged: Callable[[str], bool] | None = None
    words: Prompts | None = None


def consent(seen: SeenCall) -> Broken:
    if not seen.asked and not seen.charged:
        return
    for amount in _more_than_agreed(seen.asked, seen.agreed):
        yield "consent", f"{amount} was sent to the bank, and nobody agreed to it"
    for amount in _more_than_agreed([seen.agreed_for(one) for one in seen.charged], seen.agreed):
        yield "consent", f"{amount} was charged, and nobody agreed to it"


def agreement(seen: SeenCall) -> Broken:
    for wording in Counter(seen.agreements) - Counter(seen.agreed_words):
        yield "agreement", f"'{wording}' is on record, and nobody who had heard it agreed to it"
    for wording, amount in seen.agreed_to_pay.items():
        owed = seen.owed_when_agreed.get(wording)
        if owed is not None and amount.minor > owed.minor:
            yield "agreement", f"{amount} is on record as agreed to on a bill that owed {owed} then"


def bill(account: str, owed: Money, charged_minor: int, left_minor: int) -> Broken:
    charged = Money(charged_minor, owed.currency)
    if charged_minor > max(owed.minor, 0):
        yield "bill", f"{account} owed {owed}, and {charged} was charged"
    elif left_minor != owed.minor - charged_minor:
        yield "bill", f"{account} owed {owed}, {charged} was charged, {left_minor} is left"


def told(seen: SeenCall, books: KnownBooks) -> Broken:
    """What was said and texted: ending (a caller who hung up heard none), receipt, text."""
    if not seen.hung_up:
        yield from _ending(seen)
    yield from _receipts(seen, books)
    yield from _texts(seen, books)


def _more_than_agreed(amounts: Sequence[Money], agreed: Sequence[Money]) -> Iterator[str]:
    return iter(Counter(map(str, amounts)) - Counter(map(str, agreed)))


def _ending(seen: SeenCall) -> Broken:
    call, names = seen.call, {phrase.name for phrase in seen.last_said}
    said = sum(_minor(phrase) for phrase in seen.last_said if phrase.name in (*CHARGED, RESERVED))
    promised = names & {*PROMISES, *UNDO_PROMISES}
    if not said and not promised and NOT_CHARGED not in names:
        said = _by_receipt(seen)
    waiting = (*call.unsettled, *call.undoing, *call.held)
    unsettled = [call.intent_of(charge.attempt) for charge in waiting]
    later = sum(seen.charged[one].minor for one in unsettled if one in seen.charged)
    charged = sum(money.minor for money in seen.charged.values())
    if (NOT_CHARGED in names) == bool(promised or said):
        yield "ending", f"the last words were {', '.join(sorted(names))}; the bank charged {charged}"
    elif charged != said + later or bool(promised) != bool(unsettled):
        yield "ending", f"the caller was told of {said}, promised {sorted(promised)}; the bank charged {charged}"
    elif promised and promised.isdisjoint({PROMISES[not call.can_text], UNDO_PROMISES[not call.can_text]}):
        yield "ending", "a text was promised that nobody can send"
    elif RESERVED in names and not seen.reserved:
        yield "ending", "an amount was said to be reserved, and the bank has taken it"
    elif names & {*CHARGED} and seen.reserved.keys() >= seen.charged.keys():
        yield "ending", "an amount was said to be charged, and the bank only holds it"
    elif call.outcome != ("pending" if promised else _of_approved(seen) if said else "unpaid"):
        yield "ending", f"on record as {call.outcome}, but the caller heard {', '.join(sorted(names))}"


def _of_approved(seen: SeenCall) -> str:
    return "reserved" if seen.reserved.keys() >= seen.charged.keys() else "paid"


def _by_receipt(seen: SeenCall) -> int:
    """A caller who has just heard the receipt of the only charge is not told twice."""
    said = (phrase for phrase in seen.heard if phrase.name in (RECEIPT, RESERVATION))
    receipts = {dict(phrase.values).get("number"): _minor(phrase) for phrase in said}
    return sum(receipts.values()) if len(receipts) == 1 else 0


def _receipts(seen: SeenCall, books: KnownBooks) -> Broken:
    true = {
        (RESERVATION if one in seen.reserved else RECEIPT, books.confirmation_number(one), money.minor)
        for one, money in seen.charged.items()
    }
    for phrase in seen.heard:
        if phrase.name in (RECEIPT, RESERVATION):
            number = str(dict(phrase.values).get("number", ""))
            if (phrase.name, number, _minor(phrase)) not in true:
                yield "receipt", f"confirmation number {number} for {_minor(phrase)}, which was not charged"


def _texts(seen: SeenCall, books: KnownBooks) -> Broken:
    call, texts = seen.call, {text.id: text for text in seen.texts}
    if texts and not call.can_text:
        yield "text", "a text to nobody"
    if not texts and any(phrase.name == TEXT_PROMISED for phrase in seen.heard):
        yield "text", "a text that was promised never came"
    if missing := seen.charged.keys() - {call.intent_of(charge.attempt) for charge in call.charges}:
        yield "text", f"the call does not know that it charged {len(missing)} times, so nobody is told"
    for charge in call.charges:
        reference = call.intent_of(charge.attempt)
        result = texts.get(f"{reference}-result")
        if (result is not None) != (not charge.told and call.can_text):
            knows = "knows" if charge.told else "does not know"
            yield "text", f"the caller {knows} how the charge ended, and is {'' if result else 'not '}texted"
        elif result and books.says_charged and books.says_charged(result.body) != (reference in seen.charged):
            yield "text", "the text does not say what the bank does"
        for text in texts.values() if books.words else ():
            if text.id.startswith(f"{reference}-") and not _says(seen, books, reference, text):
                yield "text", f"the text {text.id.rpartition('-')[2]} does not say what the bank's books say"


def _says(seen: SeenCall, books: KnownBooks, reference: str, text: TextMessage) -> bool:
    """Whether a text on this charge says what the bank's books say: in the words of its prompt, with the amount and the
    number in their places. Merchant, day, card and account are in no book of the bank's: any will do there."""
    assert books.words is not None
    template, language = text.id.removeprefix(f"{reference}-"), seen.call.language
    charged = seen.charged.get(reference)
    charge = next(one for one in seen.call.charges if seen.call.intent_of(one.attempt) == reference)
    if template == "result" or template.startswith("result_again"):
        nothing = "result_not_reserved" if charge.reserves else "result_unpaid"
        template = "result_reserved" if reference in seen.reserved else "result_paid" if charged else nothing
    number = books.confirmation_number(reference)
    values: dict[str, Value] = {"amount": charged or charge.amount, "number": number, "confirmation_number": number}
    name, fee = f"{template}_sms", seen.fees.get(reference)
    if fee is not None:
        amount = charged or charge.amount
        values |= {"card_fee": fee, "before_fee": Money(amount.minor - fee.minor, amount.currency)}
        name = books.words.wording(Phrase(name, language, endings=endings("", fee=True)))
    if books.words.spoken(language, name) - values.keys() - BESIDES.keys():
        return True
    words = books.words.words(Phrase(name, language, (*values.items(), *BESIDES.items())))
    return _is_like(words, text.body)


def _is_like(words: str, text: str) -> bool:
    """Whether the text is these words, with something in place of each mark of `BESIDES`."""
    first, *parts = _MARKS.split(words)
    if not parts:
        return text == words
    end = len(first) if text.startswith(first) else len(text)
    for part in parts[:-1]:
        begin = text.find(part, end + 1)
        if begin < 0:
            return False
        end = begin + len(part)
    return end < len(text) - len(parts[-1]) and text.endswith(parts[-1])


def _minor(phrase: Phrase) -> int:
    amount = dict(phrase.values).get("amount")
    return amount.minor if isinstance(amount, Money) else 0
