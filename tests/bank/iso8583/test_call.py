"""A caller's keypad payment at an ISO 8583 host over TLS, whatever the host does and whatever the caller does: one charge or none.

The callers: one waits for the result, one hangs up while the bank works, one hangs up and rings again at once to pay the bill.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import text

from ivr.bank.simulator import read_books
from ivr.calls.assembly import vaults_for
from ivr.channels.simulator import Clock
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.iso8583.running import RunningHost
from tests.benches import ROOT, SAMPLE, load_flow

CARD = "4111111111111111"
KEYS = ("1", "12345678#", "2", "{amount}#", "1", f"{CARD}#", "1230", "123", "94105", "1")
_thousands = count(600)


@pytest.fixture
def bench(host: RunningHost) -> Iterator[Workbench]:
    flow, prompts = load_flow(SAMPLE)
    clock = Clock(datetime.now(UTC))
    key = host.keys.keys / "forwarder-sealing.crt"
    with host.client(now=clock) as bank:
        made = build_workbench(
            flow,
            prompts,
            key,
            bank,
            ROOT / "config" / "accounts.csv",
            clock,
            vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, "forwarder")),
        )
        with made.store._database.money() as connection:
            first = {"bank": flow.bank, "first": next(_thousands) * 1000}
            connection.execute(text("INSERT INTO bank_number (bank, number) VALUES (:bank, :first)"), first)
        yield made


def ring(bench: Workbench, amount: int, *, waits: bool = True) -> str:
    """The call's id."""
    line = bench.dial(bench.flow.name, "+15550100")
    reply = line.begin()
    for pressed in KEYS:
        while reply.state == "waiting":
            reply = line.wait()
        if reply.state == "over":
            break
        reply = line.press(pressed.format(amount=amount))
    for _ in range(30 if waits else 0):
        if reply.state == "waiting":
            reply = line.wait()
    line.hang_up()
    return line.call_id


def settle(bench: Workbench) -> None:
    for _ in range(6):
        bench.work()
        bench.clock.advance(61)


def outcome(bench: Workbench, call_id: str) -> str:
    call = bench.store.load_call(call_id)
    assert call is not None
    return str(call.call.outcome)


def books_are_equal(bench: Workbench, host: RunningHost, calls: list[str]) -> int:
    """Every payment of these calls is final, charged here and there alike. How many are charged."""
    payments = [payment for call in calls for payment in bench.store.payments_of(call)]
    retrievals = {payment.bank_trace.split(" ")[2]: payment for payment in payments}
    entries = [entry for entry in read_books(host.folder) if entry.reference in retrievals]
    theirs = {entry.reference: entry.amount for entry in entries if entry.outcome == "approved"}
    ours = {key: payment.intent.amount for key, payment in retrievals.items() if payment.status == "approved"}
    assert ours == theirs
    assert all(payment.status in ("approved", "declined", "reversed") for payment in payments)
    return len(ours)


def test_a_caller_pays_by_keypad_and_both_books_say_the_same(bench: Workbench, host: RunningHost):
    call = ring(bench, 1500)
    assert outcome(bench, call) == "paid"
    assert bench.store.entries(f"{call}-1") == ["requested", "approved"]
    assert books_are_equal(bench, host, [call]) == 1


@pytest.mark.parametrize("caller", ["waits", "hangs up", "rings again"])
@pytest.mark.parametrize(
    ("amount", "charges"),
    [(1366, 0), (1367, 0), (1365, 0), (1368, 0), (1369, 0), (1361, 1), (1305, 0)],
    ids=["lost before booking", "lost after", "96 after", "cut mid-answer", "duplicate", "late", "refused"],
)
def test_whatever_the_host_and_the_caller_do_nothing_is_charged_twice_or_lost(
    amount: int, charges: int, caller: str, bench: Workbench, host: RunningHost
):
    calls = [ring(bench, amount, waits=caller == "waits")]
    if caller == "rings again":
        calls.append(ring(bench, 1500))
    settle(bench)
    again = sum(payment.intent.amount.minor == 1500 for call in calls for payment in bench.store.payments_of(call))
    assert books_are_equal(bench, host, calls) == charges + again
    for call in calls:
        paid = any(payment.status == "approved" for payment in bench.store.payments_of(call))
        assert outcome(bench, call) in (("paid", "pending", "hung_up") if paid else ("unpaid", "pending", "hung_up"))
