"""What the forwarder makes of silence follows from what a bank promises: every cell, with the bank's own books as judge.

The simulator keeps all of our protocol's promises, so each way to the truth can be walked by promising less than it
keeps.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank import AuthorizationRequest, BankAnswer, Promises, after_silence, all_promises, promises_table
from ivr.bank import after_silent_modification as after_silence_of_modification
from ivr.bank.promises import DAY_S
from ivr.bank.tonetill import PROMISES, TonetillBank
from ivr.channels.simulator import Clock
from ivr.places import SHIPPED as ROOT
from ivr.store import Store
from tests.bank_process import BankKeys, RunningBank
from tests.forwarder.test_bank import begin, settle

NOTHING = replace(PROMISES, inquires=False, repeats_s=0.0, undo="no")
ALONE = {
    "inquire": replace(PROMISES, repeats_s=0.0),
    "repeat": replace(NOTHING, repeats_s=DAY_S),
    "undo": replace(NOTHING, undo="also before arrival"),
}
ENDS = {
    ("inquire", "before"): "reversed",
    ("inquire", "after"): "approved",
    ("repeat", "before"): "approved",
    ("repeat", "after"): "approved",
    ("undo", "before"): "reversed",
    ("undo", "after"): "reversed",
}


class LosingLine(TonetillBank):
    """The line to the bank loses the first request, before or after it has reached the bank; every later one arrives."""

    def __init__(self, settings, promises: Promises, moment: str) -> None:
        super().__init__(settings)
        self.promises, self.moment = promises, moment
        self.asked: list[str] = []

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        self.asked.append("authorize")
        if len(self.asked) > 1:
            return super().authorize(request)
        if self.moment == "after":
            super().authorize(request)
        return BankAnswer("unknown", request.reference, reason="lost")

    def inquire(self, reference: str) -> BankAnswer:
        self.asked.append("inquire")
        return super().inquire(reference)

    def reverse(self, reference: str) -> BankAnswer:
        self.asked.append("reverse")
        return super().reverse(reference)


class AwayOnce(LosingLine):
    """The answer to the first request is lost, and the second does not leave."""

    def authorize(self, request: AuthorizationRequest) -> BankAnswer:
        if len(self.asked) == 1:
            self.asked.append("authorize")
            return BankAnswer("not_sent", request.reference, reason="away")
        return super().authorize(request)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.now(UTC))


@pytest.mark.parametrize(("way", "moment"), list(ENDS))
def test_a_lost_answer_is_found_by_what_is_promised(
    way: str, moment: str, store: Store, bank_keys: BankKeys, bank_process: RunningBank, clock: Clock
):
    reference = begin(store, bank_keys, 4250, clock())
    with LosingLine(bank_process.settings, ALONE[way], moment) as bank:
        settle(store, bank, clock)
    end = ENDS[way, moment]
    undone = ["undo_asked"] if end == "reversed" else []
    assert store.entries(reference) == ["requested", "unknown", *undone, end]
    entry = bank_process.entry(reference)
    assert (entry is not None and entry.outcome == "approved") == (ENDS[way, moment] == "approved")
    assert bank.asked[1] == {"repeat": "authorize", "undo": "reverse"}.get(way, way)


def test_a_repeated_request_that_does_not_leave_says_nothing_of_the_first(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, clock: Clock
):
    reference = begin(store, bank_keys, 4250, clock())
    with AwayOnce(bank_process.settings, ALONE["repeat"], "after") as bank:
        settle(store, bank, clock)
    assert store.entries(reference) == ["requested", "unknown", "approved"]


def test_sealed_fields_are_kept_for_the_repeat_and_gone_with_its_answer(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, clock: Clock
):
    reference = begin(store, bank_keys, 4250, clock())
    with LosingLine(bank_process.settings, ALONE["repeat"], "before") as bank:
        settle(store, bank, clock)
    assert store.entries(reference)[-1] == "approved"
    assert not store.sealed_sizes(reference)


def test_after_the_promised_time_the_charge_is_undone_and_not_repeated(
    store: Store, bank_keys: BankKeys, bank_process: RunningBank, clock: Clock
):
    promises = replace(ALONE["repeat"], undo="also before arrival")
    reference = begin(store, bank_keys, 4250, clock() - timedelta(seconds=DAY_S))
    with LosingLine(bank_process.settings, promises, "after") as bank:
        settle(store, bank, clock)
    assert bank.asked == ["authorize", "reverse"]
    assert store.entries(reference)[-1] == "reversed"


def test_what_is_asked_follows_from_promises_alone():
    assert after_silence(PROMISES, 0.0) == "inquire"
    assert after_silence(ALONE["repeat"], DAY_S - 1) == "repeat"
    assert after_silence(ALONE["repeat"], DAY_S) == "nothing"
    assert after_silence(ALONE["undo"], 0.0) == "undo"
    # The charge was begun by a node whose clock is ahead of ours: no reason to send it to a bank that keeps no keys.
    assert after_silence(ALONE["undo"], -3600.0) == "undo"
    assert after_silence_of_modification(ALONE["inquire"], -3600.0) == "inquire"


def test_no_name_of_a_protocol_stands_in_the_forwarder():
    names = [name for name, _ in all_promises()]
    for file in (ROOT / "ivr" / "forwarder").glob("*.py"):
        text = file.read_text(encoding="utf-8").replace("tonetill_", "")
        assert not [name for name in names if name in text.lower()], file.name


def test_the_table_in_the_docs_is_the_one_in_the_code():
    money = Path(ROOT / "docs" / "money.md").read_text(encoding="utf-8")
    assert promises_table(all_promises()) in money
