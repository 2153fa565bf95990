"""A fee for the card is said wherever a charge with one is written down: receipts, results, notices, and what operators see."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.calls.assembly import load_flow
from ivr.cli.payment_views import Seen, payment_record, what_settling_does
from ivr.cli.payments import payments
from ivr.core.call import Call
from ivr.forwarder.notices import notice_body
from ivr.store import Payment, WantedModification, open_store
from ivr.store.notice_bodies import bill_body, call_body, payment_body
from ivr.testing.bench import Bench, build_bench
from tests.benches import ROOT
from tests.store.databases import make_empty

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
MASTERCARD, VISA = "5555555555554444", "4111111111111111"


@pytest.fixture
def bench(sealing_key: Path, tmp_path: Path) -> Bench:
    flow, prompts = load_flow(ROOT / "flows" / "card-fee.yaml")
    url = f"sqlite:///{tmp_path}/fees.db"
    make_empty(url)
    return build_bench(
        [flow], prompts, ROOT / "config" / "accounts.csv", sealing_key=sealing_key, store=open_store(url)
    )


def pay(bench: Bench, card: str = MASTERCARD, ani: str = "+15550100", end: Callable[..., object] | None = None) -> Call:
    line = bench.dial("card-fee", ani)
    line.begin()
    for keys in ("1", "12345678#", "1", f"{card}#", "1230", "123", "1"):
        line.press(keys)
    if end is not None:
        line.hang_up()
    bench.workbench.work()
    if end is None:
        line.wait()
        line.press("#")
    bench.workbench.work()
    assert bench.line is not None
    stored = bench.workbench.store.load_call(bench.line.call_id)
    assert stored is not None
    return stored.call


def charged(bench: Bench, call: Call) -> Payment:
    (payment,) = bench.workbench.store.payments_of(call.id)
    return payment


def test_receipts_by_text_and_by_email_say_the_amount_the_fee_and_the_total(bench: Bench):
    call = pay(bench)
    (text,) = bench.workbench.store.texts_of(call.id)
    (mail,) = bench.workbench.store.emails_of(call.id)
    for said in (text.body, mail.body):
        assert [said.count(part) for part in ("$44.50", "$42.50", "$2.00")] == [1, 1, 1]
    assert "$44.50" in mail.subject
    assert mail.recipient == "ann.ek@example.com"


def test_a_card_without_a_fee_has_a_receipt_without_one(bench: Bench):
    call = pay(bench, VISA)
    (text,) = bench.workbench.store.texts_of(call.id)
    (mail,) = bench.workbench.store.emails_of(call.id)
    assert not [said for said in (text.body, mail.body) if "fee" in said or "$42.50" not in said]
    assert charged(bench, call).intent.fee is None


def test_billing_is_told_what_to_credit_and_the_merchant_both(bench: Bench):
    call = pay(bench)
    payment = charged(bench, call)
    told = json.loads(notice_body(payment, AT))["data"]
    assert (told["amount"], told["fee"]) == ("42.50 USD", "2.00 USD")
    of_bill = json.loads(bill_body(payment, payment.intent.paid_bills[0], AT))["data"]
    assert (of_bill["amount"], of_bill["fee"]) == ("42.50 USD", "2.00 USD")
    of_payment = json.loads(payment_body("payment.approved", payment, AT))["data"]
    assert (of_payment["amount"], of_payment["fee"]) == ("44.50 USD", "2.00 USD")
    (of_call,) = json.loads(call_body(call, AT, AT))["data"]["charges"]
    assert (of_call["amount"], of_call["fee"]) == ("44.50 USD", "2.00 USD")


def test_a_billing_system_is_told_of_no_fee_where_there_is_none(bench: Bench):
    payment = charged(bench, pay(bench, VISA))
    assert "fee" not in json.loads(notice_body(payment, AT))["data"]
    assert json.loads(payment_body("payment.approved", payment, AT))["data"]["fee"] == ""


def test_operators_see_both(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = bench.workbench.store
    payment = charged(bench, pay(bench))
    record = payment_record(Seen(payment, store.balance_of(payment)))
    assert [record[name] for name in ("amount", "fee", "credited")] == ["44.50 USD", "2.00 USD", "42.50 USD"]
    wanted = WantedModification(payment.intent.reference, "refund", payment.intent.amount, payment.intent.amount, "ada")
    asked = store.ask_modification(wanted, AT)
    assert "44.50 USD (of it 2.00 USD fee) charged" in what_settling_does(asked, "done", payment, refunds=True)  # type: ignore[arg-type]
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/fees.db")
    monkeypatch.setenv("VAR", str(tmp_path))
    shown = CliRunner().invoke(payments, ["show", payment.intent.reference]).output
    assert "amount: 44.50 USD\nfee: 2.00 USD\ncredited: 42.50 USD" in shown


def test_a_call_with_a_fee_is_read_again_as_it_was_written(bench: Bench):
    call = pay(bench)
    assert Call.from_json(call.to_json()) == call
    assert call.charges[0].credited.minor == 4250
