"""Flows by the API: a way back to an earlier version, alone or with a second author's word, as the pages have it and on record."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from ivr.bank import BankSettings
from ivr.store import WITHDRAWN
from tests.portal.authors import FLOW, live, publish_again, published_line, send_draft
from tests.portal.lines import Line, own_banks
from tests.portal.programs import Program, events, program

CARD = "4111111111111111"
LIVE_AGAIN = f"version 1 of {FLOW} is live again: calls that begin within seconds have it"


def line_of_two_versions(*, takes_two: bool = False) -> Line:
    line = published_line(takes_two=takes_two)
    publish_again(line, "repeat: 2", "repeat: 3")
    return line


def back(sender: Program, key: str = "way-back", flow: str = FLOW, **body: object) -> TestResponse:
    return sender.post(f"/flows/{flow}/rollback", {"number": 1, "live": 2, **body}, key)


def decide(sender: Program, request: str, key: str = "one-word", *, allow: bool = True) -> TestResponse:
    return sender.post(f"/flow-requests/{request}/decision", {"allow": allow}, key)


# ---- alone


def test_an_earlier_version_answers_again_once_for_each_key_and_on_record():
    line = line_of_two_versions()
    author = program(line, "author")
    first = back(author)
    assert (first.status_code, first.json) == (202, {"told": LIVE_AGAIN, "live": 1, "waits_as": None})
    assert live(line).number == 1
    assert back(author, live=1, number=2, key="forward-again").status_code == 202
    late = back(author)
    assert late.data == first.data
    assert live(line).number == 2
    assert events(line, "flow rolled back") == [f"{FLOW} 2", f"{FLOW} 1"]


def test_a_way_back_whose_answer_was_lost_with_its_process_is_found_gone(monkeypatch: pytest.MonkeyPatch):
    line = line_of_two_versions()
    author = program(line, "author")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        back(author)
    again = back(author)
    told = {"told": f"version 1 of {FLOW} is live already", "live": 1, "waits_as": None}
    assert (again.status_code, again.json) == (202, told)
    assert len(events(line, "flow rolled back")) == 1
    assert events(line, "flow rollback refused") == []


@pytest.mark.parametrize(
    ("body", "status", "places"),
    [
        ({"number": 9}, 409, ["body.number"]),
        ({"live": 1}, 409, ["body.live"]),
        ({"live": None}, 409, ["body.live"]),
        ({"number": 2}, 409, []),  # it is live already
        ({"number": 0}, 400, ["body.number"]),
        ({"number": "1"}, 400, ["body.number"]),
        ({"live": int(CARD)}, 400, ["body.live"]),
    ],
)
def test_a_way_back_that_cannot_be_gone_is_told_with_its_place(body: dict[str, object], status: int, places: list[str]):
    line = line_of_two_versions()
    refused = back(program(line, "author"), **body)
    problem: Any = refused.json
    assert (refused.status_code, [one["place"] for one in problem["errors"]]) == (status, places)
    assert CARD not in refused.text
    assert live(line).number == 2
    assert len(events(line, "flow rollback refused")) == (status == 409)


def test_a_version_that_todays_banks_do_not_carry_is_refused():
    line = line_of_two_versions()
    line.banks = lambda: {}
    refused = back(program(line, "author"))
    assert (refused.status_code, "it cannot be used any more" in refused.text) == (409, True)
    assert live(line).number == 2


def test_a_version_that_becomes_live_while_another_is_gone_back_to_is_not_overwritten():
    line = line_of_two_versions()
    author = program(line, "author")

    def banks() -> dict[str, BankSettings]:
        if live(line).number == 2:
            publish_again(line, "repeat: 3", "repeat: 4")
        return own_banks()

    line.banks = banks  # read between the look at what is live and the change
    refused: Any = back(author).json
    assert (refused["status"], refused["errors"][0]["place"]) == (409, "body.live")
    assert live(line).number == 3
    assert events(line, "flow rolled back") == []


def test_a_flow_that_was_withdrawn_goes_back_from_none():
    line = line_of_two_versions()
    line.store.make_live(FLOW, WITHDRAWN)
    author = program(line, "author")
    assert back(author).status_code == 409
    assert back(author, "from-nothing", live=None).status_code == 202
    assert live(line).number == 1


def test_no_way_back_without_a_key_or_for_a_flow_that_there_is_not():
    line = line_of_two_versions()
    author = program(line, "author")
    assert [back(author, "").status_code, back(author, flow="none").status_code] == [400, 404]
    assert live(line).number == 2


@pytest.mark.parametrize("role", ["operator", "auditor"])
def test_who_reads_flows_changes_none(role: str):
    line = line_of_two_versions(takes_two=True)
    request = waits(line)
    reader = program(line, role, "eve")
    assert reader.get("/flow-requests").status_code == 200
    assert reader.get(f"/flow-requests/{request}").status_code == 200
    assert back(reader).status_code == decide(reader, request).status_code == 403
    assert live(line).number == 2


# ---- with a second author's word


def waits(line: Line) -> str:
    """The id of ada's request to go back to the first version."""
    asked: Any = back(program(line, "author")).json
    assert (asked["live"], asked["told"]) == (2, f"rollback of {FLOW} to version 1 waits for a second author")
    return str(asked["waits_as"])


def test_where_two_must_another_author_allows_it_and_both_are_on_record():
    line = line_of_two_versions(takes_two=True)
    request = waits(line)
    assert live(line).number == 2
    ada, bob = program(line, "author"), program(line, "author", "bob")
    listed: Any = bob.get("/flow-requests").json
    (shown,) = listed["waiting"]
    assert (shown["id"], shown["kind"], shown["number"], shown["live"], shown["asked_by"]) == (
        request,
        "rollback",
        1,
        2,
        "ada",
    )
    own = decide(ada, request)
    assert (own.status_code, "whoever asked for it cannot allow it" in own.text) == (409, True)
    allowed = decide(bob, request)
    assert (allowed.status_code, allowed.json) == (202, {"told": LIVE_AGAIN, "live": 1, "waits_as": None})
    assert decide(bob, request).data == allowed.data
    assert decide(bob, request, "another-word").status_code == 409
    assert live(line).number == 1
    assert bob.get("/flow-requests").json == {"waiting": []}
    assert events(line, "second author asked") == [f"rollback of {FLOW} to version 1"]
    assert events(line, "second author allowed") == [f"rollback of {FLOW} to version 1, asked by ada"]


@pytest.mark.parametrize("allow", [True, False])
def test_a_word_whose_answer_was_lost_with_its_process_is_found_said(allow: bool, monkeypatch: pytest.MonkeyPatch):
    line = line_of_two_versions(takes_two=True)
    request, bob = waits(line), program(line, "author", "bob")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        decide(bob, request, allow=allow)
    again: Any = decide(bob, request, allow=allow)
    told = f"version 1 of {FLOW} is live already" if allow else f"rollback of {FLOW} to version 1 is refused"
    assert (again.status_code, again.json) == (202, {"told": told, "live": 1 if allow else 2, "waits_as": None})
    assert len(events(line, "flow rolled back")) == allow
    assert events(line, "flow rollback refused") == []
    other = decide(bob, request, "another-key", allow=allow)
    assert other.status_code == 409


def test_a_word_whose_process_ended_before_it_was_done_is_done_by_the_same_request(monkeypatch: pytest.MonkeyPatch):
    line = line_of_two_versions(takes_two=True)
    request, bob = waits(line), program(line, "author", "bob")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        killed.setattr(line.store, "make_live", raise_fault)
        assert decide(bob, request).status_code == 503
    assert live(line).number == 2
    assert decide(bob, request).status_code == 202
    assert live(line).number == 1


def raise_fault(*_: object, **__: object) -> None:
    raise OSError("the process ends here")


def test_the_same_wish_waits_once_whatever_its_key_and_another_is_refused():
    line = line_of_two_versions(takes_two=True)
    request = waits(line)
    again: Any = back(program(line, "author"), "another-key").json
    assert again["waits_as"] == request
    assert back(program(line, "author", "bob")).status_code == 409
    assert len(line.store.waiting_flow_requests()) == 1


def test_whoever_asked_takes_it_back_and_another_refuses():
    for user in ("ada", "bob"):
        line = line_of_two_versions(takes_two=True)
        request = waits(line)
        refused: Any = decide(program(line, "author", user), request, allow=False).json
        assert refused == {"told": f"rollback of {FLOW} to version 1 is refused", "live": 2, "waits_as": None}
        story: Any = program(line, "author").get(f"/flow-requests/{request}").json
        assert story["status"] == "refused"


def test_what_would_change_is_read_before_a_word_is_said():
    line = line_of_two_versions(takes_two=True)
    story: Any = program(line, "author", "bob").get(f"/flow-requests/{waits(line)}").json
    assert any("repeat" in change for change in story["changes"])
    assert "repeat: 2" in story["files"][f"{FLOW}.yaml"]
    assert (story["status"], story["check"]) == ("waiting", [])


def test_a_publication_that_an_author_asked_for_on_a_page_is_allowed_by_a_program():
    line = published_line(takes_two=True)
    send_draft(line.signed_in("ada", "author"), "publish", "repeat: 2", "repeat: 3")
    bob = program(line, "author", "bob")
    listed: Any = bob.get("/flow-requests").json
    (shown,) = listed["waiting"]
    assert (shown["kind"], shown["number"], shown["live"]) == ("publication", None, 1)
    assert decide(bob, shown["id"]).status_code == 202
    assert live(line).number == 2


def test_a_request_that_there_is_not_is_told_with_its_place():
    author = program(line_of_two_versions(), "author")
    for answer in (author.get("/flow-requests/F1"), author.get("/flow-requests/R1"), decide(author, "F1")):
        problem: Any = answer.json
        assert (answer.status_code, [one["place"] for one in problem["errors"]]) == (404, ["path.change"])


def test_where_another_version_went_live_meanwhile_nothing_is_allowed():
    line = line_of_two_versions(takes_two=True)
    request = waits(line)
    publish_again(line, "repeat: 3", "repeat: 4")
    refused = decide(program(line, "author", "bob"), request)
    assert (refused.status_code, "another version has become live meanwhile" in refused.text) == (409, True)
    assert live(line).number == 3
