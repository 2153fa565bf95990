"""One turn of a call: the call as it will be, what is said and done, and what a step wants next."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, Protocol

from ivr.core.actions import Action, Collect, ForgetCard, Phrase, Speak
from ivr.core.brands import Ending
from ivr.core.call import Call, Charge
from ivr.core.entry import EntryRules, Reading, read_after_timeout
from ivr.core.events import OPTIONAL_FIELDS, CardField, Event, KeysEntered, Value
from ivr.core.fixed_keys import ACCEPT_KEY as ACCEPT_KEY
from ivr.core.fixed_keys import REFUSE_KEY as REFUSE_KEY
from ivr.core.moves import left
from ivr.flow.parts import Hears, Keyed, Moment, Phases
from ivr.flow.schema import SLOW_MODE_FACTOR, FlowHead
from ivr.flow.talk.card_fees import BEFORE_FEE, CARD_FEE, has_fee, said_of_fee
from ivr.words.wordings import endings

# What is said to a caller who cannot be texted in place of a promise to do so.
WITHOUT_TEXTS = {
    "we_will_text_the_result": "call_again_for_the_result",
    "we_will_text_once_undone": "call_again_once_undone",
}

# How often a question is put again for a caller who asks for it, or for more time: at least ten times (WCAG 2.2.1).
MOST_ASIDES = 20
# Between the warning that time runs out and its end (WCAG 2.2.1).
LEAST_WARNING_S = 20
# Between two answers, before each further clear key costs a try.
FREE_CLEARS = 5

# Of what the caller agreed to last, where no charge was approved since: what prompts after it say.
AGREED_AMOUNT = "agreed_amount"

# The phases that a call is in at no step of its flow, or above it; the others are declared by the kinds of steps.
ENGINE_PHASES: Mapping[str, Moment] = {"language": "asks", "cancel": "asks", "over": "over"}


class StepInTurn(Protocol):
    """A step as a turn sees it; `flow.step.Step` says what each part is."""

    phases: ClassVar[Phases]
    hears: ClassVar[Hears]

    @property
    def answer(self) -> str: ...

    @property
    def offers_bills(self) -> bool: ...

    @property
    def takes_parts_back(self) -> bool: ...

    def keyed(self, phase: str) -> Keyed: ...

    def takes(self, turn: "Turn", key: str) -> bool: ...

    def card_field(self, turn: "Turn") -> tuple[CardField, EntryRules] | None: ...

    def enter(self, turn: "Turn") -> "Reply": ...

    def put(self, turn: "Turn") -> "Reply": ...

    def put_again(self, turn: "Turn") -> "Reply": ...

    def say_again(self, turn: "Turn") -> "Reply": ...

    def hear(self, turn: "Turn", event: Event) -> "Reply": ...


class FlowInTurn(Protocol):
    """A flow as a turn sees it, without how it was checked and compiled: `flow.compiled.Flow` is one."""

    @property
    def head(self) -> FlowHead: ...

    @property
    def bank(self) -> str | None: ...

    @property
    def steps(self) -> Mapping[str, StepInTurn]: ...

    @property
    def editing_keys(self) -> tuple[str, str]: ...

    @property
    def key_words(self) -> Mapping[str, Value]: ...

    @property
    def answers(self) -> frozenset[str]: ...

    @property
    def forgets(self) -> frozenset[str]: ...

    @property
    def remembered_answer(self) -> str: ...

    def follow(self, step: str, outcome: str) -> str: ...

    def leads_on(self, step: str, outcome: str) -> bool: ...

    def charges(self, step: str) -> bool: ...


# `Turn(...)` goes through a function of Python's, at twice the cost.
_NEW = tuple.__new__


class Turn(NamedTuple):
    """`actions` collects what is said and done, in order; a turn is never changed, only continued.

    A tuple, because a turn is made some eighty times in a call, at a quarter of what a frozen dataclass costs.
    """

    flow: FlowInTurn
    call: Call
    at: float
    actions: tuple[Action, ...] = ()

    def change(self, **changes: Any) -> "Turn":
        flow, call, at, actions = self
        return _NEW(Turn, (flow, call.with_changes(changes), at, actions))

    def went(self, outcome: str) -> "Turn":
        """Notes that the present step is left, or the call ended in it, so."""
        return self.change(moves=left(self.call, outcome))

    def remember(self, **values: Value) -> "Turn":
        return self.change(values={**self.call.values, **values})

    def forget(self, *names: str) -> "Turn":
        return self.change(values={name: value for name, value in self.call.values.items() if name not in names})

    def note(self, **notes: Value) -> "Turn":
        """Keeps something of the step's own, until the step is left; never what a caller keyed in as a secret."""
        return self.change(notes={**self.call.notes, **notes})

    def do(self, *actions: Action) -> "Turn":
        flow, call, at, before = self
        return _NEW(Turn, (flow, call, at, before + actions))

    def phrase(self, name: str, /, **values: Value) -> Phrase:
        return self._phrase(name, values, self.call.silences + self.call.mistakes)

    def _phrase(self, name: str, values: Mapping[str, Value], failures: int) -> Phrase:
        """`failures`: how many came before, of the kind that another wording is for."""
        call = self.call
        of_call = {short(name): value for name, value in call.values.items()}
        receipt = _last_said(call) if call.charges or AGREED_AMOUNT in of_call else {}
        of_fee = said_of_fee(call) if CARD_FEE in of_call else {}
        known: dict[str, Value] = {**self.flow.key_words, **receipt, **of_call, **of_fee, **values}
        # Whoever asks to hear it again wants all of it.
        brand, has_failed = call.values.get("brand", ""), failures > 0 and not call.asides
        fee = CARD_FEE in known and has_fee(known)
        one = "min" in values and values["min"] == values.get("max")
        ends = endings(str(brand), has_failed, call.flow, call.step, self._said_first(), fee, one)
        return Phrase(name, call.language, tuple(known.items()), "", ends)

    def _said_first(self) -> str:
        """The first prompt of this turn; "" where nothing has been said in it."""
        for action in self.actions:
            if isinstance(action, Speak):
                return action.phrases[0].name
        return ""

    def say(self, name: str, /, **values: Value) -> "Turn":
        if not self.call.can_text:
            name = WITHOUT_TEXTS.get(name, name)
        return self.do(Speak((self.phrase(name, **values),)))

    def say_what_failed(self, name: str, failures: int, /, **values: Value) -> "Turn":
        """The words of a silence or a wrong entry. `failures`: how many of the same kind came before it at this question."""
        return self.do(Speak((self._phrase(name, values, failures),)))

    def collect(self, field: str, rules: EntryRules, *, sensitive: bool = False, flush: bool = False) -> "Turn":
        patience = self.flow.head.patience
        factor = SLOW_MODE_FACTOR if self.call.slow else 1
        first_key = patience.first_key * factor
        first_key = max(first_key, LEAST_WARNING_S) if self.call.warned else first_key
        return self.do(Collect(field, rules, first_key, patience.between_keys * factor, sensitive, flush))

    def rules(
        self,
        shortest: int,
        longest: int,
        *,
        is_plain: bool = False,
        ends_by_length: bool = True,
        ends_at: tuple[Ending, ...] = (),
    ) -> EntryRules:
        done, clear = self.flow.editing_keys
        return _entry_rules(shortest, longest, done, clear, ends_by_length, ends_at, is_plain)

    def collect_one_key(self, field: str, *, flush: bool = False) -> "Turn":
        return self.collect(field, self.rules(1, 1, is_plain=True), flush=flush)

    @property
    def about(self) -> str:
        """What the call is about now: what was looked up, or else what the caller keyed in."""
        if self.call.payable is not None:
            return f"{self.call.payable.source} {self.call.payable.key}"
        answers = sorted(self.flow.answers & self.call.values.keys())
        return " ".join(f"{name}={self.call.values[name]}" for name in answers)

    @property
    def is_one_key(self) -> bool:
        """Whether a key alone may be an answer to the present question."""
        step, call = self.flow.steps[self.call.step], self.call
        if step.keyed(call.phase) == "key":
            return step.card_field(self) is None or self.is_optional
        return any(step.takes(self, key) for key in "0123456789")

    @property
    def is_optional(self) -> bool:
        """Whether the present question is for a card field that may be left out with the done key alone."""
        step = self.flow.steps.get(self.call.step)
        asked = step.card_field(self) if step is not None else None
        return asked is not None and asked[0] in OPTIONAL_FIELDS

    def forget_card(self) -> "Turn":
        """A card that was sent is the forwarder's to delete, with the bank's answer."""
        return self.do(ForgetCard(self.call.intent)) if self.call.has_unsent_card else self


def moment_of(flow: FlowInTurn, call: Call) -> Moment:
    """What the line does now. A phase that nobody declares is a question: keys are taken, and then asked for again."""
    step = flow.steps.get(call.step)
    of_step = step.phases.get(call.phase) if step is not None else None
    return of_step or ENGINE_PHASES.get(call.phase, "asks")


# The same few in every call of a flow.
_entry_rules = lru_cache(256)(EntryRules)


@lru_cache(256)
def short(name: str) -> str:
    """`bill.due` is `{due}` in a prompt."""
    return name.rpartition(".")[2]


def _last_said(call: Call) -> dict[str, Value]:
    """What prompts after a charge may say of it, or after an agreement of that: an amount chosen since then goes before."""
    approved, agreed = call.approved, of_last_agreement(call)
    if not approved:
        return agreed
    number = approved[-1].confirmation_number
    receipt: dict[str, Value] = {"amount": approved[-1].amount, "number": number, "confirmation_number": number}
    receipt |= agreed
    if approved[-1].fee and not agreed and "amount" not in call.values:
        receipt |= {CARD_FEE: approved[-1].fee, BEFORE_FEE: approved[-1].credited}
    return receipt


def of_last_agreement(call: Call) -> dict[str, Value]:
    """The amount of what the caller agreed to last; nothing where a charge was approved since, or another bill looked up."""
    return {"amount": call.values[AGREED_AMOUNT]} if AGREED_AMOUNT in call.values else {}


def with_charges(turn: Turn, changes: Callable[[Charge], dict[str, Any]]) -> Turn:
    """The turn with each charge changed by what `changes` says of it."""
    return turn.change(charges=tuple(replace(charge, **changes(charge)) for charge in turn.call.charges))


# ---- what a step wants next; only the engine goes from step to step


@dataclass(frozen=True)
class Listen:
    """The turn is complete: wait for the caller, the bank or a look-up."""


@dataclass(frozen=True)
class Again:
    """Put the present question once more."""


@dataclass(frozen=True)
class OfferCancel:
    """The clear key on an empty entry."""


@dataclass(frozen=True)
class Leave:
    """Leave the step by this outcome."""

    outcome: str


@dataclass(frozen=True)
class GoTo:
    """Go to this step, whatever the outcomes of the present one are."""

    step: str


@dataclass(frozen=True)
class End:
    """End the call with what is true of its charges. `told`: it was the last thing said."""

    told: bool = False


Wish = Listen | Again | OfferCancel | Leave | GoTo | End
Reply = tuple[Turn, Wish]


def no_input(turn: Turn) -> Reply:
    """Silence: told apart from a wrong entry, and counted with it. The first at a question never gives up: it warns."""
    call = turn.call
    counted = turn.change(silences=call.silences + 1)
    warns = not call.silences and call.asides < MOST_ASIDES
    if _out_of_tries(counted) and not warns:
        return counted, Leave("gave_up")
    # The words of a first silence are not those of a second, and a wrong entry before it was none.
    turn = turn.say_what_failed("no_input", call.silences).change(silences=counted.call.silences)
    if turn.flow.head.patience.slow_mode and not call.slow:
        turn = turn.change(slow=True).say("slow_mode_on")
    return _warn(turn) if warns else (turn, Again())


def _warn(turn: Turn) -> Reply:
    """Any key gives more time. Where one could be an answer the question is not put until then: "any key" would be a
    consent."""
    turn = turn.say("more_time").change(warned=True)
    return (turn.collect_one_key("more_time", flush=True), Listen()) if turn.is_one_key else (turn, Again())


def no_match(turn: Turn, prompt: str, *, is_told_last: bool = False, **values: Value) -> Reply:
    """A wrong entry, in words of its own; `is_told_last`: after the last try too, where it is news to the caller."""
    before = turn.call.mistakes
    counted = turn.change(mistakes=before + 1)
    if _out_of_tries(counted):
        return (counted.say_what_failed(prompt, before, **values) if is_told_last else counted), Leave("gave_up")
    return counted.say_what_failed(prompt, before, **values), Again()


def cleared(turn: Turn) -> Reply:
    """The clear key behind keys: the entry begins again."""
    return _begun_again(turn, Again(), "cleared")


def offer_cancel(turn: Turn) -> Reply:
    """The clear key on an empty entry."""
    return _begun_again(turn, OfferCancel())


def come_round(turn: Turn) -> Reply:
    """The same offers from their beginning, at the caller's key."""
    return _begun_again(turn, Again())


def _begun_again(turn: Turn, wish: Wish, said: str = "") -> Reply:
    """Clearing costs nothing, but a clear key that hangs must not hold a line for ever: after `FREE_CLEARS` each is a try."""
    turn = turn.change(clears=turn.call.clears + 1)
    if turn.call.clears > FREE_CLEARS:
        turn = turn.change(mistakes=turn.call.mistakes + 1)
        if _out_of_tries(turn):
            return turn, Leave("gave_up")
    return (turn.say(said) if said else turn), wish


def _out_of_tries(turn: Turn) -> bool:
    return turn.call.silences + turn.call.mistakes >= turn.flow.head.patience.tries


def one_key(turn: Turn, event: Event) -> str:
    """The single key pressed, or nothing."""
    if not isinstance(event, KeysEntered):
        return ""
    span = read_after_timeout(event.keys.buffer, turn.rules(1, 1, is_plain=True))
    return event.keys.text()[span.start : span.end] if span.reading is Reading.COMPLETE else ""
