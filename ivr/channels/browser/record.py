"""What is on record of a call, told to its page as it comes: seals, payments, ledger entries, texts. It only reads."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from ivr.core.call import OPEN, Call
from ivr.store import Store

# As many as the field has by its kind, never as many as were keyed: a security code leaves not even its length behind.
STARS = {"card_number": 16, "expiry": 4, "security_code": 3, "postal_code": 5, "start_date": 4, "issue_number": 2}
Say = Callable[..., None]


@dataclass
class Record:
    """`look` reads, in any thread, and gives what is new as messages: kind and contents."""

    store: Store
    call_id: str
    _told: set[Hashable] = field(default_factory=set)
    _sealed: object = None

    def look(self, call: Call) -> tuple[list[tuple[str, dict[str, object]]], bool]:
        """The news, and whether nothing more is to be expected."""
        payments = self.store.payments_of(self.call_id)
        news = [*self._seals(call), *self._money(), *self._texts()]
        for payment in payments:
            seen = (payment.intent.reference, payment.status)
            if self._is_new(seen):
                news.append(("payment", {
                    "attempt": attempt_of(payment.intent.reference),
                    "status": payment.status,
                    "amount": str(payment.intent.amount),
                    "card": payment.intent.card_summary,
                    "confirmation": payment.receipt_number or None,
                    "code": payment.response_code,
                }))  # fmt: skip
        return news, call.phase == "over" and all(payment.status not in OPEN for payment in payments)

    def _seals(self, call: Call) -> list[tuple[str, dict[str, object]]]:
        """All that lie sealed now, whenever they have changed: they are gone with the bank's answer."""
        sizes = self.store.sealed_sizes(call.intent) if call.attempt else ()
        if sizes == self._sealed or (not sizes and not self._sealed):
            return []
        self._sealed = sizes
        fields = [{"field": one.field, "stars": STARS.get(one.field, 4), "characters": one.characters} for one in sizes]
        return [("sealed", {"fields": fields})]

    def _money(self) -> list[tuple[str, dict[str, object]]]:
        return [
            ("ledger", {
                "entry": entry.id,
                "attempt": attempt_of(entry.reference),
                "what": entry.kind,
                "amount": str(entry.amount),
                "code": entry.response_code,
                "clock": entry.at.strftime("%H:%M:%S.%f")[:-3],
            })
            for entry in self.store.ledger_of(self.call_id)
            if self._is_new(("entry", entry.id))
        ]  # fmt: skip

    def _texts(self) -> list[tuple[str, dict[str, object]]]:
        return [
            ("text", {"body": text.body, "state": text.state})
            for text in self.store.texts_of(self.call_id)
            if self._is_new((text.id, text.state))
        ]

    def _is_new(self, seen: Hashable) -> bool:
        is_new = seen not in self._told
        self._told.add(seen)
        return is_new


def attempt_of(reference: str) -> str:
    return reference.rpartition("-")[2]
