"""Purchases and reversals at the simulator's ISO 8583 host, over TLS: what each of its cards becomes, with its books as judge."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ivr.bank import judge
from ivr.bank.iso8583.answers import read_purchase
from ivr.bank.iso8583.client import Iso8583Bank
from ivr.bank.iso8583.spec import SHIPPED_SPEC, PartialAnswer, load_spec
from ivr.bank.simulator import BY_NAME
from ivr.core.money import Money
from ivr.errors import ConfigError
from tests.bank.iso8583.running import RunningHost, as_said, traced


def test_a_purchase_is_approved_and_booked_under_its_retrieval_reference(client: Iso8583Bank, host: RunningHost):
    request = traced(client, host.request())
    answer = client.authorize(request)
    assert (answer.outcome, answer.response_code, answer.amounts) == ("approved", "00", (as_said(request.amount),))
    entry = host.entry(request.trace)
    assert entry is not None
    assert (entry.outcome, entry.last4, entry.amount) == ("approved", "1111", request.amount)
    assert entry.authorization_code == answer.authorization_code
    assert judge(answer, "authorize", request.amount) is answer


@pytest.mark.parametrize("name", ["do_not_honor", "insufficient_funds", "expired_card", "invalid_card", "lost_card"])
def test_a_refusing_code_is_a_decline(name: str, client: Iso8583Bank, host: RunningHost):
    request = traced(client, host.request(BY_NAME[name].pan))
    answer = client.authorize(request)
    assert (answer.outcome, answer.response_code) == ("declined", BY_NAME[name].response_code)


@pytest.mark.parametrize(
    ("name", "is_booked"),
    [
        ("error_before", False),
        ("error_after", True),
        ("closed_before", False),
        ("closed_after", True),
        ("garbled_after", True),
        ("duplicate", False),
    ],
)
def test_whatever_breaks_is_unknown_and_undone_by_a_reversal_that_names_it(
    name: str, is_booked: bool, client: Iso8583Bank, host: RunningHost
):
    request = traced(client, host.request(BY_NAME[name].pan))
    assert client.authorize(request).outcome == "unknown"
    entry = host.entry(request.trace)
    assert (entry is not None and entry.outcome == "approved") == is_booked
    assert client.undo(request, again=False).outcome == "reversed"
    entry = host.entry(request.trace)
    assert entry is not None
    assert entry.outcome == "reversed"


def test_a_purchase_that_comes_after_its_reversal_is_refused(client: Iso8583Bank, host: RunningHost):
    request = traced(client, host.request())
    assert client.undo(request, again=False).outcome == "reversed"
    assert client.authorize(request).response_code == "12"


def test_a_reversal_that_names_another_purchase_in_field_90_undoes_nothing(client: Iso8583Bank, host: RunningHost):
    request = traced(client, host.request())
    client.authorize(request)
    stan, at, retrieval = request.trace.split(" ")
    another = replace(request, trace=f"{int(stan) + 500_000:06d} {at} {retrieval}")
    assert client.undo(another, again=False).outcome != "reversed"
    entry = host.entry(request.trace)
    assert entry is not None
    assert entry.outcome == "approved"


def test_answers_out_of_order_each_find_their_question(client: Iso8583Bank, host: RunningHost):
    """The slow card's answer comes after the quick ones', which were asked later."""
    pans = [BY_NAME["slow"].pan, "4111111111111111", BY_NAME["do_not_honor"].pan] * 5
    requests = [traced(client, host.request(pan)) for pan in pans]
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(client.authorize, requests))
    assert [answer.outcome for answer in answers] == ["approved", "approved", "declined"] * 5
    codes = [entry.authorization_code for one in requests if (entry := host.entry(one.trace))]
    assert codes == [answer.authorization_code for answer in answers]


def test_nothing_leaves_that_was_written_down_long_ago(client: Iso8583Bank, host: RunningHost):
    old = client.new_trace(777_777, datetime.now(UTC) - timedelta(seconds=11))
    request = replace(host.request(), trace=old)
    assert client.authorize(request).outcome == "not_sent"
    assert host.entry(old) is None


def test_a_host_that_is_not_there_is_surely_not_sent_to(host: RunningHost):
    with host.client(url="tls://127.0.0.1:1", connect_timeout="50ms") as nobody:
        assert nobody.authorize(traced(nobody, host.request())).outcome == "not_sent"
        assert nobody.undo(traced(nobody, host.request()), again=False).outcome == "not_sent"


def test_a_field_that_was_sealed_for_another_payment_is_not_sent(client: Iso8583Bank, host: RunningHost):
    request = traced(client, host.request())
    moved = replace(request, reference="another-1")
    assert client.authorize(moved).outcome == "not_sent"
    assert host.entry(request.trace) is None


def test_a_forgetful_host_finds_nothing_to_reverse_and_that_is_believed_once_nothing_can_arrive(
    forgetful_host: RunningHost,
):
    late = datetime.now(UTC) + timedelta(seconds=91)
    with forgetful_host.client(reversals_block="false") as bank:
        request = traced(bank, forgetful_host.request())
        assert bank.undo(request, again=False).outcome == "unknown"
    with forgetful_host.client(now=lambda: late, reversals_block="false") as bank:
        answer = bank.undo(request, again=True)
        assert (answer.outcome, answer.response_code) == ("reversed", "25")


def test_a_part_is_approved_where_the_host_was_told_that_it_may(host: RunningHost):
    partial = BY_NAME["partial"].pan
    with host.client(partial_approvals="true") as client:
        assert client.promises.partial_approval
        request = traced(client, replace(host.request(partial), takes_part=True))
        answer = judge(client.authorize(request), "authorize", request.amount, takes_part=True)
        assert (answer.outcome, answer.response_code, answer.approved) == ("approved", "10", Money(2833))
        entry = host.entry(request.trace)
        assert entry is not None
        assert entry.amount == Money(2833)
        untold = traced(client, host.request(partial))
        assert (client.authorize(untold).outcome, client.authorize(untold).response_code) == ("declined", "51")


@pytest.mark.parametrize(
    ("partial", "answer", "approved"),
    [
        (PartialAnswer(), {"39": "10", "4": "000000001000"}, Money(1000)),
        (PartialAnswer(), {"39": "10", "4": "000000001000", "54": "0091840C000000004250"}, Money(1000)),
        (PartialAnswer(code="87"), {"39": "87", "4": "000000001000"}, Money(1000)),
        (PartialAnswer(amount_type="58"), {"39": "10", "4": "000000004250", "54": "0058840C000000001000"}, Money(1000)),
        (
            PartialAnswer(amount_type="58"),
            {"39": "10", "4": "000000004250", "54": "0091840C0000000042500058840D000000001000"},
            Money(1000),
        ),
        (PartialAnswer(), {"39": "10", "4": "000000004250"}, None),
        (PartialAnswer(amount_type="58"), {"39": "10", "4": "000000001000"}, None),
        (PartialAnswer(amount_type="58"), {"39": "10", "54": "0058840C00000000100"}, None),
        (PartialAnswer(amount_type="58"), {"39": "10", "54": "0058999C000000001000"}, None),
        (PartialAnswer(amount_type="58"), {"39": "10", "54": "0058840C000000001000" * 2}, None),
    ],
)
def test_how_much_a_host_has_approved_is_read_where_its_spec_says(
    partial: PartialAnswer, answer: dict[str, str], approved: Money | None
):
    said = read_purchase("CA1-1", {**answer, "38": "482913", "49": "840"}, Money(4250), partial)
    judged = judge(said, "authorize", Money(4250), takes_part=True)
    outcome = ("approved", approved) if approved else ("not_as_asked", None)
    assert (judged.outcome, judged.approved) == outcome


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('code: "10"', 'code: "00"', "partial_answer: 00 in field 39 approves all of the amount"),
        ('amount_type: ""', 'amount_type: "5"', "partial_answer.amount_type"),
        ("  amount_type:", "  amount_typ:", "unknown key 'amount_typ' (did you mean 'amount_type'?)"),
    ],
)
def test_a_wrong_word_on_partial_answers_is_told(old: str, new: str, told: str, tmp_path: Path):
    spec, shipped = tmp_path / "spec.yaml", SHIPPED_SPEC.read_text()
    assert old in shipped
    spec.write_text(shipped.replace(old, new))
    with pytest.raises(ConfigError) as found:
        load_spec(spec)
    assert told in str(found.value)


def test_a_host_that_could_not_be_told_of_parts_is_no_bank_that_promises_them(host: RunningHost, tmp_path: Path):
    spec = tmp_path / "spec.yaml"
    spec.write_text(SHIPPED_SPEC.read_text().replace('  "60": "1"\n', "").replace("partial: #", "# partial: #"))
    with (
        pytest.raises(ConfigError, match="'partial' says nothing"),
        host.client(partial_approvals="true", spec=str(spec)),
    ):
        raise AssertionError("it was opened")
