"""Each vectorised step of the decoder against a plain one that can be read at a glance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711
from dsp.dtmf import confirm, edges, windows
from dsp.dtmf.keys import HIGH_GROUP_HZ, KEYS, LOW_GROUP_HZ, TONES_HZ
from dsp.dtmf.line import LOUD_PEAK, Linear, line_for
from dsp.dtmf.screen import MIN_BALANCE, MIN_ENERGY, MIN_SHARE, Screen, matmul_in_tiles, screen_basis

EVERY_CODE = np.arange(256, dtype=np.uint8)


def two_tones(
    rng: np.random.Generator, count: int, noise: float = 30.0, off: float = 0.02
) -> tuple[np.ndarray, int, np.ndarray]:
    """Samples, key, and the two frequencies actually sent."""
    key = int(rng.integers(16))
    hz = np.array([LOW_GROUP_HZ[key >> 2], HIGH_GROUP_HZ[key & 3]]) * (1 + rng.uniform(-off, off, 2))
    size, phase = 10 ** rng.uniform(2.6, 3.9) * np.array([1, rng.uniform(0.6, 1.4)]), rng.uniform(0, 6, 2)
    tones = size[:, None] * np.cos(2 * np.pi * hz[:, None] * np.arange(count) / 8000 + phase[:, None])
    return (tones.sum(axis=0) + rng.normal(0, noise, count)).astype(np.float32), key, hz


def plain_suspect(frame: np.ndarray) -> tuple[int, float] | None:
    """(key, energy) if stage 1 finds one frame of samples suspicious."""
    if np.abs(frame[:80]).max() < LOUD_PEAK:
        return None
    sums = frame[0:80:2].astype(float) + frame[1:80:2]
    energies = [
        abs(sum(x * np.exp(2j * np.pi * hz * n / 4000) for n, x in enumerate(sums))) ** 2 / 20 for hz in TONES_HZ
    ]
    low, high = max(energies[:4]), max(energies[4:])
    if low + high < max(MIN_SHARE * sum(sums**2), MIN_ENERGY) or min(low, high) < MIN_BALANCE * (low + high):
        return None
    return energies[:4].index(low) * 4 + energies[4:].index(high), low + high


@pytest.mark.parametrize("law", ["ulaw", "alaw", None])
def test_the_screen_suspects_what_the_plain_one_suspects(law: str | None) -> None:
    rng = np.random.default_rng(11)
    made = [two_tones(rng, 160, 10 ** rng.uniform(1, 3.5))[0] for _ in range(60)]
    made += [rng.normal(0, 10 ** rng.uniform(1, 4), 160) for _ in range(60)]
    frames = np.clip(made, -32768, 32767).astype(np.int16)
    samples = frames if law is None else g711.decode(g711.encode(frames, law), law)
    line = line_for(law)
    stored = samples.astype(np.float32) if law is None else g711.encode(frames, law)
    found = Screen(line)(np.ascontiguousarray(stored), None)
    expected = {row: suspect for row, frame in enumerate(samples) if (suspect := plain_suspect(frame))}
    assert list(found.rows) == list(expected)
    assert 10 < len(expected) < 110
    assert [(int(k), pytest.approx(float(e), rel=1e-4)) for k, e in zip(found.key, found.energy, strict=True)] == list(
        expected.values()
    )


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_frame_is_loud_when_one_sample_of_its_first_half_is(law: str) -> None:
    line = line_for(law)
    frames = np.full((512, 160), line.silence, np.uint8)
    frames[np.arange(256), np.arange(256) % 80] = EVERY_CODE
    frames[256 + np.arange(256), 80 + np.arange(256) % 80] = EVERY_CODE  # the second half is not looked at
    peaks = np.abs(g711.LINEAR[law].astype(int))  # type: ignore[index]
    assert list(line.loud(frames)) == [code for code in range(256) if peaks[code] >= LOUD_PEAK]


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_codes_become_the_samples_of_the_table(law: str) -> None:
    codes = np.random.default_rng(2).integers(0, 256, (7, 160)).astype(np.uint8)
    samples, sums = np.empty((7, 160), np.float32), np.empty((7, 40), np.float32)
    line = line_for(law)
    line.samples(codes, samples)
    line.pair_sums(np.ascontiguousarray(codes[:, :80]), sums)
    expected = g711.decode(codes, law).astype(np.float32)  # type: ignore[arg-type]
    assert np.array_equal(samples, expected)
    assert np.array_equal(sums, expected[:, 0:80:2] + expected[:, 1:80:2])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**31))
def test_a_product_by_tiles_does_not_depend_on_what_lies_around_it(rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.standard_normal((48, 40)).astype(np.float32), screen_basis()
    once, again = np.zeros((48, 16), np.float32), np.zeros((48, 16), np.float32)
    matmul_in_tiles(left, right, once, rows)
    assert np.allclose(once[:rows], left[:rows] @ right, atol=1e-4)
    turned = np.roll(left, -(rows // 2), axis=0)
    matmul_in_tiles(np.ascontiguousarray(turned), right, again, 48)
    assert np.array_equal(again[: rows - rows // 2], once[rows // 2 : rows])


def look_at(spans: np.ndarray, keys: np.ndarray) -> windows.Windows:
    """spans: [n, 480] samples."""
    frames = np.ascontiguousarray(spans, np.float32).reshape(-1, 160)
    rows = np.arange(len(frames)).reshape(-1, 3)
    return windows.Closeup(Linear())(frames, rows, keys.astype(np.int8), len(spans))[0]


def test_windows_are_hann_windows_at_the_keys_two_frequencies() -> None:
    rng = np.random.default_rng(4)
    spans = rng.normal(0, 1000, (150, 480))
    keys = rng.integers(0, 16, 150)
    seen = look_at(spans, keys)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(160) / 160)
    for row, key in enumerate(keys):
        for tone, hz in enumerate((LOW_GROUP_HZ[key >> 2], HIGH_GROUP_HZ[key & 3])):
            for window in range(5):
                heard = spans[row, window * 80 : window * 80 + 160] * hann
                turned = 2 / hann.sum() * heard * np.exp(-2j * np.pi * hz * np.arange(160) / 8000)
                assert seen.whole[window, tone, row] == pytest.approx(turned.sum(), abs=0.02)
                if window == windows.MIDDLE:
                    assert seen.first_half[tone, row] == pytest.approx(turned[:80].sum(), abs=0.02)
                    assert seen.second_half[tone, row] == pytest.approx(turned[80:].sum(), abs=0.02)
    assert np.allclose(seen.amplitude, np.abs(seen.whole))
    assert np.allclose(seen.energy.T, (spans.reshape(150, 6, 80)[:, 1:5] ** 2).sum(axis=2), rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 140), st.integers(0, 2**31))
def test_what_is_measured_does_not_depend_on_where_a_row_stands_nor_on_its_neighbours(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames = np.concatenate([two_tones(rng, 480)[0] for _ in range(count)]).reshape(-1, 160)
    rows, keys = rng.permutation(3 * count).reshape(-1, 3), rng.integers(0, 16, count).astype(np.int8)
    row, idle = int(rng.integers(count)), int(rng.integers(count + 1))
    closeup = windows.Closeup(Linear())
    together, others = closeup(frames, rows, keys, idle)
    alone, _ = closeup(frames, rows[row : row + 1], keys[row : row + 1], 1)
    if row >= idle:
        assert np.array_equal(others[..., row - idle], alone.amplitude[..., 0])
        return
    many, one = confirm.measured(together), confirm.measured(alone)
    assert np.array_equal(many.measures[:, row], one.measures[:, 0])
    purity = confirm.explained(many, closeup.samples(frames, rows[:idle]))
    assert purity[row] == confirm.explained(one, closeup.samples(frames, rows[row : row + 1]))[0]


def plain_explained(span: np.ndarray, hz: np.ndarray) -> float:
    """Share of the energy of samples 180-379 that the best steady tones at these frequencies take."""
    time = np.arange(180, 380) / 8000
    shapes = np.stack([wave(2 * np.pi * f * time) for f in hz for wave in (np.cos, np.sin)], axis=1)
    rest = span[180:380] - shapes @ np.linalg.lstsq(shapes, span[180:380], rcond=None)[0]
    return float(1 - (rest**2).sum() / (span[180:380] ** 2).sum())


def test_candidates_know_frequency_amplitude_and_purity() -> None:
    rng = np.random.default_rng(6)
    made = [two_tones(rng, 480, 60.0) for _ in range(100)]
    spans, keys = np.stack([m[0] for m in made]), np.array([m[1] for m in made])
    seen = look_at(spans, keys)
    found = confirm.measured(seen)
    found = found.only(confirm.passes(found).nonzero()[0])
    assert len(found.rows) > 60  # others are beyond twist or purity
    nominal = confirm.TONES_BY_KEY[:, found.key]
    sent = np.stack([made[row][2] for row in found.rows], axis=1)
    loud = found.amplitude.min(axis=0) > 600  # at 20 dB per tone a frequency is known to half a hertz
    assert np.abs(found.offset - (sent - nominal))[:, loud].max() < 1.0
    late = found.only(found.late.nonzero()[0])
    purity = confirm.explained(late, spans[late.rows])
    expected = [plain_explained(spans[row], made[row][2]) for row in late.rows]
    assert purity == pytest.approx(np.array(expected), abs=0.03)


def plain_demand(off: np.ndarray, low: float, high: float) -> float:
    """Purity from 0.80 at the inner limits to 0.97 at the outer ones, by the worst of four counts."""
    within = [(abs(of), 0.010, 0.021) for of in off]
    within += [(high / low, 10 ** (3 / 20), 10 ** (5.5 / 20)), (low / high, 10 ** (5 / 20), 10 ** (9.5 / 20))]
    return 0.80 + 0.17 * max((found - inner) / (outer - inner) for found, inner, outer in within)


def test_the_further_a_sound_strays_from_the_ideal_key_the_purer_it_must_be() -> None:
    rng = np.random.default_rng(7)
    made = [two_tones(rng, 480, off=0.028) for _ in range(100)]
    found = confirm.measured(look_at(np.stack([m[0] for m in made]), np.array([m[1] for m in made])))
    off = found.offset / confirm.TONES_BY_KEY[:, found.key]
    expected = [plain_demand(off[:, row], *found.amplitude[:, row]) for row in range(len(made))]
    assert found.demand == pytest.approx(np.array(expected), abs=1e-4)
    assert 10 < np.count_nonzero(found.demand > confirm.CLEAN) < 90
    assert not confirm.passes(found)[found.demand > confirm.CLEAN].any()


def test_a_tone_4_percent_off_is_not_taken_for_one_2_percent_off_the_other_way() -> None:
    """Windows 80 samples apart cannot tell 65 Hz above 1633 from 35 Hz below it; the halves of one can."""
    time = np.arange(480) / 8000
    span = 3000 * np.cos(2 * np.pi * 941 * time) + 2000 * np.cos(2 * np.pi * 1633 * 1.04 * time)
    assert not confirm.passes(confirm.measured(look_at(span[None], np.array([KEYS.index("D")])))).any()


@pytest.mark.parametrize("edge", range(0, 240, 17))
def test_edges_of_a_tone_are_found_within_a_millisecond(edge: int) -> None:
    time = np.arange(480)
    tone = 1000 * np.cos(2 * np.pi * 770 * time / 8000) + 1000 * np.cos(2 * np.pi * 1336 * time / 8000)
    begun = edges.weaker(look_at((tone * (time >= edge))[None], np.array([5])).amplitude / 1000)
    over = edges.weaker(look_at((tone * (time < 40 + edge))[None], np.array([5])).amplitude / 1000)
    assert abs(int(edges.start_of(begun)[0]) - min(edge, 160)) <= 8 or edge > 160
    assert abs(int(edges.end_of(over)[0]) - (40 + edge)) <= 24


@pytest.mark.parametrize(("gap", "ended"), [(0, False), (80, False), (120, False), (200, True), (240, True)])
def test_a_pause_counts_by_its_length_wherever_it_lies(gap: int, ended: bool) -> None:
    time = np.arange(480)
    tone = 1000 * np.cos(2 * np.pi * 770 * time / 8000) + 1000 * np.cos(2 * np.pi * 1336 * time / 8000)
    for at in range(90, 390 - gap, 10):
        heard = tone * ((time < at) | (time >= at + gap))
        level = edges.weaker(look_at(heard[None], np.array([5])).amplitude / 1000)
        assert bool(edges.has_ended(level)[0]) is ended
