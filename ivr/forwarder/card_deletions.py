"""Has a bank delete what stands for a card that was forgotten here, and asks until it has said so.

Asking again changes nothing more at any bank, so silence is no doubt to be settled: the same question follows, with growing
pauses, for as long as it takes. A bank that cannot be reached, or does not let us in, is asked again as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog

from ivr.bank import Bank, BankAnswer, CardDeletionRequest
from ivr.forwarder.modifications import LONGEST_PAUSE_S, pause_after
from ivr.store import CardDeletion, Job, Store

log = structlog.get_logger()


@dataclass(frozen=True)
class CardDeletionJobs:
    """`due`: the time that decides what is due; None for the database's own."""

    store: Store
    banks: Mapping[str, Bank]
    now: Callable[[], datetime]
    due: datetime | None

    def do(self, job: Job) -> None:
        found = self.store.open_deletion(job, self.now())
        if found is None:
            return
        bank = self.banks.get(found.bank)
        if bank is None:
            log.error("no such bank", bank=found.bank, reference=found.id)
            self.store.doubt_deletion(job, LONGEST_PAUSE_S, self.due, "the bank is not in banks.yaml")
        elif "delete token" not in bank.promises.operations:
            self._refused(job, found, "this bank cannot be told: have it deleted there")
        else:
            self._take(job, found, self._ask(found, bank))

    def _take(self, job: Job, found: CardDeletion, answer: BankAnswer) -> None:
        match answer.outcome:
            case "done":
                if not self.store.end_deletion(job, "deleted", "", self.now()):
                    log.warning("lease lost", reference=found.id)
            case "refused":
                self._refused(job, found, answer.reason or "the bank does not say why")
            case _:
                self.store.doubt_deletion(job, pause_after(job), self.due, answer.reason or "no answer")

    def _refused(self, job: Job, found: CardDeletion, reason: str) -> None:
        if self.store.end_deletion(job, "refused", reason, self.now()):
            log.error("the bank has not deleted a forgotten card", reference=found.id, reason=reason)

    def _ask(self, found: CardDeletion, bank: Bank) -> BankAnswer:
        request = CardDeletionRequest(found.id, found.merchant, found.token)
        try:
            answer = bank.delete_card(request)
        except Exception as error:
            log.error("bank client", reference=found.id, reason=type(error).__name__)
            answer = BankAnswer("unknown", found.id, reason="a fault of the bank's client")
        log.info("bank", message="delete card", reference=found.id, outcome=answer.outcome, reason=answer.reason)
        return answer
