"""A flow as a merchant writes it, typed: what each step kind may say. Whether the steps fit together is in `compiler`."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from ivr.core.brands import BRAND_NAMES
from ivr.core.entry import KEY_OF_WORD
from ivr.core.money import Money, parse_money

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
FlowName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)]
Target = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}-[A-Z]{2}$")]
ValueName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
EndName = Literal["paid", "unpaid", "pending"]
RETRY = "retry"

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_duration(text: Any) -> Any:
    match = re.fullmatch(r"(\d{1,5})([smhd])", text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("expected a time such as 10s, 5m or 1h")
    return int(match[1]) * _SECONDS[match[2]]


def read_length(text: Any) -> Any:
    match = re.fullmatch(r"(\d{1,2})(?:\.\.(\d{1,2}))?", text) if isinstance(text, str) else None
    if match is None or not 1 <= int(match[1]) <= int(match[2] or match[1]) <= 32:
        raise ValueError("expected a length such as 8 or 8..10, from 1 to 32")
    return int(match[1]), int(match[2] or match[1])


def read_rate(text: Any) -> Any:
    count, slash, window = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not (slash and count.isdecimal() and 1 <= int(count) <= 10_000):
        raise ValueError("expected a count and a time such as 5/1h")
    return Rate(count=int(count), window_s=read_duration(window))


def read_flag(text: Any) -> Any:
    if text not in ("true", "false"):
        raise ValueError("expected true or false")
    return text == "true"


def read_count(text: Any) -> Any:
    if not (isinstance(text, str) and text.isdecimal() and 1 <= int(text) <= 20):
        raise ValueError("expected a whole number from 1 to 20")
    return int(text)


def read_amount(text: Any) -> Any:
    return parse_money(text if isinstance(text, str) else "")


def known_brand(name: str) -> str:
    if name not in BRAND_NAMES:
        raise ValueError(f"no such brand; known: {', '.join(sorted(BRAND_NAMES))}")
    return name


Duration = Annotated[int, BeforeValidator(read_duration)]
Length = Annotated[tuple[int, int], BeforeValidator(read_length)]
Flag = Annotated[bool, BeforeValidator(read_flag)]
Count = Annotated[int, BeforeValidator(read_count)]
Amount = Annotated[Money, BeforeValidator(read_amount)]
BrandName = Annotated[str, AfterValidator(known_brand)]


class Written(BaseModel):
    """Something from a YAML file: frozen, and a key that nobody knows is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Rate(Written):
    """At most `count` in `window_s` seconds."""

    count: int
    window_s: int


class Keys(Written):
    clear: Literal["star", "pound"] = "star"
    done: Literal["star", "pound"] = "pound"

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
    first_key: Duration = 10
    between_keys: Duration = 6
    tries: Count = 3
    slow_mode: Flag = False


class Limits(Written):
    attempts_per_caller: Annotated[Rate, BeforeValidator(read_rate)] | None = None
    attempts_per_card: Annotated[Rate, BeforeValidator(read_rate)] | None = None
    max_amount: Amount


class Step(Written):
    """What every kind has: its outcomes, and the prompts it speaks by name."""

    outcomes: ClassVar[frozenset[str]] = frozenset()
    optional_outcomes: ClassVar[frozenset[str]] = frozenset()

    def required(self) -> frozenset[str]:
        return self.outcomes

    def targets(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        """(path below the step, outcome, target) of each way on."""
        then = getattr(self, "then", None)
        if isinstance(then, str):
            yield ("then",), "ok", then
        elif then is not None:
            for outcome, target in then.items():
                yield ("then", outcome), outcome, target

    def prompts(self) -> Iterator[str]:
        yield from ()


class AskStep(Step):
    """Ask for plain digits, or for an amount (`ask: money`)."""

    outcomes = frozenset({"ok", "gave_up"})
    optional_outcomes = frozenset({"cancelled"})
    ask: Name
    length: Length | None = None
    between: tuple[ValueName, ValueName] | None = None
    lookup: ValueName | None = None
    confirm: Literal["always"] | None = None
    then: dict[str, Target]

    @model_validator(mode="after")
    def fits(self) -> "AskStep":
        if self.ask == "money" and (self.length or self.lookup):
            raise ValueError("an amount has no length and no lookup")
        if self.ask != "money" and (self.between or not self.length):
            raise ValueError("digits need a length, such as 8..10, and only an amount is between two others")
        return self

    def required(self) -> frozenset[str]:
        return frozenset({"found", "not_found", "gave_up"}) if self.lookup else self.outcomes

    def prompts(self) -> Iterator[str]:
        yield from (f"enter_{self.ask}", f"no_match_{self.ask}")
        if self.lookup:
            yield f"not_found_{self.ask}"
        if self.confirm or self.ask == "money":
            yield f"confirm_{self.ask}"


class MenuOption(Written):
    say: Name
    set: ValueName | None = None
    then: Target


class MenuStep(Step):
    """One key, one way on."""

    optional_outcomes = frozenset({"gave_up", "cancelled"})
    menu: dict[Annotated[str, Field(pattern=r"^[0-9]$")], MenuOption]
    then: dict[str, Target] = {}

    def targets(self) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
        yield from super().targets()
        for key, option in self.menu.items():
            yield ("menu", key, "then"), f"key_{key}", option.then

    def prompts(self) -> Iterator[str]:
        yield from (option.say for option in self.menu.values())


class CollectStep(Step):
    """The card. `capture: pay` lets the telephone network collect it in its own zone where it can."""

    outcomes = frozenset({"ok", "cancelled", "gave_up"})
    collect: list[Literal["card_number", "expiry", "security_code", "postal_code"]] = Field(min_length=1)
    brands: list[BrandName] = Field(min_length=1, default=["visa", "mastercard", "amex", "discover"])
    confirm: list[Literal["brand", "last4", "amount"]] = []
    capture: Literal["keys", "pay"] = "keys"
    connector: Name = "tonetill"
    then: dict[str, Target]

    @model_validator(mode="after")
    def in_order(self) -> "CollectStep":
        if self.collect[0] != "card_number":
            raise ValueError("card_number comes first: what follows depends on its brand")
        if len(set(self.collect)) < len(self.collect):
            raise ValueError("each field once")
        return self

    def prompts(self) -> Iterator[str]:
        yield from (f"enter_{name}" for name in self.collect)
        if self.confirm:
            yield "confirm_card"


class PayStep(Step):
    outcomes = frozenset({"approved", "declined", "unknown"})
    pay: Name
    then: dict[str, Target]


class ResolveStep(Step):
    outcomes = frozenset({"approved", "reversed", "pending"})
    inquire_then_reverse: Name
    then: dict[str, Target]


class Closing(Step):
    """A step that goes on to one other, or ends the call."""

    then: Target | None = None
    end: EndName | None = None

    @model_validator(mode="after")
    def goes_somewhere(self) -> "Closing":
        if (self.then is None) == (self.end is None):
            raise ValueError("say where it goes: either 'then: <step>' or 'end: paid | unpaid | pending'")
        return self


class SayStep(Closing):
    say: Name
    repeat: Count | None = None
    sms: Literal["offer"] | None = None

    def prompts(self) -> Iterator[str]:
        yield self.say


class SmsStep(Closing):
    sms: Name

    def prompts(self) -> Iterator[str]:
        yield from (self.sms, f"{self.sms}_sms")


class EndStep(Closing):
    end: EndName


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
    schema_version: Literal["1"] = Field(alias="schema", default="1")
    languages: list[Language] = Field(min_length=1, max_length=9)
    voice: Literal["words", "tones"] = "words"
    keys: Keys = Keys()
    patience: Patience = Patience()
    limits: Limits
    start: Name
