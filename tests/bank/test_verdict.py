"""What is believed of a bank's answer: each kind of contradiction, in the bank's own bytes, to a charge and to an inquiry."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.bank import BankAnswer, Question, judge
from ivr.bank.tonetill.answers import INQUIRY_OUTCOMES, REVERSAL_OUTCOMES, read_answer
from ivr.bank.verdict import APPROVING
from ivr.core.money import Money

ASKED = Money(4250, "USD")
GOOD = {"reference": "CA1-1", "outcome": "approved", "response_code": "00", "authorization_code": "482913"}
WHOLE = {"minor": 4250, "currency": "USD"}
BELIEVED = ("approved", "approved")
CONTRADICTS = ("unknown", "not_as_asked")
TAKEN_BACK = ("not_as_asked", "not_as_asked")
ONE_MORE_WORD = ("unknown", "approved")
UNREAD = ("unknown", "unknown")


def judged(content: bytes, question: Question) -> BankAnswer:
    outcomes = REVERSAL_OUTCOMES if question == "reverse" else INQUIRY_OUTCOMES
    return judge(read_answer("CA1-1", 200, content, outcomes), question, ASKED)


def both(body: dict[str, object]) -> tuple[str, str]:
    content = json.dumps(body).encode()
    return judged(content, "authorize").outcome, judged(content, "inquire").outcome


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, BELIEVED),
        # field 39
        ({"response_code": "10"}, TAKEN_BACK),
        ({"response_code": 10}, TAKEN_BACK),
        ({"response_code": " 10"}, TAKEN_BACK),
        ({"response_code": "10", "approved_amount": {"minor": 4250, "currency": "USD"}}, TAKEN_BACK),
        ({"response_code": "05"}, CONTRADICTS),
        ({"response_code": 5}, CONTRADICTS),
        ({"response_code": "51"}, CONTRADICTS),
        ({"response_code": "85"}, CONTRADICTS),
        ({"response_code": "N7"}, CONTRADICTS),
        ({"response_code": "08"}, BELIEVED),
        ({"response_code": "11"}, BELIEVED),
        ({"response_code": 0}, BELIEVED),
        ({"response_code": "00  "}, BELIEVED),
        ({"response_code": None}, ONE_MORE_WORD),
        ({"response_code": ""}, ONE_MORE_WORD),
        ({"response_code": "  "}, ONE_MORE_WORD),
        # A code that cannot be read may refuse: only where there is none is the bank's second word enough.
        ({"response_code": "0123456789"}, CONTRADICTS),
        ({"response_code": False}, CONTRADICTS),
        ({"response_code": ["00"]}, CONTRADICTS),
        ({"response_code": {}}, CONTRADICTS),
        ({"response_code": "5"}, CONTRADICTS),
        ({"response_code": "051"}, CONTRADICTS),
        ({"response_code": "51.0"}, CONTRADICTS),
        ({"response_code": 51.0}, CONTRADICTS),
        ({"response_code": 51.5}, CONTRADICTS),
        ({"response_code": -5}, CONTRADICTS),
        ({"response_code": "999"}, CONTRADICTS),
        ({"response_code": 999}, CONTRADICTS),
        ({"response_code": "<b>"}, CONTRADICTS),
        ({"response_code": 10.0}, TAKEN_BACK),
        ({"response_code": "010"}, TAKEN_BACK),
        ({"response_code": "0"}, BELIEVED),
        ({"response_code": "000"}, BELIEVED),
        # the amount
        ({"approved_amount": {"minor": 4250, "currency": "USD"}}, BELIEVED),
        ({"amount": {"minor": 4250, "currency": "USD"}}, BELIEVED),
        ({"approved_amount": {"minor": 2000, "currency": "USD"}}, TAKEN_BACK),
        ({"amount": {"minor": 2000, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 4251, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 4250, "currency": "MXN"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 0, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000, "currency": "USD"}, "response_code": None}, TAKEN_BACK),
        ({"approved_amount": {"minor": 4250.0, "currency": "USD"}}, CONTRADICTS),
        ({"approved_amount": {"minor": "4250", "currency": "USD"}}, CONTRADICTS),
        ({"approved_amount": {"minor": True, "currency": "USD"}}, CONTRADICTS),
        ({"approved_amount": {"minor": -4250, "currency": "USD"}}, CONTRADICTS),
        ({"approved_amount": {"minor": 4250}}, CONTRADICTS),
        ({"approved_amount": 42.5}, CONTRADICTS),
        ({"approved_amount": "42.50 USD"}, CONTRADICTS),
        ({"approved_amount": None, "amount": {"minor": 2000, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000, "currency": "USD"}, "amount": None}, TAKEN_BACK),
        ({"approved_amount": WHOLE, "amount": {"minor": 2000, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000, "currency": "USD"}, "amount": WHOLE}, TAKEN_BACK),
        ({"approved_amount": WHOLE, "amount": {"minor": 2000}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000, "currency": None}}, TAKEN_BACK),
        ({"approved_amount": {"minor": "2000", "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000.0, "currency": "USD"}}, TAKEN_BACK),
        ({"approved_amount": {"currency": "MXN"}}, TAKEN_BACK),
        ({"approved_amount": {"minor": 2000, "currency": "USD"}, "response_code": "999"}, TAKEN_BACK),
        ({"approved_amount": WHOLE, "amount": 42.5}, CONTRADICTS),
        ({"approved_amount": {}, "amount": WHOLE}, CONTRADICTS),
        ({"approved_amount": None, "amount": WHOLE}, BELIEVED),
        ({"approved_amount": WHOLE, "amount": WHOLE}, BELIEVED),
        ({"approved_amount": None, "amount": None}, BELIEVED),
        # field 38
        ({"authorization_code": "48291 "}, BELIEVED),
        ({"authorization_code": "  4829"}, BELIEVED),
        ({"authorization_code": 12345}, BELIEVED),
        ({"authorization_code": "A1B2C3"}, BELIEVED),
        ({"authorization_code": ""}, ONE_MORE_WORD),
        ({"authorization_code": " "}, ONE_MORE_WORD),
        ({"authorization_code": None}, ONE_MORE_WORD),
        ({"authorization_code": 12.5}, ONE_MORE_WORD),
        ({"authorization_code": True}, ONE_MORE_WORD),
        ({"authorization_code": "<b>"}, ONE_MORE_WORD),
        ({"authorization_code": "4111111111111111"}, ONE_MORE_WORD),
        ({"authorization_code": {"value": "1"}}, ONE_MORE_WORD),
        # a refusal that approves is none either
        ({"outcome": "declined", "response_code": "00"}, CONTRADICTS),
        ({"outcome": "declined", "response_code": "10"}, CONTRADICTS),
        ({"outcome": "declined", "response_code": "05"}, ("declined", "declined")),
        ({"outcome": "declined", "response_code": None}, ("declined", "declined")),
        ({"outcome": "declined", "response_code": "85"}, ("declined", "declined")),
        ({"reference": "CA2-1"}, UNREAD),
        ({"outcome": "partial"}, UNREAD),
    ],
)
def test_an_answer_is_believed_asked_about_or_taken_back(change: dict[str, object], expected: tuple[str, str]) -> None:
    assert both(GOOD | change) == expected


def test_an_approval_without_a_code_at_all_is_asked_about_and_then_believed() -> None:
    assert both({"reference": "CA1-1", "outcome": "approved"}) == ONE_MORE_WORD


@pytest.mark.parametrize(
    "content",
    [
        b'{"reference": "CA1-1", "outcome": "declined", "outcome": "approved", "response_code": "00"}',
        b'{"reference": "CA2-1", "reference": "CA1-1", "outcome": "approved", "response_code": "00"}',
        b'{"reference": "CA1-1", "outcome": "approved", "response_code": "05", "response_code": "00"}',
        b'{"reference": "CA1-1", "outcome": "approved", "amount": {"minor": 1, "minor": 4250, "currency": "USD"}}',
        b'{"reference": "CA1-1", "outcome": "approved", "amount": NaN}',
        b'[{"reference": "CA1-1", "outcome": "approved"}]',
        b'"approved"',
        b"[" * 100_000,
    ],
)
def test_what_says_two_things_or_nothing_says_nothing(content: bytes) -> None:
    assert (judged(content, "authorize").outcome, judged(content, "inquire").outcome) == UNREAD


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("00", "reversed"),
        (None, "reversed"),
        ("25", "reversed"),
        ("05", "unknown"),
        (96, "unknown"),
        ("999", "unknown"),
    ],
)
def test_a_reversal_with_a_refusing_code_has_reversed_nothing(code: object, outcome: str) -> None:
    body = {"reference": "CA1-1", "outcome": "reversed", "response_code": code}
    assert judged(json.dumps(body).encode(), "reverse").outcome == outcome


@given(
    code=st.none() | st.text(max_size=4) | st.integers(-1, 120),
    minor=st.none() | st.integers(0, 9000) | st.floats(),
    question=st.sampled_from(["authorize", "inquire"]),
)
def test_nothing_is_approved_at_another_amount_or_with_another_code(
    code: str | int | None, minor: float | None, question: Question
) -> None:
    amount = {} if minor is None else {"approved_amount": {"minor": minor, "currency": "USD"}}
    answer = judged(json.dumps(GOOD | {"response_code": code} | amount).encode(), question)
    if answer.outcome == "approved":
        assert answer.response_code is None or answer.response_code in APPROVING
        assert minor in (None, ASKED.minor)
        assert isinstance(minor, int | None)


PART = {"minor": 2000, "currency": "USD"}
TOLD_OF_A_PART = [
    ({"response_code": "10", "approved_amount": PART}, Money(2000)),
    ({"response_code": "10", "approved_amount": PART, "amount": PART}, Money(2000)),
    ({"response_code": "10", "approved_amount": PART, "amount": WHOLE}, None),
    ({"response_code": "00", "approved_amount": PART}, None),
    ({"response_code": "10"}, None),
    ({"response_code": "10", "approved_amount": WHOLE}, None),
    ({"response_code": "10", "approved_amount": PART | {"minor": 0}}, None),
    ({"response_code": "10", "approved_amount": PART | {"minor": "2000"}}, None),
    ({"response_code": "10", "approved_amount": PART | {"currency": "MXN"}}, None),
]


@pytest.mark.parametrize("question", ["authorize", "inquire", "repeat"])
@pytest.mark.parametrize(("change", "part"), TOLD_OF_A_PART)
def test_a_part_is_believed_only_where_it_may_be_and_code_and_amounts_agree_on_it(
    change: dict[str, object], part: Money | None, question: Question
):
    answer = read_answer("CA1-1", 200, json.dumps(GOOD | change).encode(), INQUIRY_OUTCOMES)
    told = judge(answer, question, ASKED, takes_part=True)
    assert (told.outcome, told.approved) == (("approved", part) if part else ("not_as_asked", None))
    untold = judge(answer, question, ASKED)
    assert (untold.outcome, untold.approved) == ("not_as_asked", None)


def test_a_part_without_an_authorization_code_is_asked_about_and_then_believed():
    said = GOOD | {"response_code": "10", "approved_amount": PART, "authorization_code": None}
    answer = read_answer("CA1-1", 200, json.dumps(said).encode(), INQUIRY_OUTCOMES)
    assert judge(answer, "authorize", ASKED, takes_part=True).outcome == "unknown"
    believed = judge(answer, "inquire", ASKED, takes_part=True)
    assert (believed.outcome, believed.approved) == ("approved", Money(2000))
