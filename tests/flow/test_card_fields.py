"""A field of the card that the bank's protocol has no place for is refused before any caller keys it in."""

from ivr.bank import all_promises
from ivr.flow.compiler import Around, compile_flow
from tests.conversation.talk import SAMPLE

DATED = SAMPLE.read_text(encoding="utf-8").replace(
    "collect: [card_number, expiry, security_code, postal_code]",
    "collect: [card_number, expiry, security_code, postal_code, start_date, issue_number]",
).replace("discover]", "maestro]")  # fmt: skip


def told(protocol: str) -> list[str]:
    carried = {"acme_bank": dict(all_promises())[protocol].fields}
    return [str(problem) for problem in compile_flow("flow.yaml", DATED, Around(card_fields=carried))[1]]


def test_our_own_protocol_carries_every_field():
    assert told("tonetill") == []


def test_adyen_has_no_place_for_start_dates_and_issue_numbers():
    start, issue = told("adyen")
    assert "the protocol of the bank 'acme_bank' has no place for start dates" in start
    assert "leave issue_number out, or pay by a bank of a protocol that has" in issue


def test_nothing_is_said_of_a_bank_that_is_not_known():
    assert compile_flow("flow.yaml", DATED, Around(card_fields={"other_bank": ()}))[1] == []
