"""One call, its deaths and its end: forks a life, lets it die at its point, and lets others set right what is left."""

import os
import pickle
import signal
import struct
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.kill.judge import Verdict, judge
from tests.kill.lives import LIVES, Case, Tell, set_right
from tests.kill.points import Points, begin
from tests.kill.world import World

LENGTH = struct.Struct("!I")
Life = Callable[[World, Case, Tell], None]


class LifeBroke(Exception):
    """A life ended by a fault of its own, and not by the signal."""


@dataclass
class Lived:
    """`died_at`: the point's name; "" where it lived to its end. `passed`: the points until then."""

    case: Case
    died_at: str = ""
    passed: int = 0


@dataclass
class Trial:
    """What happened: the case as it stands, and the points at which a life ended, in order. `reached`: points of the first life."""

    case: Case
    died_at: list[str] = field(default_factory=list)
    reached: int = 0
    verdict: Verdict = field(default_factory=lambda: Verdict())


def live(world: World, life: Life, case: Case, dies_at: int) -> Lived:
    """In a child of its own."""
    hear, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hear)
        _live(world, life, case, dies_at, write)
    os.close(write)
    lived = Lived(case)
    with os.fdopen(hear, "rb") as told:
        for message in iter(lambda: _next(told.read), None):
            match message:
                case Case():
                    lived.case = message
                case "died", name:
                    lived.died_at = str(name)
                case "passed", count:
                    lived.passed = int(count)
                case "broke", words:
                    lived.died_at = f"broke: {words}"
    _, status = os.waitpid(child, 0)
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    if was_killed != bool(lived.died_at) or lived.died_at.startswith("broke"):
        raise LifeBroke(f"{life.__name__} of {case.call}, to be killed at {dies_at}: {lived.died_at or status}")
    return lived


def _live(world: World, life: Life, case: Case, dies_at: int, write: int) -> None:
    """Never returns."""

    def send(message: object) -> None:
        content = pickle.dumps(message)
        os.write(write, LENGTH.pack(len(content)) + content)

    def tell(told: Case) -> None:
        told.now = world.clock.now
        send(told)

    try:
        points = Points(dies_at, lambda name: send(("died", name)))
        begin(points)
        life(world, case, tell)
        send(("passed", points.passed))
        os._exit(0)
    except BaseException:
        send(("broke", traceback.format_exc()))
        os._exit(1)


def _next(read: Callable[[int], bytes]) -> object:
    """None at the end, also in the middle of a message."""
    head = read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = read(length)
    return pickle.loads(content) if len(content) == length else None


def run_trial(world: World, process: str, case: Case, deaths: Sequence[int]) -> Trial:
    """`deaths`: the point at which the life under test dies, then those at which setting right dies, one after another."""
    world.clock.now = datetime.now(UTC) + timedelta(minutes=1)
    world.owe(case.account, case.minor)
    world.let_go()
    trial = Trial(case)
    first, *later = deaths
    lived = live(world, LIVES[process], case, first)
    trial.reached = lived.passed
    for dies_at in (*later, 0):
        if lived.died_at:
            trial.died_at.append(lived.died_at)
        lived.case.on_line = process == "line"
        if process == "line":
            lived.case.url = ""
        lived = live(world, set_right, lived.case, dies_at)
    trial.case = lived.case
    trial.verdict = judge(world, trial.case)
    world.let_go()
    return trial
