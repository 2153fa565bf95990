"""What each published test card and amount does, over real TLS: what our side hears, and what the bank has booked."""

from dataclasses import replace

import pytest

from ivr.bank.simulator import BY_NAME, SCENARIOS
from ivr.bank.tonetill import TonetillBank
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank

HEARD = {  # scenario: what authorize answers, what an inquiry answers after it
    "do_not_honor": ("declined", "declined"),
    "insufficient_funds": ("declined", "declined"),
    "expired_card": ("declined", "declined"),
    "invalid_card": ("declined", "declined"),
    "lost_card": ("declined", "declined"),
    "slow": ("approved", "approved"),
    "late": ("approved", "approved"),
    "silent_before": ("unknown", "not_found"),
    "silent_after": ("unknown", "approved"),
    "error_before": ("unknown", "not_found"),
    "error_after": ("unknown", "approved"),
    "closed_before": ("unknown", "not_found"),
    "closed_after": ("unknown", "approved"),
    "garbled_after": ("unknown", "approved"),
    "duplicate": ("unknown", "not_found"),
}


@pytest.mark.parametrize(
    "pan",
    [
        "4111111111111111",
        "5555555555554444",
        "378282246310005",
        "6011111111111117",
        "30569309025904",
        "3530111333300000",
    ],
)
def test_any_other_valid_card_is_approved_and_charged(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys, pan: str
) -> None:
    request = new_request(bank_keys.vault(), pan)
    answer = bank.authorize(request)
    assert (answer.outcome, answer.response_code, answer.reference) == ("approved", "00", request.reference)
    entry = bank_process.entry(request.reference)
    assert entry is not None
    assert (entry.outcome, entry.amount, entry.last4) == ("approved", request.amount, pan[-4:])
    assert entry.authorization_code == answer.authorization_code is not None


@pytest.mark.parametrize("by", ["card", "amount"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_scenario_is_heard_and_booked_as_published(
    bank: TonetillBank, impatient_bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys, scenario, by: str
) -> None:
    vault = bank_keys.vault()
    request = new_request(vault, scenario.pan) if by == "card" else new_request(vault, minor=scenario.amount_minor)
    authorized, inquired = HEARD[scenario.name]
    answer = (impatient_bank if scenario.name.startswith("silent") else bank).authorize(request)
    if inquired != "not_found":
        bank_process.wait_for(request.reference)
    assert answer.outcome == authorized
    assert answer.response_code == (None if authorized == "unknown" else scenario.response_code)
    assert bank.inquire(request.reference).outcome == inquired
    entry = bank_process.entry(request.reference)
    assert (entry.outcome if entry else "not_found") == inquired


def test_every_scenario_is_expected_here() -> None:
    assert HEARD.keys() == BY_NAME.keys()
    assert len({scenario.pan for scenario in SCENARIOS}) == len({s.amount_minor for s in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.parametrize("name", ["silent_before", "silent_after", "error_after", "closed_before", "closed_after"])
def test_an_unknown_charge_can_always_be_reversed(
    bank: TonetillBank, impatient_bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys, name: str
) -> None:
    request = new_request(bank_keys.vault(), BY_NAME[name].pan)
    (impatient_bank if name.startswith("silent") else bank).authorize(request)
    if name.endswith("after"):
        bank_process.wait_for(request.reference)
    assert bank.reverse(request.reference).outcome == "reversed"
    assert bank.reverse(request.reference).outcome == "reversed"
    assert bank.inquire(request.reference).outcome == "reversed"
    entry = bank_process.entry(request.reference)
    assert entry is not None
    assert entry.outcome == "reversed"


def test_a_reversal_blocks_the_authorization_that_arrives_after_it(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys
) -> None:
    request = new_request(bank_keys.vault())
    assert bank.inquire(request.reference).outcome == "not_found"
    assert bank.reverse(request.reference).outcome == "reversed"
    late = bank.authorize(request)
    assert (late.outcome, late.response_code, late.authorization_code) == ("declined", "12", None)
    entry = bank_process.entry(request.reference)
    assert entry is not None
    assert entry.outcome == "declined"


def test_the_same_request_again_has_the_same_answer_and_one_charge(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys
) -> None:
    request = new_request(bank_keys.vault())
    answers = [bank.authorize(request) for _ in range(3)]
    assert answers[0].outcome == "approved"
    assert answers[0] == answers[1] == answers[2]
    assert [entry.reference for entry in bank_process.entries()].count(request.reference) == 1


def test_a_charge_that_was_taken_back_is_not_answered_as_approved_again(
    bank: TonetillBank, bank_keys: BankKeys
) -> None:
    request = new_request(bank_keys.vault())
    assert bank.authorize(request).outcome == "approved"
    bank.reverse(request.reference)
    assert bank.authorize(request).outcome == "unknown"
    assert bank.inquire(request.reference).outcome == "reversed"


@pytest.mark.parametrize("change", [{"idempotency_key": "another"}, {"merchant": "another"}, {"moto": False}])
def test_a_reference_or_key_that_is_taken_says_nothing_of_another_request(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys, change: dict[str, object]
) -> None:
    request = new_request(bank_keys.vault())
    bank.authorize(request)
    second = bank.authorize(replace(request, **change))  # type: ignore[arg-type]
    assert (second.outcome, second.reason) == ("unknown", "status 409")
    entry = bank_process.entry(request.reference)
    assert entry is not None
    assert entry.outcome == "approved"


def test_a_key_used_for_another_reference_books_nothing(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys
) -> None:
    first, second = new_request(bank_keys.vault()), new_request(bank_keys.vault())
    bank.authorize(first)
    assert bank.authorize(replace(second, idempotency_key=first.idempotency_key)).reason == "status 409"
    assert bank_process.entry(second.reference) is None
