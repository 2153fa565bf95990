"""The bank simulator as Adyen: payments, captures, cancels, refunds and notifications, with every fault, judged by its own books."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from ivr.bank import ModificationRequest
from ivr.bank.adyen import AdyenBank, AdyenSettings
from ivr.bank.simulator import BY_NAME, BankSimulator, BookEntry, read_books
from ivr.bank.simulator.adyen_host import AdyenHost
from ivr.bank.simulator.modification_books import read_modifications
from ivr.bank.simulator.scenarios import Chances, SimulatorWays
from ivr.calls.bank_news import BankNewsIntake
from ivr.channels.simulator import Clock
from ivr.core.money import Money
from ivr.store import Accepted, AttemptLimits, SealedField, Store
from ivr.vault import Vault
from tests.bank.adyen.running import request_of, sealed_card
from tests.bank.adyen.test_ledger import work
from tests.bank_process import BankKeys
from tests.billing_endpoints import billing_server
from tests.leaks import leaks_in, leaks_in_files
from tests.store.payments import intent

CHARGED = ["unknown", "approved", "capture_asked"]
ENDS = {
    "approval": ["approved", "capture_asked"],
    "insufficient_funds": ["declined"],
    "expired_card": ["declined"],
    "slow": ["approved", "capture_asked"],
    "late": ["approved", "capture_asked"],
    **dict.fromkeys(("silent_before", "silent_after", "error_before", "error_after"), CHARGED),
    **dict.fromkeys(("closed_before", "closed_after", "garbled_after", "duplicate"), CHARGED),
}


@dataclass(frozen=True)
class SimulatedAdyen:
    host: AdyenHost
    folder: Path
    keys: BankKeys

    def bank(self, read_timeout: str = "20s") -> AdyenBank:
        return AdyenBank(self.settings(read_timeout), self.host.account.api_key)

    def settings(self, read_timeout: str = "20s") -> AdyenSettings:
        written = {
            "url": self.host.url,
            "merchant_account": self.host.account.merchant_account,
            "sealing_key": str(self.host.account.public_key),
            "ca": str(self.keys.keys / "bank-ca.crt"),
            "connect_timeout": "20s",
            "read_timeout": read_timeout,
        }
        return AdyenSettings.model_validate(written).below(self.folder)

    def vault(self) -> Vault:
        return Vault(self.host.account.public_key, bytes(32), "adyen")

    def begin(self, store: Store, minor: int) -> str:
        wanted, now = intent(f"CA{uuid4().hex}-1", minor=minor, caller=uuid4().hex), datetime.now(UTC)
        for field, seal in sealed_card(self.vault(), wanted.reference).items():
            store.stage_sealed(SealedField(wanted.reference, field, seal, wanted.reference[:60]), now)
        assert store.begin_payment(wanted, AttemptLimits(), now) == Accepted()
        return wanted.reference

    def booked(self, reference: str) -> list[BookEntry]:
        theirs = reference.replace("-", ".")
        return [one for one in read_books(self.folder) if one.reference.partition("#")[0] == theirs]

    def captured(self, reference: str) -> int:
        theirs = reference.replace("-", ".")
        found = read_modifications(self.folder / "books.db")
        return sum(one.amount.minor for one in found if (one.reference, one.kind) == (theirs, "capture"))

    def news(self, reference: str) -> list[bytes]:
        return [one for one in self.host.news.told if reference.replace("-", ".").encode() in one]

    def tell(self, store: Store, reference: str, times: int = 1) -> None:
        intake = BankNewsIntake(
            store,
            {"acme_bank": self.settings()},
            {"ACME_BANK_HMAC_KEY": self.host.account.hmac_key},
            tell_billing=False,
        )
        for content in self.news(reference):
            for _ in range(times):
                intake.take("acme_bank", content, datetime.now(UTC))


@contextmanager
def running(keys: BankKeys, folder: Path, ways: SimulatorWays, notify: str = "") -> Iterator[SimulatedAdyen]:
    shutil.copytree(keys.bank, folder, dirs_exist_ok=True)
    with BankSimulator(folder, ways=ways, adyen_port=0, adyen_notify=notify) as simulator:
        yield SimulatedAdyen(simulator.adyen, folder, keys)


@pytest.fixture(scope="module")
def simulated(bank_keys: BankKeys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedAdyen]:
    with running(bank_keys, tmp_path_factory.mktemp("as-adyen"), SimulatorWays(0.05)) as one:
        yield one


def amount_of(name: str) -> int:
    return BY_NAME[name].amount_minor if name in BY_NAME else 4250


def test_whatever_becomes_of_the_answer_there_is_one_charge_or_none(store: Store, simulated: SimulatedAdyen):
    references = {name: simulated.begin(store, amount_of(name)) for name in ENDS}
    with simulated.bank("1s") as bank:
        work(store, bank, Clock(datetime.now(UTC)))
    for name, reference in references.items():
        assert store.entries(reference)[1:] == ENDS[name], name
        is_charged = ENDS[name][-1] == "capture_asked"
        assert [one.outcome for one in simulated.booked(reference)] == ["approved" if is_charged else "declined"], name
        assert simulated.captured(reference) == (amount_of(name) if is_charged else 0)
        assert not store.sealed_sizes(reference)


def test_with_another_key_at_the_repeat_the_same_walk_finds_two_charges(
    store: Store, simulated: SimulatedAdyen, monkeypatch: pytest.MonkeyPatch
):
    keys = iter(range(100))
    monkeypatch.setattr("ivr.bank.adyen.client.key_of", lambda key: f"{key}-{next(keys)}")
    reference = simulated.begin(store, amount_of("closed_after"))
    with simulated.bank() as bank:
        work(store, bank, Clock(datetime.now(UTC)), rounds=3)
    assert len(simulated.booked(reference)) > 1


def test_notifications_are_signed_and_move_the_ledger_once_however_often_they_come(
    store: Store, simulated: SimulatedAdyen
):
    reference = simulated.begin(store, 4250)
    with simulated.bank() as bank:
        work(store, bank, Clock(datetime.now(UTC)))
    simulated.tell(store, reference, times=3)
    assert store.entries(reference) == ["requested", "approved", "capture_asked", "captured"]


def test_they_are_posted_until_they_are_acknowledged_and_twice_where_that_is_asked_for(
    bank_keys: BankKeys, tmp_path: Path
):
    with billing_server() as receiver:
        ways = SimulatorWays(0.05, twice=True)
        with running(bank_keys, tmp_path / "twice", ways, receiver.url) as one, one.bank() as bank:
            reference = f"CA{uuid4().hex}-1"
            assert bank.authorize(request_of(one.vault(), reference)).outcome == "approved"
            receiver.until(lambda: len(receiver.notices) >= 2)
        first, second = (json.loads(request.body) for request in receiver.notices[:2])
        assert first == second
        assert first["notificationItems"][0]["NotificationRequestItem"]["eventCode"] == "AUTHORISATION"


def test_a_payment_is_captured_refunded_and_no_more_than_once(simulated: SimulatedAdyen):
    reference = f"CA{uuid4().hex}-1"
    with simulated.bank() as bank:
        answer = bank.authorize(request_of(simulated.vault(), reference))
        psp = answer.bank_reference or ""
        assert [bank.capture(reference, psp, Money(4250)).outcome for _ in range(2)] == ["capturing"] * 2
        for number, minor in ((1, 4000), (1, 4000), (2, 1000)):
            key = f"{reference}-m{number}"
            wanted = ModificationRequest("refund", reference, key, Money(minor), Money(4250), psp)
            assert bank.modify(wanted).outcome == "taken"
    theirs = reference.replace("-", ".")
    refunds = [one for one in read_modifications(simulated.folder / "books.db") if one.reference == theirs]
    assert [(one.kind, one.outcome) for one in refunds] == [
        ("capture", "done"),
        ("refund", "done"),
        ("refund", "refused"),
    ]
    said = [json.loads(one)["notificationItems"][0]["NotificationRequestItem"] for one in simulated.news(reference)]
    told = [(one["eventCode"], one["success"]) for one in said]
    assert told == [("AUTHORISATION", "true"), ("CAPTURE", "true"), ("REFUND", "true"), ("REFUND", "false")]


def test_a_cancel_by_our_reference_takes_back_what_has_arrived_and_blocks_nothing(simulated: SimulatedAdyen):
    here, never = (f"CA{uuid4().hex}-1" for _ in range(2))
    with simulated.bank() as bank:
        bank.authorize(request_of(simulated.vault(), here))
        assert [bank.reverse(one).outcome for one in (here, never)] == ["undoing"] * 2
        assert bank.authorize(request_of(simulated.vault(), never)).outcome == "approved"
    assert [one.outcome for one in simulated.booked(here)] == ["reversed"]
    assert b'"false"' in simulated.news(never)[0]


def test_a_part_is_approved_where_that_was_asked_for_and_otherwise_nothing(simulated: SimulatedAdyen):
    part, whole = f"CA{uuid4().hex}-1", f"CA{uuid4().hex}-1"
    minor = BY_NAME["partial"].amount_minor
    with simulated.bank() as bank:
        answer = bank.authorize(replace(request_of(simulated.vault(), part, minor), takes_part=True))
        assert bank.authorize(request_of(simulated.vault(), whole, minor)).outcome == "declined"
    assert (answer.response_code, [one.minor for one in answer.amounts]) == ("10", [minor * 2 // 3])


def test_a_stranger_and_a_card_sealed_for_another_bank_are_refused(simulated: SimulatedAdyen, bank_keys: BankKeys):
    reference = f"CA{uuid4().hex}-1"
    with AdyenBank(simulated.settings(), "AQEnobody") as bank:
        assert bank.authorize(request_of(simulated.vault(), reference)).outcome == "not_sent"
    with simulated.bank() as bank:
        good = request_of(simulated.vault(), reference)
        swapped = dict(good.sealed) | {"card_number": good.sealed["security_code"]}
        object.__setattr__(good, "sealed", swapped)
        assert bank.authorize(good).outcome == "not_sent"
    assert simulated.booked(reference) == []


def test_faults_by_chance_are_the_same_for_the_same_seed(bank_keys: BankKeys, tmp_path: Path):
    outcomes = []
    for run in ("a", "b"):
        with running(bank_keys, tmp_path / run, SimulatorWays(0.01, choose=Chances(0.6, 3))) as one:
            with one.bank("1s") as bank:
                asked = [bank.authorize(request_of(one.vault(), f"CA{number}-1")) for number in range(4)]
            outcomes.append([answer.outcome for answer in asked])
    assert outcomes[0] == outcomes[1]
    assert "unknown" in outcomes[0]


def test_no_card_is_left_with_it(simulated: SimulatedAdyen, capfd: pytest.CaptureFixture[str]):
    with simulated.bank() as bank:
        bank.authorize(request_of(simulated.vault(), f"CA{uuid4().hex}-1"))
    out, err = capfd.readouterr()
    pans = ["4111111111111111"]
    assert leaks_in((out + err).encode(), pans) == leaks_in_files(simulated.folder, pans) == []
