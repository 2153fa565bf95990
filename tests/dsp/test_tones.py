"""Tones are what they claim: measured by projection on the frequencies asked for."""

import numpy as np
import pytest

from dsp import tones
from dsp.dtmf import decode
from dsp.errors import DspError


def level_dbm0(samples, hz, rate=8000):
    """Level of one frequency by projection, as a selective voltmeter shows it."""
    turn = np.exp(-2j * np.pi * hz / rate * np.arange(len(samples)))
    return 20 * np.log10(2 * abs(np.mean(samples * turn)) / tones.ZERO_DBM0_AMPLITUDE + 1e-12)


@pytest.mark.parametrize("key", tones.KEYPAD)
def test_a_key_is_its_row_and_its_column_at_the_level_asked_for(key):
    samples = tones.dtmf(key, tone_ms=1000, gap_ms=0, level_dbm0=-10)
    row, col = tones.frequencies(key)[0]
    assert level_dbm0(samples, row) == pytest.approx(-10, abs=0.1)
    assert level_dbm0(samples, col) == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize(("twist", "low", "high"), [(8, -6, -14), (-4, -10, -6), (0, -6, -6)])
def test_positive_twist_leaves_the_low_group_louder(twist, low, high):
    samples = tones.dtmf("5", tone_ms=1000, gap_ms=0, level_dbm0=-6, twist_db=twist)
    assert level_dbm0(samples, 770) == pytest.approx(low, abs=0.1)
    assert level_dbm0(samples, 1336) == pytest.approx(high, abs=0.1)


def test_offsets_move_each_group_by_their_fraction():
    samples = tones.dtmf("1", tone_ms=1000, gap_ms=0, row_offset=0.02, col_offset=-0.01)
    assert level_dbm0(samples, 697 * 1.02) == pytest.approx(-10, abs=0.1)
    assert level_dbm0(samples, 1209 * 0.99) == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_keys_and_gaps_last_as_long_as_asked(rate):
    samples = tones.dtmf("12", rate=rate, tone_ms=50, gap_ms=30)
    assert len(samples) == 2 * (round(0.05 * rate) + round(0.03 * rate))
    assert not samples[round(0.05 * rate) : round(0.08 * rate)].any()


def test_noise_has_the_power_asked_for_and_a_seed_repeats_it():
    noisy, again = (tones.dtmf("1", tone_ms=2000, snr_db=10, rng=np.random.default_rng(3)) for _ in range(2))
    clean = tones.dtmf("1", tone_ms=2000, rng=np.random.default_rng(3))
    noise = noisy.astype(float) - clean
    power = np.mean(clean[:16000].astype(float) ** 2)
    assert 10 * np.log10(power / np.mean(noise**2)) == pytest.approx(10, abs=0.3)
    assert np.array_equal(noisy, again)


def test_dial_tone_lies_under_tone_and_gap():
    samples = tones.dtmf("1", tone_ms=500, gap_ms=500, dial_tone_dbm0=-19)
    for part in (samples[:4000], samples[4000:]):
        assert level_dbm0(part, 350) == pytest.approx(-19, abs=0.3)
        assert level_dbm0(part, 440) == pytest.approx(-19, abs=0.3)


def test_a_wrong_key_is_named_by_its_place_alone():
    with pytest.raises(DspError, match="character 3") as caught:
        tones.dtmf("12x")
    assert "x" not in str(caught.value).split("character 3")[0]


def test_two_tones_at_0_dbm0_clip_as_on_a_line():
    assert np.abs(tones.dtmf("1", level_dbm0=0).astype(int)).max() in (32767, 32768)


@pytest.mark.parametrize("name", sorted(tones.EARCONS))
@pytest.mark.parametrize("rate", [8000, 16000])
def test_no_earcon_has_energy_near_any_dtmf_frequency(name, rate):
    samples = tones.earcon(name, rate).astype(float)
    window = np.hanning(rate // 50)  # 20 ms, what a decoder looks at
    hops = np.lib.stride_tricks.sliding_window_view(samples, len(window))[:: rate // 200] * window
    total = np.linalg.norm(hops, axis=1) + 1.0
    offsets = np.array([0.97, 1.0, 1.03])
    rows, cols = (
        np.abs(hops @ np.exp(-2j * np.pi * np.outer(np.arange(len(window)), np.outer(group, offsets).ravel()) / rate))
        for group in (tones.LOW_GROUP_HZ, tones.HIGH_GROUP_HZ)
    )
    # A key has both groups within 12 dB of each other; here the weaker one stays 19 dB under the whole.
    weaker = np.minimum(rows.max(axis=1), cols.max(axis=1)) / np.linalg.norm(window)
    assert (weaker < 0.1 * total).all()


@pytest.mark.parametrize("name", sorted(tones.EARCONS))
def test_every_note_lies_fifteen_percent_under_the_low_group(name):
    assert max(note.hz for note in tones.EARCONS[name]) < 0.85 * min(tones.LOW_GROUP_HZ)


def test_an_unknown_earcon_lists_the_known_ones():
    with pytest.raises(DspError, match="accepted"):
        tones.earcon("fanfare")


def test_the_monotone_follows_the_clock():
    whole = tones.monotone(0, 1000)
    assert np.array_equal(whole[317:477], tones.monotone(317, 160))
    assert level_dbm0(tones.monotone(0, 8000), 1020) == pytest.approx(tones.MONOTONE_DBM0, abs=0.1)


def test_the_monotone_is_clear_of_dtmf_and_dial_tone_harmonics():
    others = [*tones.LOW_GROUP_HZ, *tones.HIGH_GROUP_HZ, *(n * hz for hz in tones.DIAL_TONE_HZ for n in range(1, 6))]
    assert min(abs(tones.MONOTONE_HZ / hz - 1) for hz in others) > 0.025
    for harmonic in (2, 3):
        assert min(abs(harmonic * tones.MONOTONE_HZ / hz - 1) for hz in tones.HIGH_GROUP_HZ) > 0.2


def test_the_decoder_reads_no_key_in_prompt_tones_or_the_beep():
    prompts = [tones.earcon(name) for name in sorted(tones.EARCONS)]
    assert decode(np.concatenate([*prompts, *prompts[::-1], tones.monotone(0, 8000)])) == []
