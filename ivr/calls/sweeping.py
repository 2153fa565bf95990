"""Ends calls that nobody ended: a trunk node that died, a status webhook that was lost, a fault. As a hang-up would."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from ivr.calls.billing import Bills
from ivr.calls.payments import Payments
from ivr.calls.runner import Runner
from ivr.calls.session import CallService
from ivr.flow.compiled import Flow
from ivr.logs import fault_name
from ivr.store import Store
from ivr.words.phrases import Prompts

log = structlog.get_logger()
# Longer than anything a caller can be silent through: Twilio's <Pay> may ask for four fields three times each, and a
# question in slow mode waits three times its patience, between two requests to us.
LONGEST_PAUSE_MINUTES = 30
MARGIN_MINUTES = 5
MOST_AT_ONCE = 100
MOST_ROUNDS = 20  # the rest is for the next housekeeping: charges are waiting too


@dataclass(frozen=True)
class Sweeper:
    """Any number of these may sweep one database at once: a call is ended once, by whoever saves first."""

    service: CallService
    idle_minutes: int

    def __call__(self) -> int:
        """How many calls were ended. One that cannot be ended holds up no other."""
        idle_since = self.service.now() - timedelta(minutes=self.idle_minutes)
        ended = 0
        for _ in range(MOST_ROUNDS):
            found = self.service.store.idle_calls(idle_since, MOST_AT_ONCE)
            swept = sum(self._end(call_id, idle_since) for call_id in found)
            ended += swept
            if len(found) < MOST_AT_ONCE or not swept:
                break
        if left := self.service.store.settle_left_open(self.service.now()):
            log.error("parts of bills were left undecided after their calls", bills=left)
        if ended:
            log.warning("ended calls that nobody had ended", calls=ended, idle_minutes=self.idle_minutes)
        return ended

    def _end(self, call_id: str, idle_since: datetime) -> bool:
        try:
            return self.service.session(call_id).hang_up(idle_since=idle_since)
        except Exception as error:
            log.error("cannot end an idle call", call=call_id, kind=fault_name(error))
            return False


def idle_minutes(longest_trunk_call_minutes: int) -> int:
    """After so long without an event no call is under way any more: longer than a call on the trunk, or a pause at Twilio."""
    return max(longest_trunk_call_minutes, LONGEST_PAUSE_MINUTES) + MARGIN_MINUTES


def sweeper(store: Store, flows: Mapping[str, Flow], prompts: Prompts, longest_trunk_call_minutes: int) -> Sweeper:
    """A hang-up needs no vault, no caller's hash and no look-up: a process that only sweeps holds none of their keys."""
    payments = Payments(store, {}, "", b"", prompts.words)
    return Sweeper(CallService(Runner(flows, payments, Bills(store)), store), idle_minutes(longest_trunk_call_minutes))
