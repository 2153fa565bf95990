"""When a merchant is open: spans of the week by the clock of one time zone, without the holidays.

A span is two moments. Where the clock is put back and shows an hour twice, a span begins with the first and ends with the
second; what would begin in an hour that the clock leaves out begins so much later. A span that ends when it begins or
before runs into the next day and belongs to the day on which it began: a holiday takes all of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

A_DAY = 24 * 60
# Nobody is closed for so long who answers the telephone.
MOST_DAYS_CLOSED = 400


@dataclass(frozen=True)
class OpenSpan:
    """In minutes after midnight; `closes` is more than a day for a span that runs into the next."""

    opens: int
    closes: int


@dataclass(frozen=True)
class Holiday:
    """A date of one year, of every year (`year` None), or the nth weekday of a month; `nth` -1 is the last one there."""

    year: int | None
    month: int
    day: int = 0
    nth: int = 0
    weekday: int = 0

    def is_on(self, day: date) -> bool:
        if day.month != self.month or self.year not in (None, day.year):
            return False
        if not self.nth:
            return day.day == self.day
        if day.weekday() != self.weekday:
            return False
        is_last = (day + timedelta(days=7)).month != day.month
        return is_last if self.nth < 0 else (day.day - 1) // 7 + 1 == self.nth


@dataclass(frozen=True)
class OpeningHours:
    """`days` by weekday, Monday is 0; None: open all day, every day that is no holiday."""

    zone: str
    days: Mapping[int, tuple[OpenSpan, ...]] | None = None
    holidays: tuple[Holiday, ...] = ()

    def local(self, at: datetime) -> datetime:
        """What the clock shows there."""
        return at.astimezone(zone_of(self.zone))

    def is_open(self, at: datetime) -> bool:
        today = self.local(at).date()
        days = (today - timedelta(days=1), today)
        return any(opens <= at < closes for day in days for opens, closes in self._moments(day))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first one after this moment, by the clock there; None where there is none within a year."""
        today = self.local(at).date()
        for after in range(MOST_DAYS_CLOSED):
            for opens, _ in self._moments(today + timedelta(days=after)):
                if opens > at:
                    return self.local(opens)
        return None

    def _moments(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """When it is open on a day, in UTC: moments of one zone are compared by its clock, which goes back once a year."""
        if any(holiday.is_on(day) for holiday in self.holidays):
            return
        for span in (OpenSpan(0, A_DAY),) if self.days is None else self.days.get(day.weekday(), ()):
            yield self._moment(day, span.opens, fold=0), self._moment(day, span.closes, fold=1)

    def _moment(self, day: date, minutes: int, *, fold: int) -> datetime:
        days, minutes = divmod(minutes, A_DAY)
        clock = time(minutes // 60, minutes % 60, fold=fold)
        local = datetime.combine(day + timedelta(days=days), clock, zone_of(self.zone))
        return _without_gap(local).astimezone(UTC)


def _without_gap(local: datetime) -> datetime:
    """A time that the clock leaves out, read as so much later, for the end of a span too."""
    exists = local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)
    return local if exists else local.replace(fold=0)


@lru_cache(64)
def zone_of(name: str) -> ZoneInfo:
    """KeyError for a zone that does not exist."""
    return ZoneInfo(name)
