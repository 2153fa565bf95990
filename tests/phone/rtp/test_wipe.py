"""Canaries: after a wipe no array of the plane holds tones, event packets or digits of the call."""

import numpy as np
import pytest

from dsp import g711, tones
from ivr.phone.rtp import KeyHeard
from ivr.phone.rtp.telephone_event import WIPED

# Telephone-event payloads of one ticks' length with a volume no other test uses: volume 0x2D (45), code 9.
CANARY = bytes([9, 0x2D])


def arrays_of(thing: object, seen: set[int] | None = None) -> list[np.ndarray]:
    """Every array reachable from an object, by whatever attribute or container."""
    seen = set() if seen is None else seen
    if id(thing) in seen or isinstance(thing, (str, bytes, int, float, type)):
        return []
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        return [thing]
    if isinstance(thing, dict):
        inside = list(thing.values())
    elif isinstance(thing, (list, tuple, set)):
        inside = list(thing)
    else:
        inside = list(getattr(thing, "__dict__", {}).values())
    return [array for part in inside for array in arrays_of(part, seen)]


def holds_tone(array: np.ndarray, keys: str) -> bool:
    """Whether any 160 bytes or samples of it look like one of these keys' tones."""
    if array.dtype == np.uint8 and array.size >= 160:
        audio = g711.decode(array.reshape(-1)[: array.size // 160 * 160], "ulaw").astype(float).reshape(-1, 160)
    elif array.dtype == np.float32 and array.size >= 160:
        audio = np.nan_to_num(array.reshape(-1)[: array.size // 160 * 160].astype(float)).reshape(-1, 160)
    else:
        return False
    loud = audio[np.square(audio).sum(axis=1) > 1e4]
    if not len(loud):
        return False
    at = np.arange(160) * 2j * np.pi / 8000
    found = np.zeros(len(loud))
    for key in keys:
        pair = [np.abs(loud @ np.exp(at * hz)) ** 2 * 2 / 160 for hz in tones.frequencies(key)[0]]
        found = np.maximum(found, np.minimum(*pair) / np.square(loud).sum(axis=1))
    return bool((found > 0.1).any())


def tone_arrays(line, keys="49"):
    own = [array for array in arrays_of(line.plane) if array is not line.plane.prompts.audio]
    return [array.shape for array in [*own, line.arrivals.bytes] if holds_tone(array, keys)]


def test_the_canary_is_seen_while_the_tone_lasts(line):
    caller = line.ring()
    line.run(5)
    caller.stream.press("49", inband=True)
    line.run(9)
    assert len(tone_arrays(line)) >= 2


@pytest.mark.parametrize("ticks", [5, 6, 8, 9, 10, 12, 15], ids=lambda n: f"{n} ticks into the key")
def test_after_a_wipe_and_the_keys_end_nothing_holds_its_tone(line, ticks):
    caller = line.ring()
    line.run(5)
    caller.stream.press("4", inband=True)
    line.run(ticks)
    line.plane.wipe("call")
    line.talk()
    assert tone_arrays(line) == []
    assert line.keys() == ("" if ticks < 5 else "4")


@pytest.mark.parametrize("tone_ms", [120, 160, 400])
def test_after_a_long_key_is_wiped_in_its_middle_nothing_holds_the_rest_of_it(line, tone_ms):
    caller = line.ring()
    line.run(5)
    caller.stream.press("4", inband=True, tone_ms=tone_ms)
    while not line.of(KeyHeard):
        line.tick()
    line.plane.wipe("call")
    line.talk()
    assert tone_arrays(line) == []
    assert line.keys() == "4"


def test_a_wipe_between_keys_takes_everything_at_once(line):
    caller = line.ring()
    line.run(5)
    caller.stream.press("4949", inband=True)
    line.talk(5)
    line.plane.wipe("call")
    line.tick()
    assert tone_arrays(line) == []
    assert line.keys() == "4949"


def test_a_wipe_in_the_middle_of_a_tone_makes_no_second_digit_of_its_rest(line):
    caller = line.ring()
    line.run(5)
    caller.stream.press("9", inband=True, tone_ms=400)
    caller.stream.press("9", inband=True)
    while not line.of(KeyHeard):
        line.tick()
    line.plane.wipe("call")
    line.talk()
    assert line.keys() == "99"


def test_a_wipe_in_the_middle_of_an_event_makes_no_second_digit_of_its_rest(line):
    caller = line.ring()
    caller.stream.press("9", tone_ms=400)
    caller.stream.press("9")
    while not line.of(KeyHeard):
        line.tick()
    line.plane.wipe("call")
    line.talk()
    assert line.keys() == "99"


def test_event_packets_do_not_outlive_their_tick(line):
    caller = line.ring()
    for _ in range(3):
        line.tick(caller.stream.packet(101, CANARY + bytes([0, 160]), timestamp=5))
    assert line.keys() == "9"
    assert not line.arrivals.bytes.any()
    blocks = [array.tobytes() for array in arrays_of(line.plane) if array.dtype == np.uint8]
    assert not any(CANARY + bytes([0, 160]) in block for block in blocks)


@pytest.mark.parametrize("how", ["wipe", "close"])
def test_the_last_keys_code_goes_too(line, how):
    caller = line.ring()
    caller.stream.press("9")
    line.talk()
    assert 9 in line.plane.events._code
    getattr(line.plane, how)("call")
    line.quiet_tick()
    assert 9 not in line.plane.events._code
    assert how == "close" or WIPED in line.plane.events._code


def test_another_calls_key_is_not_touched_by_a_wipe(line):
    mine, other = line.ring("mine"), line.ring("other")
    line.run(5)
    mine.stream.press("4", inband=True)
    other.stream.press("7", inband=True)
    line.run(6)
    line.plane.wipe("mine")
    line.talk()
    assert line.keys("other") == "7"


def test_no_event_shows_its_key(line):
    caller = line.ring()
    caller.stream.press("9")
    line.talk()
    assert line.keys() == "9"
    assert "'9'" not in repr(line.events)
