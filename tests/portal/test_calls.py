"""Calls in the portal: those that go on, those of a day, one on its diagram, where callers stop, how long they take."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from ivr.calls.turns import in_words
from ivr.core.call import Call
from ivr.core.events import Digits, KeysEntered
from ivr.core.line_quality import LineQuality
from ivr.core.money import Money
from ivr.portal import live
from ivr.portal.live import MOST_WATCHING, QUIET_S, STILL_THERE, LiveFeed
from ivr.store import TurnRecord
from tests.benches import SAMPLE, load_flow
from tests.portal.lines import Line, Person, line_with
from tests.store.payments import NOW, a_call
from tests.store.test_agreements import PROMISE

DAY = "2026-01-15"


def line_with_calls() -> Line:
    """One that goes on at the account number, after a second try; one that is over."""
    flow, _ = load_flow(SAMPLE)
    line = Line(flows=lambda: {flow.name: flow})
    line.store.save_call(a_call(step="account"), 0, line.clock())
    for number, (after_s, step, said) in enumerate(
        [
            (0, "", ("choose_language",)),
            (3, "account", ("welcome", "enter_account_number")),
            (9, "account", ("not_found_account", "enter_account_number")),
        ],
        1,
    ):
        at = line.clock() + timedelta(seconds=after_s)
        line.store.note_turn(TurnRecord("CA1", number, at, "keys 2 digits", step, "entry", said, 4))
    over = replace(a_call("CA2", phase="over", outcome="unpaid"), ani="+15550777")
    over = over.changed(moves=("- began", "account gave_up", "account end"))
    line.store.save_call(over, 0, line.clock() + timedelta(minutes=1))
    return line


def search(person: Person, **fields: str) -> TestResponse:
    return person.fill_in("/calls", "/calls", **{"day": DAY, **fields})


def shown(answer: TestResponse) -> list[str]:
    return re.findall(r'<a href="/calls/(\w+)">', answer.text)


# ---- of a day


def test_calls_of_a_day_are_found_by_flow_outcome_and_the_end_of_the_number():
    ada = line_with_calls().signed_in("ada", "viewer")
    assert shown(search(ada)) == ["CA2", "CA1"]
    assert shown(search(ada, outcome="unpaid")) == ["CA2"]
    assert shown(search(ada, caller_end="...777")) == ["CA2"]
    assert shown(search(ada, flow="pay-a-bill", caller_end="100")) == ["CA1"]
    assert "No call is like that" in search(ada, day="2026-01-14").text
    assert "+15550777" not in search(ada).text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"caller_end": "5550777"}, "the last 3 digits"),
        ({"outcome": "lost"}, "expected one of paid"),
        ({"day": "yesterday"}, "expected a date"),
        ({"caller_end": "4111 1111 1111 1111"}, "that holds a card number"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_with_the_reason(fields: dict[str, str], why: str):
    refused = search(line_with_calls().signed_in("ada", "viewer"), **fields)
    assert refused.status_code == 400
    assert why in refused.text
    assert "4111" not in refused.text


def test_a_refused_search_keeps_its_other_fields():
    page = search(line_with_calls().signed_in("ada", "viewer"), caller_end="5550777").text
    assert f'value="{DAY}"' in page
    assert 'value="5550777"' in page


def test_more_than_a_page_is_found_page_by_page():
    line = Line()
    for number in range(60):
        line.store.save_call(a_call(f"CA{number:02d}", phase="over"), 0, line.clock())
    ada = line.signed_in("ada", "viewer")
    first = search(ada)
    older = re.search(r'name="older_than" value="([^"]+)"', first.text)
    assert older is not None
    seen = [*shown(first), *shown(search(ada, older_than=older[1]))]
    assert seen == [f"CA{number:02d}" for number in reversed(range(60))]


def test_how_good_a_line_is_is_shown_of_calls_that_go_on_of_a_day_and_of_one():
    line = line_with_calls()
    line.store.note_line("CA1", LineQuality(900, 100))
    ada = line.signed_in("ada", "viewer")
    told = "poor, 10 % lost"
    assert told in ada.get("/live").text
    assert search(ada, flow="pay-a-bill").text.count(told) == 1
    assert f"(line {told})" in ada.get("/calls/CA1").text
    assert "(line" not in ada.get("/calls/CA2").text  # nobody told: another carries its audio


def test_where_callers_stop_is_asked_of_the_flow_that_was_called():
    ada = line_with_calls().signed_in("ada", "viewer")
    assert 'href="/drop-off?flow=pay-a-bill"' in search(ada).text
    assert 'href="/drop-off"' in search(ada, day="2026-01-14").text


def test_twilio_does_not_say_how_an_entry_ended_and_our_own_line_does():
    entry = KeysEntered(NOW, Digits("12"), timed_out=True)
    assert in_words({}, a_call(), entry) == "••"
    assert in_words({}, replace(a_call(), channel="trunk"), entry) == "••, then silence"


# ---- one call


def test_a_call_is_shown_turn_by_turn_and_on_its_diagram():
    ada = line_with_calls().signed_in("ada", "viewer")
    answer = ada.get("/calls/CA1")
    assert "enter account number" in answer.text
    assert "<svg" in answer.text
    assert "+15550100" not in answer.text
    nonce = re.search(r'<style nonce="([^"]+)"', answer.text)
    assert nonce is not None
    assert f"style-src 'self' 'nonce-{nonce[1]}'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert ada.get("/calls/CA9").status_code == 404


def test_a_charge_and_its_call_lead_to_each_other():
    line = line_with_calls()
    line.charge()
    ada = line.signed_in("ada", "viewer")
    assert 'href="/payments/CA1-1"' in ada.get("/calls/CA1").text
    assert 'href="/calls/CA1"' in ada.get("/payments/CA1-1").text


def test_a_call_of_a_flow_that_is_gone_is_shown_without_a_diagram():
    line = line_with_calls()
    line.flows = dict
    answer = line.signed_in("ada", "viewer").get("/calls/CA1")
    assert "enter account number" in answer.text
    assert "<svg" not in answer.text


def test_what_callers_are_called_by_networks_is_never_html():
    line = line_with_calls()
    evil = Call("CA3", "pay-a-bill", "<b>1234567", "+1", "<i>twilio", "en-US", step="account")
    line.store.save_call(evil, 0, line.clock())
    ada = line.signed_in("ada", "viewer")
    for path in ("/live", "/calls/CA3", "/live/events"):
        assert "<i>twilio" not in ada.get(path).text
    assert "<i>twilio" not in search(ada).text


# ---- of many


def test_where_callers_stop_is_shown_of_a_flow():
    line = line_with_calls()
    page = line.signed_in("ada", "viewer").get("/drop-off?flow=pay-a-bill&span=all")
    assert "1 calls that are over; 1 lost on the way" in page.text
    assert "<svg" in page.text
    ada = line.signed_in("bob", "viewer")
    assert ada.get("/drop-off?flow=nobody").status_code == 404
    assert ada.get("/drop-off?span=ever").status_code == 404
    assert Line().signed_in("ada", "viewer").get("/drop-off").status_code == 200


def test_time_by_prompt_says_what_took_long_and_what_was_asked_again():
    ada = line_with_calls().signed_in("ada", "viewer")
    page = ada.get(f"/prompts?flow=pay-a-bill&day={DAY}").text
    row = re.search(
        r'<th scope="row">account</th><td>enter account number</td>((?:<td class="number">[^<]*</td>)+)', page
    )
    assert row is not None, page
    assert re.findall(r">([^<]+)<", row[1]) == ["1", "6.0", "0.1", "1", "100%"]
    assert ada.get("/prompts?flow=pay-a-bill&day=never").status_code == 404
    assert ada.get("/prompts?flow=nobody").status_code == 404
    assert "has turns on record" in Line().signed_in("ada", "viewer").get("/prompts").text


# ---- now


def told_by(part: bytes | None) -> dict[str, object]:
    assert part is not None
    found: dict[str, object] = json.loads(part.decode().removeprefix("data: "))
    return found


def feed_of(line: Line) -> LiveFeed:
    return LiveFeed(
        line.store, line.clock, lambda calls, _: " ".join(f"{one.call.id}@{one.call.step}" for one in calls)
    )


def test_the_calls_that_go_on_are_shown_and_told_as_an_event():
    line = line_with_calls()
    ada = line.signed_in("ada", "viewer")
    page = ada.get("/live").text
    assert "/calls/CA1" in page
    assert "/calls/CA2" not in page
    events = ada.get("/live/events")
    assert events.mimetype == "text/event-stream"
    assert events.headers["Cache-Control"] == "no-store"
    assert "/calls/CA1" in str(told_by(events.data)["html"])


def test_a_change_is_told_once_and_nothing_in_between():
    line = line_with_calls()
    watching = feed_of(line).watch(lambda: True)
    assert watching is not None
    assert told_by(watching.more())["html"] == "CA1@account"
    line.clock.passes(seconds=1)
    assert watching.more() == b""
    line.store.save_call(a_call(step="amount"), 1, line.clock())
    line.clock.passes(seconds=1)
    assert told_by(watching.more()) == {"now": int(line.clock().timestamp() * 1000), "html": "CA1@amount"}
    line.clock.passes(seconds=1)
    assert watching.more() == b""


def test_whoever_hears_nothing_for_a_while_is_told_that_it_is_still_there():
    line = line_with_calls()
    watching = feed_of(line).watch(lambda: True)
    assert watching is not None
    watching.more()
    heard = [watching.more() for _ in range(int(QUIET_S))]
    assert heard == [*[b""] * (int(QUIET_S) - 1), STILL_THERE]


def test_many_who_watch_cost_one_look_a_second():
    line, looks = line_with_calls(), []
    feed = LiveFeed(line.store, line.clock, lambda calls, _: str(looks.append(calls)))
    watchers = [feed.watch(lambda: True) for _ in range(10)]
    for watching in watchers:
        assert watching is not None
        watching.more()
    assert len(looks) == 1
    line.clock.passes(seconds=1)
    for watching in watchers:
        assert watching is not None
        watching.more()
    assert len(looks) == 2


def test_too_many_watch_nothing_and_a_place_is_free_again_when_one_leaves(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(live, "MOST_WATCHING", 2)
    assert MOST_WATCHING > 2
    feed = feed_of(Line())
    first, _ = feed.watch(lambda: True), feed.watch(lambda: True)
    assert feed.watch(lambda: True) is None
    assert first is not None
    first.close()
    assert feed.watch(lambda: True) is not None


def test_an_open_page_ends_with_its_session_and_does_not_keep_it():
    """Idle is who does nothing: the page's own stream is nothing."""
    line = line_with_calls()
    ada = line.signed_in("ada", "viewer")
    for _ in range(2):
        line.clock.passes(minutes=10)
        answer = ada.get("/live/events")
    assert answer.status_code == 303
    assert ada.get("/live").status_code == 303


def test_a_stream_ends_when_its_person_is_switched_off():
    line = line_with(origin="http://localhost:8002")
    ada = line.signed_in("ada", "viewer")
    held: list[object] = []
    ada.get("/live/events", environ_overrides={"tonetill.stream": held})
    (stream,) = held
    assert stream.more() is not None  # type: ignore[attr-defined]
    line.store.switch_user_off("ada", "root", line.clock())
    assert stream.more() is None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("kind", "words"), [("remember", "Agreed to be remembered"), ("keep_card", "Agreed to have the card kept")]
)
def test_what_a_caller_agreed_to_without_an_amount_is_shown_without_one(kind: str, words: str):
    line = Line()
    line.store.save_call(a_call(step="account"), 0, line.clock())
    line.store.record_agreement(replace(PROMISE, kind=kind, amount=Money(0), terms={}))
    page = line.signed_in("ada", "viewer").get("/calls/CA1").text
    assert words in page
    assert "0.00" not in page
