"""Prompt files with mistakes: each is told with its place, all at once."""

import pytest

from ivr.core.money import Money
from ivr.words.prompt_check import read_prompts
from ivr.words.slots import ANSWER_KINDS, KINDS_OF, Terms
from ivr.words.spoken import Speaker
from ivr.words.templates import KINDS

WORDS = 'key_star: "star"\nkey_pound: "pound"\nmoney_with_minor: "{major:text} and {minor:text}"\n'


def problems(english: str, spanish: str | None = None) -> list[str]:
    files = [("en-US.yaml", WORDS + english)]
    if spanish is not None:
        files.append(("es-MX.yaml", WORDS + spanish))
    return [str(problem) for problem in read_prompts(files)[1]]


def test_good_files_have_no_problems() -> None:
    assert problems('due: "You owe {due:money}."', 'due: "Debe {due:money}."') == []


def test_a_prompt_that_one_language_lacks_is_told() -> None:
    assert problems('goodbye: "Bye."\nwelcome: "Hi."', 'welcome: "Hola."') == [
        "es-MX.yaml:1:1: prompt 'goodbye' is missing in es-MX (en-US has it)"
    ]


def test_a_form_of_a_currency_that_its_language_needs_is_told() -> None:
    assert problems('currency_usd_other: "dollars"\nminor_usd_other: "cents"') == [
        "en-US.yaml:4:1: prompt 'currency_usd_one' is missing in en-US "
        "(it has 'currency_usd_other', and says some amounts by 'one')",
        "en-US.yaml:5:1: prompt 'minor_usd_one' is missing in en-US (it has 'minor_usd_other', and says some amounts by 'one')",
    ]


def test_a_form_that_is_no_other_word_is_not_asked_for() -> None:
    assert problems('currency_jpy_other: "yen"') == []


def test_each_form_that_a_language_counts_by_is_asked_for() -> None:
    found = read_prompts([("pl.yaml", WORDS + 'currency_pln_other: "złotego"')])[1]
    assert [str(problem).split("'")[1] for problem in found] == [
        f"currency_pln_{form}" for form in ("few", "many", "one")
    ]


def test_a_misspelt_name_is_guessed() -> None:
    assert "es-MX.yaml:1:1: prompt 'goodbye' is missing in es-MX (is 'godbye' meant?)" in problems(
        'goodbye: "Bye."', 'godbye: "Adiós."'
    )


def test_unknown_slots_and_kinds_are_told_with_their_line() -> None:
    assert problems('a: "{due:mony}"\nb: "{du:money}"\nc: "{due}"\nd: "open { brace"\ne: ""') == [
        "en-US.yaml:4:1: prompt 'a': unknown kind 'mony' (did you mean 'money'?)",
        "en-US.yaml:5:1: prompt 'b' has a slot 'du' that nothing fills in there (did you mean 'due'?)",
        "en-US.yaml:6:1: prompt 'c': '{due}' is not a slot (a slot is {value:kind}, such as {due:money})",
        "en-US.yaml:7:1: prompt 'd': '{' without its partner (a slot is {value:kind})",
        "en-US.yaml:8:1: prompt 'e': the prompt has no words (write what the caller hears)",
    ]


def test_a_slot_lost_in_translation_is_told() -> None:
    assert problems('p: "You paid {amount:money}."', 'p: "Gracias."') == [
        "es-MX.yaml:4:1: prompt 'p' does not say 'amount', which en-US does (add {amount:...})"
    ]


def test_a_value_that_is_not_known_yet_is_told() -> None:
    assert problems('welcome: "You owe {due:money}."')[0].startswith(
        "en-US.yaml:4:1: prompt 'welcome' has a slot 'due' that nothing fills in there"
    )


def test_duplicate_names_are_refused_and_figures_stay_text() -> None:
    assert problems('no_input: "a"\nno_input: "b"') == [
        "en-US.yaml:5:1: 'no_input' is there twice (it is first on line 4)"
    ]
    prompts, _ = read_prompts([("en-US.yaml", WORDS + "code: 0123\nanswer: no")])
    assert prompts is not None
    assert [piece.text for piece in prompts.fixed_pieces("en-US", "code")] == ["0123"]


def test_nothing_is_half_read() -> None:
    for broken in ("- a\n- b", "a: [1]", "a: {", "\x00"):
        prompts, found = read_prompts([("en-US.yaml", broken)])
        assert prompts is None
        assert found


def test_a_flow_may_add_values_of_its_own_questions() -> None:
    text = WORDS + 'confirm_meter: "You entered {meter:digits}. If that is right, press 1."'
    assert read_prompts([("en-US.yaml", text)])[1] != []
    assert read_prompts([("en-US.yaml", text)], Terms(values={"meter": ANSWER_KINDS}))[1] == []


def test_names_that_slots_are_made_of_are_needed() -> None:
    assert [str(problem) for problem in read_prompts([("en-US.yaml", 'welcome: "Hi."')])[1]] == [
        "en-US.yaml:1:1: prompt 'key_pound' is missing in en-US (slots are made of it)",
        "en-US.yaml:1:1: prompt 'key_star' is missing in en-US (slots are made of it)",
        "en-US.yaml:1:1: prompt 'money_with_minor' is missing in en-US (slots are made of it)",
    ]


def test_a_name_that_would_leave_the_folder_of_recordings_is_refused() -> None:
    assert "en-US.yaml:4:1: '../x' is not a prompt's name (small letters, digits and _)" in problems('../x: "Hi."')


def test_a_file_that_is_not_named_for_a_language_is_told() -> None:
    assert [str(problem) for problem in read_prompts([("prompts/english.yaml", WORDS)])[1]] == [
        "prompts/english.yaml:1:1: the file's name is not a language (name it like en-US.yaml)"
    ]


EXAMPLES = {
    **dict.fromkeys(("amount", "due", "min", "max", "money", "card_fee", "before_fee"), Money(4250)),
    **dict.fromkeys(("number", "confirmation_number"), "A12345"),
    **dict.fromkeys(("done", "clear"), "pound"),
    **{"key": "1", "count": "3", "brand": "visa", "last4": "1111", "major": "2 dollars", "minor": "5 cents"},
}


@pytest.mark.parametrize(("value", "kind"), [(value, kind) for value in KINDS_OF for kind in sorted(KINDS)])
def test_a_kind_that_is_allowed_can_say_its_value(value: str, kind: str) -> None:
    """What `check` lets pass must not break a call."""
    speaker = Speaker("en-US", {"brand_visa": "Visa", "key_pound": "pound"})
    if kind in KINDS_OF[value]:
        assert speaker.say(kind, EXAMPLES[value]).text
    elif kind == "date":
        with pytest.raises(ValueError):
            speaker.say(kind, EXAMPLES[value])
