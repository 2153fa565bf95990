"""G.711 both ways, against G.191 written out plainly, published values and sox."""

import shutil
import subprocess

import numpy as np
import pytest

from dsp import g711
from dsp.errors import DspError
from tests.patience import PATIENCE_S

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_CODE = np.arange(256).astype(np.uint8)


def plain_ulaw(sample):
    """Mu-law of one sample the slow way: find the segment by counting doublings."""
    magnitude = min((~sample if sample < 0 else sample) // 4 + 33, 8191)
    segment = 0
    while magnitude >= 64 << segment:
        segment += 1
    step = (magnitude >> (segment + 1)) % 16
    return (0x80 if sample >= 0 else 0) + (7 - segment) * 16 + (15 - step)


def plain_alaw(sample):
    magnitude = (~sample if sample < 0 else sample) // 16
    segment = 0
    while magnitude >= 32:
        magnitude //= 2
        segment += 1
    code = magnitude if segment == 0 else segment * 16 + magnitude
    return (code + (0x80 if sample >= 0 else 0)) ^ 0x55


@pytest.mark.parametrize(("law", "plain"), [("ulaw", plain_ulaw), ("alaw", plain_alaw)])
def test_every_16_bit_sample_encodes_as_the_plain_rule_says(law, plain):
    expected = [plain(int(s)) for s in EVERY_SAMPLE]
    assert g711.encode(EVERY_SAMPLE, law).tolist() == expected


# G.711 tables 1a/1b and 2a/2b: decoder output values (uniform code times the 16-bit scale).
@pytest.mark.parametrize(
    ("law", "code", "linear"),
    [
        ("ulaw", 0xFF, 0), ("ulaw", 0x7F, 0), ("ulaw", 0xFE, 8), ("ulaw", 0x7E, -8),
        ("ulaw", 0x80, 32124), ("ulaw", 0x00, -32124), ("ulaw", 0xF0, 120), ("ulaw", 0xEF, 132),
        ("alaw", 0xD5, 8), ("alaw", 0x55, -8), ("alaw", 0xAA, 32256), ("alaw", 0x2A, -32256),
        ("alaw", 0xD4, 24), ("alaw", 0xC5, 264),
    ],
)  # fmt: skip
def test_published_values(law, code, linear):
    assert g711.decode(np.uint8([code]), law)[0] == linear


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_code_survives_the_round_trip(law):
    codes = EVERY_CODE[EVERY_CODE != 0x7F] if law == "ulaw" else EVERY_CODE  # mu-law has two zeros
    assert np.array_equal(g711.encode(g711.decode(codes, law), law), codes)


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_louder_sample_never_comes_back_quieter(law):
    again = g711.decode(g711.encode(EVERY_SAMPLE, law), law).astype(int)
    assert (np.diff(again) >= 0).all()
    assert np.array_equal(np.unique(again), np.unique(g711.LINEAR[law]))  # every level is in use


# Input, A-law code, mu-law code: values widely published as G.191's output.
@pytest.mark.parametrize(
    ("sample", "alaw", "ulaw"),
    [(0, 0xD5, 0xFF), (128, 0xDD, 0xEF), (512, 0xF5, 0xDB), (-128, 0x52, 0x6F), (-1024, 0x7A, 0x4D)],
)
def test_published_encodings(sample, alaw, ulaw):
    assert g711.encode(np.int16([sample]), "alaw")[0] == alaw
    assert g711.encode(np.int16([sample]), "ulaw")[0] == ulaw


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_silence_decodes_to_the_smallest_level(law):
    quiet = g711.decode(np.uint8([g711.SILENCE[law]]), law)
    assert abs(int(quiet[0])) == np.abs(g711.LINEAR[law].astype(int)).min()


def test_shapes_pass_through():
    assert g711.decode(np.zeros((3, 160), np.uint8), "ulaw").shape == (3, 160)
    assert g711.encode(np.zeros((0,), np.int16), "alaw").shape == (0,)


def test_a_strided_view_encodes_like_its_copy():
    samples = np.arange(-800, 800, dtype=np.int16).reshape(2, 800)[:, ::2]
    assert np.array_equal(g711.encode(samples, "ulaw"), g711.encode(samples.copy(), "ulaw"))


def test_wrong_dtypes_and_laws_are_named():
    with pytest.raises(DspError, match="expected int16"):
        g711.encode(np.zeros(4, np.float32), "ulaw")
    with pytest.raises(DspError, match="expected uint8"):
        g711.decode(np.zeros(4, np.int16), "ulaw")
    with pytest.raises(DspError, match="unknown"):
        g711.decode(np.zeros(4, np.uint8), "pcmu")  # type: ignore[arg-type]


@pytest.mark.parametrize(("law", "encoding"), [("ulaw", "mu-law"), ("alaw", "a-law")])
def test_sox_decodes_every_code_alike(law, encoding):
    if not shutil.which("sox"):
        pytest.skip("sox is not installed")
    raw = ["-t", "raw", "-r", "8000", "-c", "1"]
    command = ["sox", "-D", *raw, "-e", encoding, "-b", "8", "-", *raw, "-e", "signed", "-b", "16", "-"]
    out = subprocess.run(
        command, input=EVERY_CODE.tobytes(), capture_output=True, check=True, timeout=PATIENCE_S
    ).stdout
    assert np.array_equal(np.frombuffer(out, "<i2"), g711.decode(EVERY_CODE, law))


@pytest.mark.parametrize(("law", "encoding"), [("ulaw", "mu-law"), ("alaw", "a-law")])
def test_sox_encodes_alike_up_to_the_rounding_of_decision_values(law, encoding):
    if not shutil.which("sox"):
        pytest.skip("sox is not installed")
    raw = ["-t", "raw", "-r", "8000", "-c", "1"]
    command = ["sox", "-D", *raw, "-e", "signed", "-b", "16", "-", *raw, "-e", encoding, "-b", "8", "-"]
    sent = EVERY_SAMPLE.astype("<i2").tobytes()
    out = np.frombuffer(
        subprocess.run(command, input=sent, capture_output=True, check=True, timeout=PATIENCE_S).stdout, np.uint8
    )
    ours = g711.encode(EVERY_SAMPLE, law)
    # sox rounds to 14 (13) bits before companding, G.191 truncates: they may part only beside a decision value.
    apart = np.flatnonzero(out != ours)
    assert len(apart) < 0.02 * len(EVERY_SAMPLE)
    step = np.abs(g711.decode(out, law).astype(int) - g711.decode(ours, law))[apart]
    assert (step <= 1024).all()
