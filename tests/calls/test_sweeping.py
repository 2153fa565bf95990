"""Calls that nobody ended are ended as a hang-up would, so that what was promised goes out; a live call is left alone."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ivr.calls import CallService, Session
from ivr.calls.sweeping import MOST_AT_ONCE, Sweeper, idle_minutes, sweeper
from ivr.channels.simulator import LocalLine
from ivr.core.call import Call, Charge, ChargeStatus
from ivr.core.events import NoInput
from ivr.core.money import Money
from ivr.forwarder.worker_pool import WorkerPool
from ivr.places import SHIPPED as ROOT
from ivr.store import Job, Store, open_store
from ivr.testing.workbench import Workbench
from tests.benches import load_flow, make_bench
from tests.forwarder.tills import Till, bank_in
from tests.patience import PATIENCE_S
from tests.store.databases import NUMBERS
from tests.store.payments import NOW, a_call, stage

IDLE = timedelta(minutes=idle_minutes(30))
FLOW, PROMPTS = load_flow(ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml")


def sweep_at(store: Store, now: datetime) -> Sweeper:
    made = sweeper(store, {FLOW.name: FLOW}, PROMPTS, 30)
    return replace(made, service=replace(made.service, now=lambda: now))


def outcome(store: Store, call: str = "CA1") -> tuple[str | None, bool]:
    stored = store.load_call(call)
    assert stored is not None
    return stored.call.outcome, stored.call.hung_up


@pytest.fixture
def till(store: Store, tmp_path: Path) -> Till:
    return Till(store, bank_in(tmp_path))


def on_hold(store: Store, call: str = "CA1") -> Call:
    """A call at the trunk whose charge is out, when its node dies."""
    live = a_call(call, step="charge", phase="waiting", attempt=1, charges=(Charge(1, Money(4250)),))
    store.save_call(live, 0, NOW)
    return live


def told(attempt: int, status: ChargeStatus) -> Charge:
    return Charge(attempt, Money(4250), status, told=True)


def test_a_call_whose_node_died_is_ended_and_its_caller_is_texted(till: Till):
    on_hold(till.store)
    till.charge()
    till.work()
    assert till.store.texts_of("CA1") == []
    assert sweep_at(till.store, NOW + IDLE)() == 0
    assert sweep_at(till.store, NOW + IDLE + timedelta(seconds=1))() == 1
    assert outcome(till.store) == ("paid", True)
    till.settle()
    assert [text.body for text in till.store.texts_of("CA1")] == ["Your payment: approved"]
    assert sweep_at(till.store, NOW + 2 * IDLE)() == 0


def test_a_charge_that_the_calls_row_knows_nothing_of_is_told_too(till: Till):
    """The process died between the charge and the row; the card before it had been declined."""
    till.store.save_call(a_call(step="card", phase="confirm", attempt=2, charges=(told(1, "declined"),)), 0, NOW)
    till.charge("CA1-1")
    till.charge("CA1-2")
    till.work()
    sweep_at(till.store, NOW + 2 * IDLE)()
    till.settle()
    assert outcome(till.store) == ("paid", True)
    assert [text.id for text in till.store.texts_of("CA1")] == ["CA1-2-result"]


def test_what_was_sealed_for_an_abandoned_card_is_dropped(store: Store):
    store.save_call(a_call(step="card", attempt=1), 0, NOW)
    stage(store, "CA1-1")
    sweep_at(store, NOW + 2 * IDLE)()
    assert outcome(store) == ("unpaid", True)
    assert store.drop_unsent_cards(NOW + 9 * IDLE) == 0


def test_a_caller_who_has_heard_the_number_is_paid_and_gets_no_text(till: Till):
    live = replace(on_hold(till.store), step="receipt", phase="repeat", charges=(told(1, "approved"),))
    till.charge()
    till.work()
    till.store.save_call(live, 1, NOW)
    sweep_at(till.store, NOW + 2 * IDLE)()
    till.settle()
    assert outcome(till.store) == ("paid", True)
    assert till.store.texts_of("CA1") == []


def to_the_receipt(bench: Workbench) -> LocalLine:
    """A paid call whose last answer says the confirmation number."""
    line = bench.dial("pay-a-bill", "+15550100")
    line.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1"):
        line.press(keys)
    while not any(heard.name == "confirmation_number" for heard in line.wait().heard):
        pass
    return line


def results_after_sweeping(bench: Workbench, call: str) -> list[str]:
    """Of the texts once nobody has ended the call."""
    bench.clock.advance(2 * IDLE.total_seconds())
    Sweeper(CallService(bench.runner, bench.store, now=bench.clock), idle_minutes(30))()
    bench.work()
    return [text.body for text in bench.store.texts_of(call)]


def test_a_number_that_nobody_may_have_spoken_is_texted(sealing_key: Path):
    """The node died when the answer was saved: nothing has come from the caller since."""
    bench = make_bench(sealing_key).workbench
    line = to_the_receipt(bench)
    assert ["went through" in text for text in results_after_sweeping(bench, line.call_id)] == [True]


def test_a_number_that_was_spoken_before_the_node_died_is_not_texted(sealing_key: Path):
    bench = make_bench(sealing_key).workbench
    line = to_the_receipt(bench)
    line.stay_silent()
    assert results_after_sweeping(bench, line.call_id) == []


def test_who_has_hung_up_at_the_number_is_not_texted(sealing_key: Path):
    bench = make_bench(sealing_key).workbench
    line = to_the_receipt(bench)
    line.hang_up()
    assert results_after_sweeping(bench, line.call_id) == []


def test_a_call_that_is_heard_from_just_now_is_not_ended(store: Store):
    store.save_call(a_call(), 0, NOW)
    late = NOW + 2 * IDLE
    session = sweep_at(store, late).service.session("CA1")
    store.save_call(a_call(step="account"), 1, late)  # found idle, and then heard from
    assert session.hang_up(idle_since=late - IDLE) is False
    assert outcome(store) == (None, False)


def test_a_call_that_is_heard_from_while_it_is_being_ended_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch):
    store.save_call(a_call(), 0, NOW)
    late = NOW + 2 * IDLE
    service = sweep_at(store, late).service
    advance = service.runner.advance

    def event_between(call: Call, event: object) -> object:
        store.save_call(replace(call, step="account"), 1, late)
        return advance(call, event)  # type: ignore[arg-type]

    monkeypatch.setattr(service.runner, "advance", event_between)
    assert service.session("CA1").hang_up(idle_since=late - IDLE) is False
    assert outcome(store) == (None, False)


def test_many_sweepers_at_once_end_each_call_once(url: str, till: Till):
    for number in range(20):
        on_hold(till.store, f"CA{number}")
        till.charge(f"CA{number}-1")
    till.work()
    stores = [open_store(url, numbers=NUMBERS) for _ in range(4)]
    together = threading.Barrier(4, timeout=PATIENCE_S)

    def sweep(store: Store) -> int:
        together.wait()
        return sweep_at(store, NOW + 2 * IDLE)()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(sweep, stores)) == 20
    for store in stores:
        store.close()
    till.settle()
    assert [len(till.store.texts_of(f"CA{number}")) for number in range(20)] == [1] * 20


def test_one_call_that_cannot_be_ended_holds_up_no_other(store: Store, monkeypatch: pytest.MonkeyPatch):
    for call in ("CA1", "CA2", "CA3"):
        store.save_call(a_call(call), 0, NOW)
    payments_of = store.payments_of
    monkeypatch.setattr(store, "payments_of", lambda call: 1 / 0 if call == "CA2" else payments_of(call))
    assert sweep_at(store, NOW + 2 * IDLE)() == 2
    assert [outcome(store, call)[0] for call in ("CA1", "CA2", "CA3")] == ["unpaid", None, "unpaid"]


def test_more_calls_than_fit_into_one_round_are_all_ended(store: Store):
    for number in range(MOST_AT_ONCE + 5):
        store.save_call(a_call(f"CA{number}"), 0, NOW)
    assert sweep_at(store, NOW + 2 * IDLE)() == MOST_AT_ONCE + 5


def test_no_call_is_idle_before_the_longest_pause_of_any_channel_is_over():
    assert idle_minutes(1) > 30
    assert idle_minutes(240) > 240


def test_housekeeping_sweeps(till: Till):
    stop, swept = threading.Event(), threading.Event()

    class Idle:
        store, lease_s = till.store, 60.0

        def now(self) -> datetime:
            return till.clock()

        def do(self, job: Job) -> None:
            raise AssertionError("there is no job")

    def sweep() -> None:
        swept.set()
        stop.set()

    WorkerPool(Idle(), sweep=sweep).run(stop)
    assert swept.is_set()


def test_a_fault_in_one_part_of_housekeeping_leaves_the_other_done(till: Till, monkeypatch: pytest.MonkeyPatch):
    stop = threading.Event()
    monkeypatch.setattr(till.store, "wipe_log", lambda: 1 / 0)
    WorkerPool(till.forwarder(), sweep=stop.set).run(stop)
    assert stop.is_set()


@pytest.fixture
def session(sealing_key: Path) -> Session:
    bench = make_bench(sealing_key)
    line = bench.workbench.dial("pay-a-bill", "+15550100")
    line.begin()
    service = CallService(bench.workbench.runner, bench.workbench.store, now=bench.workbench.clock)
    return service.session(line.call_id)


def test_whoever_is_still_there_after_the_sweeper_hears_how_it_ended(session: Session):
    live = session.service.session(session.call_id)
    answered = live.hear(NoInput(NOW))
    assert session.hang_up()
    late = live.hear(NoInput(NOW))
    names = [phrase.name for action in late.actions for phrase in getattr(action, "phrases", ())]
    assert names == ["apology", "you_were_not_charged", "goodbye"]
    assert answered.call.outcome is None
    assert session.service.store.load_call(session.call_id).call.outcome == "unpaid"  # type: ignore[union-attr]
