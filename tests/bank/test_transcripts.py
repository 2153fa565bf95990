"""A caller's keypad payment at each bank over TLS, printed as it goes, with the bank's books beside ours: `make banks`.

Adyen and the ISO 8583 host are the bank simulator; Stripe is localstripe, which nobody here wrote.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.bank import Bank
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.calls.assembly import load_flow, vaults_for
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.store import Payment
from ivr.testing.quiet import quiet
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.adyen.test_simulator import running as running_adyen
from tests.bank.iso8583.running import running as running_iso
from tests.bank.stripe.running import RunningStripe, stripe_process
from tests.bank_process import BankKeys, bank_keys
from tests.benches import ROOT, SAMPLE
from tests.leaks import leaks_in

__all__ = ["bank_keys", "stripe_process"]
CARD = "4242424242424242"
KEYS = ("1", "12345678#", "1", f"{CARD}#", "1230", "123", "94105", "1")
CARD_KEYS = range(3, 7)
Booked = Callable[[Payment], str]
"""What the bank has booked of a payment."""


def build(bank: Bank, key: Path, form: str) -> Workbench:
    flow, prompts = load_flow(SAMPLE)
    return build_workbench(
        flow,
        prompts,
        key,
        bank,
        ROOT / "config" / "accounts.csv",
        Clock(datetime.now(UTC)),
        vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, form)),
    )


@contextmanager
def at_adyen(keys: BankKeys, folder: Path, _stripe: Callable[[], RunningStripe]) -> Iterator[tuple[Workbench, Booked]]:
    with running_adyen(keys, folder, SimulatorWays(0.05)) as adyen, adyen.bank() as bank:

        def booked(payment: Payment) -> str:
            (entry,) = adyen.booked(payment.intent.reference)
            assert entry.amount is not None
            assert adyen.captured(payment.intent.reference) == entry.amount.minor
            return f"{entry.outcome} {entry.amount}"

        yield build(bank, adyen.host.account.public_key, "adyen"), booked


@contextmanager
def at_iso(keys: BankKeys, folder: Path, _stripe: Callable[[], RunningStripe]) -> Iterator[tuple[Workbench, Booked]]:
    with running_iso(keys, folder, SimulatorWays(0.05)) as host, host.client() as bank:

        def booked(payment: Payment) -> str:
            entry = host.entry(payment.bank_trace)
            assert entry is not None
            return f"{entry.outcome} {entry.amount}"

        yield build(bank, keys.keys / "forwarder-sealing.crt", "forwarder"), booked


@contextmanager
def at_stripe(keys: BankKeys, _folder: Path, stripe: Callable[[], RunningStripe]) -> Iterator[tuple[Workbench, Booked]]:
    process = stripe()
    with process.bank() as bank:

        def booked(payment: Payment) -> str:
            reference = payment.intent.reference
            (one,) = [one for one in process.intents() if one["metadata"].get("tonetill_reference") == reference]
            assert process.booked(reference) == [(payment.intent.amount.minor, "captured")]
            return f"approved {Money(one['amount'], one['currency'].upper())}"

        yield build(bank, keys.keys / "forwarder-sealing.crt", "forwarder"), booked


BANKS = {"adyen": at_adyen, "iso8583": at_iso, "stripe": at_stripe}


@pytest.mark.parametrize("bank", BANKS)
def test_a_caller_pays_by_keypad_and_both_books_say_the_same(
    bank: str,
    bank_keys: BankKeys,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
):
    stripe = lambda: request.getfixturevalue("stripe_process")  # noqa: E731 - begun for Stripe alone
    with quiet(), BANKS[bank](bank_keys, tmp_path / "bank", stripe) as (bench, booked):
        told = [f"-- {bank}", *transcript(bench)]
        for _ in range(3):
            bench.work()
        (call,) = bench.store.latest_calls(1)
        (payment,) = bench.store.payments_of(call.call.id)
        ours = f"{payment.status} {payment.intent.amount}"
        theirs = booked(payment)
        told += [f"  ends   {call.call.outcome}", f"  ledger {ours}", f"  bank   {theirs}"]
        told.append(f"  story  {', '.join(bench.store.entries(payment.intent.reference))}")
    assert ours == theirs
    assert leaks_in("\n".join(told).encode(), [CARD]) == []
    with capsys.disabled():
        if request.config.getoption("capture") == "no":
            print("\n" + "\n".join(told))


def transcript(bench: Workbench) -> Iterator[str]:
    """What is heard, and the keys; those of the card as dots."""
    line = bench.dial(bench.flow.name, "+15550100")
    yield f"call {bench.flow.name} from +15550100"
    reply = line.begin()
    yield from (f"  hears  {heard.words}" for heard in reply.heard)
    for number, keys in enumerate(KEYS):
        yield f"  keys   {'•••' if number in CARD_KEYS else keys}"
        reply = line.press(keys)
        yield from (f"  hears  {heard.words}" for heard in reply.heard)
    while reply.state == "waiting":
        reply = line.wait()
        yield from (f"  hears  {heard.words}" for heard in reply.heard)
    line.hang_up()
