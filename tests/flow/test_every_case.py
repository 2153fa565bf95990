"""Conditions that come out the same in every call are found, and what is said of one is true of every call that there can be."""

from datetime import date, time, timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.money import Money
from ivr.flow.expressions import LONGEST, evaluate, is_reached, read_expression, same_in_every_call

NEVER, ALWAYS, IDLE = False, True, None
SAME = {
    "no": [(0, NEVER)],
    "yes": [(0, ALWAYS)],
    "open and not open": [(0, NEVER)],
    "not open or open": [(4, ALWAYS)],
    "bill.due > 5.00 USD or bill.due <= 10.00 USD": [(0, ALWAYS)],
    "bill.due > 5.00 USD and not bill.due >= 5.01 USD": [(0, NEVER)],
    "today >= 2026-12-02 or today <= 2026-12-01": [(0, ALWAYS)],
    "language = en-US or not language in [en-US, es-MX] or language = es-MX": [(0, ALWAYS)],
    'account_number starts with "9" and not account_number starts with "9"': [(0, NEVER)],
    "bill.due > bill.min or bill.min >= bill.due": [(0, ALWAYS)],
    "today - bill.since > 30 days or today - bill.since <= 30 days": [(0, ALWAYS)],
    "weekday in [saturday, sunday] or not weekday in [sunday, saturday]": [(0, ALWAYS)],
    "open and (now > 9:00 or now <= 9:00)": [(10, ALWAYS)],
    "open or no": [(8, NEVER)],
    "open = yes and not open": [(0, NEVER)],
    "bill.due > 5.00 USD or bill.due > 10.00 USD": [(23, IDLE)],
    "bill.due < 5.00 USD and bill.due < 10.00 USD": [(24, IDLE)],
    "open or open": [(8, IDLE)],
    "open and (weekday = monday or weekday in [monday, friday])": [(10, IDLE)],
}
DIFFERENT = [
    "open",
    "not open",
    "now >= 22:00 or now < 6:00",
    "open and now > 9:00 and now < 17:00",
    "bill.due > 5.00 USD or bill.due < 5.00 USD",
    "bill.due > 5.00 USD and bill.due < 5.02 USD",
    "2 % of bill.due > 5.00 USD or bill.due > 5.00 USD",
    "language = en-US or language = es-MX",
    "weekday in [monday, tuesday] and not weekday = monday",
    'account_number = "1" or account_number starts with "1"',
    "bill.due != bill.min and bill.due > 1.00 USD",
]


@pytest.mark.parametrize("text", SAME)
def test_what_is_the_same_in_every_call_is_found_with_its_place(text: str):
    assert [(one.at, one.is_yes) for one in same_in_every_call(read_expression(text))] == SAME[text]


@pytest.mark.parametrize("text", DIFFERENT)
def test_what_depends_on_the_call_is_left_alone(text: str):
    assert list(same_in_every_call(read_expression(text))) == []


def test_more_cases_than_can_be_tried_decide_nothing():
    text = " or ".join(f"a{number} > {number}" for number in range(14))
    assert list(same_in_every_call(read_expression(text))) == []


@pytest.mark.parametrize(
    ("above", "condition", "reached"),
    [
        (["bill.due > 5.00 USD"], "bill.due > 10.00 USD", False),
        (["bill.due > 10.00 USD"], "bill.due > 5.00 USD", True),
        (["open", "bill.due > 5.00 USD"], "not (not open and bill.due <= 5.00 USD)", False),
        (["open"], "open or bill.due > 5.00 USD", True),
        ([], "open", True),
    ],
)
def test_a_condition_is_reached_where_none_above_it_is_yes_whenever_it_is(
    above: list[str], condition: str, reached: bool
):
    assert is_reached(read_expression(condition), [read_expression(one) for one in above]) is reached


# ---- against calls: what is said of a condition holds in each of them

ATOMS = (
    "yes",
    "no",
    "open",
    "open = no",
    "bill.due > 5.00 USD",
    "5.00 USD >= bill.due",
    "bill.due < 5.01 USD",
    "bill.due = bill.min",
    "bill.min > bill.due",
    "bill.due - bill.min <= 0.50 USD",
    "today < 2026-12-02",
    "2026-12-01 < today",
    "now > 12:00",
    "now <= 12:01",
    "weekday in [saturday, sunday]",
    "weekday not in [saturday, monday]",
    "language = es-MX",
    "language in [es-MX, en-US]",
    'account_number starts with "9"',
    'account_number = "91"',
)
CONDITIONS = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(("and", "or")), inner).map(lambda said: f"({said[0]} {said[1]} {said[2]})"),
        inner.map(lambda said: f"not ({said})"),
    ),
    max_leaves=4,
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CALLS = st.fixed_dictionaries(
    {
        "open": st.booleans(),
        "bill.due": st.sampled_from((0, 1, 499, 500, 501, 502, 2000)).map(Money),
        "bill.min": st.sampled_from((0, 450, 500, 501)).map(Money),
        "today": st.integers(-1, 3).map(lambda days: date(2026, 11, 30) + timedelta(days)),
        "now": st.sampled_from((time(0), time(12), time(12, 0, 30), time(12, 1), time(23, 59))),
        "weekday": st.sampled_from(DAYS),
        "language": st.sampled_from(("en-US", "es-MX", "fr-CA")),
        "account_number": st.sampled_from(("91", "9", "12")),
    }
)


@given(CONDITIONS, CONDITIONS, CALLS)
def test_a_condition_that_is_not_reached_is_yes_in_no_call_without_one_above_it(
    above: str, text: str, call: dict[str, Any]
):
    """With `no` above it, that is a condition that is never yes; with `yes` as itself, one above it that is always."""
    values = call | {"bill.min": min(call["bill.min"], call["bill.due"], key=lambda one: one.minor)}
    for one, other in ((above, text), ("no", text), (above, "yes")):
        if len(one) <= LONGEST >= len(other) and not is_reached(read_expression(other), [read_expression(one)]):
            is_yes, is_yes_above = (evaluate(read_expression(said), values.__getitem__) for said in (other, one))
            assert is_yes_above or not is_yes
