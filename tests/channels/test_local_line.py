"""The line without a network ends like every other when something of ours breaks."""

import pytest

from ivr.calls import session as session_module
from ivr.core.actions import Phrase
from ivr.store import Store
from tests.benches import Bench

KEYS = ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1")


def broken(*_arguments: object, **_named: object) -> object:
    raise OSError("a fault of ours")


@pytest.mark.parametrize(
    ("unsayable", "told"),
    [
        ({"confirmation_number"}, ["apology", "you_were_charged", "goodbye"]),
        ({"confirmation_number", "you_were_charged"}, ["apology", "payment_went_through", "goodbye"]),
    ],
)
def test_words_that_fail_are_said_in_other_words(bench: Bench, unsayable: set[str], told: list[str]):
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    for keys in KEYS:
        line.press(keys)
    words = line.words

    def some_words(phrase: Phrase) -> str:
        return words(phrase) if phrase.name not in unsayable else str(broken())

    line.words = some_words
    reply = line.wait()
    assert ([heard.name for heard in reply.heard], reply.state) == (told, "over")


def test_a_done_key_typed_behind_a_full_entry_does_not_say_the_next_question_twice(bench: Bench):
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    line.press("1")
    heard = [one.name for one in line.press("4567890123#").heard]
    assert heard == ["pay_full_balance", "pay_another_amount"]


def test_a_database_that_is_away_for_a_moment_is_not_heard(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    save, failures = Store.save_call, [1] * len(session_module.PAUSES_S)

    def save_later(*arguments: object, **named: object) -> object:
        return broken() if failures and failures.pop() else save(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "save_call", save_later)
    assert [heard.name for heard in line.press("1").heard] == ["welcome", "enter_account_number"]


def test_hanging_up_twice_is_hanging_up(bench: Bench):
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    line.hang_up()
    line.hang_up()
    stored = bench.workbench.store.load_call(line.call_id)
    assert stored is not None
    assert (stored.call.outcome, stored.call.hung_up, stored.version) == ("unpaid", True, 2)


@pytest.mark.parametrize("ending", ["the caller hangs up", "the line hangs up"])
def test_after_the_end_of_a_call_nobody_hears_keys(bench: Bench, ending: str):
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    if ending == "the caller hangs up":
        line.hang_up()
    else:
        for keys in ("1", "*", "1"):
            reply = line.press(keys)
        assert reply.state == "over"
    for reply in (line.press("1"), line.wait(), line.stay_silent()):
        assert (reply.heard, reply.state) == ((), "over")


def test_a_done_key_out_of_habit_behind_the_consent_does_not_end_the_receipt(bench: Bench):
    """As on a trunk and by webhooks, where what is pressed on hold for the bank is no answer to what is said after it."""
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    for keys in (*KEYS[:-1], "1#"):
        line.press(keys)
    assert line.press("#").state == "waiting"
    reply = line.wait()
    assert (reply.heard[0].name, reply.heard[-1].name, reply.state) == ("confirmation_number", "sms_offer", "keys")
    assert "confirmation_number" in [heard.name for heard in line.press("1").heard]
