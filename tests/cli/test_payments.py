"""`python -m ivr payments`: a charge is found by what somebody can read out, and its money given back once."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ivr.bank import protocol_called
from ivr.cli import main
from ivr.cli.payments import payments
from ivr.core.actions import SplitPart
from ivr.core.confirmation import in_groups
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.store import BankWord, Bill, FollowUp, Job, ModificationWord, News, Payment, Store, open_store
from tests.store.databases import make_empty
from tests.store.payments import ACCOUNT, NO_LIMITS, begin, intent, stage
from tests.store.sums import OWED, begin_sum

CARD = "4012888888881881"
DAY = datetime(2026, 1, 15, 12, tzinfo=UTC)
BANKS = """banks:
  acme_bank:
    url: https://127.0.0.1:1
    sealing_key: key
    ca: ca
    client_certificate: crt
    client_key: key
"""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'payments.db'}"
    make_empty(url)
    (tmp_path / "banks.yaml").write_text(BANKS)
    for name, value in {"DATABASE_URL": url, "VAR": str(tmp_path), "BANKS": str(tmp_path / "banks.yaml")}.items():
        monkeypatch.setenv(name, value)
    return open_store(url)


def charge(store: Store, reference: str = "CA1-1", status: str = "approved", **how: object) -> Payment:
    begin(store, reference, caller=reference, card=reference, now=DAY, **how)  # type: ignore[arg-type]
    job = due(store)
    store.mark_sent(job)
    store.record(job, status, DAY, BankWord("482913", "00"), FollowUp())  # type: ignore[arg-type]
    payment = store.payment(reference)
    assert payment is not None
    return payment


def due(store: Store) -> Job:
    job = store.claim(DAY + timedelta(days=1), 60)
    assert job is not None
    return job


def end(store: Store, status: str = "done", reason: str | None = None) -> None:
    job = due(store)
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, status, ModificationWord(None, "00", reason), DAY)  # type: ignore[arg-type]


def ivr(*arguments: str, keys: str | None = None) -> Result:
    return CliRunner().invoke(payments, arguments, input=keys)


def works(*arguments: str) -> str:
    result = ivr(*arguments)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def fails(*arguments: str) -> str:
    result = ivr(*arguments)
    assert result.exit_code != 0
    return str(result.exception) if isinstance(result.exception, RecordError) else result.output


def asked(*arguments: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(works(*arguments, "--yes", "--json"))
    return found


def test_a_charge_is_found_by_whatever_somebody_can_read_out(store: Store):
    payment = charge(store)
    number = payment.confirmation_number
    ways = (["CA1-1"], [number], [in_groups(number)], [in_groups(number).replace(" ", "-")], ["482913"])
    for way in (*ways, ["1111", "--on", "2026-01-15"]):
        assert json.loads(works("show", *way, "--json"))["reference"] == "CA1-1"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("CA9-1",), "there is no charge 'CA9-1'"),
        (("1111",), "which day?"),
        (("1111", "--on", "2026-01-16"), "no charge is found by 1111"),
        (("999999",), "no charge is found"),
        (("1234567890123",), "no charge is found"),
    ],
)
def test_what_finds_nothing_says_what_would(store: Store, arguments: tuple[str, ...], says: str):
    charge(store)
    assert says in fails("show", *arguments)


def test_a_wrong_check_digit_is_told_as_such_and_not_as_a_charge_that_is_not_there(store: Store):
    number = charge(store).confirmation_number
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert "its last digit does not fit" in fails("show", wrong)
    swapped = next(
        number[:at] + number[at + 1] + number[at] + number[at + 2 :]
        for at in range(1, 8)
        if number[at] != number[at + 1]
    )
    assert "two are swapped" in fails("refund", swapped, "--yes")
    assert store.entries("CA1-1") == ["requested", "approved"]


def test_several_of_a_card_on_a_day_are_listed_and_none_is_taken(store: Store):
    charge(store, "CA1-1")
    charge(store, "CA2-1")
    told = fails("refund", "1111", "--on", "2026-01-15", "--yes")
    assert "CA1-1" in told
    assert "CA2-1" in told
    assert store.outbox_depth()["modification"] == 0


@pytest.mark.parametrize("typed", [CARD, "4012 8888 8888 1881", f"card {CARD}", f"CA1-{CARD}"])
def test_a_card_number_that_was_typed_is_said_nowhere(store: Store, typed: str):
    charge(store)
    result = ivr("show", typed)
    shown = result.output + str(result.exception)
    assert CARD not in shown.replace(" ", "")
    assert result.exit_code != 0


def test_a_list_shows_what_was_charged_and_what_is_back(store: Store):
    number = charge(store).confirmation_number
    declined = charge(store, "CA2-1", "declined").confirmation_number
    shown = works("list")
    assert in_groups(number) in shown
    assert in_groups(declined) not in shown  # its caller was told none
    assert json.loads(works("show", "CA2-1", "--json"))["confirmation_number"] == ""
    assert "declined" in shown
    assert [json.loads(line)["reference"] for line in works("list", "--json").splitlines()] == ["CA1-1", "CA2-1"]
    asked("refund", "CA1-1", "--amount", "10.00", "--refundable", "42.50")
    assert "10.00 USD asked back" in works("list", "--status", "waiting")
    end(store)
    (record,) = [json.loads(line) for line in works("list", "--status", "refunded", "--json").splitlines()]
    assert (record["returned"], record["refundable"]) == ("10.00 USD", "32.50 USD")


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (("--day", "2026-01-15"), 2),
        (("--day", "2026-01-14"), 0),
        (("--status", "approved"), 1),
        (("--bank", "acme_bank"), 2),
        (("--bank", "other"), 0),
        (("--bill", ACCOUNT), 2),
        (("--flow", "pay-a-bill"), 1),
        (("--most", "1"), 1),
    ],
)
def test_a_list_is_filtered(store: Store, arguments: tuple[str, ...], count: int):
    charge(store, line="pay-a-bill +15550199")
    charge(store, "CA2-1", "declined")
    assert len(works("list", *arguments, "--json").splitlines()) == count


def test_an_empty_list_says_so(store: Store):
    said = works("list", "--day", "2026-01-15")
    assert said.startswith("no charge is like that in sqlite")
    assert "`simulate` keeps nothing there" in said


def test_a_refund_is_asked_for_once_and_shown_until_its_end(store: Store):
    charge(store)
    first = asked("refund", "CA1-1")
    assert (first["id"], first["amount"], first["is_new"]) == ("CA1-1-m1", "42.50 USD", True)
    assert "nothing of the charge CA1-1 is left to refund" in fails("refund", "CA1-1", "--yes")
    assert "waits for the forwarder" in works("show", "CA1-1")
    end(store)
    shown = works("show", "CA1-1")
    for line in ("returned: 42.50 USD", "refunded         42.50 USD", "(CA1-1-m1)", ": done"):
        assert line in shown


def test_a_script_that_runs_twice_refunds_a_part_once(store: Store):
    charge(store)
    line = ("refund", "CA1-1", "--amount", "10.00", "--refundable", "42.50")
    assert [asked(*line)["is_new"] for _ in range(3)] == [True, False, False]
    end(store)
    assert asked(*line)["is_new"] is False
    assert len(store.modifications_of("CA1-1")) == 1


def test_a_script_that_refunds_a_part_must_say_what_could_be_refunded(store: Store):
    charge(store)
    assert "--refundable" in fails("refund", "CA1-1", "--amount", "10.00", "--yes")
    assert store.entries("CA1-1") == ["requested", "approved"]


def test_what_is_no_longer_so_is_told_and_nothing_is_asked_for(store: Store):
    charge(store)
    asked("refund", "CA1-1", "--amount", "10.00", "--refundable", "42.50")
    told = fails("refund", "CA1-1", "--amount", "5.00", "--refundable", "42.50", "--yes")
    assert "32.50 USD can be refunded now" in told
    assert len(store.modifications_of("CA1-1")) == 1


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        ("42.51", "more than the 42.50 USD that can be refunded"),
        ("0", "more than nothing"),
        ("-1", "expected an amount"),
        ("10,00", "decimal point"),
        ("10.00 EUR", "the charge is in USD"),
        ("10.001", "2 decimal places"),
        ("ten", "expected an amount"),
    ],
)
def test_an_amount_that_cannot_be_refunded_is_told(store: Store, amount: str, says: str):
    charge(store)
    assert says in fails("refund", "CA1-1", f"--amount={amount}", "--refundable", "42.50", "--yes")
    assert store.outbox_depth()["modification"] == 0


@pytest.mark.parametrize("status", ["declined", "unknown", "not_sent"])
@pytest.mark.parametrize("kind", ["refund", "void", "capture"])
def test_what_was_not_charged_is_not_given_back(store: Store, status: str, kind: str):
    charge(store, status=status)
    assert f"nothing to {kind}" in fails(kind, "CA1-1", "--yes")


def test_a_refused_refund_is_told_with_its_reason(store: Store):
    charge(store)
    asked("refund", "CA1-1")
    end(store, "failed", "account closed")
    shown = works("show", "CA1-1")
    assert "not done: account closed" in shown
    assert "refundable: 42.50 USD" in shown
    assert asked("refund", "CA1-1")["id"] == "CA1-1-m2"


def test_a_void_takes_all_back_or_nothing(store: Store):
    charge(store)
    charge(store, "CA2-1")
    asked("refund", "CA1-1", "--amount", "10.00", "--refundable", "42.50")
    assert "payments refund` gives back the rest" in fails("void", "CA1-1", "--yes")
    assert asked("void", "CA2-1")["kind"] == "void"


def test_a_bank_that_takes_the_money_with_the_charge_has_nothing_to_capture(store: Store):
    charge(store)
    assert "has taken the money with the charge" in fails("capture", "CA1-1", "--yes")


def test_a_reserved_amount_is_listed_until_it_is_captured_and_only_then_refunded(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    charge(store, "CA0-1")
    charge(store, pays=ACCOUNT, captures_later=True)
    assert (asked_for("list", "--uncaptured")["reference"], works("list").count("reserved")) == ("CA1-1", 1)
    assert "is not captured: `" in ivr("refund", "CA1-1", "--yes").exception.args[0]  # type: ignore[union-attr]
    works("capture", "CA1-1", "--yes")
    assert asked_for("show", "CA1-1")["reservation"] == "capture_asked"
    end(store)
    assert asked_for("show", "CA1-1")["reservation"] == "captured"
    assert works("list", "--uncaptured").startswith("no charge is like that in sqlite")
    assert "is captured: `" in ivr("void", "CA1-1", "--yes").exception.args[0]  # type: ignore[union-attr]
    works("refund", "CA1-1", "--yes")


def test_a_reserved_amount_that_is_voided_owes_its_bill_again(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    charge(store, pays=ACCOUNT, captures_later=True)
    assert f"The bill {ACCOUNT} is owed again." in ivr("void", "CA1-1").output
    works("void", "CA1-1", "--yes")
    end(store)
    assert asked_for("show", "CA1-1")["reservation"] == "voided"
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert bill.due == Money(4250)


def asked_for(*arguments: str) -> dict[str, object]:
    (line,) = works(*arguments, "--json").splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def test_of_a_sale_that_the_bank_has_let_go_of_nothing_is_voided_and_the_books_stay_as_they_are(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(0))])
    payment = charge(store, pays=ACCOUNT)
    news = News("acme_bank", "let go", "CA1-1", "reversed", BankWord(), payment.intent.amount)
    assert store.hear(news, DAY, FollowUp()) == "lost"
    before = store.account_balances()
    for how in (("void", "CA1-1", "--yes"), ("void", "CA1-1", "--yes", "--reopen-bill"), ("capture", "CA1-1", "--yes")):
        assert "accounts import" in fails(*how)
    assert (store.account_balances(), list(store.book_faults())) == (before, [])
    assert {one.account: one.minor for one in before if one.minor} == {
        "uncollected:acme_bank": 4250,
        "bill": -4250,
    }


def test_a_bank_that_is_no_longer_named_is_told_with_the_cure(store: Store, tmp_path: Path):
    charge(store)
    (tmp_path / "banks.yaml").write_text(BANKS.replace("acme_bank", "other_bank"))
    assert "banks.yaml no longer names the bank 'acme_bank'" in fails("refund", "CA1-1", "--yes")


def test_nothing_is_asked_for_without_a_yes(store: Store):
    charge(store)
    assert "here: --yes does it" in fails("refund", "CA1-1")
    assert '--refundable "42.50 USD" --yes does it' in fails("refund", "CA1-1", "--amount", "10.00")
    assert store.outbox_depth()["modification"] == 0


@pytest.mark.parametrize(("key", "count"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_an_operator_sees_what_will_happen_and_is_asked(
    store: Store, key: str, count: int, monkeypatch: pytest.MonkeyPatch
):
    number = charge(store).confirmation_number
    monkeypatch.setattr("ivr.cli.payments.require_terminal", lambda _options: None)
    shown = ivr("refund", "CA1-1", "--amount", "10.00", keys=key).output
    for words in (
        "42.50 USD by visa 1111",
        in_groups(number),
        "32.50 USD can be refunded after it",
        "Refund 10.00 USD?",
    ):
        assert words in shown
    assert store.outbox_depth()["modification"] == count


def test_the_banks_code_is_shown_with_its_words_and_to_programs_alone(store: Store):
    begin(store)
    job = due(store)
    store.mark_sent(job)
    assert store.record(job, "declined", DAY, BankWord(None, "51"), FollowUp())
    assert "code 51 (not sufficient funds)" in works("show", "CA1-1")
    assert json.loads(works("show", "CA1-1", "--json"))["response_code"] == "51"


def test_a_bill_is_owed_again_only_where_there_is_one_of_ours(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(4250))])
    charge(store, "CA1-1", pays=ACCOUNT)
    charge(store, "CA2-1")
    assert "pays no bill" in fails("refund", "CA2-1", "--reopen-bill", "--yes")
    assert asked("refund", "CA1-1", "--reopen-bill")["reopens_bill"] is True
    monkeypatch.setenv("BILLING_URL", "https://127.0.0.1:1/bills")
    assert "reopen it there" in fails("refund", "CA1-1", "--reopen-bill", "--yes")


def test_of_a_sum_each_bill_is_shown_and_only_all_of_it_owes_them_again(store: Store):
    store.renew_bills([Bill(key, Money(minor), Money(0)) for key, minor in OWED.items()])
    begin_sum(store)
    job = due(store)
    store.mark_sent(job)
    assert store.record(job, "approved", DAY, BankWord("482913", "00"), FollowUp())
    assert "paid of it: 700102 71.85 USD" in works("show", "CA1-1")
    assert json.loads(works("show", "CA1-1", "--json"))["bills"][2] == {"key": "700103", "amount": "18.00 USD"}
    part = ("refund", "CA1-1", "--amount", "10.00", "--refundable", "154.05", "--yes")
    assert "paid 3 bills in one sum" in fails(*part, "--reopen-bill")
    assert not store.modifications_of("CA1-1")
    assert "The bill 700102 (71.85 USD) is owed again" in ivr("refund", "CA1-1", "--reopen-bill", keys="n\n").output
    assert asked("refund", "CA1-1", "--reopen-bill")["amount"] == "154.05 USD"
    end(store)
    assert [store.find_bill(key).due.minor for key in OWED] == [6420, 7185, 1800]  # type: ignore[union-attr]


def test_a_protocol_without_refunds_is_refused_at_once_with_the_cure(store: Store, monkeypatch: pytest.MonkeyPatch):
    protocol = protocol_called("tonetill")
    without = replace(protocol, promises=replace(protocol.promises, operations=frozenset({"sale"})))
    monkeypatch.setattr("ivr.calls.modifying.protocol_called", lambda name: without)
    charge(store)
    told = fails("refund", "CA1-1", "--yes")
    assert "the protocol 'tonetill' of 'acme_bank' has no refund: do it at the bank itself" in told
    with_void = replace(protocol, promises=replace(protocol.promises, operations=frozenset({"sale", "void"})))
    monkeypatch.setattr("ivr.calls.modifying.protocol_called", lambda name: with_void)
    told = fails("refund", "CA1-1", "--yes")
    assert "has no refund: `python -m ivr payments void` takes all of it back before it is settled; after that" in told
    assert store.outbox_depth()["modification"] == 0


def test_a_mistake_is_one_line_and_no_traceback(store: Store, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["payments", "show", "CA9-1"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: there is no charge 'CA9-1'")


@pytest.mark.parametrize("arguments", [(), ("refund",), ("list",)])
def test_the_help_teaches_how_a_charge_is_found(arguments: tuple[str, ...]):
    shown = CliRunner().invoke(payments, [*arguments, "--help"]).output
    assert {(): "confirmation number", ("refund",): "run twice, it refunds once", ("list",): "--status"}[
        arguments
    ] in shown


def unknown_refund(store: Store) -> str:
    key = str(asked("refund", "CA1-1")["id"])
    job = due(store)
    assert store.mark_modification_sent(job)
    assert store.doubt_modification(job, 0, None, "no answer")
    return key


@pytest.mark.parametrize(("word", "entry", "left"), [("done", "refunded", 0), ("failed", "refund_failed", 4250)])
def test_a_refund_without_an_outcome_is_settled_by_hand_once_and_asked_about_no_more(
    store: Store, word: str, entry: str, left: int
):
    payment = charge(store)
    key = unknown_refund(store)
    record = json.loads(works("settle", key, f"--{word}", "--yes", "--json"))
    assert (record["status"], str(record["reason"]).startswith("settled by hand by")) == (word, True)
    assert store.entries("CA1-1")[-1] == entry
    assert store.balance_of(payment).refundable.minor == left
    assert not store.is_job_open("modification", key)
    event = store.audit_events(1)[0]
    assert (event.what, event.about) == (f"refund settled as {word}", key)
    assert store.broken_audit_event() is None
    assert f"cannot be settled by hand: it is {word}" in fails("settle", key, "--failed", "--yes")


def test_only_what_has_left_and_has_no_outcome_is_settled_by_hand(store: Store):
    charge(store)
    key = str(asked("refund", "CA1-1")["id"])
    assert "it is asked" in fails("settle", key, "--done", "--yes")
    assert "no refund, void or capture is called 'CA1-1'" in fails("settle", "CA1-1", "--done", "--yes")
    assert store.entries("CA1-1")[-1] == "refund_asked"


def test_settling_says_what_it_does_and_asks(store: Store):
    charge(store)
    key = unknown_refund(store)
    assert "--done or --failed" in fails("settle", key)
    told = fails("settle", key, "--failed")
    assert "is then a second one" in told
    assert "nobody can be asked here" in told
    assert store.modification(key).status == "unknown"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("word", "told", "then"),
    [("failed", "a refund of it is asked for at once", "undoing"), ("done", "nothing is charged by it", "undone")],
)
def test_settling_a_part_that_is_taken_back_says_what_becomes_of_it(store: Store, word: str, told: str, then: str):
    part = SplitPart("CA1-1", Money(4250), "take_back")
    stage(store, "CA1-1", now=DAY)
    store.begin_payment(replace(intent("CA1-1", minor=2000), part=part), NO_LIMITS, DAY)
    job = due(store)
    store.mark_sent(job)
    store.record(job, "approved", DAY, BankWord("482913", "00"), FollowUp())
    store.take_back("CA1", DAY)
    void = due(store)
    assert store.mark_modification_sent(void)
    assert store.doubt_modification(void, 0, None, "no answer")
    assert told in fails("settle", "CA1-1-m1", f"--{word}")
    works("settle", "CA1-1-m1", f"--{word}", "--yes")
    payment = store.payment("CA1-1")
    assert payment is not None
    assert payment.part == then


def test_the_banks_word_against_a_refund_that_was_settled_as_failed_contradicts(store: Store):
    payment = charge(store)
    key = unknown_refund(store)
    works("settle", key, "--failed", "--yes")
    news = News("acme_bank", "event 1", key, "refunded", BankWord(None, "00"), payment.intent.amount)
    assert store.hear(news, DAY, FollowUp()) == "contradicts"


def test_a_refusal_is_in_the_audit_trail_with_its_reason(store: Store):
    charge(store, status="declined")
    assert "nothing to refund" in fails("refund", "CA1-1", "--yes")
    event = store.audit_events(1)[0]
    assert event.what == "refund refused"
    assert event.about.startswith("CA1-1: ")
    assert "nothing to refund" in event.about
