"""Flows in the portal: what is live and what calls are on it, a version's source with check and traffic, publishing, four eyes."""

import re

import pytest
from werkzeug.test import TestResponse

from ivr.calls.flow_drafts import check_files, files_of
from ivr.calls.flow_folder import read_folder
from ivr.core.call import Call
from ivr.flow.compiler import NOTHING_AROUND
from ivr.flow.content import Content, contents_of
from tests.benches import ROOT
from tests.portal.authors import FLOW, TEXT, live, publish_again, published_line, send_draft
from tests.portal.lines import Line, Person, told
from tests.store.payments import a_call

REPEAT, CHANGED = "repeat: 2", "repeat: 3"
CARD = "4111111111111111"
SCRIPT = "<script>alert(1)</script>"


def call_on(line: Line, digest: str, name: str) -> None:
    call: Call = a_call(name, flow_version=digest)
    line.store.save_call(call, 0, line.clock())


def events(line: Line) -> list[tuple[str, str, str]]:
    return [
        (one.who, one.what, one.about)
        for one in line.store.audit_events(20)
        if "flow" in one.what or "author" in one.what
    ]


# ---- what there is


def test_each_flow_says_which_version_is_live_by_whom_and_how_many_calls_are_on_older_ones():
    line = published_line()
    call_on(line, live(line).digest, "CA1")
    publish_again(line, REPEAT, CHANGED)
    ada = line.signed_in("ada", "auditor")
    rows = re.findall(r"<td[^>]*>(.*?)</td>", ada.get("/flows").text)
    assert [re.sub(r"<[^>]+>", "", cell) for cell in rows][:1] == ["version 2"]
    assert rows[-3:] == ["2", "1", "1"]
    page = ada.get(f"/flows/{FLOW}").text
    assert page.count('<span class="badge paid">live</span>') == 1
    assert "Make live again" not in page, "an auditor changes nothing"


def test_a_withdrawn_flow_says_so():
    line = published_line()
    line.store.make_live(FLOW, 0)
    ada = line.signed_in("ada", "author")
    assert "withdrawn" in ada.get("/flows").text
    assert "no new call of it is answered" in ada.get(f"/flows/{FLOW}").text
    assert "version 1 of pay-a-bill is live again" in told(go_back(ada, 1, base=0))


def test_a_version_has_its_source_by_line_and_what_check_finds_at_it():
    line = published_line()
    line.banks = lambda: {}
    page = line.signed_in("ada", "operator").get(f"/flows/{FLOW}/versions/1").text
    number, text = found_below(page, "T408")
    assert "acme_bank" in text
    assert f'href="#{TEXT}-{number}"' in page


def found_below(page: str, code: str) -> tuple[str, str]:
    """The line that a problem stands below."""
    found = re.search(
        rf'<th scope="row" class="number">(\d+)</th><td>([^<]*)</td></tr>\s*<tr class="found wrong"><td></td><td>{code}',
        page,
    )
    assert found, page
    return found[1], found[2]


def test_a_version_is_drawn_with_how_many_calls_passed_each_step():
    line = published_line()
    line.store.save_call(
        a_call("CA2", phase="over", outcome="unpaid", moves=("- began", "account end")), 0, line.clock()
    )
    page = line.signed_in("ada", "author").get(f"/flows/{FLOW}/versions/1").text
    assert "1 call of the flow that is over, of whatever version, went through 1 of the" in page
    assert '<svg class="flow"' in page or "<svg" in page
    assert '<th scope="row">account</th><td class="number">1</td><td class="number">100 %</td>' in page
    assert line.signed_in("bob", "author").get(f"/flows/{FLOW}/versions/1?span=ever").status_code == 404


def test_two_versions_are_compared_in_words_and_by_line():
    line = published_line()
    publish_again(line, REPEAT, CHANGED)
    page = line.signed_in("ada", "author").get(f"/flows/{FLOW}/diff?old=1&new=2").text
    assert "~ repeat: 2 -&gt; 3" in page
    assert re.search(r'<tr class="gone"><td class="number">-.*?</td><td>[^<]*repeat: 2', page)
    assert re.search(r'<tr class="new"><td class="number">\+.*?</td><td>[^<]*repeat: 3', page)


@pytest.mark.parametrize(
    "path", ["none", f"{FLOW}/versions/9", f"{FLOW}/versions/x", f"{FLOW}/diff?old=9", "none/draft"]
)
def test_what_there_is_not_is_not_found(path: str):
    assert published_line().signed_in("ada", "author").get(f"/flows/{path}").status_code == 404


# ---- publishing


def test_an_author_publishes_a_draft_and_it_is_on_record_as_the_command_line_writes_it():
    line = published_line()
    ada = line.signed_in("ada", "author")
    done = send_draft(ada, "publish", REPEAT, CHANGED)
    assert told(done) == "version 2 of pay-a-bill is live: calls that begin within seconds have it"
    assert (live(line).number, live(line).published_by) == (2, "ada")
    assert CHANGED in live(line).text
    assert events(line) == [("ada", "flow published", "pay-a-bill 2")]


def test_the_words_of_a_prompt_are_changed_with_the_draft():
    line = published_line()
    send_draft(
        line.signed_in("ada", "author"),
        "publish",
        "by itself. Please choose again.",
        "by itself. Choose again, please.",
        "prompts/en-US.yaml",
    )
    assert "Choose again, please." in live(line).prompts


def test_a_draft_with_errors_is_not_published_and_says_why_at_its_lines_and_loses_nothing():
    line = published_line()
    ada = line.signed_in("ada", "author")
    refused = send_draft(ada, "publish", "ok: charge", "ok: chrage")
    assert refused.status_code == 409
    assert "a draft with 1 problem cannot be published: pay-a-bill.yaml line" in told(refused)
    assert "no step is called &#39;chrage&#39; (did you mean &#39;charge&#39;?)" in refused.text
    assert "ok: chrage" in refused.text
    assert live(line).number == 1
    assert [(who, what) for who, what, _ in events(line)] == [("ada", "flow publication refused")]


def test_a_draft_of_another_name_and_one_that_changes_nothing_are_refused():
    line = published_line()
    ada = line.signed_in("ada", "author")
    assert "a draft of pay-a-bill begins with `flow: pay-a-bill`" in told(
        send_draft(ada, "publish", f"flow: {FLOW}", "flow: other")
    )
    assert "live already, and nothing has changed" in told(send_draft(ada, "publish"))
    assert line.store.published_flows() == [FLOW]


def test_what_was_published_meanwhile_is_not_overwritten_unseen():
    line = published_line()
    ada = line.signed_in("ada", "author")
    send_draft(ada, "draft", REPEAT, CHANGED)
    publish_again(line, REPEAT, "repeat: 1")
    page = ada.get(f"/flows/{FLOW}/draft").text
    assert "Version 2 has become live since this was begun from version 1" in page
    assert "another version has become live meanwhile" in told(send_draft(ada, "publish"))
    assert live(line).number == 2


def test_a_draft_is_kept_for_its_author_alone_until_it_is_thrown_away():
    line = published_line()
    ada, bob = line.signed_in("ada", "author"), line.signed_in("bob", "author")
    assert "The draft is kept" in told(send_draft(ada, "draft", REPEAT, CHANGED))
    assert CHANGED in ada.get(f"/flows/{FLOW}/draft").text
    assert CHANGED not in bob.get(f"/flows/{FLOW}/draft").text
    send_draft(ada, "draft/drop")
    assert CHANGED not in ada.get(f"/flows/{FLOW}/draft").text
    assert live(line).number == 1


@pytest.mark.parametrize(
    "one", contents_of(read_folder(ROOT / "flows", NOTHING_AROUND)).values(), ids=lambda one: one.flow
)
def test_a_draft_that_nobody_has_changed_is_the_version_that_it_was_begun_from(one: Content):
    """Prompts go through YAML and back."""
    checked = check_files(files_of(one), NOTHING_AROUND)
    assert checked.content == one


def test_a_draft_is_begun_from_any_version():
    line = published_line()
    publish_again(line, REPEAT, CHANGED)
    page = line.signed_in("ada", "author").get(f"/flows/{FLOW}/draft?from=1").text
    assert REPEAT in page
    assert 'name="base" value="2"' in page


# ---- going back


def go_back(person: Person, number: int, base: int) -> TestResponse:
    return person.fill_in(f"/flows/{FLOW}", f"/flows/{FLOW}/rollback", number=str(number), base=str(base))


def test_an_author_goes_back_to_an_earlier_version():
    line = published_line()
    publish_again(line, REPEAT, CHANGED)
    ada = line.signed_in("ada", "author")
    assert (
        told(go_back(ada, 1, base=2))
        == "version 1 of pay-a-bill is live again: calls that begin within seconds have it"
    )
    assert live(line).number == 1
    assert events(line) == [("ada", "flow rolled back", "pay-a-bill 1")]


def test_a_version_that_is_live_that_is_none_or_whose_bank_is_gone_is_refused():
    line = published_line()
    publish_again(line, REPEAT, CHANGED)
    ada = line.signed_in("ada", "author")
    assert "live already" in told(go_back(ada, 2, base=2))
    assert "there is no version 9" in told(go_back(ada, 9, base=2))
    assert "another version has become live" in told(go_back(ada, 1, base=1))
    assert ada.fill_in(f"/flows/{FLOW}", f"/flows/{FLOW}/rollback", number="x", base="2").status_code == 400
    line.banks = lambda: {}
    other = line.somebody("ada")
    other.secret = ada.secret
    line.clock.passes(seconds=60)
    other.sign_in()
    assert "it cannot be used any more" in told(go_back(other, 1, base=2))
    assert live(line).number == 2
    assert [what for _, what, _ in events(line)] == ["flow rollback refused"] * 4


# ---- four eyes


def test_a_second_author_sees_what_changes_and_allows_it_and_the_first_cannot():
    line = published_line(takes_two=True)
    ada, bob = line.signed_in("ada", "author"), line.signed_in("bob", "author")
    assert told(send_draft(ada, "publish", REPEAT, CHANGED)) == "publication of pay-a-bill waits for a second author"
    assert live(line).number == 1
    (waiting,) = line.store.waiting_flow_requests()
    place = f"/flow-requests/{waiting.id}"
    assert "~ repeat: 2 -&gt; 3" in bob.get(place).text
    alone = ada.fill_in(place, place, word="allow")
    assert "whoever asked for it cannot allow it" in told(alone)
    assert live(line).number == 1
    assert "version 2 of pay-a-bill is live" in told(bob.fill_in(place, place, word="allow"))
    assert (live(line).number, live(line).published_by) == (2, "ada")
    assert "decided meanwhile" in told(bob.fill_in(place, place, word="refuse"))
    assert [(who, what) for who, what, _ in reversed(events(line))] == [
        ("ada", "second author asked"),
        ("ada", "flow publication refused"),
        ("bob", "second author allowed"),
        ("ada", "flow published"),
        ("bob", "flow publication refused"),
    ]


def test_a_way_back_takes_two_as_well_and_is_refused_or_taken_back():
    line = published_line(takes_two=True)
    publish_again(line, REPEAT, CHANGED)
    ada, bob = line.signed_in("ada", "author"), line.signed_in("bob", "author")
    for person in (bob, ada):
        assert "waits for a second author" in told(go_back(ada, 1, base=2))
        assert "waits for a second author already" in told(go_back(ada, 1, base=2))
        (waiting,) = line.store.waiting_flow_requests()
        place = f"/flow-requests/{waiting.id}"
        assert told(person.fill_in(place, place, word="refuse")) == "rollback of pay-a-bill to version 1 is refused"
    assert live(line).number == 2


def test_what_has_changed_since_it_was_asked_for_is_not_allowed():
    line = published_line(takes_two=True)
    ada, bob = line.signed_in("ada", "author"), line.signed_in("bob", "author")
    send_draft(ada, "publish", REPEAT, CHANGED)
    publish_again(line, REPEAT, "repeat: 1")
    (waiting,) = line.store.waiting_flow_requests()
    place = f"/flow-requests/{waiting.id}"
    assert "another version has become live meanwhile" in told(bob.fill_in(place, place, word="allow"))
    assert live(line).number == 2
    assert line.store.waiting_flow_requests(), "it is still there to be refused"


def test_one_who_may_only_look_sees_what_waits_and_has_no_button():
    line = published_line(takes_two=True)
    send_draft(line.signed_in("ada", "author"), "publish", REPEAT, CHANGED)
    (waiting,) = line.store.waiting_flow_requests()
    eve = line.signed_in("eve", "auditor")
    page = eve.get(f"/flow-requests/{waiting.id}").text
    assert "waits for a second author" in page
    assert "Allow: it goes live" not in page
    assert eve.fill_in("/flows", f"/flow-requests/{waiting.id}", word="allow").status_code == 403
    assert eve.get("/flow-requests/F0").status_code == 404


# ---- what must not be


@pytest.mark.parametrize("to", ["publish", "draft", "draft/drop", "draft/check", "draft/complete", "rollback"])
def test_a_form_of_another_site_or_session_changes_nothing(to: str):
    line = published_line()
    ada = line.signed_in("ada", "author")
    fields = {"csrf_token": "0" * 64, "base": "1", "number": "1"}
    assert ada.post(f"/flows/{FLOW}/{to}", fields).status_code == 403
    assert ada.post(f"/flows/{FLOW}/{to}", fields, headers={"Origin": "https://evil.example"}).status_code == 403
    assert live(line).number == 1


def test_a_flow_that_holds_a_script_is_shown_as_text_everywhere():
    line = published_line()
    publish_again(line, "flow: pay-a-bill", f"flow: pay-a-bill # {SCRIPT}")
    ada = line.signed_in("ada", "author")
    send_draft(ada, "draft", "start: account", f"start: account # {SCRIPT} </textarea>{SCRIPT}")
    pages = [ada.get(f"/flows/{FLOW}/{path}") for path in ("versions/2", "diff?old=1&new=2", "draft")]
    pages.append(send_draft(ada, "publish", "ok: charge", f"ok: '{SCRIPT}'"))
    for page in pages:
        assert SCRIPT not in page.text
        assert "&lt;script&gt;" in page.text


def test_a_card_number_in_a_draft_is_kept_nowhere_and_shown_nowhere():
    line = published_line()
    ada = line.signed_in("ada", "author")
    for to in ("draft", "publish"):
        assert "could be a card number" in told(send_draft(ada, to, "start: account", f"start: account # {CARD}"))
    assert line.store.flow_draft(FLOW, "ada") is None
    assert live(line).number == 1
    checked = send_draft(ada, "draft/check", "start: account", f"start: '{CARD}'")
    assert CARD not in checked.text
    publish_again(line, "start: account", f"start: account # {CARD}")
    for path in ("versions/2", "diff?old=1&new=2"):
        assert CARD not in ada.get(f"/flows/{FLOW}/{path}").text
    assert not any(CARD in one.about for one in line.store.audit_events(50))


# ---- while somebody types


def test_problems_of_what_is_typed_come_with_their_lines():
    answer = send_draft(published_line().signed_in("ada", "author"), "draft/check", "ok: charge", "ok: chrage").json
    assert answer is not None
    (problem,) = answer["problems"]
    assert not answer["is_good"]
    assert problem["code"] == "T301"
    assert (problem["file"], problem["level"], problem["cure"]) == (TEXT, "problem", "did you mean 'charge'?")


def test_what_could_stand_at_the_cursor_is_offered():
    ada = published_line().signed_in("ada", "author")
    answer = send_draft(ada, "draft/complete", "start: account", "start: acc", line="9", column="11").json
    assert answer is not None
    assert [one["label"] for one in answer["options"]] == ["account"]
    assert send_draft(ada, "draft/complete", line="9", column="x").status_code == 400
