"""What a day moved by our ledger: rows for a file, and totals by merchant, bank, currency and brand."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ivr.core.money import Money
from ivr.store import Movement

# 0001 and 9999 stand in files for a day that is not known, and nobody can count on from them.
YEARS = range(1990, 2200)
COLUMNS = (
    *("at", "kind", "reference", "confirmation_number", "bank_reference", "bill", "amount", "currency", "merchant"),
    *("bank", "brand", "last4", "flow", "fee_minor"),
)
Group = tuple[str, str, str, str]
"""Merchant, bank, currency, brand."""


@dataclass
class DayTotals:
    """By merchant, bank, currency and brand, in minor units; refunds and voids above nought. `fees`: what is left of the fees
    for cards, which are within the other amounts: charged, less what was given back of them."""

    charged: Counter[Group] = field(default_factory=Counter)
    refunded: Counter[Group] = field(default_factory=Counter)
    voided: Counter[Group] = field(default_factory=Counter)
    fees: Counter[Group] = field(default_factory=Counter)
    counts: Counter[Group] = field(default_factory=Counter)

    @property
    def groups(self) -> list[Group]:
        return sorted(self.counts)

    def net(self, group: Group) -> int:
        return self.charged[group] - self.refunded[group] - self.voided[group]


def day_bounds(day: date, zone: str = "UTC") -> tuple[datetime, datetime]:
    """From its first moment in that time zone to the next day's; a day may have 23 or 25 hours."""
    place = ZoneInfo(zone)
    first = datetime.combine(day, time(), place)
    return first.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), place).astimezone(UTC)


def day_rows(movements: Iterable[Movement], totals: DayTotals) -> Iterator[tuple[str, ...]]:
    """One of COLUMNS each, adding up `totals` on the way."""
    for one in movements:
        add_to(totals, one)
        yield (
            one.at.isoformat(timespec="seconds"),
            one.kind,
            one.reference,
            one.confirmation_number,
            one.bank_reference,
            one.bill,
            str(one.amount).split()[0],
            one.amount.currency,
            one.merchant,
            one.bank,
            one.brand,
            one.last4,
            one.flow,
            str(one.fee.minor),
        )


def add_to(totals: DayTotals, one: Movement) -> None:
    group = one.merchant, one.bank, one.amount.currency, one.brand
    {"charge": totals.charged, "refund": totals.refunded, "void": totals.voided}[one.kind][group] += one.amount.minor
    totals.fees[group] += one.fee.minor if one.kind == "charge" else -one.fee.minor
    totals.counts[group] += 1


def total_of(totals: DayTotals) -> list[Money]:
    """What the merchant is owed for the day, by currency."""
    owed: Counter[str] = Counter()
    for group in totals.groups:
        owed[group[2]] += totals.net(group)
    return [Money(minor, currency) for currency, minor in sorted(owed.items())]
