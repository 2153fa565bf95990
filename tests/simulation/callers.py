"""A caller at Twilio: hears, decides, keys, waits, hangs up; a task that goes on while the rest of the world does."""

from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from ivr.channels.simulator import LineReply
from ivr.core.money import Money
from ivr.errors import PeerError
from ivr.testing.twilio import Application, TwilioCall
from tests.simulation.network import Telephone
from tests.simulation.nodes import PUBLIC, TOKEN
from tests.simulation.scheduler import Process, Scheduler
from tests.street.caller import Caller

MOST_TURNS = 150


@dataclass
class TwilioCaller:
    """`agreed`: the amount of each consent. `is_cut`: the line broke, so the caller has not heard the last words."""

    scheduler: Scheduler
    telephone: Telephone
    caller: Caller
    flow: str
    number: int
    process: Process = field(init=False)
    agreed: list[Money] = field(default_factory=list)
    is_cut: bool = False
    is_over: bool = False

    def __post_init__(self) -> None:
        self.call_id = f"CA{self.number:032x}"
        self.process = Process(f"caller {self.number}", frailty=0.0)
        application = Application(
            cast(httpx.Client, self.telephone), f"{PUBLIC}/twilio/voice/{self.flow}", TOKEN, PUBLIC, "/twilio/status"
        )
        self._line = TwilioCall(application, self.caller.ani, call_id=self.call_id, account_sid=f"AC{0:032x}")

    def call(self) -> None:
        """From ringing to the end."""
        self.scheduler.note(self.process.name, f"calls {self.flow} about {self.caller.account}")
        try:
            reply = self._turn(self._line.begin)
            for _ in range(MOST_TURNS):
                if reply.state == "over" or self.caller.hung_up:
                    break
                reply = self._next(reply)
            else:
                self._hang_up()
        except PeerError as error:
            # No answer, or an error's: Twilio says that an application error has occurred, and hangs up.
            self.scheduler.note(self.process.name, f"is cut off: {str(error)[:60]}")
            self.is_cut = True
            self._hang_up()
        self.is_over = True
        self.scheduler.note(self.process.name, f"is done, {[phrase.name for phrase in self.caller.last_said]}")

    @property
    def has_heard_the_end(self) -> bool:
        return not (self.caller.hung_up or self.is_cut)

    def _next(self, reply: LineReply) -> LineReply:
        caller, chance = self.caller, self.scheduler.chance
        self.scheduler.sleep(chance.uniform(1.0, 6.0) if reply.heard else 1.0)
        if caller.may(0.04 if reply.state == "waiting" else 0.015):
            self._hang_up()
            return reply
        if reply.state == "waiting":
            self.scheduler.sleep(reply.wait_s)
            return self._turn(self._line.wait)
        if caller.may(0.02):
            return self._turn(self._line.stay_silent)
        keys = caller.keys_for(self.telephone.asks, [caller.account])
        if caller.consents(keys):
            self._agree()
        return self._turn(lambda: self._line.press(keys))

    def _agree(self) -> None:
        amount = self.caller.value("confirm_card", "amount")
        assert amount is not None
        self.agreed.append(amount)
        self.scheduler.note(self.process.name, f"agrees to {amount}")
        if self.caller.may(0.05):
            after = self.scheduler.chance.uniform(0.0, 1.0)
            self.scheduler.after(after, lambda: self.scheduler.spawn(self.process, "hangs up", self._hang_up))

    def _turn(self, act: Any) -> LineReply:
        """What is heard in it. A turn in which nothing is said leaves the last words as they were."""
        self.telephone.said.clear()
        reply: LineReply = act()
        if said := list(self.telephone.said):
            self.caller.turn_began = len(self.caller.heard)
            self.caller.heard += said
        return reply

    def _hang_up(self) -> None:
        self.caller.hung_up = self.caller.hung_up or not self.is_cut
        self.scheduler.note(self.process.name, "hangs up")
        try:
            self._line.hang_up()
        except PeerError:
            self.scheduler.note(self.process.name, "nobody is told of the end")
