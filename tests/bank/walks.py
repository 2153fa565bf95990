"""Callers who wait, hang up or ring again at a bank that breaks its answers, and the judgement by both books.

It knows no protocol: a `Walked` says what the bank has taken. `walk_table.py` says what is walked where.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from ivr.bank import Bank
from ivr.calls.assembly import load_flow, vaults_for
from ivr.channels.simulator import Clock, LocalLine
from ivr.core.money import Money
from ivr.store import Bill, Payment
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.walk_table import CALLERS
from tests.benches import ROOT, SAMPLE
from tests.web.process_memory import card_number

KEYS = ("1", "{account}#", "2", "{amount}#", "1", "{card}#", "1230", "123", "94105", "1")
ACCOUNT, OTHER_ACCOUNT = "12345678", "23456789"
SECOND, DAY_S, ROUNDS = 1500, 86_400, 4
_numbers = count(1)


@dataclass(frozen=True)
class Walked:
    """`taken`: what the bank has taken in this walk, minor units of each charge for itself, by its name at the bank; `held`:
    what it only holds. `name`: a payment's name there. `arrive`: what was under way all the time now comes to the bank: how many."""

    bench: Workbench
    taken: Callable[[], Mapping[str, list[int]]]
    held: Callable[[], Mapping[str, list[int]]] = dict
    name: Callable[[Payment], str] = lambda payment: payment.intent.reference
    arrive: Callable[[], int] = lambda: 0


def build(bank: Bank, key: Path, form: str, clock: Clock | None = None) -> Workbench:
    flow, prompts = load_flow(SAMPLE)
    return build_workbench(
        flow,
        prompts,
        key,
        bank,
        ROOT / "config" / "accounts.csv",
        clock or Clock(datetime.now(UTC)),
        vaults=lambda keys, secret: vaults_for(keys, secret, dict.fromkeys(keys, form)),
    )


def key_in(bench: Workbench, amount: int, card: str = "", account: str = ACCOUNT) -> LocalLine:
    """Each from a number of their own, with a card of their own: no limit is reached. Until the bank's answer is waited for."""
    number = next(_numbers)
    line = bench.dial(bench.flow.name, f"+1555{number:07d}")
    reply = line.begin()
    for pressed in KEYS:
        while reply.state == "waiting":
            reply = line.wait()
        if reply.state == "over":
            break
        reply = line.press(pressed.format(account=account, amount=amount, card=card or card_number(number)))
    return line


def wait_it_out(line: LocalLine) -> None:
    for _ in range(30):
        if line.wait().state != "waiting":
            break
    line.hang_up()


def ring(bench: Workbench, amount: int, *, waits: bool = True, card: str = "") -> None:
    line = key_in(bench, amount, card)
    if waits:
        wait_it_out(line)
    line.hang_up()


def settle(bench: Workbench) -> None:
    for _ in range(ROUNDS):
        bench.work()
        if not any(bench.store.outbox_depth().values()):
            return
        bench.clock.advance(61)


def walk(walked: Walked, amount: int, card: str = "") -> int:
    """The fault with each caller, who owes enough for both of their charges. How many requests came last of all."""
    bench, arrived = walked.bench, 0
    for caller in CALLERS:
        owe(bench)
        ring(bench, amount, waits=caller == "waits", card=card)
        if caller == "rings again":
            ring(bench, SECOND)
        arrived += end(walked)
    return arrived


def owe(bench: Workbench) -> None:
    bench.store.renew_bills([Bill(account, Money(9000), Money(500)) for account in (ACCOUNT, OTHER_ACCOUNT)])


def end(walked: Walked) -> int:
    """A day later nothing is repeated any more, and what has never been answered is undone; then the last request arrives."""
    settle(walked.bench)
    walked.bench.clock.advance(DAY_S)
    settle(walked.bench)
    arrived = walked.arrive()
    settle(walked.bench)
    return arrived


def judge(walked: Walked) -> Counter[str]:
    """Every charge is final, and in both books alike: once here, once there, or in neither; nobody was told otherwise.

    How many ended so.
    """
    calls = [stored.call for stored in walked.bench.store.latest_calls(1000)]
    payments = {call.id: walked.bench.store.payments_of(call.id) for call in calls}
    flat = [one for paid in payments.values() for one in paid]
    ended = Counter(one.status for one in flat)
    assert set(ended) <= {"approved", "declined", "reversed", "not_sent"}, ended
    ours = {walked.name(one): [one.intent.amount.minor] for one in flat if one.status == "approved"}
    assert ours == walked.taken()
    assert not walked.held()
    for call in calls:
        is_paid = any(one.status == "approved" for one in payments[call.id])
        assert call.outcome != ("unpaid" if is_paid else "paid"), (call.id, payments[call.id])
    return ended


def since(before: Mapping[str, list[int]], now: Mapping[str, list[int]]) -> Mapping[str, list[int]]:
    """What has come to a bank's books in this walk."""
    return {name: charges for name, charges in now.items() if name not in before}
