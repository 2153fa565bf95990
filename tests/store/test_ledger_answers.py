"""What the forwarder does with a charge, and what its answer leaves behind: trace, way back, second request, notes, jobs, notices."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ivr.core.actions import SplitPart
from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.store import (
    Accepted,
    Attempter,
    AttemptLimits,
    BankWord,
    Bill,
    DueChanged,
    FollowUp,
    IntentBill,
    Job,
    Limit,
    News,
    OverLimit,
    Payment,
    Status,
    Stop,
    Stopped,
    StopScope,
    Store,
    Which,
    open_store,
)
from ivr.store.database import Database
from ivr.store.ledger import Concluding, conclude, sum_changed
from ivr.store.outbox import MERCHANT_NOTICES, TEXTS
from tests.store.payments import ACCOUNT, FIELDS, NO_LIMITS, NOW, a_call, begin, intent, jwe_of, stage

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SOURCE = "billing.find_bill"
BANK = Which("bank:acme_bank")


def leased(store: Store, kind: str = "authorize", now: datetime = NOW) -> Job:
    (job,) = store.claim_jobs(now, 60, 9, BANK)
    assert job.kind == kind
    return job


def sent(store: Store, now: datetime = NOW) -> Job:
    job = leased(store, now=now)
    assert store.mark_sent(job)
    return job


def lost(store: Store) -> Job:
    """A job that somebody else holds by now."""
    job = leased(store)
    leased(store, now=NOW + 61 * SECOND)
    return job


def found(store: Store, reference: str = "CA1-1") -> Payment:
    payment = store.payment(reference)
    assert payment is not None
    return payment


def unanswered(store: Store) -> Job:
    """A charge whose answer is not known, and the job to find out."""
    begin(store)
    job = sent(store)
    assert store.record(job, "unknown", NOW)
    return leased(store, "resolve")


# ---- what keeps a charge from being begun


@pytest.mark.parametrize(
    ("scope", "name", "then"),
    [
        ("line", "", Stopped()),
        ("bank", "acme_bank", Stopped()),
        ("bank", "another_bank", Accepted()),
        ("flow", "pay-a-bill", Stopped()),
        ("flow", "another-flow", Accepted()),
    ],
)
def test_a_stop_is_of_the_line_the_charges_bank_or_its_calls_flow(
    store: Store, scope: StopScope, name: str, then: object
):
    store.save_call(a_call(), 0, NOW)
    store.stop_charging(Stop(scope, name, "tried", "ada", NOW))
    assert begin(store) == then
    assert store.is_staged("CA1-1") is (then == Accepted())


def test_failed_attempts_on_a_bill_are_counted_by_its_source_and_key(store: Store):
    store.renew_bills([Bill("1", Money(100), Money(1)), Bill("2", Money(200), Money(1))])
    once = AttemptLimits(per_account=Limit(1, 60))

    def attempt(reference: str, key: str) -> object:
        stage(store, reference, card=f"card of {reference}")
        wanted = intent(reference, caller=f"caller of {reference}", minor=100 * int(key), pays=key)
        return store.begin_payment(wanted, once, NOW)

    assert attempt("CA1-1", "1") == Accepted()
    store.record(sent(store), "declined", NOW)
    assert attempt("CA2-1", "1") == OverLimit("attempts_per_account")
    assert attempt("CA3-1", "2") == Accepted()
    assert store.limit_reached(Attempter(payable_source="another", payable_key="1"), once, NOW) is None
    assert store.limit_reached(Attempter(payable_source=SOURCE, payable_key="1"), once, NOW) == OverLimit(
        "attempts_per_account"
    )


# ---- before it leaves


def test_a_trace_is_made_of_the_banks_next_number_and_kept_before_anything_leaves(store: Store):
    begin(store)
    job = leased(store)
    assert store.trace(job, "acme_bank", "first {}".format, NOW) == "first 1"
    assert store.trace(job, "another_bank", "other {}".format, NOW) == "other 1"
    assert store.trace(job, "acme_bank", "second {}".format, NOW + SECOND) == "second 2"
    assert (found(store).bank_trace, found(store).traced_at) == ("second 2", NOW + SECOND)


def test_what_may_have_left_keeps_the_trace_that_it_left_with(store: Store):
    begin(store)
    job = leased(store)
    store.trace(job, "acme_bank", "first {}".format, NOW)
    store.mark_sent(job)
    assert store.trace(job, "acme_bank", "second {}".format, NOW) is None
    assert found(store).bank_trace == "first 1"


def test_whoever_has_lost_the_job_writes_no_trace_and_uses_no_number(store: Store):
    begin(store)
    assert store.trace(lost(store), "acme_bank", "late {}".format, NOW) is None
    assert found(store).bank_trace == ""
    begin(store, "CA2-1")
    (mine,) = (job for job in store.claim_jobs(NOW, 60, 9, BANK) if job.reference == "CA2-1")
    assert store.trace(mine, "acme_bank", "mine {}".format, NOW) == "mine 1"


def test_what_surely_did_not_leave_is_sent_again_after_a_pause(store: Store):
    begin(store)
    job = sent(store)
    assert store.put_back(job, 30, NOW)
    assert found(store).status == "accepted"
    assert list(store.claim_jobs(NOW + 29 * SECOND, 60, 9)) == []
    again = leased(store, now=NOW + 30 * SECOND)
    assert store.mark_sent(again) == {field: jwe_of("CA1-1", field) for field in FIELDS}


def test_what_was_never_sent_is_not_put_back(store: Store):
    begin(store)
    assert not store.put_back(leased(store), 30, NOW)
    assert found(store).status == "accepted"


# ---- without an answer


def test_the_same_request_is_made_again_with_the_same_sealed_fields(store: Store):
    assert store.sealed_again(unanswered(store)) == {field: jwe_of("CA1-1", field) for field in FIELDS}


def test_no_request_is_made_again_of_a_charge_that_waits_for_its_first_answer(store: Store):
    begin(store)
    job = leased(store)
    assert store.sealed_again(job) is None
    store.mark_sent(job)
    assert store.sealed_again(job) is None


def test_whoever_has_lost_the_job_makes_no_request_again_and_notes_nothing(store: Store):
    late = unanswered(store)
    leased(store, "resolve", NOW + 61 * SECOND)
    assert store.sealed_again(late) is None
    assert not store.note_unanswered(late, "undo_asked", NOW)
    assert store.entries("CA1-1") == ["requested", "unknown"]


def test_nothing_is_noted_of_an_undo_before_the_charge_is_known_to_be_without_an_answer(store: Store):
    begin(store)
    job = sent(store)
    assert not store.note_unanswered(job, "undo_asked", NOW)
    assert store.entries("CA1-1") == ["requested"]


def test_a_note_is_one_more_entry_once_and_moves_nothing(store: Store):
    begin(store)
    for _ in range(2):
        store.note_charge("CA1-1", "undo_refused", NOW)
    assert store.entries("CA1-1") == ["requested", "undo_refused"]
    assert found(store).status == "accepted"
    store.note_charge("CA9-1", "undo_refused", NOW)
    assert store.entries("CA9-1") == []


# ---- the answer


def test_the_entry_of_an_answer_has_the_banks_code_and_its_time(store: Store, url: str):
    begin(store)
    job = sent(store)
    store.record(job, "declined", NOW + SECOND, BankWord("123456", "51"))
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT kind, response_code, at FROM ledger_entry ORDER BY id")).all()
    engine.dispose()
    at = int(NOW.timestamp() * 1000)
    assert [tuple(row) for row in rows] == [("requested", None, at), ("declined", "51", at + 1000)]


@pytest.mark.parametrize("final", ["approved", "declined", "not_sent"])
def test_a_final_answer_leaves_the_card_in_no_file(sqlite_url: str, final: Status):
    """Not in the write-ahead log either, where what was deleted lives on until it is cut off."""
    store, file = open_store(sqlite_url), Path(sqlite_url.removeprefix("sqlite:///"))
    log = file.with_name(f"{file.name}-wal")
    begin(store)
    job = sent(store)
    assert jwe_of("CA1-1", "card_number").encode() in log.read_bytes()
    store.record(job, final, NOW)
    written = file.read_bytes() + log.read_bytes()
    store.close()
    assert b"CA1-1.card_number" not in written


def test_an_answer_to_a_charge_that_has_moved_meanwhile_changes_nothing(store: Store, url: str):
    begin(store)
    job = leased(store)
    before = found(store)
    store.mark_sent(job)
    database = Database(url)
    with database.money() as connection:
        moved = conclude(
            connection, database, before, "approved", BankWord("482913", "00"), Concluding(NOW, FollowUp())
        )
    database.close()
    assert not moved
    assert (found(store).status, store.entries("CA1-1")) == ("sent", ["requested"])


def test_a_capture_that_is_told_before_its_approval_is_taken_once(store: Store):
    begin(store, captures_later=True)
    job = sent(store)
    store.record(job, "unknown", NOW)
    store.hear(News("acme_bank", "e1", "CA1-1", "captured", BankWord(), Money(4250)), NOW, FollowUp())
    assert store.record(leased(store, "resolve"), "approved", NOW, BankWord("482913", "00"), FollowUp(capture=True))
    kinds = {one.account.partition(":")[0]: one.minor for one in store.account_balances() if one.minor}
    assert sorted(kinds.values()) == [-4250, 4250], "what the bank owes, and what was sold; nothing is only reserved"
    assert list(store.book_faults()) == []


def test_a_token_that_was_told_before_the_approval_is_kept_with_it(store: Store):
    word = BankWord("482913", "00", kept_token="tok-0123456789", kept_until="2030-12")
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    stage(store, "CA1-1")
    store.begin_payment(replace(intent(pays=ACCOUNT), keeps_card=True), NO_LIMITS, NOW)
    job = sent(store)
    store.record(job, "unknown", NOW, word)
    store.record(leased(store, "resolve"), "approved", NOW, BankWord("482913", "00"))
    kept = store.kept_card(SOURCE, ACCOUNT, "acme_bank")
    assert kept is not None
    assert (kept.token, kept.expires) == (word.kept_token, word.kept_until)


@pytest.mark.parametrize("status", ["approved", "declined"])
def test_a_text_that_waits_for_the_answer_is_due_when_it_is_there(store: Store, status: Status):
    store.save_call(a_call(), 0, NOW)
    begin(store)
    job = sent(store)
    charge = Charge(1, Money(4250), "pending")
    store.save_call(a_call(phase="over", outcome="pending", hung_up=True, charges=(charge,)), 1, NOW)
    (waiting,) = store.claim_jobs(NOW, 60, 9, Which(TEXTS))
    assert store.postpone(waiting, 3600, NOW)
    assert list(store.claim_jobs(NOW, 60, 9, Which(TEXTS))) == []
    store.record(job, status, NOW)
    (due,) = store.claim_jobs(NOW, 60, 9, Which(TEXTS))
    assert (due.kind, due.reference) == ("result", "CA1-1")


# ---- notices to the merchant's own systems

KINDS = ("payment.approved", "payment.declined", "payment.reversed")


@pytest.fixture
def telling(url: str) -> Iterator[Store]:
    store = open_store(url, tells=KINDS)
    yield store
    store.close()


def notices(store: Store) -> list[tuple[str, str, datetime]]:
    return [(one.kind, one.about, one.at) for one in store.merchant_notices(9)]


@pytest.mark.parametrize("status", ["approved", "declined"])
def test_an_answer_is_told_to_who_wants_to_know_when_it_is_there(telling: Store, status: Status):
    begin(telling)
    job = sent(telling)
    assert notices(telling) == []
    telling.record(job, status, NOW + SECOND)
    assert notices(telling) == [(f"payment.{status}", "CA1-1", NOW + SECOND)]
    assert len(telling.claim_jobs(NOW + HOUR, 60, 9, Which(MERCHANT_NOTICES))) == 1


def test_a_charge_without_an_answer_is_told_of_when_it_has_one(telling: Store):
    job = unanswered(telling)
    assert notices(telling) == []
    telling.record(job, "reversed", NOW + SECOND)
    assert notices(telling) == [("payment.reversed", "CA1-1", NOW + SECOND)]


def test_a_part_of_a_bill_is_told_of_when_all_are_there_and_one_that_was_declined_at_once(telling: Store):
    telling.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    telling.save_call(a_call(), 0, NOW)
    for attempt, minor, status in ((1, 2000, "approved"), (2, 2250, "declined")):
        reference = f"CA1-{attempt}"
        stage(telling, reference, card=f"card {attempt}")
        part = SplitPart("CA1-1", Money(4250), "take_back", takes_part=True)
        wanted = replace(intent(reference, minor=minor, pays=ACCOUNT), part=part)
        assert telling.begin_payment(wanted, NO_LIMITS, NOW) == Accepted()
        job = sent(telling)
        telling.record(job, status, NOW, BankWord("482913", "00"), FollowUp(capture=True))  # type: ignore[arg-type]
    assert notices(telling) == [("payment.declined", "CA1-2", NOW)]


# ---- what bills still owe, and who has paid


def pay(store: Store, reference: str, minor: int, *, pays: str = ACCOUNT, at: datetime = NOW, fee: int = 0) -> None:
    stage(store, reference, card=f"card of {reference}", now=at)
    wanted = replace(intent(reference, minor=minor + fee, pays=pays), fee=Money(fee) if fee else None)
    assert store.begin_payment(wanted, NO_LIMITS, at) == Accepted()
    store.record(sent(store, at), "approved", at)


def test_what_is_left_on_bills_of_our_own_is_told_of_those_that_there_are(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1)), Bill("87654321", Money(900, "EUR"), Money(1, "EUR"))])
    pay(store, "CA1-1", 1000)
    assert store.left_on([ACCOUNT, "87654321", "00000000"]) == {ACCOUNT: Money(3250), "87654321": Money(900, "EUR")}
    assert store.left_on([]) == {}


def test_a_part_that_does_not_count_yet_is_not_left_to_pay(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(4250), Money(1))])
    store.save_call(a_call(), 0, NOW)
    stage(store, "CA1-1")
    part = SplitPart("CA1-1", Money(4250), "take_back", takes_part=True)
    store.begin_payment(replace(intent(minor=4250, pays=ACCOUNT), part=part), NO_LIMITS, NOW)
    job = sent(store)
    store.record(job, "approved", NOW, BankWord("482913", "00", approved=Money(2000)), FollowUp(capture=True))
    assert store.left_on([ACCOUNT]) == {ACCOUNT: Money(2250)}


def test_what_other_calls_have_paid_is_counted_within_the_times_that_are_asked_for(store: Store):
    store.renew_bills([Bill(ACCOUNT, Money(9999), Money(1)), Bill("87654321", Money(9999), Money(1))])
    pay(store, "CA1-1", 100, at=NOW)
    pay(store, "CA2-1", 200, at=NOW + HOUR)
    pay(store, "CA3-1", 400, pays="87654321", at=NOW)

    def paid(call: str, since: datetime, until: datetime) -> dict[str, int]:
        return dict(store.paid_by_others([ACCOUNT, "87654321"], call, since, until))

    assert paid("CA9", NOW, NOW + HOUR) == {ACCOUNT: 100, "87654321": 400}
    assert paid("CA9", NOW + SECOND, NOW + HOUR + SECOND) == {ACCOUNT: 200, "87654321": 0}
    assert paid("CA1", NOW, NOW + 2 * HOUR) == {ACCOUNT: 200, "87654321": 400}


def test_bills_in_one_sum_are_another_sum_in_their_own_currency():
    bills = tuple(IntentBill(f"CA1-1:{number}", SOURCE, str(number), Money(100 * number, "EUR")) for number in (1, 2))
    agreed = replace(intent(minor=300), amount=Money(300, "EUR"), bills=bills)
    left = [Money(100, "EUR"), Money(150, "EUR")]
    assert sum_changed(agreed, [Money(100, "EUR"), Money(200, "EUR")]) is None
    assert sum_changed(agreed, left) == DueChanged(Money(250, "EUR"), (("1", left[0]), ("2", left[1])))
    assert sum_changed(agreed, [Money(100, "EUR"), Money(200)]) == DueChanged(Money(200))
