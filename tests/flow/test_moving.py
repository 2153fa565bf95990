"""Which calls may go on with another version of their flow: those at a place that means the same in both."""

from dataclasses import replace
from typing import Any

import pytest

from ivr.core.call import Call, Charge
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.content import compiled
from ivr.flow.moving import why_it_stays
from tests.versions import OTHER_AMOUNT_STEP, RENAMED_CARD, SHORTER, WITHOUT_OTHER_AMOUNT, Change, content

CALL = Call("CA1", "pay-a-bill", "", "", "x", "en-US", step="amount", values={"account_number": "12345678"})


def flow(*changes: Change) -> Flow:
    return compiled(content(*changes))[0]


def why(call: Call, *changes: Change) -> str:
    return why_it_stays(call, flow(), flow(*changes))


def test_a_call_at_a_step_that_is_still_there_may_go_on():
    assert why(CALL, SHORTER) == ""


def test_a_call_that_is_being_greeted_may_go_on_where_the_languages_are_the_same():
    greeted = replace(CALL, step="", phase="language", values={})
    assert why(greeted, SHORTER) == ""
    assert why(greeted, ("[en-US, es-MX]", "[es-MX, en-US]")) == "its caller is choosing among other languages"


def test_a_call_at_a_step_that_is_gone_stays():
    call = replace(CALL, step="other_amount")
    assert why(call, WITHOUT_OTHER_AMOUNT, (OTHER_AMOUNT_STEP, "")) == "there is no step 'other_amount' any more"


def test_a_call_at_a_step_that_became_another_kind_stays():
    call = replace(CALL, step="other_amount")
    menu = "  other_amount:\n    menu: {1: {say: pay_full_balance, set: bill.due, then: card}}\n"
    assert why(call, (OTHER_AMOUNT_STEP, menu)) == "'other_amount' is another kind of step by now"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"step": "card", "attempt": 1}, "its card is being taken"),
        ({"step": "charge", "phase": "waiting", "attempt": 1, "charges": (Charge(1, Money(1), "sent"),)}, "no answer"),
        ({"step": "other_amount", "phase": "confirm"}, "an answer at 'other_amount' is not complete"),
        ({"phase": "over"}, "it is over"),
        ({"language": "fr-CA"}, "fr-CA is not spoken any more"),
    ],
)
def test_a_call_in_the_middle_of_something_stays(changed: dict[str, Any], reason: str):
    assert reason in why(replace(CALL, **changed), SHORTER)


HOUSE_NUMBER = (
    ("[en-US, es-MX]", "[en-US]"),
    ("found: amount", "found: house"),
    (
        "  amount:\n",
        "  house:\n    ask: house_number\n    length: 1..4\n    then: {ok: amount, gave_up: goodbye_unpaid}\n  amount:\n",
    ),
)
HOUSE_WORDS = (("goodbye:", 'enter_house_number: "House number, then pound."\nno_match_house_number: "No."\ngoodbye:'),)


def test_a_call_stays_where_the_step_counts_on_an_answer_that_it_was_never_asked_for():
    newer, _ = compiled(content(*HOUSE_NUMBER, words=HOUSE_WORDS))
    assert why_it_stays(CALL, flow(), newer) == "'amount' counts on what this call has not been asked: house_number"


def test_a_call_stays_where_its_answers_would_not_be_forgotten_at_the_end():
    older, _ = compiled(content(*HOUSE_NUMBER, words=HOUSE_WORDS))
    call = replace(CALL, values={"account_number": "12345678", "house_number": "7"})
    assert why_it_stays(call, older, flow()) == "it has an answer to a question that is not asked any more"


def test_a_call_stays_where_amounts_are_in_another_currency():
    assert "currency" in why(CALL, ("500.00 USD", "500.00 CAD"))


def test_a_renamed_card_step_keeps_callers_before_it_moving():
    assert why(CALL, *RENAMED_CARD) == ""
    assert why(replace(CALL, step="card"), *RENAMED_CARD) == "there is no step 'card' any more"
