"""A call in which something goes wrong while its bank is asked, and is right again later; and what is true of it afterwards."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from ivr.forwarder.worker_pool import EVERYTHING, QueueJobs
from tests.faults import RECEIPT
from tests.kill.judge import Verdict, judge
from tests.kill.lives import DECLINED, Case, Phone, hang_up, set_right
from tests.kill.world import World
from tests.web.process_memory import card_number

TURN_S = 1.0  # of a caller on hold, between two turns of the forwarder
MOST_JOBS = 50
MOST_REQUESTS = 150  # a caller is held for a minute and a half at most, a request each second
Turn = Callable[[int], object]


def nothing(_number: int) -> None:
    pass


class NumberedPhone(Phone):
    """`asked` is called before each webhook, with its number."""

    asked: Turn = staticmethod(nothing)
    number: int = 0

    def request(self) -> str:
        self.number += 1
        self.asked(self.number)
        return super().request()


def new_case(number: int, manner: str = "waits", minor: int = 4250) -> Case:
    return Case(f"CA{uuid4().hex}", number, f"{30_000_000 + number}", card_number(number), minor, manner)


def ring(world: World, case: Case, turn: Turn, asked: Turn = nothing) -> Verdict:
    """`turn` is called before each turn of the forwarder, with its number: 1 is the one that takes the charge to the bank.
    `asked` before each webhook, from 1 on. Both once more with 0: whatever was wrong is to be right then.

    Nothing dies here, so nobody may be left without the truth.
    """
    world.clock.now = datetime.now(UTC) + timedelta(minutes=1)
    world.owe(case.account, case.minor)
    turns = iter(range(1, 1000))

    def at_bank() -> None:
        turn(next(turns))
        work(world)
        world.clock.advance(TURN_S)

    phone = NumberedPhone(world, case, lambda _case: None, at_bank)
    phone.asked = asked
    if case.manner == "waits":
        go_on(phone)
    else:
        phone.until_charged()
        hang_up(world, case, lambda _case: None)
        at_bank()
    turn(0)
    asked(0)
    case.now = world.clock.now
    set_right(world, case, lambda _case: None)
    verdict = judge(world, case)
    verdict.untold += verdict.unheard
    return verdict


@dataclass
class Trouble:
    """From the webhook `first` on, for so many of them; it is over in any case when `ring` says so."""

    first: int
    lasts: int
    begin: Callable[[], object]
    end: Callable[[], object]
    was: bool = False

    def __call__(self, number: int) -> None:
        self.was = self.was or number == self.first
        if number == self.first:
            self.begin()
        elif number == 0 or number >= self.first + self.lasts:
            self.end()


def sweep(world: World, lasts: int, begin: Callable[[], object], end: Callable[[], object]) -> tuple[int, int]:
    """Calls in which it begins at the first webhook, at the second, and so on, until one ends before. Calls, and charges."""
    charged = 0
    for first in itertools.count(1):
        trouble = Trouble(first, lasts, begin, end)
        case = new_case(first)
        verdict = ring(world, case, nothing, trouble)
        assert verdict.is_clean, (first, verdict, case.heard)
        charged += verdict.charged
        if not trouble.was:
            assert is_paid(world, case)
            return first, charged
    raise AssertionError


def work(world: World) -> None:
    """What is due, as a forwarder's worker does it: a fault ends none of its turns."""
    jobs = QueueJobs(world.bench.forwarder, EVERYTHING[0])
    for _ in range(MOST_JOBS):
        if not (leased := jobs.lease(1)):
            return
        jobs.do(leased[0])


def go_on(phone: Phone) -> None:
    """To the end; a caller whose card is declined hangs up."""
    for _ in range(MOST_REQUESTS):
        if not phone.url:
            return
        if DECLINED in phone.request():
            hang_up(phone.world, phone.case, lambda _case: None)
            return
    raise AssertionError(f"the call finds no end: {phone.said}")


def is_paid(world: World, case: Case) -> bool:
    return [one.status for one in world.store.payments_of(case.call)] == ["approved"] and (
        case.manner != "waits" or RECEIPT in case.heard
    )
