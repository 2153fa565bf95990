"""Somebody in the office who refunds charges now and then, and repeats a command that has failed."""

from dataclasses import dataclass, field

from ivr.bank import Promises
from ivr.calls.modifying import amount_to_modify, standing_of
from ivr.core.money import Money
from ivr.errors import IvrError
from ivr.store import Store, WantedModification
from tests.simulation.clocks import MachineClock
from tests.simulation.scheduler import Process, Scheduler

TRIES = 3


@dataclass
class Operator:
    """`wanted`: what was asked for, by charge, each amount once however often the command was repeated."""

    scheduler: Scheduler
    store: Store
    clock: MachineClock
    promises: Promises
    wanted: dict[str, list[Money]] = field(default_factory=dict)
    process: Process = field(default_factory=lambda: Process("operator", frailty=0.0))

    def refund(self, call_id: str) -> None:
        """A part of one of the call's charges, or all that is left."""
        try:
            request = self._look(call_id)
        except IvrError as error:
            self.scheduler.note("operator", f"refunds nothing: {str(error)[:40]}")
            return
        except Exception as error:
            self.scheduler.note("operator", f"cannot look: {type(error).__name__}")
            return
        if request is None:
            return
        self.wanted.setdefault(request.reference, []).append(request.amount)
        for _ in range(TRIES):
            try:
                asked = self.store.ask_modification(request, self.clock())
            except Exception as error:
                self.scheduler.note("operator", f"repeats the command after {type(error).__name__}")
                self.scheduler.sleep(10.0)
            else:
                self.scheduler.note(
                    "operator", f"refunds {request.amount} of {request.reference}: {type(asked).__name__}"
                )
                return

    def _look(self, call_id: str) -> WantedModification | None:
        payments = [one for one in self.store.payments_of(call_id) if one.status == "approved"]
        if not payments:
            return None
        payment = self.scheduler.chance.choice(payments)
        standing = standing_of(self.store, payment, "tonetill", self.promises)
        left = amount_to_modify(standing, "refund", None)
        minor = left.minor if self.scheduler.chance.random() < 0.5 else self.scheduler.chance.randint(1, left.minor)
        amount = Money(minor, left.currency)
        return WantedModification(payment.intent.reference, "refund", amount, left, "operator")
