"""What the decoder hears in one recording: keys, pauses, interruptions, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711, tones
from dsp.dtmf import KEYS, StreamDecoder, decode, decode_many
from dsp.errors import DspError

RATE = 8000


def silence(ms: float) -> np.ndarray:
    return np.zeros(round(ms * RATE / 1000), np.int16)


def line(*parts: np.ndarray, seed: int = 1) -> np.ndarray:
    """Parts one after another with 70 ms before and 120 ms after them, and a quiet line's noise under all."""
    whole = np.concatenate([silence(70), *parts, silence(120)]).astype(np.float64)
    noise = np.random.default_rng(seed).normal(0, 9, len(whole))
    return np.clip(whole + noise, -32768, 32767).astype(np.int16)


def text(samples: np.ndarray, rate: int = RATE) -> str:
    return "".join(key.key for key in decode(samples, rate))


@pytest.mark.parametrize("key", KEYS)
def test_each_of_the_sixteen_keys_is_heard(key: str) -> None:
    assert text(line(tones.dtmf(key, tone_ms=50, gap_ms=0))) == key


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_all_keys_in_a_row_survive_both_laws(law: str) -> None:
    sent = line(tones.dtmf(KEYS, tone_ms=50, gap_ms=50))
    assert text(g711.decode(g711.encode(sent, law), law)) == KEYS


def test_times_are_those_of_the_tones() -> None:
    keys = decode(line(tones.dtmf("159", tone_ms=80, gap_ms=60)))
    assert [key.start_s for key in keys] == pytest.approx([0.07, 0.21, 0.35], abs=0.004)
    assert [key.duration_s for key in keys] == pytest.approx([0.08] * 3, abs=0.006)


def test_a_key_pressed_four_times_is_four_keys() -> None:
    assert text(line(tones.dtmf("5555", tone_ms=50, gap_ms=30))) == "5555"


def test_one_long_tone_is_one_key() -> None:
    (key,) = decode(line(tones.dtmf("8", tone_ms=5000, gap_ms=0)))
    assert key.duration_s == pytest.approx(5.0, abs=0.006)


@pytest.mark.parametrize("at_ms", range(40, 90, 7))
def test_an_interruption_of_10_ms_is_bridged(at_ms: int) -> None:
    tone = tones.dtmf("6", tone_ms=140, gap_ms=0)
    tone[at_ms * 8 : at_ms * 8 + 80] = 0
    assert text(line(tone)) == "6"


@pytest.mark.parametrize("shift", range(0, 160, 13))
@pytest.mark.parametrize("ms", [10, 15, 20, 23])
def test_23_ms_are_too_short_for_a_key(ms: int, shift: int) -> None:
    assert text(np.concatenate([silence(shift / 8), line(tones.dtmf("2", tone_ms=ms, gap_ms=0))])) == ""


@pytest.mark.parametrize("shift", range(0, 160, 13))
def test_40_ms_are_enough_wherever_they_begin(shift: int) -> None:
    assert text(np.concatenate([silence(shift / 8), line(tones.dtmf("2", tone_ms=40, gap_ms=0))])) == "2"


def test_a_key_follows_another_without_a_pause() -> None:
    assert text(line(tones.dtmf("1", tone_ms=90, gap_ms=0), tones.dtmf("9", tone_ms=90, gap_ms=0))) == "19"


@pytest.mark.parametrize("offset", [-0.03, 0.03])
@pytest.mark.parametrize("group", ["row_offset", "col_offset"])
def test_3_percent_off_frequency_is_no_key(group: str, offset: float) -> None:
    off = {group: offset}
    assert text(line(tones.dtmf(KEYS, tone_ms=60, gap_ms=40, **off))) == ""  # type: ignore[arg-type]


@pytest.mark.parametrize("hz", [697.0, 1336.0, 1000.0])
def test_a_single_tone_is_no_key(hz: float) -> None:
    assert text(line(tones.to_int16(tones.sine(hz, -10, 4000)))) == ""


def test_noise_alone_is_no_key() -> None:
    assert text(np.random.default_rng(3).normal(0, 3000, 20 * RATE).astype(np.int16)) == ""


def test_voices_harmonics_near_two_tones_are_no_key() -> None:
    """A vowel at 235 Hz has harmonics 1 % from 697 and 3 % from 1209 Hz and energy at all the others."""
    time = np.arange(RATE) / RATE
    vowel = sum(np.sin(2 * np.pi * 235 * n * time + n) / (1 + abs(n - 3)) for n in range(1, 14))
    assert text((4000 * np.asarray(vowel)).astype(np.int16)) == ""


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000])
def test_other_rates_are_brought_to_8_khz(rate: int) -> None:
    assert text(tones.dtmf("0123456789", rate=rate, tone_ms=60, gap_ms=60), rate) == "0123456789"


def test_floats_within_one_mean_the_same_as_int16() -> None:
    sent = line(tones.dtmf("42#", tone_ms=50, gap_ms=50))
    assert decode((sent / 32768).astype(np.float32)) == decode(sent)
    assert decode(sent / 32768) == decode(sent)


def test_a_tone_cut_off_by_the_end_of_the_recording_counts() -> None:
    tone = tones.dtmf("7", tone_ms=60, gap_ms=0)
    assert text(np.concatenate([silence(30), tone])) == "7"
    assert text(tone) == "7"


@pytest.mark.parametrize("count", [0, 1, 79, 160, 161])
def test_next_to_nothing_holds_no_key(count: int) -> None:
    assert decode(np.zeros(count, np.int16)) == []


def test_recordings_together_give_what_each_gives_alone() -> None:
    sent = [line(tones.dtmf(keys, tone_ms=50, gap_ms=50), seed=len(keys)) for keys in ("1", "", "22", "A0*#", "9" * 30)]
    sent = [*sent, np.zeros(0, np.int16), sent[0]]
    assert decode_many(sent) == [decode(one) for one in sent]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 2500), max_size=12), st.text(KEYS, max_size=6), st.integers(0, 2**32 - 1))
def test_where_a_stream_is_cut_changes_nothing(cuts: list[int], keys: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    on, off, level = rng.uniform(20, 120), rng.uniform(5, 300), rng.uniform(-30, 0)
    sent = line(tones.dtmf(keys, tone_ms=on, gap_ms=off, level_dbm0=level, snr_db=rng.uniform(5, 40), rng=rng))
    stream = StreamDecoder()
    heard = [key for part in np.split(sent, np.cumsum(cuts)) for key in stream.feed(part)]
    assert heard + stream.close() == decode(sent)


def test_a_stream_begins_anew_after_its_end() -> None:
    stream = StreamDecoder()
    sent = line(tones.dtmf("31", tone_ms=50, gap_ms=50))
    first = stream.feed(sent) + stream.close()
    assert [key.key for key in first] == ["3", "1"]
    assert stream.feed(sent) + stream.close() == first


def test_a_key_does_not_show_itself_in_a_log() -> None:
    assert "8" not in repr(decode(line(tones.dtmf("8", tone_ms=50, gap_ms=0)))[0]).replace("0.08", "")


@pytest.mark.parametrize(
    ("samples", "rate", "cure"),
    [
        (np.zeros((800, 2), np.int16), 8000, "pick one of its channels"),
        (np.zeros(800, np.uint8), 8000, "decode G.711 with dsp.g711 first"),
        (np.zeros(800, np.int32), 8000, "int16, or floats"),
        (np.zeros(800, np.int16), 2000, "at least 4000"),
    ],
)
def test_what_is_no_recording_is_refused_with_the_cure(samples: np.ndarray, rate: int, cure: str) -> None:
    with pytest.raises(DspError, match=cure):
        decode(samples, rate)
