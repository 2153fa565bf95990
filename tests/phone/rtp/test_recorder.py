"""What a recorder keeps of a call: both sides in step, no key of the caller's, nothing of anybody else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711, tones
from dsp.dtmf import decode
from dsp.recording import read
from ivr.phone.rtp import CallerStream
from ivr.phone.rtp.packets import FRAME
from ivr.phone.rtp.recording.recorder import BATCH, Messages, Recorder
from ivr.phone.rtp.recording.recordings import MOST_WAITING, ROW_BYTES, OpenRecordings
from tests.phone.rtp.conftest import Line
from tests.phone.rtp.test_held_up import Lumps
from tests.phone.rtp.test_loss import Path

CAPACITY = 4
CARD = "4111111111111111"
SILENT = np.full((CAPACITY, FRAME), 0xFF, np.uint8)


class Studio:
    """A plane's end of the pipe and a recorder's, without the pipe."""

    def __init__(self, folder, piece=1 << 20):
        self.folder, self._piece = folder, piece
        self.recordings = OpenRecordings(CAPACITY)
        self.recorder = Recorder(folder, CAPACITY)
        self._messages = Messages(self.recorder)

    def tick(self, heard=SILENT, said=SILENT, seam=False):
        rows = np.flatnonzero(self.recordings.recorded)
        if len(rows):
            self.recordings.tick(rows, np.full(len(rows), seam), heard[rows], said[rows])

    def play(self, row, caller, prompt=()):
        """Whole frames of int16 for one row, side by side."""
        count = -(-max(len(caller), len(prompt)) // FRAME)
        sides = np.zeros((2, count * FRAME), np.int16)
        sides[0, : len(caller)], sides[1, : len(prompt)] = caller, prompt
        for frame in g711.encode(sides.reshape(2, count, FRAME), "ulaw").swapaxes(0, 1):
            both = np.full((2, CAPACITY, FRAME), 0xFF, np.uint8)
            both[:, row] = frame
            self.tick(*both)
            self.hand_over()

    def hand_over(self):
        outbox = self.recordings.outbox
        for at in range(0, len(outbox), self._piece):
            self._messages.feed(bytes(outbox[at : at + self._piece]))
        outbox.clear()

    def finish(self):
        self.hand_over()
        self.recorder.close()
        return {path.stem: read(path).samples for path in self.folder.glob("*.wav")}


def voice(seconds, seed=0):
    """Nothing like a key, and never silent."""
    count = round(seconds * 8000)
    return tones.to_int16(tones.dial_tone(count, -25) + np.random.default_rng(seed).normal(0, 20, count))


def test_a_recording_holds_both_sides_and_not_one_key(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(1, "call")
    keyed = np.concatenate([voice(1), tones.dtmf(CARD, tone_ms=70, gap_ms=60), voice(0.5)])
    prompt = voice(len(keyed) / 8000, 2)
    studio.play(1, keyed, prompt)
    caller, heard = studio.finish()["call"]
    assert [key.key for key in decode(keyed)] == list(CARD)
    assert decode(caller) == []
    through_the_law = g711.decode(g711.encode(np.stack([keyed, prompt]), "ulaw"), "ulaw")
    assert np.array_equal(heard[FRAME : len(prompt)], through_the_law[1, : len(prompt) - FRAME])
    assert np.array_equal(caller[2 * FRAME : 8000], through_the_law[0, FRAME : 8000 - FRAME])
    tone = slice(8000 + FRAME, 8000 + FRAME + 16 * 1040)
    beep = g711.decode(g711.encode(tones.monotone(0, len(caller)), "ulaw"), "ulaw")
    assert (caller[tone] == beep[tone]).mean() > 0.9


def test_calls_that_are_not_recorded_leave_nothing(tmp_path):
    studio = Studio(tmp_path)
    studio.play(2, voice(1))
    assert studio.finish() == {}


def test_one_call_after_the_other_on_one_row_keeps_them_apart(tmp_path):
    studio = Studio(tmp_path)
    loud, quiet = np.full(4000, 9000, np.int16), np.full(4000, 50, np.int16)
    studio.recordings.begin(0, "first")
    studio.play(0, loud, loud)
    studio.recordings.end(0)
    studio.recordings.begin(0, "second")
    studio.play(0, quiet, quiet)
    found = studio.finish()
    assert np.abs(found["first"]).max() > 8000
    assert np.abs(found["second"]).max() < 100


def test_a_call_that_joins_in_the_middle_begins_with_its_own_audio(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "early")
    studio.play(0, voice(0.3))
    studio.recordings.begin(1, "late")
    studio.play(1, voice(0.5))
    found = studio.finish()
    assert found["early"].shape[1] == found["late"].shape[1] + 2400
    assert np.abs(found["late"][0, 2 * FRAME : 3 * FRAME]).max() > 0


def test_a_recorder_that_is_held_up_misses_audio_and_stays_in_step(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    while not studio.recordings.unrecorded:
        studio.tick()
    assert len(studio.recordings.outbox) < (MOST_WAITING + 2) * ROW_BYTES + 100
    for _ in range(9):
        studio.tick()
    studio.hand_over()
    studio.tick()
    assert studio.recordings.unrecorded == 10
    assert studio.finish()["call"].shape[1] == (MOST_WAITING + 10 + 1) * FRAME


def test_when_the_last_call_ends_its_recording_is_whole_and_nothing_of_it_is_left_in_memory(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    studio.play(0, tones.dtmf("7", tone_ms=300, gap_ms=0))
    assert sounding(studio.recorder)
    studio.recordings.end(0)
    studio.hand_over()
    assert (tmp_path / "call.wav").exists()
    assert not sounding(studio.recorder)


def test_half_a_second_after_a_key_nothing_of_it_is_left_in_memory(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    studio.play(0, tones.dtmf("7", tone_ms=100, gap_ms=0))
    studio.play(0, voice((BATCH + 2) * 0.02))
    assert not sounding(studio.recorder, "7")
    studio.finish()


def sounding(recorder, key=""):
    """Whether any audio is in memory, or any that is this key's."""
    kept = [g711.decode(recorder._heard, "ulaw"), recorder._masker._past.astype(np.int16)]
    if not key:
        return any(audio.any() for audio in kept)
    return any(found.key == key for audio in kept for row in audio for found in decode(row))


def test_a_recording_that_cannot_be_written_ends_no_other(tmp_path):
    complaints = []
    studio = Studio(tmp_path)
    studio.recorder = Recorder(tmp_path, CAPACITY, complaints.append)
    studio._messages = Messages(studio.recorder)
    (tmp_path / "taken.wav.part").touch()
    for row, name in enumerate(("taken", "call")):
        studio.recordings.begin(row, name)
    studio.play(1, voice(0.3))
    for row in (0, 1):
        studio.recordings.end(row)
    assert set(studio.finish()) == {"call"}
    assert complaints == ["recorder: taken is not recorded: File exists\n"]


@pytest.mark.parametrize("line_is", ["clean", "lossy", "held up"])
def test_no_stub_of_a_key_is_left_where_audio_is_missing(tmp_path, line_is):
    """Keys of any length at any place; a sixth of them lose packets, or come in lumps after silence."""
    rng = np.random.default_rng(1)
    line = Line(calls=100)
    if line_is == "lossy":
        line.through = Path(0.05, 3.0, rng)
    for number in range(100):
        caller = line.ring(f"{number}", CallerStream(), record=f"{number}")
        caller.stream.pause(int(rng.integers(3, 30)))
        for key in rng.choice(list("0123456789"), 16):
            tone_ms, gap_ms = rng.integers(40, 140), rng.integers(40, 160)
            caller.stream.press(key, inband=True, tone_ms=int(tone_ms), gap_ms=int(gap_ms))
    listener = Listener(line, tmp_path)
    ticking = Lumps(line, rng, 15, 50) if line_is == "held up" else line
    while not all(caller.stream.idle for caller in line.callers.values()):
        ticking.tick()
        listener.hand_over()
    assert listener.bare_stubs() == 0


class Listener:
    """A recorder at a plane, and what it was given."""

    def __init__(self, line, folder):
        self._line, self._folder = line, folder
        self._recorder = Recorder(folder, len(line.callers))
        self._messages = Messages(self._recorder)
        self._given = [[] for _ in line.callers]

    def hand_over(self):
        outbox = self._line.plane.recordings.outbox
        self._messages.feed(bytes(outbox))
        for row, frame in enumerate(self._line.plane.jitter.last_played(np.arange(len(self._given)))):
            self._given[row].append(frame.copy())
        outbox.clear()

    def bare_stubs(self):
        """Stretches of six loud samples and more that were written as they came: on these lines all that is loud is a key."""
        self._recorder.close()
        return sum(self._stubs(row) for row in range(len(self._given)))

    def _stubs(self, row):
        came = g711.decode(np.concatenate(self._given[row]), "ulaw").astype(int)
        kept = read(self._folder / f"{row}.wav").samples[0, FRAME:].astype(int)
        came = came[: len(kept)]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (came == kept).astype(int), [0]])))
        alike = zip(edges[::2], edges[1::2], strict=True)
        return sum((np.abs(came[start:stop]) > 300).sum() >= 6 for start, stop in alike)


@pytest.mark.parametrize("rows", [[0], [0, 2, 3]])
@settings(max_examples=15, deadline=None)
@given(piece=st.integers(1, 4000))
def test_messages_may_be_cut_anywhere(tmp_path_factory, rows, piece):
    found = []
    for size in (1 << 20, piece):
        studio = Studio(tmp_path_factory.mktemp("cut"), size)
        for row in rows:
            studio.recordings.begin(row, f"call{row}")
        for row in rows:
            studio.play(row, voice(0.1, row))
        found.append(studio.finish())
    assert found[0].keys() == found[1].keys()
    assert all(np.array_equal(found[0][name], found[1][name]) for name in found[0])
