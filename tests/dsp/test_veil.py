"""A veil takes a key's band away, keeps what a voice has beside it, and leaves nothing to guess from."""

import numpy as np
import pytest

from dsp import tones
from dsp.mask.veil import BAND_HZ, COVER, PARTS, Veil

FRAME, REACH = 160, 80
SPAN = FRAME + 2 * REACH


def spans(*rows):
    return np.stack(rows).astype(np.float32)


def dice(seed):
    """Noise that can be had again."""
    return np.random.default_rng(seed).bytes


def sine(hz, level_dbm0=-10.0, phase=0.3):
    return tones.sine(hz, level_dbm0, SPAN, phase=phase)


def power(samples):
    return np.mean(np.square(np.asarray(samples, float)), axis=-1)


def plain_veil(veil, span, noise):
    """One frame by the definition: a filter by convolution, and noise as loud as the loudest part of what it took."""
    rest = np.convolve(span, veil.taps.astype(float), mode="valid")
    gone = span[REACH:-REACH] - rest
    loudest = max(power(part) for part in np.split(gone, PARTS))
    return rest + np.sqrt(loudest) * noise, power(gone) > COVER * power(rest)


def test_a_veil_agrees_with_a_plain_one():
    rng = np.random.default_rng(1)
    heard = spans(*rng.normal(0, 1000, (6, SPAN)), sine(770) + sine(1336))
    veil = Veil(random=dice(2))
    noise = Veil(random=dice(2))._noise(len(heard))
    drawn, bare = veil(heard)
    for row, span in enumerate(heard):
        expected, uncovered = plain_veil(veil, span, noise[row])
        assert np.allclose(drawn[row], expected, atol=0.5)
        assert bare[row] == uncovered


@pytest.mark.parametrize("hz", [672, 697, 941, 1209, 1633, 1691])
def test_the_groups_are_taken_away_by_50_db(hz):
    veil = Veil()
    rest = np.convolve(sine(hz), veil.taps, mode="valid")
    assert 10 * np.log10(power(rest) / power(sine(hz))) < -50


@pytest.mark.parametrize("hz", [200, 350, 450, 1950, 2500, 3300])
def test_what_lies_outside_the_band_stays_and_gets_no_noise(hz):
    drawn, bare = Veil()(spans(sine(hz)))
    assert power(drawn - sine(hz)[REACH:-REACH]) < 0.002 * power(sine(hz))
    assert not bare[0]


def test_the_noise_is_as_loud_as_what_it_takes_the_place_of():
    heard = spans(*(sine(1000, phase=phase) for phase in np.linspace(0, 6, 200)))
    drawn, _ = Veil(random=dice(1))(heard)
    assert abs(10 * np.log10(power(drawn).mean() / power(heard).mean())) < 1


def test_a_clean_key_is_told_of_as_bare_and_one_under_speech_is_not():
    key = sine(770, -20) + sine(1336, -20)
    speech = sum(sine(130 * harmonic, -14, harmonic) / harmonic for harmonic in range(1, 20))
    _, bare = Veil()(spans(key, key + speech))
    assert bare.tolist() == [True, False]


def test_no_two_frames_share_their_noise():
    heard = spans(*[sine(1000)] * 4)
    veil = Veil()
    drawn = np.concatenate([veil(heard[:2])[0], veil(heard[2:])[0], Veil()(heard)[0]])
    likeness = np.corrcoef(drawn) - np.eye(len(drawn))
    assert np.abs(likeness).max() < 0.5


@pytest.mark.parametrize("rate", [4000, 11025, 44100])
def test_a_veil_works_at_any_rate(rate):
    frame = -(-FRAME * rate // 8000)
    veil = Veil(rate, frame, dice(1))
    key = tones.dtmf("5", rate=rate, tone_ms=100, gap_ms=0)[: frame + 2 * veil.reach]
    drawn, bare = veil(key[None].astype(np.float32))
    assert drawn.shape == (1, frame)
    assert bare[0]
    low, high = np.fft.rfftfreq(frame, 1 / rate).searchsorted(BAND_HZ)
    loudest = np.abs(np.fft.rfft(drawn[0]))[low:high].max() / np.abs(np.fft.rfft(key[veil.reach :][:frame])).max()
    assert loudest < 0.5


def guess(span, filtered):
    """The key whose tones, through the veil's filter, explain most of a frame by least squares."""
    explained = [np.square(np.linalg.qr(basis)[0].T @ span).sum() for basis in filtered]
    return tones.KEYPAD[int(np.argmax(explained))]


def test_a_matched_filter_that_knows_the_veil_can_only_guess():
    """The tone begins in the middle of the frame: its edge is what spills most."""
    rng = np.random.default_rng(3)
    veil = Veil(random=dice(3))
    begun = np.arange(SPAN) >= SPAN // 2
    angle = 2 * np.pi / 8000 * np.arange(SPAN)
    bases = [
        np.stack([wave(angle * hz) * begun for hz in tones.frequencies(key)[0] for wave in (np.cos, np.sin)])
        for key in tones.KEYPAD
    ]
    filtered = [np.stack([np.convolve(row, veil.taps, "valid") for row in basis], axis=1) for basis in bases]
    keys = rng.integers(16, size=800)
    heard = spans(*(rng.normal(0, 2000, 4) @ bases[key] for key in keys))
    drawn, _ = veil(heard)
    right = np.mean([guess(row, filtered) == tones.KEYPAD[key] for row, key in zip(drawn, keys, strict=True)])
    seen = np.mean([guess(row[REACH:-REACH], [b[:, REACH:-REACH].T for b in bases]) == tones.KEYPAD[key]
                    for row, key in zip(heard, keys, strict=True)])  # fmt: skip
    assert seen > 0.95
    assert right < 0.11
