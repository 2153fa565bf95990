"""Accuracy over ITU-T Q.24's axes: a bounded matrix of our own, and the full one where it is at hand."""

import numpy as np
import pytest

from benchmarks import q24_matrix
from dsp import g711, tones
from dsp.dtmf import KEYS, decode_many

ACCEPTED: dict[str, dict[str, float]] = {
    "loud": {"level_dbm0": 0},
    "faint": {"level_dbm0": -25},
    "fainter than Q.24 asks": {"level_dbm0": -40},
    "low group 8 dB louder": {"level_dbm0": -6, "twist_db": 8},
    "high group 4 dB louder": {"level_dbm0": -6, "twist_db": -4},
    "1.8 % high": {"row_offset": 0.018, "col_offset": 0.018},
    "1.8 % apart": {"row_offset": 0.018, "col_offset": -0.018},
    "15 dB of noise": {"snr_db": 15},
    "8 dB of noise": {"snr_db": 8},
    "dial tone 9 dB below": {"dial_tone_dbm0": -19},
    "40 ms": {"tone_ms": 40},
    "everything at once": {"tone_ms": 40, "snr_db": 15, "twist_db": 6, "row_offset": 0.015, "col_offset": -0.015},
}
REFUSED: dict[str, dict[str, float]] = {
    "row 3 % low": {"row_offset": -0.03},
    "row 3.5 % high": {"row_offset": 0.035},
    "column 3 % high": {"col_offset": 0.03},
    "column 4 % high": {"col_offset": 0.04},
    "column 4 % low": {"col_offset": -0.04},
    "23 ms": {"tone_ms": 23},
    "-45 dBm0": {"level_dbm0": -45},
}
# Noise is chance: at 8 dB one key in ten may be missed, all else must be right every time.
ALLOWED_MISSES = {"8 dB of noise": 0.1}


def heard(law: str, seed: int, shape: dict[str, float]) -> list[tuple[str, str]]:
    """(sent, heard) for five calls on each key, each with its own phase, start and idle line."""
    rng = np.random.default_rng(seed)
    sent, lines = [], []
    for key in KEYS * 5:
        tone = tones.dtmf(key, gap_ms=0, rng=rng, **{"tone_ms": 50, **shape})  # type: ignore[arg-type]
        whole = np.concatenate([np.zeros(480 + rng.integers(0, 160)), tone, np.zeros(960)])
        whole += rng.normal(0, tones.amplitude(-65) / np.sqrt(2), len(whole))
        lines.append(g711.decode(g711.encode(tones.to_int16(whole), law), law))  # type: ignore[arg-type]
        sent.append(key)
    return [(key, "".join(k.key for k in keys)) for key, keys in zip(sent, decode_many(lines), strict=True)]


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@pytest.mark.parametrize("what", ACCEPTED)
def test_a_key_within_the_tolerances_is_heard(what: str, law: str) -> None:
    results = heard(law, 900, ACCEPTED[what])
    misses = sum(key != text for key, text in results)
    assert misses <= ALLOWED_MISSES.get(what, 0) * len(results)
    assert all(text in ("", key) for key, text in results)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@pytest.mark.parametrize("what", REFUSED)
def test_what_lies_beyond_them_is_not(what: str, law: str) -> None:
    assert {text for _, text in heard(law, 901, REFUSED[what])} == {""}


@pytest.mark.long
@pytest.mark.parametrize("law", ["ulaw", "alaw"])
@pytest.mark.parametrize("seed", [5501, 5502])
def test_every_point_of_the_matrix_is_right(seed: int, law: g711.Law) -> None:
    result = q24_matrix.run(keys_in, per_key=12, law=law, seed=seed)
    assert result.perfect_points == len(result.required), str(result)
    assert result.wrong_keys == 0, str(result)


def test_the_matrix_is_right_in_small_and_finds_a_deaf_and_a_nervous_decoder() -> None:
    result = q24_matrix.run(keys_in, per_key=1)
    assert result.perfect_points == len(result.required), str(result)
    deaf = q24_matrix.run(lambda signals: [""] * len(signals), per_key=1)
    assert {score.point.expected for score in deaf.required if score.is_perfect} == {"nothing"}
    nervous = q24_matrix.run(lambda signals: ["5"] * len(signals), per_key=1)
    assert nervous.perfect_points == 0
    assert nervous.wrong_keys > 0


def keys_in(signals: list[q24_matrix.Signal]) -> list[str]:
    return ["".join(key.key for key in keys) for keys in decode_many(signals)]
