"""A twentieth of all packets lost, one by one or in bursts: an event of which anything came is heard once, and no other is."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from ivr.phone.rtp import CallerStream
from ivr.phone.rtp.keys import EVENT_KEYS
from ivr.phone.rtp.packets import HEADER_BYTES
from tests.phone.rtp.conftest import Caller, Line

SHARE = 0.05
ONE_BY_ONE = 1 / (1 - SHARE)  # packets in a row that chance alone takes, on average
KEYS = 23  # card number, expiry and security code
EVENT = 101


@dataclass
class Path:
    """Gilbert's: each call's is good or bad at each packet; `burst` packets are lost in a row, on average."""

    share: float
    burst: float
    rng: np.random.Generator
    bad: dict[bytes, bool] = field(default_factory=lambda: defaultdict(bool))
    came: dict[bytes, dict[bytes, str]] = field(default_factory=lambda: defaultdict(dict))
    """By SSRC and timestamp: events that at least one packet came of."""

    def __call__(self, datagram: bytes) -> int:
        """How many copies of it arrive."""
        timestamp, ssrc = datagram[4:8], datagram[8:12]
        turns_bad = self.share / (self.burst * (1 - self.share))
        self.bad[ssrc] = self.rng.random() < (1 - 1 / self.burst if self.bad[ssrc] else turns_bad)
        if self.bad[ssrc]:
            return 0
        if datagram[1] & 0x7F == EVENT:
            self.came[ssrc][timestamp] = EVENT_KEYS[datagram[HEADER_BYTES]]
        return 1

    def of(self, caller: Caller) -> str:
        return "".join(self.came[caller.stream.ssrc.to_bytes(4, "big")].values())


@dataclass
class Dialled:
    """By call."""

    line: Line
    keyed: list[str]
    came: list[str]
    heard: list[str]

    def wrong(self) -> int:
        return sum(heard != keyed for heard, keyed in zip(self.heard, self.keyed, strict=True))


def dial(calls: int, seed: int, *, inband: bool = False, share: float = SHARE, burst: float | None = None) -> Dialled:
    """Each call has keys of its own, of 80 to 160 ms; half of those with events send nothing between them."""
    rng = np.random.default_rng(seed)
    line = Line(calls=calls)
    line.through = path = Path(share, burst or 1 / (1 - share), rng)
    keyed = []
    for number in range(calls):
        caller = line.ring(f"{number}", stream=CallerStream(sends_silence=inband or number % 2 == 0))
        caller.stream.pause(int(rng.integers(3, 30)))
        keyed.append("".join(rng.choice(list("0123456789"), KEYS)))
        for key in keyed[-1]:
            tone_ms, gap_ms = 20 * rng.integers(4, 9), 20 * rng.integers(3, 9)
            caller.stream.press(key, inband=inband, tone_ms=int(tone_ms), gap_ms=int(gap_ms))
    line.talk()
    callers = line.callers.values()
    return Dialled(line, keyed, [path.of(caller) for caller in callers], [line.keys(caller.name) for caller in callers])


def a_thousand(test: Callable[..., None]) -> Callable[..., None]:
    """As many calls in the long form."""
    return pytest.mark.parametrize("calls", [60, pytest.param(1000, marks=pytest.mark.long)])(test)


@a_thousand
def test_with_packets_lost_one_by_one_every_event_is_heard_once(calls):
    dialled = dial(calls, seed=2)
    assert dialled.line.plane.sequences.lost > 10 * calls
    assert dialled.heard == dialled.keyed


@a_thousand
@pytest.mark.parametrize("burst", [2.0, 3.0])
def test_with_packets_lost_in_bursts_every_event_of_which_anything_came_is_heard_once(calls, burst):
    """What a burst has swallowed whole, its end packets too, no receiver can know of: some in a thousand keys."""
    dialled = dial(calls, seed=3, burst=burst)
    assert dialled.line.plane.sequences.lost > 10 * calls
    assert dialled.heard == dialled.came
    assert sum(map(len, dialled.came)) >= 0.99 * calls * KEYS


def test_tones_survive_single_lost_packets():
    """2 % lost one by one; what two in a row do to an 80 ms tone cannot be mended."""
    dialled = dial(40, seed=3, inband=True, share=0.02)
    assert dialled.line.plane.jitter.filled > 50
    assert dialled.wrong() <= 1


def test_with_a_twentieth_lost_one_by_one_few_calls_have_a_tone_wrong():
    """Three in a row within a tone are more than is continued: a key missed, or a long one heard twice."""
    dialled = dial(150, seed=4, inband=True)
    assert dialled.line.plane.jitter.filled > 500
    assert dialled.wrong() <= 2
