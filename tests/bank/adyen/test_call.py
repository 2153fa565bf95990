"""A caller's keypad payment at Adyen's stand-in, over TLS: our flow, its books and ours equal, and an ending that is true."""

from collections.abc import Sequence

import pytest

from ivr.bank.adyen import AdyenBank
from ivr.calls.assembly import vaults_for
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.adyen.running import RunningAdyen
from tests.benches import ROOT, SAMPLE, load_flow

CARD = "4111111111111111"
KEYS = ("1", "12345678#", "2", "{amount}#", "1", f"{CARD}#", "1230", "123", "94105", "1")


@pytest.fixture
def bench(adyen: AdyenBank, adyen_process: RunningAdyen) -> Workbench:
    flow, prompts = load_flow(SAMPLE)
    return build_workbench(
        flow,
        prompts,
        adyen_process.folder / "adyen-public.txt",
        adyen,
        ROOT / "config" / "accounts.csv",
        vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, "adyen")),
    )


def ring(bench: Workbench, keys: Sequence[str]) -> tuple[str, str]:
    """The call's reference of its first charge, and how the call ended."""
    line = bench.dial(bench.flow.name, "+15550100")
    reply = line.begin()
    for pressed in keys:
        while reply.state == "waiting":
            reply = line.wait()
        reply = line.press(pressed)
    for _ in range(30):
        if reply.state == "waiting":
            reply = line.wait()
    line.hang_up()
    call = bench.store.load_call(line.call_id)
    assert call is not None
    return f"{line.call_id}-1", str(call.call.outcome)


@pytest.mark.parametrize(
    ("amount", "story"), [("1500", "approved"), ("1367", "unknown approved"), ("1366", "unknown approved")]
)
def test_a_caller_pays_by_keypad_and_both_books_say_the_same(
    amount: str, story: str, bench: Workbench, adyen_process: RunningAdyen
):
    reference, outcome = ring(bench, [one.format(amount=amount) for one in KEYS])
    for _ in range(5):
        bench.work()
        bench.clock.advance(61)
    assert bench.store.entries(reference) == ["requested", *story.split(), "capture_asked"]
    (booked,) = adyen_process.booked(reference)
    assert (booked["value"], booked["last4"], booked["status"]) == (int(amount), CARD[-4:], "captured")
    assert outcome in ("paid", "pending")
