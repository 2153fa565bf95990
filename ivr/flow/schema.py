"""A flow as a merchant writes it, typed: everything but its steps, whose kinds are in `steps`.

The docstrings below fields are what an editor shows beside them (config/flow.schema.json).
"""

from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, field_validator, model_validator

from ivr.core.entry import KEY_OF_WORD
from ivr.core.hours import OpeningHours
from ivr.reading.hours import Days, Holidays, ZoneName
from ivr.reading.rules import values
from ivr.reading.scalars import (
    Amount,
    BetweenKeys,
    Count,
    FirstKey,
    Flag,
    FlowName,
    GivenValue,
    KeyName,
    Language,
    LookupName,
    RateText,
    SplitCards,
    Target,
    WrongValue,
    all_different,
)
from ivr.reading.scalars import (
    Rate as Rate,
)
from ivr.reading.typed_values import ValueType

EndName = Literal["paid", "reserved", "unpaid", "pending", "as_recorded"]
AS_RECORDED = "as_recorded"  # whatever became of the charges: where ways meet that differ in it
RETRY = "retry"
SLOW_MODE_FACTOR = 3  # slow_mode triples the patience


class Written(BaseModel):
    """Something from a YAML file: frozen, and a key that nobody knows is an error. The words below a key are for editors
    (`key_words`)."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Keys(Written):
    """Which keys clear an entry and end it."""

    clear: Literal["star", "pound"] = "star"
    """Clears the entry; on an empty entry it offers to cancel."""
    done: Literal["star", "pound"] = "pound"
    """Ends an entry that has no fixed length."""

    @model_validator(mode="after")
    def differ(self) -> "Keys":
        if self.clear == self.done:
            raise ValueError("clear and done must be different keys (such as clear: star, done: pound)")
        return self

    @property
    def clear_key(self) -> str:
        return KEY_OF_WORD[self.clear]

    @property
    def done_key(self) -> str:
        return KEY_OF_WORD[self.done]


class Patience(Written):
    """How long and how often a caller is asked."""

    first_key: FirstKey = 10
    """How long to wait for the first key of an entry."""
    between_keys: BetweenKeys = 6
    """How long to wait for each further key; it starts anew with every key."""
    tries: Count = 3
    """Silences and wrong entries, taken together, until the step's `gave_up`."""
    slow_mode: Flag = False
    """After the first silence, wait three times as long for the rest of the call."""


class Limits(Written):
    """What stops card testing and typing errors. An attempt that the bank approves, or never got, does not count."""

    attempts_per_call: Count = 3
    """Failed attempts to pay within one call."""
    attempts_per_caller: RateText = Rate(5, 3600)
    """Failed attempts of one telephone number, such as 5/1h."""
    attempts_per_card: RateText = Rate(3, 24 * 3600)
    """Failed attempts with one card, such as 3/24h."""
    attempts_per_account: RateText = Rate(6, 24 * 3600)
    """Failed attempts to pay what one account owes, whoever calls, such as 6/24h."""
    attempts_per_line: RateText = Rate(60, 3600)
    """Failed attempts on one called number by all callers who withhold theirs, such as 60/1h."""
    guesses_per_caller: RateText = Rate(9, 24 * 3600)
    """Wrong answers of one telephone number at look-ups that take a second answer, such as a PIN: 9/24h."""
    guesses_per_account: RateText = Rate(15, 24 * 3600)
    """Wrong answers at such look-ups of one account, whoever calls, such as 15/24h. More than guesses_per_caller."""
    max_amount: Amount
    """The largest single charge, with its currency."""


class Split(Written):
    """A bill may be paid with several cards, each charged for a part of it."""

    cards: SplitCards = 4
    """The most cards that pay one bill."""
    rest_unpaid: Literal["take_back", "keep"] = "take_back"
    """What becomes of the parts if the rest is not paid in the call: take_back undoes them, keep leaves them as payments on the bill."""


class Hours(Written):
    """When the merchant is open. `when` asks for it as `open`."""

    zone: ZoneName
    """The time zone of all dates and times in the flow, such as America/New_York."""
    days: Days | None = None
    """The hours of each day, such as monday..friday: 8:00-17:30; several in brackets. A day that is not there is closed."""
    holidays: Holidays = ()
    """Days on which it is closed: 2026-12-24, 12-25 of every year, 4th thursday of november; or the name of a calendar in parts/."""

    @cached_property
    def opening(self) -> OpeningHours:
        return OpeningHours(self.zone, self.days, self.holidays)


Different = AfterValidator(all_different)


class LookUpTerms(Written):
    """What a look-up is asked with, and what its answer gives besides bill.due and bill.min."""

    takes: Annotated[list[KeyName], Field(min_length=1, max_length=4), Different] = []
    """The answers that it is asked with, such as [account_number, pin]; the first is what the bill is known by. A PIN here
    is the one that you have given your customer: it is no card data, and a card's PIN must never be asked for."""
    gives: dict[GivenValue, ValueType] = {}
    """Values of the answer, each with its type: money, text, date, number, yes_no or email, such as invoice.date: date."""

    @model_validator(mode="after")
    def are_told_apart(self) -> "LookUpTerms":
        """Prompts say a value by its last word."""
        said = [name.rpartition(".")[2] for name in self.gives] + self.takes
        twice = next((name for name in said if said.count(name) > 1), None)
        if twice is not None:
            raise WrongValue(values.TAKEN_NAME, f"two values would be '{twice}' in prompts: rename one", "gives")
        return self


class FlowHead(Written):
    """Everything but the steps."""

    flow: FlowName
    """The flow's name: it is in the address that Twilio calls."""
    schema_version: Annotated[Literal["1"], WithJsonSchema({"enum": [1, "1"]})] = Field(alias="schema", default="1")
    """The version of this format."""
    languages: Annotated[list[Language], Field(min_length=1, max_length=9), Different]
    """The caller chooses among them, the first is spoken to who does not choose."""
    voice: Literal["words", "tones"] = "words"
    """tones: earcons in place of words."""
    keys: Keys = Keys()
    patience: Patience = Patience()
    limits: Limits
    split: Split | None = None
    """A bill may be paid with several cards."""
    hours: Hours | None = None
    """When the merchant is open, and the time zone."""
    lookups: dict[LookupName, LookUpTerms] = {}
    """The flow's look-ups, where they are asked with several answers, or give more than what is due."""
    start: Target
    """The first step."""

    @field_validator("lookups")
    @classmethod
    def mean_one_thing(cls, written: dict[str, LookUpTerms]) -> dict[str, LookUpTerms]:
        """A value's name has one type in a flow, whichever look-up gives it."""
        found: dict[str, ValueType] = {}
        for terms in written.values():
            for name, kind in terms.gives.items():
                if found.setdefault(name, kind) != kind:
                    raise WrongValue(
                        values.WRONG_VALUE, f"'{name}' is {found[name]} in one look-up and {kind} in another"
                    )
        return written
