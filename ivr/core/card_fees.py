"""What a card costs on top of the amount: by brand, a fixed sum or a share of the amount, with the rounding that was stated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from ivr.core.money import Money

Rounding = Literal["half_up", "up", "down"]
PER_CENT = 100


@dataclass(frozen=True)
class Share:
    """`per_cent` of the amount, which is `written` so."""

    per_cent: Fraction
    written: str


FeeRate = Money | Share


@dataclass(frozen=True)
class FeeSchedule:
    """`rates` by brand: a brand that is not there costs nothing more. `at_most`: no fee is more, whatever the share."""

    rates: Mapping[str, FeeRate] = field(default_factory=dict)
    rounding: Rounding = "half_up"
    at_most: Money | None = None

    def fee(self, brand: str, amount: Money) -> Money:
        """Of this amount with a card of this brand; nought where there is none. ValueError where the currencies differ."""
        rate = self.rates.get(brand)
        if rate is None or amount.minor <= 0:
            return Money(0, amount.currency)
        fee = Money(self._share(rate, amount.minor), amount.currency) if isinstance(rate, Share) else rate
        most = self.at_most or fee
        if not fee.currency == most.currency == amount.currency:
            raise ValueError("a fee is in the currency of the amount")
        return min(fee, most)

    def _share(self, share: Share, minor: int) -> int:
        """In integers alone: half a unit is rounded up, away from nothing."""
        exact = share.per_cent * minor / PER_CENT
        if self.rounding == "up":
            return -(-exact.numerator // exact.denominator)
        if self.rounding == "half_up":
            exact += Fraction(1, 2)
        return exact.numerator // exact.denominator
