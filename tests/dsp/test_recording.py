"""WAV files of every kind come in right, go out as they were, and damaged ones are named."""

import shutil
import struct
import subprocess
import wave

import numpy as np
import pytest

from dsp import g711, tones
from dsp.errors import DspError
from dsp.recording import ALAW, FLOAT, PCM, ULAW, Format, Recording, read, write, written_whole
from tests.patience import PATIENCE_S

EVERY_FORMAT = [(PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (FLOAT, 32), (FLOAT, 64), (ALAW, 8), (ULAW, 8)]


def a_file(path, tag=PCM, bits=16, channels=1, count=400):
    """A file of random but legal samples, written by hand."""
    rng = np.random.default_rng(bits + tag)
    body = rng.integers(0, 256, count * channels * bits // 8, np.uint8).tobytes()
    if tag == FLOAT:
        body = rng.uniform(-1, 1, count * channels).astype(np.float32).astype(f"<f{bits // 8}").tobytes()
    step = channels * bits // 8
    fmt = struct.pack("<HHIIHH", tag, channels, 8000, 8000 * step, step, bits)
    riff = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", len(body)) + body
    path.write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    return body


@pytest.mark.parametrize(("tag", "bits"), EVERY_FORMAT)
@pytest.mark.parametrize("channels", [1, 2])
def test_what_is_read_is_written_back_bit_for_bit(tmp_path, tag, bits, channels):
    body = a_file(tmp_path / "in.wav", tag, bits, channels)
    recording = read(tmp_path / "in.wav")
    assert recording.samples.shape == (channels, 400)
    write(tmp_path / "out.wav", recording)
    written = (tmp_path / "out.wav").read_bytes()
    again = written[written.index(b"data") + 8 :][: len(body)]
    if tag == ULAW:  # mu-law has two zeros; G.191 writes the positive one
        body, again = body.replace(b"\x7f", b"\xff"), again.replace(b"\x7f", b"\xff")
    if (tag, bits) == (PCM, 32):  # float32 carries 24 bits
        apart = np.frombuffer(body, "<i4") // 256 - np.frombuffer(again, "<i4") // 256
        assert np.abs(apart).max() <= 1
    else:
        assert again == body


@pytest.mark.parametrize(("tag", "bits"), EVERY_FORMAT)
def test_sox_agrees_on_what_a_file_holds(tmp_path, tag, bits):
    if not shutil.which("sox"):
        pytest.skip("sox is not installed")
    a_file(tmp_path / "in.wav", tag, bits, channels=2)
    write(tmp_path / "ours.wav", read(tmp_path / "in.wav"))
    heard = [
        subprocess.run(
            ["sox", "-D", str(tmp_path / name), "-t", "raw", "-e", "signed", "-b", "16", "-"],
            capture_output=True, check=True, timeout=PATIENCE_S,
        ).stdout
        for name in ("in.wav", "ours.wav")
    ]  # fmt: skip
    assert heard[0] == heard[1]
    ours = read(tmp_path / "in.wav").samples
    as_int16 = ours if ours.dtype == np.int16 else np.clip(np.rint(ours * 32768.0), -32768, 32767)
    assert np.abs(as_int16.T.ravel() - np.frombuffer(heard[0], "<i2").astype(int)).max() <= 1


def test_the_standard_library_reads_what_is_written(tmp_path):
    samples = tones.dtmf("12", rate=16000)[None]
    write(tmp_path / "out.wav", Recording(samples, Format(PCM, 16, 1, 16000)))
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (16000, 1)
        assert np.array_equal(np.frombuffer(file.readframes(10**6), "<i2"), samples[0])


def test_an_extensible_header_names_its_real_format_inside(tmp_path):
    codes = g711.encode(tones.dtmf("5"), "ulaw").tobytes()
    fmt = struct.pack("<HHIIHHHHIH", 0xFFFE, 1, 8000, 8000, 1, 8, 22, 8, 4, ULAW) + bytes(14)
    riff = b"WAVEfmt " + struct.pack("<I", len(fmt)) + fmt + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    riff += b"data" + struct.pack("<I", len(codes)) + codes
    (tmp_path / "x.wav").write_bytes(b"RIFF" + struct.pack("<I", len(riff)) + riff)
    assert np.array_equal(read(tmp_path / "x.wav").samples[0], g711.decode(np.frombuffer(codes, np.uint8), "ulaw"))


def test_a_streamed_file_without_a_size_is_read_to_its_end(tmp_path):
    body = a_file(tmp_path / "x.wav")
    data = (tmp_path / "x.wav").read_bytes()
    at = data.index(b"data") + 4
    (tmp_path / "x.wav").write_bytes(data[:at] + b"\xff\xff\xff\xff" + data[at + 4 :])
    assert read(tmp_path / "x.wav").samples.astype("<i2").tobytes() == body


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: b"", "not a WAV file"),
        (lambda data: b"ID3" + data, "not a WAV file"),
        (lambda data: data[:20], "ends before its audio"),
        (lambda data: data[:40], "ends before its audio"),
        (lambda data: data[:-1], "promises 800 bytes of audio, 799 are there"),
        (lambda data: data[:40] + bytes(4), "data chunk is empty"),
        (lambda data: data.replace(b"fmt ", b"junk"), "data before its format"),
        (lambda data: data[:20] + b"\x31\0" + data[22:], "GSM 6.10"),
        (lambda data: data[:34] + b"\x0c\0" + data[36:], "12 bits"),
        (lambda data: data[:22] + b"\0\0" + data[24:], "0 channels"),
        (lambda data: data[:16] + struct.pack("<I", 4) + data[20:24] + data[36:], "format chunk is too short"),
    ],
)
def test_a_damaged_file_is_named_by_its_damage(tmp_path, spoil, said):
    a_file(tmp_path / "x.wav")
    (tmp_path / "x.wav").write_bytes(spoil((tmp_path / "x.wav").read_bytes()))
    with pytest.raises(DspError, match=said):
        read(tmp_path / "x.wav")


def test_every_cut_of_a_file_is_an_error_and_never_a_crash(tmp_path):
    a_file(tmp_path / "whole.wav", count=20)
    data = (tmp_path / "whole.wav").read_bytes()
    for length in range(len(data)):
        (tmp_path / "cut.wav").write_bytes(data[:length])
        with pytest.raises(DspError):
            read(tmp_path / "cut.wav")


def test_not_a_number_is_refused(tmp_path):
    write(tmp_path / "x.wav", Recording(np.full((1, 8), np.nan, np.float32), Format(FLOAT, 32, 1, 8000)))
    with pytest.raises(DspError, match="no numbers"):
        read(tmp_path / "x.wav")


def stumble(path):
    with written_whole(path) as part:
        part.write_text("half")
        raise RuntimeError


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "out.wav").write_text("old")
    with pytest.raises(RuntimeError):
        stumble(tmp_path / "out.wav")
    assert [file.name for file in tmp_path.iterdir()] == ["out.wav"]
    assert (tmp_path / "out.wav").read_text() == "old"
