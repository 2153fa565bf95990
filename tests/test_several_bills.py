"""A caller with several bills in one call: each agreement is recorded and each text goes, for the bill that it is about."""

from dataclasses import replace
from pathlib import Path

import pytest

from ivr.conversation.history import is_whole
from ivr.errors import FlowError
from ivr.store.outbox import NOTICES, Which
from ivr.testing.line import PlacedCall
from ivr.testing.replay import replay
from tests.benches import Bench
from tests.merchants_own import BILLS, bench_with, ring

PROMISES = BILLS.format(
    name="bills",
    chosen="amount",
    steps="""
  amount:
    menu:
      1: {say: offer_promise, set: bill.due, then: promise_to_pay}
      2: {say: offer_plan, set: bill.due, then: plan}
      3: {say: offer_mandate, set: bill.due, then: mandate}
      4: {say: offer_link, then: send_link}
      5: {say: pay_full_balance, set: bill.due, then: card}
    then: {gave_up: goodbye, cancelled: goodbye}
  promise_to_pay: {promise: promise, within: 14d, then: {agreed: promised, refused: amount}}
  plan: {agree: plan, to: plan, instalments: 3, every: month, then: {agreed: promised, refused: amount}}
  mandate: {agree: mandate, to: mandate, every: month, then: {agreed: promised, refused: amount}}
  promised: {say: promise_recorded, sms: send, then: which_bill}
  send_link: {sms: pay_link, link: bill, then: which_bill}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: goodbye, gave_up: goodbye}
  charge: {pay: acme_bank, then: {approved: which_bill, declined: card, unknown: resolve}}
  resolve: {inquire_then_reverse: acme_bank, then: {approved: which_bill, reversed: goodbye, pending: goodbye}}
""",
)
WORDS = 'promise_recorded_sms: "Agreed."'
SIGN_IN = ("20000001", "2468")


@pytest.fixture
def alike(sealing_key: Path, tmp_path: Path) -> Bench:
    """The customer's first two bills are over the same amount."""
    bench = bench_with(sealing_key, tmp_path / "flows", PROMISES, WORDS)
    store = bench.workbench.store
    first, second = store.find_bill("700101"), store.find_bill("700102")
    assert first is not None
    assert second is not None
    store.renew_bills([replace(second, due=first.due)])
    return bench


def agreed(bench: Bench, call: PlacedCall) -> list[tuple[str, str]]:
    return sorted((one.kind, one.account) for one in bench.workbench.store.agreements_of(call.caller.call))


def texts(bench: Bench, call: PlacedCall) -> list[str]:
    return [text.body for text in bench.workbench.store.texts_of(call.caller.call)]


@pytest.mark.parametrize(("key", "kind"), [("1", "promise"), ("2", "plan"), ("3", "mandate")])
def test_agreements_for_two_bills_of_one_amount_are_two_and_each_is_texted(alike: Bench, key: str, kind: str):
    call = ring(alike, "bills").press(*SIGN_IN)
    for bill in "12":
        call.press(bill, key, "1")
        assert call.heard[:2] == ("promise_recorded", "sms_sent")
    assert agreed(alike, call) == [(kind, "700101"), (kind, "700102")]
    assert texts(alike, call) == ["Agreed."] * 2


def test_the_billing_system_is_told_of_both(alike: Bench):
    runner = alike.workbench.runner
    runner.payments = replace(runner.payments, tells_billing=True)
    ring(alike, "bills").press(*SIGN_IN, "1", "1", "1", "2", "1", "1")
    store = alike.workbench.store
    told = store.claim_jobs(alike.workbench.clock(), 60, 9, Which(NOTICES))
    assert len({job.reference for job in told if job.kind == "agreement"}) == 2


def test_the_same_agreement_again_is_one_and_one_text(alike: Bench):
    call = ring(alike, "bills").press(*SIGN_IN, "1", "1", "1", "1", "1", "1")
    assert call.heard[:2] == ("promise_recorded", "sms_sent")
    assert agreed(alike, call) == [("promise", "700101")]
    assert texts(alike, call) == ["Agreed."]


def test_a_link_for_each_bill_is_a_text_for_each(alike: Bench):
    call = ring(alike, "bills").press(*SIGN_IN)
    for bill in "121":
        call.press(bill, "4")
        assert call.heard[0] == "pay_link"
    assert len(texts(alike, call)) == 2


def test_a_bill_that_another_call_is_paying_leaves_the_others_to_be_paid(alike: Bench):
    alike.tell_bank("cannot say")
    other = ring(alike, "bills", "+15559990100").press(*SIGN_IN, "1", "5", "4111111111111111#", "1230", "123", "1")
    other.hang_up()
    call = ring(alike, "bills").press(*SIGN_IN, "1", "5")
    assert call.heard == ("payment_in_progress", "open_bills", "offer_bill", "offer_bill", "finish_bills")
    alike.tell_bank("approves")
    call.press("1", "5", "5555555555554444#", "1230", "123", "1").wait()
    assert call.payments == ["approved 64.20 USD"]
    assert [payment.intent.payable_key for payment in alike.workbench.store.payments_of(call.caller.call)] == ["700102"]


# ---- all in one sum

ALL = BILLS.format(
    name="bills",
    chosen="amount, all: card",
    steps="""
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
    then: {gave_up: goodbye, cancelled: goodbye}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: which_bill, gave_up: goodbye}
  charge: {pay: acme_bank, then: {approved: which_bill, declined: card, unknown: resolve}}
  resolve: {inquire_then_reverse: acme_bank, then: {approved: which_bill, reversed: goodbye, pending: goodbye}}
""",
)
CARD, OTHER_CARD = ("4111111111111111#", "1230", "123"), ("5555555555554444#", "1230", "123")
OFFERED = ("open_bills", "offer_bill", "offer_bill", "offer_bill", "all_bills", "finish_bills")


@pytest.fixture
def together(sealing_key: Path, tmp_path: Path) -> Bench:
    return bench_with(sealing_key, tmp_path / "flows", ALL)


def test_the_bank_is_told_which_bills_a_sum_is_for(together: Bench):
    call = ring(together, "bills").press(*SIGN_IN, "6", *CARD, "1").wait()
    (payment,) = together.workbench.store.payments_of(call.caller.call)
    assert together.bank.seen[payment.intent.reference].invoice_reference == "700101, 700102, 700103"
    assert together.bank.charged[payment.intent.reference] == payment.intent.amount


def test_a_card_that_costs_a_fee_costs_it_once_for_the_sum(sealing_key: Path, tmp_path: Path):
    with_fee = ALL.replace("    confirm: [", "    fee: {rate: {mastercard: 2.00 USD}}\n    confirm: [")
    bench = bench_with(sealing_key, tmp_path / "flows", with_fee)
    call = ring(bench, "bills").press(*SIGN_IN, "6", *OTHER_CARD)
    assert "3 bills, with Mastercard" in call.words
    assert "a fee of 2 dollars, 156 dollars and 5 cents in all" in call.words
    call.press("1").wait()
    assert call.payments == ["approved 156.05 USD"]
    assert {one.due.minor for one in bench.workbench.store.find_bills("20000001")} == {0}


BY_EMAIL = (
    ALL.replace("{bill.issued: date}", "{bill.issued: date, customer.email: email}")
    .replace("{approved: which_bill,", "{approved: receipt,")
    .replace("goodbye: {end", "receipt: {say: confirmation_number, email: send, end: as_recorded}\n  goodbye: {end")
    .replace("none_left: goodbye", "none_left: receipt")
)


@pytest.mark.parametrize(
    ("addresses", "sent_to"),
    [
        (("ann@example.com",) * 3, ["ann@example.com"]),
        (("ann@example.com", "bob@example.com", "ann@example.com"), []),
        (("ann@example.com", "", "ann@example.com"), []),
    ],
)
def test_the_receipt_of_a_sum_goes_to_the_address_that_all_of_its_bills_have(
    sealing_key: Path, tmp_path: Path, addresses: tuple[str, ...], sent_to: list[str]
):
    bench = bench_with(sealing_key, tmp_path / "flows", BY_EMAIL)
    store = bench.workbench.store
    for bill, address in zip(store.find_bills("20000001"), addresses, strict=True):
        store.renew_bills([replace(bill, details=(*bill.details, ("customer.email", address)))])
    call = ring(bench, "bills").press(*SIGN_IN, "6", *CARD, "1").wait()
    mails = store.emails_of(call.caller.call)
    assert [mail.recipient for mail in mails] == sent_to
    assert ("email_sent" in call.heard) == bool(sent_to)
    assert all(bill in mail.body for mail in mails for bill in ("700101", "700102", "700103"))


def test_each_bill_that_is_paid_singly_is_receipted_to_its_own_address(sealing_key: Path, tmp_path: Path):
    flow = ALL.replace("{bill.issued: date}", "{bill.issued: date, customer.email: email}").replace(
        "goodbye: {end", "receipt: {say: confirmation_number, email: send, end: as_recorded}\n  goodbye: {end"
    )
    bench = bench_with(sealing_key, tmp_path / "flows", flow.replace("none_left: goodbye", "none_left: receipt"))
    store = bench.workbench.store
    addresses = {"700101": "ann@example.com", "700102": "bob@example.com", "700103": ""}
    for bill in store.find_bills("20000001"):
        store.renew_bills([replace(bill, details=(*bill.details, ("customer.email", addresses[bill.account])))])
    call = ring(bench, "bills").press(*SIGN_IN)
    for _ in range(3):
        call.press("1", "1", *CARD, "1").wait()
    assert call.payments == ["approved 64.20 USD", "approved 71.85 USD", "approved 18.00 USD"]
    sent = {mail.recipient: mail.body for mail in store.emails_of(call.caller.call)}
    assert {address: "64.20" in body for address, body in sent.items()} == {
        "ann@example.com": True,
        "bob@example.com": False,
    }
    assert "71.85" in sent["bob@example.com"]
    assert "email_sent" not in call.heard  # not every receipt has gone


def test_who_agrees_to_a_bill_that_somebody_else_has_paid_by_then_is_offered_the_others(together: Bench):
    call = ring(together, "bills").press(*SIGN_IN, "2", "1", *CARD)
    other = ring(together, "bills", "+15550101").press(*SIGN_IN, "2", "1", *OTHER_CARD, "1").wait()
    assert other.payments == ["approved 71.85 USD"]
    call.press("1").wait()
    assert call.payments == []
    assert list(call.heard[-6:]) == [
        "nothing_due",
        "open_bills",
        "offer_bill",
        "offer_bill",
        "all_bills",
        "finish_bills",
    ]
    call.press("1", "1", *CARD, "1").wait()
    assert call.payments == ["approved 64.20 USD"]


def test_a_sum_without_an_address_of_its_look_up_is_told_at_the_look_up_that_the_flow_has(
    sealing_key: Path, tmp_path: Path
):
    with pytest.raises(FlowError, match=r"lookups: billing\.find_bills: gives: \{customer\.email: email\}"):
        bench_with(sealing_key, tmp_path / "flows", BY_EMAIL.replace(", customer.email: email", ""))


def test_a_sum_that_was_cancelled_leaves_every_way_open(together: Bench):
    call = ring(together, "bills").press(*SIGN_IN)
    assert call.heard[-6:] == OFFERED
    call.press("6", "*", "1")
    assert call.heard[-6:] == OFFERED
    call.press("3", "1", *CARD, "1").wait()
    assert call.payments == ["approved 18.00 USD"]
    call.press("6", *OTHER_CARD, "1").wait()
    assert call.payments == ["approved 18.00 USD", "approved 136.05 USD"]


def test_while_a_sum_is_in_doubt_none_of_its_bills_is_offered_or_paid(together: Bench):
    together.tell_bank("cannot say")
    ring(together, "bills").press(*SIGN_IN, "6", *CARD, "1").hang_up()
    other = ring(together, "bills", "+15559990100").press(*SIGN_IN, "6")
    assert other.heard[0] == "payment_in_progress"
    assert "offer_bill" not in other.heard
    together.tell_bank("approves")
    assert {one.due.minor for one in together.workbench.store.find_bills("20000001")} == {0}


def test_a_bill_that_another_call_is_paying_is_left_out_of_the_sum(together: Bench):
    first = ring(together, "bills").press(*SIGN_IN, "6", *CARD)
    together.tell_bank("cannot say")
    ring(together, "bills", "+15559990100").press(*SIGN_IN, "2", "1", *OTHER_CARD, "1").hang_up()
    first.press("1")
    assert first.heard[0] == "payment_in_progress"
    assert first.heard[1:] == ("open_bills", "offer_bill", "offer_bill", "all_bills", "finish_bills")
    first.press("6", *CARD)
    together.bank.behaviour = "approves"
    first.press("1").wait()
    assert first.payments == ["approved 82.20 USD"]


def test_a_sum_over_the_flows_largest_amount_is_not_offered(together: Bench):
    store = together.workbench.store
    first = store.find_bill("700101")
    assert first is not None
    store.renew_bills([replace(first, due=replace(first.due, minor=45_000))])
    call = ring(together, "bills").press(*SIGN_IN)
    assert "all_bills" not in call.heard
    assert call.press("6").heard[0] == "no_match"


# ---- what others have paid meanwhile


def pays(bench: Bench, bill: str) -> PlacedCall:
    """Another caller of the same customer pays one bill in full."""
    other = ring(bench, "bills", "+15559990100").press(*SIGN_IN, bill, "1", *OTHER_CARD, "1").wait()
    bench.pass_time(5)
    return other


@pytest.mark.parametrize("elsewhere", [False, True], ids=["our table", "a billing system"])
def test_after_a_payment_the_list_is_without_what_another_caller_has_paid_meanwhile(together: Bench, elsewhere: bool):
    runner = together.workbench.runner
    runner.payments = replace(runner.payments, tells_billing=elsewhere)
    call = ring(together, "bills").press(*SIGN_IN)
    together.pass_time(5)
    assert pays(together, "2").payments == ["approved 71.85 USD"]
    call.press("1", "1", *CARD, "1").wait()
    assert call.payments == ["approved 64.20 USD"]
    assert (call.heard.count("offer_bill"), "18 dollars" in call.words) == (1, True)
    assert "71 dollars" not in call.words


def test_after_a_refusal_the_list_is_without_what_another_caller_has_paid_meanwhile(together: Bench):
    call = ring(together, "bills").press(*SIGN_IN, "1", "1", *CARD)
    pays(together, "2")
    together.tell_bank("cannot say")
    ring(together, "bills", "+15559990100").press(*SIGN_IN, "1", "1", *OTHER_CARD, "1").hang_up()
    call.press("1")
    assert (call.heard[0], call.heard.count("offer_bill")) == ("payment_in_progress", 1)
    assert "71 dollars" not in call.words


def test_a_replay_hears_what_another_caller_had_paid(together: Bench):
    call = ring(together, "bills").press(*SIGN_IN)
    pays(together, "2")
    call.press("1", "1", *CARD, "1").wait()
    call.press("1", "1", *OTHER_CARD, "1").wait()
    stored = together.workbench.store.load_call(call.caller.call)
    assert stored is not None
    assert [entry.partition(" ")[2] for entry in stored.call.history if " left " in entry] == [
        "bank approved left 0 0 1800"
    ]
    assert is_whole(stored.call.history)
    again = replay(together.workbench.runner.flows["bills"], stored.call)
    assert [str(one.amount) for one in again.charges] == call_amounts(call)


def call_amounts(call: PlacedCall) -> list[str]:
    return [payment.removeprefix("approved ") for payment in call.payments]
