"""What the forwarder makes of each answer, and of none: one charge at most, and no charge is lost."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from ivr.bank import AuthorizationRequest, BankAnswer
from ivr.calls.assembly import load_flows
from ivr.calls.results import result_words
from ivr.core.call import Charge
from ivr.core.money import Money
from ivr.forwarder.charges import INQUIRIES, RETRY_S, TRIES
from ivr.places import SHIPPED as ROOT
from ivr.store import DatabaseError, StaleCall, Store, TextMessage, memory_store
from tests.forwarder.paper_bank import Fate, PaperBank
from tests.forwarder.tills import LEASE_S, Till, bank_in
from tests.store.payments import FIELDS, a_call, jwe_of


@pytest.fixture
def till(store: Store, tmp_path: Path) -> Till:
    return Till(store, bank_in(tmp_path))


def test_an_approval_is_recorded_with_its_number(till: Till):
    till.charge()
    till.work()
    payment = till.store.payment("CA1-1")
    assert payment is not None
    assert (payment.status, payment.authorization_code, payment.response_code) == ("approved", "123456", "00")
    till.agrees()


def test_a_refusal_is_recorded_with_its_code(till: Till):
    till.bank.fate = "decline"
    till.charge()
    till.work()
    payment = till.store.payment("CA1-1")
    assert payment is not None
    assert (payment.status, payment.authorization_code, payment.response_code) == ("declined", None, "05")
    till.agrees()


def test_the_bank_gets_the_sealed_fields_our_reference_as_key_and_the_moto_indicator(till: Till):
    seen: list[AuthorizationRequest] = []
    authorize = till.bank.authorize
    till.bank.authorize = lambda request: (seen.append(request), authorize(request))[1]  # type: ignore[method-assign]
    till.charge()
    till.work()
    (request,) = seen
    assert (request.reference, request.idempotency_key, request.moto) == ("CA1-1", "CA1-1", True)
    assert request.sealed == {name: jwe_of("CA1-1", name) for name in FIELDS}


def test_silence_is_unknown_never_declined(till: Till):
    till.bank.fate = "silent"
    till.charge()
    till.forwarder().run_once()
    assert till.status() == "unknown"
    till.agrees()
    assert till.store.entries("CA1-1") == ["requested", "unknown", "approved"]


def test_a_request_that_never_arrived_is_reversed_so_that_it_cannot_arrive_later(till: Till):
    till.bank.fate = "late"
    till.charge()
    till.settle()
    assert till.status() == "reversed"
    assert till.bank.deliver() == 1
    till.agrees()
    assert till.bank.charged() == {}


def test_a_late_request_that_the_inquiry_finds_is_approved(till: Till):
    till.bank.fate = "late"
    till.charge()
    till.forwarder().run_once()
    till.bank.deliver()
    till.settle()
    assert till.status() == "approved"
    till.agrees()


class LateReversals(PaperBank):
    """Takes a reversal and does it when `reverse_late` is called; `cannot say`: the answers to inquiries are lost."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.held: list[str] = []
        self.cannot_say = self.is_late = True

    def inquire(self, reference: str) -> BankAnswer:
        return BankAnswer("unknown", reference) if self.cannot_say else super().inquire(reference)

    def reverse(self, reference: str) -> BankAnswer:
        if not self.is_late:
            return super().reverse(reference)
        self.held.append(reference)
        return BankAnswer("unknown", reference)

    def reverse_late(self) -> None:
        self.is_late = False
        for reference in self.held:
            super().reverse(reference)


@pytest.mark.parametrize("fate", ["silent", "late"])
def test_no_approval_is_believed_while_a_reversal_may_be_on_its_way(tmp_path: Path, fate: Fate):
    bank = LateReversals(tmp_path / "books.db", fate)
    till = Till(memory_store(), bank)
    till.charge()
    bank.cannot_say = fate == "silent"  # of the late one it can: it is not found, and reversed
    while not bank.held:
        till.work()
        till.clock.advance(10)
    bank.deliver()
    bank.cannot_say = False
    till.work()
    till.clock.advance(400)
    till.work()
    assert till.status() == "unknown"
    bank.reverse_late()
    till.settle()
    assert till.status() == "reversed"
    assert bank.charged() == {}


def test_a_holder_that_wakes_up_after_the_charge_was_approved_undoes_nothing(till: Till):
    till.bank.fate = "silent"
    till.charge()
    till.forwarder().run_once()
    late = till.forwarder()
    (job,) = till.store.claim_jobs(late.due, LEASE_S, 1)
    till.clock.advance(LEASE_S + 1)
    till.settle()
    assert till.status() == "approved"
    late.do(job)
    till.agrees()


def test_a_bank_that_cannot_say_is_asked_a_few_times_and_then_told_to_reverse(till: Till):
    till.bank.fate, till.bank.answers = "silent", "not at all"
    asked: list[str] = []
    till.bank.at = asked.append
    till.charge()
    for _ in range(8):
        till.work()
        till.clock.advance(400)
    assert till.status() == "unknown"
    assert asked.count("inquiry") == INQUIRIES
    assert asked.count("reversal") == 8 - INQUIRIES + 1
    till.bank.answers = "well"
    till.agrees()


@pytest.mark.parametrize("fate", ["lost", "silent", "late"])
def test_an_outage_of_a_day_ends_with_agreeing_books(till: Till, fate: Fate):
    till.bank.fate, till.bank.answers = fate, "nobody there"
    till.charge()
    for _ in range(24):
        till.work()
        till.clock.advance(3600)
    assert till.status() == "unknown"
    till.bank.answers = "well"
    till.agrees()


def test_inquiries_come_at_growing_pauses(tmp_path: Path):
    till = Till(memory_store(), bank_in(tmp_path))
    till.bank.fate, till.bank.answers = "lost", "nobody there"
    times: list[float] = []
    start = till.clock()
    till.bank.at = lambda point: times.append((till.clock() - start).total_seconds()) if point == "inquiry" else None
    till.charge()
    for _ in range(900):
        till.work()
        till.clock.advance(1)
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert max(pauses) <= 300


def test_a_bank_that_cannot_be_reached_is_tried_again_while_the_caller_waits_and_then_given_up_on(till: Till):
    till.bank.fate = "not_sent"
    tries: list[str] = []
    till.bank.at = tries.append
    till.charge()
    start = till.clock()
    while till.status() != "not_sent":
        till.work()
        till.clock.advance(RETRY_S)
    assert len(tries) == TRIES
    assert till.clock() - start <= timedelta(seconds=TRIES * RETRY_S)
    till.agrees()


def test_a_bank_that_comes_back_in_time_is_paid_once(till: Till):
    till.bank.fate = "not_sent"
    till.charge()
    till.work()
    assert till.status() == "accepted"
    till.bank.fate = "approve"
    till.work()
    assert till.status() == "accepted"  # not before its pause is over
    till.clock.advance(RETRY_S)
    till.work()
    assert till.status() == "approved"
    till.agrees()


def test_a_fault_in_the_banks_client_is_silence_at_once(till: Till):
    def break_down(point: str) -> None:
        if point == "in the books":
            raise RuntimeError("card 4111111111111111")

    till.bank.at = break_down
    till.charge()
    till.forwarder().run_once()
    assert till.status() == "unknown"
    till.bank.at = lambda point: None
    till.agrees()
    assert till.status() == "approved"


def test_a_bank_that_was_renamed_is_surely_not_sent_to(till: Till):
    till.charge()
    forwarder = till.forwarder()
    forwarder = type(forwarder)(till.store, {}, lambda message: None, now=till.clock)
    forwarder.run_once()
    assert till.status() == "accepted"
    till.clock.advance(RETRY_S)
    till.agrees()
    assert till.status() == "approved"


# ---- a slow holder, and one that died


def test_a_holder_that_is_too_slow_is_fenced_off_and_its_approval_is_found_by_inquiry(till: Till):
    """The first holder's answer comes after its lease: the second has taken over, and did not send again."""

    def hang(point: str) -> None:
        if point == "in the books":
            till.bank.at = lambda point: None
            till.clock.advance(LEASE_S + 1)
            second.run_once()
            assert till.status() == "unknown"

    second = till.forwarder()
    till.bank.at = hang
    till.charge()
    till.forwarder().run_once()
    assert till.status() == "unknown"  # the late approval of the first has no say
    till.agrees()
    assert till.status() == "approved"


def test_a_holder_that_wakes_up_before_it_sends_after_the_charge_was_reversed_charges_nothing(till: Till):
    """Marked sent, then stopped for minutes: meanwhile the charge was reversed, and the bank blocks what arrives."""

    def sleep(point: str) -> None:
        if point == "before it leaves":
            till.bank.at = lambda point: None
            till.clock.advance(LEASE_S + 1)
            till.settle()
            assert till.status() == "reversed"

    till.bank.at = sleep
    till.charge()
    till.forwarder().run_once()
    assert till.bank.requests() == 1
    till.agrees()
    assert till.bank.charged() == {}


def test_a_holder_that_slept_before_marking_does_not_send(till: Till):
    till.charge()
    sleeper = till.store.claim(till.clock(), LEASE_S)
    assert sleeper is not None
    till.clock.advance(LEASE_S + 1)
    till.settle()
    till.forwarder().do(sleeper)
    till.agrees()
    assert till.status() == "approved"


def test_a_job_that_is_done_twice_sends_once(till: Till):
    till.charge()
    job = till.store.claim(till.clock(), LEASE_S)
    assert job is not None
    for _ in range(3):
        till.forwarder().do(job)
    till.agrees()


# ---- the database fails at the worst moment


def refuse_to_record(url: str, kind: str) -> None:
    """A real error of the database, in the middle of the final transaction."""
    engine = create_engine(url)
    with engine.begin() as connection:
        if url.startswith("sqlite"):
            connection.execute(
                text(
                    f"CREATE TRIGGER refuse BEFORE INSERT ON ledger_entry WHEN NEW.kind = '{kind}' "
                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                )
            )
        else:
            connection.execute(
                text(
                    "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION 'disk full'; END $$"
                )
            )
            connection.execute(
                text(
                    "CREATE TRIGGER refuse BEFORE INSERT ON ledger_entry FOR EACH ROW "
                    f"WHEN (NEW.kind = '{kind}') EXECUTE FUNCTION refuse()"
                )
            )
    engine.dispose()


def heal(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        on_table = "" if url.startswith("sqlite") else " ON ledger_entry"
        connection.execute(text(f"DROP TRIGGER IF EXISTS refuse{on_table}"))
    engine.dispose()


def test_an_answer_in_hand_waits_for_a_database_that_comes_back(till: Till, url: str):
    refuse_to_record(url, "approved")
    forwarder = till.forwarder()
    patient = type(forwarder)(
        till.store, forwarder.banks, forwarder.send_text, now=till.clock, pause=lambda seconds: heal(url)
    )
    till.charge()
    patient.run_once()
    assert till.status() == "approved"
    assert till.store.entries("CA1-1") == ["requested", "approved"]
    till.agrees()


def test_a_database_that_stays_away_costs_an_inquiry_not_a_second_charge(till: Till, url: str):
    refuse_to_record(url, "approved")
    try:
        till.charge()
        with pytest.raises(DatabaseError):
            till.forwarder().run_once()
        assert till.status() == "sent"
        till.clock.advance(LEASE_S + 1)
        till.forwarder().run_once()
        assert till.status() == "unknown"
        with pytest.raises(DatabaseError):
            till.forwarder().run_once()
    finally:
        heal(url)
    till.agrees()
    assert till.status() == "approved"
    assert till.store.entries("CA1-1") == ["requested", "unknown", "approved"]


# ---- texts


def end_pending(till: Till, reference: str = "CA1-1") -> None:
    """The caller hangs up, or is told that a text will follow."""
    call = a_call(reference.rpartition("-")[0], attempt=1, charges=(Charge(1, Money(4250)),))
    till.store.save_call(call, 0, till.clock())
    till.charge(reference)
    till.store.save_call(replace(call, phase="over", outcome="pending"), 1, till.clock())


def test_a_caller_who_was_promised_the_result_is_told_once_there_is_one(till: Till):
    till.bank.fate, till.bank.answers = "silent", "not at all"
    end_pending(till)
    till.work()
    assert till.store.texts_of("CA1") == []
    till.bank.answers = "well"
    till.agrees()
    (text,) = till.store.texts_of("CA1")
    told = TextMessage("CA1-1-result", "+15550100", "Your payment: approved", is_sent=True, state="sent")
    assert replace(text, at=None) == told


def test_a_second_save_of_the_same_ending_is_stale_and_promises_nothing(till: Till):
    end_pending(till)
    call = a_call("CA1", attempt=1, charges=(Charge(1, Money(4250)),), phase="over", outcome="pending")
    with pytest.raises(StaleCall):
        till.store.save_call(call, 1, till.clock())
    assert till.store.outbox_depth()["result"] == 1


@pytest.mark.parametrize(
    ("fate", "language", "words"),
    [
        ("approve", "en-US", "went through, Jan 15, 2026, Visa 1111. Confirmation number: {number}"),
        ("lost", "en-US", "Your card was not charged"),
        ("decline", "es-MX", "No se cobró nada a su tarjeta"),
    ],
)
def test_the_result_is_told_in_the_calls_language(till: Till, fate: Fate, language: str, words: str):
    till.bank.fate = fate
    reference = till.charge()
    till.settle()
    payment = till.store.payment(reference)
    assert payment is not None
    _, prompts = load_flows(ROOT / "flows")
    told = result_words(lambda _version: prompts)(replace(a_call(), language=language), payment)
    assert words.format(number=payment.confirmation_number) in told


def test_a_result_of_a_charge_that_never_was_is_told_to_nobody(till: Till):
    call = a_call("CA7", attempt=1, charges=(Charge(1, Money(4250)),))
    till.store.save_call(call, 0, till.clock())
    till.store.save_call(replace(call, phase="over", outcome="pending"), 1, till.clock())
    till.settle()
    assert till.store.texts_of("CA7") == []


def test_a_text_that_could_not_be_sent_is_tried_again(till: Till):
    failures = [ConnectionError(), ConnectionError()]
    sent: list[str] = []

    def send(message: TextMessage) -> None:
        if failures:
            raise failures.pop()
        sent.append(message.body)

    forwarder = type(till.forwarder())(till.store, {}, send, now=till.clock)
    till.store.queue_sms("CA1-receipt", "+15550100", "Paid.", till.clock())
    for _ in range(20):
        forwarder.run_once()
        till.clock.advance(1)
    assert sent == ["Paid."]
