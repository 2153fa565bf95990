"""RFC 4733 as peers really send it: each case is a list of packets, and the presses that they are."""

import struct

import pytest

from ivr.channels.rtp import CallerStream, KeyReleased

TIMES = 5  # of a key's packets before its end


def key_packets(
    caller: CallerStream,
    code: int,
    *,
    begun: int | None = None,
    ticks: int = 5,
    marker: bool = True,
    ends: int = 3,
    moves: bool = False,
    kind: int = 101,
) -> list[bytes]:
    """All packets of one press; `moves` is a peer whose timestamp goes on with each of them."""
    begun = caller.timestamp if begun is None else begun
    packets = []
    for n in range(1, ticks + 1):
        at = begun + (160 * n if moves else 0)
        payload = struct.pack("!BBH", code, 10, 160 * n)
        packets.append(caller.packet(kind, payload, marker=marker and n == 1, timestamp=at))
    for n in range(ends):
        at = begun + (160 * (ticks + n) if moves else 0)
        packets.append(caller.packet(kind, struct.pack("!BBH", code, 0x8A, 160 * ticks), timestamp=at))
    caller.timestamp = begun + 160 * (ticks + 5)
    return packets


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
    "a clock that began anew": (lambda c: [*five(c, begun=900_000), *five(c, begun=100)], "55"),
}


@pytest.mark.parametrize("per_tick", [1, 3, 40], ids=["one a tick", "in lumps", "all at once"])
@pytest.mark.parametrize(("packets", "digits"), CASES.values(), ids=CASES)
def test_presses_are_counted_right(line, packets, digits, per_tick):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream, telephone_events=((101, 8000), (96, 8000)))
    coming = packets(stream)
    if per_tick == 40 and len(coming) > 16:
        per_tick = 16
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


def test_more_packets_of_one_call_than_any_phone_sends_are_cut_off(line):  # type: ignore[no-untyped-def]
    stream = CallerStream(sends_silence=False)
    line.ring(stream=stream)
    line.tick(*(p for n in range(10) for p in five(stream)))
    assert line.plane.events.flooded == 80 - 16
