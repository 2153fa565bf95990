"""Prompts as cached audio clips: recordings first, then the synthesizer, or prompt tones; never called in the media tick."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from dsp import tones
from dsp.g711 import Law
from ivr.core.actions import Phrase
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.voice.clips import Clips, Codes, read_clip
from ivr.voice.earcons import earcon_for
from ivr.voice.guard import refuse_card_number
from ivr.voice.loudness import LINE_RATE, for_the_line
from ivr.voice.recordings import Recordings, is_spoken, is_word, read_recording
from ivr.voice.script import DIGIT_MS, STOP_MS, ScriptLine, lines_of
from ivr.voice.synthesizer import Synthesizer, Voice, is_installed
from ivr.words.phrases import Prompts

VoiceName = Literal["espeak", "recorded", "tones", "auto"]
VOICE_NAMES: tuple[VoiceName, ...] = ("espeak", "recorded", "tones", "auto")
Source = Literal["recorded", "spoken", "tone"]


@dataclass(frozen=True)
class Rendered:
    """One thing that was made ready beforehand. `fresh`: it was not in the cache."""

    language: str
    words: str
    source: Source
    clips: tuple[Path, ...]
    fresh: bool


class Renderer:
    """Threads may share one. Call `ready` before the first call, so that only values are left to be spoken in calls."""

    def __init__(
        self,
        prompts: Prompts,
        cache: Path,
        recordings: Path,
        voice: VoiceName = "auto",
        *,
        currency: str = "USD",
        speaking: Voice | None = None,
        prompts_of: Callable[[str], Prompts] | None = None,
    ) -> None:
        """`auto`: espeak where it is installed, otherwise tones. `currency`: whose units a recorded voice must have.

        `speaking`: another synthesizer in espeak's place. `prompts_of`: those of a phrase's `version`, where flows have several.
        """
        if voice not in VOICE_NAMES:
            raise ConfigError(f"there is no voice '{voice}'; there are {', '.join(VOICE_NAMES)}")
        if voice == "auto":
            voice = "espeak" if speaking or is_installed() else "tones"
        self.voice = voice
        self.recordings = Recordings(recordings, prompts)
        self._prompts = prompts
        self._prompts_of = prompts_of or (lambda _version: prompts)
        self._currency = currency
        self._clips = Clips(cache)
        self._speaking = (speaking or Synthesizer()) if voice == "espeak" else None
        self._from_recording = lru_cache(maxsize=4096)(self._render_recording)

    def clips(self, phrase: Phrase) -> list[Path]:
        """The clips to play one after another, pauses among them; mu-law, 8 kHz, no header."""
        if self.voice == "tones":
            return [self._tone(phrase.name), self._clips.pause(STOP_MS)]
        prompts = self._prompts_of(phrase.version)
        refuse_card_number(prompts.words(phrase))
        lines = lines_of(prompts.pieces(phrase))
        return [path for line in lines for path in self._line(phrase.language, line)]

    def seconds(self, phrase: Phrase) -> float:
        """How long the phrase lasts when it is played."""
        return sum(path.stat().st_size for path in self.clips(phrase)) / LINE_RATE

    def seconds_until(self, phrase: Phrase, values: frozenset[str]) -> float:
        """How long until the last of these values has been said; 0.0 where the phrase says none of them."""
        if self.voice == "tones":
            return 0.0
        slots = self._prompts.parts(phrase)
        last = max((number for number, part in enumerate(slots, 1) if part in values), default=0)
        after = lines_of(self._prompts.pieces(phrase)[last:])
        seconds = sum(path.stat().st_size for line in after for path in self._line(phrase.language, line)) / LINE_RATE
        return self.seconds(phrase) - seconds if last else 0.0

    def codes(self, phrase: Phrase, law: Law = "ulaw") -> Codes:
        """The whole phrase as one array."""
        return np.concatenate([read_clip(path, law) for path in self.clips(phrase)] or [np.zeros(0, np.uint8)])

    def ready(self, languages: Sequence[str], prompts: Prompts | None = None) -> Iterator[Rendered]:
        """Makes all that is the same in every call, one clip at a time, so that a caller can show how far it is.

        `prompts`: those of a version that is to go live, in place of the renderer's own.
        """
        if self.voice == "recorded":
            self._refuse_gaps(languages, prompts or self._prompts)
        for language, line in self.fixed_lines(languages, prompts):
            yield self._rendered(language, line)

    def fixed_lines(self, languages: Sequence[str], prompts: Prompts | None = None) -> list[tuple[str, ScriptLine]]:
        """Every literal, and the digits, keys and brands; amounts are spoken when they are first needed."""
        prompts = prompts or self._prompts
        if self.voice == "tones":
            names = sorted({name for language in languages for name in prompts.names(language) if is_spoken(name)})
            return [("", ScriptLine(name, (), "tone", 0)) for name in names]
        return [(language, line) for language in languages for line in _fixed_lines(prompts, language)]

    def _refuse_gaps(self, languages: Sequence[str], prompts: Prompts) -> None:
        """Now, and not in the middle of somebody's call."""
        gaps = {language: len(self.recordings.missing(language, self._currency, prompts)) for language in languages}
        if any(gaps.values()):
            told = ", ".join(f"{count} in {language}" for language, count in gaps.items() if count)
            raise ConfigError(f"not recorded: {told}; `{COMMAND} prompts missing` lists them")

    def close(self) -> None:
        if isinstance(self._speaking, Synthesizer):
            self._speaking.close()

    def _rendered(self, language: str, line: ScriptLine) -> Rendered:
        made_before = self._clips.made
        if line.kind == "tone":
            tone = self._tone(line.words)
            return Rendered(earcon_for(line.words), line.words, "tone", (tone,), self._clips.made > made_before)
        source: Source = "recorded" if self.recordings.says(language, line) else "spoken"
        clips = tuple(self._voiced(language, line))
        return Rendered(language, line.words, source, clips, self._clips.made > made_before)

    def _line(self, language: str, line: ScriptLine) -> list[Path]:
        clips = self._voiced(language, line)
        return [*clips, self._clips.pause(line.pause_ms)] if line.pause_ms else clips

    def _voiced(self, language: str, line: ScriptLine) -> list[Path]:
        refuse_card_number(line.words)
        if self.recordings.says(language, line):
            paths = [self.recordings.path(language, name) for name in line.recordings]
            return [self._recorded(path) for path in paths if path]
        return [self._spoken(language, line.words)]

    def _spoken(self, language: str, words: str) -> Path:
        speaking = self._speaking
        if speaking is None:
            raise ConfigError(f"'{words}' is not recorded in {language}; `{COMMAND} prompts missing` lists what is not")
        return self._clips.get(
            "spoken", speaking.name, language, words, make=lambda: for_the_line(*speaking.speak(words, language))
        )

    def _recorded(self, path: Path) -> Path:
        return self._from_recording(path, path.stat().st_mtime_ns)

    def _render_recording(self, path: Path, _changed: int) -> Path:
        """By content, not by name: a new take of a prompt is heard at once, an old one does not come back."""
        content = path.read_bytes()
        return self._clips.get("recorded", content, make=lambda: for_the_line(*read_recording(path)))

    def _tone(self, prompt: str) -> Path:
        earcon = earcon_for(prompt)
        return self._clips.get("tone", earcon, make=lambda: tones.earcon(earcon))


def _fixed_lines(prompts: Prompts, language: str) -> Iterator[ScriptLine]:
    names = sorted(prompts.names(language))
    for name in filter(is_spoken, names):
        yield from lines_of(prompts.fixed_pieces(language, name))
    speaker = prompts.speaker(language)
    spoken = [speaker.say("digits", digit) for digit in "0123456789"]
    spoken += [speaker.named(name, name) for name in filter(is_word, names)]
    for speech in spoken:
        recording = speech.sounds[0].recording
        for mark in (",", "."):
            words = f"{speech.sounds[0].words}{mark}"
            yield ScriptLine(words, (recording,) if recording else (), "digits", DIGIT_MS)
