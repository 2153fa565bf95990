"""What a life does, in its child: a caller's webhooks, a call on a line of our own, the forwarder, the sweeper, and setting right.

Each gets as far as it can. `tell` lets the parent know at once what a caller has heard, and what the time is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from ivr.channels.twilio.gathering import ASKED_AGAIN
from ivr.testing.twilio.overrides import divided
from tests.faults import ANSWERS, VOICE, Caller
from tests.kill.points import reach, resting
from tests.kill.world import LONGEST_CALL_MINUTES, World

CUT_OFF = "is cut off"  # by a Twilio that does not ask again, when a webhook is not answered
ASKS_AGAIN = "is asked for again"  # by Twilio as our URLs have it, and cut off after that
HOLDING, DECLINED = "Thank you, one moment.", "did not approve"
LEASE_OVER_S = 61.0
ABANDONED_S = (LONGEST_CALL_MINUTES + 6) * 60.0
ROUNDS, MOST_WAITS = 60, 40
LINE_KEYS = ("1", "{account}#", "1", "{card}#", "1230", "123", "94105", "1")


@dataclass
class Case:
    """A call, its caller, and how far both have come. `manner`: the caller waits, and what was not answered is asked for again; is
    cut off where it was not answered, at once or, by Twilio, when it has asked as often again as the URL has it; hangs up once their card
    is charged, or a life has ended under them; or falls silent then, and nobody says so. `url` and `fields`: the next request, which is
    sent again until it is answered; `tries`: how often it was not."""

    call: str
    number: int
    account: str
    card: str
    minor: int
    manner: str = "waits"
    on_line: bool = False
    url: str = VOICE
    fields: dict[str, str] = field(default_factory=dict)
    tries: int = 0
    heard: str = ""
    is_gone: bool = False
    now: datetime | None = None

    @property
    def ani(self) -> str:
        return f"+1555{self.number:07d}"


Tell = Callable[[Case], object]


class Phone(Caller):
    """Twilio and a caller of this case. A decline is the end of it: who hears one hangs up."""

    def __init__(self, world: World, case: Case, tell: Tell, at_bank: Callable[[], object]) -> None:
        self.world, self.case, self.tell = world, case, tell
        about = {"CallSid": case.call, "From": case.ani}
        web = SimpleNamespace(post=lambda url, fields: world.web.post(url, about | fields))
        super().__init__(web, at_bank, case.url, dict(case.fields), ever_said=case.heard)  # type: ignore[arg-type]

    @property
    def retries(self) -> int:
        """How often Twilio asks again for the request that is not answered: the voice webhook's own URL is as docs/twilio.md has it."""
        return divided(self.case.url if "#" in self.case.url else f"{self.case.url}{ASKED_AGAIN}")[1]

    def request(self) -> str:
        """One webhook. What is answered is heard, and known to the parent from then on; only then has the bank its turn."""
        holds: list[bool] = []
        at_bank, self.at_bank = self.at_bank, lambda: holds.append(True)
        said = super().request()
        self.at_bank = at_bank
        reach("before the answer is sent")
        self.case.url, self.case.fields, self.case.heard = self.url, self.fields, self.ever_said
        self.case.tries = 0
        self.tell(self.case)
        reach("after the answer was sent")
        self.world.once_sent()
        if holds:
            self.at_bank()
        return said

    def _keys(self) -> str:
        asked = [(self.said.rfind(question), keys) for question, keys in ANSWERS if question in self.said]
        keys = max(asked)[1] if asked else ""
        return {"12345678": self.case.account, "4111111111111111": self.case.card}.get(keys, keys)

    def go_on(self) -> None:
        for _ in range(MOST_WAITS):
            if not self.url:
                return
            if DECLINED in self.request():
                hang_up(self.world, self.case, self.tell)
                return
        raise AssertionError(f"the call finds no end: {self.said}")

    def until_charged(self) -> None:
        for _ in range(MOST_WAITS):
            if HOLDING in self.request():
                return
        raise AssertionError(f"never charged: {self.said}")


def nobody() -> None:
    """No forwarder is at work while the caller waits."""


def hang_up(world: World, case: Case, tell: Tell) -> None:
    world.web.post("/twilio/status", {"CallSid": case.call, "From": case.ani, "CallStatus": "completed"})
    case.url, case.is_gone = "", True
    tell(case)


# ---- lives that are to be killed


def webhooks(world: World, case: Case, tell: Tell) -> None:
    """A whole call by webhooks; the forwarder is another process. Who hangs up does so while the bank is asked."""
    phone = Phone(world, case, tell, lambda: at_rest(world))
    if case.manner in ("waits", CUT_OFF, ASKS_AGAIN):
        phone.go_on()
        return
    phone.until_charged()
    if case.manner == "hangs up":
        hang_up(world, case, tell)


def line(world: World, case: Case, tell: Tell) -> None:
    """A whole call in the process that holds its line. Who falls silent hangs up: on a line that is noticed."""
    case.on_line, case.url = True, ""
    phone = world.bench.dial("pay-a-bill", case.ani)
    phone.between = (lambda: at_rest(world)) if case.manner == "waits" else nobody
    phone.dial(case.call, "pay-a-bill", ani=case.ani)

    def hear(reply: Any) -> Any:
        reach("before it is spoken")
        case.heard += " ".join(f" {one.words}" for one in reply.heard)
        tell(case)
        reach("after it was spoken")
        return reply

    reply = hear(phone.begin())
    for keys in LINE_KEYS:
        while reply.state == "waiting":
            reply = hear(phone.wait())
        reply = hear(phone.press(keys.format(account=case.account, card=case.card)))
    if case.manner == "waits":
        for _ in range(MOST_WAITS):
            if reply.state == "over" or DECLINED in case.heard:
                break
            reply = hear(phone.wait() if reply.state == "waiting" else phone.stay_silent())
    phone.hang_up()
    case.is_gone = True
    tell(case)


def forwarder(world: World, case: Case, tell: Tell) -> None:
    """The charge of a caller on hold is taken to the bank, and what follows from it is done."""
    with resting():
        phone = Phone(world, case, tell, nobody)
        phone.until_charged()
        if case.manner == "hangs up":
            hang_up(world, case, tell)
    world.bench.work()


def sweeper(world: World, case: Case, tell: Tell) -> None:
    """A call that nobody ends, charged or about to be: it is ended, and its caller told."""
    with resting():
        phone = Phone(world, case, tell, nobody)
        phone.until_charged()
        if case.manner != "hangs up":
            world.bench.work()
        case.url, case.is_gone = "", True
        tell(case)
    pass_time(world, case, tell, ABANDONED_S)
    world.sweeper()
    world.bench.work()


LIVES: dict[str, Callable[[World, Case, Tell], None]] = {
    "web": webhooks,
    "line": line,
    "forwarder": forwarder,
    "sweeper": sweeper,
}


# ---- what comes afterwards


def set_right(world: World, case: Case, tell: Tell) -> None:
    """The caller goes on, or has gone; forwarder and sweeper do what is left. Everything in one process: a machine's death ends all."""
    if case.now is not None:
        world.clock.now = case.now
    if case.url and not case.is_gone:
        phone = Phone(world, case, tell, lambda: hold(world, case, tell))
        case.tries += 1
        tell(case)
        if case.manner == "waits" or (case.manner == ASKS_AGAIN and case.tries <= phone.retries):
            phone.go_on()
        elif case.manner in ("hangs up", CUT_OFF, ASKS_AGAIN):
            hang_up(world, case, tell)
        else:
            case.url, case.is_gone = "", True
            tell(case)
    for _ in range(ROUNDS):
        world.bench.work()
        stored = world.store.load_call(case.call)
        is_live = stored is not None and stored.call.phase != "over"
        if not is_live and not any(world.store.outbox_depth().values()):
            return
        if is_live:
            pass_time(world, case, tell, ABANDONED_S)
            world.sweeper()
        else:
            pass_time(world, case, tell, LEASE_OVER_S)


def hold(world: World, case: Case, tell: Tell) -> None:
    """The lease of whoever died runs out while the caller waits."""
    world.bench.work()
    pass_time(world, case, tell, LEASE_OVER_S)
    world.bench.work()


def pass_time(world: World, case: Case, tell: Tell, seconds: float) -> None:
    world.clock.advance(seconds)
    tell(case)


def at_rest(world: World) -> None:
    """The forwarder is another process, which goes on."""
    with resting():
        world.bench.work()
