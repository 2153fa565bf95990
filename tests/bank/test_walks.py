"""Callers who wait, hang up or ring again, at banks whose answers break in every way: nothing is charged twice, and nothing is lost.

The protocols over HTTPS whose simulator breaks the line itself; `tests/bank/iso8583/test_call.py` walks ISO 8583, and
`tests/bank/stripe` localstripe. All are judged by the bank's books. With a promise that the bank does not keep, the same walk fails.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from ivr.bank import Bank, BankAnswer
from ivr.bank.simulator import BY_NAME, BankSimulator, read_books
from ivr.bank.simulator.scenarios import SimulatorWays
from ivr.bank.tonetill import PROMISES, TonetillBank
from ivr.calls.assembly import load_flow, vaults_for
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.store import Bill
from ivr.testing.quiet import quiet
from ivr.testing.workbench import Workbench, build_workbench
from tests.bank.adyen.test_simulator import running as running_adyen
from tests.bank_process import BankKeys, bank_keys
from tests.benches import ROOT, SAMPLE
from tests.web.process_memory import card_number

__all__ = ["bank_keys"]
# Lost before and after booking; twice and in progress (409, at Adyen 422); late; cut in the middle of an answer; 500; none at all.
FAULTS = (
    "closed_before",
    "closed_after",
    "error_before",
    "error_after",
    "garbled_after",
    "duplicate",
    "late",
    "silent_after",
)
CALLERS = ("waits", "hangs up", "rings again")
KEYS = ("1", "12345678#", "2", "{amount}#", "1", "{card}#", "1230", "123", "94105", "1")
SECOND, DAY_S = 1500, 86_400
_numbers = count(1)


@dataclass(frozen=True)
class Walked:
    """`booked`: what the bank holds or has taken, by our reference, each charge for itself."""

    bench: Workbench
    booked: Callable[[], Mapping[str, list[int]]]


@contextmanager
def at_tonetill(keys: BankKeys, folder: Path, lying: bool = False) -> Iterator[Walked]:
    kind = LyingBank if lying else TonetillBank
    with running_plain(keys, folder) as simulator, kind(keys.settings(simulator.url, read_timeout="500ms")) as bank:
        yield Walked(build(bank, keys.keys / "bank-sealing.crt", "tonetill"), lambda: booked_in(folder))


@contextmanager
def running_plain(keys: BankKeys, folder: Path) -> Iterator[BankSimulator]:
    shutil.copytree(keys.bank, folder, dirs_exist_ok=True)
    with BankSimulator(folder, ways=SimulatorWays(0.02)) as simulator:
        yield simulator


@contextmanager
def at_adyen(keys: BankKeys, folder: Path) -> Iterator[Walked]:
    with running_adyen(keys, folder, SimulatorWays(0.02)) as adyen, adyen.bank("500ms") as bank:
        yield Walked(build(bank, adyen.host.account.public_key, "adyen"), lambda: booked_in(folder))


BANKS = {"tonetill": at_tonetill, "adyen": at_adyen}


class LyingBank(TonetillBank):
    """Promises that it takes anything back, says that it has, and has not."""

    promises = replace(PROMISES, inquires=False, repeats_s=0.0, undo="also before arrival")

    def reverse(self, reference: str) -> BankAnswer:
        return BankAnswer("reversed", reference, "00")


def booked_in(folder: Path) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for one in read_books(folder):
        if one.outcome == "approved" and one.amount is not None:
            found.setdefault(one.reference.partition("#")[0].replace(".", "-"), []).append(one.amount.minor)
    return found


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


def ring(bench: Workbench, amount: int, *, waits: bool = True) -> None:
    """Each from a number of their own, with a card of their own: no limit is reached."""
    number = next(_numbers)
    line = bench.dial(bench.flow.name, f"+1555{number:07d}")
    reply = line.begin()
    for pressed in KEYS:
        while reply.state == "waiting":
            reply = line.wait()
        if reply.state == "over":
            return
        reply = line.press(pressed.format(amount=amount, card=card_number(number)))
    for _ in range(30 if waits else 0):
        if reply.state == "waiting":
            reply = line.wait()
    line.hang_up()


def walk(bench: Workbench, faults: tuple[str, ...] = FAULTS) -> None:
    """Each fault with each caller, who owes enough for both of their charges."""
    for fault in faults:
        for caller in CALLERS:
            bench.store.renew_bills([Bill("12345678", Money(9000), Money(500))])
            ring(bench, BY_NAME[fault].amount_minor, waits=caller == "waits")
            if caller == "rings again":
                ring(bench, SECOND)
            for _ in range(4):
                bench.work()
                bench.clock.advance(61)
        bench.clock.advance(DAY_S)  # the account's failed attempts count no longer


def judge(walked: Walked) -> Counter[str]:
    """Every charge is final, and in both books alike: once here, once there, or in neither. How many ended so."""
    calls = walked.bench.store.latest_calls(1000)
    payments = [one for call in calls for one in walked.bench.store.payments_of(call.call.id)]
    booked = walked.booked()
    ended = Counter(one.status for one in payments)
    assert set(ended) <= {"approved", "declined", "reversed", "not_sent"}, ended
    ours = {one.intent.reference: [one.intent.amount.minor] for one in payments if one.status == "approved"}
    assert ours == booked
    return ended


@pytest.mark.parametrize("bank", BANKS)
def test_whatever_the_bank_and_the_caller_do_nothing_is_charged_twice_or_lost(
    bank: str, bank_keys: BankKeys, tmp_path: Path
):
    with quiet(), BANKS[bank](bank_keys, tmp_path / "bank") as walked:
        walk(walked.bench)
        ended = judge(walked)
    assert sum(ended.values()) >= len(FAULTS) * len(CALLERS)
    assert ended["approved"] >= len(CALLERS)


def test_with_keys_that_are_not_kept_the_same_walk_finds_what_was_charged_twice(
    bank_keys: BankKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    keys = count(1)
    monkeypatch.setattr("ivr.bank.adyen.client.key_of", lambda key: f"{key[:40]}-{next(keys)}")
    with quiet(), at_adyen(bank_keys, tmp_path / "bank") as walked:
        walk(walked.bench, ("closed_after",))
        with pytest.raises(AssertionError):
            judge(walked)


def test_with_a_reversal_that_is_said_and_not_done_the_same_walk_finds_what_nobody_was_told_of(
    bank_keys: BankKeys, tmp_path: Path
):
    with quiet(), at_tonetill(bank_keys, tmp_path / "bank", lying=True) as walked:
        walk(walked.bench, ("closed_after",))
        with pytest.raises(AssertionError):
            judge(walked)
