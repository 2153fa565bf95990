"""A caller who agreed to be remembered: their language at once, their last account by a key, and nothing of it once the call is over."""

import re

from ivr.core.actions import ForgetCaller, LookUp, RecordAgreement
from ivr.core.events import AgreementRecorded, CallStarted
from ivr.core.remembered import ACCOUNT, OF_CALLER, Remembered
from ivr.flow.compiled import Flow
from ivr.flow.compiler import compile_flow
from tests.benches import load_flow
from tests.conversation.talk import ROOT, Talk

SPANISH = Remembered("es-MX", "700101")
TEXT = (ROOT / "flows" / "returning.yaml").read_text(encoding="utf-8")


def returning() -> Flow:
    return load_flow(ROOT / "flows" / "returning.yaml")[0]


def of_the_account_alone() -> Flow:
    """Its look-up takes no PIN."""
    text = re.sub(r"lookups:\n.*?(?=start:)", "", TEXT, flags=re.DOTALL)
    text = re.sub(r"  pin:\n.*?(?=  amount:)", "", text, flags=re.DOTALL)
    found = "lookup: billing.find_bill\n    then: {found: amount, not_found: retry, gave_up: not_charged}"
    flow, problems = compile_flow("returning.yaml", text.replace("then: {ok: pin, gave_up: not_charged}", found))
    assert flow is not None, problems
    return flow


def rings(what: Remembered | None = SPANISH, flow: Flow | None = None) -> Talk:
    talk = Talk(flow or returning())
    return talk.hear(CallStarted(talk.now, remembered=what))


def names(talk: Talk) -> list[str]:
    return [phrase.name for phrase in talk.phrases]


def test_the_call_begins_in_the_language_that_was_kept_and_asks_for_none():
    talk = rings()
    assert names(talk) == ["choose_language", "welcome", "welcome_back", "confirm_remembered_account_number"]
    assert [phrase.language for phrase in talk.phrases] == ["en-US", "es-MX", "es-MX", "es-MX"]


def test_the_clear_key_as_the_first_one_leads_to_the_languages_for_somebody_else():
    talk = rings().silence()
    assert [dict(phrase.values)["key"] for phrase in talk.keys("*").phrases] == ["1", "2"]
    assert {phrase.language for phrase in talk.keys("1").phrases} == {"en-US"}
    assert names(talk)[-1] == "confirm_remembered_account_number"
    assert list(talk.call.moves).count("- began") == 1


def test_once_another_key_was_pressed_the_clear_key_is_what_it_always_is():
    assert names(rings().keys("2").keys("*")) == ["offer_cancel"]


def test_in_a_flow_of_one_language_none_is_offered():
    one = re.sub(r"languages: .*", "languages: [en-US]", TEXT).replace("keeps: [language, account]", "keeps: [account]")
    flow, problems = compile_flow("returning.yaml", one)
    assert flow is not None, problems
    assert "choose_language" not in names(rings(Remembered("", "700101"), flow))


def test_a_language_that_the_flow_does_not_speak_any_more_is_asked_for():
    talk = rings(Remembered("fr-CA", "700101"))
    assert set(names(talk)) == {"choose_language"}
    assert names(talk.keys("1"))[-1] == "confirm_remembered_account_number"


def test_a_caller_of_whom_nothing_is_kept_is_asked_for_both():
    talk = rings(None)
    assert set(names(talk)) == {"choose_language"}
    assert names(talk.keys("1")) == ["welcome", "enter_account_number"]


def test_of_the_account_its_end_alone_is_said():
    (said,) = [phrase for phrase in rings().phrases if phrase.name == "confirm_remembered_account_number"]
    assert dict(said.values)["account_end"] == "101"


def test_one_key_takes_the_account_and_its_pin_is_asked_for_all_the_same():
    talk = rings().keys("1")
    assert names(talk) == ["enter_pin"]
    (asked,) = [one for one in talk.keys("2468").done if isinstance(one, LookUp)]
    assert (asked.key, asked.others) == ("700101", (("pin", "2468"),))


def test_another_account_is_keyed_in_and_the_kept_one_is_not_offered_again():
    talk = rings().keys("2")
    assert names(talk) == ["enter_account_number"]
    assert ACCOUNT not in talk.call.values
    assert names(talk.keys("700102").keys("1111").not_found())[-1] == "enter_account_number"


def test_where_only_the_account_is_asked_it_is_looked_up_and_offered_no_more_once_it_is_none():
    talk = rings(flow=of_the_account_alone()).keys("1")
    (asked,) = [one for one in talk.done if isinstance(one, LookUp)]
    assert asked.key == "700101"
    assert names(talk.not_found()) == ["not_found_account_number", "enter_account_number"]


def test_an_account_of_another_length_than_the_question_takes_is_not_offered():
    assert names(rings(Remembered("es-MX", "12345678")))[-1] == "enter_account_number"
    assert names(rings(Remembered("es-MX")))[-1] == "enter_account_number"


def test_a_wrong_key_and_a_silence_put_the_offer_again_and_take_nothing():
    talk = rings()
    assert names(talk.keys("7")) == ["no_match", "confirm_remembered_account_number"]
    assert "account_number" not in talk.call.values
    talk.silence()
    assert names(talk.keys("1")) == ["confirm_remembered_account_number"], "a key for more time takes nothing"
    assert "account_number" not in talk.call.values


def test_who_thinks_better_of_cancelling_gets_the_offer_again():
    talk = rings().keys("7").keys("*")
    assert names(talk) == ["offer_cancel"]
    assert names(talk.keys("2")) == ["confirm_remembered_account_number"]
    assert names(talk.keys("1")) == ["enter_pin"]


def test_three_wrong_keys_at_the_offer_give_up_as_at_the_question_itself():
    talk = rings().keys("7").keys("7").keys("7")
    assert talk.call.phase == "over"
    assert talk.call.outcome == "unpaid"


def test_nothing_of_it_is_kept_in_a_call_that_is_over():
    assert rings().call.values.keys() >= OF_CALLER
    ended = rings().keys("7").keys("7").keys("7").call
    assert not ended.values.keys() & OF_CALLER
    assert "700101" not in ended.to_json()


# ---- the question whether it may be


def at_the_question(what: Remembered | None = None, ani: str = "+15550100") -> Talk:
    """After a charge. Whoever is not asked is at the end of the call by then."""
    talk = Talk(returning())
    talk.call = talk.call.changed(ani=ani)
    talk.hear(CallStarted(talk.now, remembered=what))
    talk.keys("1").keys("700101") if what is None else talk.keys("1")
    talk.keys("2468").found().keys("1")
    for keys in ("4111111111111111#", "1230#", "123#", "94105#", "1"):
        talk.later().keys(keys)
    return talk.bank("approved").later().keys("#")


def test_key_1_records_the_words_and_keeps_language_and_account():
    talk = at_the_question()
    assert names(talk)[-1] == "confirm_remember_me"
    (recorded,) = [one for one in talk.keys("1").done if isinstance(one, RecordAgreement)]
    assert (recorded.kind, recorded.subject, recorded.key) == ("remember", "remember_me", "1")
    assert recorded.remembers == Remembered("en-US", "700101")
    assert dict(recorded.terms) == {"keeps": "language account", "account_end": "101"}
    assert recorded.payable is None
    assert not recorded.amount.minor
    talk.hear(AgreementRecorded(talk.now))
    assert talk.call.outcome == "paid"


def test_key_2_forgets_what_was_kept_before():
    talk = at_the_question(SPANISH).keys("2")
    assert [one for one in talk.done if isinstance(one, ForgetCaller)]
    assert not [one for one in talk.done if isinstance(one, RecordAgreement)]
    assert talk.call.outcome == "paid"


def test_silence_and_hanging_up_neither_keep_nor_forget():
    for talk in (at_the_question(SPANISH).silence().silence().silence().silence(), at_the_question(SPANISH).hang_up()):
        assert talk.call.phase == "over"
        assert not [one for one in talk.history if isinstance(one, ForgetCaller | RecordAgreement)]


def test_who_withholds_their_number_is_not_asked():
    talk = at_the_question(ani="anonymous")
    assert talk.call.phase == "over"
    assert "confirm_remember_me" not in names(talk)


def test_nobody_is_asked_whose_account_the_call_does_not_know_any_more():
    talk = at_the_question()
    forgotten = {name: value for name, value in talk.call.values.items() if name != "account_number"}
    talk.call = talk.call.changed(values=forgotten)
    assert talk.keys("9").call.phase == "over", "the question cannot be put again"
