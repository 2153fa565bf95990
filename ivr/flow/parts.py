"""The words in which a step says of itself what checks, drawings and the conversation want to know. No step is here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ivr.core.events import CardField
from ivr.core.postal_codes import USUAL, digit_counts
from ivr.reading.rules import Rule

Place = tuple[str | int, ...]  # the keys from a step's body down to what is meant

# What is true on one way to a step: "amount", "card", "confirmed", values by name; "paid": the card was charged;
# "reserved": an amount is held on it; "to_reserve": that alone was agreed to; "unsure": a charge has no answer yet; "unread": the way leads through a step with problems of its own.
Facts = frozenset[str]
# The values that prompts may say. None: every value, because the way leads through a step that could not be read.
Known = frozenset[str] | None

# What the line does in a phase. asks: keys are awaited. offers: keys too, and the done key means "go on". looks_up: the
# line is held for our own sake, keys are for the next question. waits: the line is held for the bank. passes: no call rests
# here. over: nothing. What follows from each event in each of them is one table, in `conversation.phases`.
Moment = Literal["asks", "offers", "looks_up", "waits", "passes", "over"]
Phases = Mapping[str, Moment]
Hears = Mapping[str, tuple[type[object], ...]]  # by phase the events taken beside those of its moment
Leads = Mapping[str, tuple[str, ...]]  # by phase the phases of the same step that may follow it
Values = Mapping[str, frozenset[str]]  # by prompt the values that it may say, or by value the kinds of slot that say it
# What keys are, for all that writes calls down. number: digits that belong to somebody, and are written nowhere.
Keyed = Literal["number", "amount", "key"]


@dataclass(frozen=True)
class Said:
    """A prompt that a step speaks. `fills`: the values that the step itself gives it; `key`: the key that it offers;
    `must_say`: the values that its words must say; `every`: the rhythm that they may say, week or month; `within` and `instalments`: the days
    and the parts that they may say (0: any); `offers_each`: it is said
    of several things, each with a key of its own; `held_as`: key 1 agrees to it, and it is held
    to what is asked of the words of this prompt, whatever its own name is."""

    path: Place
    prompt: str
    fills: frozenset[str] = frozenset()
    key: str = ""
    must_say: frozenset[str] = frozenset()
    every: str = ""
    within: int = 0
    instalments: int = 0
    offers_each: bool = False
    held_as: str = ""


@dataclass(frozen=True)
class Need:
    """A fact without which a step must not be reached; with `is_absent` one with which it must not. `where`: it is needed
    only on ways on which one of these facts holds; none: on every way. `unless`: not on ways on which one of these holds."""

    fact: str
    rule: Rule
    message: str
    cure: str
    path: Place = ()
    is_absent: bool = False
    where: Facts = frozenset()
    unless: Facts = frozenset()


@dataclass(frozen=True)
class Finding:
    """What is wrong with a step by itself, or could be better."""

    rule: Rule
    path: Place
    message: str
    cure: str


@dataclass(frozen=True)
class Formula:
    """An expression of a step (`flow.expressions`). `gives`: the type it must have, "" for any that a call can keep;
    `name`: what its value is called from then on. `pays`: how it is an amount to pay; only as_it_is where it is refused if more
    is due than that, the others are lowered to what is due; at_least and at_most are the bounds of what callers key in.
    `is_case`: it is asked only where no condition of the step above it was yes."""

    path: Place
    text: str
    gives: Literal["", "money", "yes_no"] = ""
    name: str = ""
    pays: Literal["", "as_it_is", "at_most_due", "at_least", "at_most"] = ""
    is_case: bool = False


# The fact that what is paid for was looked up with more than its own number: nobody else gets so far by guessing that.
KNOWN_BY_TWO = "known by two answers"
# It was looked up so, and all of the further answers are short enough to be guessed.
KNOWN_BY_SHORT = "known by short answers"

# A value that was set, among facts and known values: it was computed for one bill and one charge, and is stale after that.
SET = "set "


def without_set(known: Facts) -> Facts:
    """What holds of a new bill, or after a charge: nothing that was set before."""
    names = {name.removeprefix(SET) for name in known if name.startswith(SET)}
    return known - names - {f"{SET}{name}" for name in names}


def with_set(known: Facts, names: Collection[str]) -> Facts:
    return known.union(names, (f"{SET}{name}" for name in names))


@dataclass(frozen=True)
class Explained:
    """A row of the table in docs/flows.md, in Markdown."""

    written: str
    does: str
    outcomes: str = ""
    keys: str = ""


@dataclass(frozen=True)
class Drawn:
    """How a step looks in a diagram: the class of its box (talk, card, bank, or an ending), and a few words."""

    colour: str
    words: str


@dataclass(frozen=True)
class CardAsked:
    """The card fields that a step asks for, in order, the brands that it takes, and how many digits a postal code may have.
    `has_fee`: some of them cost a fee on top of the amount."""

    fields: Sequence[CardField]
    brands: Sequence[str]
    postal_digits: frozenset[int] = digit_counts([USUAL])
    has_fee: bool = False


def in_words(name: str) -> str:
    """A name of a flow as people read it."""
    return name.replace("_", " ")


CHANNELS = ("twilio", "trunk", "browser", "simulator")
"""What `channel` can be in a flow."""
