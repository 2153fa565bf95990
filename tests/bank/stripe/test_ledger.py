"""The forwarder and localstripe over TLS: silence, captures and events, with localstripe's own list as judge."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ivr.bank.stripe import StripeBank
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.forwarder.process import Forwarder
from ivr.places import SHIPPED
from ivr.store import Accepted, AttemptLimits, BeingPaid, SealedField, Store
from tests.bank.stripe.running import DECLINED_PAN, PAN, RunningStripe, sealed_card
from tests.store.payments import intent

LEASE_S = 60.0
AUTHORIZED, CAPTURED, CANCELLED = "authorized", "captured", "cancelled"


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


def begin(
    store: Store, stripe: RunningStripe, minor: int, now: datetime, pan: str = PAN, *, captures_later: bool = False
) -> str:
    wanted = replace(intent(f"CA{uuid4().hex}-1", minor=minor), captures_later=captures_later)
    for field, seal in sealed_card(stripe.vault(), wanted.reference, pan).items():
        store.stage_sealed(SealedField(wanted.reference, field, seal), now)
    assert store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
    return wanted.reference


def forwarder_of(store: Store, bank: StripeBank, clock: Clock) -> Forwarder:
    return Forwarder(store, {"acme_bank": bank}, lambda message: None, now=clock)


def work(store: Store, bank: StripeBank, clock: Clock, rounds: int = 12) -> None:
    forwarder = forwarder_of(store, bank, clock)
    for _ in range(rounds):
        while forwarder.run_once():
            pass
        if not any(store.outbox_depth().values()):
            return
        clock.advance(LEASE_S + 1)


PAID = ["approved", "capture_asked"]


@pytest.mark.parametrize(
    ("minor", "story", "books"),
    [
        (4250, PAID, [CAPTURED]),
        (1366, ["unknown", *PAID], [CAPTURED]),
        (1367, ["unknown", *PAID], [CAPTURED]),
        (1368, ["unknown", *PAID], [CAPTURED]),
        (1320, ["unknown", *PAID], [CAPTURED]),
        (1329, PAID, [CAPTURED]),
        (1365, PAID, [CAPTURED]),
        (1364, ["unknown"], []),
    ],
)
def test_whatever_becomes_of_the_answer_there_is_one_charge_or_none(
    minor: int,
    story: list[str],
    books: list[str],
    store: Store,
    stripe_bank: StripeBank,
    stripe_process: RunningStripe,
    clock: Clock,
):
    reference = begin(store, stripe_process, minor, clock())
    work(store, stripe_bank, clock)
    assert store.entries(reference) == ["requested", *story]
    assert stripe_process.booked(reference) == [(minor, status) for status in books]
    assert bool(store.sealed_sizes(reference)) == (story[-1] == "unknown")


def test_a_declined_card_charges_nothing_and_leaves_nothing_sealed(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    reference = begin(store, stripe_process, 4250, clock(), DECLINED_PAN)
    work(store, stripe_bank, clock)
    assert store.entries(reference) == ["requested", "declined"]
    assert stripe_process.booked(reference) == []
    assert not store.sealed_sizes(reference)


@contextlib.contextmanager
def broken_keys(stripe: RunningStripe) -> Iterator[None]:
    stripe.ask("/_forget-keys", "POST")
    try:
        yield
    finally:
        stripe.ask("/_keep-keys", "POST")


def test_with_the_promise_of_keys_broken_the_same_walk_finds_two_holds(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    """The second one would lapse: only what the ledger has approved is captured. The walk must still notice."""
    with broken_keys(stripe_process):
        reference = begin(store, stripe_process, 1367, clock())
        work(store, stripe_bank, clock)
    assert sorted(stripe_process.booked(reference)) == [(1367, AUTHORIZED), (1367, CAPTURED)]


@pytest.mark.parametrize(("minor", "books"), [(1367, [(1367, CANCELLED)]), (1366, []), (1364, [])])
def test_after_the_promised_time_a_charge_is_undone_and_no_longer_asked_for(
    minor: int,
    books: list[tuple[int, str]],
    store: Store,
    stripe_bank: StripeBank,
    stripe_process: RunningStripe,
    clock: Clock,
):
    reference = begin(store, stripe_process, minor, clock() - timedelta(hours=23))
    work(store, stripe_bank, clock)
    assert store.entries(reference) == ["requested", "unknown", "undo_asked", "reversed"]
    assert stripe_process.booked(reference) == books
    assert not store.sealed_sizes(reference)


def test_a_charge_of_another_amount_is_taken_back(store: Store, stripe_process: RunningStripe, clock: Clock):
    class Generous(StripeBank):
        def authorize(self, request):
            return super().authorize(replace(request, amount=Money(request.amount.minor + 1)))

    reference = begin(store, stripe_process, 5000, clock())
    with Generous(stripe_process.settings(), "sk_test_standin0123456789", stripe_process.opener()) as bank:
        work(store, bank, clock)
    assert store.entries(reference) == ["requested", "unknown", "undo_asked", "reversed"]
    assert stripe_process.booked(reference) == [(5001, CANCELLED)]


def test_who_rings_again_while_a_charge_is_open_begins_no_second_one(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    payable = {"payable_source": "accounts", "payable_key": "12345678"}
    first = replace(intent(f"CA{uuid4().hex}-1", minor=1367), **payable)
    for field, seal in sealed_card(stripe_process.vault(), first.reference).items():
        store.stage_sealed(SealedField(first.reference, field, seal), clock())
    store.seed_bills(SHIPPED / "config" / "accounts.csv")
    assert store.begin_payment(first, AttemptLimits(), clock()) == Accepted()
    assert forwarder_of(store, stripe_bank, clock).run_once()
    assert store.entries(first.reference) == ["requested", "unknown"]
    again = replace(intent(f"CA{uuid4().hex}-1", minor=1367), **payable)
    for field, seal in sealed_card(stripe_process.vault(), again.reference).items():
        store.stage_sealed(SealedField(again.reference, field, seal), clock())
    assert store.begin_payment(again, AttemptLimits(), clock()) == BeingPaid()
    work(store, stripe_bank, clock)
    assert stripe_process.booked(first.reference) == [(1367, CAPTURED)]
    assert stripe_process.booked(again.reference) == []


def test_our_books_and_localstripes_list_are_the_same(
    store: Store, stripe_bank: StripeBank, stripe_process: RunningStripe, clock: Clock
):
    amounts = {begin(store, stripe_process, minor, clock()): minor for minor in (4250, 1366, 1367, 1320, 7)}
    declined = begin(store, stripe_process, 900, clock(), DECLINED_PAN)
    work(store, stripe_bank, clock)
    listed = {one["metadata"].get("tonetill_reference"): one for one in stripe_process.intents()}
    taken = {ours: listed[ours]["amount"] for ours in amounts if listed[ours]["status"] == "succeeded"}
    assert taken == amounts
    assert listed[declined]["status"] == "requires_payment_method"
