"""What a flow's graph must hold to: consent before a charge, true endings, an end to every silence."""

import pytest

from ivr.flow.compiler import compile_flow
from ivr.flow.files import terms_of
from ivr.words.slots import ENGINE_PROMPTS
from tests.benches import ROOT
from tests.flow.prompt_texts import around

HEAD = "flow: t\nlanguages: [en-US]\nlimits: {max_amount: 500.00 USD}\nstart: account\nsteps:\n"
STEPS = {
    "account": "{ask: account_number, length: 8, lookup: billing.find_bill, "
    "then: {found: amount, not_found: retry, gave_up: unpaid}}",
    "amount": "{menu: {1: {say: pay_full_balance, set: bill.due, then: card}}}",
    "card": "{collect: [card_number, expiry, security_code], confirm: [brand, last4, amount], "
    "then: {ok: charge, cancelled: unpaid, gave_up: unpaid}}",
    "charge": "{pay: bank, then: {approved: paid, declined: card, unknown: resolve}}",
    "resolve": "{inquire_then_reverse: bank, then: {approved: paid, reversed: unpaid, pending: pending}}",
    "paid": "{say: confirmation_number, end: paid}",
    "unpaid": "{end: unpaid}",
    "pending": "{end: pending}",
}


def found(**changes: str) -> list[str]:
    steps = STEPS | changes
    text = HEAD + "".join(f"  {name}: {body}\n" for name, body in steps.items() if body)
    return [problem.message for problem in compile_flow("f", text)[1]]


def changed(step: str, old: str, new: str) -> dict[str, str]:
    assert old in STEPS[step]
    return {step: STEPS[step].replace(old, new)}


def test_the_pattern_holds():
    assert found() == []


# ---- consent


@pytest.mark.parametrize("confirm", ["", "confirm: [], ", "confirm: [brand, last4], "])
def test_a_charge_needs_a_confirmation_of_the_amount(confirm: str):
    messages = found(**changed("card", "confirm: [brand, last4, amount], ", confirm))
    assert messages == ["there is a path to the charge 'charge' without the caller's confirmation"]


def test_a_charge_needs_a_card():
    messages = found(**changed("amount", "then: card", "then: charge"))
    assert "there is a path to the charge 'charge' without a card" in messages
    assert "there is a path to the charge 'charge' without the caller's confirmation" in messages


def test_a_charge_needs_an_amount():
    assert "there is a path to the charge 'charge' without an amount" in found(
        **changed("amount", "set: bill.due, ", "")
    )


def test_a_card_is_not_confirmed_before_the_amount_is_known():
    assert "'amount' is not known on every way to 'card'" in found(**changed("account", "found: amount", "found: card"))


def test_an_amount_changed_after_the_confirmation_is_not_confirmed():
    messages = found(
        **changed("card", "ok: charge", "ok: again"),
        again="{ask: money, between: [bill.min, bill.due], then: {ok: charge, gave_up: unpaid}}",
    )
    assert messages == ["there is a path to the charge 'charge' without the caller's confirmation"]


def test_one_path_of_several_is_enough():
    messages = found(
        **changed("amount", "then: card}", "then: card}, 2: {say: pay_at_once, set: bill.due, then: quick}"),
        quick="{collect: [card_number, expiry, security_code], then: {ok: charge, cancelled: unpaid, gave_up: unpaid}}",
    )
    assert messages == ["there is a path to the charge 'charge' without the caller's confirmation"]


def test_another_card_without_a_confirmation_takes_the_consent_away():
    messages = found(
        **changed("card", "ok: charge", "ok: other"),
        other="{collect: [card_number, expiry, security_code], then: {ok: charge, cancelled: unpaid, gave_up: unpaid}}",
    )
    assert messages == ["there is a path to the charge 'charge' without the caller's confirmation"]


@pytest.mark.parametrize("outcome", ["declined: card", "unknown: resolve"])
def test_a_charge_is_not_repeated_on_one_consent(outcome: str):
    messages = found(**changed("charge", outcome, f"{outcome.split(':')[0]}: charge"))
    assert "there is a path to the charge 'charge' without the caller's confirmation" in messages


def test_nothing_is_charged_again_while_a_charge_has_no_answer():
    messages = found(**changed("charge", "unknown: resolve", "unknown: card"))
    assert "there is a path to the charge 'charge' while an earlier one has no answer" in messages


def test_another_account_is_another_amount():
    messages = found(
        **changed("card", "ok: charge", "ok: second"),
        second=STEPS["account"].replace("found: amount", "found: charge"),
    )
    assert "there is a path to the charge 'charge' without an amount" in messages


# ---- endings


@pytest.mark.parametrize(
    ("step", "old", "new", "message"),
    [
        (
            "charge",
            "approved: paid",
            "approved: unpaid",
            "there is a way to 'unpaid' on which 'end: unpaid' is not true",
        ),
        ("charge", "declined: card", "declined: paid", "there is a way to 'paid' on which 'end: paid' is not true"),
        (
            "charge",
            "unknown: resolve",
            "unknown: unpaid",
            "there is a way to 'unpaid' on which 'end: unpaid' is not true",
        ),
        (
            "resolve",
            "pending: pending",
            "pending: unpaid",
            "there is a way to 'unpaid' on which 'end: unpaid' is not true",
        ),
        (
            "resolve",
            "reversed: unpaid",
            "reversed: pending",
            "there is a way to 'pending' on which 'end: pending' is not true",
        ),
        ("account", "gave_up: unpaid", "gave_up: paid", "there is a way to 'paid' on which 'end: paid' is not true"),
    ],
)
def test_an_ending_must_be_true_on_every_way_to_it(step: str, old: str, new: str, message: str):
    assert message in found(**changed(step, old, new))


def test_resolving_needs_a_charge_without_an_answer():
    messages = found(**changed("amount", "then: card", "then: resolve"))
    assert "there is a way to 'resolve' on which no charge waits for an answer" in messages


# ---- ends at all


def test_silence_must_not_go_round_for_ever():
    messages = found(
        **changed("account", "gave_up: unpaid", "gave_up: help"),
        help="{say: how_it_works, then: account}",
    )
    assert messages == ["a caller who presses nothing goes round for ever: account -> help -> account"]


def test_a_step_must_not_give_up_into_itself():
    assert found(**changed("account", "gave_up: unpaid", "gave_up: account")) == [
        "a caller who presses nothing goes round for ever: account -> account"
    ]


def test_talk_without_end_is_told():
    messages = found(**changed("amount", "then: card}", "then: card}, 2: {say: help, then: one}"),
                     one="{say: a, then: two}", two="{say: b, then: one}")  # fmt: skip
    assert "the call never ends after 'one'" in messages
    assert "the call never ends after 'two'" in messages
    assert "a caller who presses nothing goes round for ever: one -> two -> one" in messages


def test_a_menu_may_lead_back_to_itself():
    assert found(**changed("amount", "then: card}", "then: card}, 9: {say: hear_again, then: amount}")) == []


def test_a_menu_that_only_goes_round_ends_by_silence():
    assert found(**changed("amount", "then: card}", "then: card}, 2: {say: more, then: other}"),
                 other="{menu: {1: {say: back, then: amount}}}") == []  # fmt: skip


# ---- values


def test_a_value_must_be_known_on_every_way():
    messages = found(**changed("account", "lookup: billing.find_bill, then: {found: amount, not_found: retry",
                               "then: {ok: amount"))  # fmt: skip
    assert messages == ["'bill.due' is not known on every way to 'amount'"]


def test_a_value_must_be_one_that_a_look_up_gives():
    assert found(**changed("amount", "bill.due", "bill.total")) == ["no look-up gives 'bill.total'"]


# ---- circles of every kind


@pytest.mark.parametrize("outcome", ["not_found: retry", "gave_up: unpaid"])
def test_account_numbers_cannot_be_guessed_by_coming_back_with_all_tries(outcome: str):
    name = outcome.partition(":")[0]
    messages = found(
        **changed("account", outcome, f"{name}: sorry"),
        sorry="{menu: {1: {say: try_again, then: account}, 2: {say: stop, then: unpaid}}}",
    )
    assert messages == [
        f"'{name}' comes back to 'account' with all tries again: account numbers can be guessed without end"
    ]


def test_another_bill_after_one_that_was_paid_is_no_guess():
    assert found(paid="{menu: {1: {say: another, then: account}, 2: {say: stop, then: done}}}", done="{end: paid}") == [
        "there is a way to 'unpaid' on which 'end: unpaid' is not true"
    ]


def test_a_menu_whose_every_key_comes_back_to_it_is_told():
    assert found(
        **changed("amount", "set: bill.due, then: card", "then: more"),
        more="{say: help, then: amount}",
        card="",
        charge="",
        resolve="",
        paid="",
        pending="",
    ) == ["whatever is pressed at 'amount', the call comes back to it"]


def test_two_menus_that_only_lead_to_each_other_are_told_once():
    assert found(
        **changed("amount", "set: bill.due, then: card", "then: other"),
        other="{menu: {1: {say: back, then: amount}}, then: {gave_up: unpaid}}",
        card="",
        charge="",
        resolve="",
        paid="",
        pending="",
    ) == ["whatever is pressed at 'amount', the call comes back to it"]


# ---- beside other problems


def test_a_step_with_problems_of_its_own_hides_no_other():
    messages = found(
        **changed("account", "length: 8", "length: many"),
        **changed("card", "confirm: [brand, last4, amount], ", ""),
        lost="{end: unpaid}",
    )
    assert "'length': expected a length such as 8 or 8..10, from 1 to 32" in messages
    assert "step 'lost' cannot be reached" in messages


def test_a_step_that_cannot_be_read_is_not_blamed_for_what_follows():
    assert found(amount="{menu: [1, 2]}") == ["'menu' must have keys of its own"]
    assert found(charge="{pay: bank, then: paid}") == ["'then' must have keys of its own"]


def test_a_misspelt_target_does_not_make_its_step_unreachable():
    assert found(**changed("account", "found: amount", "found: amuont")) == ["no step is called 'amuont'"]


# ---- banks


def test_cards_are_sealed_to_one_bank_so_a_flow_names_one():
    messages = found(**changed("resolve", "inquire_then_reverse: bank", "inquire_then_reverse: other"))
    assert messages == ["step 'resolve' names another bank than step 'charge', which has 'bank'"]


def test_a_card_that_nothing_charges_is_not_collected():
    messages = found(**changed("card", "ok: charge", "ok: unpaid"), charge="", resolve="", paid="", pending="")
    assert messages == ["step 'card' collects a card that nothing charges"]


# ---- what prompts say


def said(texts: dict[str, str], **changes: str) -> list[str]:
    steps = STEPS | changes
    text = HEAD + "".join(f"  {name}: {body}\n" for name, body in steps.items())
    known = dict.fromkeys([*ENGINE_PROMPTS, *terms_of().prompts, *USED], "words") | texts
    return [problem.message for problem in compile_flow("f", text, around({"en-US": known}))[1]]


USED = (
    *("enter_account_number", "no_match_account_number", "not_found_account_number", "pay_full_balance"),
    *("one_moment", "bill_not_reached", "bill_not_payable"),
    *("enter_card_number", "enter_expiry", "enter_security_code", "confirm_card", "confirmation_number"),
)


def test_a_prompt_may_say_what_is_known():
    assert (
        said({"confirmation_number": "{number:digits} {amount:money}", "pay_full_balance": "{due:money} {key:key}"})
        == []
    )


def test_a_prompt_must_not_say_a_confirmation_number_that_there_is_not():
    messages = said({"confirmation_number": "{number:digits}"}, unpaid="{say: confirmation_number, end: unpaid}")
    assert messages == ["prompt 'confirmation_number' says 'number', which is not known on every way to 'unpaid'"]


def test_a_menu_must_not_offer_an_amount_before_it_is_known():
    assert said({"pay_full_balance": "{amount:money}"}) == [
        "prompt 'pay_full_balance' says 'amount', which is not known on every way to 'amount'"
    ]


def test_only_an_all_or_nothing_bill_needs_a_way_to_take_its_parts_back():
    text = (ROOT / "tests" / "flows" / "down-payment.yaml").read_text(encoding="utf-8")
    text = text.replace("      3: {say: stop_paying, then: undo}\n", "")
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("  undo:"))
    assert "take_back" not in text
    assert compile_flow("f", text)[1] == []
    codes = [problem.rule.code for problem in compile_flow("f", text.replace("keep}", "take_back}"))[1]]
    assert "T443" in codes
