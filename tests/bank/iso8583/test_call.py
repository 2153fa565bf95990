"""A caller's keypad payment at an ISO 8583 host over TLS. `test_walks.py` has the hosts that break their answers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count

import pytest
from sqlalchemy import text

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


def ring(bench: Workbench, amount: int) -> str:
    """The call's id."""
    line = bench.dial(bench.flow.name, "+15550100")
    reply = line.begin()
    for pressed in KEYS:
        while reply.state == "waiting":
            reply = line.wait()
        if reply.state == "over":
            break
        reply = line.press(pressed.format(amount=amount))
    for _ in range(30):
        if reply.state == "waiting":
            reply = line.wait()
    line.hang_up()
    return line.call_id


def outcome(bench: Workbench, call_id: str) -> str:
    call = bench.store.load_call(call_id)
    assert call is not None
    return str(call.call.outcome)


def test_a_caller_pays_by_keypad_and_both_books_say_the_same(bench: Workbench, host: RunningHost):
    call = ring(bench, 1500)
    assert outcome(bench, call) == "paid"
    assert bench.store.entries(f"{call}-1") == ["requested", "approved"]
    [payment] = bench.store.payments_of(call)
    entry = host.entry(payment.bank_trace)
    assert entry is not None
    assert (entry.outcome, entry.amount) == ("approved", payment.intent.amount)
