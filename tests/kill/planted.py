"""Mistakes that the kill test must find: each stands between the forwarder and its bank's client, or in the forwarder itself."""

from collections.abc import Callable, Mapping
from typing import Any

from ivr.bank import Bank, BankAnswer


class Wrapped:
    """Everything is the client's own, but what a mistake overrides."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bank, name)


def sends_again(bank: Bank) -> Bank:
    """Inquiry switched off: what may have left is sent again, whatever came of it."""
    from ivr.forwarder.charges import Charges, _request

    def resolve(charges: Charges, job: Any) -> None:
        payment = charges._payment(job)
        sealed = charges.store.sealed_again(job)
        assert sealed is not None
        answer = charges._ask(payment, "repeat", lambda one: one.authorize(_request(payment, sealed, one)))
        if answer.outcome in ("approved", "declined"):
            charges._record(job, payment, answer.outcome, answer)  # type: ignore[arg-type]
        else:
            charges._later(job)

    Charges.resolve = resolve  # type: ignore[method-assign]
    return bank


class SilenceIsNo(Wrapped):
    """Inquiry switched off: what was not answered was not charged."""

    def inquire(self, reference: str) -> BankAnswer:
        return BankAnswer("declined", reference, "05")


class NotUndone(Wrapped):
    """A charge is called undone that nobody has undone."""

    def inquire(self, reference: str) -> BankAnswer:
        return BankAnswer("not_found", reference)

    def reverse(self, reference: str) -> BankAnswer:
        return BankAnswer("reversed", reference, "00")


PLANTED: Mapping[str, Callable[[Bank], Bank]] = {
    "sends again instead of inquiring": sends_again,
    "takes silence for a refusal": SilenceIsNo,  # type: ignore[dict-item]
    "calls undone what is not": NotUndone,  # type: ignore[dict-item]
}
