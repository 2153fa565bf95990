"""Which bills are offered: paged, without those that are paid or in doubt, and each paid for by itself."""

from datetime import UTC, datetime, timedelta

from ivr.conversation.engine import step
from ivr.core.actions import Collect, LookUp, SendSms, Speak
from ivr.core.call import Call, Charge
from ivr.core.events import CallStarted, Digits, KeysEntered, LookedUp, OpenBill
from ivr.core.money import Money
from ivr.flow.compiler import compile_flow

FLOW = """
flow: many
languages: [en-US]
limits: {max_amount: 500.00 USD}
lookups: {billing.find_bills: {takes: [customer]}}
start: customer
steps:
  customer:
    ask: customer
    length: 4
    lookup: billing.find_bills
    then: {found: which, not_found: retry, gave_up: bye}
  which:
    choose_bill: offer
    then: {chosen: amount, none_left: bye, finished: bye, gave_up: bye}
  amount:
    menu:
      1: {say: pay, set: bill.due, then: bye}
      2: {say: other, then: which}
  bye: {end: unpaid}
"""
AT = datetime(2026, 1, 15, tzinfo=UTC)


def bills(count: int) -> tuple[OpenBill, ...]:
    return tuple(
        OpenBill(f"B{one}", {"bill.due": Money(one * 100), "bill.min": Money(0)}) for one in range(1, count + 1)
    )


class Line:
    def __init__(self, found: tuple[OpenBill, ...], charges: tuple[Charge, ...] = (), flow: str = FLOW) -> None:
        compiled, problems = compile_flow("many.yaml", flow)
        assert compiled is not None, problems
        self.flow, self.at = compiled, AT
        self.call = Call("CA1", "many", "+15550100", "", "simulator", "en-US", charges=charges)
        self.happens(CallStarted(AT))
        self.keys("1234")
        assert isinstance(self.actions[0], LookUp)
        self.happens(LookedUp(self.at, True, bills=found))

    def keys(self, keys: str) -> None:
        self.at += timedelta(seconds=20)
        self.happens(KeysEntered(self.at, Digits(keys)))

    def happens(self, event) -> None:
        self.call, self.actions = step(self.flow, self.call, event)

    @property
    def said(self) -> list[tuple[str, object]]:
        phrases = [phrase for action in self.actions if isinstance(action, Speak) for phrase in action.phrases]
        return [(phrase.name, dict(phrase.values).get("key")) for phrase in phrases]


def test_more_than_a_page_of_bills_go_round():
    line = Line(bills(13))
    offered = [("offer", str(key)) for key in range(1, 7)]
    rest = [("more_bills", "7"), ("finish_bills", "8")]
    assert line.said == [("open_bills", None), *offered, *rest]
    line.keys("7")
    assert line.said == [*offered, *rest]
    line.keys("7")
    assert line.said == [("offer", "1"), *rest]
    line.keys("7")
    assert line.said == [*offered, *rest]
    line.keys("7")
    line.keys("2")
    assert line.call.payable is not None
    assert (line.call.payable.key, line.call.payable.source) == ("B8", "billing.find_bill")
    assert line.call.values["bill.due"] == Money(800)


def test_where_all_can_be_paid_a_page_has_a_key_less_and_the_sum_is_of_every_page():
    flow = FLOW.replace("chosen: amount, none_left", "chosen: amount, all: bye, none_left")
    line = Line(bills(7), flow=flow)
    offered = [("offer", str(key)) for key in range(1, 6)]
    rest = [("all_bills", "6"), ("more_bills", "7"), ("finish_bills", "8")]
    assert line.said == [("open_bills", None), *offered, *rest]
    line.keys("7")
    assert line.said == [("offer", "1"), ("offer", "2"), *rest]
    line.keys("2")
    assert line.call.payable is not None
    assert line.call.payable.key == "B7"
    line = Line(bills(7), flow=flow)
    line.keys("6")
    assert line.call.payable is not None
    assert line.call.payable.owed == Money(2800)
    assert [part.key for part in line.call.payable.parts] == [f"B{number}" for number in range(1, 8)]


def test_keys_that_offer_nothing_are_no_choice():
    line = Line(bills(2))
    line.keys("3")
    assert [name for name, _ in line.said][:2] == ["no_match", "offer"]
    line.keys("7")
    assert line.call.step == "which"


def test_one_bill_is_chosen_by_itself_and_none_ends_the_call():
    assert Line(bills(1)).call.step == "amount"
    over = Line(())
    assert (over.call.phase, over.said[0][0]) == ("over", "nothing_due")


def test_an_only_bill_is_offered_to_a_caller_who_comes_back_to_it():
    line = Line(bills(1))
    line.keys("2")
    assert line.said == [("open_bills", None), ("offer", "1"), ("finish_bills", "8")]
    line.keys("1")
    assert line.call.step == "amount"


LINKS = FLOW.replace("chosen: amount", "chosen: link").replace(
    """  amount:
    menu:
      1: {say: pay, set: bill.due, then: bye}
      2: {say: other, then: which}
""",
    "  link: {sms: pay_link, link: bill, then: which}\n",
)


def test_a_link_for_the_only_bill_is_sent_once_and_the_caller_asked():
    line = Line(bills(1), flow=LINKS)
    assert line.said == [("pay_link", None), ("open_bills", None), ("offer", "1"), ("finish_bills", "8")]
    assert sum(isinstance(action, SendSms) for action in line.actions) == 1


def test_nothing_left_that_leads_back_to_the_step_goes_round_for_ever():
    told = "  link: {sms: pay_link, link: bill, then: which}\n  none: {say: pay, then: which}\n"
    text = LINKS.replace("  link: {sms: pay_link, link: bill, then: which}\n", told)
    flow, problems = compile_flow("many.yaml", text.replace("none_left: bye", "none_left: none"))
    assert flow is None
    (problem,) = [str(one) for one in problems if "none_left" in str(one)]
    assert "many.yaml:15" in problem
    assert "comes back to 'which' without a wait" in problem


def test_a_bill_in_doubt_is_not_offered_and_a_last_one_is_asked_for_after_a_charge():
    line = Line(bills(2), (Charge(1, Money(100), "unknown", payable="B1"),))
    assert [name for name, _ in line.said] == ["open_bills", "offer", "finish_bills"]
    assert isinstance(line.actions[-1], Collect)
    line.keys("1")
    assert line.call.payable is not None
    assert line.call.payable.key == "B2"


def test_bills_of_a_sum_in_doubt_are_not_offered():
    line = Line(bills(3), (Charge(1, Money(300), "unknown", payable="B1, B2", bills=("B1", "B2")),))
    assert line.said == [("open_bills", None), ("offer", "1"), ("finish_bills", "8")]
    line.keys("1")
    assert line.call.payable is not None
    assert line.call.payable.key == "B3"


def test_the_list_is_kept_in_the_call_and_gone_at_its_end():
    line = Line(bills(2))
    assert Call.from_json(line.call.to_json()) == line.call
    line.keys("8")
    assert line.call.phase == "over"
    assert line.call.bills == ()
