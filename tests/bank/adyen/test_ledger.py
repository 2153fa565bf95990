"""The forwarder and Adyen's stand-in over TLS: silence, captures and notifications, with Adyen's books as judge."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ivr.bank import AuthorizationRequest
from ivr.bank.adyen import PROMISES, AdyenBank, AdyenSettings
from ivr.calls.bank_news import BankNewsIntake
from ivr.channels.simulator import Clock
from ivr.core.actions import SplitPart
from ivr.core.money import Money
from ivr.errors import PeerError
from ivr.forwarder.process import Forwarder
from ivr.store import Accepted, AttemptLimits, SealedField, Store, TooEarly
from tests.bank.adyen.keys import API_KEY, HMAC_KEY
from tests.bank.adyen.running import RunningAdyen, sealed_card
from tests.store.payments import intent

LEASE_S = 60.0


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


def begin(
    store: Store,
    adyen: RunningAdyen,
    minor: int,
    now: datetime,
    part: SplitPart | None = None,
    *,
    captures_later: bool = False,
) -> str:
    reference = part.first if part else f"CA{uuid4().hex}-1"
    wanted = replace(intent(reference, minor=minor), part=part, captures_later=captures_later)
    for field, seal in sealed_card(adyen.vault(), wanted.reference).items():
        store.stage_sealed(SealedField(wanted.reference, field, seal), now)
    assert store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
    return wanted.reference


def work(store: Store, bank: AdyenBank, clock: Clock, rounds: int = 12) -> None:
    forwarder = Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock)
    for _ in range(rounds):
        while forwarder.run_once():
            pass
        if not any(store.outbox_depth().values()):
            return
        clock.advance(LEASE_S + 1)


def intake_of(store: Store, settings: AdyenSettings) -> BankNewsIntake:
    return BankNewsIntake(store, {"acme_bank": settings}, {"ACME_BANK_HMAC_KEY": HMAC_KEY}, tell_billing=False)


def tell(store: Store, adyen: RunningAdyen, reference: str, event: str, times: int = 1) -> None:
    for content in adyen.news(reference, event):
        for _ in range(times):
            intake_of(store, adyen.settings()).take("acme_bank", content, datetime.now(UTC))


@pytest.mark.parametrize(
    ("minor", "story", "books"),
    [
        (4250, ["approved", "capture_asked"], ["captured"]),
        (1305, ["declined"], []),
        (1366, ["unknown", "approved", "capture_asked"], ["captured"]),
        (1367, ["unknown", "approved", "capture_asked"], ["captured"]),
        (1364, ["unknown", "approved", "capture_asked"], ["captured"]),
        (1365, ["unknown", "approved", "capture_asked"], ["captured"]),
        (1320, ["unknown", "approved", "capture_asked"], ["captured"]),
    ],
)
def test_whatever_becomes_of_the_answer_there_is_one_charge_or_none(
    minor: int,
    story: list[str],
    books: list[str],
    store: Store,
    adyen: AdyenBank,
    adyen_process: RunningAdyen,
    clock: Clock,
):
    reference = begin(store, adyen_process, minor, clock())
    work(store, adyen, clock)
    assert store.entries(reference) == ["requested", *story]
    assert [one["status"] for one in adyen_process.booked(reference)] == books
    assert not store.sealed_sizes(reference)


def test_with_the_promise_of_keys_broken_the_same_walk_finds_two_charges(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    adyen_process.ask("/_forget-keys", "POST")
    try:
        reference = begin(store, adyen_process, 1367, clock())
        work(store, adyen, clock)
    finally:
        adyen_process.ask("/_keep-keys", "POST")
    assert len(adyen_process.booked(reference)) == 2


@pytest.mark.parametrize(("minor", "end"), [(1367, ["undo_asked", "reversed"]), (1366, ["undo_asked", "undo_refused"])])
def test_where_keys_are_not_promised_the_charge_is_undone_once_the_notification_says_so(
    minor: int, end: list[str], store: Store, adyen_process: RunningAdyen, clock: Clock
):
    """Before arrival Adyen has nothing to undo: the charge stays unknown, and nobody is told that it is not charged."""
    reference = begin(store, adyen_process, minor, clock())
    with AdyenBank(adyen_process.settings(), API_KEY) as bank:
        bank.promises = replace(PROMISES, repeats_s=0.0)
        work(store, bank, clock, rounds=2)
    assert store.entries(reference) == ["requested", "unknown", "undo_asked"]
    tell(store, adyen_process, reference, "AUTHORISATION")  # too late: it is being taken back
    tell(store, adyen_process, reference, "TECHNICAL_CANCEL", times=2)
    assert store.entries(reference) == ["requested", "unknown", *end]
    assert all(one["status"] == "cancelled" for one in adyen_process.booked(reference))


def test_a_partial_approval_is_taken_back(store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock):
    reference = begin(store, adyen_process, 1310, clock())
    work(store, adyen, clock, rounds=2)
    tell(store, adyen_process, reference, "TECHNICAL_CANCEL")
    assert store.entries(reference) == ["requested", "unknown", "undo_asked", "reversed"]


def part_of(minor: int) -> SplitPart:
    return SplitPart(f"CA{uuid4().hex}-1", Money(minor), "take_back", takes_part=True)


def test_a_partial_approval_that_was_asked_for_is_held_and_cancelled_before_its_capture(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1310, clock(), part_of(1310))
    work(store, adyen, clock, rounds=2)
    sent = json.loads(adyen_process.seen(reference)[0]["body"])
    assert sent["additionalData"]["allowPartialAuth"] == "true"
    payment = store.payment(reference)
    assert payment is not None
    assert (payment.intent.amount, payment.asked, payment.part) == (Money(1000), Money(1310), "take_back")
    store.take_back(payment.intent.call, clock())
    work(store, adyen, clock, rounds=2)
    tell(store, adyen_process, f"{reference}-m1", "CANCELLATION")
    assert store.entries(reference) == ["requested", "approved", "void_asked", "voided", "part_undone"]
    assert [(one["status"], one["value"]) for one in adyen_process.booked(reference)] == [("cancelled", 1000)]


def test_an_all_or_nothing_bill_is_captured_once_it_is_paid_in_full(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 4250, clock(), part_of(4250))
    work(store, adyen, clock)
    assert store.entries(reference) == ["requested", "approved", "part_counted", "capture_asked"]


def test_a_notification_answers_a_charge_and_has_it_captured_once_however_often_it_comes(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1399, clock())
    work(store, adyen, clock, rounds=2)
    assert store.entries(reference) == ["requested", "unknown"]
    tell(store, adyen_process, reference, "AUTHORISATION", times=3)
    work(store, adyen, clock)
    tell(store, adyen_process, reference, "CAPTURE", times=3)
    assert store.entries(reference) == ["requested", "unknown", "approved", "capture_asked", "captured"]
    assert not store.sealed_sizes(reference)


def test_a_notification_that_comes_before_the_answer_is_to_come_again(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    """Else an answer of "received" would leave nothing that says what became of the charge."""
    reference = begin(store, adyen_process, 1399, clock())
    job = store.claim(clock(), LEASE_S)
    assert job is not None
    sealed = store.mark_sent(job)
    adyen.authorize(AuthorizationRequest(reference, reference, "demo-merchant", "CA1", Money(1399), sealed or {}))
    with pytest.raises(TooEarly):
        tell(store, adyen_process, reference, "AUTHORISATION")
    assert store.record(job, "unknown", clock())
    tell(store, adyen_process, reference, "AUTHORISATION")
    assert store.entries(reference) == ["requested", "unknown", "approved"]


def test_a_notification_that_was_changed_on_its_way_is_refused(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1399, clock())
    work(store, adyen, clock, rounds=1)
    (content,) = adyen_process.news(reference, "AUTHORISATION")
    for wrong in (content.replace(b'"true"', b'"false"'), content.replace(b"1399", b"9399"), b"[]", b"no"):
        with pytest.raises(PeerError):
            intake_of(store, adyen_process.settings()).take("acme_bank", wrong, datetime.now(UTC))
    assert store.entries(reference) == ["requested", "unknown"]


def test_after_seven_days_a_charge_is_undone_and_no_longer_asked_for(
    store: Store, adyen: AdyenBank, adyen_process: RunningAdyen, clock: Clock
):
    reference = begin(store, adyen_process, 1367, clock() - timedelta(days=7))
    work(store, adyen, clock, rounds=2)
    assert [one["path"] for one in adyen_process.seen(reference)] == ["/v72/payments", "/v72/cancels"]
