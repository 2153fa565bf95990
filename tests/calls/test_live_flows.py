"""A call finishes on the version it began on; what is published meanwhile is for new calls, in every process, at once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from ivr.calls import CallService, Runner, Session, flow_of, live_flows, new_call
from ivr.calls.flow_folder import draft_of
from ivr.calls.live_flows import LiveFlows
from ivr.calls.results import result_words
from ivr.core.actions import Phrase
from ivr.core.call import Call
from ivr.core.events import Digits, Event, KeysEntered, NoInput, Waited
from ivr.flow.compiler import Around
from ivr.store import WITHDRAWN, Draft, FlowVersion, Store, open_store
from tests.benches import Bench, make_bench
from tests.leaks import leaks_in
from tests.store.databases import make_empty
from tests.store.payments import NOW
from tests.versions import RENAMED_CARD, SHORTER, content, publish

TO_THE_CARD = ("1", "12345678", "1")
CARD = ("4111111111111111", "1230", "123", "94105")


class Line:
    """A process of its own over the bench's database: its own compiled versions, its own sessions."""

    def __init__(self, bench: Bench, store: Store | None = None) -> None:
        workbench = bench.workbench
        self.bench, self.store = bench, store or workbench.store
        self.flows = LiveFlows(self.store)
        self.flows.look()
        payments = replace(workbench.runner.payments, store=self.store, words=self.flows.words)
        runner = Runner(self.flows, payments, workbench.runner.billing)
        self.service = CallService(
            runner, self.store, write=self.write, now=workbench.clock, pause=workbench.clock.advance
        )

    def write(self, _call: Call, actions: Any, version: int) -> str:
        """The words themselves, so that a version without them would be found out."""
        spoken = [self.flows.words(phrase) for action in actions for phrase in getattr(action, "phrases", ())]
        return f"{version}: {' '.join(spoken)}"

    def begin(self, call_id: str = "CA1", *keys: str) -> Session:
        session = self.service.session(call_id)
        session.begin(new_call(call_id, self.flows["pay-a-bill"], ani="+15550100", dnis="", channel="x"))
        for entry in keys:
            session.hear(pressed(entry))
        return session

    def hear(self, event: Event, call_id: str = "CA1") -> Any:
        return self.service.session(call_id).hear(event)

    def call(self, call_id: str = "CA1") -> Call:
        stored = self.store.load_call(call_id)
        assert stored is not None
        return stored.call


def pressed(keys: str) -> Event:
    return KeysEntered(NOW, Digits(keys), timed_out=True)


def said(answered: Any) -> list[str]:
    return [phrase.name for action in answered.actions for phrase in getattr(action, "phrases", ())]


@pytest.fixture
def first(bench: Bench) -> FlowVersion:
    return publish(bench.workbench.store)


@pytest.fixture
def line(bench: Bench, first: FlowVersion) -> Line:
    return Line(bench)


# ---- published in the middle of a call


def test_a_call_carries_the_version_that_it_began_on(line: Line, first: FlowVersion):
    line.begin()
    assert line.call().flow_version == first.digest


def test_a_call_finishes_on_its_version_and_the_next_one_begins_on_the_new(
    line: Line, bench: Bench, first: FlowVersion
):
    line.begin("CA1", *TO_THE_CARD)
    second = publish(bench.workbench.store, *RENAMED_CARD)
    line.flows.look()
    line.begin("CA2", *TO_THE_CARD)
    for entry in (*CARD, "1"):
        line.hear(pressed(entry))
    bench.workbench.work()
    assert said(line.hear(Waited(NOW))) == ["confirmation_number", "may_hang_up", "repeat_offer", "sms_offer"]
    assert (line.call().flow_version, line.call("CA2").flow_version) == (first.digest, second.digest)
    assert line.call("CA2").step == "pan"


def test_a_call_is_spoken_to_in_the_words_that_it_began_with(line: Line, bench: Bench):
    line.begin("CA1", "1")
    publish(bench.workbench.store, words=(("Your account number, then", "Key in your account, then"),))
    line.flows.look()
    line.begin("CA2", "1")
    first, second = (line.hear(NoInput(NOW), call).text for call in ("CA1", "CA2"))
    assert "Your account number, then" in first
    assert "Key in your account" in second


def test_a_text_after_the_call_is_in_the_words_of_its_version(line: Line, bench: Bench):
    line.begin("CA1", *TO_THE_CARD, *CARD, "1")
    bench.workbench.work()
    publish(
        bench.workbench.store,
        words=(('result_paid_sms: "', 'result_paid_sms: "NEW '),),
    )
    line.flows.look()
    write, payment = result_words(line.flows.prompts_of), line.store.payments_of("CA1")[0]
    newer = replace(line.call(), flow_version=line.flows["pay-a-bill"].version)
    assert ["NEW" in write(call, payment) for call in (line.call(), newer)] == [False, True]


# ---- restarted in the middle of a call


@pytest.mark.parametrize("reached", [0, 1, 2, 3, 5, 7, 8])
def test_a_call_goes_on_after_a_restart_under_a_flow_that_has_changed(line: Line, bench: Bench, reached: int):
    """At every point: the new program finds the call's version in the database."""
    keys = (*TO_THE_CARD, *CARD, "1")
    line.begin("CA1", *keys[:reached])
    publish(bench.workbench.store, *RENAMED_CARD)
    restarted = Line(bench)
    assert restarted.flows["pay-a-bill"].version != line.call().flow_version
    for entry in keys[reached:]:
        restarted.hear(pressed(entry))
    bench.workbench.work()
    assert said(restarted.hear(Waited(NOW)))[0] == "confirmation_number"
    assert [payment.status for payment in restarted.store.payments_of("CA1")] == ["approved"]


def test_a_call_of_a_program_without_versions_goes_on_with_the_live_one(line: Line, first: FlowVersion):
    line.begin("CA1", "1")
    stored = line.store.load_call("CA1")
    assert stored is not None
    line.store.save_call(replace(stored.call, flow_version=""), stored.version, NOW)
    line.hear(pressed("12345678"))
    assert (line.call().step, line.call().flow_version) == ("amount", first.digest)


def test_a_call_whose_version_cannot_be_had_hears_what_the_ledger_says(line: Line, bench: Bench):
    line.begin("CA1", *TO_THE_CARD, *CARD, "1")
    bench.workbench.work()
    stored = line.store.load_call("CA1")
    assert stored is not None
    line.store.save_call(replace(stored.call, flow_version="gone"), stored.version, NOW)
    with capture_logs() as logged:
        answered = line.hear(Waited(NOW))
    assert said(answered) == ["apology", "you_were_charged", "goodbye"]
    assert "FlowChanged" in [one.get("kind") for one in logged]
    assert line.call().outcome == "paid"


# ---- back, away, broken


def test_after_a_rollback_new_calls_begin_on_the_old_version_and_calls_on_the_other_finish(
    line: Line, bench: Bench, first: FlowVersion
):
    second = publish(bench.workbench.store, *RENAMED_CARD)
    line.flows.look()
    line.begin("CA1", *TO_THE_CARD)
    line.store.make_live("pay-a-bill", 1)
    line.flows.look()
    line.begin("CA2", *TO_THE_CARD)
    line.hear(pressed(CARD[0]))
    assert [(line.call(one).step, line.call(one).flow_version) for one in ("CA1", "CA2")] == [
        ("pan", second.digest),
        ("card", first.digest),
    ]


def test_a_withdrawn_flow_answers_no_new_call_and_finishes_the_old_ones(line: Line):
    line.begin("CA1", "1")
    line.store.make_live("pay-a-bill", WITHDRAWN)
    line.flows.look()
    assert (list(line.flows), line.flows.left_out) == ([], {"pay-a-bill"})
    assert said(line.hear(pressed("12345678"))) == ["pay_full_balance", "pay_another_amount"]
    line.store.make_live("pay-a-bill", 1)
    line.flows.look()
    assert list(line.flows) == ["pay-a-bill"]


BROKEN = Draft("pay-a-bill", "b" * 64, "flow: pay-a-bill\nsteps: {}\n", "{}")


def test_a_broken_version_stops_neither_its_own_flow_nor_another(line: Line, first: FlowVersion):
    line.store.publish_flow(replace(BROKEN, flow="other"), "tests", NOW)
    line.store.publish_flow(replace(BROKEN, digest="c" * 64), "tests", NOW)
    with capture_logs() as logged:
        line.flows.look()
    assert line.flows["pay-a-bill"].version == first.digest
    assert set(line.flows.broken) == {"other", "pay-a-bill"}
    told = {one["flow"]: one["event"] for one in logged if one["log_level"] == "error"}
    assert told["pay-a-bill"].endswith("version 1 goes on serving")
    assert told["other"].endswith("nobody is served by it")
    publish(line.store, SHORTER)
    line.flows.look()
    assert set(line.flows.broken) == {"other"}


def test_a_version_whose_bank_this_process_does_not_have_is_not_taken_up(bench: Bench, first: FlowVersion):
    flows = LiveFlows(bench.workbench.store, Around(banks={"other_bank": ["USD"]}))
    flows.look()
    assert (dict(flows), flows.left_out) == ({}, {"pay-a-bill"})
    assert "acme_bank" in flows.broken["pay-a-bill"]


def test_a_version_goes_live_only_once_its_prompts_are_ready(line: Line, first: FlowVersion):
    seen: list[str] = []
    line.flows.prepare = lambda flow, _prompts: seen.append(line.flows["pay-a-bill"].version)
    second = publish(line.store, SHORTER)
    line.flows.look()
    assert seen == [first.digest]
    assert line.flows["pay-a-bill"].version == second.digest


# ---- the database away, many versions


def test_while_the_database_is_away_what_served_goes_on_serving(line: Line, monkeypatch: pytest.MonkeyPatch):
    line.begin("CA1", "1")

    def away(*_: object) -> Any:
        raise OSError("no route")

    with monkeypatch.context() as patch:
        patch.setattr(type(line.store), "live_versions", away)
        patch.setattr(type(line.store), "version_of_digest", away)
        with pytest.raises(OSError, match="no route"):
            line.flows.look()
        assert said(line.hear(pressed("12345678"))) == ["pay_full_balance", "pay_another_amount"]
        assert line.flows.prompts_of("unknown") is line.flows.prompts


def test_a_key_asks_the_database_for_no_version_once_it_is_known(line: Line, monkeypatch: pytest.MonkeyPatch):
    line.begin("CA1", "1")
    publish(line.store, SHORTER)
    line.flows.look()
    asked: list[object] = []
    monkeypatch.setattr(type(line.store), "version_of_digest", lambda *given: asked.append(given))
    monkeypatch.setattr(type(line.store), "live_versions", lambda *given: asked.append(given))
    line.hear(pressed("12345678"))
    assert asked == []


def test_old_versions_are_kept_compiled_within_bounds_and_come_back_when_asked_for(
    line: Line, first: FlowVersion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_flows, "MOST_KEPT", most := 4)  # each more takes a tenth of a second to compile
    line.begin("CA1", "1")
    for number in range(most + 5):
        publish(line.store, ("schema: 1", f"schema: 1 # {number}"))
        line.flows.look()
    assert len(line.flows._kept) == most + 1  # and the live one
    assert first.digest not in line.flows._kept
    assert said(line.hear(pressed("12345678"))) == ["pay_full_balance", "pay_another_amount"]
    assert first.digest in line.flows._kept


# ---- moved


def test_moved_calls_go_on_with_the_live_version_where_they_can(line: Line, bench: Bench, first: FlowVersion):
    line.begin("CA1", "1", "12345678")
    line.begin("CA2", *TO_THE_CARD, CARD[0])
    second = publish(line.store, *RENAMED_CARD)
    line.store.move_calls("pay-a-bill", [1])
    line.flows.look()
    line.hear(pressed("1"))
    line.hear(pressed("1230"), "CA2")
    assert (line.call().step, line.call().flow_version) == ("pan", second.digest)
    assert (line.call("CA2").step, line.call("CA2").flow_version) == ("card", first.digest)


def test_a_moved_call_pays_once(line: Line, bench: Bench):
    line.begin("CA1", "1", "12345678")
    publish(line.store, *RENAMED_CARD)
    line.store.move_calls("pay-a-bill", [1])
    line.flows.look()
    for entry in ("1", *CARD, "1"):
        line.hear(pressed(entry))
    bench.workbench.work()
    assert said(line.hear(Waited(NOW)))[0] == "confirmation_number"
    assert len(bench.bank.charged) == 1


# ---- two processes


@pytest.fixture
def two(sealing_key: Path, tmp_path: Path) -> Iterator[tuple[Line, Line]]:
    url = f"sqlite:///{tmp_path / 'two.db'}"
    make_empty(url)
    stores = [open_store(url) for _ in range(2)]
    bench = make_bench(sealing_key, store=stores[0])
    publish(stores[0])
    yield Line(bench), Line(bench, stores[1])
    for store in stores:
        store.close()


def test_what_one_process_publishes_the_other_takes_up(two: tuple[Line, Line]):
    one, other = two
    one.begin("CA1", "1")
    second = publish(one.store, SHORTER)
    other.flows.look()
    other.begin("CA2")
    assert other.call("CA2").flow_version == second.digest


def test_a_call_that_began_in_one_process_goes_on_in_one_that_only_knows_a_newer_version(two: tuple[Line, Line]):
    one, other = two
    one.begin("CA1", *TO_THE_CARD)
    publish(one.store, *RENAMED_CARD)
    other.flows.look()
    assert other.hear(pressed(CARD[0])).call.step == "card"


def test_a_process_that_has_not_looked_yet_goes_on_with_a_call_of_a_version_that_is_newer(two: tuple[Line, Line]):
    one, other = two
    second = publish(one.store, *RENAMED_CARD)
    one.flows.look()
    one.begin("CA1", *TO_THE_CARD)
    assert other.flows["pay-a-bill"].version != second.digest
    assert other.hear(pressed(CARD[0])).call.step == "pan"


# ---- cards


def test_no_card_number_is_left_by_a_call_across_versions(line: Line, bench: Bench, capfd: pytest.CaptureFixture[str]):
    """Published, moved and gone back to in the middle of the card, with the keys in between."""
    pan = "4012888888881881"
    line.begin("CA1", *TO_THE_CARD)
    second = publish(line.store, *RENAMED_CARD)
    line.store.move_calls("pay-a-bill", [1])
    line.flows.look()
    with capture_logs() as logged:
        line.hear(pressed(pan))
        line.store.make_live("pay-a-bill", 1)
        line.flows.look()
        for entry in ("1230", "739", "94105"):
            line.hear(pressed(entry))
        line.store.make_live("pay-a-bill", second.number)
        line.flows.look()
        line.hear(pressed("1"))
    rows = [
        line.call().to_json(),
        *map(repr, line.store.turns_of("CA1")),
        *map(repr, line.store.flow_versions("pay-a-bill")),
    ]
    told = "".join([*rows, *map(str, logged), *capfd.readouterr()])
    assert line.call().charges
    assert not leaks_in(told.encode(), [pan])


def test_a_plain_mapping_has_one_version_of_each_flow(bench: Bench):
    flows = bench.workbench.runner.flows
    call = new_call("CA1", bench.workbench.flow, ani="", dnis="", channel="x")
    assert flow_of(flows, call) is bench.workbench.flow


@pytest.mark.parametrize("column", ["prompts", "parts"])
@pytest.mark.parametrize("written", ["{", "[]"])
def test_a_version_whose_row_cannot_be_read_keeps_no_other_from_being_taken_up(bench: Bench, column: str, written: str):
    store = bench.workbench.store
    publish(store)
    flows = LiveFlows(store)
    flows.look()
    serving = flows.served("pay-a-bill").number
    publish(store, SHORTER)
    with store._database.money() as connection:
        connection.execute(text(f"UPDATE flow_version SET {column} = '{written}' WHERE number > {serving}"))
    with capture_logs() as logs:
        flows.look()
    assert flows.served("pay-a-bill").number == serving
    assert f"'{column}' in the database cannot be read: publish the flow again" in flows.broken["pay-a-bill"]
    assert sum("cannot be used here" in line["event"] for line in logs) == 1


def test_a_version_of_an_older_program_speaks_the_shipped_words_for_what_is_new(bench: Bench):
    store, today = bench.workbench.store, content()
    older = replace(
        today, prompts={language: without(own, "bank_did_not_answer") for language, own in today.prompts.items()}
    )
    store.publish_flow(draft_of(older), "tests", NOW)
    flows = LiveFlows(store)
    flows.look()
    version = flows["pay-a-bill"].version
    assert version == older.digest
    for name in ("bank_did_not_answer", "goodbye"):
        assert flows.words(Phrase(name, "en-US", version=version)) == today.prompts["en-US"][name]


def without(words: Mapping[str, str], name: str) -> dict[str, str]:
    return {own: text for own, text in words.items() if own != name}
