"""Any order of charges, deaths, lost leases, late requests and outages: at every moment the books can be brought to agree."""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from ivr.store import AlreadyBegun, AttemptLimits, memory_store
from tests.forwarder.paper_bank import PaperBank
from tests.forwarder.tills import LEASE_S, Till
from tests.store.payments import intent

FATES = st.sampled_from(["approve", "decline", "lost", "silent", "late", "not_sent"])
POINTS = st.sampled_from(["before it leaves", "on its way", "in the books", "inquiry", "reversal", "reversed"])
PATIENCE = st.sampled_from([1, 2, LEASE_S + 1, 400])


class Killed(BaseException):
    """The process is gone: nothing of ours may catch this."""


class Payments(RuleBasedStateMachine):
    references = Bundle("references")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.till = Till(memory_store(), PaperBank(self.folder / "books.db"))
        self.at_commit: Callable[[], object] | None = None
        event.listen(self.till.store._database._only, "commit", lambda _connection: self._commit())

    def _commit(self) -> None:
        if self.at_commit is not None:
            happens, self.at_commit = self.at_commit, None
            happens()

    # ---- what callers do

    @rule(target=references, minor=st.integers(1, 50_000))
    def a_charge_is_begun(self, minor: int) -> str:
        return self.till.charge(f"CA{len(self.till.begun)}-1", minor)

    @rule(reference=references)
    def the_webhook_is_delivered_again(self, reference: str) -> None:
        assert self.till.store.begin_payment(intent(reference), AttemptLimits(), self.till.clock()) == AlreadyBegun()
        assert not self.till.store.forget_card(reference)

    # ---- what forwarders do, and what is done to them

    @rule(fate=FATES)
    def a_forwarder_works(self, fate: str) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self.till.forwarder().run_once()

    @rule(fate=FATES, point=POINTS)
    def a_forwarder_dies_at_the_bank(self, fate: str, point: str) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self._while_at(point, self._die)

    @rule(fate=FATES, skipped=st.integers(0, 1))
    def a_forwarder_dies_at_a_commit(self, fate: str, skipped: int) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self.at_commit = self._die if not skipped else self._die_at_next_commit
        self._run_until_dead()
        self.at_commit = None

    @rule(fate=FATES, skipped=st.integers(0, 1))
    def the_database_fails_at_a_commit(self, fate: str, skipped: int) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self.at_commit = self._fail if not skipped else self._fail_at_next_commit
        # Only the recording of an answer is tried again at once; otherwise the job waits for the next holder.
        with suppress(OperationalError):
            self.till.forwarder().run_once()
        self.at_commit = None

    @rule(fate=FATES, point=POINTS)
    def a_forwarder_is_too_slow_and_another_takes_over(self, fate: str, point: str) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self._while_at(point, self._lose_the_lease)

    @rule(fate=FATES, point=POINTS)
    def late_requests_arrive_meanwhile(self, fate: str, point: str) -> None:
        self.till.bank.fate = fate  # type: ignore[assignment]
        self._while_at(point, self.till.bank.deliver)

    # ---- what the world does

    @rule()
    def late_requests_arrive(self) -> None:
        self.till.bank.deliver()

    @rule(answers=st.sampled_from(["well", "not at all", "nobody there"]))
    def the_bank_answers(self, answers: str) -> None:
        self.till.bank.answers = answers  # type: ignore[assignment]

    @rule(seconds=PATIENCE)
    def time_passes(self, seconds: float) -> None:
        self.till.clock.advance(seconds)

    @invariant()
    def the_books_agree_so_far(self) -> None:
        self.till.agrees_so_far()

    def teardown(self) -> None:
        try:
            self.till.bank.answers, self.till.bank.fate = "well", "approve"
            self.till.clock.advance(LEASE_S + 1)
            self.till.agrees()
        finally:
            self.till.store.close()
            shutil.rmtree(self.folder)

    # ---- how it is done

    def _while_at(self, point: str, happens: Callable[[], object]) -> None:
        def at(passed: str) -> None:
            if passed == point:
                self.till.bank.at = lambda _: None
                happens()

        self.till.bank.at = at
        self._run_until_dead()
        self.till.bank.at = lambda _: None

    def _run_until_dead(self) -> None:
        with suppress(Killed):
            self.till.forwarder().run_once()

    def _die(self) -> None:
        raise Killed

    def _die_at_next_commit(self) -> None:
        self.at_commit = self._die

    def _fail(self) -> None:
        raise OperationalError("COMMIT", None, Exception("disk full"))

    def _fail_at_next_commit(self) -> None:
        self.at_commit = self._fail

    def _lose_the_lease(self) -> None:
        self.till.clock.advance(LEASE_S + 1)
        self.till.forwarder().run_once()


Payments.TestCase.settings = settings(
    max_examples=40, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)
TestPayments = Payments.TestCase
