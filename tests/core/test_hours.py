"""Opening hours by the clock of a place: spans, holidays, and the two days on which the clock is changed."""

from datetime import UTC, date, datetime

import pytest

from ivr.core.hours import Holiday, OpeningHours, OpenSpan
from ivr.reading.hours import read_days, read_holiday

NEW_YORK = "America/New_York"
OFFICE = OpeningHours(NEW_YORK, read_days({"monday..friday": "8:00-17:00", "saturday": ["9:00-12:00", "13:00-15:00"]}))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-01-15 12:59", False),  # 7:59 on a Thursday
        ("2026-01-15 13:00", True),
        ("2026-01-15 21:59", True),
        ("2026-01-15 22:00", False),
        ("2026-01-17 16:59", True),  # Saturday morning
        ("2026-01-17 17:30", False),  # noon
        ("2026-01-17 18:00", True),
        ("2026-01-18 16:00", False),  # Sunday
        ("2026-07-15 12:00", True),  # summer time: 8:00
    ],
)
def test_hours_are_those_of_the_clock_there(at: str, is_open: bool):
    assert OFFICE.is_open(utc(at)) is is_open


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-01-15 12:00", "2026-01-15T08:00"),
        ("2026-01-15 15:00", "2026-01-16T08:00"),  # open now: the next one
        ("2026-01-17 17:30", "2026-01-17T13:00"),
        ("2026-01-17 22:00", "2026-01-19T08:00"),
        ("2026-01-17 04:30", "2026-01-17T09:00"),  # still Friday evening there
    ],
)
def test_the_next_opening_is_said_by_the_clock_there(at: str, opens: str):
    found = OFFICE.next_opening(utc(at))
    assert found is not None
    assert found.replace(tzinfo=None) == datetime.fromisoformat(opens)


def test_a_holiday_takes_the_hours_of_its_day():
    hours = OpeningHours(NEW_YORK, OFFICE.days, tuple(map(read_holiday, ("2026-01-15", "01-16"))))
    assert not hours.is_open(utc("2026-01-15 15:00"))
    opens = hours.next_opening(utc("2026-01-14 23:00"))
    assert opens is not None
    assert opens.date() == date(2026, 1, 17)


@pytest.mark.parametrize(
    ("rule", "days"),
    [
        ("12-25", ["2025-12-25", "2026-12-25"]),
        ("02-29", ["2024-02-29"]),
        ("2026-12-24", ["2026-12-24"]),
        ("4th thursday of november", ["2025-11-27", "2026-11-26"]),
        ("1st monday of september", ["2026-09-07"]),
        ("last monday of may", ["2025-05-26", "2026-05-25"]),
    ],
)
def test_a_rule_for_a_holiday_means_one_day_of_a_year(rule: str, days: list[str]):
    holiday = read_holiday(rule)
    years = {day[:4] for day in days}
    every = [date.fromordinal(one) for one in range(date(2024, 1, 1).toordinal(), date(2027, 1, 1).toordinal())]
    assert [str(day) for day in every if holiday.is_on(day) and str(day)[:4] in years] == days


def test_hours_run_over_midnight_and_belong_to_the_day_on_which_they_began():
    hours = OpeningHours(NEW_YORK, read_days({"friday": "22:00-2:00"}))
    assert hours.is_open(utc("2026-01-17 04:00"))  # Friday, 23:00
    assert hours.is_open(utc("2026-01-17 06:59"))  # Saturday, 1:59
    assert not hours.is_open(utc("2026-01-17 07:00"))
    closed = OpeningHours(NEW_YORK, hours.days, (Holiday(2026, 1, 16),))
    assert not closed.is_open(utc("2026-01-17 06:00"))


def test_a_day_without_end_closes_at_24():
    hours = OpeningHours(NEW_YORK, read_days({"sunday": "0:00-24:00"}))
    assert hours.days == {6: (OpenSpan(0, 1440),)}
    assert hours.is_open(utc("2026-01-19 04:59"))
    assert not hours.is_open(utc("2026-01-19 05:00"))


def test_when_the_clock_is_put_back_the_hour_that_it_shows_twice_is_open_twice():
    hours = OpeningHours(NEW_YORK, read_days({"sunday": "1:30-1:45"}))
    assert hours.is_open(utc("2026-11-01 05:30"))  # 1:30 in summer time
    assert hours.is_open(utc("2026-11-01 06:00"))  # 1:00, an hour later: between the first and the last
    assert hours.is_open(utc("2026-11-01 06:44"))
    assert not hours.is_open(utc("2026-11-01 06:45"))


def test_what_begins_in_the_hour_that_is_left_out_begins_an_hour_later():
    hours = OpeningHours(NEW_YORK, read_days({"sunday": "2:30-8:00"}))
    assert not hours.is_open(utc("2026-03-08 07:15"))  # 3:15 in summer time
    assert hours.is_open(utc("2026-03-08 07:30"))
    opens = hours.next_opening(utc("2026-03-08 06:00"))
    assert opens is not None
    assert opens.isoformat() == "2026-03-08T03:30:00-04:00"


def test_a_day_of_23_hours_closes_by_the_clock():
    hours = OpeningHours(NEW_YORK, read_days({"sunday": "0:00-12:00"}))
    assert hours.is_open(utc("2026-03-08 15:59"))
    assert not hours.is_open(utc("2026-03-08 16:00"))


def test_without_days_every_day_is_open_that_is_no_holiday():
    hours = OpeningHours(NEW_YORK, None, tuple(map(read_holiday, ("12-25",))))
    assert hours.is_open(utc("2026-12-27 08:00"))
    assert not hours.is_open(utc("2026-12-25 18:00"))
    opens = hours.next_opening(utc("2026-12-25 18:00"))
    assert opens is not None
    assert opens.isoformat() == "2026-12-26T00:00:00-05:00"


def test_who_is_never_open_has_no_next_opening():
    assert OpeningHours(NEW_YORK, {}).next_opening(utc("2026-01-15 12:00")) is None
