"""Cards that a bank keeps: on record with the approval, for one thing that is paid for, until they are forgotten."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from ivr.core.money import Money
from ivr.store import (
    KEPT_CARD,
    Accepted,
    Agreement,
    AttemptLimits,
    BankWord,
    Bill,
    FollowUp,
    Job,
    News,
    NoCard,
    SealedField,
    Store,
)
from tests.store.payments import ACCOUNT, NOW, intent, stage

SOURCE = "billing.find_bill"
WORD = BankWord("482913", "00", kept_token="tok-0123456789", kept_until="2030-12")


def pay(store: Store, reference: str, word: BankWord = WORD, status: str = "approved", *, keeps: bool = True) -> None:
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    stage(store, reference, card=f"card of {reference}")
    wanted = replace(intent(reference, pays=ACCOUNT), keeps_card=keeps)
    store.begin_payment(wanted, AttemptLimits(), NOW)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, status, NOW, word, FollowUp())  # type: ignore[arg-type]


def test_a_card_is_kept_with_the_approval_and_the_consent_to_it(store: Store):
    about = (
        "demo-merchant",
        "CA1",
        "card-on-file",
        "v1",
        ACCOUNT,
        Money(4250),
        "May the bank keep your Visa?",
        "en-US",
    )
    store.record_agreement(Agreement("CA1-keep_card-1", "keep_card", "keep_card", *about, "1", NOW))
    pay(store, "CA1-1")
    kept = store.kept_card(SOURCE, ACCOUNT, "acme_bank")
    assert kept is not None
    assert (kept.brand, kept.last4, kept.expires, kept.consent) == ("visa", "1111", "2030-12", "CA1-keep_card-1")
    assert kept.token == WORD.kept_token
    assert WORD.kept_token not in repr(kept) + repr(WORD)
    assert kept.fingerprint == "card of CA1-1", "its limits are the card's"
    assert store.kept_card(SOURCE, ACCOUNT, "another_bank") is None


def test_nothing_is_kept_of_a_charge_that_failed_nor_without_consent(store: Store):
    pay(store, "CA2-1", keeps=False)
    pay(store, "CA3-1", word=BankWord("482913", "00"))
    pay(store, "CA1-1", status="declined")
    assert store.kept_cards(10) == []


def test_another_card_takes_its_place(store: Store):
    pay(store, "CA1-1")
    pay(store, "CA2-1", replace(WORD, kept_token="tok-9876543210"))
    (kept,) = store.kept_cards(10)
    assert (kept.token, kept.fingerprint) == ("tok-9876543210", "card of CA2-1")


def test_it_is_forgotten_once_and_that_is_on_record(store: Store):
    pay(store, "CA1-1")
    assert store.forget_kept_card("another", "ada", NOW) == 0
    assert store.forget_kept_card(ACCOUNT, "ada", NOW + timedelta(days=1)) == 1
    assert store.forget_kept_card(ACCOUNT, "ada", NOW) == 0
    with store._database.calls() as connection:
        events = connection.execute(text("SELECT who, what, about FROM audit_event")).all()
    assert [tuple(one) for one in events] == [("ada", "kept card forgotten", ACCOUNT)]
    assert store.kept_card(SOURCE, ACCOUNT, "acme_bank") is None


def test_what_was_staged_for_a_charge_is_deleted_with_its_answer(store: Store):
    job = by_token(store)
    assert store.mark_sent(job) == {KEPT_CARD: WORD.kept_token}
    store.record(job, "approved", NOW, BankWord("482913", "00"), FollowUp())
    assert not store.is_staged("CA2-1")


def by_token(store: Store) -> Job:
    """A charge by the card that the charge before it had kept, begun and not sent yet."""
    pay(store, "CA1-1")
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    store.stage_sealed(SealedField("CA2-1", KEPT_CARD, WORD.kept_token, "card"), NOW)
    assert store.begin_payment(intent("CA2-1", pays=ACCOUNT), AttemptLimits(), NOW) == Accepted()
    job = store.claim(NOW, 60)
    assert job is not None
    return job


# ---- forgotten: no charge any more, and its deletion at the bank


def test_no_charge_is_begun_by_a_card_that_was_forgotten_since_its_caller_chose_it(store: Store):
    pay(store, "CA1-1")
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    store.stage_sealed(SealedField("CA2-1", KEPT_CARD, WORD.kept_token, "card"), NOW)
    store.forget_kept_card(ACCOUNT, "ada", NOW)
    with pytest.raises(NoCard):
        store.begin_payment(intent("CA2-1", pays=ACCOUNT), AttemptLimits(), NOW)


def test_a_charge_that_is_not_sent_when_its_card_is_forgotten_has_nothing_to_send(store: Store):
    job = by_token(store)
    store.forget_kept_card(ACCOUNT, "ada", NOW)
    assert store.mark_sent(job) == {}


def deletion_job(store: Store) -> Job:
    job = store.claim(NOW, 60)
    assert job is not None
    assert job.kind == "card_deletion"
    return job


def test_the_bank_is_asked_to_delete_it_until_it_has_and_then_no_token_is_left(store: Store):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", NOW)
    job = deletion_job(store)
    found = store.open_deletion(job, NOW)
    assert found is not None
    assert (found.token, found.merchant, found.bank) == (WORD.kept_token, "demo-merchant", "acme_bank")
    assert WORD.kept_token not in repr(found)
    assert store.doubt_deletion(job, 0.0, NOW, "no answer")
    (asked,) = store.card_deletions(9)
    assert (asked.status, asked.reason, asked.asked_by) == ("asked", "no answer", "ada")
    stale, job = job, deletion_job(store)
    assert not store.end_deletion(stale, "deleted", "", NOW), "whoever has lost the lease says nothing"
    assert store.end_deletion(job, "deleted", "", NOW)
    (ended,) = store.card_deletions(9, ACCOUNT)
    assert (ended.status, ended.token, ended.ended_at) == ("deleted", "", NOW)
    assert store.claim(NOW, 60) is None


def test_a_card_that_another_replaces_is_deleted_at_the_bank_too_unless_the_bank_gave_the_same_token(store: Store):
    pay(store, "CA1-1")
    pay(store, "CA2-1", replace(WORD, kept_token="tok-9876543210"))
    found = store.open_deletion(deletion_job(store), NOW)
    assert found is not None
    assert (found.token, found.asked_by) == (WORD.kept_token, "another card")
    pay(store, "CA3-1", replace(WORD, kept_token="tok-9876543210"))
    assert store.claim(NOW, 1) is None


def test_a_token_that_stands_for_a_card_which_is_kept_again_is_let_be(store: Store):
    pay(store, "CA1-1")
    store.forget_kept_card(ACCOUNT, "ada", NOW)
    job = deletion_job(store)
    pay(store, "CA2-1")
    assert store.open_deletion(job, NOW) is None
    (ended,) = store.card_deletions(9)
    assert (ended.status, ended.token) == ("kept_again", "")
    assert store.kept_card(SOURCE, ACCOUNT, "acme_bank") is not None


# ---- of a charge that is no charge in the end


def unknown(store: Store, reference: str, word: BankWord | None = None) -> Job:
    """A charge that was to keep its card, without an answer to be believed; the job to resolve it."""
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    stage(store, reference)
    store.begin_payment(replace(intent(reference, pays=ACCOUNT), keeps_card=True), AttemptLimits(), NOW)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "unknown", NOW, word)
    job = store.claim(NOW, 60)
    assert job is not None
    return job


def asked_tokens(store: Store) -> list[tuple[str, str]]:
    return [(one.token, one.asked_by) for one in store.card_deletions(9)]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (replace(WORD, response_code="05"), BankWord(None, "00")),
        (None, WORD),
        (WORD, WORD),
    ],
)
def test_the_card_of_a_charge_that_is_taken_back_is_deleted_at_the_bank_whichever_answer_told_its_token(
    first: BankWord | None, last: BankWord, store: Store
):
    assert store.record(unknown(store, "CA1-1", first), "reversed", NOW, last)
    assert asked_tokens(store) == [(WORD.kept_token, "its charge")]
    assert store.kept_cards(9) == []


def test_an_approval_that_comes_while_its_charge_is_being_taken_back_tells_which_card_to_delete(store: Store):
    job = unknown(store, "CA1-1")
    assert store.note_unanswered(job, "undo_asked", NOW)
    news = News("acme_bank", "e1", "CA1-1", "approved", WORD, Money(4250))
    assert store.hear(news, NOW, FollowUp()) == "known"
    store.record(job, "reversed", NOW, BankWord(None, "00"))
    assert asked_tokens(store) == [(WORD.kept_token, "its charge")]


def test_nothing_is_deleted_of_a_charge_that_was_to_keep_nothing(store: Store):
    pay(store, "CA1-1", status="declined", keeps=False)
    assert asked_tokens(store) == []
