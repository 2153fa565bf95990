"""What comes out fits a telephone line, whatever went in."""

import numpy as np
import numpy.typing as npt
import pytest

from ivr.voice.loudness import ACTIVE_DBM0, PEAK, active_level_dbm0, for_the_line

Samples = npt.NDArray[np.int16]


def babble(rate: int, seconds: float, level: float, seed: int = 5) -> Samples:
    """Noise that swells and pauses as speech does."""
    count = int(rate * seconds)
    swell = np.maximum(np.sin(2 * np.pi * 2.1 * np.arange(count) / rate), 0.0)
    return np.clip(np.random.default_rng(seed).normal(0, level, count) * swell, -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("rate", [8000, 16_000, 22_050, 44_100])
@pytest.mark.parametrize("level", [300.0, 3000.0, 12_000.0])
def test_soft_and_loud_recordings_come_out_equally_loud(rate: int, level: float) -> None:
    out = for_the_line(babble(rate, 2.0, level), rate)
    assert abs(active_level_dbm0(out) - ACTIVE_DBM0) < 1.0
    assert np.abs(out.astype(int)).max() <= PEAK


def test_hum_and_hiss_outside_the_telephone_band_are_gone() -> None:
    rate = 16_000
    time = np.arange(rate) / rate
    voice, hum, hiss = (np.sin(2 * np.pi * hz * time) for hz in (1000.0, 50.0, 3900.0))
    spectrum = np.abs(np.fft.rfft(for_the_line((4000 * (voice + hum + hiss)).astype(np.int16), rate)[:7000]))
    hertz = np.fft.rfftfreq(7000, 1 / 8000)
    peak = {hz: spectrum[np.abs(hertz - hz) < 20].max() for hz in (1000, 50, 3900)}
    assert peak[50] < peak[1000] / 300
    assert peak[3900] < peak[1000] / 10


def test_silence_at_both_ends_is_trimmed() -> None:
    speech = babble(8000, 1.0, 3000.0)
    padded = np.concatenate([np.zeros(8000, np.int16), speech, np.zeros(12_000, np.int16)])
    assert abs(len(for_the_line(padded, 8000)) - len(for_the_line(speech, 8000))) <= 480


def test_silence_and_next_to_nothing_stay_what_they_are() -> None:
    for samples in (np.zeros(4000, np.int16), np.zeros(0, np.int16), np.ones(3, np.int16)):
        assert np.abs(for_the_line(samples, 22_050).astype(int)).max() < 200
