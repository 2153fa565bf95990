"""Other wordings of a prompt: which one is said, and that each is held to what the prompt itself must be."""

import pytest

from ivr.core.actions import Phrase
from ivr.words.phrases import Prompts
from ivr.words.wordings import endings, in_right_order, meant_for, prompt_of, wordings_of

TEXTS = {
    "code": "The code.",
    "code_again": "The code again.",
    "code_amex": "The four digits.",
    "hello": "Hello.",
    "hello_amex_again": "Hello again, {brand:brand}.",
    "brand_amex": "American Express",
}


@pytest.mark.parametrize(
    ("prompt", "brand", "again", "said"),
    [
        ("code", "", False, "The code."),
        ("code", "", True, "The code again."),
        ("code", "visa", False, "The code."),
        ("code", "visa", True, "The code again."),
        ("code", "amex", False, "The four digits."),
        ("code", "amex", True, "The four digits."),
        ("hello", "amex", False, "Hello."),
        ("hello", "amex", True, "Hello again, American Express."),
    ],
)
def test_the_brand_is_more_than_the_try_and_what_is_missing_is_said_as_ever(
    prompt: str, brand: str, again: bool, said: str
):
    prompts = Prompts({"en-US": TEXTS})
    phrase = Phrase(prompt, "en-US", (("brand", brand),), endings=endings(brand, again=again))
    assert prompts.words(phrase) == said
    assert "".join(piece.text for piece in prompts.pieces(phrase)) == said


@pytest.mark.parametrize(
    ("one", "again", "said"),
    [
        (False, False, "From 1 to 2."),
        (False, True, "1 to 2."),
        (True, False, "Enter 1."),
        (True, True, "Just 1."),
    ],
)
def test_one_amount_alone_has_words_of_its_own_on_each_try(one: bool, again: bool, said: str):
    texts = {
        "money": "From 1 to 2.",
        "money_again": "1 to 2.",
        "money_one_amount": "Enter 1.",
        "money_one_amount_again": "Just 1.",
    }
    phrase = Phrase("money", "en-US", (), endings=endings("", again=again, one=one))
    assert Prompts({"en-US": texts}).words(phrase) == said
    assert prompt_of("money_one_amount_again", texts) == "money"


def test_what_is_no_brand_makes_no_wording():
    assert endings("code", again=False) == ()


def test_a_language_without_the_wording_says_the_prompt():
    prompts = Prompts({"en-US": TEXTS, "es-MX": {"code": "El código."}})
    assert prompts.words(Phrase("code", "es-MX", (), endings=endings("amex", again=True))) == "El código."


@pytest.mark.parametrize(
    ("name", "prompt"),
    [
        ("code_again", "code"),
        ("code_amex", "code"),
        ("hello_amex_again", "hello"),
        ("brand_amex", "brand_amex"),  # there is no prompt called brand
        ("code", "code"),
    ],
)
def test_each_wording_is_known_by_its_prompt(name: str, prompt: str):
    assert prompt_of(name, TEXTS) == prompt


def test_a_prompt_lists_its_wordings():
    assert wordings_of("code", TEXTS) == ["code", "code_again", "code_amex"]


WORDED = {
    "code": "The code.",
    "code_for_till": "The till's code.",
    "code_at_card": "The card's code.",
    "code_at_card_amex": "The four digits on its front.",
    "code_after_expired": "Of another card.",
    "you_were_charged": "Charged.",
    "you_were_charged_in_total": "Charged in total.",
}


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ({}, "The code."),
        ({"step": "card"}, "The card's code."),
        ({"step": "card", "brand": "amex"}, "The four digits on its front."),
        ({"step": "card", "error": "expired"}, "The card's code."),
        ({"error": "expired"}, "Of another card."),
        ({"flow": "till", "step": "card"}, "The till's code."),
        ({"step": "other"}, "The code."),
    ],
)
def test_a_flow_is_more_than_a_step_and_a_step_more_than_an_error(moment: dict[str, str], said: str):
    ends = endings(moment.pop("brand", ""), again=True, **moment)
    assert Prompts({"en-US": WORDED}).words(Phrase("code", "en-US", (), endings=ends)) == said


def test_a_prompt_of_its_own_is_no_wording_of_another():
    assert prompt_of("you_were_charged_in_total", WORDED) == "you_were_charged_in_total"


def test_a_prompt_lists_its_wordings_of_every_kind():
    assert wordings_of("code", WORDED) == [name for name in sorted(WORDED) if name.startswith("code")]


def test_a_wording_says_what_it_is_for():
    assert meant_for("code_for_till_at_card_after_expired_amex_again", "code") == ("till", "card", "expired")


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("code_again_for_charity", "code_for_charity_again"),
        ("code_amex_at_card", "code_at_card_amex"),
        ("code_with_fee_again", "code_again_with_fee"),
        ("code_again_one_amount", "code_one_amount_again"),
        ("code_one_amount_for_charity", "code_for_charity_one_amount"),
        ("code_at_amount_for_charity", "code_for_charity_at_amount"),
        ("code_for_charity_again", ""),
        ("code_after_no_input_again", ""),
        ("code_again", ""),
        ("hello_world_again", ""),
    ],
)
def test_endings_in_another_order_have_a_right_one(name: str, right: str):
    assert in_right_order(name, {*TEXTS, name}) == right
