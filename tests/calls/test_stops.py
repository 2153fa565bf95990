"""The kill switch: no card is taken on the whole line, in a flow or at a bank. Switched on one node, it holds on all."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from ivr.channels.simulator import play
from ivr.cli.stops import start, stop
from ivr.core.money import Money
from ivr.errors import IvrError
from ivr.store import STOP_SCOPES, Accepted, Agreement, Announcement, Stop, Stopped, StopScope, Store, open_store
from tests.benches import ROOT, Bench, make_bench
from tests.store.databases import make_empty
from tests.store.payments import begin
from tests.test_one_bill import VISA, Person, charged
from tests.webs import make_web

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
NAMES: dict[StopScope, str] = {"line": "", "flow": "pay-a-bill", "bank": "acme_bank"}
TURNED_AWAY = [
    *("cards_not_taken_now", "you_were_not_charged"),
    *("cards_not_taken_now", "you_were_not_charged", "goodbye"),
]
REFUSED = ["cards_not_taken_now", "you_were_not_charged", "goodbye"]
DUE = Money(4420, "USD")


@pytest.fixture
def bench(sealing_key: Path, store: Store) -> Bench:
    return make_bench(sealing_key, store=store)


@pytest.fixture
def other_node(store: Store, url: str) -> Iterator[Store]:
    """Of the same line: `store` is the calls' own."""
    other = open_store(url)
    yield other
    other.close()


def stopped(scope: StopScope = "line", name: str | None = None) -> Stop:
    return Stop(scope, NAMES[scope] if name is None else name, "the bank rang", "grace", NOW)


@pytest.mark.parametrize("scope", STOP_SCOPES)
def test_a_new_caller_is_told_in_every_language_before_any_key_and_is_not_charged(
    bench: Bench, other_node: Store, scope: StopScope
):
    assert other_node.stop_charging(stopped(scope))
    caller = Person(bench)
    assert caller.heard == TURNED_AWAY
    assert caller.call.outcome == "unpaid"
    assert other_node.start_charging(scope, NAMES[scope], "grace", NOW)
    assert Person(bench).heard == ["choose_language", "choose_language"]


@pytest.mark.parametrize(("scope", "name"), [("flow", "another"), ("bank", "other_bank")])
def test_what_is_stopped_elsewhere_stops_nobody_here(bench: Bench, other_node: Store, scope: StopScope, name: str):
    other_node.stop_charging(stopped(scope, name))
    Person(bench).at_consent().keys("1")
    bench.workbench.work()
    assert charged(bench) == [4250]


def test_the_operators_message_is_heard_as_well(bench: Bench, other_node: Store):
    other_node.announce(Announcement("", {"en-US": "The bank is mended at six."}, False, NOW))
    other_node.stop_charging(stopped())
    script = """
    call pay-a-bill from +15550100
      says  The bank is mended at six.
      says  We cannot take card payments at the moment.
      says  Por el momento no podemos aceptar pagos con tarjeta.
      ends  unpaid
    """
    play(script, bench.world())


@pytest.mark.parametrize("fields", range(1, len(VISA) + 1))
@pytest.mark.parametrize("answer", ["keys", "silence"])
def test_whoever_is_keying_in_a_card_is_asked_for_no_more_of_it(
    bench: Bench, other_node: Store, fields: int, answer: str
):
    caller = Person(bench).keys("1", "12345678#", "1", *VISA[:fields])
    other_node.stop_charging(stopped())
    if answer == "silence":
        heard = [one.name for one in caller.line.stay_silent().heard]
    else:
        heard = caller.keys((*VISA, "1")[fields]).heard
    assert heard == REFUSED
    assert caller.call.outcome == "unpaid"
    assert not bench.workbench.store.is_staged(caller.call.intent)
    bench.workbench.work()
    assert charged(bench) == []


def test_whoever_has_not_come_to_the_card_hears_it_in_place_of_the_question(bench: Bench, other_node: Store):
    caller = Person(bench).keys("1")
    other_node.stop_charging(stopped())
    assert caller.keys("12345678#", "1").heard == REFUSED


def test_a_charge_that_was_begun_goes_to_its_end_and_the_caller_hears_it(bench: Bench, other_node: Store):
    caller = Person(bench).at_consent().keys("1")
    other_node.stop_charging(stopped())
    bench.workbench.work()
    assert caller.wait().heard[0] == "confirmation_number"
    assert [one.status for one in caller.call.charges] == ["approved"]
    assert charged(bench) == [4250]


def test_whoever_was_declined_is_asked_for_no_other_card(bench: Bench, other_node: Store):
    bench.bank.behaviour = "declines 05"
    caller = Person(bench).at_consent().keys("1")
    other_node.stop_charging(stopped())
    bench.workbench.work()
    heard = caller.wait().heard
    assert heard[0] == "card_declined"
    assert heard[-3:] == REFUSED
    assert charged(bench) == []


def test_no_charge_is_begun_once_it_is_stopped_whoever_asks(bench: Bench, store: Store, other_node: Store):
    """The last word is in the charge's own transaction: the call may have been asked for its consent before."""
    Person(bench)
    other_node.stop_charging(stopped("bank"))
    assert begin(store, "CA9-1") == Stopped()
    assert not store.is_staged("CA9-1")
    assert store.payment("CA9-1") is None
    other_node.start_charging("bank", "acme_bank", "grace", NOW)
    assert begin(store, "CA9-2") == Accepted()


def test_many_who_begin_and_one_who_stops_leave_no_charge_begun_after_it(store: Store, other_node: Store):
    """Whoever sees the stop's own end, and begins then, begins nothing."""
    is_stopped, late = Event(), []

    def begin_many(first: int) -> None:
        for number in range(first, first + 15):
            was_stopped = is_stopped.is_set()
            answer = begin(store, f"CA{number}-1", caller=f"caller {number}", card=f"card {number}")
            if was_stopped:
                late.append(answer)

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(begin_many, first) for first in (100, 200, 300)]
        other_node.stop_charging(stopped())
        is_stopped.set()
        for one in running:
            one.result()
    late.append(begin(store, "CA900-1"))
    assert set(late) == {Stopped()}


def test_a_call_by_webhooks_is_told_at_the_first_of_them(bench: Bench, other_node: Store):
    web = make_web(bench)
    other_node.stop_charging(stopped("flow"))
    answer = web.post("/twilio/voice/pay-a-bill", {})
    assert "We cannot take card payments" in answer.text
    assert "<Gather" not in answer.text
    assert "<Hangup/>" in answer.text


def test_stops_are_on_record_and_the_second_one_changes_nothing(store: Store, other_node: Store):
    assert store.stop_charging(stopped())
    assert not other_node.stop_charging(Stop("line", "", "another reason", "ada", NOW))
    assert store.stop_charging(stopped("bank"))
    assert [(one.what, one.reason, one.by, one.at) for one in other_node.stops()] == [
        ("the whole line", "the bank rang", "grace", NOW),
        ("bank acme_bank", "the bank rang", "grace", NOW),
    ]
    assert other_node.start_charging("line", "", "ada", NOW)
    assert not store.start_charging("line", "", "ada", NOW)
    events = [(one.who, one.what, one.about) for one in store.audit_events(9)]
    assert events == [
        ("ada", "charging started", "the whole line"),
        ("grace", "charging stopped", "bank acme_bank: the bank rang"),
        ("grace", "charging stopped", "the whole line: the bank rang"),
    ]
    assert store.broken_audit_event() is None


def test_a_call_goes_on_where_it_cannot_be_read_whether_it_is_stopped(
    sealing_key: Path, monkeypatch: pytest.MonkeyPatch
):
    bench = make_bench(sealing_key)

    def broken(_store: Store, _flow: str, _bank: str | None) -> bool:
        raise OSError("the disk is gone")

    monkeypatch.setattr(type(bench.workbench.store), "is_stopped", broken)
    assert Person(bench).heard == ["choose_language", "choose_language"]


# ---- the command line


@pytest.fixture
def own_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    url = f"sqlite:///{tmp_path / 'stops.db'}"
    make_empty(url)
    monkeypatch.setenv("DATABASE_URL", url)
    return open_store(url)


def test_the_line_is_stopped_shown_and_started_by_command(own_line: Store):
    run = CliRunner().invoke
    told = run(stop, ["line", "--reason", "a breach at the bank"])
    assert "no card is taken of the whole line from now on" in told.output
    assert "start line` ends it" in told.output
    assert "was stopped already" in run(stop, ["line", "--reason", "again"]).output
    assert "still stopped: the whole line" in run(stop, ["bank", "acme_bank", "--reason", "not settling"]).output
    shown = run(stop, ["show"]).output
    assert "a breach at the bank" in shown
    assert '"scope": "bank", "name": "acme_bank"' in run(stop, ["show", "--json"]).output
    assert "still stopped: bank acme_bank (not settling)" in run(start, ["line"]).output
    assert "cards are taken again of bank acme_bank" in run(start, ["bank", "acme_bank"]).output
    assert "nothing is stopped" in run(stop, ["show"]).output
    assert len(own_line.audit_events(9)) == 4


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["flow", "pay-a-bil", "--reason", "wrong"], r"there is no such flow \(did you mean 'pay-a-bill'\?\)"),
        (["bank", "acme", "--reason", "wrong"], r"there is no such bank \(did you mean 'acme_bank'\?\)"),
        (["line", "--reason", "  "], "say why"),
        (["line", "--reason", "x" * 121], "at most 120"),
        (["line", "--reason", "card 4111 1111 1111 1111"], "as long as a card number"),
    ],
)
def test_a_stop_that_would_stop_nothing_or_says_no_reason_is_refused(own_line: Store, arguments: list[str], why: str):
    with pytest.raises(IvrError, match=why):
        CliRunner().invoke(stop, arguments, catch_exceptions=False)
    assert not own_line.stops()


def test_what_was_not_stopped_cannot_be_started(own_line: Store):
    with pytest.raises(IvrError, match="was not stopped"):
        CliRunner().invoke(start, ["flow", "pay-a-bill"], catch_exceptions=False)


# ---- a card that the bank keeps


class Holder(Person):
    """Of a bill whose PIN is 2468."""

    flow = "card-on-file"

    def at_amount(self) -> "Person":
        return self.keys("1", "700101", "2468")


@pytest.fixture
def kept(sealing_key: Path, store: Store) -> Bench:
    """The bank keeps a card, and 44.20 USD are still due."""
    bench = make_bench(sealing_key, ROOT / "flows" / "card-on-file.yaml", store)
    holder = Holder(bench)
    holder.at_amount().keys("2", "2000#", "1", *VISA, "1", "1")
    bench.workbench.work()
    assert "confirmation_number" in holder.wait().heard
    return bench


def test_no_kept_card_is_offered_once_it_is_stopped(kept: Bench, other_node: Store):
    holder = Holder(kept).at_amount()
    assert other_node.stop_charging(stopped())
    assert holder.keys("1").heard == REFUSED


def test_an_offer_of_a_kept_card_is_not_repeated_once_it_is_stopped(kept: Bench, other_node: Store):
    holder = Holder(kept).at_amount().keys("1")
    assert "confirm_kept_card" in holder.heard
    assert other_node.stop_charging(stopped())
    assert holder.keys("9").heard == REFUSED


@pytest.mark.parametrize("key", ["1", "2", "9", "silence"])
@pytest.mark.parametrize("scope", STOP_SCOPES)
def test_nobody_agrees_that_a_card_is_kept_once_it_is_stopped(
    sealing_key: Path, store: Store, other_node: Store, scope: StopScope, key: str
):
    """The card cannot be kept without its charge: a consent on record would be of nothing."""
    bench = make_bench(sealing_key, ROOT / "flows" / "card-on-file.yaml", store)
    holder = Holder(bench)
    assert "confirm_keep_card" in holder.at_amount().keys("1", *VISA, "1").heard
    other_node.stop_charging(stopped(scope, "card-on-file" if scope == "flow" else None))
    heard = [one.name for one in holder.line.stay_silent().heard] if key == "silence" else holder.keys(key).heard
    assert heard == REFUSED
    assert store.agreements_of(holder.call.id) == []
    assert not store.is_staged(holder.call.intent)
    bench.workbench.work()
    assert charged(bench) == []


def test_the_last_word_on_a_card_to_be_kept_is_in_the_transaction_that_records_it(
    sealing_key: Path, store: Store, other_node: Store
):
    bench = make_bench(sealing_key, ROOT / "flows" / "card-on-file.yaml", store)
    holder = Holder(bench).at_amount().keys("1", *VISA, "1")
    consent = Agreement(
        "CA1-keep_card-1",
        "keep_card",
        "keep_card",
        "",
        holder.call.id,
        "card-on-file",
        "",
        "700101",
        DUE,
        "",
        "",
        "1",
        NOW,
    )
    other_node.stop_charging(stopped("bank"))
    assert store.record_agreement_of_card(consent, "acme_bank") == Stopped()
    assert store.agreement(consent.reference) is None
    other_node.start_charging("bank", "acme_bank", "grace", NOW)
    assert store.record_agreement_of_card(consent, "acme_bank") is None
    other_node.stop_charging(stopped())
    assert store.record_agreement_of_card(consent, "acme_bank") is None  # made before, and not again
    assert len(store.agreements_of(holder.call.id)) == 1


# ---- what takes no card


class Promising(Person):
    flow = "payment-plan"


@pytest.mark.parametrize(("choice", "kind"), [("2", "promise"), ("3", "plan"), ("4", "mandate")])
@pytest.mark.parametrize("scope", ["line", "flow", "bank"])
def test_what_takes_no_card_can_be_agreed_to_while_no_card_is_taken(
    sealing_key: Path, store: Store, other_node: Store, scope: StopScope, choice: str, kind: str
):
    """The billing system keeps it by other means: it is as true as before, and the caller hears that nothing was charged."""
    bench = make_bench(sealing_key, ROOT / "flows" / "payment-plan.yaml", store)
    caller = Promising(bench)
    caller.keys("1", "12345678#", choice)
    other_node.stop_charging(stopped(scope, "payment-plan" if scope == "flow" else None))
    heard = caller.keys("1").heard
    assert heard[0].endswith("_recorded")
    assert "you_were_not_charged" in heard
    assert [one.kind for one in store.agreements_of(caller.call.id)] == [kind]
    bench.workbench.work()
    assert charged(bench) == []
