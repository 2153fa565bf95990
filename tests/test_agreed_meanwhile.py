"""A bill that somebody else pays while a caller agrees to something about it: nothing is agreed to that is not owed by then."""

from pathlib import Path

import pytest

from ivr.conversation.history import is_whole
from ivr.core.events import Digits, KeysEntered
from ivr.store import Store
from ivr.testing.line import PlacedCall
from ivr.testing.replay import replay
from tests.benches import Bench
from tests.merchants_own import BILLS, bench_with, ring
from tests.slow_bills import SlowBills
from tests.store.databases import empty_sqlite, postgresql, postgresql_url, sqlite_url, store, url

__all__ = ["empty_sqlite", "postgresql", "postgresql_url", "sqlite_url", "store", "url"]
CARD, OTHER_CARD = ("4111111111111111#", "1230", "123"), ("5555555555554444#", "1230", "123")
STEPS = """
  amount:
    menu:
      1: {say: offer_promise, set: bill.due, then: promise_to_pay}
      2: {say: offer_plan, set: bill.due, then: plan}
      3: {say: offer_mandate, set: bill.min, then: mandate}
      4: {say: pay_another_amount, then: other_amount}
      5: {say: pay_full_balance, set: bill.due, then: card}
    then: {gave_up: goodbye, cancelled: goodbye}
  other_amount:
    ask: money
    between: [bill.min, bill.due]
    confirm: always
    then: {ok: promise_or_pay, gave_up: goodbye}
  promise_or_pay:
    menu:
      1: {say: offer_promise, then: promise_to_pay}
      2: {say: pay_another_amount, then: card}
    then: {gave_up: goodbye, cancelled: goodbye}
  promise_to_pay: {promise: promise, within: 14d, then: {agreed: promised, refused: amount}}
  plan: {agree: plan, to: plan, instalments: 3, every: month, then: {agreed: promised, refused: amount}}
  mandate: {agree: mandate, to: mandate, every: month, then: {agreed: promised, refused: amount}}
  promised: {say: promise_recorded, then: which_bill}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: goodbye, gave_up: goodbye}
  charge: {pay: acme_bank, then: {approved: which_bill, declined: card, unknown: resolve}}
  resolve: {inquire_then_reverse: acme_bank, then: {approved: which_bill, reversed: goodbye, pending: in_doubt}}
  in_doubt:
    menu:
      1: {say: offer_promise, set: bill.due, then: promise_in_doubt}
    then: {gave_up: goodbye, cancelled: goodbye}
  promise_in_doubt: {promise: promise, within: 14d, then: {agreed: goodbye, refused: goodbye}}
"""
FLOW = BILLS.format(name="bills", chosen="amount", steps=STEPS)
ONE_BILL = """
flow: bills
schema: 1
languages: [en-US]
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 500.00 USD}
start: account
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: goodbye, gave_up: goodbye}
  which_bill: {end: as_recorded}
  goodbye: {end: as_recorded}
""".replace("  which_bill", STEPS + "  which_bill")
SIGN_IN = ("20000001", "2468")
KEYS = {"1": "promise", "2": "plan", "3": "mandate"}
ENDED = ("you_were_not_charged", "goodbye")


@pytest.fixture
def bills(sealing_key: Path, tmp_path: Path, store: Store) -> Bench:
    return bench_with(sealing_key, tmp_path / "flows", FLOW, store=store)


@pytest.fixture
def one_bill(sealing_key: Path, tmp_path: Path) -> Bench:
    return bench_with(sealing_key, tmp_path / "flows", ONE_BILL)


def agreed(bench: Bench, call: PlacedCall) -> list[str]:
    agreements = bench.workbench.store.agreements_of(call.caller.call)
    return [f"{one.kind} {one.account} {one.amount}" for one in agreements]


def due(bench: Bench, account: str) -> str:
    bill = bench.workbench.store.find_bill(account)
    assert bill is not None
    return str(bill.due)


def pays(bench: Bench, *keys: str) -> None:
    """Another caller, in full or a part."""
    other = ring(bench, "bills", "+15559990100").press(*keys, *OTHER_CARD, "1").wait()
    assert len(other.payments) == 1
    bench.pass_time(5)


@pytest.mark.parametrize("key", KEYS)
def test_a_bill_that_is_paid_by_then_is_not_agreed_to_and_the_others_are_offered(bills: Bench, key: str):
    call = ring(bills, "bills").press(*SIGN_IN, "2", key)
    pays(bills, *SIGN_IN, "2", "5")
    assert due(bills, "700102") == "0.00 USD"
    call.press("1")
    assert call.heard == ("nothing_due", "open_bills", "offer_bill", "offer_bill", "finish_bills")
    assert agreed(bills, call) == []
    call.press("1", key, "1")
    assert call.heard[0] == "promise_recorded"
    assert [one.split()[:2] for one in agreed(bills, call)] == [[KEYS[key], "700101"]]


@pytest.mark.parametrize("key", KEYS)
def test_less_that_is_due_by_then_is_said_and_agreed_to_anew(bills: Bench, key: str):
    call = ring(bills, "bills").press(*SIGN_IN, "2", key)
    pays(bills, *SIGN_IN, "2", "4", "7000#", "1", "2")
    call.press("1")
    assert call.heard[:2] == ("due_changed", "offer_promise")
    assert "It is now 1 dollar and 85 cents." in call.words
    assert agreed(bills, call) == []
    call.press(key, "1")
    assert call.heard[0] == "promise_recorded"
    assert agreed(bills, call) == [f"{KEYS[key]} 700102 1.85 USD"]


def test_more_that_is_due_by_then_is_said_and_agreed_to_anew(bills: Bench):
    call = ring(bills, "bills").press(*SIGN_IN, "2", "1")
    bills.billing.owes("700102", "80.00 USD")
    assert call.press("1").heard[0] == "due_changed"
    call.press("1", "1")
    assert agreed(bills, call) == ["promise 700102 80.00 USD"]


@pytest.mark.parametrize(("paid", "is_agreed"), [("4185#", True), ("4186#", False)])
def test_an_amount_of_the_callers_own_is_agreed_to_as_long_as_it_is_due(bills: Bench, paid: str, is_agreed: bool):
    call = ring(bills, "bills").press(*SIGN_IN, "2", "4", "3000#", "1", "1")
    pays(bills, *SIGN_IN, "2", "4", paid, "1", "2")
    call.press("1")
    assert call.heard[0] == ("promise_recorded" if is_agreed else "due_changed")
    assert agreed(bills, call) == (["promise 700102 30.00 USD"] if is_agreed else [])


def test_a_bill_that_another_call_is_paying_is_not_agreed_to(bills: Bench):
    call = ring(bills, "bills").press(*SIGN_IN, "2", "1")
    bills.tell_bank("cannot say")
    ring(bills, "bills", "+15559990100").press(*SIGN_IN, "2", "5", *OTHER_CARD, "1").hang_up()
    call.press("1")
    assert call.heard == ("payment_in_progress", "open_bills", "offer_bill", "offer_bill", "finish_bills")
    assert agreed(bills, call) == []


def test_a_bill_that_is_in_another_currency_by_then_is_not_agreed_to(bills: Bench):
    call = ring(bills, "bills").press(*SIGN_IN, "2", "1")
    bills.billing.owes("700102", "71.85 EUR")
    assert call.press("1").heard == ("bill_not_payable", *ENDED)
    assert agreed(bills, call) == []


def test_the_only_bill_that_is_paid_by_then_ends_the_call_with_the_truth(one_bill: Bench):
    call = ring(one_bill, "bills").press("12345678", "1")
    pays(one_bill, "12345678", "5")
    assert call.press("1").heard == ("nothing_due", *ENDED)
    assert agreed(one_bill, call) == []


def test_the_same_key_delivered_again_after_the_bill_was_paid_is_the_agreement_that_was_made(one_bill: Bench):
    call = ring(one_bill, "bills").press("12345678", "1")
    before = one_bill.workbench.store.load_call(call.caller.call)
    assert before is not None
    call.press("1")
    pays(one_bill, "12345678", "5")
    again = one_bill.workbench.runner.advance(before.call, KeysEntered(one_bill.workbench.clock(), Digits("1")))
    assert "promise_to_pay agreed" in again.call.moves
    assert agreed(one_bill, call) == ["promise 12345678 42.50 USD"]


def test_a_charge_of_the_call_that_has_no_answer_is_not_forgotten_with_the_agreement(sealing_key: Path, tmp_path: Path):
    """It is left before the bank has said anything at all."""
    lines = (line for line in ONE_BILL.splitlines() if not line.startswith("  resolve:"))
    flow = "\n".join(lines).replace("unknown: resolve", "unknown: in_doubt")
    bench = bench_with(sealing_key, tmp_path / "flows", flow)
    line = bench.dial("bills", "+15550100")
    line.between = lambda: None
    line.begin()
    for keys in ("12345678", "5", *CARD, "1"):
        reply = line.press(keys)
    while reply.state == "waiting":
        reply = line.wait()
    line.press("1")
    assert [heard.name for heard in line.press("1").heard] == [
        "payment_in_progress",
        "we_will_text_the_result",
        "goodbye",
    ]


def test_a_replay_hears_what_another_caller_had_paid(one_bill: Bench):
    call = ring(one_bill, "bills").press("12345678", "1")
    pays(one_bill, "12345678", "4", "2000#", "1", "2")
    call.press("1", "2", "1")
    stored = one_bill.workbench.store.load_call(call.caller.call)
    assert stored is not None
    noted = [entry.partition(" ")[2] for entry in stored.call.history if "agreed" in entry or "refused" in entry]
    assert noted == ["refused 0a due_changed 2250 USD", "agreed"]
    assert is_whole(stored.call.history)
    assert replay(one_bill.workbench.runner.flows["bills"], stored.call).moves == stored.call.moves


# ---- a billing system that takes its time


@pytest.fixture
def slow(one_bill: Bench) -> SlowBills:
    one_bill.workbench.runner.billing = slow = SlowBills(one_bill)  # type: ignore[assignment]
    return slow


@pytest.fixture
def waiting(one_bill: Bench, slow: SlowBills) -> PlacedCall:
    """On hold after the consent, while nobody knows what is due."""
    call = ring(one_bill, "bills").press("12345678", "1", "1")
    assert call.heard == ("one_moment",)
    return call


def test_it_is_recorded_once_the_answer_is_there(waiting: PlacedCall, slow: SlowBills, one_bill: Bench):
    assert agreed(one_bill, waiting) == []
    slow.answers = True
    assert waiting.wait().heard[1:] == ("promise_recorded", *ENDED)
    assert agreed(one_bill, waiting) == ["promise 12345678 42.50 USD"]
    assert len(set(slow.asked)) == 1, "one consent asks one question"


def test_a_bill_that_is_paid_while_the_line_is_held_is_not_agreed_to(
    waiting: PlacedCall, slow: SlowBills, one_bill: Bench
):
    slow.answers = True
    pays(one_bill, "12345678", "5")
    assert waiting.wait().heard[1:] == ("nothing_due", *ENDED)
    assert agreed(one_bill, waiting) == []


def test_patience_that_is_over_agrees_to_nothing(waiting: PlacedCall, one_bill: Bench):
    assert waiting.wait().heard[1:] == ("bill_not_reached", *ENDED)
    assert agreed(one_bill, waiting) == []


def test_a_billing_system_that_goes_away_meanwhile_agrees_to_nothing(
    waiting: PlacedCall, slow: SlowBills, one_bill: Bench
):
    slow.answers, one_bill.billing.behaviour = True, "is away"
    assert waiting.wait().heard[1:] == ("bill_not_reached", *ENDED)
    assert agreed(one_bill, waiting) == []


def test_who_hangs_up_while_the_line_is_held_has_agreed_to_nothing(
    waiting: PlacedCall, slow: SlowBills, one_bill: Bench
):
    waiting.hang_up()
    slow.answers = True
    assert agreed(one_bill, waiting) == []
    stored = one_bill.workbench.store.load_call(waiting.caller.call)
    assert stored is not None
    assert [entry.partition(" ")[2] for entry in stored.call.history][-1] == "awaited 0a"
    assert replay(one_bill.workbench.runner.flows["bills"], stored.call).moves == stored.call.moves
