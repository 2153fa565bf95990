"""Every call written out in tests/calls/*.txt goes as it says: no Python is needed to add one."""

from pathlib import Path

import pytest

from ivr.channels.simulator import play, read_script
from ivr.errors import FlowError
from tests.benches import Bench, make_bench
from tests.merchants import SAMPLE, bench_of, files_by_flow

CALLS = Path(__file__).parent / "calls"
SCRIPTS = sorted(CALLS.glob("*.txt"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_call_goes_as_written(script: Path, sealing_key: Path):
    text = script.read_text(encoding="utf-8")
    bench = bench_of(sealing_key, read_script(text)[0].rest.partition(" from ")[0])
    play(text, bench.world())
    bench.money_agrees()


def test_a_call_that_goes_another_way_is_told_with_its_line(bench: Bench):
    script = "call pay-a-bill from +15550100\n  keys 1\n  hears enter_card_number\n  ends open\n"
    with pytest.raises(AssertionError, match=r"line 3: did not hear enter_card_number; heard .*enter_account_number"):
        play(script, bench.world())


PAID = (CALLS / "approved.txt").read_text(encoding="utf-8").rstrip().rpartition("\n  ends")[0]
FALSEHOODS = {
    "ends unpaid": "ends paid, expected unpaid",
    "ends paid\npayment declined": "payment approved 42.50 USD, expected declined",
    "ends paid\npayment approved 42.51 USD": "payment approved 42.50 USD, expected approved 42.51 USD",
    "ends paid\npayment none": "payment approved 42.50 USD, expected none",
    "ends paid\npayment approved approved": "payment approved 42.50 USD, expected approved approved",
    "ends paid\nbooks 85.00 USD": "books 42.50 USD, expected 85.00 USD",
    "ends paid\nbooks nothing": "books 42.50 USD, expected nothing",
    "ends paid\nbill 12345678 owes 42.50 USD": "bill 0.00 USD, expected 42.50 USD",
    "ends paid\ntexts receipt": "texts none, expected receipt",
    "ends paid\ntext receipt says Paid": "no text receipt says that",
    "ends paid\nnever hears confirmation_number": "heard confirmation_number, which must never be heard",
    "never hears welcome\nends paid": "heard welcome, which must never be heard",
    "ends paid\nlasts at most 1s": "lasts .*, expected at most 1s",
    "ends paid\nlasts at least 1h": "lasts .*, expected at least 1h",
    "ends paid\nsays You were not charged": "nobody said",
}


@pytest.mark.parametrize("falsehood", FALSEHOODS, ids=lambda text: text.replace("\n", ", "))
def test_an_assertion_that_is_not_true_fails_the_call(falsehood: str, bench: Bench):
    with pytest.raises(AssertionError, match=FALSEHOODS[falsehood]):
        play(f"{PAID}\n{falsehood}\n", bench.world())


UNREADABLE = {
    "call pay-a-bil\nends open": r"line 1: there is no flow 'pay-a-bil' \(did you mean 'pay-a-bill'",
    "call\nends open": "line 1: expected 'call <flow> from <number>'",
    "hears welcome": "line 1: a file begins with 'call",
    "": "line 1: a file begins with 'call",
    "call pay-a-bill\nwhistles": "line 2: 'whistles' is not a word of a call file",
    "call pay-a-bill\nheers welcome\nends open": r"line 2: 'heers' .*did you mean 'hears'",
    "call pay-a-bill\nhears welcom\nends open": r"line 2: there is no prompt 'welcom' \(did you mean 'welcome'",
    "call pay-a-bill\nnever hears welcom\nends open": "line 2: there is no prompt",
    "call pay-a-bill\nnever says welcome\nends open": "line 2: expected 'never hears",
    "call pay-a-bill\nbank delcines 51\nends open": "line 2: a bank does not do 'delcines 51'",
    "call pay-a-bill\nbank declines for fun\nends open": "line 2: a bank does not do",
    "call pay-a-bill\nkeys 12 34\nends open": "line 2: expected keys",
    "call pay-a-bill\nkeys 12a\nends open": "line 2: expected keys",
    "call pay-a-bill\nends payed": r"line 2: no call ends 'payed' \(did you mean 'paid'",
    "call pay-a-bill\npayment aproved\nends open": r"line 2: 'aproved' is no payment \(did you mean 'approved'",
    "call pay-a-bill\npayment approved 42.505 USD\nends open": "line 2: '42.505 USD': USD has 2 decimal places",
    "call pay-a-bill\nbooks plenty\nends open": "line 2: 'plenty'",
    "call pay-a-bill\nbill owes 3.00 USD\nends open": "line 2: expected 'bill <account> owes <amount>'",
    "call pay-a-bill\nowes 12345678\nends open": "line 2: expected 'owes <account> <amount>'",
    "call pay-a-bill\nowes 12345678 much\nends open": "line 2: 'much'",
    "call pay-a-bill\nowes 12345678 3.00 USD, whose 1\nends open": "line 2: expected 'owes <account> <amount>'",
    "call pay-a-bill\nowes 12345678 3.00 USD, at least 4.00 USD\nends open": "line 2: the least part, 4.00 USD, is more",
    "call pay-a-bill\nhangs on\nends open": "line 2: expected 'hangs up'",
    "call pay-a-bill\nsilence please\nends open": "line 2: nothing follows 'silence'",
    "call pay-a-bill\npasses soon\nends open": "line 2: expected a time",
    "call pay-a-bill\nlasts 90s\nends open": "line 2: expected 'lasts at most 90s'",
    "call pay-a-bill\ncaller 2\nends open": "line 2: there is no caller 2",
    "call pay-a-bill\nhears welcome": "line 1: this call does not say how it ends",
    "call pay-a-bill\nends open\n\ncall pay-a-bill\nhears welcome": "line 4: this call does not say how it ends",
}


@pytest.mark.parametrize("text", UNREADABLE, ids=lambda text: text.replace("\n", ", "))
def test_a_line_that_says_nothing_we_know_is_a_clear_error_before_anything_is_played(text: str, bench: Bench):
    with pytest.raises(FlowError, match=UNREADABLE[text]):
        play(text, bench.world())
    assert bench.line is None


def test_two_callers_at_once_are_told_apart(bench: Bench):
    script = """
    call pay-a-bill from +15550100
      keys 1
    call pay-a-bill from +15550101
      keys 2
      hears enter_account_number
      says cuenta
    caller 1
      hears enter_account_number
      says account number
      hangs up
      ends unpaid
    caller 2
      ends open
    """
    play(script, bench.world())


def test_a_fault_after_a_charge_has_begun_does_not_say_that_nothing_was_charged(bench: Bench, monkeypatch):
    store = type(bench.workbench.store)
    begin = store.begin_payment

    def begin_then_break(*arguments):
        begin(*arguments)
        raise OSError("the disk is full")

    script = (CALLS / "approved.txt").read_text(encoding="utf-8").partition("  hears  confirm_card")[0]
    monkeypatch.setattr(store, "begin_payment", begin_then_break)
    script += "  keys 1\n  hears apology\n  hears we_will_text_the_result\n  ends pending\n  bank approves\n  payment approved\n"
    play(script, bench.world())


def test_a_flow_that_charges_nobody_is_a_flow_too(sealing_key, tmp_path):
    (tmp_path / "prompts").symlink_to(CALLS.parent.parent / "flows" / "prompts")
    flow = "flow: greet\nlanguages: [en-US]\nlimits: {max_amount: 1.00 USD}\nstart: bye\nsteps:\n  bye: {end: unpaid}\n"
    (tmp_path / "greet.yaml").write_text(flow)
    bench = make_bench(sealing_key, tmp_path / "greet.yaml")
    play("call greet\n  hears you_were_not_charged\n  ends unpaid\n", bench.world())


def test_a_call_names_a_flow_of_the_tests_or_one_that_only_the_product_has(tmp_path: Path):
    (tmp_path / "pay-a-bill.yaml").write_text("flow: pay-a-bill\n# changed by a merchant\n")
    (tmp_path / "tickets.yaml").write_text("flow: tickets\n")
    files = files_by_flow(tmp_path)
    assert files["pay-a-bill"].read_text() == SAMPLE.read_text()
    assert files["tickets"].read_text() == "flow: tickets\n"
    assert {"invoices", "membership", "parking-fine", "rent"} <= set(files)


def test_a_call_of_no_flow_is_told_where_flows_are_looked_for(sealing_key: Path):
    with pytest.raises(FlowError, match=r"no flow 'pay-a-bil' in tests/flows/ or flows/ \(did you mean 'pay-a-bill'"):
        bench_of(sealing_key, "pay-a-bil")
