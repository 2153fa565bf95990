"""The pytest plugin in somebody else's project: call files are tests, failures are transcripts, `line` places calls."""

from pathlib import Path

import pytest

from tests.benches import ROOT
from tests.testing.projects import make_project, run_pytest

PAID = (ROOT / "tests" / "calls" / "approved.txt").read_text(encoding="utf-8")
CALLS = {
    "paid": PAID,
    "wrong": PAID.replace("  hears  enter_expiry", "  hears  enter_postal_code"),
    "unread": "call pay-a-bill\n  heers welcome\n  ends open\n",
    "unknown": "call pay-a-bil\n  ends open\n",
    "broken": "call broken\n  ends open\n",
    "never": "call pay-a-bill\n  never hears choose_language\n  hangs up\n  ends unpaid\n",
    "secret": "call pay-a-bill\n  keys 1\n  keys 4539578763621486#\n  hears welcome\n  hangs up\n  ends unpaid\n",
}
PYTHON = """
def pay(call):
    return call.press("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1").wait()

def test_paid_once_by_two_callers(line):
    first, second = line.call("pay-a-bill"), line.call("pay-a-bill", "+15550101")
    pay(first)
    second.press("1", "12345678#")
    assert "confirmation_number" in first.heard
    assert "pay_full_balance" not in second.heard
    first.hang_up(), second.hang_up()
    assert (first.ended, second.ended) == ("paid", "unpaid")
    assert first.payments == ["approved 42.50 USD"]
    assert line.books == "42.50 USD" and line.owes("12345678") == "0.00 USD"

def test_the_bank_and_the_bill_are_scripted(line):
    line.billing.owes("99999999", "5.00 USD")
    line.bank("declines 51")
    call = line.call("pay-a-bill").press("1", "99999999#", "1", "5555555555554444", "1230", "123", "94105", "1").wait()
    assert "card_declined" in call.heard
    assert call.payments == ["declined 5.00 USD"] and line.books == "nothing"

def test_billing_is_away(line):
    line.billing.behaviour = "is away"
    assert "bill_not_reached" in line.call("pay-a-bill").press("1", "12345678#").wait().ever_heard

def test_time_is_virtual_and_a_promise_is_texted(line):
    line.bank("is silent after charging")
    call = pay(line.call("pay-a-bill"))
    call.hang_up()
    line.pass_time("2h")
    line.settle()
    assert call.ended == "paid" or call.texts["result"]
    assert call.lasted_s >= 7200

def test_a_call_rings_when_it_is_said_to(line):
    call = line.call("pay-a-bill", at="2026-12-24 18:30")
    assert f"{line.bench.workbench.clock():%Y-%m-%d %H:%M}" == "2026-12-24 18:30"
    assert call.ended == "open"

def test_no_call_rings_yesterday(line):
    line.call("pay-a-bill", at="2026-01-14 12:00")

def test_no_call_rings_some_time(line):
    line.call("pay-a-bill", at="at noon")

def test_no_time_passes_in_a_second(line):
    line.pass_time("soon")
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_project(tmp_path_factory.mktemp("merchant") / "line", **CALLS)
    (folder / "flows" / "broken.yaml").write_text("flow: broken\nlanguages: [en-US]\nstart: nowhere\n")
    (folder / "test_line.py").write_text(PYTHON)
    (folder / "notes.txt").write_text("this is no call file")
    return folder


@pytest.fixture(scope="module", params=["core", "webhooks"])
def seen(request: pytest.FixtureRequest, project: Path) -> str:
    return run_pytest(project, "-q", "-rA", "--call-channel", request.param)


def test_a_call_that_goes_as_written_passes(seen: str):
    assert "PASSED calls/paid.txt::paid" in seen
    assert "notes.txt" not in seen


def test_a_failure_shows_what_was_heard_beside_what_was_expected_and_the_rest_of_the_call(seen: str):
    shown = seen[seen.index("calls/wrong.txt:13: did not hear enter_postal_code; heard enter_expiry") :]
    shown = shown[: shown.index("____")]
    lines = [line.split("|") for line in shown.splitlines()]
    marked = [" ".join(part.strip() for part in line) for line in lines if line[0].startswith("E")]
    assert marked == [
        "E   13    hears  enter_postal_code expected: hears enter_postal_code",
        "E instead:  did not hear enter_postal_code; heard enter_expiry",
    ]
    assert "enter_expiry: Enter its four digit expiration date" in shown
    assert "confirmation_number: Paid. Confirmation" in shown, "the rest of the call"
    assert "Traceback" not in seen
    assert ".py:" not in shown


@pytest.mark.parametrize(
    "line",
    [
        "calls/unread.txt:2: 'heers' is not a word of a call file (did you mean 'hears'?",
        "calls/unknown.txt: there is no flow 'pay-a-bil' in",
        "calls/broken.txt: flow 'broken' has problems:",
        "calls/never.txt:2: heard choose_language, which must never be heard",
    ],
)
def test_what_is_wrong_with_a_file_is_one_line_with_its_place(line: str, seen: str):
    assert line in seen


def test_a_card_number_that_is_no_test_card_is_not_shown(seen: str):
    assert "4539578763621486" not in seen
    assert "keys ••••••••••••••••#" in seen


def test_python_tests_place_calls_and_script_the_world(seen: str):
    for name in (
        "paid_once_by_two_callers",
        "the_bank_and_the_bill_are_scripted",
        "billing_is_away",
        "time_is_virtual",
        "a_call_rings_when_it_is_said_to",
    ):
        assert f"PASSED test_line.py::test_{name}" in seen, seen
    assert "'soon': expected a time such as 90s, 5m or 2h" in seen
    assert "'2026-01-14 12:00': it is later already: 2026-01-15 12:00 UTC" in seen
    assert "'at noon': expected a time such as 2026-12-24 18:30, in UTC" in seen


def test_a_project_without_flows_is_told_what_to_set(tmp_path: Path):
    (tmp_path / "calls").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\ntonetill_flows = lines\n")
    (tmp_path / "calls" / "paid.txt").write_text(PAID)
    assert "set tonetill_flows to the folder of your flows" in run_pytest(tmp_path, "-q")
