"""A billing system at the boundary: bills that a test writes, and a system that answers, takes its time or is away."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ivr.calls.billing import Answered, BillingDown, Bills, InOurTable
from ivr.channels.simulator import Owed
from ivr.core.actions import LookUp
from ivr.core.events import Event, LookUpFailed
from ivr.core.money import Money, parse_money
from ivr.reading.scalars import OPEN_BILLS
from ivr.store import Bill, Store

Behaviour = Literal["answers", "is slow", "is away", "answers nonsense"]
SLOW_ASKS = 2  # asked so often, a slow system has still not answered


@dataclass
class ScriptedBilling:
    """Bills are rows of the bench's own store, as in a project without a billing system."""

    store: Store
    behaviour: Behaviour = "answers"
    _asked: dict[str, int] = field(default_factory=dict)

    def owes(self, account: str, due: str, minimum: str = "") -> None:
        """From now on; `due` such as "42.50 USD", `minimum` nothing where any part may be paid."""
        self.owe(Owed(account, due, minimum))

    def owe(self, owed: Owed) -> None:
        """What is not said of a bill that is known stays as it is."""
        due = parse_money(owed.due)
        least = parse_money(owed.least) if owed.least else Money(0, due.currency)
        known = self.store.find_bill(owed.account) or Bill(owed.account, due, least)
        details = tuple({**dict(known.details), **dict(owed.details)}.items())
        customer = owed.customer or known.belongs_to
        self.store.renew_bills([replace(known, due=due, minimum=least, belongs_to=customer, details=details)])

    def look_up(self, asked: LookUp, event: Event, asker: str = "") -> Answered | None:
        if self.behaviour == "is away":
            return LookUpFailed(event.at, "not_reached")
        if self.behaviour == "answers nonsense":
            return LookUpFailed(event.at, "not_payable")
        return None if self._takes_its_time(asker) else Bills(self.store).look_up(asked, event)

    def due_now(self, source: str, key: str, asker: str) -> InOurTable | None:
        if self.behaviour in ("is away", "answers nonsense"):
            raise BillingDown(f"the scripted billing system {self.behaviour}")
        return None if self._takes_its_time(asker) else Bills(self.store).due_now(source, key, asker)

    def dues_now(self, keys: Sequence[str], asker: str) -> InOurTable | None:
        return self.due_now(OPEN_BILLS, " ".join(keys), asker)

    def forget(self) -> None:
        """Whoever has asked before asks for the first time."""
        self._asked.clear()

    def _takes_its_time(self, asker: str) -> bool:
        self._asked[asker] = self._asked.get(asker, 0) + 1
        return self.behaviour == "is slow" and self._asked[asker] <= SLOW_ASKS
