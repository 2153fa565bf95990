"""What every caller can do at every question: hear it again, get help, have more time. None of it costs a try."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.conversation.engine import step
from ivr.conversation.history import noted
from ivr.core.actions import Collect, Speak
from ivr.core.call import Call, OpenBill, Payable
from ivr.core.events import CARD_FIELDS, OPTIONAL_FIELDS, CardEntryEdited, Digits, KeysEntered, NoInput
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.part_files import read_parts
from ivr.flow.steps import kinds
from ivr.flow.steps.set import SetStep
from ivr.flow.talk.turn import LEAST_WARNING_S, MOST_ASIDES
from tests.conversation.talk import ROOT, START, Talk, sample

WCAG_EXTENSIONS = 10  # WCAG 2.2.1, "Extend": at least ten times


# ---- the question again, and help


def test_nine_says_the_question_again_and_costs_no_try():
    talk = Talk().at_account().keys("9#")
    assert talk.said == ["enter_account_number"]
    assert (talk.call.silences, talk.call.mistakes) == (0, 0)


def test_nought_says_help_and_the_question_again():
    talk = Talk().at_account().keys("0#")
    assert talk.said == ["help", "enter_account_number"]
    assert talk.call.mistakes == 0


@pytest.mark.parametrize("keys", ["9", "9#", "12*9", "12*9#"])
def test_at_a_question_for_digits_it_is_an_entry_of_one_digit(keys: str):
    assert Talk().at_account().keys(keys).said == ["enter_account_number"]


def test_an_account_that_begins_with_it_is_an_account():
    assert Talk().at_account().keys("90000000#").call.values["account_number"] == "90000000"


def test_nine_at_a_menu_says_all_of_its_choices_again():
    assert Talk().at_amount().keys("9").said == ["pay_full_balance", "pay_another_amount"]


def test_a_menu_that_uses_the_key_keeps_it():
    flow = sample(("2: {say: pay_another_amount", "9: {say: pay_another_amount"))
    assert Talk(flow).at_amount().keys("9").said == ["enter_money"]


def test_an_amount_of_nine_cents_is_one_where_it_can_be_paid():
    talk = Talk().at_account().keys("12345678").found(**{"bill.due": Money(500), "bill.min": Money(1)}).keys("2")
    assert talk.keys("9#").said == ["confirm_money"]


@pytest.mark.parametrize(("key", "said"), [("9", ["confirm_card"]), ("0", ["help", "confirm_card"])])
def test_at_the_consent_nothing_is_charged_by_it(key: str, said: list[str]):
    talk = Talk().at_confirmation().keys(key)
    assert (talk.said, talk.charges, talk.call.mistakes) == (said, [], 0)


@pytest.mark.parametrize("field", [field for field in CARD_FIELDS if field not in OPTIONAL_FIELDS])
def test_in_a_card_field_the_vaults_side_says_that_it_was_asked_for(field: str):
    talk = Talk().at_card()
    for keys in ("4111111111111111", "1230", "123")[: CARD_FIELDS.index(field)]:  # type: ignore[arg-type]
        talk.keys(keys)
    for reading, first in (("again", f"enter_{field}"), ("help", "help")):
        talk.hear(CardEntryEdited(talk.now, reading))  # type: ignore[arg-type]
        assert talk.said[0] == first
        assert talk.said[-1] == f"enter_{field}"
    assert talk.call.mistakes == 0


def test_nine_at_the_receipt_says_the_number_again():
    assert Talk().at_receipt().keys("9").said == ["confirmation_number", "repeat_offer", "sms_offer"]


def test_languages_are_offered_again_and_not_counted():
    talk = Talk().start().keys("9").keys("0").keys("9").keys("9")
    assert talk.said == ["choose_language", "choose_language"]
    assert talk.call.silences == 0


def test_help_at_the_offer_to_cancel_cancels_nothing():
    assert Talk().at_account().keys("*").keys("0").said == ["help", "enter_account_number"]


def test_whoever_asks_to_hear_it_again_hears_all_of_it():
    talk = Talk().at_account().keys("123")
    assert "_again" in talk.phrases[-1].endings
    assert "_again" not in talk.keys("9").phrases[-1].endings


def test_the_last_digit_of_a_card_number_in_parts_is_still_known():
    talk = Talk(sample(("length: 8..10", "length: 8..15"))).at_account().keys("400000000000100").not_found()
    assert talk.keys("0").said[0] == "card_asked_later"


def test_a_key_that_hangs_does_not_hold_the_line_for_ever():
    talk = Talk().at_amount()
    for _ in range(MOST_ASIDES + 3):
        talk.keys("9")
    assert talk.is_over


def test_a_new_question_can_be_heard_again_as_often():
    talk = Talk().at_amount()
    for _ in range(MOST_ASIDES):
        talk.keys("9")
    talk.keys("1")
    for _ in range(MOST_ASIDES):
        talk.keys("9")
    assert not talk.is_over


def test_the_history_keeps_the_key_which_is_no_digit_of_the_callers():
    talk = Talk().at_account()
    before, event = talk.call, KeysEntered(talk.now, Digits("12*9#"))
    after, _ = step(talk.flow, before, event)
    begun = before.changed(history=(f"{int(START.timestamp())} began",))
    assert noted(talk.flow, begun, event, after)[1:] == ("0 keys 9",)


# ---- more time


def test_the_first_silence_tells_how_to_get_more_time():
    talk = Talk().at_account().silence()
    assert talk.said[-2:] == ["more_time", "enter_account_number"]


def test_a_key_then_costs_no_try_and_starts_the_question_again():
    talk = Talk().at_account().silence().keys("5")
    assert talk.said == ["enter_account_number"]
    assert (talk.call.silences, talk.call.mistakes) == (0, 0)
    assert talk.asks.flush


def test_an_answer_then_is_an_answer():
    assert Talk().at_account().silence().keys("12345678").call.phase == "lookup"


def test_silence_then_is_the_second():
    talk = Talk().at_account().silence().silence()
    assert talk.said == ["no_input", "enter_account_number"]
    assert talk.silence().is_over


@pytest.mark.parametrize("key", ["1", "2", "5", "#", "4111111111111111"])
def test_at_the_consent_any_key_for_more_time_is_no_consent(key: str):
    talk = Talk().at_confirmation().silence()
    assert "confirm_card" not in talk.said
    talk.keys(key)
    assert (talk.said, talk.charges, talk.call.mistakes) == (["confirm_card"], [], 0)
    assert talk.keys("1").charges


@pytest.mark.parametrize("tries", [1, 2])
def test_nobody_gives_up_without_having_been_warned(tries: int):
    talk = Talk(sample(("tries: 3", f"tries: {tries}"))).at_account().silence()
    assert "more_time" in talk.said
    assert talk.silence().is_over


def test_the_clear_key_keeps_its_meaning():
    assert Talk().at_account().silence().keys("*").said == ["offer_cancel"]
    assert Talk().at_confirmation().silence().keys("*").said == ["offer_cancel"]


# ---- over every question of every flow


def flows() -> Iterator[Flow]:
    for folder in ("flows", "tests/flows", "tests/flows/merchants", "tests/flows/sample"):
        for file in sorted((ROOT / folder).glob("*.yaml")):
            flow = None if "prompts" in file.name or file.name == "words.yaml" else read(file)
            if flow is not None:
                yield flow


def read(file: Path) -> Flow | None:
    parts = read_parts((part.name, part.read_bytes()) for part in sorted(file.parent.glob("parts/*.yaml")))
    return compile_flow(file.name, file.read_text(encoding="utf-8"), Around(parts=parts))[0]


FLOWS = list(flows())


def questions(flow: Flow) -> Iterator[Call]:
    """A call at each of its questions: at every step, in every phase that asks, at every field of a card."""
    ten, bill = Money(1000, flow.head.limits.max_amount.currency), Money(4000, flow.head.limits.max_amount.currency)
    values = {"amount": bill, "money": bill, "bill.due": bill, "bill.min": ten, "brand": "visa", "last4": "1111"}
    values |= dict.fromkeys(flow.answers - {"money"}, "12345678")
    values |= {name: bill for kind in flow.steps.values() if isinstance(kind, SetStep) for name in kind.set}
    for name, kind in flow.steps.items():
        if kind.goes_on_by_itself:
            continue
        for phase in (phase for phase, moment in kind.phases.items() if moment == "asks"):
            fields = len(kind.card.fields) if kind.card else 0
            for index in [fields] if phase == "confirm" else range(max(1, fields)):
                yield Call(
                    *("CA1", flow.name, "+15550100", "+15550199", "simulator", flow.head.languages[0]),
                    **{"step": name, "phase": phase, "field_index": index, "attempt": 1, "values": values},  # type: ignore[arg-type]
                    payable=Payable("billing.find_bill", "12345678", bill),
                    bills=tuple(OpenBill(key, {"bill.due": bill, "bill.min": ten}) for key in ("700101", "700102")),
                )


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_at_every_question_of_every_flow_more_time_can_be_had_ten_times(flow: Flow):
    asked = 0
    for call in questions(flow):
        first = heard(flow, call, NoInput(START))
        if first[2] is None:
            continue  # a step that asks nothing: it goes on by itself
        asked += 1
        for _ in range(WCAG_EXTENSIONS):
            call, said, asks = heard(flow, call, NoInput(START))
            assert "more_time" in said
            assert asks is not None
            assert asks.first_key_timeout_s >= LEAST_WARNING_S
            is_card = asks.sensitive
            key = CardEntryEdited(START, "one_key") if is_card else KeysEntered(START, Digits("5"), timed_out=True)
            call, said, asks = heard(flow, call, key)
            assert asks is not None
            assert not {"no_match", "goodbye"} & set(said)
            assert (call.silences, call.mistakes) == (0, 0)
    assert asked or not any(kind.word in ("ask", "menu", "collect") for kind in flow.steps.values())


def heard(flow: Flow, call: Call, event: object) -> tuple[Call, list[str], Collect | None]:
    after, actions = step(flow, call, event)  # type: ignore[arg-type]
    said = [phrase.name for action in actions if isinstance(action, Speak) for phrase in action.phrases]
    return after, said, next((action for action in actions if isinstance(action, Collect)), None)


def test_a_kind_that_asks_is_among_the_flows():
    asking = {kind for kind in kinds() if "asks" in kind.phases.values()}
    used = {type(one) for flow in FLOWS for one in flow.steps.values()}
    assert asking <= used
