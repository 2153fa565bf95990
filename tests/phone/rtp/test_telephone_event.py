"""RFC 4733 as peers really send it: each case is a list of packets, and the presses that they are."""

import struct

import pytest

from ivr.phone.rtp import CallerStream, KeyReleased
from ivr.phone.rtp.telephone_event import MAX_ROUNDS, MAX_WAITING

CARD = "4111111111111111"


def key_packets(
    caller: CallerStream,
    code: int,
    *,
    begun: int | None = None,
    ticks: int = 5,
    marker: bool = True,
    ends: int = 3,
    moves: bool = False,
    end_steps: tuple[int, ...] = (),
    kind: int = 101,
) -> list[bytes]:
    """All packets of one press; `moves` is a peer whose timestamp goes on with each of them, `end_steps` one whose ends
    carry timestamps of their own: how far after the key's."""
    begun = caller.timestamp if begun is None else begun
    packets = []
    for n in range(1, ticks + 1):
        at = begun + (160 * n if moves else 0)
        payload = struct.pack("!BBH", code, 10, 160 * n)
        packets.append(caller.packet(kind, payload, marker=marker and n == 1, timestamp=at))
    for n in range(ends):
        at = begun + (160 * (ticks + n) if moves else end_steps[n] if end_steps else 0)
        packets.append(caller.packet(kind, struct.pack("!BBH", code, 0x8A, 160 * ticks), timestamp=at))
    caller.timestamp = begun + 160 * (ticks + 5)
    return packets


def moved(
    caller: CallerStream, code: int = 5, *, first: int = 0, ends: int = 3, step: int = 160, **how: object
) -> list[bytes]:
    """A press whose repeated ends carry timestamps that go on, the first of them `first` after the key's."""
    steps = tuple(first + step * n for n in range(ends))
    return key_packets(caller, code, ends=ends, end_steps=steps, **how)  # type: ignore[arg-type]


def elsewhere(caller: CallerStream, packets: list[bytes], at: int, *, ssrc: int = 0x22, later: int = 0) -> list[bytes]:
    """The same packets, from `at` on under another SSRC, whose timestamps are `later` by so much."""
    heads = [struct.unpack("!BBHII", packet[:12]) for packet in packets[at:]]
    moved = [struct.pack("!BBHII", a, b, n, (t + later) % 2**32, ssrc) for a, b, n, t, _ in heads]
    caller.ssrc = ssrc
    return packets[:at] + [head + packet[12:] for head, packet in zip(moved, packets[at:], strict=True)]


def five(caller: CallerStream, **how: object) -> list[bytes]:
    return key_packets(caller, 5, **how)  # type: ignore[arg-type]


CASES = {
    "as written": (lambda c: five(c), "5"),
    "twice": (lambda c: [*five(c), *five(c)], "55"),
    "the end lost": (lambda c: five(c, ends=0), "5"),
    "the end lost, then the same key": (lambda c: [*five(c, ends=0), *five(c)], "55"),
    "the end lost, then the same key without its marker": (lambda c: [*five(c, ends=0), *five(c, marker=False)], "55"),
    "the end lost, then another key": (lambda c: [*five(c, ends=0), *key_packets(c, 6)], "56"),
    "one end only": (lambda c: five(c, ends=1), "5"),
    "ends only": (lambda c: five(c)[-3:], "5"),
    "one of all packets": (lambda c: five(c)[2:3], "5"),
    "a missing marker": (lambda c: five(c, marker=False), "5"),
    "missing markers, key after key": (lambda c: [*five(c, marker=False), *five(c, marker=False)], "55"),
    "a marker on every packet": (lambda c: [bytes([p[0], p[1] | 0x80]) + p[2:] for p in five(c)], "5"),
    "every packet doubled": (lambda c: [p for p in five(c) for _ in (0, 1)], "5"),
    "in reverse order": (lambda c: five(c)[::-1], "5"),
    "the beginning after the end": (lambda c: (lambda p: [*p[3:], *p[:3]])(five(c)), "5"),
    "an old key's packet after the next key": (lambda c: (lambda a, b: [*a[:-1], *b, a[-1]])(five(c), five(c)), "55"),
    "a timestamp that moves": (lambda c: five(c, moves=True), "5"),
    "a timestamp that moves, without marker": (lambda c: five(c, moves=True, marker=False), "5"),
    "a moving timestamp and lost packets": (lambda c: five(c, moves=True)[::3], "5"),
    "moving timestamps, key after key": (lambda c: [*five(c, moves=True), *five(c, moves=True)], "55"),
    "moving timestamps, another key": (lambda c: [*five(c, moves=True), *key_packets(c, 9, moves=True)], "59"),
    "star, pound and letters": (lambda c: [p for code in (10, 11, 12, 15) for p in key_packets(c, code)], "*#AD"),
    "a hook flash is no key": (lambda c: [*key_packets(c, 16), *five(c)], "5"),
    "a fax tone is no key": (lambda c: [*key_packets(c, 36), *five(c)], "5"),
    "an event cut short is no key": (lambda c: [p[:14] for p in five(c)], ""),
    "another of the agreed payload types": (lambda c: five(c, kind=96), "5"),
    "payload types in turns": (lambda c: [*five(c, kind=96), *five(c, kind=101)], "55"),
    "a payload type that was not agreed": (lambda c: five(c, kind=97), ""),
    "across the wrap of the timestamp": (lambda c: five(c, begun=2**32 - 300), "5"),
    "two keys across the wrap": (lambda c: [*five(c, begun=2**32 - 700), *five(c, begun=400)], "55"),
    "two keys under one timestamp": (lambda c: [*five(c, begun=900), *key_packets(c, 6, begun=900)], "56"),
    "one key twice under one timestamp": (lambda c: [*five(c, begun=900), *five(c, begun=900)], "55"),
    "a key whose clock is a little behind": (lambda c: [*five(c, begun=9000), *five(c, begun=8500)], "55"),
    "that, and all its packets doubled": (
        lambda c: [p for p in [*five(c, begun=9000), *five(c, begun=8500)] for _ in (0, 1)],
        "55",
    ),
    "that, without markers": (lambda c: [*five(c, begun=900, marker=False), *five(c, begun=900, marker=False)], "55"),
    "three times, without markers": (lambda c: [p for _ in range(3) for p in five(c, begun=900, marker=False)], "555"),
    "that, and the second one's first packets lost": (
        lambda c: [*five(c, begun=900, marker=False), *five(c, begun=900, marker=False)[2:]],
        "55",
    ),
    "that, and the first one longer than the second": (
        lambda c: [*five(c, begun=900, marker=False, ticks=30), *five(c, begun=900, marker=False)],
        "55",
    ),
    "that, and all packets doubled": (
        lambda c: [p for p in [*five(c, begun=900, marker=False), *five(c, begun=900, marker=False)] for _ in (0, 1)],
        "55",
    ),
    "keys in turns under one timestamp, without markers": (
        lambda c: [p for code in (5, 6, 5, 6) for p in key_packets(c, code, begun=900, marker=False)],
        "5656",
    ),
    "an old key's packets after the next key under the same timestamp": (
        lambda c: (lambda a, b: [*a[:-2], *b, *a[-2:]])(five(c, begun=900), key_packets(c, 6, begun=900)),
        "56",
    ),
    "ends under timestamps that move": (lambda c: moved(c, ticks=10), "5"),
    "five ends under timestamps that move": (lambda c: moved(c, ends=5), "5"),
    "ends that move from where the key ended": (lambda c: moved(c, first=800), "5"),
    "ends that move, the first one too": (lambda c: moved(c, first=160), "5"),
    "ends that move by 50 ms": (lambda c: moved(c, ticks=8, step=400), "5"),
    "ends that move, one lost": (lambda c: (lambda p: [*p[:-2], p[-1]])(moved(c)), "5"),
    "ends that move, of a key of 20 ms": (lambda c: moved(c, ticks=1), "5"),
    "ends that move, without marker": (lambda c: moved(c, marker=False), "5"),
    "ends that move, all packets doubled": (lambda c: [p for p in moved(c) for _ in (0, 1)], "5"),
    "ends that move, nothing else came": (lambda c: moved(c)[-3:], "5"),
    "ends that move, key after key": (lambda c: [*moved(c), *moved(c), *moved(c, 6)], "556"),
    "ends that move, key after key without markers": (
        lambda c: [*moved(c, marker=False), *moved(c, marker=False)],
        "55",
    ),
    "ends that move, keys in turns": (lambda c: [p for code in (5, 6, 5, 6) for p in moved(c, code)], "5656"),
    "ends that move across the wrap of the timestamp": (lambda c: moved(c, begun=2**32 - 200), "5"),
    "one end and nothing else for each key": (
        lambda c: [p for code in (1, 3, 3) for p in key_packets(c, code, ticks=5)[-1:]],
        "133",
    ),
    "that, in haste": (lambda c: [five(c, begun=at, ticks=2, marker=False)[-1] for at in (0, 640, 1280)], "555"),
    "another SSRC within a key": (lambda c: elsewhere(c, five(c), 2), "5"),
    "another SSRC after the first packet": (lambda c: elsewhere(c, five(c), 1), "5"),
    "another SSRC among the ends": (lambda c: elsewhere(c, five(c), 6), "5"),
    "another SSRC within a key, with timestamps of its own": (lambda c: elsewhere(c, five(c), 2, later=77_000), "5"),
    "another SSRC among the ends, with timestamps of its own": (lambda c: elsewhere(c, five(c), 6, later=77_000), "5"),
    "another SSRC within a key, earlier timestamps": (lambda c: elsewhere(c, five(c), 2, later=-5000), "5"),
    "another SSRC within a key, and a straggler": (
        lambda c: (lambda p: [*p[:1], *p[2:4], p[1], *p[4:]])(elsewhere(c, five(c), 2)),
        "5",
    ),
    "another SSRC for each key": (
        lambda c: [*five(c), *elsewhere(c, five(c), 0, ssrc=7), *elsewhere(c, key_packets(c, 6), 0, ssrc=8)],
        "556",
    ),
    "another SSRC for each key, without markers": (
        lambda c: [*five(c, marker=False), *elsewhere(c, five(c, marker=False), 0)],
        "55",
    ),
    "another SSRC whose clock began at nothing": (
        lambda c: [*five(c, begun=30_000), *elsewhere(c, five(c, begun=8000, marker=False), 0)],
        "55",
    ),
    "another SSRC, and the last end of the one before": (
        lambda c: (lambda a, b: [*a[:-1], *b[:2], a[-1], *b[2:]])(
            five(c), elsewhere(c, key_packets(c, 6), 0, later=9999)
        ),
        "56",
    ),
    "a clock that began anew": (lambda c: [*five(c, begun=900_000), *five(c, begun=100)], "55"),
}


@pytest.mark.parametrize("per_tick", [1, 3, 40], ids=["one a tick", "in lumps", "all at once"])
@pytest.mark.parametrize(("packets", "digits"), CASES.values(), ids=CASES)
def test_presses_are_counted_right(line, packets, digits, per_tick):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream, telephone_events=((101, 8000), (96, 8000)))
    coming = packets(stream)
    while coming:
        line.tick(*coming[:per_tick])
        coming = coming[per_tick:]
    line.run(20)
    assert line.keys() == digits


def test_a_key_held_for_twenty_seconds_is_one_key_with_its_whole_duration(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    begun, segment_begun = stream.timestamp, stream.timestamp
    for n in range(1, 1001):
        now = begun + 160 * n
        if now - segment_begun > 0xFFFF:
            segment_begun += 0xFFFF
        length = now - segment_begun
        end = 0x80 if n == 1000 else 0
        line.tick(stream.packet(101, struct.pack("!BBH", 3, end | 10, length), marker=n == 1, timestamp=segment_begun))
    line.run(20)
    assert line.keys() == "3"
    [released] = line.of(KeyReleased)
    assert released.duration_s == pytest.approx(20, abs=0.03)


def test_presses_after_a_key_whose_duration_wrapped_are_keys_even_under_its_timestamp(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    for n in range(1, 600):
        payload = struct.pack("!BBH", 5, 10 | (0x80 if n > 596 else 0), 160 * min(n, 597) % 65536)
        line.tick(stream.packet(101, payload, marker=n == 1, timestamp=900))
    for packet in five(stream, begun=900, marker=False):
        line.tick(packet)
    line.run(20)
    assert line.keys() == "55"


@pytest.mark.parametrize("number", [300, 30_000], ids=["numbers-come-round", "numbers-go-back"])
def test_a_key_of_a_place_that_a_reinvite_named_is_new_wherever_its_clock_stands(line, number):  # type: ignore[no-untyped-def]
    caller = line.ring(stream=CallerStream(sends_silence=False, ssrc=7))
    caller.stream.sequence = number
    for packet in five(caller.stream, begun=30_000):
        line.tick(packet)
    caller.source = ("192.0.2.99", 6000)
    line.agree(caller, remote=caller.source)
    caller.stream.sequence -= 500
    for packet in five(caller.stream, begun=8000, marker=False):
        line.tick(packet)
    line.run(20)
    assert line.keys() == "55"


@pytest.mark.parametrize("beyond", [0xFFFF, 0], ids=["stands", "wraps"])
def test_a_long_key_without_segments_is_one_key(line, beyond):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    for n in range(1, 600):
        length = 160 * n if 160 * n <= 0xFFFF else (beyond or 160 * n % 65536)
        line.tick(stream.packet(101, struct.pack("!BBH", 3, 10, length), marker=n == 1, timestamp=77))
    line.run(20)
    assert line.keys() == "3"


def test_a_wideband_clock_gives_the_right_time(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream, telephone_events=((102, 48000),))
    for n in range(1, 6):
        line.tick(stream.packet(102, struct.pack("!BBH", 8, 10 | (0x80 if n == 5 else 0), 960 * n), timestamp=5))
    line.run(3)
    assert line.keys() == "8"
    assert line.of(KeyReleased)[0].duration_s == pytest.approx(0.1)


@pytest.mark.parametrize("held_ticks", [20, 50, 100, 200])
@pytest.mark.parametrize("ends", [3, 0], ids=["with ends", "ends lost"])
def test_a_line_that_stood_still_delivers_exactly_the_keys_that_were_pressed(line, held_ticks, ends):  # type: ignore[no-untyped-def]
    """Up to 4 s of a quick thumb, all of it in one tick; equal keys among them."""
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    pressed = (CARD * 4)[: held_ticks // 10]
    burst = [p for key in pressed for p in key_packets(stream, int(key), ends=ends)]
    line.tick(*burst)
    line.run(20)
    assert line.keys() == pressed


def test_a_burst_of_timestamps_that_move_is_heard_whole_within_a_few_ticks(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    line.tick(*(p for key in CARD for p in key_packets(stream, int(key), moves=True)))
    line.run(20)
    assert line.keys() == CARD
    assert line.plane.events.flooded == 0


def test_every_call_of_a_worker_that_stood_still_gets_its_burst(make_line):  # type: ignore[no-untyped-def]
    line = make_line(calls=20)
    wanted = {f"{n}": CARD[n % 7 : n % 7 + 8] for n in range(20)}
    callers = {name: line.ring(name, CallerStream(sends_silence=False)) for name in wanted}
    for place in range(8):
        for name, caller in callers.items():
            for packet in key_packets(caller.stream, int(wanted[name][place])):
                line.deliver(caller, packet)
    line.run(20)
    assert {name: line.keys(name) for name in wanted} == wanted


def test_a_key_held_up_in_its_middle_for_long_is_one_key_even_where_its_timestamp_moves(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    for moves in (False, True):
        packets = five(stream, moves=moves, marker=False, ticks=20)
        for packet in packets[:4]:
            line.tick(packet)
        line.run(15)
        line.tick(*packets[4:])
        line.run(20)
    assert line.keys() == "55"


def test_who_sends_more_timestamps_than_any_phone_is_cut_off_and_costs_the_others_few_rounds(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    line.ring("other", CallerStream(sends_silence=False))
    line.tick(*(five(stream, ticks=1, ends=0)[0] for _ in range(300)))
    assert line.plane.events.flooded == 300 - MAX_ROUNDS - MAX_WAITING
    assert line.keys() == "5" * MAX_ROUNDS
    line.callers["other"].stream.press("42")
    line.run(2)
    assert line.keys("other") == "4"
    line.talk(40)
    assert line.keys() == "5" * (MAX_ROUNDS + MAX_WAITING)
    assert line.keys("other") == "42"


def test_what_waits_of_a_call_is_gone_when_the_call_is_over(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    line.tick(*(five(stream, ticks=1, ends=0)[0] for _ in range(50)))
    line.plane.close("call")
    line.ring("next", CallerStream(sends_silence=False))
    line.run(5)
    assert line.keys("next") == ""
