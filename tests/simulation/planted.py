"""Mistakes as they are made, each planted into the product for a while: the simulation has to find every one.

Each is a context manager. What it changes is put back at its end.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import text

from ivr.bank import Promises, promises
from ivr.core.call import Call
from ivr.forwarder import charges
from ivr.forwarder.charges import Charges
from ivr.store import FINAL, Job, Ledger, Payment, calls, following, intents, ledger
from ivr.store.database import Straight
from ivr.store.ledger import attempter_of
from ivr.store.limits import limit_reached
from ivr.store.sealed import SealedFields


@contextmanager
def changed(owner: Any, **attributes: Any) -> Iterator[None]:
    before = {name: getattr(owner, name) for name in attributes}
    try:
        for name, value in attributes.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)


def undone_without_the_job() -> AbstractContextManager[None]:
    """The fence is dropped where a charge is undone: whoever has ever held its job tells the bank to."""

    def may_undo(self: Charges, job: Job) -> bool:
        self.store.note_charge(job.reference, charges.UNDO_ASKED, self.now())
        return True

    return changed(Charges, _may_undo=may_undo)


def retry_for_inquiry() -> AbstractContextManager[None]:
    """After silence the charge is sent again, whatever the bank promises."""
    return changed(charges, after_silence=lambda *_: "repeat")


def not_found_is_believed() -> AbstractContextManager[None]:
    """An inquiry that finds nothing ends the charge, though its request may be on its way."""

    def inquire(self: Charges, job: Job, payment: Payment) -> None:
        answer = self._ask(payment, "inquire", lambda bank: bank.inquire(payment.intent.reference))
        status = "reversed" if answer.outcome == "not_found" else answer.outcome
        if status in FINAL - {"not_sent"}:
            self._record(job, payment, status, answer)
        else:
            self._later(job)

    return changed(Charges, _inquire=inquire)


def approval_while_undoing() -> AbstractContextManager[None]:
    """An approval is believed although a reversal may be on its way."""
    return changed(Charges, _may_undo=lambda self, job: self.store.sealed_again(job) is not None)


def age_below_nothing() -> AbstractContextManager[None]:
    """A charge that seems to be begun in the future is young enough to be repeated at any bank."""

    def after(promised: Promises, age_s: float, sent_s: float | None = None) -> str:
        if not promised.inquires and age_s < promised.repeats_s:
            return "repeat"
        return promises.after_silence(promised, age_s, sent_s)

    return changed(charges, after_silence=after)


def save_without_compare() -> AbstractContextManager[None]:
    """Of two that advance a call at once both save."""
    return changed(
        calls,
        _SAVE=calls._SAVE.replace("AND version = ?", "AND ? > 0"),
        _END=calls._END.replace("AND version = ?", "AND ? > 0"),
    )


def move_without_compare() -> AbstractContextManager[None]:
    """A charge moves to another status from wherever it stands, so a request is sent by each holder of its job."""
    loose = Straight(intents._MOVE.written.replace("AND status = :old", "AND :old <> ''"))
    return changed(intents, _MOVE=loose)


def sent_before_it_is_noted() -> AbstractContextManager[None]:
    """The request leaves first, and that it may have left is written down afterwards."""
    noting = Charges.authorize

    def authorize(self: Charges, job: Job) -> None:
        payment, store = self._payment(job), self.store
        with store._database.money() as connection:
            sealed = ledger.read_sealed(connection, job.reference).fields
        answers: list[Any] = []
        if sealed and payment.status == "accepted":
            asked = self._ask(
                payment, "authorize", lambda bank: bank.authorize(charges._request(payment, sealed, bank))
            )
            answers.append(asked)
        with changed(Charges, _ask=lambda *_: answers[0]) if answers else changed(Charges):
            noting(self, job)

    return changed(Charges, authorize=authorize)


def blind_to_the_bill() -> AbstractContextManager[None]:
    """A charge begins within the limits, without a look at what is due or at other charges of its bill."""

    def refusal(self: Ledger, connection: Any, intent: Any, staged: Any, limits: Any, now: Any, due: Any) -> Any:
        return limit_reached(connection, attempter_of(intent, staged.fingerprint), limits, now)

    return changed(Ledger, _refusal=refusal, is_being_paid=lambda *_: False)


def bill_lowered_by_a_cent_less() -> AbstractContextManager[None]:
    loose = text(str(following._LOWER_BILL.text).replace("due_minor - :paid", "due_minor - :paid + 1"))
    return changed(following, _LOWER_BILL=loose)


@contextmanager
def card_left_behind() -> Iterator[None]:
    """The sealed fields outlive the final answer, and housekeeping forgets them."""
    with changed(ledger, delete_sealed=lambda *_: 0), changed(SealedFields, drop_unsent_cards=lambda *_: 0):
        yield


def result_not_told() -> AbstractContextManager[None]:
    """A call that ends before its caller has heard the result leaves no job to tell it."""
    return changed(Call, to_tell=property(lambda self: ()))


PLANTED: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    planted.__name__: planted
    for planted in (
        undone_without_the_job,
        retry_for_inquiry,
        not_found_is_believed,
        approval_while_undoing,
        age_below_nothing,
        save_without_compare,
        move_without_compare,
        sent_before_it_is_noted,
        blind_to_the_bill,
        bill_lowered_by_a_cent_less,
        card_left_behind,
        result_not_told,
    )
}
