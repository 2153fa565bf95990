"""What a recorder keeps of a call: both sides in step, no key of the caller's, nothing of anybody else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dsp import g711, tones
from dsp.dtmf import decode
from dsp.recording import read
from ivr.channels.rtp.packets import FRAME
from ivr.channels.rtp.recorder import BATCH, Messages, Recorder
from ivr.channels.rtp.recordings import MOST_WAITING, Recordings

CAPACITY = 4
CARD = "4111111111111111"
SILENT = np.full((CAPACITY, FRAME), 0xFF, np.uint8)


class Studio:
    """A plane's end of the pipe and a recorder's, without the pipe."""

    def __init__(self, folder, piece=1 << 20):
        self.folder, self._piece = folder, piece
        self.recordings = Recordings(CAPACITY)
        self.recorder = Recorder(folder, CAPACITY)
        self._messages = Messages(self.recorder)

    def tick(self, heard=SILENT, said=SILENT):
        rows = np.flatnonzero(self.recordings.recorded)
        if len(rows):
            self.recordings.tick(rows, heard[rows], said[rows])

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
    assert np.array_equal(caller[FRAME:8000], through_the_law[0, : 8000 - FRAME])
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
    studio.play(0, loud)
    studio.recordings.end(0)
    studio.recordings.begin(0, "second")
    studio.play(0, quiet)
    found = studio.finish()
    assert np.abs(found["first"][0]).max() > 8000
    assert np.abs(found["second"][0]).max() < 100


def test_a_call_that_joins_in_the_middle_begins_with_its_own_audio(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "early")
    studio.play(0, voice(0.3))
    studio.recordings.begin(1, "late")
    studio.play(1, voice(0.5))
    found = studio.finish()
    assert found["early"].shape[1] == found["late"].shape[1] + 2400
    assert np.abs(found["late"][0, FRAME : 2 * FRAME]).max() > 0


def test_a_recorder_that_is_held_up_misses_audio_and_stays_in_step(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    while not studio.recordings.unrecorded:
        studio.tick()
    held_up = len(studio.recordings.outbox)
    assert held_up <= MOST_WAITING + 2 * 4096
    for _ in range(9):
        studio.tick()
    studio.hand_over()
    studio.tick()
    assert studio.recordings.unrecorded == 10
    recorded = studio.finish()["call"].shape[1]
    assert recorded == studio.recordings._number * FRAME


def test_a_wipe_empties_the_recorder_when_its_batch_is_done(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    studio.play(0, tones.dtmf("7", tone_ms=400, gap_ms=0))
    assert sounding(studio.recorder)
    studio.recordings.wipe([0])
    studio.play(0, np.zeros(BATCH * FRAME, np.int16))
    assert not sounding(studio.recorder)


def sounding(recorder):
    masker = recorder._masker
    return bool((g711.decode(recorder._heard, "ulaw") != 0).any() or masker._past.any())


def test_an_ended_call_is_whole_before_the_recorder_ends(tmp_path):
    studio = Studio(tmp_path)
    studio.recordings.begin(0, "call")
    studio.play(0, voice(0.1))
    studio.recordings.end(0)
    studio.play(1, np.zeros(BATCH * FRAME, np.int16))
    studio.recordings.begin(1, "other")
    studio.play(1, voice(BATCH * 0.02))
    assert (tmp_path / "call.wav").exists()
    assert not (tmp_path / "other.wav").exists()
    studio.finish()


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
