"""Live channels: events tick by tick, joining and leaving, and that no channel changes what another hears."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711, tones
from dsp.dtmf import KEYS, DtmfBank, Events, decode
from dsp.errors import DspError

QUIET = 0xFF


def frames_of(keys: str, seed: int, law: str = "ulaw") -> np.ndarray:
    """[ticks, 160] codes of these keys, with level, timing, phase and noise by the seed, and 300 ms of line after them."""
    rng = np.random.default_rng(seed)
    lead = np.zeros(int(rng.integers(0, 400)))
    made = [
        tones.dtmf(
            key, tone_ms=rng.uniform(45, 130), gap_ms=rng.uniform(40, 130), level_dbm0=rng.uniform(-28, -2), rng=rng
        )
        for key in keys
    ]
    sent = np.concatenate([lead, *made, np.zeros(2400)])
    sent = sent + rng.normal(0, 9, len(sent))
    sent = np.concatenate([sent, np.zeros(-len(sent) % 160)])
    return g711.encode(np.clip(sent, -32768, 32767).astype(np.int16), law).reshape(-1, 160)


def presses(events: list[Events], channel: int) -> list[tuple[str, int, int]]:
    """(key, start, duration) of every key that came up again on this channel."""
    return [
        (KEYS[key], int(start), int(duration))
        for tick in events
        for row, key, start, duration in zip(tick.up.channel, tick.up.key, tick.up.start, tick.up.duration, strict=True)
        if row == channel
    ]


def alone(frames: np.ndarray, law: str = "ulaw") -> list[tuple[str, int, int]]:
    bank = DtmfBank(1, law)
    return presses([bank(frame[None]) for frame in frames], 0)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_every_key_goes_down_and_comes_up(law: str) -> None:
    frames = frames_of(KEYS, 5, law)
    bank = DtmfBank(1, law)
    events = [bank(frame[None]) for frame in frames]
    downs = [KEYS[key] for tick in events for key in tick.down.key]
    assert "".join(downs) == KEYS
    assert "".join(key for key, _, _ in presses(events, 0)) == KEYS


def test_a_key_is_down_within_60_ms_of_its_beginning() -> None:
    for shift in range(0, 160, 11):
        sent = np.concatenate([np.zeros(320 + shift, np.int16), tones.dtmf("4", tone_ms=200, gap_ms=200)])
        frames = g711.encode(sent[: len(sent) // 160 * 160], "ulaw").reshape(-1, 160)
        bank = DtmfBank(1)
        tick, event = next((n, e) for n, e in enumerate(bank(frame[None]) for frame in frames) if len(e.down.key))
        assert (tick + 1) * 160 - (320 + shift) <= 480
        assert abs(int(event.down.start[0]) - (320 + shift)) <= 24


def test_up_repeats_the_start_that_down_reported() -> None:
    frames = frames_of("147", 8)
    bank = DtmfBank(1)
    events = [bank(frame[None]) for frame in frames]
    downs = [int(start) for tick in events for start in tick.down.start]
    assert downs == [start for _, start, _ in presses(events, 0)]


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_the_bank_and_the_recording_agree(law: str) -> None:
    frames = frames_of("0A5*", 9, law)
    keys = decode(g711.decode(frames.ravel(), law))
    assert alone(frames, law) == [(k.key, round(k.start_s * 8000), round(k.duration_s * 8000)) for k in keys]


def test_linear_samples_give_what_their_codes_give() -> None:
    frames = frames_of("2580", 10)
    samples = g711.decode(frames, "ulaw")
    for linear in (samples, (samples / 32768).astype(np.float32)):
        bank = DtmfBank(1, None)
        assert presses([bank(frame[None]) for frame in linear], 0) == alone(frames)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(KEYS, max_size=5), min_size=1, max_size=12), st.integers(0, 2**31), st.booleans())
def test_no_channel_changes_what_another_hears(lines: list[str], seed: int, noisy: bool) -> None:
    sent = [frames_of(keys, seed + row) for row, keys in enumerate(lines)]
    ticks = max(map(len, sent))
    rng = np.random.default_rng(seed)
    all_frames = rng.integers(0, 256, (ticks, len(sent) + 1, 160)).astype(np.uint8)  # the last one is a loud neighbour
    if not noisy:
        all_frames[:] = QUIET
    for row, frames in enumerate(sent):
        all_frames[:, row] = QUIET
        all_frames[: len(frames), row] = frames
    bank = DtmfBank(len(sent) + 1)
    events = [bank(frame) for frame in all_frames]
    for row, frames in enumerate(sent):
        assert presses(events, row) == alone(frames)


def comings_and_goings(rng: np.random.Generator, channels: int, ticks: int) -> Iterator[tuple[int, int, int]]:
    """(channel, first tick, tick after the last) of calls that never overlap on a channel."""
    for channel in range(channels):
        at = int(rng.integers(0, 10))
        while at < ticks - 20:
            length = int(rng.integers(5, 60))
            yield channel, at, min(at + length, ticks)
            at += length + int(rng.integers(0, 12))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 6))
def test_calls_that_come_and_go_hear_only_their_own_keys(seed: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    ticks = 120
    calls = list(comings_and_goings(rng, channels, ticks))
    audio = rng.integers(0, 256, (ticks, channels, 160)).astype(np.uint8)  # a row nobody joined is never read
    sent = {}
    for channel, first, stop in calls:
        frames = frames_of("".join(rng.choice(list(KEYS), 4)), int(rng.integers(2**31)))
        frames = np.concatenate([frames, np.full((ticks, 160), QUIET, np.uint8)])[: stop - first]
        audio[first:stop, channel] = frames
        sent[channel, first] = frames
    bank = DtmfBank(channels, joined=False)
    heard: dict[tuple[int, int], list[Events]] = {}
    for tick in range(ticks):
        bank.leave([channel for channel, _, stop in calls if stop == tick])
        bank.join([channel for channel, first, _ in calls if first == tick])
        events = bank(audio[tick])
        for channel, first, stop in calls:
            if first <= tick < stop:
                heard.setdefault((channel, first), []).append(events)
        for row in events.up.channel:
            assert any(channel == row and first <= tick < stop for channel, first, stop in calls)
    for channel, first, _ in calls:
        assert presses(heard[channel, first], channel) == alone(sent[channel, first])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=150, max_size=150))
def test_time_stands_still_for_channels_without_audio(seed: int, present: list[list[bool]]) -> None:
    sent = [np.concatenate([frames_of("71*", seed + row), np.full((150, 160), QUIET, np.uint8)]) for row in range(3)]
    bank = DtmfBank(3)
    rng = np.random.default_rng(seed)
    place, events = [0, 0, 0], []
    for now in present:
        frames = rng.integers(0, 256, (3, 160)).astype(np.uint8)
        rows = [row for row in range(3) if now[row]]
        for row in rows:
            frames[row] = sent[row][place[row]]
            place[row] += 1
        events.append(bank(frames, rows=rows))
    for row in range(3):
        assert presses(events, row) == alone(sent[row][: place[row]])


def test_the_callers_buffer_may_be_used_again() -> None:
    frames = frames_of("963", 12)
    bank = DtmfBank(1)
    buffer = np.empty((1, 160), np.uint8)
    events = []
    for frame in frames:
        buffer[0] = frame
        events.append(bank(buffer))
        buffer[:] = 0
    assert presses(events, 0) == alone(frames)


def test_after_a_wipe_the_bank_is_as_if_it_had_never_heard_a_thing() -> None:
    frames = frames_of("5", 13)
    bank, untouched = DtmfBank(2), DtmfBank(2)
    for frame in frames[:5]:
        both = np.stack([frame, frame])
        bank(both)
        untouched(np.full((2, 160), QUIET, np.uint8))
    bank.wipe([0, 1])
    kept, blank = state_of(bank), state_of(untouched)
    assert kept.keys() == blank.keys()
    assert all(np.array_equal(kept[name], blank[name]) for name in kept)


def state_of(bank: DtmfBank) -> dict[str, np.ndarray]:
    """Every array that hangs on a bank or on its parts, the tables of the line left out."""
    parts = {"": bank, "screen.": bank._screen, "closeup.": bank._closeup}
    return {
        prefix + name: value
        for prefix, part in parts.items()
        for name, value in vars(part).items()
        if isinstance(value, np.ndarray)
    }


def test_a_wiped_channel_leaves_its_neighbours_key_alone() -> None:
    frames = frames_of("5", 14)
    bank = DtmfBank(2)
    events = []
    for tick, frame in enumerate(frames):
        events.append(bank(np.stack([frame, frame])))
        if tick == 6:
            bank.wipe([0])
    assert presses(events, 1) == alone(frames)


def test_channels_that_left_are_silent_and_do_not_come_up() -> None:
    frames = frames_of("5", 15)
    bank = DtmfBank(1)
    events = [bank(frame[None]) for frame in frames[:5]]
    bank.leave([0])
    events += [bank(frame[None]) for frame in frames]
    assert sum(len(tick.up.key) for tick in events) == 0


@pytest.mark.parametrize(
    ("frames", "cure"),
    [
        (np.zeros((3, 160), np.uint8), "expected an array"),
        (np.zeros((2, 80), np.uint8), "20 ms at 8 kHz"),
        (np.zeros(320, np.uint8), "expected an array"),
        (np.zeros((2, 160), np.int16), "takes uint8 codes"),
        ([[0] * 160] * 2, "expected an array"),
    ],
)
def test_frames_of_the_wrong_kind_change_nothing(frames: np.ndarray, cure: str) -> None:
    sent = frames_of("38", 16)
    bank = DtmfBank(2)
    events = []
    for frame in sent:
        with pytest.raises(DspError, match=cure):
            bank(frames)
        events.append(bank(np.stack([frame, frame])))
    assert presses(events, 1) == alone(sent)


def test_a_linear_bank_refuses_codes_and_doubles() -> None:
    for wrong in (np.uint8, np.float64):
        with pytest.raises(DspError, match="int16, or float32"):
            DtmfBank(1, None)(np.zeros((1, 160), wrong))  # type: ignore[arg-type]


@pytest.mark.parametrize("rows", [[-1], [4], [0, 99]])
def test_rows_that_are_not_there_are_named(rows: list[int]) -> None:
    bank = DtmfBank(4)
    for call in (bank.join, bank.leave, bank.wipe):
        with pytest.raises(DspError, match="channels 0 to 3"):
            call(rows)
    with pytest.raises(DspError, match="channels 0 to 3"):
        bank(np.full((4, 160), QUIET, np.uint8), rows=rows)


def test_rows_may_be_given_as_a_mask_but_not_as_fractions() -> None:
    frames = frames_of("6", 17)
    bank = DtmfBank(3, joined=False)
    bank.join(np.array([False, True, False]))
    events = [bank(np.stack([frame] * 3)) for frame in frames]
    assert [presses(events, row) for row in range(3)] == [[], alone(frames), []]
    with pytest.raises(DspError, match="row numbers, or a mask"):
        bank.wipe([0.5])
    with pytest.raises(DspError, match="row numbers, or a mask"):
        bank.wipe([True, False])


def test_a_bank_needs_a_channel_and_a_law_it_knows() -> None:
    with pytest.raises(DspError, match="at least one"):
        DtmfBank(0)
    with pytest.raises(DspError, match="g729"):
        DtmfBank(1, "g729")
