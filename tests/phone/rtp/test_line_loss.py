"""How much of each call's audio never came is told by call: while it lasts where the share changes, and once when it is closed."""

from dataclasses import dataclass, field

from ivr.phone.rtp import LineLoss
from ivr.phone.rtp.plane import LOSS_TICKS
from tests.phone.rtp.conftest import Line


@dataclass
class EveryNth:
    """Loses one datagram in `n`."""

    n: int
    sent: int = field(default=0)

    def __call__(self, datagram: bytes) -> int:
        self.sent += 1
        return 0 if self.sent % self.n == 0 else 1


def losses(line: Line) -> list[LineLoss]:
    return [event for event in line.of(LineLoss) if isinstance(event, LineLoss)]


def share(told: LineLoss) -> float:
    return told.lost / (told.came + told.lost)


def test_a_line_that_loses_nothing_is_told_of_once_and_when_it_is_closed(line: Line):
    line.ring()
    line.run(3 * LOSS_TICKS)
    line.plane.close("call")
    line.quiet_tick()
    first, last = losses(line)
    assert (first.lost, last.lost) == (0, 0)
    assert (first.is_last, last.is_last) == (False, True)
    assert last.came == 3 * LOSS_TICKS


def test_the_share_that_never_came_is_told_as_it_changes(line: Line):
    line.ring()
    line.run(LOSS_TICKS)
    line.through = EveryNth(10)
    line.run(3 * LOSS_TICKS)
    line.plane.close("call")
    line.quiet_tick()
    shares = [share(told) for told in losses(line)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert 0.07 < shares[-1] < 0.08  # a tenth of three quarters


def test_what_comes_late_is_not_lost_and_what_comes_twice_came_once(line: Line):
    caller = line.ring()
    for _ in range(LOSS_TICKS):
        pair = [datagram for _ in range(2) for datagram in caller.stream.tick()]
        for datagram in (*reversed(pair), pair[0]):
            line.deliver(caller, datagram)
        line.quiet_tick()
    line.plane.close("call")
    line.quiet_tick()
    last = losses(line)[-1]
    assert (last.came, last.lost) == (2 * LOSS_TICKS, 0)


def test_each_call_is_counted_by_itself_and_the_next_one_in_its_row_from_nothing(line: Line):
    line.ring("good")
    bad = line.ring("bad")
    lossy = EveryNth(4)
    ssrc = bad.stream.ssrc.to_bytes(4, "big")
    line.through = lambda datagram: lossy(datagram) if datagram[8:12] == ssrc else 1
    line.run(LOSS_TICKS)
    for name in ("good", "bad"):
        line.plane.close(name)
        del line.callers[name]
    line.ring("next")
    line.run(10)
    line.plane.close("next")
    line.quiet_tick()
    last = {told.call: told for told in losses(line) if told.is_last}
    assert last["good"].lost == 0
    assert 0.2 < share(last["bad"]) < 0.3
    assert (last["next"].came, last["next"].lost) == (10, 0)


def test_the_end_of_the_only_call_is_told_though_no_call_is_left(line: Line):
    line.ring()
    line.run(3)
    line.plane.close("call")
    line.events.clear()
    line.quiet_tick()
    assert losses(line) == [LineLoss("call", 3, 0, is_last=True)]
