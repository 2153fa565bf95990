"""The command line over recordings and archives: what it prints, what it keeps to itself, what it leaves behind."""

import builtins
import csv
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from dsp import tones
from dsp.cli import main
from dsp.recording import PCM, ULAW, Format, Recording, read, write

CARD = "4111111111111111"


def run(*words):
    return CliRunner().invoke(main, [str(word) for word in words])


def record(path, keys="", rate=8000, channels=1, tag=PCM):
    """A call: a second of line noise, the keys, another second, on the first channel; noise on the others."""
    noise = np.random.default_rng(1).normal(0, 30, (channels, 2 * rate))
    tone = tones.dtmf(keys, rate=rate) if keys else np.zeros(0)
    samples = np.concatenate([noise[:, :rate], np.zeros((channels, len(tone))), noise[:, rate:]], axis=1)
    samples[0, rate : rate + len(tone)] += tone
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, Recording(tones.to_int16(samples), Format(tag, 8 if tag == ULAW else 16, channels, rate)))
    return path


@pytest.fixture
def archive(tmp_path):
    """Two calls with keys, one without, one cut off."""
    record(tmp_path / "calls/a.wav", CARD)
    record(tmp_path / "calls/2024/B.WAV", "123#", rate=16000, channels=2)
    record(tmp_path / "calls/quiet.wav")
    whole = record(tmp_path / "calls/cut.wav", "9").read_bytes()
    (tmp_path / "calls/cut.wav").write_bytes(whole[:5000])
    return tmp_path / "calls"


def test_decode_prints_every_key_with_its_time(tmp_path):
    done = run("decode", record(tmp_path / "call.wav", "12#", tag=ULAW))
    assert done.exit_code == 0
    assert "1.000 s     80 ms  1" in done.output.replace("1.001", "1.000").replace("0.999", "1.000")
    assert done.output.splitlines()[-1].endswith(": 12#")


def test_decode_of_a_call_without_keys_says_none(tmp_path):
    done = run("decode", record(tmp_path / "call.wav"))
    assert (done.exit_code, done.output) == (0, "0 keys in 2.0 s: none\n")


@pytest.mark.parametrize("keys", [CARD, "12345678#" + CARD + "#1230#123#", "4111*" + CARD, "300000000007", "1" * 20])
def test_digits_among_which_a_card_number_may_be_are_written_out_only_when_asked_for(tmp_path, keys):
    source = record(tmp_path / "call.wav", keys)
    quiet, loud = run("decode", source), run("decode", source, "--show-keys")
    hidden = "".join("\N{BULLET}" if key.isdecimal() else key for key in keys)
    assert quiet.stdout.endswith(f": {hidden}\n")
    assert not any(digit in line.split("ms  ")[1] for line in quiet.stdout.splitlines()[:-1] for digit in "0123456789")
    assert "--show-keys" in quiet.stderr
    assert (loud.stdout.endswith(f": {keys}\n"), loud.stderr) == (True, "")


@pytest.mark.parametrize("keys", ["1234", "12345678#", "4567890123#1#12345#"])
def test_keys_that_are_no_card_number_are_written_out(tmp_path, keys):
    done = run("decode", record(tmp_path / "call.wav", keys))
    assert (done.stdout.endswith(f": {keys}\n"), done.stderr) == (True, "")


PROMISES = [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0x80000024, 0xFFFFFFDB, 0xFFFFFFFF]


@pytest.mark.parametrize("riff", [None, *PROMISES])
@pytest.mark.parametrize("promised", PROMISES)
def test_a_recording_from_a_pipe_whose_header_knows_no_size_is_read_to_its_end(tmp_path, promised, riff):
    source = record(tmp_path / "call.wav", "1234")
    whole = bytearray(source.read_bytes())
    at = whole.index(b"data") + 4
    whole[at : at + 4] = promised.to_bytes(4, "little")
    if riff is not None:
        whole[4:8] = riff.to_bytes(4, "little")
    source.write_bytes(whole)
    assert run("decode", source).stdout.endswith(": 1234\n")


@pytest.mark.parametrize("command", ["decode", "mask"])
def test_a_recording_from_standard_input_is_read(tmp_path, command):
    source = record(tmp_path / "call.wav", "1234")
    words = ["decode", "/dev/stdin"] if command == "decode" else ["mask", "/dev/stdin", str(tmp_path / "clean.wav")]
    done = subprocess.run([sys.executable, "-m", "dsp", *words], input=source.read_bytes(), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(f"{tmp_path}/clean.wav: 4 keys".encode()) or done.stdout.endswith(b": 1234\n")


def test_a_file_of_a_kind_that_is_not_read_is_told_of_in_an_archive(archive):
    (archive / "long.w64").write_bytes(b"riff" + bytes(100))
    done = run("decode", archive)
    assert done.exit_code == 1
    assert "2 could not be read" in done.output


def test_a_recording_that_holds_nothing_but_other_chunks_is_empty(tmp_path):
    source = record(tmp_path / "call.wav")
    head = source.read_bytes()[:44]
    source.write_bytes(head[:40] + bytes(4) + b"LIST\x05\0\0\0INFO1\0" + b"fact\x04\0\0\0\0\0\0\0")
    assert "holds no audio" in run("decode", source).output


def test_a_stereo_recording_is_read_on_both_sides(tmp_path):
    one = read(record(tmp_path / "one.wav", "42"))
    both = np.stack([np.zeros_like(one.samples[0]), one.samples[0]])
    write(tmp_path / "both.wav", Recording(both, Format(PCM, 16, 2, 8000)))
    assert run("decode", tmp_path / "both.wav").output.endswith(": 42\n")


def test_a_key_that_echoes_on_the_other_side_counts_once(tmp_path):
    one = read(record(tmp_path / "one.wav", "7")).samples[0]
    write(tmp_path / "both.wav", Recording(np.stack([one, np.roll(one, 100) // 4]), Format(PCM, 16, 2, 8000)))
    assert run("decode", tmp_path / "both.wav").output.endswith(": 7\n")


@pytest.mark.parametrize("tag", [PCM, ULAW])
def test_mask_writes_a_copy_in_the_same_format_that_holds_no_keys(tmp_path, tag):
    source = record(tmp_path / "call.wav", CARD, tag=tag)
    done = run("mask", source, tmp_path / "clean.wav")
    assert done.exit_code == 0
    assert "16 keys heard" in done.output
    before, after = read(source), read(tmp_path / "clean.wav")
    assert (before.format, before.samples.shape) == (after.format, after.samples.shape)
    assert np.array_equal(before.samples[:, :7000], after.samples[:, :7000])
    assert run("decode", tmp_path / "clean.wav").output.endswith(": none\n")


def test_mask_into_a_folder_keeps_the_name(tmp_path):
    (tmp_path / "out").mkdir()
    assert run("mask", record(tmp_path / "call.wav", "1"), tmp_path / "out").exit_code == 0
    assert (tmp_path / "out/call.wav").exists()


def test_thorough_masks_more(tmp_path):
    noisy = tones.dtmf("5", tone_ms=80, gap_ms=920, snr_db=-4, rng=np.random.default_rng(3))
    write(tmp_path / "call.wav", Recording(np.tile(noisy, 20)[None], Format(PCM, 16, 1, 8000)))
    masked = [run("mask", tmp_path / "call.wav", tmp_path / "out.wav", *more).output for more in ([], ["--thorough"])]
    seconds = [float(line.split("heard; ")[1].split()[0]) for line in masked]
    assert seconds[1] > seconds[0]


def test_doubtful_speech_is_veiled_unless_told_not_to(tmp_path):
    source = tmp_path / "call.wav"
    hiss = np.random.default_rng(2).normal(0, 3000, (1, 8000))
    write(source, Recording(tones.to_int16(hiss), Format(PCM, 16, 1, 8000)))
    veiled = run("mask", source, tmp_path / "veiled.wav").output
    assert float(veiled.split("masked, ")[1].split()[0]) > 0.5
    assert "s veiled" not in run("mask", source, tmp_path / "plain.wav", "--no-veil").output
    assert np.array_equal(read(tmp_path / "plain.wav").samples, read(source).samples)


def test_a_recording_is_never_masked_over_itself(tmp_path):
    source = record(tmp_path / "call.wav", "1")
    before = source.read_bytes()
    (tmp_path / "link.wav").symlink_to(source)
    for target in (source, tmp_path / "link.wav"):
        done = run("mask", source, target)
        assert done.exit_code == 1
        assert "name another file" in done.output
    assert source.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"RIFF", b"no wav at all, only words"])
@pytest.mark.parametrize("command", ["decode", "mask", "plot"])
def test_a_bad_file_is_one_clear_line_exit_code_1_and_nothing_written(tmp_path, content, command):
    (tmp_path / "bad.wav").write_bytes(content)
    done = run(command, tmp_path / "bad.wav", *([tmp_path / "out.png"] if command != "decode" else []))
    assert done.exit_code == 1
    assert done.output == f"error: {tmp_path / 'bad.wav'}: is not a WAV file (no RIFF/WAVE header)\n"
    assert [file.name for file in tmp_path.iterdir()] == ["bad.wav"]


def test_a_target_that_cannot_be_written_leaves_nothing(tmp_path):
    source = record(tmp_path / "call.wav", "1")
    done = run("mask", source, tmp_path / "nowhere/clean.wav")
    assert done.exit_code == 1
    assert "No such file or directory" in done.output
    assert [file.name for file in tmp_path.iterdir()] == ["call.wav"]


def test_what_is_not_understood_is_exit_code_2(tmp_path):
    assert run("decode", tmp_path / "absent.wav").exit_code == 2
    assert run("decode", record(tmp_path / "call.wav"), "--report", tmp_path / "r.csv").exit_code == 2
    assert run("mask", tmp_path / "call.wav", tmp_path / "clean.wav", "--show-keys").exit_code == 2
    assert run("transcribe").exit_code == 2


def test_an_archive_report_says_how_many_and_when_but_not_which(archive, tmp_path):
    done = run("decode", archive, "--report", tmp_path / "report.csv")
    assert done.exit_code == 1  # one file is cut off
    rows = {row["file"].split("/")[-1]: row for row in csv.DictReader((tmp_path / "report.csv").open())}
    assert {name: row["keys"] for name, row in rows.items()} == {
        "a.wav": "16",
        "B.WAV": "4",
        "quiet.wav": "0",
        "cut.wav": "0",
    }
    assert len(rows["a.wav"]["at_s"].split()) == 16
    assert "cut off" in rows["cut.wav"]["problem"]
    assert "4 recordings, 2 hold keys, 1 could not be read" in done.output
    for text in (done.output, (tmp_path / "report.csv").read_text()):
        assert CARD not in text


def test_show_keys_is_the_only_way_to_see_them(archive, tmp_path):
    run("decode", archive, "--report", tmp_path / "report.csv", "--show-keys")
    assert CARD in (tmp_path / "report.csv").read_text()


def test_an_archive_is_masked_into_a_folder_of_its_own(archive, tmp_path):
    done = run("mask", archive, tmp_path / "clean")
    assert done.exit_code == 1  # the cut-off one
    assert CARD not in done.output
    written = sorted(str(path.relative_to(tmp_path / "clean")) for path in (tmp_path / "clean").rglob("*.*"))
    assert written == ["2024/B.WAV", "a.wav", "quiet.wav"]
    for name in written:
        assert run("decode", tmp_path / "clean" / name).output.endswith(": none\n")


@pytest.mark.parametrize("inside", ["", "masked", ".."])
def test_masked_copies_never_go_into_the_archive_itself(archive, inside):
    before = sorted(archive.rglob("*"))
    done = run("mask", archive, archive / inside)
    assert done.exit_code == 1
    assert "folder of their own" in done.output
    assert sorted(archive.rglob("*")) == before


def test_an_empty_folder_is_named(tmp_path):
    done = run("decode", tmp_path)
    assert (done.exit_code, done.output) == (1, f"error: {tmp_path}: holds no WAV files\n")


def test_help_teaches_by_example():
    done = run("--help")
    assert "python -m dsp mask call.wav clean.wav" in done.output
    for command in ("decode", "mask", "plot"):
        assert f"python -m dsp {command} call.wav" in run(command, "--help").output


def test_plot_draws_a_picture(tmp_path):
    pytest.importorskip("matplotlib", reason="the optional extra `plot` is not installed")
    done = run("plot", record(tmp_path / "call.wav", "12"), tmp_path / "call.png")
    assert (done.exit_code, done.output) == (0, f"{tmp_path / 'call.png'}: 2 keys marked\n")
    assert (tmp_path / "call.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("keys", "options", "named"),
    [
        ("12", (), True),
        ("12", ("--hide-keys",), False),
        (CARD, (), False),
        (CARD, ("--show-keys",), True),
    ],
)
def test_a_picture_names_a_card_numbers_keys_only_when_asked(tmp_path, keys, options, named):
    pytest.importorskip("matplotlib", reason="the optional extra `plot` is not installed")
    assert run("plot", record(tmp_path / "call.wav", keys), tmp_path / "call.svg", *options).exit_code == 0
    run("plot", tmp_path / "call.wav", tmp_path / "other.svg", "--hide-keys")
    shapes = [(tmp_path / name).read_text().count("<use ") for name in ("call.svg", "other.svg")]
    assert (shapes[0] > shapes[1]) == named


def test_plot_without_matplotlib_says_how_to_get_it(tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    done = run("plot", record(tmp_path / "call.wav", "12"), tmp_path / "call.png")
    assert done.exit_code == 1
    assert "pip install 'tonetill[plot]'" in done.output
    assert not (tmp_path / "call.png").exists()


def test_a_picture_of_no_known_kind_is_refused(tmp_path):
    pytest.importorskip("matplotlib", reason="the optional extra `plot` is not installed")
    done = run("plot", record(tmp_path / "call.wav"), tmp_path / "call.txt")
    assert (done.exit_code, "written as .png" in done.output) == (1, True)


def test_masked_copies_of_a_folder_need_a_folder(archive, tmp_path):
    (tmp_path / "taken").write_text("x")
    done = run("mask", archive, tmp_path / "taken")
    assert (done.exit_code, "is a file" in done.output) == (1, True)


def test_a_channel_that_is_not_there_is_named(tmp_path):
    done = run("plot", record(tmp_path / "call.wav"), tmp_path / "x.png", "--channel", "2")
    assert (done.exit_code, "has 1 channels, so no channel 2" in done.output) == (1, True)
