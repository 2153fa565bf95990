"""A bank's code has words for people: each that a protocol here puts an answer into, and what the simulator says of its own."""

import pytest

from ivr.bank import code_in_words
from ivr.bank.adyen import answers as adyen
from ivr.bank.iso8583 import answers as iso8583
from ivr.bank.response_codes import WORDS
from ivr.bank.simulator.scenarios import SCENARIOS
from ivr.bank.stripe import answers as stripe
from ivr.bank.verdict import APPROVING, PARTIAL, REVERSING
from ivr.testing.bank import DECLINES

USED = {
    *(*APPROVING, *REVERSING, PARTIAL),
    *(*adyen.RESPONSE_CODES.values(), *adyen.CARD_ERRORS.values(), adyen.DO_NOT_HONOR, adyen.WANTS_AUTHENTICATION),
    *(*stripe.RESPONSE_CODES.values(), stripe.DO_NOT_HONOR, stripe.WANTS_AUTHENTICATION),
    *(*iso8583.UNDECIDED, *iso8583.VOID_REFUSED),
    *DECLINES.values(),
    *(one.response_code for one in SCENARIOS),
}


def test_each_code_that_a_bank_here_is_put_into_has_words():
    assert sorted(USED - WORDS.keys()) == []


def test_no_code_that_declines_has_words_of_an_approval_nor_the_other_way_round():
    assert {code for code, words in WORDS.items() if words.startswith("approved")} == {*APPROVING, PARTIAL}


@pytest.mark.parametrize(
    ("code", "said"),
    [("05", "05 (do not honor)"), ("51", "51 (not sufficient funds)"), ("Q9", "Q9"), ("", ""), (None, "")],
)
def test_a_code_stands_before_its_words_and_alone_where_nobody_knows_it(code: str | None, said: str):
    assert code_in_words(code) == said
