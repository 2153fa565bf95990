"""Money in minor units, and a call that goes to JSON and back."""

from dataclasses import replace
from decimal import Decimal

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.call import Call, Charge, Payable
from ivr.core.events import Digits
from ivr.core.money import Money, decimals, parse_money


@pytest.mark.parametrize(
    ("written", "money"),
    [
        ("500.00 USD", Money(50000, "USD")),
        ("500 USD", Money(50000, "USD")),
        ("0.05 USD", Money(5, "USD")),
        ("1.5 EUR", Money(150, "EUR")),
        ("500 JPY", Money(500, "JPY")),
        ("1.234 KWD", Money(1234, "KWD")),
        (" 42.50 MXN ", Money(4250, "MXN")),
    ],
)
def test_amounts_are_read_exactly(written: str, money: Money):
    assert parse_money(written) == money


@pytest.mark.parametrize(
    "written",
    ["", "500", "USD", "500 usd", "-5.00 USD", "5,00 USD", "5.001 USD", "500.5 JPY", "1e3 USD", "٥.00 USD", "$5"],
)
def test_what_is_no_amount_is_refused(written: str):
    with pytest.raises(ValueError, match=r"expected|decimal"):
        parse_money(written)


@given(st.integers(0, 10**11), st.sampled_from(["USD", "JPY", "KWD", "EUR"]))
def test_an_amount_reads_back_as_it_is_written(minor: int, currency: str):
    if len(str(minor)) <= 9:
        assert parse_money(str(Money(minor, currency))) == Money(minor, currency)


@given(st.integers(-(10**11), 10**11), st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_an_amount_is_written_as_the_decimal_number_that_it_is_a_credit_too(minor: int, currency: str):
    figures, _, code = str(Money(minor, currency)).partition(" ")
    assert (Decimal(figures), code) == (Decimal(minor).scaleb(-decimals(currency)), currency)


VALUES = st.dictionaries(
    st.text(min_size=1, max_size=12),
    st.one_of(
        *(st.text(max_size=20), st.integers(), st.booleans(), st.dates(), st.times()),
        st.builds(Money, st.integers(), st.sampled_from(["USD", "JPY"])),
    ),
)


@given(
    VALUES, st.integers(0, 9), st.booleans(), st.floats(0, 1e10), st.sampled_from(["paid", "unpaid", "pending", None])
)
def test_a_call_goes_to_json_and_back(values: dict, count: int, flag: bool, since: float, outcome: str | None):
    call = Call(
        *("CA1", "f", "+1", "+2", "sip", "en-US"), step="card", phase="confirm", attempt=count, slow=flag,
        since=since, values=values, outcome=outcome, looking_up=("billing.find_bill", "1") if flag else None,
        payable=Payable("billing.find_bill", "1", Money(count)) if flag else None, can_text=flag,
        charges=tuple(Charge(n, Money(n), "declined", "1", "1", flag) for n in range(count)),
    )  # type: ignore[arg-type]  # fmt: skip
    assert Call.from_json(call.to_json()) == call


def test_a_call_stored_by_an_earlier_version_still_loads():
    stored = (
        '{"id":"CA1","flow":"f","ani":"+1","dnis":"+2","channel":"sip","language":"en-US","values":{"due":[5,"USD"]}}'
    )
    call = Call.from_json(stored)
    assert (call.values["due"], call.known_ending, call.has_unsent_card) == (Money(5), "unpaid", False)


def test_the_intent_is_named_by_call_and_attempt():
    assert Call("CA1", "f", "", "", "sip", "en-US", attempt=2).intent == "CA1-2"


def test_keys_hide_themselves_and_refuse_to_be_stored():
    import pickle

    keys = Digits("4111111111111111")
    assert "4111" not in f"{keys!r}{keys}"
    assert not hasattr(keys, "__dict__")
    with pytest.raises(TypeError, match="not stored"):
        pickle.dumps(keys)
    keys.wipe()
    assert len(keys) == 0


def test_a_call_changes_in_the_fields_that_are_named_and_in_no_other():
    call = Call("c", "f", "ani", "dnis", "simulator", "en-US")
    assert call.changed(step="card", silences=2) == replace(call, step="card", silences=2)
    assert call.step == ""
    with pytest.raises(AssertionError, match="no such field: stepp"):
        call.changed(stepp="card")
