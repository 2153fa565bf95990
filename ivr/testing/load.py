"""Many calls at once against a running line, each by signed webhooks; how long every answer took."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

from ivr.channels.simulator import LineReply
from ivr.errors import PeerError
from ivr.testing.twilio import TwilioCall

MOST_WAITS = 120


@dataclass
class Placed:
    """One call: `times_s` by what was waited for; `problem` where it went wrong; `last` are its last words, where there
    are words."""

    times_s: list[tuple[str, float]] = field(default_factory=list)
    problem: str = ""
    last: str = ""


def place(new_call: Callable[[int], TwilioCall], keys: Sequence[str], calls: int, at_once: int) -> Iterator[Placed]:
    """Each call as it ends."""
    with ThreadPoolExecutor(at_once, thread_name_prefix="caller") as pool:
        waiting = [pool.submit(_one, new_call, number, keys) for number in range(calls)]
        for done in as_completed(waiting):
            yield done.result()


def _one(new_call: Callable[[int], TwilioCall], number: int, keys: Sequence[str]) -> Placed:
    placed = Placed()
    call = new_call(number)
    try:
        reply = _timed(placed, "answer", call.begin)
        for entry in keys:
            reply = _wait_out(placed, call, reply)
            if reply.state == "over":
                break
            reply = _timed(placed, "keys", call.stay_silent if entry == "-" else lambda entry=entry: call.press(entry))  # type: ignore[misc]
        reply = _wait_out(placed, call, reply)
        placed.last = " ".join(heard.words for heard in reply.heard)
        if reply.state != "over":
            _timed(placed, "hang up", lambda: _hang_up(call))
    except PeerError as error:
        placed.problem = str(error).splitlines()[0]
    return placed


def _hang_up(call: TwilioCall) -> LineReply:
    call.hang_up()
    return LineReply((), "over")


def _wait_out(placed: Placed, call: TwilioCall, reply: LineReply) -> LineReply:
    """A caller on hold: after each pause Twilio asks again."""
    for _ in range(MOST_WAITS):
        if reply.state != "waiting":
            return reply
        time.sleep(reply.wait_s)
        reply = _timed(placed, "hold", call.wait)
    return reply


def _timed(placed: Placed, what: str, act: Callable[[], LineReply]) -> LineReply:
    began = time.perf_counter()
    try:
        return act()
    finally:
        placed.times_s.append((what, time.perf_counter() - began))


@dataclass
class Latencies:
    """Seconds by what was waited for."""

    of: dict[str, list[float]] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    calls: int = 0

    def add(self, placed: Placed) -> None:
        self.calls += 1
        for what, seconds in placed.times_s:
            self.of.setdefault(what, []).append(seconds)
        if placed.problem:
            self.problems[placed.problem] += 1

    def rows(self) -> Iterator[tuple[str, int, Sequence[float]]]:
        """What, how often, and its median, 95th and 99th per cent, and longest."""
        for what, seconds in self.of.items():
            ordered = sorted(seconds)
            places = [ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.95, 0.99)]
            yield what, len(ordered), [*places, ordered[-1]]
