"""Calls, one person's data and the kill switch by the API: as the pages have them, for programs, and on record."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ivr.core.line_quality import LineQuality
from ivr.store import Store, TurnRecord, memory_store
from tests.portal.lines import Line
from tests.portal.programs import events, program
from tests.store.databases import NUMBERS
from tests.store.payments import a_call

CALLER, CARD = "+15557013998", "4111 1111 1111 1111"


def sealing_store() -> Store:
    store = memory_store()
    store._database.numbers = NUMBERS
    return store


def line_with_calls(count: int = 0) -> Line:
    """One that goes on, one that is over, and `count` more that are over."""
    line = Line(sealing_store(), hash_caller=NUMBERS.hash)
    line.store.save_call(a_call("CA1", step="account", ani=CALLER), 0, line.clock())
    line.store.note_line("CA1", LineQuality(900, 100))
    line.store.note_turn(TurnRecord("CA1", 1, line.clock(), "began", "account", "entry", ("welcome",), 4))
    for number in range(2, 3 + count):
        over = replace(a_call(f"CA{number}", phase="over", outcome="unpaid"), ani="+15550777")
        line.store.save_call(over, 0, line.clock() + timedelta(seconds=number))
    return line


# ---- calls


def test_calls_of_a_day_are_found_page_by_page_with_their_line_and_a_shortened_caller():
    viewer = program(line_with_calls(60), "viewer")
    first: Any = viewer.post("/calls/search", {"day": "2026-01-15"}).json
    second: Any = viewer.post("/calls/search", {"day": "2026-01-15", "cursor": first["next"]}).json
    found = [one["id"] for one in (*first["calls"], *second["calls"])]
    assert len(found) == len(set(found)) == 62
    assert second["next"] is None
    mine = second["calls"][-1]
    assert (mine["id"], mine["caller"], mine["outcome"]) == ("CA1", "...998", None)
    assert mine["line"] == {"grade": "poor", "came": 900, "lost": 100}
    assert second["calls"][0]["line"] is None


def test_calls_are_found_by_outcome_and_the_end_of_the_number():
    viewer = program(line_with_calls(), "viewer")
    by_outcome: Any = viewer.post("/calls/search", {"outcome": "unpaid"}).json
    by_end: Any = viewer.post("/calls/search", {"caller_end": "998"}).json
    assert [one["id"] for one in by_outcome["calls"]] == ["CA2"]
    assert [one["id"] for one in by_end["calls"]] == ["CA1"]


def test_the_calls_that_go_on_and_one_call_turn_by_turn():
    viewer = program(line_with_calls(), "viewer")
    live: Any = viewer.get("/calls/live").json
    assert [(one["id"], one["step"], one["line"]["grade"]) for one in live["calls"]] == [("CA1", "account", "poor")]
    assert live["in_all"] == 1
    call: Any = viewer.get("/calls/CA1").json
    assert [(turn["step"], turn["said"]) for turn in call["turns"]] == [("account", ["welcome"])]
    assert viewer.get("/calls/CA99").status_code == 404


def test_a_charge_is_named_by_its_call():
    line = Line()
    line.store.save_call(a_call("CA1"), 0, line.clock())
    line.charge()
    call: Any = program(line, "viewer").get("/calls/CA1").json
    assert (call["charges"], call["amount"]) == (["CA1-1"], {"minor": 4250, "currency": "USD"})


def test_a_card_number_is_no_search_and_is_not_repeated():
    viewer = program(line_with_calls(), "viewer")
    answer = viewer.post("/calls/search", {"flow": CARD})
    assert (answer.status_code, "4111" in answer.text) == (422, False)


# ---- one person's data


def test_one_persons_data_is_counted_handed_out_and_deleted_and_each_is_on_record():
    line = line_with_calls()
    line.store.save_call(a_call("CA1", phase="over", ani=CALLER, outcome="unpaid"), 1, line.clock())
    operator, number = program(line, "operator"), {"number": "1 (555) 701-3998"}
    found: Any = operator.post("/persons/search", number).json
    assert (found["calls"], found["charges"]) == (1, 0)
    assert any("ledger" in reason for reason in found["stays"])
    taken: Any = operator.post("/persons/export", number).json
    assert [one["caller"] for one in taken["calls"]] == [CALLER]
    done: Any = operator.post("/persons/deletion", number).json
    assert (done["calls"], done["charges"]) == (1, 0)
    assert line.store.load_call("CA1") is None
    again = operator.post("/persons/deletion", number)
    assert (again.status_code, CALLER[1:] in again.text) == (404, False)
    for what in ("personal data looked for", "personal data exported", "personal data deleted"):
        about, *_ = events(line, what)
        assert "...998" in about
        assert CALLER[1:] not in about


def test_while_a_call_goes_on_nothing_is_deleted():
    line = line_with_calls()
    refused = program(line, "operator").post("/persons/deletion", {"number": CALLER})
    assert (refused.status_code, "a call goes on" in refused.text) == (409, True)
    assert line.store.load_call("CA1") is not None


@pytest.mark.parametrize("path", ["/persons/search", "/persons/export", "/persons/deletion"])
@pytest.mark.parametrize(
    ("number", "status"),
    [("", 422), ("anonymous", 422), ("abcde", 422), ("+15550100222", 404), ("5550100", 404), (CARD, 422)],
)
def test_a_number_of_nobody_is_said_to_be_one_and_never_repeated(path: str, number: str, status: int):
    line = line_with_calls()
    answer = program(line, "operator").post(path, {"number": number})
    assert answer.status_code == status
    assert not number or number not in answer.text
    on_record = [one.about for one in line.store.audit_events(9) if one.what == "personal data looked for"]
    assert len(on_record) == (status == 404)
    assert "of withheld" not in answer.text


def test_what_is_no_telephone_number_is_told_with_one_that_is():
    told: Any = program(line_with_calls(), "operator").post("/persons/search", {"number": "abc"}).json
    assert told["errors"] == [
        {
            "place": "body.number",
            "cure": "that is no telephone number: expected it with the country's code, such as +1 202 555 0100",
        }
    ]


# ---- stops


def test_the_line_is_stopped_and_started_again_on_record():
    line = line_with_calls()
    operator = program(line, "operator")
    stopped: Any = operator.post("/stops", {"scope": "line", "reason": "the bank is silent"}).json
    assert [(one["scope"], one["reason"], one["by"]) for one in stopped["stops"]] == [
        ("line", "the bank is silent", "ada")
    ]
    assert line.store.is_stopped("pay-a-bill", "acme_bank")
    assert operator.post("/stops", {"scope": "line", "reason": "again"}).status_code == 409
    assert operator.post("/stops/end", {"scope": "line"}).json == {"stops": []}
    again: Any = operator.post("/stops/end", {"scope": "line"})
    assert (again.status_code, [one["place"] for one in again.json["errors"]]) == (409, ["body.scope"])
    assert len(events(line, "charging stopped")) == len(events(line, "charging started")) == 1


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"scope": "bank", "name": "acme_bnak", "reason": "silent"}, "body.name"),
        ({"scope": "flow", "reason": "silent"}, "body.name"),
        ({"scope": "line", "name": "pay", "reason": "silent"}, "body.name"),
        ({"scope": "line", "reason": "..."}, "body.reason"),
        ({"scope": "line", "reason": CARD}, "body.reason"),
    ],
)
def test_what_cannot_be_stopped_is_told_with_its_place_and_stops_nothing(asked: dict[str, str], place: str):
    line = line_with_calls()
    refused = program(line, "operator").post("/stops", asked)
    told: Any = refused.json
    assert (refused.status_code, [one["place"] for one in told["errors"]]) == (422, [place])
    assert "4111" not in refused.text
    assert line.store.stops() == []
