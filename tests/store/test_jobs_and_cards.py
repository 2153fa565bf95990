"""What a job, a limit, a bill's due and a sealed field are to the code beside them, each asked of its own function."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from ivr.core.money import Money
from ivr.store import (
    Accepted,
    Attempter,
    AttemptLimits,
    BankWord,
    Bill,
    DueNow,
    FollowUp,
    IntentBill,
    Job,
    Limit,
    OverLimit,
    SealedField,
    StaleCall,
    Status,
    Store,
    Which,
)
from ivr.store.dues import due_on
from ivr.store.following import change_bills, follow_approval, read_follow_up, tell_billing, write_follow_up
from ivr.store.limits import payable_hold
from ivr.store.outbox import TEXTS, add_job, is_leased, tell_again
from ivr.store.sealed import Staged, read_sealed
from tests.store.payments import ACCOUNT, NOW, a_call, begin, intent, jwe_of, stage
from tests.store.sums import OWED, begin_sum

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
SOURCE = "billing.find_bill"
BANK = Which("bank:acme_bank")
TEXT_QUEUE = Which(TEXTS)


def leased(store: Store, which: Which = BANK, at: timedelta = timedelta(), lease_s: float = 60) -> Job:
    (job,) = store.claim_jobs(NOW + at, lease_s, 1, which)
    return job


def waits(store: Store, which: Which, at: timedelta) -> bool:
    """Whether nobody gets a job of the queue at that time."""
    return store.claim_jobs(NOW + at, 60, 9, which) == []


def answered(store: Store, status: Status = "approved", follow_up: FollowUp | None = None) -> None:
    job = leased(store)
    assert store.mark_sent(job)
    assert store.record(job, status, NOW, BankWord("482913", "00"), follow_up or FollowUp())


# ---- jobs


def test_a_queue_is_one_or_all_but_some():
    one, others = Which("texts"), Which(others_than=("texts", "emails"))
    assert [one.has(queue) for queue in ("texts", "emails")] == [True, False]
    assert [others.has(queue) for queue in ("texts", "emails", "notices")] == [False, False, True]


def test_a_lease_is_renewed_from_the_time_that_it_is_asked_at(store: Store):
    begin(store)
    job = leased(store, lease_s=10)
    assert store.renew(job, 60, NOW + 9 * SECOND)
    assert waits(store, BANK, 68 * SECOND)
    later = leased(store, at=69 * SECOND)
    assert later.fence == job.fence + 1
    assert not store.renew(job, 60, NOW + 70 * SECOND)


def test_only_jobs_further_ahead_than_the_longest_pause_and_lease_are_pulled_in(store: Store):
    for number in range(2):
        begin(store, f"CA{number}-1", caller=str(number), card=str(number))
    put_off = leased(store)
    leased(store, lease_s=60)
    assert store.postpone(put_off, 3600, NOW)
    assert store.pull_in(3600, 60, NOW) == 0
    assert store.pull_in(3600, 59.999, NOW) == 1
    assert store.pull_in(3599.999, 60, NOW) == 1
    assert {job.reference for job in store.claim_jobs(NOW, 60, 9, BANK)} == {"CA0-1", "CA1-1"}


def test_of_a_notice_that_another_holds_by_now_nothing_is_acknowledged(store: Store):
    begin(store, pays=ACCOUNT, due=DueNow(Money(4250), NOW))
    answered(store, follow_up=FollowUp(tell_billing=True))
    notices = Which("notices")
    first, second = leased(store, notices), leased(store, notices, 61 * SECOND)
    assert not store.acknowledge(first, NOW)
    assert store.is_job_open("notice", "CA1-1")
    assert store.acknowledge(second, NOW)
    assert not store.is_job_open("notice", "CA1-1")


def test_a_job_is_leased_until_its_lease_is_over(store: Store):
    begin(store)
    leased(store, lease_s=60)
    with store._database.money() as connection:
        assert is_leased(connection, "authorize", "CA1-1", NOW + 59 * SECOND)
        assert not is_leased(connection, "authorize", "CA1-1", NOW + MINUTE)
        assert not is_leased(connection, "resolve", "CA1-1", NOW)


@pytest.mark.parametrize("others", [(), ("CA2-1",)])
def test_a_result_that_waits_for_its_next_try_is_told_at_once_when_it_has_changed(
    store: Store, others: tuple[str, ...]
):
    with store._database.money() as connection:
        for reference in ("CA1-1", *others):
            add_job(connection, "result", reference, TEXTS)
    for job in store.claim_jobs(NOW, 60, 9, TEXT_QUEUE):
        assert store.postpone(job, 3600, NOW)
    with store._database.money() as connection:
        tell_again(connection, "CA1-1", "reversed")
    due = {(job.kind, job.reference) for job in store.claim_jobs(NOW, 60, 9, TEXT_QUEUE)}
    assert due == {("result", "CA1-1"), ("result_again", "CA1-1 reversed")}


@pytest.mark.parametrize("other", ["CAX1-1 reversed", "CA_1-10 reversed", "CA_1-1"])
def test_a_charge_is_told_again_by_its_own_reference_alone(store: Store, other: str):
    with store._database.money() as connection:
        add_job(connection, "result_again", other, TEXTS)
        add_job(connection, "result", "CA_1-1 reversed", TEXTS)
    assert not store.is_told_again("CA_1-1")
    with store._database.money() as connection:
        tell_again(connection, "CA_1-1", "reversed")
    assert store.is_told_again("CA_1-1")


# ---- limits


def test_an_attempt_holds_its_caller_its_card_and_each_of_its_bills():
    one = Attempter("CA1", "caller", "card", SOURCE, ACCOUNT, "+15550199")
    assert one.holds() == ("caller", "card", payable_hold(SOURCE, ACCOUNT), "")
    in_sum = replace(one, payable_source="", payable_key="", bills=((SOURCE, "1"), ("other", "2")))
    assert in_sum.holds() == ("caller", "card", f"payable {SOURCE} 1", "payable other 2", "")
    assert replace(one, ani_hash="", payable_key="").holds() == ("", "card", "line +15550199")


def test_an_attempt_in_a_call_counts_for_a_year(store: Store):
    begin(store)
    limits, of_call = AttemptLimits(per_call=1), Attempter("CA1")
    year = timedelta(days=365)
    assert store.limit_reached(of_call, limits, NOW + year - SECOND) == OverLimit("attempts_per_call")
    assert store.limit_reached(of_call, limits, NOW + year) is None


def test_attempts_on_a_bill_in_a_sum_count_for_the_bill_and_for_no_other_caller(store: Store):
    store.renew_bills([Bill(key, Money(minor), Money(0)) for key, minor in OWED.items()])
    assert begin_sum(store) == Accepted()
    once = Limit(1, 3600)
    other = Attempter("CA2", "another", "another card", SOURCE, "700101", "+15550199")
    assert store.limit_reached(other, AttemptLimits(per_account=once), NOW) == OverLimit("attempts_per_account")
    assert store.limit_reached(other, AttemptLimits(1, once, once, None, once), NOW) is None


# ---- what is due on a bill


def test_what_is_due_is_told_in_the_bills_own_currency(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250, "EUR"), Money(0, "EUR"))])
    with store._database.money() as connection:
        database = store._database
        assert due_on(connection, database, SOURCE, ACCOUNT, None, "USD") == Money(4250, "EUR")
        assert due_on(connection, database, SOURCE, "gone", None, "EUR") == Money(0, "EUR")


def test_of_several_bills_each_is_due_what_its_system_said_of_it(store: Store):
    said = {"1": DueNow(Money(100), NOW), "2": DueNow(Money(200), NOW)}
    with store._database.money() as connection:
        owed = [due_on(connection, store._database, SOURCE, key, said, "USD") for key in ("1", "2")]
    assert owed == [Money(100), Money(200)]


def test_what_was_paid_after_the_billing_system_was_asked_is_not_due_any_more(store: Store):
    begin(store, pays=ACCOUNT, due=DueNow(Money(4250), NOW))
    answered(store, follow_up=FollowUp(tell_billing=True))
    assert store.acknowledge(leased(store, Which("notices")), NOW + MINUTE)
    with store._database.money() as connection:
        before, after = (
            due_on(connection, store._database, SOURCE, ACCOUNT, DueNow(Money(10000), asked), "USD")
            for asked in (NOW, NOW + 2 * MINUTE)
        )
    assert (before, after) == (Money(5750), Money(10000))


# ---- what follows from an approval


@pytest.mark.parametrize(
    "follow_up",
    [
        FollowUp(),
        FollowUp(tell_billing=True),
        FollowUp(capture=True),
        FollowUp(refunds=True),
        FollowUp(True, True, True),
    ],
)
def test_what_follows_is_read_as_it_was_written(follow_up: FollowUp):
    assert read_follow_up(write_follow_up(follow_up)) == follow_up


def test_rows_of_earlier_versions_say_what_follows_in_the_same_words():
    assert write_follow_up(FollowUp(True, True, True)) == "tell capture refund"


def test_a_capture_waits_in_the_queue_of_the_charges_bank(store: Store):
    with store._database.money() as connection:
        follow_approval(connection, replace(intent(), bank="other_bank"), FollowUp(capture=True))
    assert leased(store, Which("bank:other_bank")).kind == "capture"


@pytest.mark.parametrize(
    ("key", "account", "is_told"), [(ACCOUNT, "", True), ("", ACCOUNT, True), ("", "", False), (ACCOUNT, ACCOUNT, True)]
)
def test_billing_is_told_where_it_can_know_what_was_paid(store: Store, key: str, account: str, is_told: bool):
    with store._database.money() as connection:
        tell_billing(connection, replace(intent(pays=key), account=account))
    assert store.is_job_open("notice", "CA1-1") is is_told


def test_of_a_sum_only_the_bills_that_change_are_changed(store: Store):
    bills = tuple(IntentBill(f"CA1-1:{key}", SOURCE, key, Money(1000)) for key in ("1", "2"))
    store.renew_bills([Bill(one.key, Money(1000), Money(0)) for one in bills])
    with store._database.money() as connection:
        change_bills(connection, replace(intent(minor=2000), bills=bills), {"1": 500})
        due = connection.execute(text("SELECT account, due_minor FROM bill ORDER BY account")).fetchall()
    assert [tuple(row) for row in due] == [("1", 1500), ("2", 1000)]


# ---- sealed fields


def test_a_call_that_is_over_keeps_no_card_whatever_its_name(store: Store):
    store.save_call(a_call("CA-1-a", phase="over", outcome="unpaid", hung_up=True), 0, NOW)
    with pytest.raises(StaleCall):
        store.stage_sealed(SealedField("CA-1-a-1", "card_number", "sealed"), NOW)
    assert not store.is_staged("CA-1-a-1")


def test_only_cards_from_before_are_dropped(store: Store):
    stage(store, "CA1-1")
    stage(store, "CA2-1", now=NOW - SECOND)
    assert store.drop_unsent_cards(NOW) == 4
    assert store.is_staged("CA1-1")
    assert not store.is_staged("CA2-1")


def test_a_card_that_was_left_beside_a_final_charge_is_dropped_and_one_of_an_open_charge_stays(store: Store):
    begin(store)
    answered(store)
    begin(store, "CA2-1", card="another")
    with store._database.money() as connection:
        connection.execute(
            text("INSERT INTO sealed_field (intent, field, jwe, at) VALUES ('CA1-1', 'expiry', 'late', :at)"), {"at": 1}
        )
    assert store.drop_unsent_cards(NOW + MINUTE) == 1
    assert not store.is_staged("CA1-1")
    assert store.is_staged("CA2-1")


def test_beside_a_field_lies_another_field_of_the_card_of_the_same_attempt(store: Store):
    assert store.sealed_beside("CA1-1", "expiry") == ""
    store.stage_sealed(SealedField("CA1-1", "expiry", jwe_of("CA1-1", "expiry")), NOW)
    assert store.sealed_beside("CA1-1", "expiry") == ""
    assert store.sealed_beside("CA1-1", "card_number") == jwe_of("CA1-1", "expiry")
    assert store.sealed_beside("CA2-1", "card_number") == ""
    store.stage_sealed(SealedField("CA3-1", "callers_number", "no field of a card"), NOW)
    assert store.sealed_beside("CA3-1", "card_number") == ""


def test_what_lies_sealed_is_read_with_the_marks_of_its_card(store: Store):
    stage(store, "CA1-1", card="fingerprint", bin_tag="tag")
    stage(store, "CA2-1", card="fingerprint")
    store.stage_sealed(SealedField("CA3-1", "expiry", "sealed"), NOW)
    with store._database.money() as connection:
        whole, untagged, without = (read_sealed(connection, f"CA{number}-1") for number in (1, 2, 3))
    assert (whole.fingerprint, whole.bin_tag, len(whole.fields)) == ("fingerprint", "tag", 4)
    assert (untagged.fingerprint, untagged.bin_tag) == ("fingerprint", "")
    assert without == Staged({"expiry": "sealed"}, "", "")
