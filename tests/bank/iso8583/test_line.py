"""Whatever a host puts on the line: strange frames, strange answers, cuts and silence; read by us, written by a foreign library."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.bank import BankAnswer, judge
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.messages import read_trace
from tests.bank.iso8583.foreign import AMOUNTS, MUTE_ECHO, REFUSED_SIGN_ON
from tests.bank.iso8583.running import traced
from tests.bank.iso8583.strangers import Stranger, needs_stranger, spec_with

pytestmark = needs_stranger


@pytest.fixture(scope="module")
def patient(foreign: Stranger) -> Iterator[Iso8583Bank]:
    with foreign.client() as bank:
        yield bank


@pytest.fixture(scope="module")
def hasty(foreign: Stranger) -> Iterator[Iso8583Bank]:
    """For what is never answered."""
    with foreign.client(connect_timeout="20s", read_timeout="1500ms", repeat_after="500ms") as bank:
        yield bank


def asked(bank: Iso8583Bank, host: Stranger, way: str) -> BankAnswer:
    request = traced(bank, host.request(minor=AMOUNTS[way]))
    return judge(bank.authorize(request), "authorize", request.amount)


@pytest.mark.parametrize(
    ("way", "outcome", "why"),
    [
        ("partial", "not_as_asked", "partial_approval"),
        ("another amount", "not_as_asked", "another_amount"),
        ("another currency", "not_as_asked", "another_amount"),
        ("no authorization code", "unknown", "no_authorization_code"),
        ("unknown trace number first", "approved", None),
        ("another retrieval reference first", "approved", None),
        ("twice", "approved", None),
        ("drips", "approved", None),
        ("nothing in a frame first", "approved", None),
        ("cut", "unknown", "closed by the host"),
    ],
)
def test_only_an_answer_to_this_very_purchase_counts(
    way: str, outcome: str, why: str | None, patient: Iso8583Bank, foreign: Stranger
):
    answer = asked(patient, foreign, way)
    assert answer.outcome == outcome
    assert answer.reason in (why, "the connection broke")


@pytest.mark.parametrize("way", ["half", "silent", "oversized", "too short a length", "garbage in a frame"])
def test_what_is_no_answer_is_unknown_and_the_next_purchase_is_approved(
    way: str, hasty: Iso8583Bank, patient: Iso8583Bank, foreign: Stranger
):
    assert asked(hasty, foreign, way).outcome == "unknown"
    assert asked(patient, foreign, "drips").outcome == "approved"


def test_a_late_answer_is_nobodys_and_the_reversal_goes_its_way(hasty: Iso8583Bank, foreign: Stranger):
    request = traced(hasty, foreign.request(minor=AMOUNTS["late"]))
    before = hasty.link.late_answers
    assert hasty.authorize(request).outcome == "unknown"
    assert hasty.undo(request, again=False).outcome in ("reversed", "unknown")
    foreign.wait_for(lambda: hasty.link.late_answers > before)


def test_a_reversal_is_repeated_as_such_until_it_is_answered(foreign: Stranger):
    with foreign.client(repeat_after="500ms") as bank:
        request = traced(bank, foreign.request(minor=AMOUNTS["first reversal is not answered"]))
        assert bank.undo(request, again=False).outcome == "reversed"
    kinds = [one["0"] for one in foreign.seen(read_trace(request.trace).stan)]
    assert kinds[:2] == ["0420", "0421"]


def test_a_quiet_line_is_asked_for_an_echo(foreign: Stranger):
    with foreign.client(echo_every="1s") as bank:
        assert bank.link.echo() == "00"
        before = len([one for one in foreign.seen() if one.get("70") == "301"])
        foreign.wait_for(lambda: len([one for one in foreign.seen() if one.get("70") == "301"]) > before)


def test_a_line_that_answers_no_echo_is_begun_again(foreign: Stranger, tmp_path: Path):
    spec = str(spec_with(tmp_path, ('echo: "301"', f'echo: "{MUTE_ECHO}"'), ('sign_on: "001"', 'sign_on: "007"')))
    with foreign.client(
        spec=spec, echo_every="1s", read_timeout="1500ms", connect_timeout="20s", repeat_after="1s"
    ) as bank:
        bank.authorize(traced(bank, foreign.request()))
        foreign.wait_for(lambda: len([one for one in foreign.seen() if one.get("70") == "007"]) > 1)


def test_where_the_sign_on_is_refused_nothing_leaves(foreign: Stranger, tmp_path: Path):
    spec = str(spec_with(tmp_path, ('sign_on: "001"', f'sign_on: "{REFUSED_SIGN_ON}"')))
    with foreign.client(spec=spec, connect_timeout="3s") as bank:
        request = traced(bank, foreign.request())
        answer = bank.authorize(request)
    assert answer.outcome == "not_sent"
    assert "by 05 in field 39" in str(answer.reason)
    assert "0200" not in [one["0"] for one in foreign.seen(read_trace(request.trace).stan)]
