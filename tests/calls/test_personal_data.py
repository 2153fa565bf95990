"""One person's data, by number: all of it is handed out, and all but the books is deleted; never while money is under way."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ivr.calls.personal_data import NotANumberError, PersonalData
from ivr.core.money import Money
from ivr.core.remembered import Remembered
from ivr.errors import RecordError
from ivr.store import (
    FORGOTTEN,
    NOTICE_KINDS,
    Agreement,
    BankWord,
    Bill,
    FollowUp,
    Guess,
    GuessLimits,
    Limit,
    Store,
    TurnRecord,
    WantedModification,
    open_store,
)
from tests.store.databases import NUMBERS, empty_sqlite, postgresql, postgresql_url, sqlite_url, url
from tests.store.payments import NO_LIMITS, NOW, a_call, intent, stage

__all__ = ["empty_sqlite", "postgresql", "postgresql_url", "sqlite_url", "url"]
CALLER, OTHER, WRITTEN = "+15557013998", "+15550100222", "+1 (555) 701-3998"
LIMITS = GuessLimits(Limit(3, 3600), Limit(3, 3600))
TOKEN = "8415-token-of-the-bank"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    store = open_store(url, tells=NOTICE_KINDS, numbers=NUMBERS)
    yield store
    store.close()


@pytest.fixture
def people(store: Store) -> PersonalData:
    return PersonalData(store, NUMBERS.hash)


def a_life(store: Store, call_id: str = "CA1", number: str = CALLER, *, ends: bool = True) -> None:
    """A call that guessed, agreed, paid with a card that is kept, was texted and mailed."""
    call = a_call(call_id, ani=number, values={"account_number": "12345678"})
    store.save_call(call, 0, NOW)
    store.note_turn(TurnRecord(call_id, 1, NOW, "call began", "", "language", ("welcome",), 3))
    store.begin_guess(Guess(f"{call_id} 1.0", call_id, "account", NUMBERS.hash(number)), LIMITS, NOW)
    about = ("keep_card", "card", "demo-merchant", call_id, "pay-a-bill", "", "12345678", Money(4250))
    store.record_agreement(Agreement(f"{call_id}-consent", *about, "we keep your card", "en-US", "1", NOW))
    remembered = Remembered("es-MX", "12345678")
    store.remember_caller(NUMBERS.hash(number), "pay-a-bill", remembered, f"{call_id}-remember", NOW)
    reference = f"{call_id}-1"
    store.renew_bills([Bill(f"account of {call_id}", Money(4250), Money(1))])
    stage(store, reference, card=reference)
    wanted = intent(reference, caller=NUMBERS.hash(number), pays=f"account of {call_id}")
    store.begin_payment(replace(wanted, keeps_card=True), NO_LIMITS, NOW)
    if ends:
        pay(store)
    store.queue_sms(f"{reference}-receipt", number, "Paid: $42.50", NOW)
    store.queue_email(f"{reference}-receipt_email", f"{call_id}@example.com".lower(), "Receipt", "Paid: $42.50", NOW)
    store.save_call(replace(call, phase="over", outcome="paid"), 1, NOW)


def pay(store: Store) -> None:
    (job,) = [one for one in store.claim_jobs(NOW, 60, 9) if one.kind == "authorize"]
    assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord(authorization_code="A1", kept_token=TOKEN), FollowUp())


def exported(people: PersonalData, number: str = CALLER) -> dict[str, list[dict[str, object]]]:
    told: dict[str, list[dict[str, object]]] = json.loads(people.export(number, "ada", NOW))
    return told


def test_all_that_is_kept_of_a_number_is_handed_out_however_it_is_written(people: PersonalData, store: Store):
    a_life(store)
    a_life(store, "CA2", OTHER)
    told = exported(people, WRITTEN)
    assert [(one["id"], one["caller"], one["outcome"]) for one in told["calls"]] == [("CA1", CALLER, "paid")]
    assert told["calls"][0]["answers"] == {"account_number": "12345678"}
    assert {(one["way"], one["to"]) for one in told["texts"]} == {("text", CALLER), ("email", "ca1@example.com")}
    (payment,) = told["payments"]
    assert (payment["amount_minor"], payment["card_summary"], payment["status"]) == (4250, "visa 1111", "approved")
    assert payment["confirmation_number"]
    assert [one["kind"] for one in told["ledger"]] == ["requested", "approved"]
    assert [one["wording"] for one in told["agreements"]] == ["we keep your card"]
    assert [(one["brand"], one["last4"]) for one in told["kept_cards"]] == [("visa", "1111")]
    (remembered,) = told["remembered"]
    assert (remembered["flow"], remembered["language"], remembered["account"]) == ("pay-a-bill", "es-MX", "12345678")
    assert remembered["consent"] == "CA1-remember"
    assert len(told["turns"]) == len(told["guesses"]) == 1
    assert {one["kind"] for one in told["notices"]} == {"payment.approved", "bill.paid", "call.ended"}
    assert "CA2" not in json.dumps(told)


def test_what_stands_for_a_card_and_hashes_of_ours_are_not_handed_out(people: PersonalData, store: Store):
    a_life(store)
    told = people.export(CALLER, "ada", NOW)
    for secret in (TOKEN, NUMBERS.hash(CALLER), "fingerprint", "idempotency"):
        assert secret not in told


def test_all_but_the_books_is_deleted_and_nothing_of_anybody_else(people: PersonalData, store: Store):
    a_life(store)
    a_life(store, "CA2", OTHER)
    done = people.delete(CALLER, "ada", NOW)
    assert (done.calls, done.texts, done.charges, done.kept_cards, done.guesses) == (1, 2, 1, 1, 1)
    assert done.remembered == 1
    assert store.recall(NUMBERS.hash(CALLER), "pay-a-bill", NOW) is None
    assert store.recall(NUMBERS.hash(OTHER), "pay-a-bill", NOW) is not None
    assert store.load_call("CA1") is None
    assert [*store.texts_of("CA1"), *store.emails_of("CA1"), *store.turns_of("CA1")] == []
    payment = store.payment("CA1-1")
    assert payment is not None
    assert (payment.status, payment.intent.amount, payment.intent.card_summary) == (
        "approved",
        Money(4250),
        "visa 1111",
    )
    assert payment.intent.ani_hash.startswith(FORGOTTEN)
    assert store.entries("CA1-1") == ["requested", "approved"]
    assert {one.call for one in store.latest_agreements(9)} == {"CA1", "CA2"}
    assert [one.key for one in store.kept_cards(9)] == ["account of CA2"]
    assert [one.key for one in store.card_deletions(9)] == ["account of CA1"]
    with pytest.raises(RecordError, match="nothing is kept of"):
        people.find(CALLER)
    assert len(exported(people, OTHER)["calls"]) == 1


def test_both_are_on_record_with_the_number_shortened(people: PersonalData, store: Store):
    a_life(store)
    people.export(CALLER, "ada", NOW)
    people.delete(CALLER, "ada", NOW)
    events = [(one.who, one.what, one.about.partition(":")[0]) for one in store.audit_events(9)]
    assert ("ada", "personal data exported", "...998") in events
    assert ("ada", "personal data deleted", "...998") in events
    assert "7013998" not in str(store.audit_events(99))


def test_while_a_charge_is_open_nothing_is_deleted(people: PersonalData, store: Store):
    a_life(store, ends=False)
    with pytest.raises(RecordError, match="a charge is open: CA1-1"):
        people.delete(CALLER, "ada", NOW)
    assert store.load_call("CA1") is not None
    pay(store)
    people.delete(CALLER, "ada", NOW)


def test_while_a_call_goes_on_or_a_refund_has_no_outcome_nothing_is_deleted(people: PersonalData, store: Store):
    a_life(store)
    wanted = WantedModification("CA1-1", "refund", Money(1000), Money(4250), "ada")
    store.ask_modification(wanted, NOW)
    with pytest.raises(RecordError, match="a refund is open: CA1-1"):
        people.delete(CALLER, "ada", NOW)
    store.save_call(a_call("CA3", ani=CALLER), 0, NOW)
    with pytest.raises(RecordError, match="a call goes on: CA3"):
        people.delete(CALLER, "ada", NOW)


def test_a_charge_is_found_after_its_call_is_gone(people: PersonalData, store: Store):
    a_life(store)
    store.drop_old("calls", NOW + timedelta(days=1))
    told = exported(people)
    assert (told["calls"], len(told["payments"]), len(told["texts"])) == ([], 1, 2)


def test_somebody_of_whom_nothing_else_is_kept_any_more_is_found_by_what_is_remembered(
    people: PersonalData, store: Store
):
    store.remember_caller(NUMBERS.hash(CALLER), "pay-a-bill", Remembered("es-MX"), "CA1-remember", NOW)
    assert people.find(WRITTEN).remembered == ["pay-a-bill"]
    assert people.delete(CALLER, "ada", NOW).remembered == 1


@pytest.mark.parametrize("number", ["anonymous", "", "   "])
def test_a_withheld_number_is_nobodys(people: PersonalData, number: str):
    with pytest.raises(RecordError, match="a withheld one is nobody's"):
        people.find(number)


def test_a_caller_of_many_calls_is_found_and_deleted(people: PersonalData, store: Store):
    for number in range(450):
        store.save_call(a_call(f"CA{number}", ani=CALLER, phase="over"), 0, NOW)
    assert people.delete(CALLER, "ada", NOW).calls == 450


def test_of_what_is_deleted_no_byte_is_left_in_a_file_of_sqlite(sqlite_url: str, tmp_path: Path):
    store = open_store(sqlite_url, numbers=NUMBERS)
    a_life(store)
    assert any(b"ca1@example.com" in file.read_bytes() or b"$42.50" in file.read_bytes() for file in tmp_path.iterdir())
    PersonalData(store, NUMBERS.hash).delete(CALLER, "ada", NOW)
    for file in tmp_path.iterdir():
        assert b"Paid: $42.50" not in file.read_bytes()
    store.close()


@pytest.mark.parametrize("number", ["abc", "555 o100", "12", "1234567890123456", "-x-"])
def test_what_is_no_telephone_number_is_refused_with_one_that_is(people: PersonalData, number: str):
    with pytest.raises(NotANumberError, match=r"no telephone number.* such as \+1 202 555 0100") as refused:
        people.find(number)
    assert number not in str(refused.value)


def test_a_caller_of_a_telephone_system_is_found_by_the_name_that_the_call_had(people: PersonalData, store: Store):
    store.save_call(a_call(ani="alice"), 0, NOW)
    assert people.find("alice").calls == ["CA1"]
    with pytest.raises(RecordError, match="nothing is kept of that caller"):
        people.find("sip:bob@pbx.example")
    with pytest.raises(RecordError, match="nothing is kept of that caller"):
        people.find("1001")
