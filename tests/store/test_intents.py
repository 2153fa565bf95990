"""A charge on record is the intent that was begun, whole: nothing of it is lost, added or taken for a default."""

from dataclasses import replace

import pytest

from ivr.core.actions import SplitPart
from ivr.core.money import Money
from ivr.store import Accepted, BankWord, DueNow, FollowUp, IntentBill, PaymentIntent, Store, memory_store
from ivr.store.confirmation_numbers import from_reference
from tests.store.payments import ACCOUNT, NO_LIMITS, NOW, a_call, intent, stage

SOURCE = "billing.find_bill"
EUROS = Money(4250, "EUR")
WHOLE = replace(
    intent(pays=ACCOUNT, block="block", line="pay-a-bill +15550199"),
    amount=EUROS,
    fee=Money(250, "EUR"),
    captures_later=True,
    keeps_card=True,
)


def begun(store: Store, wanted: PaymentIntent, due: Money | None = None) -> object:
    stage(store, wanted.reference)
    return store.begin_payment(wanted, NO_LIMITS, NOW, DueNow(due, NOW) if due else None)


def answered(store: Store, word: BankWord) -> None:
    job = store.claim(NOW, 60)
    assert job is not None
    assert store.mark_sent(job)
    assert store.record(job, "approved", NOW, word, FollowUp(tell_billing=True))


def test_what_was_begun_is_read_back_as_it_was(store: Store):
    assert begun(store, WHOLE, Money(4000, "EUR")) == Accepted()
    found = store.payment("CA1-1")
    assert found is not None
    assert found.intent == WHOLE
    assert (found.status, found.begun_at, found.part, found.split, found.split_minor) == ("accepted", NOW, "", "", None)
    assert (found.takes_part, found.asked, found.bank_reference, found.response_code) == (False, None, None, None)


def test_an_answer_is_read_back_as_the_bank_gave_it(store: Store):
    begun(store, WHOLE, Money(4000, "EUR"))
    answered(store, BankWord("482913", "00", bank_reference="psp-1"))
    found = store.payment("CA1-1")
    assert found is not None
    assert (found.bank_reference, found.authorization_code, found.response_code) == ("psp-1", "482913", "00")


@pytest.mark.parametrize("takes_part", [True, False])
def test_a_part_is_read_back_with_what_it_is_a_part_of(store: Store, takes_part: bool):
    store.save_call(a_call(), 0, NOW)
    part = SplitPart("CA1-1", EUROS, "keep", takes_part=takes_part)
    wanted = replace(intent(pays=ACCOUNT), amount=EUROS if takes_part else Money(2000, "EUR"), part=part)
    assert begun(store, wanted, EUROS) == Accepted()
    answered(store, BankWord("482913", "00", approved=Money(2000, "EUR") if takes_part else None))
    (found,) = store.payments_of("CA1")
    assert (found.part, found.split, found.split_minor, found.takes_part) == ("keep", "CA1-1", 4250, takes_part)
    assert (found.asked, found.intent.amount) == (EUROS if takes_part else None, Money(2000, "EUR"))


def test_a_number_is_drawn_for_the_charge_and_once_more_where_it_is_taken():
    store = memory_store()
    begun(store, intent())
    found = store.payment("CA1-1")
    assert found is not None
    assert found.confirmation_number == from_reference("CA1-1", 0)


def test_what_billing_does_not_know_of_is_in_its_own_currency(store: Store):
    due = Money(4250, "EUR")
    begun(store, replace(intent(pays="F-1"), amount=Money(1000, "EUR")), due)
    answered(store, BankWord("482913", "00"))
    assert store.left_to_pay(SOURCE, "F-1", DueNow(due, NOW)) == Money(3250, "EUR")


# ---- what nobody may begin


@pytest.mark.parametrize("fee", [None, Money(1)])
def test_a_cent_may_be_charged_and_a_cent_beside_a_fee_of_one(store: Store, fee: Money | None):
    wanted = replace(intent(minor=2 if fee else 1), fee=fee)
    assert begun(store, wanted) == Accepted()


@pytest.mark.parametrize(
    "changes",
    [
        {"captures_later": True},
        {"keeps_card": True},
        {"part": SplitPart("CA1-1", Money(300), "keep")},
    ],
)
def test_several_bills_in_one_sum_are_neither_reserved_nor_parted_nor_kept_a_card_for(
    store: Store, changes: dict[str, object]
):
    bills = tuple(IntentBill(f"CA1-1:{number}", SOURCE, str(number), Money(100 * number)) for number in (1, 2))
    wanted = replace(intent(minor=300), bills=bills, **changes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at once, by one card"):
        begun(store, wanted)
    assert store.payment("CA1-1") is None
