"""A menu that callers come back to once their bill is paid: what is paid already is not offered again."""

from pathlib import Path

import pytest

from ivr.testing.line import PlacedCall
from tests.merchants_own import bench_with, ring

FLOW = """
flow: again
languages: [en-US]
limits: {{attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 500.00 USD}}
start: account
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {{found: amount, not_found: retry, gave_up: goodbye}}
  amount:
    menu:
      1: {{say: pay_full_balance, set: bill.due, then: card}}
      2: {{say: pay_another_amount, then: other_amount}}{more}
    then: {{gave_up: goodbye, cancelled: goodbye}}
  other_amount: {{ask: money, between: [bill.min, bill.due], then: {{ok: card, gave_up: goodbye}}}}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {{ok: charge, cancelled: goodbye, gave_up: goodbye}}
  charge: {{pay: acme_bank, then: {{approved: amount, declined: card, unknown: resolve}}}}
  resolve: {{inquire_then_reverse: acme_bank, then: {{approved: amount, reversed: goodbye, pending: goodbye}}}}
  goodbye: {{end: as_recorded}}
"""
FINISH = "\n      3: {say: finish_bills, then: goodbye}"
PAID_IN_FULL = ("12345678", "1", "4111111111111111#", "1230", "123", "1")


def paid_in_full(sealing_key: Path, folder: Path, more: str) -> PlacedCall:
    bench = bench_with(sealing_key, folder, FLOW.format(more=more))
    return ring(bench, "again").press(*PAID_IN_FULL).wait()


def test_a_menu_of_nothing_but_payments_ends_the_call_where_nothing_is_due(sealing_key: Path, tmp_path: Path):
    call = paid_in_full(sealing_key, tmp_path / "flows", "")
    assert call.heard[1] == "nothing_due"
    assert not {"pay_full_balance", "pay_another_amount"} & set(call.heard)
    assert call.ended == "paid"


@pytest.mark.parametrize("key", ["1", "2"])
def test_what_else_a_menu_has_is_offered_where_nothing_is_due(sealing_key: Path, tmp_path: Path, key: str):
    call = paid_in_full(sealing_key, tmp_path / "flows", FINISH)
    assert call.heard[1:] == ("nothing_due", "finish_bills")
    assert call.press(key).heard[0] == "no_match"
    assert call.press("3").ended == "paid"
    assert call.payments == ["approved 42.50 USD"]
