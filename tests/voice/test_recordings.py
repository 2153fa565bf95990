"""A merchant's own recordings win where they are there, and values only as a whole set."""

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from dsp import g711
from ivr.core.actions import Phrase
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.voice import Renderer, read_clip
from ivr.voice.recordings import read_recording, wanted
from ivr.words.phrases import Prompts

BALANCE = Phrase("pay_full_balance", "en-US", (("due", Money(4250)), ("key", "1")))


class Beeper:
    """A voice for tests of what is not spoken: it keeps what it was asked to say."""

    name = "beeper"

    def __init__(self) -> None:
        self.said: list[str] = []

    def speak(self, text: str, language: str) -> tuple[npt.NDArray[np.int16], int]:
        self.said.append(text)
        return hum(500.0), 8000


def hum(hz: float, rate: int = 8000, seconds: float = 0.3) -> npt.NDArray[np.int16]:
    return (6000 * np.sin(2 * np.pi * hz / rate * np.arange(int(rate * seconds)))).astype(np.int16)


def record(folder: Path, name: str, hz: float = 800.0, rate: int = 16_000) -> Path:
    path = folder / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(hum(hz, rate).tobytes())
    return path


def renderer(prompts: Prompts, folder: Path, voice: Beeper | None = None) -> Renderer:
    return Renderer(prompts, folder / "cache", folder / "audio", "espeak", speaking=voice or Beeper())


def pitch(clip: Path) -> float:
    samples = g711.decode(read_clip(clip), "ulaw").astype(float)
    return float(np.fft.rfftfreq(len(samples), 1 / 8000)[np.abs(np.fft.rfft(samples)).argmax()])


def test_a_recording_wins_over_the_synthesizer(prompts: Prompts, tmp_path: Path) -> None:
    record(tmp_path / "audio" / "en-US", "goodbye", hz=800.0)
    voice = Beeper()
    clips = renderer(prompts, tmp_path, voice).clips(Phrase("goodbye", "en-US"))
    assert pitch(clips[0]) == pytest.approx(800, abs=20)
    assert voice.said == []


def test_a_new_take_of_a_prompt_is_heard(prompts: Prompts, tmp_path: Path) -> None:
    record(tmp_path / "audio" / "en-US", "goodbye", hz=800.0)
    renderer(prompts, tmp_path).clips(Phrase("goodbye", "en-US"))
    record(tmp_path / "audio" / "en-US", "goodbye", hz=1900.0)
    clips = renderer(prompts, tmp_path).clips(Phrase("goodbye", "en-US"))
    assert pitch(clips[0]) == pytest.approx(1900, abs=20)


def test_half_a_set_of_numbers_is_not_used(prompts: Prompts, tmp_path: Path) -> None:
    for name in ("numbers/42", "units/currency-usd-one", "units/currency-usd-other"):
        record(tmp_path / "audio" / "en-US", name)
    voice = Beeper()
    renderer(prompts, tmp_path, voice).clips(BALANCE)
    assert "forty-two dollars," in voice.said


def test_a_full_set_says_any_amount_without_the_synthesizer(prompts: Prompts, tmp_path: Path) -> None:
    for sound in wanted(prompts, "en-US", "USD"):
        record(tmp_path / "audio" / "en-US", str(sound.recording))
    voice = Beeper()
    full = renderer(prompts, tmp_path, voice)
    assert full.recordings.missing("en-US", "USD") == []
    for minor in (1, 101, 4250, 99_999):
        assert full.clips(Phrase("you_were_charged", "en-US", (("amount", Money(minor)),)))
    assert full.clips(Phrase("confirmation_number", "en-US", (("amount", Money(100)), ("number", "A7"))))
    assert voice.said == []
    only = Renderer(prompts, tmp_path / "cache", tmp_path / "audio", "recorded")
    assert {one.source for one in only.ready(["en-US"])} == {"recorded"}


def test_recordings_alone_with_gaps_are_refused_before_any_call(prompts: Prompts, tmp_path: Path) -> None:
    only = Renderer(prompts, tmp_path / "cache", tmp_path / "audio", "recorded")
    with pytest.raises(ConfigError, match=r"not recorded: \d+ in es-MX"):
        list(only.ready(["es-MX"]))


def test_a_broken_recording_is_named_with_its_cure(tmp_path: Path) -> None:
    broken = tmp_path / "welcome.wav"
    for content in (b"", b"RIFF", b"not a sound at all", b"RIFF\x24\x00\x00\x00WAVEfmt "):
        broken.write_bytes(content)
        with pytest.raises(ConfigError, match=r"welcome\.wav.*export it as 16-bit PCM"):
            read_recording(broken)


def test_a_recording_without_sound_is_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
    with pytest.raises(ConfigError, match="has no audio"):
        read_recording(tmp_path / "empty.wav")


def test_stereo_is_mixed_to_one_channel(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "two.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(np.stack([hum(800.0), np.zeros(2400, np.int16)], axis=1).tobytes())
    samples, rate = read_recording(tmp_path / "two.wav")
    assert (rate, samples.shape) == (8000, (2400,))
    assert np.abs(samples - hum(800.0) / 2).max() <= 1
