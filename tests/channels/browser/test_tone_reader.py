"""The page's audio into the decoder: keys once each, and nothing of a card field in its buffers."""

import numpy as np
import pytest

from dsp import g711, tones
from ivr.channels.browser.tone_reader import KeyToneDown, KeyToneUp, ToneReader
from ivr.errors import PeerError


def frames(keys: str, **more: float) -> list[bytes]:
    codes = g711.encode(np.concatenate([tones.dtmf(keys, **more), np.zeros(960, np.int16)]), "ulaw").tobytes()
    return [codes[start : start + 160] for start in range(0, len(codes) - 159, 160)]


def test_each_key_is_heard_once_with_its_length():
    tone_reader = ToneReader()
    heard = [tone for frame in frames("159*0#") for tone in tone_reader.hear(frame)]
    assert [tone.key for tone in heard if isinstance(tone, KeyToneDown)] == list("159*0#")
    assert all(70 <= tone.lasted_ms <= 90 for tone in heard if isinstance(tone, KeyToneUp))


def test_a_field_that_is_over_while_its_last_tone_sounds_is_wiped_after_it_and_the_key_is_not_heard_again():
    tone_reader, keys = ToneReader(), []
    for frame in frames("4", tone_ms=300):
        for tone in tone_reader.hear(frame):
            if isinstance(tone, KeyToneDown):
                keys.append(tone.key)
                tone_reader.wipe()
    assert keys == ["4"]
    assert is_clean(tone_reader)


def test_a_wipe_in_silence_is_at_once_and_the_next_key_is_heard():
    tone_reader = ToneReader()
    sounding = frames("7")
    for frame in sounding[:-5]:
        tone_reader.hear(frame)
    tone_reader.wipe()
    assert is_clean(tone_reader)
    assert [tone.key for frame in frames("8") for tone in tone_reader.hear(frame) if isinstance(tone, KeyToneDown)] == [
        "8"
    ]


def is_clean(tone_reader: ToneReader) -> bool:
    bank = tone_reader._bank
    return bool((bank._heard == g711.SILENCE["ulaw"]).all() and (bank._key == -1).all() and not bank._start.any())


@pytest.mark.parametrize("length", [0, 159, 161, 1600])
def test_audio_that_is_not_one_frame_is_refused(length: int):
    with pytest.raises(PeerError, match="frames of 160 bytes"):
        ToneReader().hear(b"\xff" * length)


def test_no_tone_shows_its_key():
    assert "4" not in repr(KeyToneDown("4"))
