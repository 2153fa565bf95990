"""The store of clips: both laws of each, room that is given back, and errors that change nothing."""

import numpy as np
import pytest

from dsp import g711
from ivr.errors import IvrError
from ivr.phone.rtp.prompts import MAX_CLIPS, ClipsFull, ClipStore

CODES = np.random.default_rng(1).integers(0, 255, 1000, dtype=np.uint8)


def heard(prompts: ClipStore, ticks: int) -> bytes:
    return b"".join(prompts.audio[prompts.step(1)[0][0]].tobytes() for _ in range(ticks))


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_clip_is_heard_in_the_calls_law(law):
    prompts = ClipStore(1, 5)
    prompts.load(4, CODES)
    prompts.open(0, law)
    prompts.play(0, 1, [4], False)
    padded = np.concatenate([CODES, np.full(1120 - 1000, g711.SILENCE["ulaw"], np.uint8)])
    wanted = padded if law == "ulaw" else g711.encode(g711.decode(padded, "ulaw"), "alaw")
    assert heard(prompts, 7) == wanted.tobytes()
    assert heard(prompts, 1) == bytes([g711.SILENCE[law]]) * 160


def test_room_is_given_back_and_joined_up():
    prompts = ClipStore(1, 1)
    for _ in range(20):
        for clip in range(5):
            prompts.load(clip, np.zeros(1600, np.uint8))
        with pytest.raises(ClipsFull, match="unload"):
            prompts.load(99, CODES)
        for clip in (1, 3, 0, 4, 2):
            prompts.unload(clip)
    prompts.load(7, np.zeros(8000, np.uint8))


def test_what_cannot_be_played_leaves_what_plays_alone():
    prompts = ClipStore(1, 5)
    prompts.load(1, CODES)
    prompts.open(0, "ulaw")
    prompts.play(0, 1, [1], False)
    for clips in ([1, 2], [], [1] * (MAX_CLIPS + 1)):
        with pytest.raises(IvrError, match="play"):
            prompts.play(0, 2, clips, True)
    assert prompts.play_id[0] == 1
    assert heard(prompts, 1) == CODES[:160].tobytes()


def test_the_same_number_twice_keeps_the_first_clip():
    prompts = ClipStore(1, 5)
    prompts.load(1, CODES)
    prompts.load(1, np.zeros(160, np.uint8))
    prompts.open(0, "ulaw")
    prompts.play(0, 1, [1], False)
    assert heard(prompts, 1) == CODES[:160].tobytes()


def test_an_empty_clip_is_a_moment_of_silence():
    prompts = ClipStore(1, 5)
    prompts.load(1, CODES[:0])
    prompts.open(0, "ulaw")
    prompts.play(0, 3, [1], False)
    assert prompts.step(1)[1].tolist() == [0]
