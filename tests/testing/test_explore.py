"""Exploring finds what breaks a flow's money rules, and shows the shortest way to it; what is sound passes."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import text

from ivr.calls.payments import Payments
from ivr.channels.simulator import read_script
from ivr.core.actions import Authorize, Collect
from ivr.core.card_fees import FeeSchedule
from ivr.core.events import NoInput
from ivr.core.money import Money
from ivr.core.remembered import Remembered
from ivr.flow import consenting
from ivr.flow.drawing.coverage import counted
from ivr.flow.steps import collect
from ivr.flow.talk import ending, turn
from ivr.store import PaymentIntent, following
from ivr.testing.bank import ScriptedBank
from ivr.testing.explore import Depth, Explorer, as_call_file
from ivr.testing.explore import explorer as explorer_module
from ivr.testing.explore.acts import Act
from ivr.testing.explore.model import ModelledStore
from ivr.testing.explore.shrink import shrink
from ivr.testing.project import Project
from ivr.testing.quiet import quiet
from tests.benches import ROOT
from tests.testing.spoken_plants import SPOKEN, Plant

FLOWS, ACCOUNTS = ROOT / "flows", ROOT / "config" / "accounts.csv"
MOST_CALLS = 1500


@pytest.fixture(scope="module")
def project() -> Project:
    """Its files are read once, before a fault is planted."""
    project = Project(FLOWS, ACCOUNTS)
    assert not project.read.problems
    return project


# ---- faults as somebody might make them, each in one place


def refusal_is_taken_for_consent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(collect, "REFUSE_KEY", "0")
    patch.setattr(collect, "ACCEPT_KEY", "2")


def any_key_is_consent(patch: pytest.MonkeyPatch) -> None:
    hear = collect._hear_confirmation

    def eager(of: turn.Turn, event: Any) -> turn.Reply:
        reply = hear(of, event)
        return (of.change(phase="entry"), turn.Leave("ok")) if isinstance(event, NoInput) else reply

    patch.setattr(collect, "_hear_confirmation", eager)
    patch.setattr(collect, "no_input", lambda of: (of.change(phase="entry"), turn.Leave("ok")))


def a_cent_more_is_sent(patch: pytest.MonkeyPatch) -> None:
    authorize = Payments.authorize

    def more(self: Payments, call: Any, flow: Any, action: Authorize, *rest: Any) -> Any:
        amount = Money(action.amount.minor + 1, action.amount.currency)
        return authorize(self, call, flow, replace(action, amount=amount), *rest)

    patch.setattr(Payments, "authorize", more)


def a_paid_bill_is_not_lowered(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(following, "_LOWER_BILL", text("SELECT :account, :currency, :paid"))


def what_waits_for_the_bank_is_called_uncharged(patch: pytest.MonkeyPatch) -> None:
    def tell(of: turn.Turn) -> turn.Turn:
        return told(of) if of.call.approved else of.say("you_were_not_charged")

    told = ending.tell
    patch.setattr(ending, "tell", tell)


def the_ending_leaves_out_what_was_charged(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ending, "totals", lambda _charges: [])


def the_receipt_is_for_another_amount(patch: pytest.MonkeyPatch) -> None:
    values = ending.receipt_values
    patch.setattr(ending, "receipt_values", lambda charge: values(charge) | {"amount": Money(1)})


def silence_is_never_given_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(turn, "_out_of_tries", lambda _turn: False)


def the_bank_is_asked_again_blindly(patch: pytest.MonkeyPatch) -> None:
    authorize = ScriptedBank.authorize

    def twice(self: ScriptedBank, request: Any) -> Any:
        answer = authorize(self, request)
        return authorize(self, request) if answer.outcome == "unknown" else answer

    patch.setattr(ScriptedBank, "authorize", twice)


def a_promised_text_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("ivr.store.calls.add_job", lambda *_arguments: None)


def a_prompt_that_breaks(patch: pytest.MonkeyPatch) -> None:
    collect = turn.Turn.collect

    def broken(self: turn.Turn, field: str, *rest: Any, **more: Any) -> turn.Turn:
        if field == "money":
            raise KeyError(Collect.__name__)
        return collect(self, field, *rest, **more)

    patch.setattr(turn.Turn, "collect", broken)


def who_refuses_is_remembered(patch: pytest.MonkeyPatch) -> None:
    def remember(payments: Payments, call: Any) -> None:
        kept = Remembered(call.language, "700101")
        payments.store.remember_caller(payments.ani_hash(call.ani), call.flow, kept, "", datetime.now(UTC))

    patch.setattr("ivr.calls.runner.forget_caller", remember)


# The fault, the rule that it breaks, how many acts lead to it at most, and at which depth it can be found: what is wrong
# with the database's own rules is no fault of the model's.
FAULTS: dict[Callable[[pytest.MonkeyPatch], None], tuple[str, int, Depth]] = {
    refusal_is_taken_for_consent: ("consent", 14, "quick"),
    any_key_is_consent: ("consent", 14, "quick"),
    a_cent_more_is_sent: ("consent", 14, "quick"),
    a_paid_bill_is_not_lowered: ("bill", 9, "whole"),
    what_waits_for_the_bank_is_called_uncharged: ("ending", 14, "quick"),
    the_ending_leaves_out_what_was_charged: ("ending", 14, "quick"),
    the_receipt_is_for_another_amount: ("receipt", 14, "quick"),
    silence_is_never_given_up: ("end", 2, "quick"),
    the_bank_is_asked_again_blindly: ("books", 14, "quick"),
    a_promised_text_is_forgotten: ("text", 12, "whole"),
    a_prompt_that_breaks: ("fault", 5, "quick"),
    who_refuses_is_remembered: ("agreement", 16, "quick"),
}
FLOW_OF = {who_refuses_is_remembered: "returning"}


# Five seconds of CPU; the quick tests find another fault of its rule.
COSTLY = (what_waits_for_the_bank_is_called_uncharged,)


@pytest.mark.parametrize(
    "plant",
    [pytest.param(plant, id=plant.__name__, marks=[pytest.mark.long] * (plant in COSTLY)) for plant in FAULTS],
)
def test_a_planted_fault_is_found_and_shrunk(
    project: Project, plant: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    rule, most, depth = FAULTS[plant]
    plant(monkeypatch)
    explorer = Explorer(project, FLOW_OF.get(plant, "pay-a-bill"), "1", depth)
    with quiet():
        while rule not in explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    found = explorer.found[rule]
    assert len(found.acts) <= most, found.file
    assert f"rule: {rule}" in found.file
    read_script(found.file)


@pytest.mark.parametrize("plant", SPOKEN, ids=lambda plant: plant.__name__)
def test_what_is_said_recorded_or_kept_wrongly_is_found_within_a_few_calls(
    project: Project, plant: Plant, monkeypatch: pytest.MonkeyPatch
):
    rule, seed, most, depth = SPOKEN[plant]
    plant(monkeypatch)
    monkeypatch.setattr(explorer_module, "shrink", lambda acts, _breaks: list(acts))
    explorer = Explorer(project, "pay-a-bill", seed, depth)
    with quiet():
        while not explorer.found and explorer.calls < most:
            explorer.next_walk()
    assert list(explorer.found) == [rule], explorer.found


def test_an_agreement_that_nobody_heard_or_gave_is_found(project: Project, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(consenting, "REFUSE_KEY", "1")
    monkeypatch.setattr(consenting, "ACCEPT_KEY", "2")
    explorer = Explorer(project, "payment-plan", "1")
    with quiet():
        while not explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    assert list(explorer.found) == ["agreement"]
    assert "is on record, and nobody who had heard it agreed to it" in explorer.found["agreement"].what


def test_an_agreement_to_pay_what_somebody_else_has_paid_by_then_is_found(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    def blindly(self: ModelledStore, agreement: Any, _bill: Any, *, tell_billing: bool = False) -> None:
        self.record_agreement(agreement, tell_billing=tell_billing)

    monkeypatch.setattr(ModelledStore, "record_agreement_on_bill", blindly)
    monkeypatch.setattr(explorer_module, "shrink", lambda acts, _breaks: list(acts))
    explorer = Explorer(project, "payment-plan", "1")
    with quiet():
        while not explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    assert list(explorer.found) == ["agreement"]
    assert "is on record as agreed to on a bill that owed" in explorer.found["agreement"].what


def test_a_flow_with_agreements_that_is_sound_passes(project: Project):
    explorer = Explorer(project, "payment-plan", "1")
    with quiet():
        while explorer.calls < 150:
            explorer.next_walk()
    assert not explorer.found


def test_a_bill_that_a_sum_leaves_unpaid_is_found(project: Project, monkeypatch: pytest.MonkeyPatch):
    """Here an approval lowers the first of them alone."""
    lower = ModelledStore._lower_bill
    is_first = re.compile(r".*-(\d+|b1)")
    monkeypatch.setattr(
        ModelledStore, "_lower_bill", lambda self, bill: is_first.fullmatch(bill.id) and lower(self, bill)
    )
    monkeypatch.setattr(explorer_module, "shrink", lambda acts, _breaks: list(acts))
    explorer = Explorer(project, "utility", "1")
    with quiet():
        while not explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    assert list(explorer.found) == ["bill"]
    assert "is left" in explorer.found["bill"].what


def test_a_fault_of_the_database_is_found_by_the_walks_that_are_done_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
):
    a_paid_bill_is_not_lowered(monkeypatch)
    monkeypatch.setattr(explorer_module, "WHOLE_EVERY", 3)
    explorer = Explorer(project, "pay-a-bill", "1", "quick")
    with quiet():
        while "bill" not in explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    assert len(explorer.found["bill"].acts) <= 12


def test_what_is_sound_passes_and_nearly_everything_is_gone_through():
    project = Project(FLOWS, ACCOUNTS, counted)
    explorer = Explorer(project, "pay-a-bill", "2")
    with quiet():
        while explorer.calls < 150:
            explorer.next_walk()
    assert not explorer.found
    assert min(explorer.endings[ending] for ending in ("paid", "unpaid")) > 20
    flow: Any = project.flows["pay-a-bill"]
    assert len(flow.reached) >= len(flow.steps) - 1


def test_a_flow_with_hours_and_dates_ends_alike_at_both_depths(project: Project, monkeypatch: pytest.MonkeyPatch):
    """Days pass between the whole walks: the line is closed in some, and a discount is over."""
    monkeypatch.setattr(explorer_module, "WHOLE_EVERY", 2)
    explorer = Explorer(project, "early-payment", "1")
    with quiet():
        for _ in range(24):
            explorer.next_walk()
    assert not explorer.found


def test_the_same_seed_makes_the_same_calls(project: Project):
    explorers = [Explorer(project, "pay-a-bill", seed) for seed in ("3", "3", "4")]
    with quiet():
        for _ in range(30):
            for explorer in explorers:
                explorer.next_walk()
    assert explorers[0].endings == explorers[1].endings
    assert explorers[0].calls == explorers[1].calls
    assert explorers[0].endings != explorers[2].endings


def test_shrinking_keeps_who_rang_first():
    acts = [
        Act("call", "x", 1),
        Act("call", "x", 2),
        Act("keys", "12345", 1),
        Act("keys", "6", 2),
        Act("hangs", "up", 1),
    ]
    smallest = shrink(acts, lambda fewer: any("3" in act.rest for act in fewer))
    assert smallest == [Act("call", "x", 1), Act("keys", "3", 1)]


def test_two_callers_are_told_apart_in_the_file():
    acts = [
        Act("call", "pay-a-bill from +15550100", 1),
        Act("call", "pay-a-bill from +15550101", 2),
        Act("keys", "1", 1),
    ]
    text = as_call_file(acts, "found", ["unpaid", "open"])
    assert [one.verb for one in read_script(text)] == [
        "call",
        "call",
        "caller",
        "keys",
        "caller",
        "ends",
        "caller",
        "ends",
    ]


def a_bill_is_credited_with_the_fee(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(PaymentIntent, "credited", property(lambda intent: intent.amount))


def the_fee_is_a_cent_more(patch: pytest.MonkeyPatch) -> None:
    fee = FeeSchedule.fee

    def more(self: FeeSchedule, brand: str, amount: Money) -> Money:
        return replace(found, minor=found.minor + 1) if (found := fee(self, brand, amount)).minor else found

    patch.setattr(FeeSchedule, "fee", more)


FEES: dict[Callable[[pytest.MonkeyPatch], None], str] = {
    a_bill_is_credited_with_the_fee: "bill",
    the_fee_is_a_cent_more: "said",
}


@pytest.mark.parametrize("plant", FEES, ids=lambda plant: plant.__name__)
def test_a_fee_that_is_not_as_written_or_paid_on_the_bill_is_found(
    project: Project, plant: Callable[..., None], monkeypatch: pytest.MonkeyPatch
):
    plant(monkeypatch)
    monkeypatch.setattr(explorer_module, "shrink", lambda acts, _breaks: list(acts))
    explorer = Explorer(project, "card-fee", "1", "quick")
    with quiet():
        while not explorer.found and explorer.calls < MOST_CALLS:
            explorer.next_walk()
    assert FEES[plant] in explorer.found, explorer.found


def test_a_flow_with_a_fee_that_is_sound_passes(project: Project):
    explorer = Explorer(project, "card-fee", "1")
    with quiet():
        while explorer.calls < 50:
            explorer.next_walk()
    assert not explorer.found
    assert explorer.endings["paid"] > 5


def test_an_amount_that_the_flow_sets_below_a_bills_least_is_the_flows_own(tmp_path: Path):
    """24.00 USD of 120.00, of which a caller who keys an amount in pays 25.00 at least."""
    copytree(FLOWS / "prompts", tmp_path / "prompts")
    flow = (FLOWS / "pay-a-bill.yaml").read_text(encoding="utf-8").replace("set: bill.due", "set: 20 % of bill.due")
    (tmp_path / "pay-a-bill.yaml").write_text(flow, encoding="utf-8")
    explorer = Explorer(Project(tmp_path, ACCOUNTS), "pay-a-bill", "1")
    with quiet():
        while explorer.calls < 60:
            explorer.next_walk()
    assert not explorer.found
