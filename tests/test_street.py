"""Random callers, a random bank: every bill is charged what was due and no more, every ending and every promise is true."""

import re
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection

from ivr.store import AttemptLimits, DueNow, OverLimit, PaymentIntent, Store, memory_store
from ivr.store.ledger import attempter_of
from ivr.store.limits import limit_reached
from ivr.store.sealed import Staged
from tests.street import Street, Untrue, judge

CALLS = 120
SEEDS = (3, 4, 5)
ODD_MOMENTS = ("payment_in_progress", "nothing_due", "bank_not_reached", "bill_not_reached")
OVERPAID = r"owed ([\d.]+) USD, and ([\d.]+) USD was charged"


class BlindStore(Store):
    """A charge begins as it used to: within the limits, without a look at what is due or at other charges of the bill."""

    def _refusal(
        self,
        connection: Connection,
        intent: PaymentIntent,
        staged: Staged,
        limits: AttemptLimits,
        now,
        due: DueNow | None,
    ) -> OverLimit | PaymentIntent:
        return limit_reached(connection, attempter_of(intent, staged.fingerprint), limits, now) or intent

    def is_being_paid(self, source: str, key: str, call: str = "") -> bool:
        return False


def test_every_bill_ending_promise_and_text_is_true(sealing_key: Path, tmp_path: Path):
    heard: Counter[str] = Counter()
    for seed in SEEDS:
        street = Street(seed, memory_store(), sealing_key, tmp_path / f"accounts-{seed}.csv")
        street.run(CALLS)
        report = judge(street)
        assert report.charged.minor == sum(street.due.values())
        heard += report.heard
    # The runs are worth nothing where no callers meet, ring again, wait in vain and come too late.
    assert min(heard[prompt] for prompt in ODD_MOMENTS) >= 1


def test_the_same_callers_pay_twice_where_a_charge_does_not_look_at_its_bill(sealing_key: Path, tmp_path: Path):
    street = Street(SEEDS[0], BlindStore(memory_store()._database), sealing_key, tmp_path / "accounts.csv")
    street.run(CALLS)
    with pytest.raises(Untrue, match=OVERPAID) as found:
        judge(street)
    owed, charged = re.findall(OVERPAID, str(found.value))[0]
    assert float(charged) > float(owed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_ten_thousand_calls_are_true(seed: int, sealing_key: Path, tmp_path: Path):
    street = Street(seed, memory_store(), sealing_key, tmp_path / "accounts.csv")
    street.run(1000)
    judge(street)
