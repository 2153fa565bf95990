"""Calendars: holidays that several flows share, from a file beside the parts."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.content import compiled as compiled_content
from ivr.flow.content import stored_content
from ivr.flow.part_files import Parts, read_parts
from tests.versions import content

FLOW = """
flow: shares
languages: [en-US]
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
hours:
  zone: America/New_York
  holidays: [bank, 2026-12-24]
start: bye
steps:
  bye: {end: unpaid}
"""
BANK = """
calendar: bank
days: [12-25, 4th thursday of november]
"""


def parts(files: Mapping[str, str]) -> Parts:
    return read_parts((f"parts/{name}.yaml", text) for name, text in files.items())


def flow_with(calendar: str = BANK, flow: str = FLOW) -> Flow:
    compiled, problems = compile_flow("shares.yaml", flow, Around(parts=parts({"bank": calendar})))
    assert compiled is not None, problems
    return compiled


def told(calendar: str, flow: str = FLOW) -> list[str]:
    read = parts({"bank": calendar})
    problems = [*read.problems, *compile_flow("shares.yaml", flow, Around(parts=read))[1]]
    return [str(one) for one in sorted(problems)]


@pytest.mark.parametrize(
    ("day", "is_open"),
    [((2026, 11, 26), False), ((2026, 12, 24), False), ((2027, 12, 25), False), ((2027, 12, 24), True)],
)
def test_the_days_of_a_calendar_are_holidays_beside_the_flows_own(day: tuple[int, int, int], *, is_open: bool):
    hours = flow_with().head.hours
    assert hours is not None
    assert hours.opening.is_open(datetime(*day, 17, tzinfo=UTC)) is is_open


def test_a_day_that_is_none_is_told_in_the_calendar_and_the_flow_does_not_serve():
    first, second = told(BANK.replace("12-25", "12-32"))
    assert first.startswith("parts/bank.yaml:3:8: 'days': '12-32' is no holiday")
    assert second == "shares.yaml:7:14: calendar 'bank' has problems (mend parts/bank.yaml)"


def test_a_day_of_the_flows_own_is_told_at_its_own_place_behind_a_calendar():
    (only,) = told(BANK, FLOW.replace("2026-12-24", "2026-12-32"))
    assert only.startswith("shares.yaml:7:20: 'holidays': '2026-12-32' is no holiday")


def test_a_calendar_that_nobody_has_made_is_told_with_how_to_make_it():
    (only,) = told(BANK, FLOW.replace("bank,", "state,"))
    assert (
        only
        == "shares.yaml:7:14: no calendar is called 'state' (make parts/state.yaml, which begins with 'calendar: state')"
    )


def test_a_key_that_calendars_do_not_have_is_told_with_its_line():
    missing, unknown, unread = told(BANK.replace("days:", "dates:"))
    assert missing == "parts/bank.yaml:2:1: key 'days' is missing (add 'days: ...')"
    assert unknown.startswith("parts/bank.yaml:3:1: unknown key 'dates'")
    assert unread == "shares.yaml:7:14: calendar 'bank' has problems (mend parts/bank.yaml)"


def test_two_files_cannot_have_one_name():
    read = parts({"bank": BANK, "other": BANK})
    assert [str(one) for one in read.problems] == [
        "parts/other.yaml:2:1: 'bank' is also in parts/bank.yaml (rename one)"
    ]
    assert read.calendars == {}


def test_a_version_holds_the_calendar_that_it_was_published_with():
    version = stored_content("shares", FLOW, content().prompts_json, '{"bank": "calendar: bank\\ndays: [12-25]\\n"}')
    flow, _ = compiled_content(version)
    assert flow.head.hours is not None
    assert len(flow.head.hours.holidays) == 2
