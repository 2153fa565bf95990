"""A recording that grows: whole at its end, heard up to its last second when it is cut off, nobody else's to read."""

import numpy as np
import pytest

from dsp import g711
from dsp.errors import DspError
from dsp.recording import ULAW, Format, read
from dsp.wav_writer import WavWriter

STEREO = Format(ULAW, 8, 2, 8000)


def codes(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 2), np.uint8)


def test_what_was_appended_is_read_back(tmp_path):
    pieces = [codes(160, seed) for seed in range(200)]
    with WavWriter(tmp_path / "call.wav", STEREO) as writer:
        for piece in pieces:
            writer.append(piece)
        assert not (tmp_path / "call.wav").exists()
    found = read(tmp_path / "call.wav")
    assert found.format == STEREO
    assert np.array_equal(found.samples, g711.decode(np.concatenate(pieces), "ulaw").T)
    assert [path.name for path in tmp_path.iterdir()] == ["call.wav"]


def test_one_that_was_never_closed_can_be_heard(tmp_path):
    writer = WavWriter(tmp_path / "call.wav", STEREO)
    for _ in range(100):
        writer.append(codes(160))
    left = tmp_path / "call.wav.part"
    assert read(left).seconds > 0.8  # what the buffer holds is lost
    writer.close()


def test_an_empty_one_leaves_nothing(tmp_path):
    WavWriter(tmp_path / "call.wav", STEREO).close()
    assert not list(tmp_path.iterdir())


def test_only_its_owner_may_read_it(tmp_path):
    with WavWriter(tmp_path / "call.wav", STEREO) as writer:
        writer.append(codes(1))
    assert (tmp_path / "call.wav").stat().st_mode & 0o077 == 0


def test_two_cannot_grow_under_one_name(tmp_path):
    writer = WavWriter(tmp_path / "call.wav", STEREO)
    with pytest.raises(FileExistsError):
        WavWriter(tmp_path / "call.wav", STEREO)
    writer.close()


@pytest.mark.parametrize("wrong", [np.zeros((160, 1), np.uint8), np.zeros(160, np.uint8), np.zeros((160, 2), np.int16)])
def test_frames_of_another_shape_are_refused(tmp_path, wrong):
    writer = WavWriter(tmp_path / "call.wav", STEREO)
    with pytest.raises(DspError, match=r"expected uint8 \[samples, 2\]"):
        writer.append(wrong)
    writer.close()
