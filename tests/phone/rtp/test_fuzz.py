"""Bytes from anywhere, while calls go on: nothing is raised, nothing grows, and the calls' keys come through exactly."""

import numpy as np
import pytest

from ivr.phone.rtp import CallerStream


def mutated(rng: np.random.Generator, datagram: bytes) -> bytes:
    """Cut short, made longer, or with bytes of it changed; sometimes all of them."""
    kind = rng.integers(0, 5)
    if kind == 0:
        return rng.integers(0, 256, int(rng.integers(0, 600)), dtype=np.uint8).tobytes()
    if kind == 1:
        return datagram[: int(rng.integers(0, len(datagram)))]
    if kind == 2:
        return datagram + rng.integers(0, 256, int(rng.integers(1, 400)), dtype=np.uint8).tobytes()
    changed = bytearray(datagram)
    for _ in range(int(rng.integers(1, 6))):
        changed[int(rng.integers(0, min(len(changed), 20)))] = int(rng.integers(0, 256))
    return bytes(changed)


def storm(line, ticks: int, per_tick: int, seed: int) -> int:
    """Datagrams thrown in. Strangers mutate everything; victims get their own packets mutated, from their own address."""
    rng = np.random.default_rng(seed)
    calls = list(line.callers.values())
    model = [CallerStream(), CallerStream("alaw")]
    for _ in range(ticks):
        for phone in model:
            if phone.idle:
                phone.press("159#")
            for datagram in phone.tick():
                for _ in range(per_tick // 2):
                    victim = calls[int(rng.integers(0, len(calls)))]
                    stranger = ("203.0.113.5", int(rng.integers(1, 65535)))
                    source = victim.source if victim.name.startswith("victim") else stranger
                    line.deliver(victim, mutated(rng, datagram), source)
        line.tick()
    return line.plane.reception.refused


def fuzzed(make_line, ticks, per_tick):
    line = make_line(calls=8, sockets=2)
    line.arrivals = type(line.arrivals)(per_tick * 4 + 256)
    keys = {}
    for n in range(4):
        caller = line.ring(f"good{n}")
        line.run(3)
        keys[caller.name] = "".join(np.random.default_rng(n).choice(list("0123456789*#"), max(1, ticks // 20)))
        caller.stream.press(keys[caller.name])
    for n in range(4):
        line.ring(f"victim{n}")
    refused = storm(line, ticks, per_tick, seed=ticks)
    line.talk()
    return line, keys, refused


def test_twenty_thousand_mutated_datagrams_leave_other_calls_keys_exact(make_line):
    line, keys, refused = fuzzed(make_line, 200, 100)
    assert {name: line.keys(name) for name in keys} == keys
    assert refused > 5000


@pytest.mark.long
def test_half_a_million_mutated_datagrams_leave_other_calls_keys_exact(make_line):
    line, keys, _ = fuzzed(make_line, 2500, 200)
    assert {name: line.keys(name) for name in keys} == keys


def test_more_ssrcs_than_anyone_has_take_no_memory(make_line):
    line = make_line(calls=2)
    caller = line.ring()
    for n in range(400):
        line.tick(CallerStream(ssrc=n).packet(0, bytes(160)))
    assert len(line.plane.reception.sources._exact._keys) <= 2
    caller.stream.press("5")
    line.talk()
    assert line.keys() == "5"
