"""What people write otherwise than an expression does is told with what is wrong and the right spelling, at its place."""

import pytest

from ivr.flow.expressions import UnreadableFormula, read_expression

AMOUNT, DECIMALS, CLOCK = "is not how an amount is written", "has decimals, and a number has none", "clock of 24 hours"
SLIPS = {
    "bill.due > 5.00USD": (11, AMOUNT, "write 5.00 USD"),
    "bill.due > 5.00 usd": (11, AMOUNT, "write 5.00 USD"),
    "5.00usd < bill.due": (0, AMOUNT, "write 5.00 USD"),
    "bill.due > .50 USD": (11, AMOUNT, "write 0.50 USD"),
    "bill.due > USD 5.00": (11, "its currency in front", "write 5.00 USD"),
    "bill.due > 5.00 dollars": (11, "its currency in words", "5.00 USD"),
    "bill.due > 1.5": (11, DECIMALS, "1.50 USD, and a share its sign, as in 1.5 %"),
    "now > 17.30": (6, DECIMALS, "write a time of day 17:30"),
    "5 percent of bill.due": (0, "a share", "write 5 %"),
    'account_number starts with "9': (27, 'begins at "9 and has no closing quote', 'write "9"'),
    "account_number = '9 and open": (17, "begins at '9 and has no closing quote", 'write "9"'),
    "account_number = “9”": (17, "typographic quotes", 'write "9"'),
    "2 AND open": (2, "'AND' cannot stand here", "write 'and'"),
    "open Or open": (5, "'Or' cannot stand here", "write 'or'"),
    "NOT open": (0, "'NOT' cannot stand here", "write 'not'"),
    "open = TRUE": (7, "'TRUE' cannot stand here", "write 'yes'"),
    "Bill.due > 5.00 USD": (0, "has capital letters", "write 'bill.due'"),
    "bill due > 5.00 USD": (0, "'bill due' cannot stand here", "write 'bill.due'"),
    "bill.due => 5.00 USD": (9, "'=>' cannot stand here", "write '>='"),
    "bill.due ≥ 5.00 USD": (9, "'≥' cannot stand here", "write '>='"),
    "bill.due is 5.00 USD": (9, "'is' cannot stand here", "write '='"),
    "bill.due >= 5.00 USD;": (20, "';' cannot stand here", "leave it out"),
    "weekday = Monday": (10, "'Monday' cannot stand here", "write 'monday'"),
    "language = en_US": (11, "'en_US' is not how a language is written", "write en-US"),
    "now >= 9am": (7, CLOCK, "write 9:00"),
    "now < 12:30 AM": (6, CLOCK, "write 0:30"),
    "today > 12/31/2026": (8, "'12/31/2026' is not how a date is written", "2026-12-31"),
    "today > 2026-1-5": (8, "'2026-1-5' is no date", "write 2026-01-05"),
    "today = 12-25": (8, "'12-25' is no date", "a day that comes every year is written with each of its years"),
    "today in [2026-12-24, 24-12-2027]": (22, "'24-12-2027' is no date", "year, month and day"),
    "today = Dec 25": (8, "'Dec 25' is not how a date is written", "2026-12-31"),
    "today < 25 December 2026": (8, "'25 December 2026' is not how a date is written", "2026-12-31"),
    "called = +15550100": (9, "'+15550100' is a text", 'write "+15550100"'),
    "caller starts with +1": (19, "'+1' is a text", 'write "+1"'),
    "today + 3 months > today": (8, "'3 months' cannot be read", "in days or weeks"),
    "(open": (5, "the expression is not finished", "write ')' where it ends"),
}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_is_told_with_its_place_and_the_right_spelling(text: str):
    at, message, cure = SLIPS[text]
    with pytest.raises(UnreadableFormula) as found:
        read_expression(text)
    assert (found.value.at, message in str(found.value), cure in found.value.cure) == (at, True, True)


def test_every_spelling_that_is_offered_can_be_read():
    for text, (_, _, cure) in SLIPS.items():
        if cure.startswith("write ") and text.count(" ") > 1 and "where" not in cure:
            right = cure.removeprefix("write ").removeprefix("a time of day ").strip("'")
            assert right in (">=", "=", "and", "or", "not") or read_expression(right)


@pytest.mark.parametrize("text", ["now in 10:30-12:00", "count = +1", "caller = Mary 5"])
def test_what_cannot_be_read_is_not_told_as_a_slip_that_it_is_not(text: str):
    with pytest.raises(UnreadableFormula) as found:
        read_expression(text)
    told = f"{found.value} {found.value.cure}"
    assert "date" not in told
    assert '"+1"' not in told


def test_what_is_no_slip_is_not_told_as_one():
    for text in (
        'account_number = "5.00USD"',
        "bill.due > 2.5 %",
        "2026-12-31 > today",
        'order = "AND"',
        "count - 3 > 12",
        "count > 40-2",
    ):
        read_expression(text)


def test_a_slip_that_stands_elsewhere_is_not_told_in_place_of_what_is_wrong():
    with pytest.raises(UnreadableFormula, match="',' cannot stand here"):
        read_expression('bill.due , 5.00 USD and caller = "NOT"')
