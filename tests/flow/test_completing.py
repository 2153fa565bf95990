"""What an editor offers at a place of a flow that is half written: by its keys and braces alone, whether it is YAML or not."""

import pytest

from ivr.flow.completing import KnownNames, TextCursor, complete
from tests.benches import ROOT

FLOW = (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml").read_text(encoding="utf-8")
NAMES = KnownNames(["pay_full_balance", "you_were_not_charged"], ["acme_bank"], ["authenticate"])


def offered(typed: str) -> list[str]:
    """`|` is the cursor, in lines below the sample flow."""
    text = f"{FLOW}{typed}"
    before = text[: text.index("|", len(FLOW))]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    return [one.label for one in complete(text.replace("|", ""), TextCursor(line, column), NAMES).options]


@pytest.mark.parametrize(
    ("typed", "labels"),
    [
        ("ho|", ["hours"]),
        ("  more:\n    men|", ["menu"]),
        ("  more:\n    ask: order_number\n    conf|", ["confirm"]),
        ("  more:\n    conf|\n    ask: order_number\n", ["confirm"]),
        ("  more:\n    ask: order_number\n    then: {|", ["cancelled", "found", "gave_up", "not_found", "ok"]),
        ("  more:\n    ask: order_number\n    then: {found: goodbye_u|", ["goodbye_unpaid"]),
        ("  more:\n    ask: order_number\n    then:\n      found: goodbye_u|", ["goodbye_unpaid"]),
        ("  more:\n    ask: order_number\n    then: {not_found: ret|", ["retry"]),
        ("  more: {say: pay_f|", ["pay_full_balance"]),
        ("  more: {say: pay_full_balance, then: oth|}", ["other_amount"]),
        ("  more: {say: pay_full_balance, en|}", ["end"]),
        ("  more:\n    pay: ac|", ["acme_bank"]),
        ("  more:\n    use: auth|", ["authenticate"]),
        ("  more:\n    collect: [card_number, exp|", ["expiry"]),
        ("  more:\n    menu:\n      1: {sa|", ["say"]),
        ("patience: {slow_mode: t|", ["true"]),
        ("limits:\n  max|", ["max_amount"]),
        ("  more: # a com|", []),
        ("  |", []),
        ("  more: {say: 'pay, then: |", []),
        ("nothing_like_it: {a: [b|", []),
    ],
)
def test_what_could_stand_there_is_offered(typed: str, labels: list[str]):
    assert offered(typed) == labels


def test_keys_that_a_step_needs_come_first_with_what_they_mean():
    text = f"{FLOW}  more:\n    collect: [card_number]\n    "
    found = complete(text, TextCursor(text.count("\n") + 1, 5), NAMES)
    first = found.options[0]
    assert (found.column, first.label, first.detail) == (5, "then", "needed")
    assert first.about
    assert "collect" not in [one.label for one in found.options]


@pytest.mark.parametrize("cursor", [TextCursor(0, 1), TextCursor(999, 1), TextCursor(1, 999)])
def test_a_place_outside_of_the_text_has_nothing(cursor: TextCursor):
    assert complete("flow: a\n", cursor, NAMES).options == []


def test_no_text_makes_it_fail():
    """Every beginning of the flow, with the cursor at its end."""
    for end in range(0, len(FLOW), 7):
        text = FLOW[:end]
        complete(text, TextCursor(text.count("\n") + 1, len(text) - text.rfind("\n")), NAMES)
