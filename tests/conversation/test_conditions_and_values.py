"""Conditions and computed values in a call: which way it goes, what is to be paid, and what the caller hears."""

from datetime import UTC, date, datetime

import pytest

from ivr.core.events import ChargeRefused, LookedUp
from ivr.core.money import Money
from ivr.flow.compiled import Flow
from ivr.flow.compiler import Around, compile_flow
from ivr.flow.part_files import read_parts
from tests.conversation.talk import ROOT, Talk

EARLY = (ROOT / "flows" / "early-payment.yaml").read_text(encoding="utf-8")
PARTS = read_parts((file.name, file.read_bytes()) for file in sorted((ROOT / "flows" / "parts").glob("*.yaml")))
BILL = {"bill.due": Money(1050), "bill.min": Money(500), "bill.discount_until": date(2026, 3, 10)}


def flow(*changes: tuple[str, str]) -> Flow:
    text = EARLY
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    found, problems = compile_flow("early-payment.yaml", text, Around(parts=PARTS))
    assert found is not None, "\n".join(map(str, problems))
    return found


def talk_at(moment: str, *changes: tuple[str, str], bill: dict | None = None) -> Talk:
    """A caller who has keyed in an account number then, in New York's time zone of winter less five hours."""
    talk = Talk(flow(*changes))
    talk.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    talk.start().keys("1").keys("12345678#")
    return talk.hear(LookedUp(talk.now, True, bill or BILL))


def said(talk: Talk) -> list[str]:
    return [phrase.name for phrase in talk.phrases]


def test_the_date_is_that_of_the_flows_time_zone():
    late = ("20:00", "24:00")
    assert "pay_early" in said(talk_at("2026-03-11 03:59", late))  # 23:59 on the tenth, in summer time
    assert "pay_early" not in said(talk_at("2026-03-11 12:00", late))


def test_a_discount_is_rounded_half_up_and_said_before_it_is_chosen():
    talk = talk_at("2026-03-10 14:00")
    values = dict(talk.phrases[0].values)
    assert (values["saved"], values["early_amount"]) == (Money(53), Money(997))
    talk.keys("1")
    assert talk.call.values["amount"] == Money(997)


def test_when_less_is_due_by_then_it_is_computed_again_from_the_first_set():
    talk = talk_at("2026-03-10 14:00").keys("1")
    for keys in ("4111111111111111", "1230", "123"):
        talk.keys(keys)
    talk.keys("1")
    talk.hear(ChargeRefused(talk.now, "due_changed", Money(800)))
    assert said(talk)[:2] == ["due_changed", "pay_early"]
    talk.keys("1")
    assert talk.call.values["amount"] == Money(760)


def test_an_amount_is_lowered_to_what_is_due():
    fee = (
        "set: {saved: 5 % of bill.due, early_amount: bill.due - saved}\n    then: early",
        "set: {amount: bill.due + 2 %}\n    then: card",
    )
    early = (
        "  early:\n    menu:\n      1: {say: pay_early, set: early_amount, then: card}\n      2: {say: pay_another_amount, then: other_amount}\n",
        "",
    )
    assert talk_at("2026-03-10 14:00", fee, early).call.values["amount"] == Money(1050)


@pytest.mark.parametrize(
    ("amount", "heard"), [("bill.due - 20.00 USD", "bill_not_payable"), ("bill.due - 10.50 USD", "bill_not_payable")]
)
def test_an_amount_of_nothing_ends_the_call_uncharged(amount: str, heard: str):
    nothing = (
        "set: {saved: 5 % of bill.due, early_amount: bill.due - saved}\n    then: early",
        f"set: {{amount: {amount}}}\n    then: card",
    )
    early = (
        "  early:\n    menu:\n      1: {say: pay_early, set: early_amount, then: card}\n      2: {say: pay_another_amount, then: other_amount}\n",
        "",
    )
    talk = talk_at("2026-03-10 14:00", nothing, early)
    assert heard in said(talk)
    assert "you_were_not_charged" in said(talk)
    assert talk.call.outcome == "unpaid"


def test_more_than_the_flow_takes_goes_on_by_else():
    whole = (
        "set: {saved: 5 % of bill.due, early_amount: bill.due - saved}\n    then: early",
        "set: {amount: bill.due}\n    then: card\n    else: other_amount",
    )
    early = (
        "  early:\n    menu:\n      1: {say: pay_early, set: early_amount, then: card}\n      2: {say: pay_another_amount, then: other_amount}\n",
        "",
    )
    talk = talk_at("2026-03-10 14:00", whole, early, bill={**BILL, "bill.due": Money(60000)})
    assert said(talk) == ["limit_max_amount", "enter_money"]


def test_a_closed_line_says_when_it_opens_next():
    talk = Talk(flow())
    talk.now = datetime(2026, 3, 8, 6, 30, tzinfo=UTC)  # a Sunday, half an hour before the clock is put forward
    talk.start().keys("1")
    values = dict(talk.phrases[1].values)
    assert (talk.phrases[1].name, values["opens_on"], str(values["opens_at"])) == (
        "closed",
        date(2026, 3, 9),
        "07:00:00",
    )
    assert talk.call.outcome == "unpaid"


@pytest.mark.parametrize(
    ("condition", "is_true"),
    [
        ("language = en-US", True),
        ("language in [es-MX]", False),
        ('caller starts with "+1555"', True),
        ('channel = "simulator" and called = "+15550199"', True),
        ("weekday = tuesday and now >= 10:00", True),
        ('account_number starts with "99"', False),
        ("bill.discount_until - today < 1 day", True),
    ],
)
def test_what_a_call_knows_of_itself_can_be_asked(condition: str, is_true: bool):
    written = condition.replace("'", "''")
    talk = talk_at(
        "2026-03-10 14:00",
        ("{if: today <= bill.discount_until, then: reduced}", f"if: '{written}'\n        then: reduced"),
    )
    assert ("pay_early" in said(talk)) is is_true
