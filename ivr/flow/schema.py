"""A flow as a merchant writes it, typed: what each step kind may say. Whether the steps fit together is in `compiler`.

The docstrings below fields are what an editor shows beside them (config/flow.schema.json).
"""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from ivr.core.entry import KEY_OF_WORD
from ivr.reading.rules.values import WRONG_VALUE
from ivr.reading.scalars import (
    Amount,
    BetweenKeys,
    BrandName,
    Count,
    FirstKey,
    Flag,
    FlowName,
    Language,
    Length,
    LookupName,
    MenuKey,
    Name,
    PlainField,
    RateText,
    Target,
    ValueName,
    WrongValue,
    all_different,
)
from ivr.reading.scalars import (
    Rate as Rate,
)

EndName = Literal["paid", "unpaid", "pending"]
RETRY = "retry"
LOOK_UP_PROMPTS = ("one_moment", "bill_not_reached", "bill_not_payable")
SLOW_MODE_FACTOR = 3  # slow_mode triples the patience
Place = tuple[str | int, ...]


class Written(BaseModel):
    """Something from a YAML file: frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Keys(Written):
    """Which keys clear an entry and end it."""

    clear: Literal["star", "pound"] = "star"
    """Clears the entry; on an empty entry it offers to cancel."""
    done: Literal["star", "pound"] = "pound"
    """Ends an entry that has no fixed length."""

    @model_validator(mode="after")
    def differ(self) -> "Keys":
        if self.clear == self.done:
            raise ValueError("clear and done must be different keys")
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
    max_amount: Amount
    """The largest single charge, with its currency."""


class Step(Written):
    """What every kind has: its outcomes, and the prompts it speaks by name."""

    outcomes: ClassVar[frozenset[str]] = frozenset()
    optional_outcomes: ClassVar[frozenset[str]] = frozenset()

    def required(self) -> frozenset[str]:
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

    def says(self) -> Iterator[tuple[Place, str]]:
        """(path below the step, prompt) of what it says by itself."""
        yield from ()

    def prompts(self) -> Iterator[str]:
        yield from (prompt for _, prompt in self.says())


class AskStep(Step):
    """Ask for plain digits, or for an amount (`ask: money`)."""

    outcomes = frozenset({"ok", "gave_up"})
    optional_outcomes = frozenset({"cancelled"})
    ask: PlainField
    """What the answer is called, such as account_number; `money` asks for an amount, cents implied."""
    length: Length | None = None
    """How many digits: 8, or 8..10. A fixed length ends by itself."""
    between: tuple[ValueName, ValueName] | None = None
    """The smallest and the largest amount, such as [bill.min, bill.due]."""
    lookup: LookupName | None = None
    """Where the answer is looked up: billing.find_bill gives bill.due and bill.min."""
    confirm: Literal["always"] | None = None
    """Read the answer back and ask. An amount is always confirmed."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @model_validator(mode="after")
    def fits(self) -> "AskStep":
        if self.ask == "money" and (self.length or self.lookup):
            key = "length" if self.length else "lookup"
            raise WrongValue(WRONG_VALUE, "an amount has no length and no lookup", key)
        if self.ask != "money" and self.between:
            raise WrongValue(WRONG_VALUE, "only an amount is between two others", "between")
        if self.ask != "money" and not self.length:
            raise WrongValue(WRONG_VALUE, "digits need a length, such as 8..10", "ask")
        return self

    def required(self) -> frozenset[str]:
        return frozenset({"found", "not_found", "gave_up"}) if self.lookup else self.outcomes

    def says(self) -> Iterator[tuple[Place, str]]:
        yield ("ask",), f"enter_{self.ask}"
        yield ("ask",), f"no_match_{self.ask}"
        if self.lookup:
            yield ("lookup",), f"not_found_{self.ask}"
            yield from ((("lookup",), name) for name in LOOK_UP_PROMPTS)
        if self.confirm or self.ask == "money":
            yield ("confirm",) if self.confirm else ("ask",), f"confirm_{self.ask}"


class MenuOption(Written):
    """One key of a menu."""

    say: Name
    """The prompt that offers this key."""
    set: ValueName | None = None
    """Choosing this makes the value the amount to pay, such as bill.due."""
    then: Target
    """The step this key leads to."""


class MenuStep(Step):
    """One key, one way on."""

    optional_outcomes = frozenset({"gave_up", "cancelled"})
    menu: Annotated[dict[MenuKey, MenuOption], Field(min_length=1)]
    """The keys 0 to 9, each with what is said and where it leads."""
    then: dict[str, Target] = {}
    """Where gave_up and cancelled go; without it the call ends there, uncharged."""

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        yield from super().targets()
        for key, option in self.menu.items():
            yield ("menu", key, "then"), f"key_{key}", option.then

    def says(self) -> Iterator[tuple[Place, str]]:
        yield from ((("menu", key, "say"), option.say) for key, option in self.menu.items())


Different = AfterValidator(all_different)


class CollectStep(Step):
    """The card. `capture: pay` lets the telephone network collect it in its own zone where it can."""

    outcomes = frozenset({"ok", "cancelled", "gave_up"})
    collect: Annotated[
        list[Literal["card_number", "expiry", "security_code", "postal_code"]], Field(min_length=1), Different
    ]
    """The card's fields, in the order they are asked for; card_number comes first."""
    brands: Annotated[list[BrandName], Field(min_length=1), Different] = ["visa", "mastercard", "amex", "discover"]
    """The card brands you take."""
    confirm: Annotated[list[Literal["brand", "last4", "amount"]], Different] = []
    """What is read back before the charge; without it no charge may follow."""
    capture: Literal["keys", "pay"] = "keys"
    """keys: this product hears and seals the card; pay: Twilio's <Pay> collects it on Twilio's side."""
    connector: Name = "tonetill"
    """The payment connector that <Pay> hands the card to."""
    then: dict[str, Target]
    """Where each outcome goes."""

    @model_validator(mode="after")
    def in_order(self) -> "CollectStep":
        if self.collect[0] != "card_number":
            raise WrongValue(WRONG_VALUE, "card_number comes first: what follows depends on its brand", "collect")
        return self

    def says(self) -> Iterator[tuple[Place, str]]:
        yield from ((("collect", index), f"enter_{name}") for index, name in enumerate(self.collect))
        if self.confirm:
            yield ("confirm",), "confirm_card"


class PayStep(Step):
    """Charge the card; the bank's name is in config/banks.yaml."""

    outcomes = frozenset({"approved", "declined", "unknown"})
    optional_outcomes = frozenset({"not_sent"})
    pay: Name
    """The bank."""
    then: dict[str, Target]
    """Where each outcome goes; unknown (no answer) goes to an inquire_then_reverse step. Without not_sent (the bank could
    not be reached) the call ends there, uncharged."""


class ResolveStep(Step):
    """A charge without an answer: ask the bank what became of it, and take it back."""

    outcomes = frozenset({"approved", "reversed", "pending"})
    inquire_then_reverse: Name
    """The bank."""
    then: dict[str, Target]
    """Where each outcome goes."""


class Closing(Step):
    """A step that goes on to one other, or ends the call."""

    then: Target | None = None
    """The next step."""
    end: EndName | None = None
    """How the call ended: charged, not charged, or not known yet."""

    @model_validator(mode="after")
    def goes_somewhere(self) -> "Closing":
        if (self.then is None) == (self.end is None):
            raise ValueError("say where it goes: either 'then: <step>' or 'end: paid | unpaid | pending'")
        return self


class SayStep(Closing):
    """Say a prompt."""

    say: Name
    """The prompt's name; its words are in flows/prompts/."""
    repeat: Count | None = None
    """How often the caller may hear it again."""
    sms: Literal["offer"] | None = None
    """Offer the same as a text message: the prompt of this name with _sms at its end; receipt_sms for confirmation_number."""

    @property
    def text(self) -> str:
        """The text's name; its words are the prompt `<text>_sms`."""
        return "receipt" if self.say == "confirmation_number" else self.say

    def says(self) -> Iterator[tuple[Place, str]]:
        yield ("say",), self.say
        if self.sms:
            yield ("sms",), f"{self.text}_sms"


class SmsStep(Closing):
    """Send a text message and say so."""

    sms: Name
    """The prompt that is said; the text sent is the prompt of this name with _sms at its end."""

    def says(self) -> Iterator[tuple[Place, str]]:
        yield ("sms",), self.sms
        yield ("sms",), f"{self.sms}_sms"


class EndStep(Closing):
    """End the call."""

    end: EndName
    """How the call ended: charged, not charged, or not known yet."""


# The first of these words that a step has names its kind (`say` and `sms` come late: they also qualify other kinds).
STEP_KINDS: dict[str, type[Step]] = {
    "ask": AskStep,
    "menu": MenuStep,
    "collect": CollectStep,
    "pay": PayStep,
    "inquire_then_reverse": ResolveStep,
    "say": SayStep,
    "sms": SmsStep,
    "end": EndStep,
}


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
    start: Name
    """The first step."""


def words_of(body: Any) -> str | None:
    """The word that names a written step's kind, or None."""
    return next((word for word in STEP_KINDS if isinstance(body, dict) and word in body), None)
