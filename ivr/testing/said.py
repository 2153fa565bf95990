"""What a prompt says, held against what was so at that moment: the bill in billing, the card that was keyed in, the amounts
that were chosen, and the bank's last words. Only values that the prompt's words speak are looked at.

    due      `nothing_due` and `due_changed` say what is due now; every other prompt what was due during the call
    bounds   the amounts between which one may be chosen keep to the bill's least, to what is due and to the flow's largest
    card     brand and last four are those of the card that was keyed in
    amount   what is read back is an amount that the caller keyed in, or what was due, or its least
    fee      a consent to a charge says the fee that the flow's text gives for that card and that amount, within what is charged
    bank     a result is said after the bank's word only, and a refusal as often as there was one
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ivr.core.actions import Phrase
from ivr.core.events import Value
from ivr.core.money import Money
from ivr.store import Bill

IN_DOUBT = frozenset({"unknown", "not_found"})  # the bank has not said its last word
BOUNDS = frozenset({"enter_money", "no_match_money"})
CHARGING = frozenset({"confirm_card", "confirm_all_bills"})
READ_BACK = CHARGING | {"confirm_money", "confirm_kept_card", "confirm_reservation"}
DUE_NOW = frozenset({"nothing_due", "due_changed"})
RESULTS = frozenset(
    {
        *("payment_went_through", "card_declined", "bank_did_not_answer", "bank_not_reached", "you_were_not_charged"),
        *("reservation_went_through", "reservation_declined", "reservation_not_reached"),
    }
)
NAMED = BOUNDS | READ_BACK | DUE_NOW | RESULTS
SPOKEN = frozenset({"due", "brand", "last4"})  # by whichever prompt

Slots = Callable[[str, str], Collection[str]]
"""The values that a prompt speaks, by language and name."""


@dataclass(frozen=True)
class KeyedCard:
    """All that is kept of a card that was keyed in."""

    brand: str
    last4: str


@dataclass(frozen=True)
class Moment:
    """`bill`: as billing has it, and None where no bill was looked up; `dues` and `leasts`: what it was during the call, in
    minor units; `least_is_kept`: the flow lets nobody key in less; `by_text`: amounts that its own text gives, which may be. `card` is None where it is not clear what was keyed in.
    `words`: the bank's last word, by reference; `unsent`: charges that were begun and never reached it."""

    most: Money
    bill: Bill | None = None
    dues: Collection[int] = ()
    leasts: Collection[int] = ()
    least_is_kept: bool = False
    card: KeyedCard | None = None
    keyed: Collection[int] = ()
    by_text: Collection[int] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    unsent: int = 0
    fee_of: Callable[[str, int], int] = lambda brand, minor: 0  # what a card costs on top of an amount, in minor units


def untrue(phrase: Phrase, slots: Slots, now: Moment, heard: Counter[str]) -> Iterator[str]:
    """`heard`: how often each prompt has been heard in the call, this one included."""
    spoken = slots(phrase.language, phrase.name)
    values = {name: value for name, value in phrase.values if name in spoken}
    yield from _due(phrase.name, values, now)
    if not heard["confirm_kept_card"]:  # from then on it may be that one, which was keyed in in another call
        yield from _card(phrase.name, values, now)
    if phrase.name in BOUNDS:
        yield from _bounds(phrase.name, values, now)
    if phrase.name in READ_BACK:
        yield from _read_back(phrase.name, values, now)
    if phrase.name in RESULTS:
        yield from _result(phrase.name, now, heard)


def says_something(phrase: Phrase, slots: Slots) -> bool:
    """Whether there is anything in it that can be untrue: in most there is not."""
    return phrase.name in NAMED or not SPOKEN.isdisjoint(slots(phrase.language, phrase.name))


def _due(name: str, values: Mapping[str, Value], now: Moment) -> Iterator[str]:
    due = values.get("due")
    if now.bill is None:
        return
    if name == "nothing_due" and now.bill.due.minor > 0:
        yield f"{name} was said, and {now.bill.due} is due"
    elif name in DUE_NOW and isinstance(due, Money) and due != now.bill.due:
        yield f"{name} said {due}, and {now.bill.due} is due"
    elif isinstance(due, Money) and due.minor not in now.dues:
        yield f"{name} said that {due} is due, which it never was"


def _card(name: str, values: Mapping[str, Value], now: Moment) -> Iterator[str]:
    for part, keyed in (("brand", now.card.brand), ("last4", now.card.last4)) if now.card else ():
        if part in values and values[part] != keyed:
            yield f"{name} named {part} {values[part]}, and a card with {keyed} was keyed in"


def _bounds(name: str, values: Mapping[str, Value], now: Moment) -> Iterator[str]:
    low, high = values.get("min"), values.get("max")
    if isinstance(high, Money) and (high.minor > now.most.minor or (now.dues and high.minor > max(now.dues))):
        yield f"{name} let the caller choose up to {high}"
    if isinstance(low, Money) and low.minor < _least(now):
        yield f"{name} let the caller choose {low}, less than the bill's least amount"


def _read_back(name: str, values: Mapping[str, Value], now: Moment) -> Iterator[str]:
    amount, on_offer = values.get("amount"), {*now.dues, *now.leasts}
    if not isinstance(amount, Money):
        return
    if name in CHARGING:
        fee = values.get("card_fee")
        said = fee.minor if isinstance(fee, Money) else 0
        amount = Money(amount.minor - said, amount.currency)
        if said != (asked := now.fee_of(str(values.get("brand")), amount.minor)):
            yield f"{name} said a fee of {said} for {amount}, and the flow asks for {asked}"
    if amount.minor not in {*now.keyed, *on_offer}:
        yield f"{name} said {amount}, which nobody chose"
    elif amount.minor > now.most.minor:
        yield f"{name} said {amount}, more than the flow takes"
    elif amount.minor not in {*on_offer, *now.by_text} and amount.minor < _least(now):
        yield f"{name} said {amount}, less than the bill's least amount"


def _least(now: Moment) -> int:
    return min(*now.leasts, now.most.minor) if now.least_is_kept and now.leasts else 0


def _result(name: str, now: Moment, heard: Counter[str]) -> Iterator[str]:
    words = Counter(now.words.values())
    if name in ("payment_went_through", "reservation_went_through") and not words["approved"]:
        yield f"{name} was said, and the bank had approved nothing"
    if name in ("card_declined", "reservation_declined") and heard[name] > words["declined"]:
        yield f"{name} was said {heard[name]} times, and the bank had declined {words['declined']}"
    if name == "bank_did_not_answer" and heard[name] > words["reversed"]:
        yield f"{name} was said {heard[name]} times, and the bank had taken back {words['reversed']}"
    if name in ("bank_not_reached", "reservation_not_reached") and heard[name] > now.unsent:
        yield f"{name} was said {heard[name]} times, and {now.unsent} charges did not reach it"
    if name == "you_were_not_charged" and (words["approved"] or any(words[one] for one in IN_DOUBT)):
        yield f"{name} was said, and the bank's words were {sorted(words)}"
