"""Refunds, voids and captures on record: each asked for once, never more given back than was charged, balances as queries."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from sqlalchemy import text

from ivr.core.confirmation import confirmation_number, is_confirmation_number
from ivr.core.money import Money
from ivr.store import (
    AlreadyAsked,
    BankWord,
    Bill,
    Changed,
    FollowUp,
    Job,
    Modification,
    ModificationState,
    ModificationWord,
    News,
    Payment,
    PaymentFilter,
    Store,
    WantedModification,
    open_store,
)
from ivr.store.confirmation_numbers import NumbersUsedUp
from ivr.store.database import Database
from tests.store.payments import ACCOUNT, NOW, begin

CHARGED = Money(4250)


def charge(store: Store, reference: str = "CA1-1", *, pays: str = "", capture: bool = False) -> Payment:
    """Approved."""
    begin(store, reference, pays=pays, caller=reference, card=reference)
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    assert store.record(job, "approved", NOW, BankWord("482913", "00"), FollowUp(capture=capture))
    return found(store, reference)


def found(store: Store, reference: str = "CA1-1") -> Payment:
    payment = store.payment(reference)
    assert payment is not None
    return payment


def wanted(minor: int, left: int, kind: str = "refund", who: str = "ada", **how: bool) -> WantedModification:
    return WantedModification("CA1-1", kind, Money(minor), Money(left), who, **how)  # type: ignore[arg-type]


def ask(store: Store, minor: int, left: int, kind: str = "refund", **how: bool) -> Modification:
    asked = store.ask_modification(wanted(minor, left, kind, **how), NOW)
    assert isinstance(asked, Modification)
    return asked


def job_of(store: Store) -> Job:
    job = store.claim(NOW, 60)
    assert job is not None
    assert job.kind == "modification"
    return job


def end(store: Store, status: ModificationState, reason: str | None = None) -> Job:
    job = job_of(store)
    assert store.mark_modification_sent(job)
    assert store.end_modification(job, status, ModificationWord(response_code="00", reason=reason), NOW)
    return job


def balance(store: Store) -> tuple[int, int, int]:
    """Given back, asked for, refundable."""
    one = store.balance_of(found(store))
    assert one.charged == CHARGED
    return one.returned.minor, one.asked.minor, one.refundable.minor


def test_a_refund_is_on_record_from_asking_to_its_end(store: Store):
    charge(store)
    asked = ask(store, 1000, 4250)
    assert (asked.id, asked.status, balance(store)) == ("CA1-1-m1", "asked", (0, 1000, 3250))
    assert store.outbox_depth()["modification"] == 1
    end(store, "done")
    assert balance(store) == (1000, 0, 3250)
    assert store.entries("CA1-1") == ["requested", "approved", "refund_asked", "refunded"]
    assert found(store).status == "approved"
    (event,) = store.audit_events(5)
    assert (event.who, event.what, event.about) == ("ada", "refund asked", "CA1-1-m1 10.00 USD")


def test_several_parts_are_several_entries_of_a_kind(store: Store):
    charge(store)
    for left in (4250, 3250, 2250):
        ask(store, 1000, left)
        end(store, "done")
    assert balance(store) == (3000, 0, 1250)
    assert [entry.modification for entry in store.ledger_of("CA1") if entry.kind == "refunded"] == [1, 2, 3]


def test_each_entry_has_its_amount_and_the_code_that_the_bank_gave(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    end(store, "done")
    assert [(one.kind, one.amount.minor, one.response_code) for one in store.ledger_of("CA1")] == [
        ("requested", 4250, None),
        ("approved", 4250, "00"),
        ("refund_asked", 1000, None),
        ("refunded", 1000, "00"),
    ]


def test_a_refund_that_failed_can_be_asked_for_again_under_another_key(store: Store):
    charge(store)
    ask(store, 4250, 4250)
    end(store, "failed", "account closed")
    failed = store.modification("CA1-1-m1")
    assert failed is not None
    assert (failed.status, failed.reason) == ("failed", "account closed")
    assert balance(store) == (0, 0, 4250)
    assert ask(store, 4250, 4250).id == "CA1-1-m2"


def test_whoever_asks_second_makes_no_second_refund(store: Store):
    charge(store)
    first = ask(store, 1000, 4250)
    assert store.ask_modification(wanted(1000, 4250, who="bob"), NOW) == AlreadyAsked(first)
    assert store.ask_modification(wanted(2000, 4250, who="bob"), NOW) == Changed(Money(3250))
    end(store, "done")
    again = store.ask_modification(wanted(1000, 4250, who="bob"), NOW)
    assert isinstance(again, AlreadyAsked)
    assert again.modification.id == first.id
    assert store.entries("CA1-1").count("refund_asked") == 1


@pytest.mark.parametrize("minor", [0, -1])
def test_a_refund_of_nothing_is_never_on_record(store: Store, minor: int):
    charge(store)
    with pytest.raises(ValueError, match="more than nothing"):
        store.ask_modification(wanted(minor, 4250), NOW)
    assert store.entries("CA1-1") == ["requested", "approved"]


def test_what_is_not_approved_is_not_refunded(store: Store):
    begin(store)
    with pytest.raises(ValueError, match="approved"):
        store.ask_modification(wanted(1000, 4250), NOW)


def test_more_than_was_charged_is_refused_whatever_was_looked_at(store: Store):
    charge(store)
    assert store.ask_modification(wanted(4251, 4250), NOW) == Changed(CHARGED)
    assert store.ask_modification(wanted(9000, 9000), NOW) == Changed(CHARGED)
    assert balance(store) == (0, 0, 4250)


@pytest.mark.parametrize("reopens", [False, True])
def test_a_void_of_a_sale_whose_capture_has_failed_leaves_nothing_with_the_bank_and_nothing_uncollected(
    store: Store, reopens: bool
):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(0))])
    charge(store, pays=ACCOUNT)
    store.hear(News("acme_bank", "event-1", "CA1-1", "capture_failed", BankWord(), CHARGED), NOW, FollowUp())
    ask(store, 4250, 4250, "void", reopens_bill=reopens)
    end(store, "done")
    standing = {one.kind: one.minor for one in store.account_balances() if one.minor}
    assert standing == ({} if reopens else {"bill": -4250, "refunds": 4250})
    bill = store.find_bill(ACCOUNT)
    assert bill is not None
    assert (bill.due.minor, list(store.book_faults())) == (4250 * reopens, [])


def tell_refund_at_bank(store: Store, event: str, minor: int, *, is_total: bool = False) -> str:
    news = News("acme_bank", event, "CA1-1", "refunded", BankWord(), Money(minor), is_total=is_total)
    return store.hear(news, NOW, FollowUp())


def test_what_the_bank_itself_gave_back_is_refunded_no_second_time(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    end(store, "done")
    assert [tell_refund_at_bank(store, "event-1", 2000) for _ in range(2)] == ["noted", "known"]
    assert balance(store) == (3000, 0, 1250)
    assert store.ask_modification(wanted(3250, 3250), NOW) == Changed(Money(1250))
    ask(store, 1250, 1250)
    assert balance(store) == (3000, 1250, 0)
    assert len(store.find_payments(PaymentFilter(status="refunded"), 5)) == 1


def test_a_refund_that_the_bank_tells_of_in_another_amount_ends_nothing(store: Store):
    charge(store)
    asked = ask(store, 1000, 4250)
    end(store, "taken")
    for told, effect in ((1001, "contradicts"), (1000, "moved")):
        news = News("acme_bank", f"event-{told}", asked.id, "refunded", BankWord(), Money(told))
        assert (store.hear(news, NOW, FollowUp()), told) == (effect, told)
    assert balance(store) == (1000, 0, 3250)


def test_more_given_back_at_the_bank_than_was_charged_is_on_record_and_an_error(store: Store):
    charge(store)
    told = [tell_refund_at_bank(store, f"event-{minor}", minor) for minor in (4250, 1)]
    assert told == ["noted", "contradicts"]
    assert balance(store)[0] == 4251


def test_a_bank_that_tells_the_sum_of_all_refunds_is_counted_once(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    totals = {"event-1": 1000, "event-2": 1500, "event-3": 1500, "event-4": 1600, "event-5": 1500}
    told = [tell_refund_at_bank(store, event, minor, is_total=True) for event, minor in totals.items()]
    assert told == ["known", "noted", "known", "noted", "known"]
    assert balance(store) == (600, 1000, 2650)


def test_a_charge_given_back_at_the_bank_while_its_refund_is_asked_for_has_nothing_left(store: Store):
    charge(store)
    ask(store, 4250, 4250)
    assert tell_refund_at_bank(store, "event-1", 4250) == "noted"
    assert balance(store) == (4250, 4250, 0)


def test_a_refund_at_the_bank_alone_is_found_as_refunded(store: Store):
    charge(store)
    tell_refund_at_bank(store, "event-1", 100)
    assert len(store.find_payments(PaymentFilter(status="refunded"), 5)) == 1


@pytest.mark.parametrize("seed", range(6))
def test_whatever_many_threads_ask_and_banks_answer_never_more_is_given_back_than_was_charged(store: Store, seed: int):
    """Each looks, asks for a part of what it saw, and does whatever job is due, with any outcome."""
    charge(store)

    def operator(number: int) -> int:
        chance, asked = Random(seed * 100 + number), 0
        for _ in range(6):
            left = store.balance_of(found(store)).refundable.minor
            if left > 0:
                made = store.ask_modification(wanted(chance.randint(1, left), left, who=str(number)), NOW)
                asked += isinstance(made, Modification)
            job = store.claim(NOW, 60)
            if job is not None and store.mark_modification_sent(job):
                status: ModificationState = chance.choice(["done", "failed", "taken"])
                store.end_modification(job, status, ModificationWord(), NOW)
            returned, held, refundable = balance(store)
            assert min(returned, held, refundable) >= 0
        return asked

    with ThreadPoolExecutor(6) as pool:
        made = sum(pool.map(operator, range(6)))
    returned, held, refundable = balance(store)
    assert returned + held + refundable == 4250
    all_of_them = store.modifications_of("CA1-1")
    assert len(all_of_them) == made
    assert sum(one.amount.minor for one in all_of_them if one.status == "done") == returned
    assert sum(one.amount.minor for one in all_of_them if one.status != "failed") <= 4250


@pytest.mark.parametrize("round", range(5))
def test_two_who_click_at_once_make_one_refund(store: Store, round: int):
    charge(store)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: store.ask_modification(wanted(1000, 4250), NOW), range(4)))
    assert sum(isinstance(one, Modification) for one in made) == 1
    assert sum(isinstance(one, AlreadyAsked) for one in made) == 3
    assert balance(store) == (0, 1000, 3250)


def test_a_void_takes_the_capture_back_out_of_the_outbox(store: Store):
    charge(store, capture=True)
    assert store.is_job_open("capture", "CA1-1")
    ask(store, 4250, 4250, "void")
    assert not store.is_job_open("capture", "CA1-1")
    end(store, "done")
    assert balance(store) == (4250, 0, 0)
    assert store.entries("CA1-1") == ["requested", "approved", "void_asked", "voided"]


def test_a_capture_gives_nothing_back_and_is_asked_for_once(store: Store):
    charge(store)
    first = ask(store, 4250, 4250, "capture")
    assert store.ask_modification(wanted(4250, 4250, "capture"), NOW) == AlreadyAsked(first)
    end(store, "done")
    assert balance(store) == (0, 0, 4250)
    assert store.entries("CA1-1") == ["requested", "approved", "capture_asked", "captured"]


@pytest.mark.parametrize(("reopens", "owes"), [(False, 0), (True, 1000)])
def test_the_bill_is_owed_again_only_where_that_was_asked_for_and_the_bank_has_done_it(
    store: Store, reopens: bool, owes: int
):
    store.renew_bills([Bill(ACCOUNT, CHARGED, Money(1000))])
    charge(store, pays=ACCOUNT)
    ask(store, 1000, 4250, reopens_bill=reopens)
    assert due(store) == 0
    end(store, "done")
    assert due(store) == owes


def due(store: Store) -> int:
    bill = store.find_bill(ACCOUNT)
    return bill.due.minor if bill else 0


def test_a_refund_is_marked_sent_once(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    job = job_of(store)
    assert store.mark_modification_sent(job)
    assert not store.mark_modification_sent(job)


def test_a_holder_whose_lease_has_moved_on_ends_nothing(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    first = store.claim(NOW, 0)
    second = store.claim(NOW, 60)
    assert first
    assert second
    assert not store.mark_modification_sent(first)
    assert store.mark_modification_sent(second)
    assert not store.end_modification(first, "failed", ModificationWord(), NOW)
    assert store.end_modification(second, "done", ModificationWord(), NOW)


def test_nothing_follows_a_refund_that_is_done_but_its_coming_back(store: Store):
    charge(store)
    ask(store, 1000, 4250)
    job = end(store, "done")
    assert not store.end_modification(job, "done", ModificationWord(), NOW)
    assert store.entries("CA1-1").count("refunded") == 1


# ---- confirmation numbers


def test_each_charge_has_a_number_of_its_own_from_the_beginning(store: Store):
    for number in range(20):
        begin(store, f"CA{number}-1", caller=str(number), card=str(number))
    numbers = [found(store, f"CA{number}-1").confirmation_number for number in range(20)]
    assert len(set(numbers)) == 20
    assert all(map(is_confirmation_number, numbers))
    steps = {int(later) - int(earlier) for earlier, later in itertools.pairwise(numbers)}
    assert len(steps) == 19, "numbers that are counted could be guessed"


def test_it_is_told_of_an_approved_charge_alone(store: Store):
    begin(store, "CA2-1", caller="other", card="other")
    assert found(store, "CA2-1").receipt_number == ""
    job = store.claim(NOW, 60)
    assert job is not None
    store.mark_sent(job)
    store.record(job, "approved", NOW, BankWord("482913", "00"))
    approved = found(store, "CA2-1")
    assert (approved.receipt_number, approved.authorization_code) == (approved.confirmation_number, "482913")


def test_a_number_that_is_taken_is_drawn_again_and_none_is_given_twice(url: str):
    draws = iter([11_111_111, 11_111_111, 22_222_222])
    store = Store(Database(url), lambda _reference, _attempt: confirmation_number(next(draws)))
    begin(store, "CA1-1")
    begin(store, "CA2-1", caller="other", card="other")
    assert found(store, "CA2-1").confirmation_number.startswith("22222222")
    store.close()


def test_where_no_number_is_free_nothing_is_charged(url: str):
    store = Store(Database(url), lambda _reference, _attempt: confirmation_number(11_111_111))
    begin(store, "CA1-1")
    with pytest.raises(NumbersUsedUp):
        begin(store, "CA2-1", caller="other", card="other")
    assert store.payment("CA2-1") is None
    assert store.outbox_depth()["authorize"] == 1
    store.close()


def test_the_database_itself_refuses_a_number_twice(url: str):
    store = open_store(url)
    for number in (1, 2):
        begin(store, f"CA{number}-1", caller=str(number), card=str(number))
    again = "UPDATE payment_intent SET confirmation_number = '111111111'"
    with pytest.raises(Exception, match=r"(?i)unique"), store._database.money() as connection:
        connection.execute(text(again))
    store.close()


# ---- finding


def test_charges_are_found_by_what_is_known_of_them(store: Store):
    charge(store)
    payment = found(store)
    assert [one.intent.reference for one in store.payments_by_number(payment.confirmation_number)] == ["CA1-1"]
    assert [one.intent.reference for one in store.payments_by_number("482913")] == ["CA1-1"]
    cases = {
        PaymentFilter(last4="1111"): 1,
        PaymentFilter(last4="1112"): 0,
        PaymentFilter(status="approved"): 1,
        PaymentFilter(status="declined"): 0,
        PaymentFilter(status="refunded"): 0,
        PaymentFilter(status="waiting"): 0,
        PaymentFilter(bank="acme_bank", bill=ACCOUNT): 1,
        PaymentFilter(bank="acme"): 0,
        PaymentFilter(since=NOW): 1,
        PaymentFilter(until=NOW): 0,
        PaymentFilter(flow="pay"): 0,
    }
    assert {one: len(store.find_payments(one, 5)) for one in cases} == cases
    ask(store, 1000, 4250)
    assert len(store.find_payments(PaymentFilter(status="waiting"), 5)) == 1
    end(store, "done")
    assert len(store.find_payments(PaymentFilter(status="refunded"), 5)) == 1


def test_a_charge_is_found_by_its_flow_and_not_by_the_beginning_of_one(store: Store):
    begin(store, "CA1-1", line="pay-a-bill +15550199")
    assert len(store.find_payments(PaymentFilter(flow="pay-a-bill"), 5)) == 1
    assert not store.find_payments(PaymentFilter(flow="pay"), 5)


@pytest.mark.parametrize("before", ["void", "refund"])
def test_nothing_is_captured_that_has_been_given_back_since_somebody_looked(store: Store, before: str):
    charge(store)
    ask(store, 4250, 4250, before)
    assert store.ask_modification(wanted(4250, 4250, "capture"), NOW) == Changed(Money(0))


def test_nothing_is_voided_while_a_capture_is_on_its_way(store: Store):
    charge(store)
    ask(store, 4250, 4250, "capture")
    assert store.ask_modification(wanted(4250, 4250, "void"), NOW) == Changed(CHARGED)


def test_nothing_is_voided_while_the_forwarder_captures_it(store: Store):
    charge(store, capture=True)
    job = store.claim(NOW, 60)
    assert job is not None
    assert job.kind == "capture"
    assert store.ask_modification(wanted(4250, 4250, "void"), NOW) == Changed(CHARGED)
    store.postpone(job, 1, NOW)
    assert isinstance(store.ask_modification(wanted(4250, 4250, "void"), NOW), Modification)
    assert not store.renew(job, 60, NOW)


def test_nothing_is_settled_by_hand_while_the_bank_is_being_asked(store: Store):
    charge(store)
    ask(store, 4250, 4250)
    job = job_of(store)
    store.mark_modification_sent(job)
    store.doubt_modification(job, 0, NOW, "no answer")
    job = job_of(store)
    assert store.settle_modification("CA1-1-m1", "failed", "ada", NOW) is None
    store.doubt_modification(job, 0, NOW, "no answer")
    assert store.settle_modification("CA1-1-m1", "failed", "ada", NOW) is not None
    assert not store.renew(job, 60, NOW)
