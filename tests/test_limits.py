"""Velocity limits of the flow: per caller, per card, whoever keys it in; each refusal says that nothing was charged."""

import pytest

from ivr.channels.simulator import play
from tests.benches import ROOT, Bench

PAYMENT = """
call pay-a-bill from {ani}
  keys   1
  keys   12345678#
  keys   2
  keys   1000#
  keys   1
  keys   {pan}#
  keys   1230
  keys   123
  keys   94105
  hears  confirm_card
  keys   1
  bank   {bank}
  hangs  up
  ends   {ending}
"""
REFUSED_CALLER = """
call pay-a-bill from +15550100
  keys   1
  keys   12345678#
  keys   2
  keys   1000#
  keys   1
  hears  limit_attempts_per_caller
  hears  you_were_not_charged
  ends   unpaid
  payment none
"""
REFUSED_CARD = """
call pay-a-bill from +15550177
  keys   1
  keys   12345678#
  keys   2
  keys   1000#
  keys   1
  keys   4111111111111111#
  hears  limit_attempts_per_card
  hears  you_were_not_charged
  ends   unpaid
  payment none
"""
CARDS = ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "4012888888881881"]


def attempt(bench: Bench, ani: str, pan: str, bank: str = "declines 05") -> None:
    script = PAYMENT.format(ani=ani, pan=pan, bank=bank, ending="paid" if bank == "approves" else "unpaid")
    play(script.replace("keys   123\n", "keys   1234\n") if len(pan) == 15 else script, bench.world())


def test_a_sixth_attempt_of_a_caller_within_the_hour_is_refused_before_a_card_is_keyed_in(bench: Bench):
    for pan in CARDS:
        attempt(bench, "+15550100", pan)
    play(REFUSED_CALLER, bench.world())


def test_callers_without_a_number_are_not_one_caller(bench: Bench):
    """As over AudioSocket, or withheld: six of them within the hour are all asked for a card, and all charged."""
    for pan in [*CARDS, CARDS[0]]:
        line = bench.workbench.dial("pay-a-bill", "")
        line.begin()
        for keys in ("1", "12345678#", "2", "1000#", "1"):
            reply = line.press(keys)
        assert reply.asks == "card_number"
        for keys in (f"{pan}#", "1230", "1234" if len(pan) == 15 else "123", "94105", "1"):
            line.press(keys)
        bench.workbench.store.seed_bills(ROOT / "config" / "accounts.csv", anew=True)
        bench.workbench.work()
    assert len(bench.bank.charged) == len(CARDS) + 1


def test_another_caller_is_not_held_up_by_it(bench: Bench):
    for pan in CARDS:
        attempt(bench, "+15550100", pan)
    attempt(bench, "+15550101", CARDS[1], bank="approves")
    assert bench.payments() == ["approved"]


def test_the_caller_may_try_again_when_the_window_has_passed(bench: Bench):
    for pan in CARDS:
        attempt(bench, "+15550100", pan)
    bench.workbench.clock.advance(3601)
    attempt(bench, "+15550100", CARDS[1], bank="approves")
    assert bench.payments() == ["approved"]


def test_a_fourth_attempt_with_a_card_within_the_day_is_refused_whoever_calls(bench: Bench):
    for number in range(3):
        attempt(bench, f"+1555010{number}", CARDS[0])
    play(REFUSED_CARD, bench.world())


@pytest.mark.parametrize("seconds", [24 * 3600 + 1])
def test_the_card_may_be_tried_again_the_next_day(bench: Bench, seconds: int):
    for number in range(3):
        attempt(bench, f"+1555010{number}", CARDS[0])
    bench.workbench.clock.advance(seconds)
    attempt(bench, "+15550104", CARDS[0], bank="approves")
    assert bench.payments() == ["approved"]


@pytest.mark.parametrize("ani", ["", "anonymous", "+266696687", "sip:anonymous@anonymous.invalid", "+7378742833"])
def test_withheld_callers_are_not_one_caller_in_any_form(bench: Bench, ani: str):
    """Five of them have had a card declined within the hour: the sixth is asked for a card all the same."""
    for pan in CARDS:
        attempt(bench, ani or "anonymous", pan)
    line = bench.workbench.dial("pay-a-bill", ani)
    line.begin()
    for keys in ("1", "23456789#", "1"):
        reply = line.press(keys)
    assert reply.asks == "card_number"


def test_one_caller_is_counted_however_the_number_is_written(bench: Bench):
    forms = ["+15550100", "0015550100", "tel:+1-555-0100", "sip:+15550100@gateway", "+1 555 0100"]
    for ani, pan in zip(forms, CARDS, strict=True):
        attempt(bench, ani, pan)
    play(REFUSED_CALLER, bench.world())


def test_one_account_is_not_tried_for_ever_by_whoever_calls(bench: Bench):
    for number in range(6):
        attempt(bench, f"+155512301{number:02d}", CARDS[number % 5])
    play(REFUSED_CALLER.replace("per_caller", "per_account"), bench.world())


def test_a_bank_that_cannot_be_reached_counts_against_no_limit(bench: Bench):
    for _ in range(7):
        attempt(bench, "+15550100", CARDS[0], bank="is unreachable")
    attempt(bench, "+15550100", CARDS[0], bank="approves")
    assert bench.payments() == ["approved"]
