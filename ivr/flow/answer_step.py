"""What the kinds have in common that ask for an answer of a name: it is read back where the flow wants it, and looked up."""

from collections.abc import Iterator
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import WithJsonSchema, model_validator

from ivr.core.brands import LONGEST_PAN, SHORTEST_PAN
from ivr.core.call import Payable
from ivr.core.entry import Reading
from ivr.core.events import Event, KeysEntered, LookedUp, LookUpFailed, LookUpProblem
from ivr.core.money import Money
from ivr.core.moves import ERROR, LIMIT
from ivr.flow.declared import short
from ivr.flow.keeping import SHORTEST_SECOND_ANSWER
from ivr.flow.parts import (
    KNOWN_BY_SHORT,
    KNOWN_BY_TWO,
    Drawn,
    Facts,
    Finding,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
    in_words,
    without_set,
)
from ivr.flow.schema import RETRY
from ivr.flow.step import Step
from ivr.flow.talk import look_ups, open_bills
from ivr.flow.talk.amounts import forget_computed, is_in_another_currency
from ivr.flow.talk.entries import ask_to_confirm, edited, hear_confirmation, hear_keys, span_of
from ivr.flow.talk.turn import AGREED_AMOUNT, End, GoTo, Leave, Listen, Reply, Turn, no_match
from ivr.reading.card_names import card_meaning
from ivr.reading.problems import did_you_mean
from ivr.reading.rules import advice, values, ways
from ivr.reading.rules.values import WRONG_VALUE
from ivr.reading.scalars import OPEN_BILLS, Length, LookupName, PlainField, Target, WrongValue

SECURITY_CODE_LENGTHS = (3, 4)
OtherThanMoney = WithJsonSchema({"type": "string", "maxLength": 60, "pattern": r"^(?!money$)[a-z][a-z0-9_]*$"})


def _sounds_like_card(name: str) -> tuple[str, str]:
    """Message and cure."""
    if "pin" in name or "nip" in name:
        cure = "one of your own contract is declared among what a look-up 'takes'"
        return f"'{name}' sounds like a card's PIN, which must never be asked for", cure
    message = f"'{name}' sounds like a payment card, whose number is never an answer"
    return message, "a card is asked for by a 'collect' step"


def answer_fact(name: str) -> str:
    """That this has been asked for; values that look-ups give are facts by their own names."""
    return f"answer {name}"


# The fact that the account is one that a look-up has found, and not what somebody only keyed in.
FOUND = "an account that was found"


def long_answer_fact(name: str) -> str:
    """That it was asked for, and is too long to be guessed."""
    return f"long answer {name}"


class AnswerStep(Step):
    """A step that asks for an answer of digits, however they are keyed in."""

    word = "ask"
    outcomes = frozenset({"ok", "gave_up"})
    optional_outcomes = frozenset({"cancelled"})
    phases: ClassVar[Phases] = {"entry": "asks", "confirm": "asks", "lookup": "looks_up"}
    leads: ClassVar[Leads] = {"entry": ("confirm", "lookup"), "confirm": ("entry", "lookup"), "lookup": ("entry",)}
    speaks: ClassVar[Values] = {
        **look_ups.PROMPTS,
        **dict.fromkeys(look_ups.LOCKED.values(), frozenset[str]()),
        "nothing_due": frozenset({"due", "min"}),
    }

    ask: Annotated[PlainField, OtherThanMoney]
    """What the answer is called, such as account_number."""
    length: Length | None = None
    """How many digits: 8, or 8..10. A fixed length ends by itself."""
    lookup: LookupName | None = None
    """Where the answer is looked up: billing.find_bill gives bill.due and bill.min."""
    confirm: Literal["always"] | None = None
    """Read the answer back and ask."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @model_validator(mode="before")
    @classmethod
    def is_no_amount(cls, written: Any) -> Any:
        if isinstance(written, dict) and written.get("between"):
            raise WrongValue(WRONG_VALUE, "only an amount is between two others", "between")
        return written

    @model_validator(mode="after")
    def has_length(self) -> "AnswerStep":
        if not self.length:
            raise WrongValue(WRONG_VALUE, "digits need a length, such as 8..10", "ask")
        return self

    @classmethod
    def answer_written(cls, body: Any) -> str:
        return body["ask"] if isinstance(body.get("ask"), str) else ""

    @classmethod
    def offered_outcomes(cls) -> frozenset[str]:
        return super().offered_outcomes() | {"found", "not_found"}

    def required(self) -> frozenset[str]:
        return frozenset({"found", "not_found", "gave_up"}) if self.lookup else self.outcomes

    def says(self) -> Iterator[Said]:
        yield Said(("ask",), f"enter_{self.ask}")
        yield Said(("ask",), f"no_match_{self.ask}")
        if self.lookup:
            yield Said(("lookup",), f"not_found_{self.ask}")
            yield from (Said(("lookup",), name) for name in look_ups.PROMPTS)
            yield from (Said(("lookup",), name) for name in look_ups.LOCKED.values() if self.counts_guesses)
        if self._is_read_back:
            confirm = ("confirm",) if self.confirm else ("ask",)
            yield Said(confirm, f"confirm_{self.ask}", frozenset({"value", self.ask}))

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        for key in self._takes:
            if key != self.ask:
                message = f"there is a way to '{name}' on which '{key}' has not been asked for"
                cure = f"let 'ask: {key}' come before: the look-up takes it"
                yield Need(answer_fact(key), ways.KEY_NOT_ASKED, message, cure, ("lookup",))

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """Another account's bill is another amount. The other answers are forgotten once the look-up has used them."""
        facts = facts - {FOUND} if self.lookup or self.ask in self.declared.keys else facts
        if outcome == "found":
            gone = {"amount", "confirmed", KNOWN_BY_TWO, KNOWN_BY_SHORT, open_bills.ONE_SUM}
            gone |= {fact(key) for key in self._takes[1:] for fact in (answer_fact, long_answer_fact)}
            known = ((without_set(facts) | self._gives) - gone) | self._how_known(facts) | {FOUND}
            return known - {open_bills.CHOSEN} if self.lookup == OPEN_BILLS else known | {open_bills.CHOSEN}
        if outcome == "not_found" and self.then.get("not_found") != RETRY:
            return facts - {answer_fact(key) for key in self._takes}
        if outcome != "ok" or self.ask not in self.declared.keys:
            return facts
        return (facts - {long_answer_fact(self.ask)}) | {answer_fact(self.ask)} | self._long_answer

    def _how_known(self, facts: Facts) -> set[str]:
        """By more than its own number, and whether one of the further answers is too long to be guessed."""
        if not self.counts_guesses or self.lookup == OPEN_BILLS:
            return set()
        facts = facts - {long_answer_fact(self.ask)} | self._long_answer
        is_long = any(long_answer_fact(key) in facts for key in self._takes[1:])
        return {KNOWN_BY_TWO} if is_long else {KNOWN_BY_TWO, KNOWN_BY_SHORT}

    @property
    def _long_answer(self) -> frozenset[str]:
        is_long = self._shortest_answer >= SHORTEST_SECOND_ANSWER
        return frozenset({long_answer_fact(self.ask)}) if is_long else frozenset()

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        if outcome == "found":
            told = frozenset[str]() if self.lookup == OPEN_BILLS else short(self._gives)
            return ((without_set(known) - {"amount"}) | told | {self.ask}) - frozenset(self._takes[1:])
        if outcome == "not_found":
            gone = {self.ask} if self.then.get("not_found") == RETRY else {self.ask, *self._takes}
            return known - gone
        return known | {self.ask} if outcome == "ok" else known

    @cached_property
    def _takes(self) -> tuple[str, ...]:
        """What the look-up is asked with; without a declaration it is the one answer."""
        return (self.declared.takes(self.lookup) or (self.ask,)) if self.lookup else ()

    @property
    def _gives(self) -> frozenset[str]:
        """Of several bills, that there are some: what each of them owes is known once it is chosen."""
        if self.lookup == OPEN_BILLS:
            return frozenset({open_bills.FACT})
        return self.declared.gives(self.lookup) if self.lookup else frozenset()

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        shortest, longest = self._key_counts
        if longest >= SHORTEST_PAN and shortest <= LONGEST_PAN:
            message = f"'{self.ask}' is as long as a card number: an answer that could be one is dropped"
            yield Finding(advice.LONG_AS_CARD, (self._length_key,), message, "a card is asked for by a 'collect' step")
        is_as_long = shortest <= SECURITY_CODE_LENGTHS[1] and longest >= SECURITY_CODE_LENGTHS[0]
        if is_as_long and known is not None and "last4" in known:
            may_be = (
                "may be as long"
                if shortest < SECURITY_CODE_LENGTHS[0] or longest > SECURITY_CODE_LENGTHS[1]
                else "as long"
            )
            message = f"'{self.ask}' is asked after a card and {may_be} as its security code"
            cure = "a security code is asked for by a 'collect' step, which seals it"
            yield Finding(advice.LONG_AS_CODE, (self._length_key,), message, cure)
        if card_meaning(self.ask) == "maybe" and self.ask not in self.declared.keys:
            yield Finding(advice.SOUNDS_LIKE_CARD, ("ask",), *_sounds_like_card(self.ask))
        if self.lookup and self.ask not in self._takes:
            message = f"'{self.lookup}' is not asked with '{self.ask}', but with {' and '.join(self._takes)}"
            yield Finding(values.NOT_A_KEY, ("lookup",), message, did_you_mean(self.ask, self._takes))

    @property
    def looks_up_bills(self) -> bool:
        return self.lookup is not None

    @property
    def counts_guesses(self) -> bool:
        return len(self._takes) > 1

    def drawn(self) -> Drawn:
        return Drawn("talk", f"ask {in_words(self.ask)}")

    # ---- what an entry is; letters are other keys than they say

    @property
    def _key_counts(self) -> tuple[int, int]:
        """How many keys an entry may have."""
        return self.length or (1, 1)

    @property
    def _shortest_answer(self) -> int:
        """In digits or letters."""
        return self._key_counts[0]

    @property
    def _length_key(self) -> str:
        """The key of the flow that says so."""
        return "length"

    @property
    def _is_read_back(self) -> bool:
        return self.confirm is not None

    def _answer_of(self, keys: str) -> str | None:
        """What is keyed in; None where it is no answer."""
        shortest, longest = self._key_counts
        return keys if shortest <= len(keys) <= longest and keys.isdecimal() else None

    def answer_can_be(self, text: str, *, only_begins: bool = False) -> bool:
        shortest, longest = self._key_counts
        return text.isdecimal() and len(text) <= longest and (only_begins or len(text) >= shortest)

    # ---- in a call

    @property
    def answer(self) -> str:
        return self.ask

    def typed(self, answer: str) -> str:
        keys = super().typed(answer)
        return keys if self._answer_of(keys) is not None else ""

    def some_answer(self, number: int) -> str:
        return self.said_by(self.stand_in(self._key_counts[1], number))

    def keyed(self, phase: str) -> Keyed:
        return "number" if phase == "entry" else "key"

    def takes(self, turn: Turn, key: str) -> bool:
        return turn.call.phase == "entry" and self._key_counts[0] <= 1

    def put(self, turn: Turn) -> Reply:
        if turn.call.phase == "confirm":
            return self._ask_to_confirm(turn), Listen()
        rules = turn.rules(*self._key_counts, is_plain=True)
        return turn.say(f"enter_{self.ask}").collect(self.ask, rules), Listen()

    def hear(self, turn: Turn, event: Event) -> Reply:
        if turn.call.phase == "lookup":
            return self._hear_look_up(turn, event)
        return hear_keys(turn, event, self._hear_keys)

    def _hear_keys(self, turn: Turn, event: KeysEntered) -> Reply:
        if turn.call.phase == "confirm":
            return hear_confirmation(turn, event, self._accept)
        span = span_of(turn, event, *self._key_counts)
        if (reply := edited(turn, span.reading)) is not None:
            return reply
        answer = self._answer_of(event.keys.text()[span.start : span.end])
        if span.reading is Reading.OPEN or answer is None:
            return no_match(turn, f"no_match_{self.ask}")
        turn = turn.remember(**{self.ask: answer})
        return (self._ask_to_confirm(turn), Listen()) if self._is_read_back else self._accept(turn)

    def _ask_to_confirm(self, turn: Turn) -> Turn:
        return ask_to_confirm(turn, self.ask, turn.call.values[self.ask])

    def _accept(self, turn: Turn) -> Reply:
        if self.lookup is None:
            return turn, Leave("ok")
        if self.counts_guesses and look_ups.is_out_of_guesses(turn):
            return self._gave_up(turn)
        if lost := next((key for key in self._takes if key not in turn.call.values), None):
            # Dropped with a card number that it may have been a part of: it is asked for again.
            return turn, GoTo(next(name for name, step in turn.flow.steps.items() if step.answer == lost))
        return look_ups.begin(turn, self.lookup, str(turn.call.values[self._takes[0]]))

    # ---- the look-up

    def _hear_look_up(self, turn: Turn, event: Event) -> Reply:
        answer = look_ups.answer_to(turn, event)
        if answer is None:
            return look_ups.ask_again(turn)
        if isinstance(answer, LookUpFailed):
            return self._hear_failure(turn, answer.problem)
        return self._hear_answer(turn, answer)

    def _hear_failure(self, turn: Turn, problem: LookUpProblem) -> Reply:
        """A billing system that does not answer ends the call; what cannot be paid here may have been the wrong number."""
        if problem == "not_payable":
            return self._not_found(turn, "bill_not_payable", told=True)
        if problem in look_ups.LOCKED:
            locked = turn.went(LIMIT).forget(self.ask, *self._takes).change(looking_up=None)
            return locked.say(look_ups.LOCKED[problem]), End()
        return turn.went(ERROR).forget(self.ask).change(looking_up=None).say("bill_not_reached"), End()

    def _not_found(self, turn: Turn, prompt: str, *, told: bool = False) -> Reply:
        """What is no account may be the beginning of a card number: it is not kept. `told`: say it wherever it leads.
        Of several answers nobody is told which was wrong, and all of them may be asked for again."""
        turn = turn.change(phase="entry", looking_up=None).forget(self.ask)
        if self.counts_guesses:
            turn, told = turn.change(guesses=turn.call.guesses + 1), True
            if look_ups.is_out_of_guesses(turn):
                return self._gave_up(turn.say(prompt))
        if turn.flow.follow(turn.call.step, "not_found") == turn.call.step:
            return no_match(turn.went("not_found"), prompt, is_told_last=True)
        return turn.say(prompt).forget(*self._takes) if told else turn, Leave("not_found")

    def _gave_up(self, turn: Turn) -> Reply:
        return turn.forget(*self._takes), Leave("gave_up")

    def _hear_answer(self, turn: Turn, event: LookedUp) -> Reply:
        if not event.found:
            return self._not_found(turn, f"not_found_{self.ask}")
        if is_in_another_currency(turn.flow, event):
            return self._hear_failure(turn, "not_payable")
        looked_up, turn = turn.call.looking_up, turn.change(phase="entry", looking_up=None)
        if self.lookup == OPEN_BILLS:
            return self._list(turn, event)
        due = event.values.get("bill.due")
        if not isinstance(due, Money) or looked_up is None:
            raise TypeError("a bill that was found says what is due")
        # Another bill is another amount, and knows of no list; what else was asked for has done its work.
        turn = forget_computed(turn.forget("amount", "money", AGREED_AMOUNT, *self._takes[1:]))
        turn = turn.change(
            values={**turn.call.values, **event.values}, payable=Payable(*looked_up, due), bills=(), owed_at=turn.at
        )
        return (turn.say("nothing_due"), End()) if due.minor <= 0 else (turn, Leave("found"))

    def _list(self, turn: Turn, event: LookedUp) -> Reply:
        """What was known of another customer's bill is not known any more."""
        turn = turn.forget("amount", "money", AGREED_AMOUNT, *self._takes[1:], *self.declared.types)
        turn = turn.change(payable=None, bills=event.bills, owed_at=turn.at)
        return (turn, Leave("found")) if event.bills else (turn.say("nothing_due"), End())
