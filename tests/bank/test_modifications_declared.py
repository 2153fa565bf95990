"""What a protocol declares of refunds, voids and captures it has a method for, and what it does not is refused with words."""

import inspect
from datetime import UTC, datetime
from importlib import import_module
from typing import get_args

import pytest

from ivr.bank import Bank, ModificationKind, protocol_called
from ivr.bank.protocols import protocol_names
from ivr.calls.modifying import Standing, amount_to_modify
from ivr.core.money import Money
from ivr.errors import RecordError
from ivr.store import Balance, Payment
from tests.store.payments import intent

KINDS: tuple[ModificationKind, ...] = get_args(ModificationKind)
NOTHING = Money(0)


def client_of(protocol: str) -> type[Bank]:
    if protocol == "iso8583":
        pytest.importorskip("iso8583", reason="pip install 'tonetill[iso8583]' brings it")
    module = import_module(f"ivr.bank.{protocol}.client")
    classes = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    (client,) = [one for one in classes if hasattr(one, "authorize")]
    return client


def standing(protocol: str) -> Standing:
    wanted = intent("CA1-1")
    payment = Payment(wanted, "approved", "414995123", "00", datetime.now(UTC))
    balance = Balance(wanted.amount, NOTHING, NOTHING)
    return Standing(payment, balance, ["requested", "approved"], protocol, protocol_called(protocol).promises)


@pytest.mark.parametrize("protocol", protocol_names())
def test_each_declared_modification_has_a_method_behind_it(protocol: str):
    client, promises = client_of(protocol), protocol_called(protocol).promises
    if set(KINDS) & promises.operations:
        assert client.modify is not Bank.modify
    assert (client.delete_card is not Bank.delete_card) == ("delete token" in promises.operations)
    assert ("delete token" in promises.operations) == ("create token" in promises.operations), (
        "what is kept can be deleted"
    )
    assert (client.inquire_modification is not Bank.inquire_modification) == promises.inquires_modifications


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        (name, kind)
        for name in protocol_names()
        for kind in KINDS
        if kind not in protocol_called(name).promises.operations
    ],
)
def test_each_that_is_not_declared_is_refused_with_words(protocol: str, kind: ModificationKind):
    with pytest.raises(RecordError, match=f"'{protocol}' of 'acme_bank' has no {kind}: .*do it at the bank itself"):
        amount_to_modify(standing(protocol), kind, None)
