"""Goes with one caller of a walk: notes what was keyed in, agreed to and so at each turn, and what was said untruly.

Of a card only brand and last four are kept. What keys mean is worked out here, not taken from the call.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ivr.core.actions import Phrase
from ivr.core.brands import LONGEST_PAN, SHORTEST_PAN, brand_of, passes_luhn
from ivr.core.call import OPEN, Call
from ivr.core.money import Money
from ivr.flow.schema import Limits
from ivr.store import Bill
from ivr.testing.bench import Bench
from ivr.testing.explore.amounts import FlowAmounts
from ivr.testing.said import IN_DOUBT, KeyedCard, Moment, Slots, says_something, untrue

NUMBER = re.compile(r"([0-9]+)#?")
LONGEST_AMOUNT = 7
ONE_KEY = frozenset({"menu", "confirm", "cancel", "language", "repeat"})
COUNTED = IN_DOUBT | {"declined", "reversed"}
EDGE_S = 60  # the product counts from the charge's beginning, a little after consent


@dataclass(frozen=True)
class Consent:
    """What limits count it by; `failed`: whichever had as many failed attempts as its limit allows when it was given."""

    reference: str
    amount: Money
    under: Mapping[str, object]
    at: datetime
    failed: Sequence[str]
    fee: Money | None = None


@dataclass
class Witness:
    """`consents` are those of all callers of the walk, `agreed_words` what this one agreed to besides charges. `broken`: rules, and what was found instead."""

    bench: Bench
    call_id: str
    ani: str
    consents: list[Consent]
    amounts: FlowAmounts
    agreed_words: list[str] = field(default_factory=list)
    owed_when_agreed: dict[str, Money] = field(default_factory=dict)  # by the same words, the most that the bill owed
    broken: list[tuple[str, str]] = field(default_factory=list)
    _card: KeyedCard | None = None
    _keyed: set[int] = field(default_factory=set, repr=False)
    _last_keys: str = field(default="", repr=False)
    _dues: set[int] = field(default_factory=set)
    _leasts: set[int] = field(default_factory=set)
    _heard: Counter[str] = field(default_factory=Counter)

    @property
    def call(self) -> Call:
        stored = self.bench.workbench.store.load_call(self.call_id)
        assert stored is not None
        return stored.call

    # ---- keys

    def keys(self, asks: str, keys: str) -> None:
        """Before they are pressed; `asks` is empty where the line holds."""
        number = NUMBER.fullmatch(keys)
        if asks == "card_number":
            self._card = _card(number[1]) if number else None
        elif asks == "money" and number and len(number[1]) <= LONGEST_AMOUNT and not self._last_keys:
            self._keyed.add(int(number[1]))
        elif not number or not asks or (asks in ONE_KEY and len(number[1]) > 1):
            # Keys may be taken by a later question: every piece of them may be an amount.
            self._keyed.update(_pieces(self._last_keys + keys))
        self._last_keys = keys if not asks else ""

    def consent(self, amount: Money, fee: Money | None = None) -> None:
        """Before the key is pressed that gives it. `fee`: what was said of one in the amount."""
        call, now = self.call, self.bench.workbench.clock()
        under: dict[str, object] = {"call": call.id, "caller": "", "line": ""}
        under["line" if self.ani == "anonymous" else "caller"] = self.ani
        under["card"] = self._card
        under["account"] = self._keys_of_payable(call)
        self.consents.append(Consent(call.intent, amount, under, now, self._reached(under, now), fee))

    def agree(self, phrase: Phrase) -> None:
        """Before the key is pressed that agrees to what this phrase says."""
        words, bill = self.bench.workbench.prompts.words(phrase), self._payable_now(self.call)
        self.agreed_words.append(words)
        if bill is not None:
            most = max(bill.due.minor, self.owed_when_agreed.get(words, bill.due).minor)
            self.owed_when_agreed[words] = Money(most, bill.due.currency)

    def _reached(self, under: Mapping[str, object], now: datetime) -> list[str]:
        limits = self.bench.workbench.runner.flows[self.call.flow].head.limits
        words = self.bench.bank.words
        failed = [one for one in self.consents if words.get(one.reference) in COUNTED]
        reached = []
        for what, (count, window_s) in _counts(limits).items():
            since = now - timedelta(seconds=window_s - EDGE_S)
            recent = [one for one in failed if one.at > since]
            if any(
                len({one.reference for one in recent if key in _each(one.under[what])}) >= count
                for key in _each(under[what])
            ):
                reached.append(f"attempts_per_{what}")
        return reached

    # ---- what was said

    def heard(self, phrases: Sequence[Phrase]) -> None:
        """Those of one act: the bank does nothing in between."""
        if not phrases:
            return
        bill, now = self._present_bill(), None
        for phrase in phrases:
            self._heard[phrase.name] += 1
            slots = self._slots_of(phrase)
            if says_something(phrase, slots):
                now = now or self._moment(bill)
                self.broken += [("said", what) for what in untrue(phrase, slots, now, self._heard)]

    def _slots_of(self, phrase: Phrase) -> Slots:
        """Of the words that are said: other wordings may speak other values, such as a fee."""
        prompts = self.bench.workbench.prompts
        wording = prompts.wording(phrase)
        return prompts.spoken if wording == phrase.name else lambda language, _name: prompts.spoken(language, wording)

    def _present_bill(self) -> Bill | None:
        """As billing has it now; what is due, and could be chosen, is remembered as so during the call."""
        call, store = self.call, self.bench.workbench.store
        bill = self._payable_now(call)
        if bill is not None:
            charged = self.bench.bank.charged
            own = sum(charged[one].minor for one in self._words if one in charged) if charged else 0
            self._dues |= {bill.due.minor} | {max(due - own, 0) for due in self._dues}
            self._leasts.add(bill.minimum.minor)
        if call.bills:
            listed = [one for one in (store.find_bill(one.key) for one in call.bills) if one]
            # Each of them, and all that the call may pay in one sum.
            in_doubt = {key for charge in call.unsettled for key in (charge.payable, *charge.bills)}
            self._dues |= {one.due.minor for one in listed}
            self._dues.add(sum(one.due.minor for one in listed if one.account not in in_doubt))
        return bill

    def _moment(self, bill: Bill | None) -> Moment:
        call, store, words = self.call, self.bench.workbench.store, self._words
        by_text = self.amounts.fixed | self.amounts.computed(self._dues, self._leasts, call.values, self._keyed)
        return Moment(
            self.amounts.flow.head.limits.max_amount,
            bill,
            self._dues,
            self._leasts,
            self.amounts.least_is_kept,
            self._card,
            self._keyed | by_text,
            by_text,
            words,
            sum(one.intent.reference not in self.bench.bank.requests for one in store.payments_of(call.id)),
            lambda brand, minor: self.amounts.fee(call.step, brand, minor),
        )

    def _payable_now(self, call: Call) -> Bill | None:
        """As billing has it; of several bills in one sum all of them together, which nobody may pay a part of."""
        if call.payable is None or not call.payable.parts:
            return self.bench.workbench.store.find_bill(call.payable.key) if call.payable else None
        bills = [self.bench.workbench.store.find_bill(part.key) for part in call.payable.parts]
        due = Money(sum(bill.due.minor for bill in bills if bill), call.payable.owed.currency)
        return Bill(call.payable.key, due, due)

    @staticmethod
    def _keys_of_payable(call: Call) -> tuple[str, ...]:
        return tuple(part.key for part in call.payable.parts or (call.payable,)) if call.payable else ()

    @property
    def _words(self) -> dict[str, str]:
        words = self.bench.bank.words
        return {one: word for one, word in words.items() if one.rpartition("-")[0] == self.call_id}

    def hung_up(self) -> None:
        """What is on record then is what the bank had said by then."""
        words, payments = self._words, self.bench.workbench.store.payments_of(self.call_id)
        unasked = [one for one in payments if words.get(one.intent.reference, "not_sent") == "not_sent"]
        is_held = self._has_parts_open and "approved" in words.values()
        is_open = (
            is_held or any(word in IN_DOUBT for word in words.values()) or any(one.status in OPEN for one in unasked)
        )
        approved = {one for one, word in words.items() if word == "approved"}
        kept = "reserved" if approved <= self.bench.bank.reserved.keys() else "paid"
        true = "pending" if is_open else kept if approved else "unpaid"
        if self.call.outcome != true:
            self.broken.append(("ending", f"hung up, and on record as {self.call.outcome}: it was {true}"))

    @property
    def _has_parts_open(self) -> bool:
        """Whether parts of an all-or-nothing bill count for nothing yet: what is due on it does not show them."""
        call, split = self.call, self.amounts.flow.head.split
        bill = self.bench.workbench.store.find_bill(call.payable.key) if call.payable else None
        return split is not None and split.rest_unpaid == "take_back" and bill is not None and bill.due.minor > 0

    # ---- when all is settled

    def found(self) -> Iterator[tuple[str, str]]:
        """Every rule that only a witness can hold."""
        yield from self.broken
        for one in self.consents:
            if one.failed and one.reference in self.bench.bank.requests and one.under["call"] == self.call_id:
                yield "limit", f"{one.amount} was sent to the bank over {', '.join(one.failed)}"
        call = self.call
        for attempt in range(1, call.attempt + 1):
            if self.bench.workbench.store.is_staged(call.intent_of(attempt)):
                yield "sealed", f"the card of attempt {attempt} is still sealed when all is settled"


def _each(counted: object) -> tuple[object, ...]:
    """What an attempt counts for: nothing where that is not known, and each bill where several are paid in one sum."""
    return counted if isinstance(counted, tuple) else (counted,) if counted else ()


def _card(digits: str) -> KeyedCard | None:
    brand = brand_of(digits.encode())
    is_whole = SHORTEST_PAN <= len(digits) <= LONGEST_PAN and passes_luhn(digits.encode())
    return KeyedCard(brand.name, digits[-4:]) if brand and is_whole else None


def _pieces(keys: str) -> Iterator[int]:
    for run in re.findall("[0-9]+", keys):
        for start in range(len(run)):
            for length in range(1, LONGEST_AMOUNT + 1):
                yield int(run[start : start + length])


def _counts(limits: Limits) -> dict[str, tuple[int, int]]:
    rates = {
        "caller": limits.attempts_per_caller,
        "card": limits.attempts_per_card,
        "account": limits.attempts_per_account,
        "line": limits.attempts_per_line,
    }
    return {"call": (limits.attempts_per_call, 24 * 3600)} | {
        what: (rate.count, rate.window_s) for what, rate in rates.items()
    }
