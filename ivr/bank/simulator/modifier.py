"""What the bank does with a refund, void or capture: reads it, decides once a key. How it is answered, or not, is for `server`."""

import threading
from collections.abc import Callable
from datetime import UTC, date, datetime

from pydantic import BaseModel, ConfigDict, ValidationError

from ivr.bank.simulator.authorizer import Amount, BankReply, Undecided, conflict, problems
from ivr.bank.simulator.books import Books
from ivr.bank.simulator.modification_books import DONE, NO_RECORD, BookedModification, Kind
from ivr.bank.simulator.scenarios import scenario_for
from ivr.core.money import Money


class ModificationMessage(BaseModel):
    """A refund, void or capture as it arrives; the charge is in the path, the key in the header."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    amount: Amount


class Modifier:
    """Shared by all threads. A line breaks for the first request under a key only: the second time it holds."""

    def __init__(self, books: Books, today: Callable[[], date] = lambda: datetime.now(UTC).date()) -> None:
        self._books, self._today = books, today
        self._tried: set[str] = set()
        self._lock = threading.Lock()

    def modify(self, kind: Kind, reference: str, body: bytes, key: str) -> BankReply | Undecided:
        """A reply at once to what is malformed or known already; otherwise what is still to be entered."""
        try:
            amount = ModificationMessage.model_validate_json(body).amount
        except ValidationError as error:
            return BankReply(400, {"error": problems(error)}, "malformed")
        if not key.isascii() or not 1 <= len(key) <= 255:
            return BankReply(400, {"error": "an Idempotency-Key of 1 to 255 characters is needed"}, "malformed")
        wanted = BookedModification(key, reference, kind, Money(amount.minor, amount.currency))
        known = self._books.modifications.find(key)
        if known is not None:
            return replay(known, wanted)
        return self._undecided(wanted)

    def _undecided(self, wanted: BookedModification) -> BankReply | Undecided:
        scenario = scenario_for("", wanted.amount.minor)
        fault = scenario.fault if self._is_first(wanted.idempotency_key) else None
        if fault == "duplicate":
            return conflict(wanted.reference)
        if scenario.response_code != DONE and scenario.fault is None:
            wanted = wanted.refused(scenario.response_code, scenario.what)
        return Undecided(fault, lambda: replay(self._enter(wanted), wanted))

    def _enter(self, wanted: BookedModification) -> BookedModification:
        return self._books.modifications.enter(wanted, self._today().isoformat())

    def _is_first(self, key: str) -> bool:
        with self._lock:
            is_first = key not in self._tried
            self._tried.add(key)
            return is_first

    def inquire(self, reference: str, key: str) -> BankReply:
        known = self._books.modifications.find(key)
        if known is None or known.reference != reference:
            about = {"reference": reference, "idempotency_key": key}
            return BankReply(404, {**about, "outcome": "not_found", "response_code": NO_RECORD})
        return answer(known)


def replay(known: BookedModification, wanted: BookedModification) -> BankReply:
    """The same request again has the same answer; another one under a key that is taken has none."""
    if (known.reference, known.kind, known.amount) != (wanted.reference, wanted.kind, wanted.amount):
        return conflict(wanted.reference)
    return answer(known)


def answer(entry: BookedModification) -> BankReply:
    body: dict[str, object] = {
        "reference": entry.reference,
        "idempotency_key": entry.idempotency_key,
        "kind": entry.kind,
        "outcome": entry.outcome,
        "response_code": entry.response_code,
        "amount": {"minor": entry.amount.minor, "currency": entry.amount.currency},
    }
    return BankReply(200, body | ({"reason": entry.reason} if entry.reason else {}))
