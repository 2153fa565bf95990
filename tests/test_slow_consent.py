"""A billing system that is asked once more at the consent, and takes its time: one charge or none, and the truth about it."""

from dataclasses import replace

import pytest

from ivr.core.events import HungUp, Waited
from ivr.flow.talk.charging import DUE_PATIENCE_S
from ivr.store import StaleCall
from tests.benches import Bench
from tests.slow_bills import SlowBills
from tests.test_one_bill import Person, charged, due

NOT_REACHED = ["bill_not_reached", "you_were_not_charged", "goodbye"]


@pytest.fixture
def slow(bench: Bench) -> SlowBills:
    bench.workbench.runner.billing = slow = SlowBills(bench)  # type: ignore[assignment]
    return slow


@pytest.fixture
def person(bench: Bench, slow: SlowBills) -> Person:
    """On hold after their consent, while nobody knows what is due."""
    person = Person(bench).at_consent().keys("1")
    assert person.heard == ["one_moment"]
    return person


def payments(person: Person) -> list[str]:
    return [payment.status for payment in person.bench.workbench.store.payments_of(person.line.call_id)]


def is_sealed(person: Person) -> bool:
    return person.bench.workbench.store.is_staged(person.call.intent_of(1))


def test_the_charge_begins_once_the_answer_is_there_and_is_one(person: Person, slow: SlowBills, bench: Bench):
    for _ in range(3):
        assert person.wait().heard == []
        assert payments(person) == []
    slow.answers = True
    assert person.wait().heard == ["hold_while_charging"]
    assert payments(person) == ["accepted"]
    bench.workbench.work()
    assert "confirmation_number" in person.wait().heard
    assert charged(bench) == [4250]
    assert set(slow.asked) == {person.call.intent_of(1)}, "one attempt asks one question"
    assert not is_sealed(person)


def test_patience_that_is_over_ends_in_not_charged_and_the_sealed_card_is_deleted(person: Person, bench: Bench):
    began = bench.workbench.clock()
    while person.wait().call.phase != "over":
        assert is_sealed(person)
    assert person.heard == NOT_REACHED
    assert person.call.outcome == "unpaid"
    assert DUE_PATIENCE_S <= (bench.workbench.clock() - began).total_seconds() <= DUE_PATIENCE_S + 2
    assert (charged(bench), payments(person), is_sealed(person), person.texts) == ([], [], False, [])


def test_a_billing_system_that_goes_away_meanwhile_leaves_nothing_charged(
    person: Person, slow: SlowBills, bench: Bench
):
    slow.answers, bench.billing.behaviour = True, "is away"
    assert person.wait().heard == NOT_REACHED
    assert (payments(person), is_sealed(person)) == ([], False)


def test_less_that_is_due_by_then_is_said_and_chosen_again(person: Person, slow: SlowBills, bench: Bench):
    bench.billing.owes("12345678", "10.00 USD")
    slow.answers = True
    assert person.wait().heard[0] == "due_changed"
    assert not is_sealed(person)
    person.keys("1", "4111111111111111#", "1230", "123", "94105", "1")
    assert payments(person) == ["accepted"]
    assert slow.asked[-1] == person.call.intent_of(2)


def test_another_caller_who_pays_the_bill_meanwhile_is_first(person: Person, slow: SlowBills, bench: Bench):
    slow.answers = True
    other = Person(bench, "+15551230101").at_consent().keys("1")
    bench.bank.behaviour = "cannot say"
    bench.workbench.work()
    assert person.wait().heard == ["payment_in_progress", "you_were_not_charged", "goodbye"]
    assert (payments(person), payments(other)) == ([], ["unknown"])


def test_who_hangs_up_meanwhile_is_charged_nothing_and_their_card_is_deleted(
    person: Person, slow: SlowBills, bench: Bench
):
    assert is_sealed(person)
    person.line.hang_up()
    slow.answers = True
    bench.workbench.work()
    assert (person.call.outcome, charged(bench), payments(person)) == ("unpaid", [], [])
    assert not is_sealed(person)
    assert person.texts == []
    assert due(bench) == 4250


# ---- two at once, and processes that die


def test_the_wait_being_over_is_heard_twice_and_charges_once(person: Person, slow: SlowBills, bench: Bench):
    """Two threads, or nodes, that have loaded the same call."""
    before, slow.answers = person.call, True
    runner = bench.workbench.runner
    advances = [runner.advance(before, Waited(bench.workbench.clock())) for _ in range(2)]
    assert [advance.call.known_ending for advance in advances] == ["pending", "pending"]
    assert payments(person) == ["accepted"]
    bench.workbench.work()
    assert charged(bench) == [4250]


@pytest.mark.parametrize("is_over", [False, True], ids=["still patient", "for the last time"])
def test_a_charge_that_another_delivery_has_begun_is_not_called_uncharged(
    person: Person, slow: SlowBills, bench: Bench, is_over: bool
):
    """One node has the answer and has charged; another, which has none, hears of the same wait."""
    before, runner, clock = person.call, bench.workbench.runner, bench.workbench.clock
    if is_over:
        clock.advance(DUE_PATIENCE_S)
    slow.answers = True
    runner.advance(before, Waited(clock()))
    slow.answers = False
    late = runner.advance(before, Waited(clock()))
    assert (late.call.phase, late.call.known_ending) == ("waiting", "pending")
    assert payments(person) == ["accepted"]


def test_after_not_charged_was_said_nobody_can_charge(person: Person, slow: SlowBills, bench: Bench):
    """The same, the other way round: who gave up was first, and the answer that comes then is of no use."""
    before, runner, clock = person.call, bench.workbench.runner, bench.workbench.clock
    clock.advance(DUE_PATIENCE_S)
    gave_up = runner.advance(before, Waited(clock()))
    assert gave_up.call.outcome == "unpaid"
    slow.answers = True
    late = runner.advance(before, Waited(clock()))
    assert late.call.outcome == "unpaid"
    assert (payments(person), charged(bench)) == ([], [])


def test_consent_and_hang_up_at_one_moment_are_told_as_the_ledger_has_them(
    person: Person, slow: SlowBills, bench: Bench
):
    before, runner, clock = person.call, bench.workbench.runner, bench.workbench.clock
    slow.answers = True
    gone = runner.advance(before, HungUp(clock()))
    assert gone.call.outcome == "unpaid"
    bench.workbench.store.save_call(gone.call, version_of(person), clock())
    with pytest.raises(StaleCall):
        runner.advance(before, Waited(clock()))
    assert payments(person) == []


def version_of(person: Person) -> int:
    stored = person.bench.workbench.store.load_call(person.line.call_id)
    assert stored is not None
    return stored.version


def test_a_process_that_dies_between_the_charge_and_the_calls_row_has_charged_once(
    person: Person, slow: SlowBills, bench: Bench
):
    slow.answers = True
    bench.workbench.runner.advance(person.call, Waited(bench.workbench.clock()))  # and never saved
    assert (person.call.phase, payments(person)) == ("lookup", ["accepted"])
    slow.answers = False  # the process that goes on with the call has asked nobody yet
    assert person.wait().call.phase == "waiting"
    bench.workbench.work()
    assert "confirmation_number" in person.wait().heard
    assert charged(bench) == [4250]


@pytest.mark.parametrize("can_text", [True, False])
def test_a_call_that_ended_while_the_ledger_was_away_is_settled_once_it_is_back(
    person: Person, bench: Bench, monkeypatch: pytest.MonkeyPatch, can_text: bool
):
    store = bench.workbench.store
    if not can_text:
        stored = store.load_call(person.line.call_id)
        assert stored is not None
        store.save_call(replace(stored.call, can_text=False), stored.version, bench.workbench.clock())
    with monkeypatch.context() as away:
        for name in ("payment", "payments_of"):
            away.setattr(type(store), name, unreadable)
        assert "charge_not_known" in person.wait().heard
    assert person.call.outcome == "pending"
    for _ in range(3):
        bench.workbench.work()
        bench.workbench.clock.advance(60)
    assert (person.call.outcome, person.call.charges, payments(person)) == ("unpaid", (), [])
    assert not is_sealed(person)
    assert not any(store.outbox_depth().values())


@pytest.mark.parametrize("caller", ["anonymous", "+15550100"])
@pytest.mark.parametrize("away", [("begin_payment", "payments_of"), ("begin_payment", "forget_card")], ids="+".join)
def test_a_charge_that_broke_on_its_way_to_the_ledger_is_settled_for_every_caller(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caller: str, away: tuple[str, ...]
):
    person = Person(bench, caller).at_consent()
    with monkeypatch.context() as breaking:
        for name in away:
            breaking.setattr(type(bench.workbench.store), name, unreadable)
        assert person.keys("1").heard == ["apology", "charge_not_known", "goodbye"]
    assert person.call.outcome == "pending"
    assert person.texts == []
    assert (person.call.outcome, person.call.charges, payments(person)) == ("unpaid", (), [])
    assert not is_sealed(person)
    assert not any(bench.workbench.store.outbox_depth().values())


def unreadable(*_arguments: object) -> None:
    raise OSError("the ledger is away")
