"""What each published test card and amount does, over real TLS: what our side hears, and what the bank has booked."""

from dataclasses import replace

import pytest

from ivr.bank import ModificationRequest, judge
from ivr.bank.simulator import BY_NAME, SCENARIOS
from ivr.bank.simulator.scenarios import Chances
from ivr.bank.tonetill import TonetillBank
from ivr.core.money import Money
from tests.bank.requests import new_request
from tests.bank_process import BankKeys, RunningBank

HEARD = {  # scenario: what authorize answers, what an inquiry answers after it
    "do_not_honor": ("declined", "declined"),
    "insufficient_funds": ("declined", "declined"),
    "expired_card": ("declined", "declined"),
    "invalid_card": ("declined", "declined"),
    "lost_card": ("declined", "declined"),
    "partial": ("declined", "declined"),  # where it was not told that a part will do
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
    code = scenario.decide(request.amount.minor, takes_part=False)[0]
    assert answer.response_code == (None if authorized == "unknown" else code)
    assert bank.inquire(request.reference).outcome == inquired
    entry = bank_process.entry(request.reference)
    assert (entry.outcome if entry else "not_found") == inquired


@pytest.mark.parametrize("by", ["card", "amount"])
def test_a_part_is_approved_where_that_may_be_and_it_is_what_can_be_taken_back(
    bank: TonetillBank, bank_process: RunningBank, bank_keys: BankKeys, by: str
) -> None:
    partial, vault = BY_NAME["partial"], bank_keys.vault()
    request = new_request(vault, partial.pan) if by == "card" else new_request(vault, minor=partial.amount_minor)
    request = replace(request, takes_part=True)
    part = Money(request.amount.minor * 2 // 3)
    for question, answer in (
        ("authorize", bank.authorize(request)),
        ("repeat", bank.authorize(request)),
        ("inquire", bank.inquire(request.reference)),
    ):
        judged = judge(answer, question, request.amount, takes_part=True)
        assert (judged.outcome, judged.response_code, judged.approved) == ("approved", "10", part)
    entry = bank_process.entry(request.reference)
    assert entry is not None
    assert entry.amount == part
    void = ModificationRequest("void", request.reference, f"{request.reference}-m1", part, part)
    assert bank.modify(void).outcome == "done"


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


def test_parts_by_chance_are_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[tuple[str, int | None]]:
        choose = Chances(0.0, seed, in_part=0.4)
        return [choose("4111111111111111", 4250).decide(4250, takes_part=True) for _ in range(200)]

    assert drawn(7) == drawn(7) != drawn(8)
    parts = [approved for code, approved in drawn(7) if code == "10"]
    assert 50 < len(parts) < 110
    assert all(approved is not None and 0 < approved < 4250 for approved in parts)
