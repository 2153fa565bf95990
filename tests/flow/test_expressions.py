"""Expressions: what they are worth, which types they have, and what is said of one that cannot be read."""

from datetime import date, time

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.money import Money
from ivr.flow.expressions import (
    BUILT_IN,
    Mistyped,
    Type,
    UnreadableFormula,
    always_yes,
    evaluate,
    names_in,
    never_yes,
    read_expression,
    type_of,
)
from ivr.flow.expressions.bounds import difference, never_negative

TYPES: dict[str, Type] = {
    **BUILT_IN,
    "bill.due": "money",
    "bill.discount_until": "date",
    "account_number": "text",
    "order_of_things": "number",
}
VALUES = {
    "bill.due": Money(1050),
    "bill.discount_until": date(2026, 1, 20),
    "account_number": "91234567",
    "today": date(2026, 1, 15),
    "now": time(9, 30),
    "weekday": "thursday",
    "open": False,
    "language": "es-MX",
    "caller": "+525550100",
    "order_of_things": 3,
}
WORTH = {
    "bill.due - 5 %": Money(997),
    "bill.due + 5 %": Money(1103),
    "5 % of bill.due": Money(53),
    "2.5 % of bill.due": Money(26),
    "1.00 USD + 10 % of bill.due": Money(205),
    "bill.due - 3.00 USD - 2.00 USD": Money(550),
    "bill.due - (3.00 USD - 2.00 USD)": Money(950),
    "bill.due - 20.00 USD": Money(-950),
    "today + 2 weeks": date(2026, 1, 29),
    "today - 1 day": date(2026, 1, 14),
    "bill.discount_until - today <= 5 days": True,
    "bill.discount_until - today < 5 days": False,
    "today <= bill.discount_until and bill.due >= 10.50 USD": True,
    "today > bill.discount_until or now < 9:00": False,
    "not open and now >= 9:30": True,
    "not open or open": True,
    "no or yes and not no": True,
    "language in [es-MX, es-419]": True,
    "language = en-US": False,
    "weekday not in [saturday, sunday]": True,
    'account_number starts with "9"': True,
    "caller starts with '+52'": True,
    "open = no": True,
    "order_of_things + 2 = 5": True,
    "2026-02-01 > today": True,
}


@pytest.mark.parametrize("text", WORTH)
def test_an_expression_is_worth_what_it_says(text: str):
    expression = read_expression(text)
    assert type_of(expression, TYPES).mistakes == ()
    assert evaluate(expression, VALUES.__getitem__) == WORTH[text]


def test_the_second_side_is_not_looked_at_where_the_first_decides():
    assert evaluate(read_expression("open and amount > 5.00 USD"), VALUES.__getitem__) is False
    assert evaluate(read_expression("not open or amount > 5.00 USD"), VALUES.__getitem__) is True


def test_the_values_that_it_is_made_of_are_known_with_their_places():
    found = [(one.name, one.at) for one in names_in(read_expression("not open or bill.due > 5 % of bill.due"))]
    assert found == [("open", 4), ("bill.due", 12), ("bill.due", 30)]


MISTAKES = {
    "bill.due > 5": (9, "an amount of money is compared with a number", "5.00 USD"),
    "today > 17:00": (6, "a date is compared with a time of day", "'now' the time of day"),
    "account_number = 12": (15, "a text is compared with a number", "in quotes"),
    'language = "es-MX"': (9, "a language is compared with a text", "without quotes"),
    "bill.due - 2 days": (9, "'-' does not go with an amount of money and a number of days", "of one type"),
    "today + 2": (6, "'+' does not go with a date and a number", "2 days"),
    "bill.due and open": (0, "'and' joins what is yes or no, and this is an amount of money", "compare it"),
    "language < en-US": (9, "a language is neither more nor less than another", "'='"),
    'bill.due starts with "5"': (0, "an amount of money is compared with a text", "of one type"),
    "language in [es-MX, 5]": (0, "a language is compared with a number", "of one type"),
}


@pytest.mark.parametrize("text", MISTAKES)
def test_what_does_not_go_together_is_told_with_both_types_and_its_place(text: str):
    at, message, cure = MISTAKES[text]
    (mistake,) = type_of(read_expression(text), TYPES).mistakes
    assert (mistake.at, mistake.message) == (at, message)
    assert cure in mistake.cure


def test_a_name_of_unknown_type_is_no_mistake_here():
    assert type_of(read_expression("no_such_value > 5.00 USD"), TYPES).mistakes == ()
    assert isinstance(type_of(read_expression("bill.due + today"), TYPES).mistakes[0], Mistyped)


NEVER_YES = {
    "today >= 2026-12-31 and today <= 2026-12-01": "'today' is never >= 2026-12-31 and <= 2026-12-01 at once",
    "now < 9:00 and 17:00 < now": "'now' is never < 9:00 and > 17:00 at once",
    "bill.due > 5.00 USD and open and bill.due = 5.00 USD": "'bill.due' is never > 5.00 USD and = 5.00 USD at once",
    "bill.due - 5 % > 9.00 USD and bill.due - 5 % < 8.00 USD": "this is never > 9.00 USD and < 8.00 USD at once",
    'account_number = "1" and account_number = "2"': '\'account_number\' is never = "1" and = "2" at once',
    "open or not (weekday = monday and weekday = sunday)": "'weekday' is never = monday and = sunday at once",
    "today - 2026-12-01 > 5 days and today - 2026-12-01 < 2 days": "this is never > 5 days and < 2 days at once",
    "bill.due < bill.min": "this is never yes",
    "today != today": "this is never yes",
    '"9" starts with "8"': "this is never yes",
    "3 in [1, 2]": "this is never yes",
    "now < 0:00": "this is never yes",
    "bill.due + 5 % < bill.min - 1.00 USD": "this is never yes",
    "bill.due + 0.01 USD = bill.min": "this is never yes",
}
SOMETIMES_YES = [
    "now >= 22:00 or now < 6:00",
    "today >= 2026-12-01 and today <= 2026-12-01",
    "bill.due > 5.00 USD and bill.due > 10.00 USD",
    "bill.due > 5.00 USD or bill.due < 4.00 USD",
    "bill.due = bill.min and bill.due <= bill.min",
    "bill.due = 0.00 USD",
    "bill.due > 9.00 USD and bill.min < 8.00 USD",
    "bill.due + bill.fee < 1.00 USD",
    "bill.due > 5.00 USD and not (bill.due > 4.00 USD)",
]


@pytest.mark.parametrize("text", NEVER_YES)
def test_a_condition_that_excludes_itself_is_known(text: str):
    (found,) = never_yes(read_expression(text), text)
    assert found.message.startswith(NEVER_YES[text])


@pytest.mark.parametrize("text", SOMETIMES_YES)
def test_a_condition_that_may_be_yes_is_none_that_never_is(text: str):
    assert list(never_yes(read_expression(text), text)) == []


AMOUNTS = (
    "bill.due",
    "bill.min",
    "5.00 USD",
    "bill.due - bill.min",
    "bill.due - 5 %",
    "3 % of bill.min",
    "bill.due + 1.00 USD",
)


@given(st.sampled_from(AMOUNTS), st.sampled_from(AMOUNTS), st.integers(0, 9000), st.integers(0, 9000))
def test_what_is_said_of_two_amounts_before_a_call_is_true_in_it(one: str, other: str, due: int, least: int):
    values = {"bill.due": Money(max(due, least)), "bill.min": Money(min(due, least))}
    first, second = read_expression(one), read_expression(other)
    worth = [evaluate(each, values.__getitem__).minor for each in (first, second)]
    if never_negative(difference(first, second)):
        assert worth[0] >= worth[1] - 1  # a share is rounded


ALWAYS_YES = [
    "1 < 2",
    "2026-01-01 != 2026-01-02",
    "weekday = weekday",
    "now >= 0:00",
    "bill.due >= 0.00 USD",
    "bill.min <= bill.due and open",
    "bill.due + 0.01 USD > bill.min",
]
NOT_ALWAYS = [
    "bill.due > 0.00 USD",
    "bill.due >= 99.99 % of bill.due",
    "50 % of bill.due + 50 % of bill.due <= bill.due",
    "bill.due >= 0.01 USD",
    "now > 23:59",
    "bill.due != bill.min",
    "open",
    "yes",
]


@pytest.mark.parametrize(
    ("text", "is_always"), [(one, True) for one in ALWAYS_YES] + [(one, False) for one in NOT_ALWAYS]
)
def test_a_condition_that_is_yes_in_every_call_is_known(text: str, is_always: bool):
    assert (len(list(always_yes(read_expression(text)))) == 1) == is_always


SIGNS = ("=", "!=", "<", "<=", ">", ">=")


@given(
    st.sampled_from((*AMOUNTS, "0.00 USD")),
    st.sampled_from(SIGNS),
    st.sampled_from((*AMOUNTS, "0.00 USD")),
    st.integers(0, 900),
    st.integers(0, 900),
)
def test_what_is_certain_of_two_amounts_is_so_in_every_call(one: str, sign: str, other: str, due: int, least: int):
    values = {"bill.due": Money(max(due, least)), "bill.min": Money(min(due, least))}
    comparison = read_expression(f"{one} {sign} {other}")
    if list(always_yes(comparison)):
        assert evaluate(comparison, values.__getitem__) is True


UNREADABLE = {
    "bill.due >": (10, "not finished", "a value is expected"),
    "": (0, "not finished", "a value is expected"),
    "bill.due == 5.00 USD": (10, "'=' cannot stand here", "one '=' is enough"),
    "bill.due > $5": (11, "'$5'", "write an amount like 5.00 USD"),
    "bill.due > 5,00 USD": (12, "',00'", "with a point"),
    "bill.due > 1,000.00 USD": (11, "'1,000.00 USD' has a thousands separator", "leave the separator out: 1000.00 USD"),
    "bill.due > 1.234.000,50 EUR": (11, "thousands separator", "leave the separator out: 1234000.50 EUR"),
    "bill.due > 1,20,000.00 USD": (11, "thousands separator", "leave the separator out: 120000.00 USD"),
    "bill.due > 1,5 %": (12, "',5'", "with a point"),
    "bill.due > 1 000 USD and open": (11, "'1 000 USD' has a thousands separator", "out: 1000 USD"),
    "bill.due > 1.000 USD": (11, "USD has 2 decimal places", "no other separator, such as 1000.00 USD"),
    "bill.due * 2": (9, "'*'", "nothing is multiplied"),
    "open AND open": (5, "'AND'", "write 'and'"),
    "open && open": (5, "'&&'", "write 'and'"),
    "bill.due 5.00 USD": (9, "'5.00'", "values are joined by"),
    "language in es-MX": (12, "'es-MX'", "a list in brackets"),
    "5 USX < bill.due": (0, "'USX' is not a currency", ""),
    "today < 2026-02-30": (8, "2026-02-30", ""),
    "now < 25:00": (6, "25:00", ""),
    "__import__('os')": (0, "cannot stand here", ""),
    "bill.due.minor > 1": (8, "'.minor'", ""),
    "bill.due > 1_000.00 USD": (11, "'1_000.00 USD' has a thousands separator", "leave the separator out: 1000.00 USD"),
    "bill.due > -5.00 USD": (11, "'-5.00 USD' has a sign", "nothing is due or paid below nought: write 5.00 USD"),
    "0.5 of bill.due > 5.00 USD": (0, "'0.5' has decimals", "a share is of a hundred: write 50 %"),
    "0.125 of bill.due > 5.00 USD": (0, "'0.125' has decimals", "write 12.5 %"),
    "50 % bill.due > 5.00 USD": (5, "'bill.due' cannot stand here", "write '50 % of bill.due'"),
    "5.00 USD < bill.due < 9.00 USD": (
        20,
        "'<' compares what is compared already",
        "write two comparisons: 5.00 USD < bill.due and bill.due < ...",
    ),
    "bill.due greater than 5.00 USD": (9, "'greater than' cannot stand here", "write '>'"),
    "bill.due is more than 5.00 USD": (9, "'is more than' cannot stand here", "write '>'"),
    "bill.due is less than or equal to 5.00 USD": (9, "'is less than or equal to'", "write '<='"),
    "bill.due at least 5.00 USD": (9, "'at least' cannot stand here", "write '>='"),
    "bill.due exceeds 5.00 USD": (9, "'exceeds' cannot stand here", "write '>'"),
    "bill.due is 5.00 USD": (9, "'is' cannot stand here", "write '='"),
    "$bill.due > 5.00 USD": (0, "'$bill.due' cannot stand here", "a value is its name alone: write 'bill.due'"),
    "round(bill.due) > 5.00 USD": (0, "'round(' cannot stand here", "there are no functions"),
    "if bill.due > 5.00 USD": (0, "'if' cannot stand here", "leave it out"),
    "bill.due > 5.00 USD then": (20, "'then' cannot stand here", "leave it out"),
    "open or " * 40: (0, "at most 200 characters", "split it"),
}


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_told_with_its_place_and_a_cure(text: str):
    at, message, cure = UNREADABLE[text]
    with pytest.raises(UnreadableFormula) as caught:
        read_expression(text)
    assert caught.value.at == at
    assert message in str(caught.value)
    assert cure in caught.value.cure


@given(st.text(alphabet="ab.19 +-%<>=!()[],\"'andorti", max_size=40))
def test_any_text_is_read_or_refused(text: str):
    try:
        expression = read_expression(text)
    except UnreadableFormula as error:
        assert 0 <= error.at <= len(text)  # noqa: PT017
    else:
        type_of(expression, TYPES)


@given(st.integers(0, 10**7), st.integers(0, 10_000))
def test_a_share_is_rounded_half_up_to_the_smallest_unit(minor: int, hundredths: int):
    text = f"{hundredths // 100}.{hundredths % 100:02} % of bill.due"
    share = evaluate(read_expression(text), {"bill.due": Money(minor)}.__getitem__)
    assert -5000 < share.minor * 10_000 - minor * hundredths <= 5000
    left = evaluate(
        read_expression(text.replace(" of bill.due", "").join(("bill.due - ", ""))),
        {"bill.due": Money(minor)}.__getitem__,
    )
    assert left.minor + share.minor == minor
