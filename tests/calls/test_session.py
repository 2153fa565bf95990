"""One session for every channel: repeated and late events, rows of another version, flows that have changed meanwhile."""

import json
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ivr.calls import Answered, CallService, NoSuchCall, Session, new_call
from ivr.calls.assembly import load_flow
from ivr.core.actions import Phrase
from ivr.core.call import FORM, Call
from ivr.core.events import Digits, Event, HungUp, KeysEntered, NoInput, Waited
from ivr.flow.compiled import Flow
from ivr.places import SHIPPED as ROOT
from ivr.store import CallRecord, Store
from tests.benches import Bench
from tests.store.payments import NOW

KEYS = ("1", "12345678", "1", "4111111111111111", "1230", "123", "94105")
REQUIRED = ("id", "flow", "ani", "dnis", "channel", "language")


def service_of(bench: Bench, **changed: Any) -> CallService:
    workbench = bench.workbench

    def write(call: Call, actions: Any, version: int) -> str:
        """An answer that can be told from every other one."""
        return f"{version}: {' '.join(said(actions))}"

    plain = CallService(
        workbench.runner, workbench.store, now=workbench.clock, write=write, pause=workbench.clock.advance
    )
    return replace(plain, **changed)


def said(actions: Any) -> list[str]:
    return [phrase.name for action in actions for phrase in getattr(action, "phrases", ())]


def keys(text: str) -> Event:
    return KeysEntered(NOW, Digits(text), timed_out=True)


@pytest.fixture
def session(bench: Bench) -> Session:
    """A call that has been greeted."""
    session = service_of(bench).session("CA1")
    session.begin(new_call("CA1", bench.workbench.flow, ani="+15550100", dnis="", channel="simulator"))
    return session


def confirm_card(session: Session) -> None:
    for entry in KEYS:
        session.hear(keys(entry))


def charged(session: Session, bench: Bench) -> None:
    """The bank has approved, and the caller has not heard of it."""
    confirm_card(session)
    session.hear(keys("1"))
    bench.workbench.work()


def row(bench: Bench, change: Callable[[dict[str, Any]], object] | None = None, text: str = "") -> None:
    """The call's row as another version would have left it."""
    with bench.workbench.store._database.money() as connection:
        state = json.loads(connection.exec_driver_sql("SELECT state FROM call").scalar_one())
        if change is not None:
            change(state)
        connection.exec_driver_sql("UPDATE call SET state = ?", (text or json.dumps(state),))


def ending(answered: Answered) -> list[str]:
    assert answered.call.phase == "over"
    return said(answered.actions)


# ---- repeated, late and early


def test_an_event_that_was_answered_is_given_the_same_answer_and_changes_nothing(session: Session, bench: Bench):
    first = session.hear(keys("1"), seen=1)
    again = session.service.session("CA1").hear(keys("1"), seen=1)
    assert again.repeated
    assert again.text == first.text
    stored = bench.workbench.store.load_call("CA1")
    assert stored is not None
    assert stored.version == 2


def test_of_two_that_handle_one_event_the_second_gives_the_answer_of_the_first(session: Session, bench: Bench):
    slow = session.service.session("CA1")
    assert slow.is_at(1)
    first = session.hear(keys("1"), seen=1)
    assert slow.hear(keys("2"), seen=1).text == first.text


def test_a_call_begins_once(session: Session, bench: Bench):
    again = session.service.session("CA1").begin(new_call("CA1", bench.workbench.flow, ani="", dnis="", channel="x"))
    assert again.repeated
    assert again.text.startswith("1: choose_language")


def test_an_event_of_an_answer_that_the_database_has_lost_ends_the_call_by_the_ledger(session: Session, bench: Bench):
    charged(session, bench)
    late = session.service.session("CA1").hear(Waited(NOW), seen=99)
    assert ending(late) == ["apology", "you_were_charged", "goodbye"]


def test_a_prompt_that_cannot_be_put_into_words_is_named_in_the_log_with_its_value(bench: Bench):
    prompts = bench.workbench.prompts

    def write(call: Call, actions: Any, version: int) -> str:
        return prompts.words(Phrase("confirm_money", "en-US")) if "choose_language" in said(actions) else ""

    call = new_call("CA1", bench.workbench.flow, ani="+15550100", dnis="", channel="simulator")
    with capture_logs() as logged:
        answered = service_of(bench, write=write).session("CA1").begin(call)
    assert ending(answered) == ["apology", "you_were_not_charged", "goodbye"]
    assert "prompt 'confirm_money' (en-US) needs 'amount'" in logged[0]["told"]


def test_a_call_that_is_not_there_is_said_to_be_so(bench: Bench):
    with pytest.raises(NoSuchCall):
        service_of(bench).session("CA9").hear(NoInput(NOW))


def test_a_call_whose_row_was_lost_is_charged_if_the_ledger_says_so(session: Session, bench: Bench):
    charged(session, bench)
    with bench.workbench.store._database.money() as connection:
        connection.exec_driver_sql("DELETE FROM call")
    assert ending(session.service.session("CA1").fault()) == ["apology", "payment_went_through", "goodbye"]
    assert ending(session.service.session("CA2").fault()) == ["apology", "charge_not_known", "goodbye"]
    assert ending(session.service.session("CA2").fault(is_new=True)) == ["apology", "you_were_not_charged", "goodbye"]


def test_hanging_up_twice_ends_once(session: Session, bench: Bench):
    assert session.hang_up()
    assert not session.hang_up()
    assert session.hear(HungUp(NOW)).call.outcome == "unpaid"


def test_no_event_changes_a_call_that_is_over(session: Session, bench: Bench):
    session.hang_up()
    before = bench.workbench.store.load_call("CA1")
    for event in (keys("1"), NoInput(NOW), Waited(NOW), HungUp(NOW)):
        session.service.session("CA1").hear(event)
    session.service.session("CA1").fault()
    assert bench.workbench.store.load_call("CA1") == before


# ---- stored by another version


def test_the_form_is_written_with_the_row(session: Session, bench: Bench):
    forms: list[object] = []
    row(bench, lambda state: forms.append(state["form"]))
    assert forms == [FORM]


@pytest.mark.parametrize("name", [field.name for field in fields(Call) if field.name not in REQUIRED])
def test_a_row_of_an_older_form_goes_on(session: Session, bench: Bench, name: str):
    """A field that was not there yet has its default; only where that cannot be gone on with, the call ends."""
    confirm_card(session)

    def older(state: dict[str, Any]) -> None:
        del state["form"]
        del state[name]

    row(bench, older)
    answered = session.service.session("CA1").hear(keys("1"))
    if answered.call.phase == "over":
        assert said(answered.actions)[-2:] == ["you_were_not_charged", "goodbye"]
    assert said(answered.actions)


def newer(state: dict[str, Any]) -> None:
    state["form"] = FORM + 1


def with_more(state: dict[str, Any]) -> None:
    state["charges_to_come"] = [{"amount": [4250, "USD"]}]


def of_another_phase(state: dict[str, Any]) -> None:
    state["phase"] = "dreaming"


def with_other_values(state: dict[str, Any]) -> None:
    state["values"] = [["amount", 4250]]


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda state: state.pop(name)


def at_a_step_out_of_all_bounds(state: dict[str, Any]) -> None:
    state["step"] = "9" * 5000


def at_half_a_surrogate(state: dict[str, Any]) -> None:
    state["step"] = "\ud800"


def with_moves_that_cannot_be_written(state: dict[str, Any]) -> None:
    state["moves"] = ["- began", "\udfff ok"]


UNREADABLE = [
    *(newer, with_more, of_another_phase, with_other_values),
    *(at_a_step_out_of_all_bounds, at_half_a_surrogate, with_moves_that_cannot_be_written),
    *map(without, REQUIRED),
]


@pytest.mark.parametrize("change", UNREADABLE)
@pytest.mark.parametrize(
    ("reach", "words", "outcome"),
    [(confirm_card, "you_were_not_charged", "unpaid"), (charged, "you_were_charged", "paid")],
)
def test_a_row_that_cannot_be_read_ends_with_what_the_ledger_says(
    session: Session, bench: Bench, change: Any, reach: Callable[..., None], words: str, outcome: str
):
    reach(*((session, bench) if reach is charged else (session,)))
    row(bench, change)
    answered = session.service.session("CA1").hear(keys("1"))
    assert words in said(answered.actions)
    assert bench.workbench.store.load_call("CA1").call.outcome == outcome  # type: ignore[union-attr]
    assert session.service.session("CA1").hear(keys("1")).text == answered.text


@pytest.mark.parametrize("change", UNREADABLE)
def test_a_row_that_cannot_be_read_can_be_hung_up(session: Session, bench: Bench, change: Any):
    confirm_card(session)
    row(bench, change)
    session.service.session("CA1").hang_up()
    stored = bench.workbench.store.load_call("CA1")
    assert stored is not None
    assert (stored.call.phase, stored.call.outcome) == ("over", "unpaid")


@pytest.mark.parametrize("history", [["NaN began"], ["a b c d e"], ["x"], ["9" * 5000 + " began"]])
def test_a_call_whose_history_cannot_be_read_goes_on(session: Session, bench: Bench, history: list[str]):
    confirm_card(session)
    row(bench, lambda state: state.update(history=history))
    assert session.service.session("CA1").hear(keys("1")).call.phase == "waiting"


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "{", '{"id": 7}', "7", '"x"', '{"values": null}'])
def test_a_row_that_is_no_call_at_all_ends_too(session: Session, bench: Bench, text: str):
    charged(session, bench)
    row(bench, text=text or " ")
    answered = session.service.session("CA1").hear(keys("1"))
    assert ending(answered)[0] == "apology"
    assert {"you_were_charged", "payment_went_through"} & set(ending(answered))
    assert isinstance(bench.workbench.store.latest_calls(9)[0], CallRecord)


@pytest.mark.parametrize("change", UNREADABLE)
def test_whoever_hangs_up_on_a_row_that_cannot_be_read_is_texted_where_their_number_can_be(
    session: Session, bench: Bench, change: Any
):
    charged(session, bench)
    row(bench, change)
    assert session.service.session("CA1").hang_up()
    stored = bench.workbench.store.load_call("CA1")
    assert stored is not None
    assert (stored.call.outcome, stored.call.hung_up) == ("paid", True)
    bench.workbench.work()
    sent = [text.id for text in bench.workbench.store.texts_of("CA1")]
    assert sent == (["CA1-1-result"] if stored.call.ani else [])


WRONG: list[tuple[str, object]] = [
    *[("payable", wrong) for wrong in (0, "x", ["a"])],
    *[("step", wrong) for wrong in ([], 7)],
    *[("attempt", wrong) for wrong in ([], "1", True)],
    *[("looking_up", [7]), ("charges", [7]), ("history", [7]), ("values", {"a": {}}), ("outcome", 7), ("since", "1")],
]


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=str)
def test_a_row_with_a_value_of_another_type_ends_with_what_the_ledger_says(
    session: Session, bench: Bench, name: str, wrong: object
):
    confirm_card(session)
    row(bench, lambda stored: stored.update({name: wrong}))
    answered = session.service.session("CA1").hear(keys("1"))
    assert "you_were_not_charged" in ending(answered)


@pytest.mark.parametrize(("name", "wrong"), WRONG, ids=str)
def test_a_row_with_a_value_of_another_type_can_be_hung_up(session: Session, bench: Bench, name: str, wrong: object):
    confirm_card(session)
    row(bench, lambda stored: stored.update({name: wrong}))
    assert session.service.session("CA1").hang_up()
    assert bench.workbench.store.load_call("CA1").call.outcome == "unpaid"  # type: ignore[union-attr]


# ---- under another version of the flow


def with_flows(session: Session, flows: dict[str, Flow]) -> Session:
    runner = session.service.runner
    other = type(runner)(flows, runner.payments, runner.billing)
    return replace(session.service, runner=other).session(session.call_id)


def changed_flow(folder: Path, *changes: tuple[str, str]) -> dict[str, Flow]:
    text = (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "prompts").symlink_to(ROOT / "flows" / "prompts")
    (folder / "pay-a-bill.yaml").write_text(text, encoding="utf-8")
    flow, _ = load_flow(folder / "pay-a-bill.yaml")
    return {flow.name: flow}


def test_a_call_whose_flow_is_gone_hears_what_the_ledger_says(session: Session, bench: Bench):
    charged(session, bench)
    answered = with_flows(session, {}).hear(Waited(NOW))
    assert ending(answered) == ["apology", "payment_went_through", "goodbye"]
    assert bench.workbench.store.load_call("CA1").call.outcome == "paid"  # type: ignore[union-attr]


def test_a_call_whose_flow_is_gone_can_be_hung_up(session: Session, bench: Bench):
    charged(session, bench)
    assert with_flows(session, {}).hang_up()
    bench.workbench.work()
    assert [text.id for text in bench.workbench.store.texts_of("CA1")] == ["CA1-1-result"]


def test_a_call_whose_step_is_gone_hears_what_the_ledger_says(session: Session, bench: Bench, tmp_path: Path):
    charged(session, bench)
    flows = changed_flow(tmp_path, ("ok: charge,", "ok: take,"), ("  charge:", "  take:"))
    answered = with_flows(session, flows).hear(Waited(NOW))
    assert ending(answered) == ["apology", "you_were_charged", "goodbye"]


def test_a_call_goes_on_under_a_flow_that_still_has_its_step(session: Session, bench: Bench, tmp_path: Path):
    session.hear(keys("1"))
    flows = changed_flow(tmp_path, ("repeat: 2", "repeat: 1"), ("tries: 3", "tries: 4"))
    answered = with_flows(session, flows).hear(keys("12345678"))
    assert said(answered.actions) == ["pay_full_balance", "pay_another_amount"]


def test_a_step_that_has_become_another_kind_breaks_nothing(session: Session, bench: Bench, tmp_path: Path):
    session.hear(keys("1"))
    session.hear(keys("12345678"))
    session.hear(keys("2"))
    menu = "    menu: {1: {say: pay_full_balance, set: bill.due, then: card}}\n"
    old = "    ask: money # cents implied: 1075 is 10.75\n    between: [bill.min, bill.due]\n    confirm: always\n"
    flows = changed_flow(tmp_path, (old + "    then: {ok: card, gave_up: goodbye_unpaid}\n", menu))
    answered = with_flows(session, flows).hear(keys("1"))
    assert said(answered.actions) == ["enter_card_number"]


# ---- a store that another thread shares


def test_a_store_in_memory_is_the_same_for_every_thread(bench: Bench):
    from concurrent.futures import ThreadPoolExecutor

    store: Store = bench.workbench.store

    def use(number: int) -> bool:
        call = f"CA{number}"
        store.save_call(Call(call, "pay-a-bill", "", "", "x", "en-US"), 0, NOW)
        store.queue_sms(f"{call}-receipt", "+15550100", "paid", NOW)
        return store.load_call(call) is not None and len(store.texts_of(call)) == 1

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(use, range(100, 300)))
    assert store.find_bill("12345678") is not None
    assert len(store.latest_calls(1000)) == 200


def test_a_process_that_wakes_up_after_the_text_was_promised_does_not_note_its_answer_as_sent(
    session: Session, bench: Bench
):
    charged(session, bench)
    ended = session.fault()
    assert ended.call.phase == "over"
    assert session.tells_news
    other = service_of(bench).session("CA1")
    other.hang_up(knows_sent=False)
    session.was_sent()
    stored = bench.workbench.store.load_call("CA1")
    assert stored is not None
    assert [one.told for one in stored.call.charges] == [False]
    bench.workbench.work()
    assert ["went through" in text.body for text in bench.workbench.store.texts_of("CA1")] == [True]


def test_a_late_request_of_an_answer_that_the_database_has_lost_tells_nothing_in_a_call_that_is_over(
    session: Session, bench: Bench
):
    charged(session, bench)
    service_of(bench).session("CA1").hang_up()
    before = bench.workbench.store.load_call("CA1")
    assert before is not None
    service_of(bench).session("CA1").hear(Waited(NOW), seen=before.version + 3)
    assert bench.workbench.store.load_call("CA1") == before
    bench.workbench.work()
    assert ["went through" in text.body for text in bench.workbench.store.texts_of("CA1")] == [True]
