"""A call in which something goes wrong while its bank is asked, and is right again later; and what is true of it afterwards."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from tests.faults import RECEIPT
from tests.kill.judge import Verdict, judge
from tests.kill.lives import DECLINED, Case, Phone, hang_up, set_right
from tests.kill.world import World
from tests.web.process_memory import card_number

TURN_S = 1.0  # of a caller on hold, between two turns of the forwarder
MOST_REQUESTS = 150  # a caller is held for a minute and a half at most, a request each second
Turn = Callable[[int], object]


def new_case(number: int, manner: str = "waits", minor: int = 4250) -> Case:
    return Case(f"CA{uuid4().hex}", number, f"{30_000_000 + number}", card_number(number), minor, manner)


def ring(world: World, case: Case, turn: Turn) -> Verdict:
    """`turn` is called before each turn of the forwarder, with its number: 1 is the one that takes the charge to the bank.

    Nothing dies here, so nobody may be left without the truth.
    """
    world.clock.now = datetime.now(UTC) + timedelta(minutes=1)
    world.owe(case.account, case.minor)
    turns = iter(range(1, 1000))

    def at_bank() -> None:
        turn(next(turns))
        world.bench.work()
        world.clock.advance(TURN_S)

    phone = Phone(world, case, lambda _case: None, at_bank)
    if case.manner == "waits":
        go_on(phone)
    else:
        phone.until_charged()
        hang_up(world, case, lambda _case: None)
        at_bank()
    turn(0)
    case.now = world.clock.now
    set_right(world, case, lambda _case: None)
    verdict = judge(world, case)
    verdict.untold += verdict.unheard
    return verdict


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
