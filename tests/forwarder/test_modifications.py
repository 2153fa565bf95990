"""Refunds, voids and captures between our ledger and the bank simulator, over TLS: whatever breaks, both books agree."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank import LEASE_S, AuthorizationRequest, BankAnswer, ModificationRequest, Promises
from ivr.bank.simulator.modification_books import BookedModification, read_modifications
from ivr.bank.tonetill import PROMISES, TonetillBank
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.places import SHIPPED as ROOT
from ivr.store import Modification, Store, WantedModification
from tests.bank_process import BankKeys, RunningBank
from tests.forwarder.test_bank import begin, environment, settle, wait_for
from tests.patience import PATIENCE_S

SILENCE_S = 2.0
CHARGED = 9000
NOTHING_MORE = replace(PROMISES, repeats_s=0.0, inquires_modifications=False)


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class LosingLine(TonetillBank):
    """What is done with the first refund, void or capture, before or after it has reached the bank."""

    def __init__(self, settings, moment: str, happens: Callable[[], object], promises: Promises = PROMISES) -> None:
        super().__init__(settings)
        self.moment, self.happens, self.promises = moment, happens, promises
        self.asked: list[str] = []

    def modify(self, request: ModificationRequest) -> BankAnswer:
        self.asked.append(request.idempotency_key)
        if len(self.asked) > 1:
            return super().modify(request)
        if self.moment == "after":
            super().modify(request)
        self.happens()
        return BankAnswer("unknown", request.reference, reason="lost")

    def inquire_modification(self, request: ModificationRequest) -> BankAnswer:
        self.asked.append("inquiry")
        return super().inquire_modification(request)


def die() -> None:
    raise Killed


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.fixture
def patient(bank_process: RunningBank) -> Iterator[TonetillBank]:
    settings = bank_process.settings.model_copy(update={"read_timeout": SILENCE_S})
    with TonetillBank(settings) as bank:
        yield bank


def charge(store: Store, keys: BankKeys, bank: TonetillBank, clock: Clock, minor: int = CHARGED) -> str:
    reference = begin(store, keys, minor, clock())
    settle(store, bank, clock)
    assert store.entries(reference)[-1] == "approved"
    return reference


def refund(store: Store, reference: str, minor: int, clock: Clock, kind: str = "refund") -> str:
    payment = store.payment(reference)
    assert payment is not None
    left = store.balance_of(payment).refundable
    wanted = WantedModification(reference, kind, Money(minor), left, "ada")  # type: ignore[arg-type]
    asked = store.ask_modification(wanted, clock())
    assert isinstance(asked, Modification)
    return asked.id


def booked(bank: RunningBank, reference: str) -> list[BookedModification]:
    return [one for one in read_modifications(bank.folder / "books.db") if one.reference == reference]


def agree(store: Store, bank: RunningBank, reference: str) -> None:
    """What we say is back is back there, and never more than was charged."""
    payment = store.payment(reference)
    assert payment is not None
    balance = store.balance_of(payment)
    back = sum(one.amount.minor for one in booked(bank, reference) if one.outcome == "done" and one.kind != "capture")
    assert balance.returned.minor == back <= balance.charged.minor
    assert balance.asked.minor == 0


# 13.05 is refused; 13.62 to 13.68 are lost before or after they are booked, one way or another; 13.69 is a key in use.
@pytest.mark.parametrize("minor", [1000, 1360, 1362, 1363, 1364, 1365, 1366, 1367, 1368, 1369])
def test_a_refund_is_made_once_whatever_becomes_of_the_answer(
    minor: int, store: Store, bank_keys: BankKeys, bank_process: RunningBank, patient: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, patient, clock)
    refund(store, reference, minor, clock)
    settle(store, patient, clock)
    assert store.entries(reference)[-2:] == ["refund_asked", "refunded"]
    assert [one.amount.minor for one in booked(bank_process, reference)] == [minor]
    agree(store, bank_process, reference)


def test_a_refused_refund_is_told_with_its_reason_and_leaves_all_as_it_was(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, patient: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, patient, clock)
    key = refund(store, reference, 1305, clock)
    settle(store, patient, clock)
    failed = store.modification(key)
    assert failed is not None
    assert (failed.status, failed.response_code, failed.reason) == ("failed", "05", "declined: do not honor")
    assert store.entries(reference)[-2:] == ["refund_asked", "refund_failed"]
    agree(store, bank_process, reference)
    refund(store, reference, CHARGED, clock)
    settle(store, patient, clock)
    agree(store, bank_process, reference)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("kind", ["refund", "void"])
def test_a_worker_that_dies_with_the_request_leaves_one_refund(
    kind: str,
    moment: str,
    store: Store,
    bank_keys: BankKeys,
    bank_process: RunningBank,
    bank: TonetillBank,
    clock: Clock,
):
    reference = charge(store, bank_keys, bank, clock)
    key = refund(store, reference, CHARGED, clock, kind)
    with LosingLine(bank_process.settings, moment, die) as line:
        with suppress(Killed):
            Forwarder(store, {"acme_bank": line}, lambda message: None, now=clock).run_once()
        found = store.modification(key)
        assert found is not None
        assert found.status == "sent"
        clock.advance(LEASE_S + 1)
        settle(store, line, clock)
    assert line.asked == [key, key]
    assert [one.idempotency_key for one in booked(bank_process, reference)] == [key]
    agree(store, bank_process, reference)


@pytest.mark.parametrize("happens", ["it waits in vain", "it dies"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_without_the_promise_of_keys_it_is_inquired_for_and_never_sent_again(
    moment: str,
    happens: str,
    store: Store,
    bank_keys: BankKeys,
    bank_process: RunningBank,
    bank: TonetillBank,
    clock: Clock,
):
    """What the bank does not know may still be on its way for a day; then it is surely lost, and nothing was refunded."""
    reference = charge(store, bank_keys, bank, clock)
    refund(store, reference, 1000, clock)
    promises = replace(PROMISES, repeats_s=0.0)
    does = {"it waits in vain": lambda: None, "it dies": die}[happens]
    with LosingLine(bank_process.settings, moment, does, promises) as line:
        with suppress(Killed):
            Forwarder(store, {"acme_bank": line}, lambda message: None, now=clock).run_once()
        clock.advance(LEASE_S + 1)
        settle_slowly(store, line, clock)
    assert line.asked[1:] == ["inquiry"] * len(line.asked[1:])
    assert store.entries(reference)[-1] == {"before": "refund_failed", "after": "refunded"}[moment]
    agree(store, bank_process, reference)


def settle_slowly(store: Store, bank: TonetillBank, clock: Clock) -> None:
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock)
    for _ in range(60):
        while forwarder.run_once():
            pass
        if not any(store.outbox_depth().values()):
            return
        clock.advance(1800)
    raise AssertionError("never settled")


def test_where_nothing_is_promised_a_silent_refund_stays_unknown_and_holds_its_amount(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, bank, clock)
    key = refund(store, reference, 1000, clock)
    with LosingLine(bank_process.settings, "after", lambda: None, NOTHING_MORE) as line:
        forwarder = Forwarder(store, {"acme_bank": line}, lambda message: None, now=clock)
        for _ in range(10):
            forwarder.run_once()
            clock.advance(LEASE_S + 1)
    found, payment = store.modification(key), store.payment(reference)
    assert found
    assert payment
    assert (found.status, line.asked) == ("unknown", [key])
    assert store.balance_of(payment).refundable == Money(CHARGED - 1000)


def test_a_bank_that_is_not_there_is_tried_for_a_day_and_then_nothing_was_refunded(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, bank, clock)
    key = refund(store, reference, 1000, clock)
    nobody = bank_process.settings.model_copy(update={"url": "https://127.0.0.1:1"})
    with TonetillBank(nobody) as away:
        forwarder = Forwarder(store, {"acme_bank": away}, lambda message: None, now=clock)
        forwarder.run_once()
        assert store.modification(key).status == "asked"  # type: ignore[union-attr]
        clock.advance(timedelta(days=1).total_seconds())
        forwarder.run_once()
    assert store.entries(reference)[-1] == "refund_failed"
    agree(store, bank_process, reference)


def test_with_the_promise_of_keys_broken_the_same_silence_refunds_twice(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, clock: Clock
):
    """The test itself can fail: a client that sends the repeat under another key gives the money back twice."""

    class Forgetful(LosingLine):
        def modify(self, request: ModificationRequest) -> BankAnswer:
            return super().modify(replace(request, idempotency_key=f"{request.idempotency_key}-{len(self.asked)}"))

    reference = charge(store, bank_keys, bank, clock)
    refund(store, reference, 1000, clock)
    with Forgetful(bank_process.settings, "after", lambda: None) as line:
        forwarder = Forwarder(store, {"acme_bank": line}, lambda message: None, now=clock)
        for _ in range(3):
            forwarder.run_once()
            clock.advance(LEASE_S + 1)
    assert len(booked(bank_process, reference)) == 2


def test_operators_and_forwarders_all_at_once_agree_with_the_bank(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, bank, clock)

    def act(number: int) -> None:
        payment = store.payment(reference)
        assert payment is not None
        for part in (700, 1300):
            left = store.balance_of(payment).refundable
            if left.minor >= part:
                wanted = WantedModification(reference, "refund", Money(part), left, str(number))
                store.ask_modification(wanted, clock())
            Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock).run_once()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(8)))
    settle(store, bank, clock)
    keys = [one.idempotency_key for one in booked(bank_process, reference)]
    assert len(keys) == len(set(keys)) == len(store.modifications_of(reference)) > 1
    agree(store, bank_process, reference)


def test_a_void_after_a_refund_and_a_refund_after_a_void_are_refused_by_the_bank_too(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, clock: Clock
):
    reference = charge(store, bank_keys, bank, clock)
    first = ModificationRequest("refund", reference, f"{reference}-x1", Money(1000), Money(CHARGED))
    assert bank.modify(first).outcome == "done"
    void = bank.modify(replace(first, kind="void", idempotency_key=f"{reference}-x2", amount=Money(CHARGED)))
    assert (void.outcome, void.response_code) == ("refused", "12")
    more = bank.modify(replace(first, idempotency_key=f"{reference}-x3", amount=Money(CHARGED)))
    assert (more.outcome, more.response_code, more.reason) == ("refused", "61", "more than is left of the charge")
    assert bank.modify(replace(first, amount=Money(1001))).outcome == "unknown", "the key was used for another amount"


def test_what_is_authorized_only_is_captured_once_and_can_then_be_refunded(
    bank_keys: BankKeys, bank: TonetillBank, clock: Clock, store: Store
):
    reference = begin(store, bank_keys, CHARGED, clock())
    job = store.claim(clock(), LEASE_S)
    assert job is not None
    sealed = store.mark_sent(job)
    call = reference.rpartition("-")[0]
    request = AuthorizationRequest(
        reference, reference, "demo-merchant", call, Money(CHARGED), sealed or {}, capture_later=True
    )
    assert bank.authorize(request).outcome == "approved"
    asked = ModificationRequest("refund", reference, f"{reference}-x1", Money(CHARGED), Money(CHARGED))
    assert bank.modify(asked).reason == "not captured yet: void it"
    capture = replace(asked, kind="capture", idempotency_key=f"{reference}-x2")
    assert [bank.modify(capture).outcome for _ in range(2)] == ["done", "done"]
    assert bank.modify(replace(capture, idempotency_key=f"{reference}-x3")).reason == "captured already"
    assert bank.modify(replace(asked, idempotency_key=f"{reference}-x4")).outcome == "done"


def test_the_process_is_killed_while_the_bank_refunds_and_the_next_finds_out(
    store: Store, url: str, bank_keys: BankKeys, bank_process: RunningBank, bank: TonetillBank, tmp_path: Path
):
    """A refund in the bank's books, its answer lost, and the forwarder gone before it could notice."""
    clock = Clock(datetime.now(UTC))
    reference = charge(store, bank_keys, bank, clock)
    key = refund(store, reference, 1363, clock)
    process = subprocess.Popen(
        [sys.executable, "-m", "ivr.forwarder"], cwd=ROOT, env=environment(url, bank_process, tmp_path)
    )
    try:
        wait_for(lambda: booked(bank_process, reference), process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE_S)
    found = store.modification(key)
    assert found is not None
    assert found.status == "sent"
    settle(store, bank, Clock(datetime.now(UTC) + timedelta(seconds=LEASE_S + 1)))
    assert store.entries(reference)[-2:] == ["refund_asked", "refunded"]
    assert len(booked(bank_process, reference)) == 1
    agree(store, bank_process, reference)


@pytest.mark.parametrize(("kind", "then"), [("capture", "captured"), ("void", "voided")])
def test_a_reserved_amount_is_taken_or_let_go_of_when_that_is_asked_for_and_not_before(
    kind: str,
    then: str,
    store: Store,
    bank_keys: BankKeys,
    bank_process: RunningBank,
    patient: TonetillBank,
    clock: Clock,
):
    reference = begin(store, bank_keys, CHARGED, clock(), captures_later=True)
    settle(store, patient, clock)
    assert store.entries(reference) == ["requested", "approved"]
    (entry,) = [one for one in bank_process.entries() if one.reference == reference]
    assert entry.capture_later
    key = refund(store, reference, CHARGED, clock, kind)
    settle(store, patient, clock)
    assert store.entries(reference)[2:] == [f"{kind}_asked", then]
    (one,) = booked(bank_process, reference)
    assert (one.idempotency_key, one.kind, one.outcome) == (key, kind, "done")
