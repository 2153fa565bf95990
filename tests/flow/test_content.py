"""What a version consists of: everything that a caller of the flow can hear or be led by, and nothing else."""

import pytest

from ivr.errors import FlowError
from ivr.flow.compiler import Around
from ivr.flow.content import compiled, stored_content
from ivr.flow.difference import NOTHING, ONLY_LAYOUT, differences
from tests.versions import OTHER_AMOUNT_STEP, SHORTER, WITHOUT_OTHER_AMOUNT, content


def test_the_same_text_and_prompts_have_the_same_digest():
    assert content().digest == content().digest
    assert len(content().digest) == 64


def test_a_change_of_the_text_or_of_a_prompt_that_is_spoken_is_another_version():
    changed = [content(SHORTER), content(words=(("goodbye:", "goodbye: So long. #"),)), content()]
    assert len({one.digest for one in changed}) == 3


def test_a_prompt_that_the_flow_never_speaks_is_no_part_of_it():
    other = content(words=(("goodbye:", 'where_we_are: "In Main Street."\ngoodbye:'),))
    assert "where_we_are" not in other.prompts["en-US"]
    assert other.digest == content().digest


def test_other_wordings_of_what_it_speaks_are_part_of_it_and_those_of_other_flows_are_not():
    words = 'goodbye_again: "Bye."\ngoodbye_at_receipt: "Bye."\ngoodbye_for_other: "Bye."\ngoodbye:'
    names = content(words=(("goodbye:", words),)).prompts["en-US"].keys()
    assert {"goodbye_again", "goodbye_at_receipt"} <= names
    assert "goodbye_for_other" not in names


def test_what_is_stored_comes_back_as_it_was():
    one = content()
    again = stored_content(one.flow, one.text, one.prompts_json)
    assert again == one
    assert again.digest == one.digest


def test_a_stored_version_compiles_to_a_flow_that_knows_its_digest():
    flow, prompts = compiled(content())
    assert flow.version == content().digest
    assert prompts.languages() == ["en-US", "es-MX"]


def test_a_version_whose_bank_is_not_there_says_so():
    with pytest.raises(FlowError, match="acme_bank"):
        compiled(content(), Around(banks={"other_bank": ["USD"]}))


# ---- what has changed, in words


def test_a_first_version_is_told_by_its_steps():
    lines = differences(None, content())
    assert lines[0].startswith("  + 10 steps: account, amount, ")
    assert lines[1] == "  + prompts in en-US, es-MX"


def test_nothing_and_layout_are_told_apart():
    assert differences(content(), content()) == [NOTHING]
    assert differences(content(), content(("schema: 1\n", "schema: 1\n\n# a comment\n"))) == [ONLY_LAYOUT]


def test_a_change_of_a_step_is_told_at_its_place():
    assert differences(content(), content(SHORTER)) == ["  ~ step receipt", "      ~ repeat: 2 -> 1"]


def test_what_stands_above_the_steps_is_told_by_its_key():
    changed = content(("max_amount: 500.00", "max_amount: 300.00"))
    assert differences(content(), changed) == ["  ~ limits.max_amount: 500.00 USD -> 300.00 USD"]


def test_steps_that_come_and_go_are_told_with_what_they_do():
    without = content(WITHOUT_OTHER_AMOUNT, (OTHER_AMOUNT_STEP, ""))
    gone, come = differences(content(), without), differences(without, content())
    assert "  - step other_amount" in gone
    assert "  + step other_amount: ask money" in come
    assert "      - menu.2.then: other_amount" in gone


def test_a_changed_prompt_is_told_with_both_texts():
    changed = content(words=(('goodbye: "Goodbye."', 'goodbye: "So long."'),))
    expected = "  ~ prompt goodbye (en-US): Goodbye. -> So long."
    assert differences(content(), changed) == [expected]
