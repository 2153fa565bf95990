"""`fee:` of a `collect` step as a merchant writes it: `2.00 USD`, or rates by brand, how a share is rounded, and the most."""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator

from ivr.core.brands import BRAND_NAMES
from ivr.core.card_fees import FeeRate, FeeSchedule, Rounding, Share
from ivr.core.money import Money
from ivr.flow.parts import Place
from ivr.flow.schema import Written
from ivr.reading.rules import values
from ivr.reading.scalars import Amount, BrandName, WrongValue, read_amount

_SHARE = re.compile(r"(\d{1,2}(?:\.\d{1,3})?) ?%", re.ASCII)
_SHARE_WITH_COMMA = re.compile(r"(\d{1,2}),(\d{1,3}) ?%", re.ASCII)
MOST_PER_CENT = 30  # more is a slip of a decimal point


def read_rate(written: Any) -> FeeRate:
    if isinstance(written, Money | Share):
        return written
    share = _SHARE.fullmatch(written.strip()) if isinstance(written, str) else None
    if share is None:
        if isinstance(written, str) and "%" in written:
            raise WrongValue(values.WRONG_VALUE, _expected(written.strip()))
        return read_amount(written)
    per_cent = Fraction(share[1])
    if not 0 < per_cent <= MOST_PER_CENT:
        raise WrongValue(values.WRONG_VALUE, f"expected a share above 0 % and up to {MOST_PER_CENT} %")
    return Share(per_cent, share[0])


def _expected(written: str) -> str:
    if comma := _SHARE_WITH_COMMA.fullmatch(written):
        return f"a share has a decimal point, not a comma: {comma[1]}.{comma[2]} %"
    return "expected a share such as 2.5 %"


def for_every_brand(written: Any) -> Any:
    """One rate is that of every brand."""
    return dict.fromkeys(sorted(BRAND_NAMES), read_rate(written)) if isinstance(written, str) else written


_RATE = {"type": "string", "pattern": r"^\d{1,7}(\.\d{1,4})? ?([A-Z]{3}|%)$", "examples": ["2.00 USD", "2.5 %"]}
_BY_BRAND = {"type": "object", "propertyNames": {"enum": sorted(BRAND_NAMES)}, "additionalProperties": _RATE}
Rate = Annotated[FeeRate, BeforeValidator(read_rate)]
Rates = Annotated[
    dict[BrandName, Rate],
    Field(min_length=1),
    BeforeValidator(for_every_brand),
    WithJsonSchema({"anyOf": [_RATE, _BY_BRAND]}),
]


class CardFee(Written):
    """What a card costs on top of the amount: one rate, or a mapping."""

    rate: Rates
    """2.00 USD or 2.5 % for every brand, or by brand: {visa: 1.5 %, amex: 2.00 USD}. A brand that is left out costs nothing more."""
    round: Rounding | None = None
    """How a share of the amount is rounded to the smallest coin: half_up, up or down. Needed with one."""
    at_most: Amount | None = None
    """No fee is more than this. Only where a rate is a share."""

    @model_validator(mode="before")
    @classmethod
    def may_be_one_rate(cls, written: Any) -> Any:
        return {"rate": written} if isinstance(written, str) else written

    @model_validator(mode="after")
    def is_rounded(self) -> "CardFee":
        has_share = any(isinstance(rate, Share) for rate in self.rate.values())
        if has_share and self.round is None:
            message = "a share of an amount is rounded: say how (add round: half_up, up or down)"
            raise WrongValue(values.WRONG_VALUE, message, "rate")
        if self.round is not None and not has_share:
            raise WrongValue(values.WRONG_VALUE, "a fixed fee is not rounded (leave it out)", "round")
        if self.at_most is not None and not has_share:
            raise WrongValue(values.WRONG_VALUE, "a fixed fee is never more than it is (leave it out)", "at_most")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [_RATE, handler.resolve_ref_schema(handler(core_schema))]}

    @property
    def named_brands(self) -> frozenset[str]:
        """None where one rate is that of every brand."""
        return frozenset(self.rate) if self.rate.keys() != BRAND_NAMES else frozenset()

    @cached_property
    def schedule(self) -> FeeSchedule:
        return FeeSchedule(self.rate, self.round or "half_up", self.at_most)

    @property
    def fixed_amounts(self) -> Iterator[tuple[Place, Money]]:
        """Those that are written in it, each with its path below the fee."""
        for brand, rate in self.rate.items() if self.named_brands else list(self.rate.items())[:1]:
            if isinstance(rate, Money):
                yield (("rate", brand) if self.named_brands else ("rate",)), rate
        if self.at_most is not None:
            yield ("at_most",), self.at_most
