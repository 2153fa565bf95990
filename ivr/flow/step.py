"""What every kind of step says of itself. A kind gives each part in its file in `steps`; checks, drawings, schema, docs and the
conversation ask a step for its parts, and do not know which kind it is.

A part without words of its own here has to be given: a kind that forgets one is refused when it is imported (`registry`).
No name of a part may be a key of the YAML: both are attributes of a step.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from pydantic import PrivateAttr

from ivr.core.entry import EntryRules
from ivr.core.events import BankAnswered, CardField, Event
from ivr.core.money import Money
from ivr.flow.declared import NOTHING_DECLARED, Declared
from ivr.flow.parts import (
    CardAsked,
    Drawn,
    Explained,
    Facts,
    Finding,
    Formula,
    Hears,
    Keyed,
    Known,
    Leads,
    Need,
    Phases,
    Place,
    Said,
    Values,
    in_words,
)
from ivr.flow.schema import EndName, Written
from ivr.flow.talk.turn import Again, Reply, Turn

Way = tuple[Place, str, Any]  # path below the step, outcome, and the target, which may be anything in a broken file


class Step(Written):
    """A step of a flow, of whichever kind."""

    _declared: Declared = PrivateAttr(default=NOTHING_DECLARED)

    def model_post_init(self, context: Any) -> None:
        if isinstance(context, Declared):
            self._declared = context

    @property
    def declared(self) -> Declared:
        """What its flow declares of look-ups."""
        return self._declared

    # ---- how it is written and explained

    word: ClassVar[str]
    """The key that names the kind."""
    place: ClassVar[int]
    """Its place among the kinds, in explanations; a step with the words of several kinds is of the first."""
    explained: ClassVar[Explained]
    example: ClassVar[str]
    """A step of this kind with its name, in YAML."""

    @classmethod
    def claims(cls, body: Mapping[str, Any]) -> bool:
        """Whether a written step is of this kind, as far as its keys tell."""
        return cls.word in body

    @classmethod
    def ways_written(cls, body: Mapping[str, Any]) -> Iterator[Way]:
        """Where a step leads that cannot be read as a whole; a target of None where that cannot be read either."""
        then = body.get("then", {})
        if isinstance(then, dict):
            yield from ((("then", outcome), outcome, target) for outcome, target in then.items())
        else:
            yield ("then",), "", None

    @classmethod
    def answer_written(cls, body: Mapping[str, Any]) -> str:
        """What the answer is called in a step that may not be readable as a whole; "" where it names none."""
        return ""

    @classmethod
    def part_used(cls, body: Mapping[str, Any]) -> str:
        """The part whose steps stand in the place of this one (`flow.inlining`); "" for a step that stays one."""
        return ""

    @classmethod
    def set_written(cls, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """The values that a written step sets: name and expression."""
        yield from ()

    # ---- its ways on

    outcomes: ClassVar[frozenset[str]]
    optional_outcomes: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def offered_outcomes(cls) -> frozenset[str]:
        """Every outcome that some step of the kind has."""
        return cls.outcomes | cls.optional_outcomes

    def required(self) -> frozenset[str]:
        """The outcomes that `then` must name."""
        return self.outcomes

    def known_outcomes(self) -> frozenset[str]:
        return self.required() | self.optional_outcomes

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        """(path below the step, outcome, target) of each way on."""
        then = getattr(self, "then", None)
        if isinstance(then, str):
            yield ("then",), "ok", then
        elif then is not None:
            for outcome, target in then.items():
                yield ("then", outcome), outcome, target

    def ends_by(self) -> frozenset[str]:
        """The outcomes that end the call here, or "end" where nothing else happens."""
        return frozenset()

    @property
    def ending(self) -> EndName | None:
        """What the flow says of the call's end here."""
        return None

    @property
    def goes_on_by_itself(self) -> bool:
        """Nothing of the caller's, or of anybody's, is waited for."""
        return False

    @property
    def passes_by(self) -> frozenset[str]:
        """The outcomes by which it may be left as soon as it is reached, although it is a question otherwise."""
        return frozenset()

    # ---- what it says

    speaks: ClassVar[Values] = {}
    """Prompts of fixed names that a flow with such a step needs, each with the values that it then has."""
    values: ClassVar[Values] = {}
    """Values of its own that prompts may say, each with the kinds of slot that can (`words.slots`)."""

    def says(self) -> Iterator[Said]:
        """The prompts whose names the step's keys give."""
        raise NotImplementedError

    def prompts(self) -> Iterator[str]:
        yield from self.speaks
        yield from (said.prompt for said in self.says())

    # ---- what the checks want to know

    def needs(self, name: str) -> Iterator[Need]:
        """What must be true on every way to it; `name` is the step's."""
        raise NotImplementedError

    def makes(self, path: Place, outcome: str, facts: Facts) -> Facts:
        """What is true once it is left by this way."""
        raise NotImplementedError

    def tells(self, path: Place, outcome: str, known: frozenset[str]) -> frozenset[str]:
        """The values that prompts may say once it is left by this way."""
        raise NotImplementedError

    def findings(self, name: str, known: Known) -> Iterator[Finding]:
        """What is wrong with it by itself, advice too; `known`: the values that are known wherever it begins."""
        raise NotImplementedError

    def formulas(self) -> Iterator[Formula]:
        """The expressions that its keys hold."""
        yield from ()

    @property
    def bank(self) -> tuple[str, str] | None:
        """The key that names a bank, and the bank."""
        return None

    @property
    def splits(self) -> Iterable[Place]:
        """The places below the step that only mean something where a bill may be paid with several cards."""
        return ()

    @property
    def takes_parts_back(self) -> bool:
        """Whether approved parts of a bill are undone there."""
        return False

    @property
    def bank_operations(self) -> Iterable[tuple[Place, str]]:
        """What its bank has to promise for it, each with the path below the step that asks for it."""
        return ()

    @property
    def goes_alone(self) -> str:
        """Why neither a fee can be asked for nor several cards can pay in a flow with this step, or nothing."""
        return ""

    @property
    def looks_up_bills(self) -> bool:
        """Whether it asks for bills; a number that can be keyed in there can be guessed there."""
        return False

    @property
    def fixed_amounts(self) -> Iterable[tuple[Place, Money]]:
        """Amounts to pay that are written in the flow, each with its path below the step."""
        return ()

    @property
    def offers_kept_card(self) -> bool:
        """Whether a caller may pay there with a card that the bank keeps."""
        return False

    @property
    def remembers(self) -> frozenset[str]:
        """What of the caller is kept for the next call, once they agree to it there: language, account."""
        return frozenset()

    @property
    def offers_remembered(self) -> bool:
        """Whether a caller who is remembered may take the last account there, in place of keying it in."""
        return False

    @property
    def is_about_card(self) -> bool:
        """Whether a card that was keyed in before is what it asks about: not asked, nor answered, where no card is taken."""
        return False

    @property
    def counts_guesses(self) -> bool:
        """Whether look-ups that find nothing are counted over the entire call, wherever they lead."""
        return False

    @property
    def relies_on(self) -> Iterable[tuple[Place, str]]:
        """What has to be switched on in the settings, by its name there, with the path below the step that asks for it."""
        return ()

    # ---- how it is drawn

    def drawn(self) -> Drawn:
        raise NotImplementedError

    def label(self, outcome: str) -> str:
        """What is written at a way on."""
        return f"key {outcome.removeprefix('key_')}" if outcome.startswith("key_") else in_words(outcome)

    # ---- in a call

    phases: ClassVar[Phases]
    """Its phases by name, and what the line does in each. It begins in `entry`, and again after an offer to cancel."""
    hears: ClassVar[Hears] = {}
    """By phase the events that it takes beside those that every such moment takes (`conversation.phases`)."""
    leads: ClassVar[Leads] = {}
    """By phase the others that may follow it within the step; by default all of them."""
    tried: ClassVar[Mapping[str, Sequence[str]]] = {}
    """By the field of a `Collect`: entries that random callers make where they know nothing better."""

    @property
    def answer(self) -> str:
        """What the caller's answer is called, which is forgotten at the end of the call; "" without one."""
        return ""

    def answer_can_be(self, text: str, *, only_begins: bool = False) -> bool:
        """Whether a caller may give this answer here, or one that begins so. Yes where nobody can tell."""
        return True

    @property
    def answer_kinds(self) -> frozenset[str]:
        """The kinds of slot that can say the answer, where they are others than those of digits."""
        return frozenset()

    def typed(self, answer: str) -> str:
        """The keys by which a caller gives this answer; "" where it cannot be keyed in here."""
        return answer if answer.isdecimal() else ""

    def stand_in(self, keys: int, number: int = 0) -> str:
        """So many keys of an answer that is nobody's, for a call on record, of which only their number is known. Another
        answer for each `number`, as far as there are any."""
        return f"1{number:0{max(keys - 1, 0)}d}"[:keys] if number else "1" * keys

    def some_answer(self, number: int) -> str:
        """An answer that is nobody's and can be given here, another for each `number` as far as there are any; "" where the
        step asks for none."""
        return ""

    def said_by(self, keys: str) -> str:
        """The answer that these keys give; "" where they give none."""
        return keys

    @property
    def offers_bills(self) -> bool:
        """Whether the caller chooses there, of the bills that were looked up, which one to pay."""
        return False

    @property
    def card(self) -> CardAsked | None:
        """The card that it asks for."""
        return None

    def keyed(self, phase: str) -> Keyed:
        """What the keys are that are pressed in this phase."""
        raise NotImplementedError

    def takes(self, turn: Turn, key: str) -> bool:
        """Whether this key, 0 to 9, is an answer when it is pressed alone. 9 and 0 are otherwise what they are everywhere:
        the question again, and help. Not asked about keys 1 and 2 where an answer is confirmed."""
        return False

    def card_field(self, turn: Turn) -> tuple[CardField, EntryRules] | None:
        """The card field that the next keys belong to, and how they are read; None where keys are not card data."""
        return None

    def enter(self, turn: Turn) -> Reply:
        """Comes to the step; `Again` puts its question."""
        return turn, Again()

    def put(self, turn: Turn) -> Reply:
        """Puts its question, or does what it does."""
        raise NotImplementedError

    def put_again(self, turn: Turn) -> Reply:
        """The same from whatever it is in the middle of, where a key is dropped without an answer."""
        return self.put(turn)

    def say_again(self, turn: Turn) -> Reply:
        """The same where the caller asks for it: with what was said before the question, if that is what they want."""
        return self.put_again(turn)

    def hear(self, turn: Turn, event: Event) -> Reply:
        """What follows from anything that happens here: keys, silence, answers of the bank and of look-ups, pauses."""
        raise NotImplementedError

    def ends_wait(self, event: BankAnswered) -> bool:
        """Whether a hold for the bank is over with this answer."""
        return False
