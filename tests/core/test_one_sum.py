"""What several bills are called together, and a call that pays them, stored and read by another version."""

import json

import pytest

from ivr.core.call import Call, Charge, Payable
from ivr.core.call_form import read_call
from ivr.core.money import Money
from ivr.core.one_sum import LONGEST_NAME, in_one_sum, named_together

CALL = Call("CA1", "f", "", "", "sip", "en-US")


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["700101", "700102", "700103"], "700101, 700102, 700103"),
        ([str(700101 + number) for number in range(50)], "700101 and 49 more"),
        (["1" * 15, "2" * 15], f"{'1' * 15}, {'2' * 15}"),  # just as long as there is room for
        (["1" * 26, "2" * 9], f"{'1' * 26} +1"),
        (["1" * 32, "2" * 32], "2 bills"),
    ],
)
def test_bills_are_named_in_the_most_words_there_is_room_for(keys: list[str], name: str):
    assert named_together(keys) == name
    assert len(name) <= LONGEST_NAME


def paying_a_sum() -> Call:
    parts = [Payable("billing.find_bill", key, Money(minor)) for key, minor in (("B1", 100), ("B2", 250))]
    charge = Charge(1, Money(350), "unknown", payable="B1, B2", bills=("B1", "B2"))
    return CALL.changed(payable=in_one_sum(parts), charges=(charge,))


def test_a_sum_is_in_the_currency_of_its_bills():
    parts = [Payable("billing.find_bill", key, Money(minor, "EUR")) for key, minor in (("B1", 100), ("B2", 250))]
    assert in_one_sum(parts).owed == Money(350, "EUR")


def test_a_call_that_pays_a_sum_goes_to_json_and_back():
    call = paying_a_sum()
    assert call.payable
    assert call.payable.owed == Money(350)
    assert read_call(call.to_json(), "CA1", "f") == (call, True)


@pytest.mark.parametrize(
    ("form", "later"), [(11, ["bills", "reserves", "fee", "part"]), (12, ["bills", "reserves", "fee"]), (13, ["bills"])]
)
def test_a_call_of_a_form_before_is_read_whole(form: int, later: list[str]):
    one = Payable("billing.find_bill", "B1", Money(100))
    call = CALL.changed(payable=one, charges=(Charge(1, Money(100), "unknown", payable="B1"),))
    stored = json.loads(call.to_json())
    stored |= {"form": form, "payable": stored["payable"][:3]}
    for name in later:
        del stored["charges"][0][name]
    assert read_call(json.dumps(stored), "CA1", "f") == (call, True)


def test_a_part_that_is_none_is_not_gone_on_with():
    stored = json.loads(paying_a_sum().to_json())
    stored["payable"][3][0][1] = 7
    assert read_call(json.dumps(stored), "CA1", "f")[1] is False
