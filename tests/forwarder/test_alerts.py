"""Alerts: raised once, over once, and told to whoever is to know; each by what can be wrong with a line."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ivr import metrics
from ivr.calls.alert_settings import KINDS, alert_receivers, alert_thresholds, what_raises
from ivr.calls.bank_keys import KeyEnd
from ivr.core.call import ChargeStatus
from ivr.errors import ConfigError
from ivr.forwarder.alerts import AlertWatch, GrowthCounter
from ivr.settings import load_settings
from ivr.store import NOTICE_KINDS, AlertReceivers, BankWord, FollowUp, Store, open_store
from tests.store.databases import make_empty
from tests.store.payments import NOW, begin

OPS = AlertReceivers(("ops@example.com", "boss@example.com"), "Example Water")
TAG = "a-tag-of-six-digits"[:16]
SHIPPED = alert_thresholds(load_settings({}))


@dataclass
class Watched:
    """A line, a clock that a test moves, and what its machine would say of itself."""

    store: Store
    at: datetime = NOW
    counts: dict[str, float] = field(default_factory=dict)
    free: float = 50.0
    ends: list[KeyEnd] = field(default_factory=list)
    charges: int = 0

    def __post_init__(self) -> None:
        self.watch = self.watch_on("node-1")

    def watch_on(self, machine: str) -> AlertWatch:
        return AlertWatch(
            *(self.store, SHIPPED, OPS, machine, Path("var"), lambda: self.ends, lambda: self.at),
            count=lambda _, label: self.counts.get(label, 0.0),
            free_percent=lambda _: self.free,
        )

    def passes(self, **span: float) -> None:
        self.at += timedelta(**span)

    def charge(
        self,
        status: ChargeStatus | None,
        *,
        caller: str = "",
        block: str = "",
        line: str = "",
        card: str = "",
        bin_tag: str = "",
    ) -> None:
        """One that ended so; None: without an answer."""
        self.charges += 1
        reference = f"CA{self.charges}-1"
        of_card = {"card": card or reference, "bin_tag": bin_tag}
        begin(self.store, reference, caller=caller, block=block, line=line, now=self.at, **of_card)
        job = self.store.claim(self.at, 60)
        while job is not None and job.reference != reference:
            job = self.store.claim(self.at, 60)
        assert job is not None
        self.store.mark_sent(job)
        if status is not None:
            assert self.store.record(job, status, self.at, BankWord(response_code="05"), FollowUp())

    def reverse(self) -> None:
        """The charge that is without an answer."""
        self.passes(minutes=2)
        job = self.store.claim(self.at, 60)
        while job is not None and job.reference != f"CA{self.charges}-1":
            job = self.store.claim(self.at, 60)
        assert job is not None
        assert self.store.record(job, "reversed", self.at, BankWord(), FollowUp())

    def standing(self) -> list[str]:
        self.watch.look()
        return sorted(one.kind for one in self.store.alerts(50))

    def emails(self) -> list[str]:
        found = []
        while job := self.store.claim(self.at, 60):
            message = self.store.text_message(job.reference)
            if message is not None and message.way == "email":
                found.append(f"{message.recipient}: {message.subject}")
            self.store.finish(job)
        return found


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    url = f"sqlite:///{tmp_path}/line.db"
    make_empty(url)
    return Watched(open_store(url, tells=NOTICE_KINDS))


def test_a_line_with_nothing_wrong_raises_nothing(watched: Watched):
    for _ in range(30):
        watched.charge("approved")
    watched.charge("declined")
    assert watched.standing() == []


def test_a_bank_that_answers_nothing_is_told_once_until_it_is_over(watched: Watched):
    for _ in range(3):
        watched.charge(None)
    watched.passes(minutes=2)
    assert watched.standing() == ["bank_silent"]
    (alert,) = watched.store.alerts(5)
    assert "bank check acme_bank" in alert.words
    for _ in range(5):
        watched.passes(minutes=1)
        watched.watch.look()
    watched.watch_on("node-2").look()
    assert len(watched.store.alerts(50, also_over=True)) == 1
    watched.passes(minutes=10)
    watched.charge("approved")
    watched.watch.look()
    assert len(watched.store.alerts(5)) == 1  # it may come back: it is over when it has not for a while
    watched.passes(minutes=16)
    assert watched.standing() == []
    assert watched.store.alerts(5, also_over=True)[0].ended_at == watched.at
    assert [event.what for event in watched.store.audit_events(2)] == ["alert over", "alert raised"]


def test_a_bank_that_answers_some_is_not_silent(watched: Watched):
    for status in (None, None, None, "declined"):
        watched.charge(status)  # type: ignore[arg-type]
    watched.passes(minutes=2)
    assert watched.standing() == []


def test_whoever_is_to_know_gets_an_e_mail_and_a_notice_at_both_ends(watched: Watched):
    watched.free = 4.9
    watched.watch.look()
    assert watched.emails() == [
        "boss@example.com: Alert: disk, Example Water",
        "ops@example.com: Alert: disk, Example Water",
    ]
    watched.free = 50.0
    watched.passes(minutes=16)
    watched.watch.look()
    assert [one.partition(": ")[2] for one in watched.emails()] == ["Over: disk, Example Water"] * 2
    raised, over = watched.store.merchant_notices(5, also_sent=True)
    assert (raised.kind, over.kind) == ("alert.raised", "alert.over")
    assert '"kind":"disk"' in raised.body
    assert '"alert":1,' in raised.body
    assert '"alert":1,' in over.body


def test_charges_without_an_outcome_grow_into_an_alert(watched: Watched):
    for _ in range(4):
        watched.charge("unknown")
    assert watched.standing() == []
    watched.charge("unknown")
    assert watched.standing() == ["unknown_growing"]


@pytest.mark.parametrize(("declined", "approved", "raised"), [(12, 8, True), (11, 9, False), (11, 0, False)])
def test_a_ratio_of_declines_counts_from_twenty_answers_on(
    watched: Watched, declined: int, approved: int, raised: bool
):
    for _ in range(declined):
        watched.charge("declined")
    for _ in range(approved):
        watched.charge("approved")
    assert ("declines" in watched.standing()) is raised


def test_cards_tried_by_one_caller_are_told_without_the_callers_number(watched: Watched):
    for _ in range(5):
        watched.charge("declined", caller="hash-of-a-caller")
    assert "card_testing" in watched.standing()
    told = [one for one in watched.store.alerts(5) if one.about.startswith("caller")]
    assert len(told) == 1
    assert "5 different cards" in told[0].words
    assert "hash-of-a" not in f"{told[0].about}{told[0].words}"


def test_one_card_tried_again_and_again_is_no_card_testing(watched: Watched):
    for _ in range(6):
        watched.charge("declined", caller=f"caller {watched.charges}", card="the same")
    assert watched.standing() == []


def test_cards_tried_from_numbers_that_begin_alike_are_told_and_the_numbers_are_not(watched: Watched):
    for number in range(15):
        watched.charge("declined", caller=f"caller {number % 4}", block="hash-of-a-block")
    watched.watch.look()
    (told,) = [one for one in watched.store.alerts(5) if one.kind == "card_testing_block"]
    assert "15 different cards were declined in an hour from 4 numbers that begin alike" in told.words
    assert "hash-of-a" not in f"{told.about}{told.words}"


def test_one_caller_is_no_block_of_callers(watched: Watched):
    for _ in range(15):
        watched.charge("declined", caller="one", block="hash-of-a-block")
    assert "card_testing_block" not in watched.standing()


def test_cards_tried_on_a_line_by_many_callers_are_told(watched: Watched):
    for number in range(30):
        watched.charge("declined", caller=f"caller {number}", line="pay-a-bill +15550100")
        watched.charge("approved", caller=f"payer {number}", line="pay-a-bill +15550100")
    assert "card_testing_line" in watched.standing()
    watched.passes(minutes=61)
    watched.watch.look()
    watched.passes(minutes=15)
    assert watched.standing() == []


@pytest.mark.parametrize(
    ("declined", "approved", "raised"), [(15, 0, True), (14, 0, False), (15, 6, True), (15, 7, False), (21, 9, True)]
)
def test_cards_that_begin_alike_are_told_where_most_of_them_are_declined(
    watched: Watched, declined: int, approved: int, raised: bool
):
    for number in range(declined):
        watched.charge("declined", caller=f"caller {number}", bin_tag=TAG)
    for number in range(approved):
        watched.charge("approved", caller=f"payer {number}", bin_tag=TAG)
    assert ("card_testing_bin" in watched.standing()) is raised


def test_an_alert_of_cards_that_begin_alike_says_how_many_and_names_no_tag(watched: Watched):
    for number in range(16):
        watched.charge("declined", caller=f"caller {number}", bin_tag=TAG)
        watched.charge("declined" if number % 4 == 0 else "approved", caller=f"payer {number}", bin_tag=f"tag {number}")
    watched.charge("approved", bin_tag=TAG)
    watched.watch.look()
    (told,) = [one for one in watched.store.alerts(5) if one.kind == "card_testing_bin"]
    assert "16 of 17 different cards that begin with the same six digits were declined in an hour" in told.words
    assert "-1, and " in told.words  # names one of the charges
    assert TAG not in f"{told.about}{told.words}"
    watched.passes(minutes=61)
    watched.watch.look()
    watched.passes(minutes=15)
    assert watched.standing() == []


def test_a_card_of_a_bin_counts_once_however_often_it_is_tried(watched: Watched):
    for number in range(45):
        watched.charge("declined", caller=f"caller {number}", card=f"card {number % 14}", bin_tag=TAG)
    assert "card_testing_bin" not in watched.standing()
    watched.charge("declined", caller="one more", bin_tag=TAG)
    assert "card_testing_bin" in watched.standing()


def test_a_card_that_its_bank_approves_in_the_end_is_not_a_declined_one(watched: Watched):
    for number in range(15):
        watched.charge("declined", caller=f"caller {number}", card=f"card {number}", bin_tag=TAG)
    watched.charge("approved", caller="caller 3", card="card 3", bin_tag=TAG)
    assert "card_testing_bin" not in watched.standing()


@pytest.mark.parametrize("status", ["not_sent", "unknown", "reversed", None])
def test_only_the_banks_own_decline_counts_for_a_bin(watched: Watched, status: ChargeStatus | None):
    for number in range(14):
        watched.charge("declined", caller=f"caller {number}", bin_tag=TAG)
        if status == "reversed":
            watched.charge("unknown", caller=f"other {number}", bin_tag=TAG)
            watched.reverse()
        else:
            watched.charge(status, caller=f"other {number}", bin_tag=TAG)
    assert "card_testing_bin" not in watched.standing()
    watched.charge("declined", caller="one more", bin_tag=TAG)
    assert "card_testing_bin" in watched.standing()  # and what has no answer lowers no share


def test_cards_of_which_no_beginning_is_known_are_of_no_bin(watched: Watched):
    """Charges of an older version, and cards that a bank keeps."""
    for number in range(20):
        watched.charge("declined", caller=f"caller {number}")
    assert "card_testing_bin" not in watched.standing()


@pytest.mark.parametrize("name", ["ALERT_BIN_CARDS", "ALERT_BIN_PERCENT"])
def test_either_setting_at_nought_switches_the_alert_of_cards_that_begin_alike_off(watched: Watched, name: str):
    settings = load_settings({name: "0"})
    watched.watch.thresholds = alert_thresholds(settings)
    for number in range(20):
        watched.charge("declined", caller=f"caller {number}", bin_tag=TAG)
    assert "card_testing_bin" not in watched.standing()
    assert what_raises(settings)["card_testing_bin"] == f"never: {name} is 0"


def test_keys_and_certificates_near_their_end_are_told(watched: Watched):
    end = KeyEnd("acme_bank", "client certificate", "client_certificate", Path("a.pem"), NOW + timedelta(days=29))
    watched.ends = [end]
    assert watched.standing() == ["certificate"]
    watched.ends = [replace(end, ends=NOW + timedelta(days=400))]
    watched.passes(minutes=15)
    assert watched.standing() == []
    watched.ends = [replace(end, ends=None)]
    assert watched.standing() == ["certificate"]


def test_late_ticks_are_told_by_their_share(watched: Watched):
    watched.counts = {"ticks": 90_000, "late_ticks": 5_000}
    assert watched.standing() == []  # of before this process looked
    watched.counts = {"ticks": 93_000, "late_ticks": 5_029}
    assert watched.standing() == []
    watched.counts = {"ticks": 96_000, "late_ticks": 5_100}
    assert watched.standing() == ["ticks_late"]


def test_forged_webhooks_are_told_by_the_hour(watched: Watched):
    watched.watch.look()
    watched.counts = {"signature": 30, "connector password": 19}
    assert watched.standing() == []
    watched.counts = {"signature": 31, "connector password": 19}
    assert watched.standing() == ["forged_webhooks"]


def test_a_counter_that_began_again_has_not_shrunk():
    counter = GrowthCounter(timedelta(hours=1))
    grown = [counter.grown(value, NOW + timedelta(minutes=minute)) for minute, value in enumerate((100, 110, 5, 7))]
    assert grown == [0, 10, 15, 17]
    assert counter.grown(7, NOW + timedelta(minutes=62)) == 2  # what is an hour old counts no more


def test_an_audit_trail_that_somebody_changed_is_told(watched: Watched):
    watched.store.note("root", "counted", "one", NOW)
    watched.watch.look()
    with watched.store._database.money() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_refuses_update")
        connection.exec_driver_sql("UPDATE audit_event SET about = 'two' WHERE id = 1")
    assert watched.standing() == []  # it is read once an hour
    watched.passes(minutes=60)
    assert watched.standing() == ["audit_broken"]


def test_each_machine_raises_its_own_and_ends_its_own(watched: Watched):
    watched.free = 1.0
    watched.watch.look()
    watched.free = 50.0
    watched.passes(minutes=30)
    watched.watch_on("node-2").look()
    assert [one.about for one in watched.store.alerts(5)] == ["node-1"]


def test_an_alert_that_is_switched_off_is_not_raised(watched: Watched):
    watched.free = 1.0
    off = {
        f"ALERT_{name}": "0" for name in ("DISK_PERCENT", "UNKNOWN", "CARDS", "LINE_CARDS", "FORGED", "LATE_PERCENT")
    }
    more = {f"ALERT_{name}": "0" for name in ("BANK_SILENT_MINUTES", "DECLINES_PERCENT", "CERTIFICATE_DAYS")}
    watched.watch.thresholds = alert_thresholds(load_settings(off | more))
    watched.ends = [KeyEnd("acme_bank", "client certificate", "x", Path("a.pem"), None)]
    for _ in range(25):
        watched.charge("declined", caller="one")
        watched.charge("unknown")
    assert watched.standing() == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ALERT_EMAILS": "ops"}, "ALERT_EMAILS"),
        ({"ALERT_EMAILS": "a@example.com", "ENVIRONMENT": "production", "TWILIO_AUTH_TOKEN": "x" * 32}, "SMTP_URL"),
        ({"ALERT_EMAILS": ",".join(f"a{number}@example.com" for number in range(11))}, "at most 10"),
    ],
)
def test_addresses_that_cannot_be_told_are_refused(settings: dict[str, str], named: str):
    with pytest.raises(ConfigError, match=named):
        alert_receivers(load_settings(settings))


def test_each_kind_and_its_setting_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()
    for kind in KINDS:
        assert f"| `{kind}` |" in text
    for name in type(load_settings({})).model_fields:
        if name.startswith("alert_"):
            assert f"`{name.upper()}`" in text


def test_what_raises_an_alert_is_said_with_the_values_that_hold_here():
    said = what_raises(load_settings({"ALERT_CARDS": "7", "ALERT_DECLINES_PERCENT": "0"}))
    assert said["card_testing"].startswith("7 different cards were declined")
    assert "15 different cards that begin" in said["card_testing_bin"]
    assert said["card_testing_bin"].endswith("70 % or more of these cards (ALERT_BIN_CARDS, ALERT_BIN_PERCENT)")
    assert said["declines"] == "never: ALERT_DECLINES_PERCENT is 0"
    assert said.keys() == KINDS.keys()
    assert not any("{" in words for words in said.values())


def test_what_processes_have_counted_is_read_by_name_and_label():
    before = metrics.counted("tonetill_requests_refused", "signature")
    metrics.REFUSED.labels("signature").inc()
    metrics.REFUSED.labels("malformed").inc()
    assert metrics.counted("tonetill_requests_refused", "signature") == before + 1
