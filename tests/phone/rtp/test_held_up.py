"""Callers whose packets all come, but in lumps and late: a telephone or a PBX on a machine with more work than cores."""

import struct

import numpy as np
import pytest

from ivr.phone.rtp import CallerStream, KeyHeard

CARD = "4111111111111111"


class Lumps:
    """Callers whose process is held up now and then; what they would have sent meanwhile comes at once, or in two parts."""

    def __init__(self, line, rng, mean_ticks, every_ticks):
        self.line, self._rng = line, rng
        self._mean, self._every = mean_ticks, every_ticks
        self._waiting = {name: [] for name in line.callers}
        self._held = dict.fromkeys(line.callers, 0)
        self._free = {name: int(rng.integers(0, every_ticks)) for name in line.callers}

    def tick(self):
        for name, caller in self.line.callers.items():
            self._waiting[name] += caller.stream.tick()
            if self._held[name]:
                self._held[name] -= 1
                continue
            self._free[name] -= 1
            if self._free[name] < 0:
                self._held[name] = int(self._rng.integers(1, 2 * self._mean))
                self._free[name] = int(self._rng.integers(1, 2 * self._every))
            self._deliver(name, caller)
        self.line.quiet_tick()

    def _deliver(self, name, caller):
        waiting = self._waiting[name]
        # A lump may straddle a tick.
        count = len(waiting) if self._rng.random() < 0.6 else int(self._rng.integers(0, len(waiting) + 1))
        for datagram in waiting[:count]:
            self.line.deliver(caller, datagram)
        del waiting[:count]


@pytest.mark.parametrize(("mean_ms", "every_ms"), [(60, 400), (150, 500), (300, 1000), (600, 2000)])
@pytest.mark.parametrize(("tone_ms", "gap_ms"), [(100, 100), (60, 60), (160, 60)])
@pytest.mark.parametrize("sends_silence", [True, False], ids=["constant", "silence suppressed"])
def test_tones_in_lumps_are_exactly_the_keys_that_were_pressed(
    make_line, mean_ms, every_ms, tone_ms, gap_ms, sends_silence
):
    rng = np.random.default_rng(mean_ms + tone_ms)
    line = make_line(calls=8)
    wanted = {}
    for n in range(8):
        caller = line.ring(f"{n}", CallerStream("alaw" if n % 3 == 0 else "ulaw", sends_silence=sends_silence))
        caller.stream.pause(int(rng.integers(3, 30)))
        # Equal keys in a row are what a held up stream makes one or three of.
        wanted[f"{n}"] = "".join(rng.choice(list("01" if n % 2 else "0123456789"), 9))
        caller.stream.press(wanted[f"{n}"], inband=True, tone_ms=tone_ms, gap_ms=gap_ms)
    lumps = Lumps(line, rng, mean_ms // 20, every_ms // 20)
    while not all(caller.stream.idle for caller in line.callers.values()):
        lumps.tick()
    for _ in range(120):
        lumps.tick()
    assert {name: line.keys(name) for name in wanted} == wanted
    assert line.plane.jitter.late == 0


def hold_up(line, caller, ticks):
    """What the caller sends in that time comes all at once after it."""
    burst = [datagram for _ in range(ticks) for datagram in caller.stream.tick()]
    for _ in range(ticks):
        line.quiet_tick()
    for datagram in burst:
        line.deliver(caller, datagram)
    line.quiet_tick()


@pytest.mark.parametrize("held_ticks", [20, 50, 100])
def test_tones_that_all_come_at_once_are_heard_one_after_the_other(line, held_ticks):
    caller = line.ring()
    line.run(10)
    pressed = CARD[: held_ticks // 10]
    caller.stream.press(pressed, inband=True, tone_ms=100, gap_ms=100)
    hold_up(line, caller, held_ticks)
    line.run(held_ticks + 20)
    assert line.keys() == pressed
    assert line.plane.jitter.late == line.plane.sequences.doubled == line.plane.sequences.lost == 0


class TenMs(CallerStream):
    """A telephone that sends two packets of 10 ms for one of 20."""

    def tick(self):
        return [half for packet in super().tick() for half in self._halves(packet)]

    def _halves(self, packet):
        kind, sequence, timestamp, ssrc = struct.unpack_from("!HHII", packet)
        for place, payload in enumerate((packet[12:92], packet[92:])):
            count, at = (2 * sequence + place) % 2**16, (timestamp + 80 * place) % 2**32
            yield struct.pack("!HHII", kind, count, at, ssrc) + payload


@pytest.mark.parametrize(
    ("stream", "places"),
    [(CallerStream, range(40)), (TenMs, range(0, 80, 3)), pytest.param(TenMs, range(80), marks=pytest.mark.long)],
)
def test_tones_that_all_come_at_once_are_heard_whichever_packet_the_others_overtook(make_line, stream, places):
    heard = {place: keys_where_overtaken(make_line(), stream(), place) for place in places}
    assert heard == dict.fromkeys(places, "4111")


def keys_where_overtaken(line, stream, place):
    caller = line.ring(stream=stream)
    line.run(10)
    caller.stream.press("4111", inband=True, tone_ms=100, gap_ms=100)
    burst = [datagram for _ in range(40) for datagram in caller.stream.tick()]
    for _ in range(40):
        line.quiet_tick()
    for datagram in [*burst[:place], *burst[place + 1 :], burst[place]]:
        line.deliver(caller, datagram)
    # The line stands still once more: nothing behind the burst says where its end is.
    for _ in range(10):
        line.quiet_tick()
        caller.stream.tick()
    line.run(80)
    return line.keys()


@pytest.mark.parametrize("held_ticks", [20, 50, 100])
def test_a_call_that_was_held_up_is_caught_up_and_its_next_keys_come_in_time(line, held_ticks):
    caller = line.ring()
    line.run(10)
    hold_up(line, caller, held_ticks)
    line.run(40)
    begun_s = line.now_s
    caller.stream.press("77", inband=True)
    ticks = 0
    while not line.keys():
        line.tick()
        ticks += 1
    assert ticks <= 16
    line.talk(30)
    assert line.keys() == "77"
    assert line.of(KeyHeard)[0].at_s == pytest.approx(begun_s, abs=0.25)


@pytest.mark.parametrize("tone_ms", [40, 60])
def test_a_short_key_after_which_nothing_comes_any_more_is_heard(line, tone_ms):
    caller = line.ring(stream=CallerStream(sends_silence=False))
    caller.stream.press("7", inband=True, tone_ms=tone_ms)
    line.talk(20)
    assert line.keys() == "7"


@pytest.mark.parametrize("late_ticks", range(0, 14, 2))
def test_a_wipe_that_comes_late_takes_nothing_of_the_keys_after_it(line, late_ticks):
    """A caller who knows the way keys the next field at once; the wipe of the one before comes when the vault is ready."""
    caller = line.ring()
    line.run(5)
    caller.stream.press("3#1230", inband=True, tone_ms=60, gap_ms=60)
    while line.keys() != "3#":
        line.tick()
    line.run(late_ticks)
    line.plane.wipe("call")
    line.talk()
    assert line.keys() == "3#1230"


def test_a_wipe_while_the_stream_is_held_up_keeps_what_has_come_and_not_been_heard(line):
    caller = line.ring()
    line.run(5)
    caller.stream.press("#1230", inband=True)
    hold_up(line, caller, 45)
    while line.keys() != "#":
        line.tick()
    line.plane.wipe("call")
    line.run(60)
    assert line.keys() == "#1230"
