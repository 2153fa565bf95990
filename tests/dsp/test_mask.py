"""The masker lets nothing of a key out, and everything else through untouched."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711, tones
from dsp.dtmf import decode
from dsp.errors import DspError
from dsp.mask import Masker, mask

FRAME = 160


def line_noise(count, seed=0, dbm0=-60):
    return np.random.default_rng(seed).normal(0, tones.amplitude(dbm0) / np.sqrt(2), count)


def with_key(key="5", lead=1000, tail=1200, seed=0, **shape):
    """A key on a quiet line, and the slice of samples its tone fills."""
    tone = tones.dtmf(key, gap_ms=0, rng=np.random.default_rng(seed), **shape)
    line = line_noise(lead + len(tone) + tail, seed)
    line[lead : lead + len(tone)] += tone
    return tones.to_int16(line), slice(lead, lead + len(tone))


def ordinary(count, seed=0, dbm0=-20):
    """Loud audio that is nothing like a key: dial tone over line noise."""
    return tones.to_int16(tones.dial_tone(count, dbm0) + line_noise(count, seed))


def streamed(masker, samples, step=1):
    """[channels, samples] through a masker, `step` frames a call, without the delay."""
    cut = [masker(samples[:, at : at + step * FRAME]) for at in range(0, samples.shape[1], step * FRAME)]
    return np.concatenate([*cut, masker.flush()], axis=1)[:, FRAME:]


def whole_frames(samples):
    return samples[: len(samples) // FRAME * FRAME]


def leaked(masked, where, clock=FRAME, rate=8000):
    """Tone samples that are not the beep."""
    beep = tones.monotone(clock, len(masked), rate)
    return int((masked[where] != beep[where]).sum())


def test_what_comes_out_is_what_went_in_20_ms_later():
    line = np.stack([ordinary(10 * FRAME, seed) for seed in (1, 2)])
    masker = Masker(2)
    out = np.concatenate([masker(line[:, at : at + FRAME]) for at in range(0, 10 * FRAME, FRAME)], axis=1)
    assert not out[:, :FRAME].any()
    assert np.array_equal(out[:, FRAME:], line[:, :-FRAME])
    assert np.array_equal(masker.flush(), line[:, -FRAME:])


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_companded_frames_come_back_companded_and_bit_exact(law):
    samples, _ = with_key(level_dbm0=-60)  # too quiet to be a key
    codes = g711.encode(whole_frames(samples), law)[None]
    masker = Masker(1, law)
    assert masker(codes[:, :FRAME])[0, 0] == g711.SILENCE[law]
    assert np.array_equal(streamed(Masker(1, law), codes), codes)


@pytest.mark.parametrize("onset", range(1000, 1160, 11))
@pytest.mark.parametrize("tone_ms", [12, 20, 23, 40, 110])
def test_no_sample_of_a_tone_gets_out_wherever_it_begins(onset, tone_ms):
    samples, where = with_key("8", lead=onset, tone_ms=tone_ms, seed=onset)
    out = streamed(Masker(1), whole_frames(samples)[None])[0]
    assert leaked(out, where) == 0


@pytest.mark.parametrize("key", tones.KEYPAD)
@pytest.mark.parametrize("shape", [
    {"level_dbm0": 0}, {"level_dbm0": -36}, {"twist_db": 8}, {"twist_db": -4}, {"twist_db": 12}, {"twist_db": -12},
    {"row_offset": 0.035, "col_offset": -0.035}, {"row_offset": -0.035, "col_offset": 0.035},
    {"snr_db": 10}, {"snr_db": 7}, {"dial_tone_dbm0": -16},
], ids=str)  # fmt: skip
def test_every_key_in_every_bad_shape_is_masked(key, shape):
    samples, where = with_key(key, seed=3, **shape)
    out = streamed(Masker(1), whole_frames(samples)[None])[0]
    assert leaked(out, where) == 0
    assert leaked(mask(samples).samples, where, clock=0) == 0


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_companded_tones_are_masked_by_a_companded_beep(law):
    samples, where = with_key("3", seed=5, level_dbm0=-20)
    codes = g711.encode(whole_frames(samples), law)
    out = streamed(Masker(1, law), codes[None])[0]
    beep = g711.encode(tones.monotone(FRAME, len(codes)), law)
    assert np.array_equal(out[where], beep[where])


def test_the_masked_recording_holds_no_keys():
    samples = tones.dtmf("4111111111111111#", tone_ms=60, gap_ms=60, snr_db=20)
    assert [key.key for key in decode(samples)] == list("4111111111111111#")
    assert decode(mask(samples).samples) == []


def test_neighbours_do_not_matter():
    one, _ = with_key("1", seed=1, snr_db=0)
    two = tones.to_int16(line_noise(len(one), 2, -20))
    both = np.stack([whole_frames(one), whole_frames(two)])
    together = streamed(Masker(2, random=bytes), both)
    for row in (0, 1):
        assert np.array_equal(together[row], streamed(Masker(1, random=bytes), both[row : row + 1])[0])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 7), min_size=1, max_size=8), st.integers(0, 50))
def test_where_a_stream_is_cut_changes_nothing(cuts, seed):
    samples = tones.dtmf("159D", tone_ms=50, gap_ms=40, snr_db=8, rng=np.random.default_rng(seed))
    frames = np.stack([np.resize(samples, sum(cuts) * FRAME), np.resize(samples[::-1], sum(cuts) * FRAME)])
    masker, at, out = Masker(2, random=bytes), 0, []
    for cut in cuts:
        out.append(masker(frames[:, at : at + cut * FRAME]))
        at += cut * FRAME
    cut_anywhere = np.concatenate([*out, masker.flush()], axis=1)[:, FRAME:]
    assert np.array_equal(cut_anywhere, streamed(Masker(2, random=bytes), frames))


def test_a_wiped_channel_gives_silence_and_forgets():
    samples, _ = with_key("7", lead=FRAME, tone_ms=200)
    masker = Masker(2)
    frames = np.stack([samples, samples])[:, : 4 * FRAME]
    masker(frames)
    assert masker.masking.all()
    masker.wipe([1])
    out = masker(np.zeros((2, FRAME), np.int16))
    assert masker.masking.tolist() == [True, False]
    assert out[0].any()
    assert not out[1].any()


def test_a_masker_told_to_expect_keys_misses_far_fewer_under_loud_noise():
    noisy = [with_key("2", lead=1000 + 7 * seed, tail=1208 - 7 * seed, seed=seed, snr_db=-3) for seed in range(40)]
    frames = np.stack([whole_frames(samples) for samples, _ in noisy])
    by_itself, told = Masker(40, veil=False), Masker(40, veil=False)
    told.expect_keys(range(40))
    missed = [
        sum(leaked(row, where) > 0 for row, (_, where) in zip(streamed(masker, frames), noisy, strict=True))
        for masker in (by_itself, told)
    ]
    assert missed[0] > 4 * missed[1]


def test_float_frames_are_masked_alike():
    samples, where = with_key("9", seed=4)
    as_float = whole_frames(samples).astype(np.float32) / 32768
    out = streamed(Masker(1), as_float[None])[0]
    assert out.dtype == np.float32
    assert leaked(np.rint(out * 32768).astype(np.int16), where) == 0


@pytest.mark.parametrize("rate", [11025, 16000, 22050, 44100, 48000])
def test_recordings_keep_their_rate_and_lose_their_keys(rate):
    samples = tones.dtmf("123", rate=rate, tone_ms=70, gap_ms=200, snr_db=45)
    done = mask(samples, rate)
    tone, step = round(0.07 * rate), round(0.07 * rate) + round(0.2 * rate)
    assert done.samples.shape == samples.shape
    assert len(done.spans_s) == 3
    for nth in range(3):
        assert leaked(done.samples, slice(nth * step, nth * step + tone), 0, rate) == 0
    assert decode(done.samples, rate) == []


def test_both_sides_of_a_call_are_masked_where_either_holds_a_key():
    key, where = with_key("2")
    call = np.stack([key, ordinary(len(key), 9)])
    done = mask(call)
    assert leaked(done.samples[0], where, 0) == 0
    assert leaked(done.samples[1], where, 0) == 0
    assert np.array_equal(done.samples[:, :500], call[:, :500])


def test_a_recording_heard_live_and_afterwards_agree_on_a_clear_key():
    samples, _ = with_key("6", lead=1120, tone_ms=80, tail=1120)
    samples = whole_frames(samples)
    live = streamed(Masker(1), samples[None])[0] != samples
    after = mask(samples).samples != samples
    assert (live & ~after).sum() == 0


@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_a_key_under_louder_speech_is_veiled_and_the_speech_is_not_beeped_over(rate):
    """Something like a vowel, 7 dB above the key."""
    tone = tones.dtmf("6", rate=rate, tone_ms=120, gap_ms=0, level_dbm0=-20)
    time = np.arange(rate) / rate
    vowel = sum(np.sin(2 * np.pi * 130 * harmonic * time) / harmonic for harmonic in range(1, 20))
    line = vowel * np.sqrt(5 * np.mean(tone.astype(float) ** 2) / np.mean(vowel**2))
    where = slice(rate // 2, rate // 2 + len(tone))
    line[where] += tone
    samples = tones.to_int16(line)
    done = mask(samples, rate)
    (start, stop), *_ = [span for span in done.veiled_s if span[0] < 0.56 < span[1]]
    assert start <= where.start / rate
    assert stop >= where.stop / rate
    assert (done.samples[where] != samples[where]).mean() > 0.99
    assert not any(start < 0.56 < stop for start, stop in done.spans_s)
    assert mask(samples, rate, veil=False).veiled_s == ()


def test_a_masker_says_which_channels_it_veils_until_they_are_wiped():
    masker = Masker(2)
    noise = tones.to_int16(line_noise(4 * FRAME, 3, -15))
    masker(np.stack([noise, np.zeros_like(noise)]))
    assert masker.veiling.tolist() == [True, False]
    assert masker.masking.tolist() == [False, False]
    masker.wipe([0])
    assert not masker.veiling.any()


def test_without_veils_doubtful_speech_comes_back_as_it_was():
    noise = tones.to_int16(line_noise(4 * FRAME, 3, -15))[None]
    masker = Masker(1, veil=False)
    assert np.array_equal(streamed(masker, noise), noise)
    masker(noise)
    assert not masker.veiling.any()


@pytest.mark.parametrize("count", [1, 39, 159, 161, 1000])
def test_recordings_of_any_length_keep_it(count):
    assert len(mask(np.zeros(count, np.int16)).samples) == count


def test_a_recording_that_begins_and_ends_inside_a_tone():
    samples = tones.dtmf("5", tone_ms=200, gap_ms=0)[37:-51]
    assert leaked(mask(samples).samples, slice(None), 0) == 0


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        (np.zeros((2, 160), np.int16), "expected an array"),
        (np.zeros((1, 80), np.int16), "expected an array"),
        (np.zeros((1, 0), np.int16), "expected an array"),
        (np.zeros(160, np.int16), "expected an array"),
        ([0] * 160, "list"),
        (np.zeros((1, 160), np.float64), "int16 or float32"),
        (np.zeros((1, 160), np.uint8), "int16 or float32"),
    ],
)
def test_wrong_frames_are_refused_with_the_cure_and_change_nothing(frames, said):
    masker = Masker(1)
    masker(np.full((1, 160), 7, np.int16))
    with pytest.raises(DspError, match=said):
        masker(frames)
    assert (masker(np.zeros((1, 160), np.int16)) == 7).all()


@pytest.mark.parametrize(
    ("samples", "rate", "said"),
    [
        (np.zeros(0, np.int16), 8000, "empty"),
        (np.zeros((1, 2, 3), np.int16), 8000, "shape"),
        (np.zeros(10, np.int32), 8000, "int32"),
        (np.zeros(10, np.int16), 3000, "rate is 3000"),
        (np.full(10, np.inf, np.float32), 8000, "infinity"),
    ],
)
def test_wrong_recordings_are_refused(samples, rate, said):
    with pytest.raises(DspError, match=said):
        mask(samples, rate)


def test_a_frame_with_nan_is_refused():
    with pytest.raises(DspError, match="NaN"):
        Masker(1)(np.full((1, 160), np.nan, np.float32))


def test_a_masker_needs_a_channel_and_a_known_law():
    with pytest.raises(DspError, match="channels is 0"):
        Masker(0)
    with pytest.raises(DspError, match="unknown"):
        Masker(1, "opus")  # type: ignore[arg-type]
    with pytest.raises(DspError, match="rows reach"):
        Masker(1).wipe([3])
