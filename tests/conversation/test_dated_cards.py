"""Start date and issue number are asked of the cards that may have them, and the done key alone leaves them out."""

from ivr.conversation.habit import DOUBLE_PRESS_S
from ivr.core.events import CardCollected
from tests.conversation.talk import Talk, sample

DATED = sample(
    (
        "collect: [card_number, expiry, security_code, postal_code]",
        "collect: [card_number, expiry, start_date, issue_number]",
    ),
    ("discover]", "maestro]"),
)


def after_card(summary: str) -> Talk:
    talk = Talk(DATED).at_card()
    return talk.hear(CardCollected(talk.now, "card_number", True, summary=summary))


def at_start_date() -> Talk:
    return after_card("maestro 8453").keys("1230")


def test_a_card_of_another_brand_is_not_asked():
    assert after_card("visa 1111").keys("1230").said == ["confirm_card"]


def test_the_done_key_alone_leaves_each_out_at_no_cost():
    talk = at_start_date().later().keys("#")
    assert talk.said == ["enter_issue_number"]
    talk.later().keys("#")
    assert talk.said == ["confirm_card"]
    assert (talk.call.mistakes, talk.call.silences) == (0, 0)


def test_the_done_key_that_belongs_to_the_entry_before_leaves_nothing_out():
    talk = at_start_date().later(DOUBLE_PRESS_S / 2).keys("#")
    assert talk.said == ["enter_start_date"]
    assert talk.later().keys("#").said == ["enter_issue_number"]


def test_the_second_of_two_done_keys_belongs_to_the_entry_too():
    talk = after_card("maestro 8453").keys("1230#").later(DOUBLE_PRESS_S / 2).keys("#")
    assert talk.said == ["enter_start_date"]


def test_the_done_key_after_a_warning_gives_more_time_and_leaves_nothing_out():
    talk = at_start_date().later().silence()
    assert talk.said[-1] == "more_time"
    assert talk.later().keys("#").said == ["enter_start_date"]
    assert talk.later().keys("#").said == ["enter_issue_number"]


def test_a_star_alone_offers_to_cancel():
    assert at_start_date().later().keys("*").said == ["offer_cancel"]
