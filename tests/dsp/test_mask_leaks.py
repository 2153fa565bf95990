"""Nothing of a random key gets out, whatever it is mixed with; the whole measurement is `make bench-mask`."""

import numpy as np
import pytest

from benchmarks import dtmf_peer
from benchmarks.peers import PeerMissing, spandsp
from dsp import g711, tones
from dsp.mask import Masker, mask
from dsp.recording import read

FRAME, LENGTH = 160, 4800


def sounds():
    """Real recordings, or a skip that says how to get them."""
    try:
        return dtmf_peer.sounds()
    except SystemExit as missing:
        pytest.skip(str(missing))


def english(folder):
    """Where the English prompts are among Debian's."""
    return next(folder.rglob("vm-password.wav")).parent


def random_keys(count, seed, *, offset=0.018, tone_ms=(23, 110), high_group_db=(-8, 4), level=(-36, 0)):
    """[count, LENGTH] clean channels with one key each; where each lies; its power."""
    rng = np.random.default_rng(seed)
    line, where, power = np.zeros((count, LENGTH)), [], np.zeros(count)
    for row in range(count):
        tone = tones.dtmf(
            tones.KEYPAD[rng.integers(16)], tone_ms=rng.uniform(*tone_ms), gap_ms=0, level_dbm0=rng.uniform(*level),
            twist_db=-rng.uniform(*high_group_db), row_offset=rng.uniform(-offset, offset),
            col_offset=rng.uniform(-offset, offset), rng=rng,
        )  # fmt: skip
        start = 1600 + int(rng.integers(FRAME))
        line[row, start : start + len(tone)] = tone
        where.append(slice(start, start + len(tone)))
        power[row] = np.mean(tone.astype(float) ** 2)
    return line, where, power


def leaking(line, where, law="ulaw", veils=False):
    """How many channels let any tone sample out, through frames of a law, tick by tick; a veil counts when asked to."""
    codes = g711.encode(tones.to_int16(line), law)
    masker, ticks, hidden = Masker(len(codes), law), [], []
    for at in range(0, LENGTH, FRAME):
        ticks.append(masker(codes[:, at : at + FRAME]))
        hidden.append(masker.veiling)
    out = np.concatenate([*ticks, masker.flush()], axis=1)[:, FRAME:]
    covered = out == g711.encode(tones.monotone(FRAME, LENGTH), law)
    if veils:
        covered[:, :-FRAME] |= np.repeat(np.stack(hidden[1:], axis=1), FRAME, axis=1)
    return sum(not covered[row, place].all() for row, place in enumerate(where))


def voice(count, seed):
    """Something like vowels: harmonics of a gliding pitch under two formants, at unit power in the middle."""
    rng = np.random.default_rng(seed)
    time = np.arange(LENGTH) / 8000
    out = np.zeros((count, LENGTH))
    for row in range(count):
        pitch = rng.uniform(90, 260) * (1 + rng.uniform(-0.3, 0.3) * time)
        phase = 2 * np.pi * np.cumsum(pitch) / 8000
        formants = rng.uniform(300, 900), rng.uniform(900, 2400)
        for harmonic in range(1, 25):
            gain = sum(1 / (1 + ((harmonic * pitch - formant) / 120) ** 2) for formant in formants)
            out[row] += gain * np.sin(harmonic * phase + rng.uniform(0, 6)) * (harmonic * pitch < 3800)
    return out / np.sqrt(np.mean(out[:, 1600:2400] ** 2, axis=1, keepdims=True))


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_no_random_key_leaks_on_a_quiet_line(law):
    line, where, _ = random_keys(150, 1)
    assert leaking(line, where, law) == 0


def test_no_key_as_short_as_11_ms_leaks():
    line, where, _ = random_keys(100, 2, tone_ms=(11, 23), level=(-25, 0))
    assert leaking(line, where) == 0


def test_no_key_at_3_5_percent_offset_and_12_db_twist_leaks():
    line, where, _ = random_keys(100, 3, offset=0.035, high_group_db=(-12, 12), level=(-30, 0))
    assert leaking(line, where) == 0


def test_no_key_leaks_at_6_db_signal_to_noise():
    line, where, power = random_keys(150, 4)
    noise = np.random.default_rng(4).normal(size=line.shape) * np.sqrt(power / 4)[:, None]
    assert leaking(line + noise, where) == 0


def test_no_key_leaks_with_a_voice_6_db_under_it():
    line, where, power = random_keys(150, 5, level=(-25, 0))
    assert leaking(line + voice(150, 5) * np.sqrt(power / 4)[:, None], where) == 0


@pytest.mark.parametrize(("over_db", "at_most"), [(0, 0), (3, 0), (6, 2)])
def test_hardly_a_key_leaks_bare_with_a_voice_louder_than_it(over_db, at_most):
    line, where, power = random_keys(150, 6, level=(-25, -3))
    spoken = voice(150, 6) * np.sqrt(power * 10 ** (over_db / 10))[:, None]
    assert leaking(line + spoken, where, veils=True) <= at_most
    assert leaking(line + spoken, where) > 4 * at_most


def test_no_key_as_short_as_5_ms_leaks_bare():
    line, where, _ = random_keys(150, 7, tone_ms=(5, 11), level=(-25, 0))
    assert leaking(line, where, veils=True) == 0


def test_a_thorough_look_at_a_recording_finds_keys_under_a_voice_as_loud():
    line, where, power = random_keys(60, 8, level=(-20, -5))
    mixed = tones.to_int16(line + voice(60, 8) * np.sqrt(power)[:, None])
    beep = tones.monotone(0, LENGTH)
    left = [(mask(row, thorough=True).samples[at] != beep[at]).any() for row, at in zip(mixed, where, strict=True)]
    assert not any(left)


@pytest.mark.parametrize("seconds", [60, pytest.param(10_000, marks=pytest.mark.long)], ids=["a minute", "all"])
def test_speech_loses_less_than_two_percent_to_beeps(seconds):
    parts: list[np.ndarray] = []
    for file in sorted(english(sounds()).glob("[ac]*.wav")):
        if sum(map(len, parts)) > seconds * 8000:
            break
        parts.append(read(file).samples[0])
    speech = np.concatenate(parts)
    assert len(speech) > 60 * 8000
    speech = speech[: seconds * 8000]
    masked = mask(speech)
    beeps, veils = (sum(stop - start for start, stop in spans) for spans in (masked.spans_s, masked.veiled_s))
    assert beeps < 0.02 * len(speech) / 8000
    assert veils < 0.4 * len(speech) / 8000


@pytest.mark.long
def test_ten_thousand_keys_leak_nothing_and_hardly_anything_under_louder_speech():
    bench = pytest.importorskip("benchmarks.bench_mask")
    try:
        spandsp.program()
    except PeerMissing as missing:
        pytest.skip(str(missing))
    speech = np.concatenate([read(file).samples[0] for file in sorted(english(sounds()).glob("*.wav"))])
    for number, condition in enumerate(bench.CONDITIONS):
        outcome = bench.run(condition, round(10_000 * condition.share), np.random.default_rng([99, number]), speech)
        low, high = bench.wilson(outcome.guessed_informed, outcome.digits)
        louder = condition.speech_db is not None and condition.speech_db[0] < 0
        assert outcome.leaking <= (0.005 * outcome.digits if louder else 0)
        assert outcome.bare_samples <= (5e-4 * outcome.tone_samples if louder else 0)
        assert outcome.read_after == 0
        assert low - 0.01 < 1 / 16 < high + 0.01
