"""At every question of every kind: a card number is dropped and the question put again, and a key that hangs comes to an end."""

import functools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ivr.conversation.engine import enter, expected_field, resume, step
from ivr.core.actions import Action, Collect, Speak
from ivr.core.call import Call, Payable
from ivr.core.events import Digits, KeysEntered, OpenBill
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.part_files import read_parts
from ivr.flow.steps import kinds
from ivr.flow.talk.turn import FREE_CLEARS, Turn, moment_of
from tests.benches import load_flow
from tests.conversation.talk import BILL, PAYABLE, ROOT, START
from tests.merchants import files_by_flow

FLOWS = ("pay-a-bill", "payment-plan", "utility", "parking-ticket", "top-up", "card-on-file", "returning")
AROUND = Around(
    parts=read_parts([("authenticate.yaml", (ROOT / "flows/parts/authenticate.yaml").read_text(encoding="utf-8"))])
)
PAN = "4539578763621486"
ANSWERS = ("2000", "12345678", "2122123456")  # of those there are, one leads on to where it is confirmed
BILLS = tuple(OpenBill(f"B{number}", {**BILL, "bill.issued": START.date()}) for number in range(8))
# Each clear key is followed by another at the offer to cancel; a page may have to be turned once more.
MOST_KEYS = 2 * 2 * (FREE_CLEARS + 4)


@functools.cache
def flow(name: str) -> Flow:
    return load_flow(files_by_flow()[name])[0]


def at(name: str, where: str) -> Call:
    call = Call("CA1", name, "+15550100", "+15550199", "simulator", "en-US", attempt=1)
    card = {"brand": "visa", "last4": "1111", "kept_brand": "visa", "kept_last4": "1111"}
    values = {**BILL, "amount": Money(4250), "account_number": "12345678", **card}
    call = replace(call, values=values, bills=BILLS, payable=Payable("billing.find_bill", "B9", PAYABLE.owed))
    return resume(enter(Turn(flow(name), call, START.timestamp()), where)).call


def pressed(call: Call, keys: str, after_s: float = 60) -> tuple[Call, list[Action]]:
    return step(flow(call.flow), call, KeysEntered(START + timedelta(seconds=after_s), Digits(keys)))


def questions() -> Iterator[Call]:
    """Each at which keys are asked for that are no card's, and where an answer to it is confirmed."""
    for name in FLOWS:
        for where, one in flow(name).steps.items():
            call = at(name, where) if "asks" in one.phases.values() else None
            if call is None or call.step != where or moment_of(flow(name), call) != "asks":
                continue
            if expected_field(flow(name), call) is not None:
                assert one.card is not None
                call = call.changed(phase="confirm", field_index=len(one.card.fields))
            yield call
            answered = (pressed(call, answer)[0] for answer in ANSWERS if one.card is None)
            here = (then for then in answered if then.step == where and then.phase != call.phase)
            yield from (then for then in here if moment_of(flow(name), then) != "looks_up")


QUESTIONS = list(questions())
IDS = [f"{call.flow}-{call.step}-{call.phase}" for call in QUESTIONS]


def names(actions: list[Action]) -> list[str]:
    return [phrase.name for action in actions if isinstance(action, Speak) for phrase in action.phrases]


def test_every_kind_that_asks_is_looked_at():
    asking = {kind for kind in kinds() if "asks" in kind.phases.values()}
    assert {type(flow(call.flow).steps[call.step]) for call in QUESTIONS} == asking


@pytest.mark.parametrize("call", QUESTIONS, ids=IDS)
def test_a_card_number_is_asked_for_later_and_the_question_is_put_again(call: Call):
    after, actions = pressed(call, f"{PAN}#")
    has_card = flow(call.flow).steps[call.step].card is not None
    assert names(actions)[0] == ("no_match" if has_card else "card_asked_later")
    assert len(names(actions)) > 1
    assert isinstance(actions[-1], Collect)
    assert after.step == call.step
    assert PAN[:9] not in after.to_json()


@pytest.mark.parametrize("keys", [("*",), ("*", "2"), ("7",)], ids="".join)
@pytest.mark.parametrize("call", QUESTIONS, ids=IDS)
def test_a_key_that_hangs_holds_no_line(call: Call, keys: tuple[str, ...]):
    after = call
    for number in range(MOST_KEYS):
        after, _ = pressed(after, keys[number % len(keys)], 60.0 * (number + 1))
        if (after.step, after.phase == "over") != (call.step, False):
            return
    pytest.fail(f"still at {after.step} in {after.phase} after {MOST_KEYS} keys")


def test_the_day_of_a_promise_is_that_of_the_merchants_clock():
    text = files_by_flow()["payment-plan"].read_text(encoding="utf-8")
    there, problems = compile_flow(
        "plan.yaml", text.replace("start:", "hours: {zone: Pacific/Kiritimati}\nstart:", 1), AROUND
    )
    assert there is not None, problems
    for one, day in ((there, "2026-03-16"), (flow("payment-plan"), "2026-03-15")):
        call = Call("CA1", one.name, "+15550100", "", "simulator", "en-US", values={**BILL, "amount": Money(4250)})
        at = (START + timedelta(hours=2)).timestamp()
        assert resume(enter(Turn(one, call, at), "promise_to_pay")).call.notes["by"] == day


def test_nobody_agrees_to_parts_of_nothing():
    one = flow("payment-plan")
    call = Call("CA1", one.name, "+15550100", "", "simulator", "en-US", values={**BILL, "amount": Money(2)})
    turn = resume(enter(Turn(one, call, START.timestamp()), "plan"))
    assert (turn.call.step, names(list(turn.actions))[0]) == ("choice", "amount_not_payable")
