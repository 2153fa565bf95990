"""Keys, timers, silences and wrong entries: how one question is asked, whatever it is about."""

import pytest

from ivr.core.actions import Speak
from ivr.flow.talk.turn import FREE_CLEARS
from tests.conversation.talk import Talk, sample

SWAPPED = ("{clear: star, done: pound}", "{clear: pound, done: star}")


def test_the_done_key_ends_an_entry_of_open_length():
    assert Talk().at_account().keys("12345678#").call.values["account_number"] == "12345678"


def test_the_longest_entry_ends_by_itself():
    rules = Talk().at_account().asks.rules
    assert (rules.max_length, rules.ends_by_length) == (10, True)
    assert Talk().at_account().keys("1234567890").call.phase == "lookup"


def test_a_timeout_ends_an_entry_that_is_long_enough():
    assert Talk().at_account().keys("123456789").call.values["account_number"] == "123456789"


def test_the_clear_key_starts_the_entry_again():
    assert Talk().at_account().keys("99*12345678#").call.values["account_number"] == "12345678"


def test_keys_after_a_clear_that_never_came_are_asked_for_again_without_blame():
    talk = Talk().at_account().keys("99*")
    assert talk.said == ["cleared", "enter_account_number"]
    assert talk.call.mistakes == 0


def test_the_clear_key_on_an_empty_entry_offers_to_cancel():
    talk = Talk().at_account().keys("*")
    assert talk.said == ["offer_cancel"]
    assert talk.asks.flush


def test_clearing_twice_offers_to_cancel_too():
    assert Talk().at_account().keys("99**").said == ["offer_cancel"]


def test_one_cancels_and_the_ending_says_not_charged():
    talk = Talk().at_account().keys("*").keys("1")
    assert talk.said == ["cancelled", "you_were_not_charged", "goodbye"]
    assert talk.call.outcome == "unpaid"
    assert talk.is_over


@pytest.mark.parametrize("key", ["2", "7", "#", "*"])
def test_any_other_key_goes_on_where_the_caller_was(key: str):
    assert Talk().at_account().keys("*").keys(key).said == ["enter_account_number"]


def pressed_for_ever(talk: Talk, keys: str) -> int:
    """How often, until the call was over."""
    for number in range(1, 100):
        if talk.keys(keys).is_over:
            assert talk.call.outcome == "unpaid"
            return number
    raise AssertionError("the line is held for ever")


@pytest.mark.parametrize("keys", ["*", "1*"])
@pytest.mark.parametrize("at", ["at_account", "at_amount", "at_other_amount", "at_card", "at_confirmation"])
def test_a_clear_key_that_hangs_ends_the_call(at: str, keys: str):
    talk = Talk().at_amount().keys("2") if at == "at_other_amount" else getattr(Talk(), at)()
    if keys == "1*" and at in ("at_amount", "at_confirmation"):
        keys = "*"  # one key is the answer there
    assert pressed_for_ever(talk, keys) <= 20


def test_who_clears_a_few_times_is_not_blamed_for_it():
    talk = Talk().at_account().keys("99*").keys("9*").keys("*").keys("2").keys("98*").keys("1*")
    assert talk.said == ["cleared", "enter_account_number"]
    assert (talk.call.clears, talk.call.mistakes) == (FREE_CLEARS, 0)
    assert talk.keys("12345678#").found().call.clears == 0


def test_silence_at_the_cancel_offer_goes_on():
    assert Talk().at_account().keys("*").silence().said == ["enter_account_number"]


def test_the_done_key_alone_is_told_in_words_of_its_own():
    talk = Talk().at_account().keys("123#").later().keys("#")
    assert talk.said == ["nothing_entered", "enter_account_number"]
    assert talk.call.mistakes == 2


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("12345678*", "offer_cancel"),  # star is the done key now, and a clear key on an empty entry follows
        ("#", "offer_cancel"),
        ("*", "nothing_entered"),
    ],
)
def test_reconfigured_keys_swap_their_meaning(keys: str, said: str):
    talk = Talk(sample(SWAPPED, ("tries: 3", "tries: 4"))).at_account()
    assert (talk.asks.rules.done, talk.asks.rules.clear) == ("*", "#")
    if keys == "12345678*":
        assert talk.keys(keys).call.values["account_number"] == "12345678"
    else:
        assert said in talk.silence().silence().keys(keys).said


def test_reconfigured_keys_clear():
    assert Talk(sample(SWAPPED)).at_account().keys("9#12345678*").call.values["account_number"] == "12345678"


def test_prompts_are_given_the_keys_as_configured():
    assert Talk().at_account().phrase("enter_account_number") == {"done": "pound", "clear": "star"}
    assert Talk(sample(SWAPPED)).at_account().phrase("enter_account_number") == {"done": "star", "clear": "pound"}


def test_the_first_key_timer_and_the_inter_digit_timer_are_separate():
    asks = Talk().at_account().asks
    assert (asks.first_key_timeout_s, asks.inter_digit_timeout_s) == (10, 6)


def test_slow_mode_triples_both_timers_after_the_first_silence_and_says_so_once():
    talk = Talk().at_account().silence()
    assert talk.said == ["no_input", "slow_mode_on", "more_time", "enter_account_number"]
    assert (talk.asks.first_key_timeout_s, talk.asks.inter_digit_timeout_s) == (30, 18)
    assert talk.silence().said == ["no_input", "enter_account_number"]


def test_slow_mode_stays_for_the_rest_of_the_call():
    assert Talk().at_account().silence().keys("12345678").found().asks.first_key_timeout_s == 30


def test_without_slow_mode_the_patience_stays():
    talk = Talk(sample(("slow_mode: true", "slow_mode: false"))).at_account().silence()
    assert talk.said == ["no_input", "more_time", "enter_account_number"]
    assert talk.asks.first_key_timeout_s == 20  # the time in which more can be had, and no other
    assert talk.silence().asks.first_key_timeout_s == 10


def test_silence_and_a_wrong_entry_are_worded_apart():
    assert Talk().at_account().silence().said[0] == "no_input"
    assert Talk().at_account().keys("123").said[0] == "no_match_account_number"


def says_again(talk: Talk) -> bool:
    """Whether what failed is said in the words for another time of the same."""
    return "_again" in talk.phrases[0].endings


def test_only_a_second_silence_is_worded_as_one():
    talk = Talk().at_account().keys("123").silence()
    assert talk.said[0] == "no_input"
    assert not says_again(talk)
    assert "_again" in talk.phrases[-1].endings, "the question is put again"
    assert says_again(Talk().at_account().silence().silence())


def test_only_a_second_wrong_entry_is_worded_as_one():
    assert not says_again(Talk().at_account().keys("123"))
    assert not says_again(Talk().at_account().silence().keys("").keys("123"))
    assert says_again(Talk().at_account().keys("123").keys("1234"))


def test_a_first_wrong_key_at_the_languages_or_after_the_receipt_is_worded_as_one():
    assert not says_again(Talk().start().keys("7"))
    assert says_again(Talk().start().keys("7").keys("7"))
    assert not says_again(Talk().at_receipt().keys("7"))
    assert says_again(Talk().at_receipt().keys("7").keys("7"))


@pytest.mark.parametrize("wrong", ["123", "12A45678", "1234567A"])
def test_what_is_no_account_number_is_not_kept(wrong: str):
    assert "account_number" not in Talk().at_account().keys(wrong).call.values


def test_three_silences_give_up():
    talk = Talk().at_account().silence().silence()
    assert not talk.is_over
    talk.silence()
    assert talk.said == ["you_were_not_charged", "goodbye"]
    assert talk.is_over


def test_three_wrong_entries_give_up():
    assert Talk().at_account().keys("1").keys("2").keys("3").is_over


def test_silences_and_wrong_entries_count_together():
    assert Talk().at_account().silence().keys("12").silence().is_over


def test_the_number_of_tries_is_the_flows():
    talk = Talk(sample(("tries: 3", "tries: 5"))).at_account()
    for _ in range(4):
        talk.silence()
    assert not talk.is_over
    assert talk.silence().is_over


def test_a_new_question_has_its_own_tries():
    talk = Talk().at_account().silence().silence().keys("12345678").found().silence().silence()
    assert not talk.is_over


def test_no_keys_at_all_are_a_silence():
    assert Talk().at_account().keys("").said[0] == "no_input"


FLUSHED = ["card_number", "security_code", "confirm"]
KEPT = ["language", "account_number", "menu", "expiry", "postal_code", "money", "repeat"]


def test_keys_are_flushed_before_card_number_security_code_and_confirmation_only():
    talk = Talk().at_receipt()
    other = Talk().at_amount().keys("2").keys("2000")
    asked = {c.field: c.flush for t in (talk, other) for c in t.history if hasattr(c, "flush")}
    assert {field for field, flush in asked.items() if flush} == set(FLUSHED)
    assert {field for field, flush in asked.items() if not flush} == set(KEPT)


def test_only_card_fields_are_sensitive():
    asked = {c.field: c.sensitive for c in Talk().at_receipt().history if hasattr(c, "sensitive")}
    assert {field for field, sensitive in asked.items() if sensitive} == {
        "card_number",
        "expiry",
        "security_code",
        "postal_code",
    }


def test_every_prompt_can_be_interrupted():
    assert all(action.barge_in for action in Talk().at_receipt().history if isinstance(action, Speak))


# ---- language


def test_each_language_is_offered_in_itself():
    talk = Talk().start()
    assert talk.said == ["choose_language", "choose_language"]
    assert [(p.language, dict(p.values).get("key")) for p in talk.phrases] == [("en-US", "1"), ("es-MX", "2")]


def test_the_second_key_chooses_the_second_language_for_the_whole_call():
    talk = Talk().start().keys("2").keys("12345678").found()
    assert {phrase.language for phrase in talk.phrases} == {"es-MX"}


def test_a_caller_who_does_not_choose_hears_the_first_language():
    talk = Talk().start().silence()
    assert talk.said == ["welcome", "enter_account_number"]
    assert talk.call.language == "en-US"


def test_a_wrong_key_is_told_and_languages_are_offered_again_until_the_first_is_taken():
    talk = Talk().start().keys("8")
    assert talk.said == ["no_match", "choose_language", "choose_language"]
    assert talk.keys("8").keys("8").said == ["welcome", "enter_account_number"]


def test_a_flow_in_one_language_does_not_ask_for_it():
    assert Talk(sample(("[en-US, es-MX]", "[es-MX]"))).start().said == ["welcome", "enter_account_number"]
