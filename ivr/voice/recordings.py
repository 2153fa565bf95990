"""A merchant's own recordings, `<folder>/<language>/<name>.wav`: which are there, and when they make a full set."""

import re
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import numpy.typing as npt

from ivr.core.brands import BRAND_NAMES
from ivr.core.entry import KEY_OF_WORD
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.voice.script import ScriptLine
from ivr.words.numerals import Sound, all_number_sounds
from ivr.words.phrases import Prompts
from ivr.words.wordings import is_ending

Samples = npt.NDArray[np.int16]

_WORDS = frozenset({f"key_{word}" for word in KEY_OF_WORD} | {f"brand_{brand}" for brand in BRAND_NAMES})
_FEMININE = "-feminine"  # only some currencies need such numbers in Spanish
LONGEST_S = 120  # a prompt nobody would listen to the end of; most likely the wrong file


class Recordings:
    """What is there is looked up once: a running engine keeps to the set it began with."""

    def __init__(self, folder: Path, prompts: Prompts) -> None:
        self.folder = folder
        self._prompts = prompts
        self._there = cache(self._find)
        self._complete = cache(self._is_complete)

    def path(self, language: str, name: str) -> Path | None:
        return self._there(language).get(name)

    def says(self, language: str, line: ScriptLine) -> bool:
        """Whether recordings say all of the line. A value is recorded only where its whole set is: one voice, not two."""
        there = self._there(language)
        if not line.recordings or not all(name in there for name in line.recordings):
            return False
        return line.kind == "literal" or all(self._complete(language, name) for name in line.recordings)

    def missing(self, language: str, currency: str, prompts: Prompts | None = None) -> list[Sound]:
        """What would have to be recorded for this language to need no synthesizer, prompts first. `prompts`: in place of
        these recordings' own."""
        there = self._there(language)
        return [sound for sound in wanted(prompts or self._prompts, language, currency) if sound.recording not in there]

    def _find(self, language: str) -> dict[str, Path]:
        root = self.folder / language
        return {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(root.rglob("*.wav"))}

    def _is_complete(self, language: str, name: str) -> bool:
        there = self._there(language)
        if name.startswith("numbers/"):
            full = all_number_sounds(language, feminine=name.endswith(_FEMININE))
            return all(sound.recording in there for sound in full)
        if name.startswith("dates/"):
            return all(sound.recording in there for sound in _date_sounds(self._prompts, language))
        stem = name.removesuffix("-one").removesuffix("-other")
        return stem == name or {f"{stem}-one", f"{stem}-other"} <= there.keys()


def wanted(prompts: Prompts, language: str, currency: str) -> Iterator[Sound]:
    """Every sound that this language's prompts can need, each once, in the order in which one would read them out."""
    money = list(_money_sounds(prompts, language, currency))
    feminine = any((sound.recording or "").endswith(_FEMININE) for sound in money)
    sounds = [
        *_prompt_sounds(prompts, language),
        *all_number_sounds(language, feminine=feminine),
        *money,
        *(prompts.speaker(language).digits(ascii_uppercase).sounds if _uses(prompts, language, "digits") else ()),
        *(_date_sounds(prompts, language) if _uses(prompts, language, "date") else ()),
    ]
    yield from dict.fromkeys(sound for sound in sounds if sound.recording)


def read_recording(path: Path) -> tuple[Samples, int]:
    """One channel of 16 bits, and its rate; ConfigError names the file and the cure."""
    from scipy.io import wavfile  # here: an installation that answers no lines itself has no scipy

    try:
        rate, samples = wavfile.read(path)
    except (OSError, ValueError, EOFError, struct.error) as error:
        raise ConfigError(f"{path} is not a WAV file that can be read ({error}); export it as 16-bit PCM") from None
    if not len(samples) or not 8000 <= rate <= 192_000:
        raise ConfigError(f"{path} has no audio, or is not between 8 and 192 kHz; export it as 16-bit PCM")
    if len(samples) > LONGEST_S * rate:
        raise ConfigError(f"{path} is longer than {LONGEST_S} s; is it the right file?")
    scaled = _to_16_bits(np.asarray(samples))
    mixed = scaled.mean(axis=1) if scaled.ndim == 2 else scaled
    return np.clip(np.rint(mixed), -32768, 32767).astype(np.int16), int(rate)


def _to_16_bits(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.float64]:
    values = samples.astype(np.float64)
    if samples.dtype == np.uint8:
        return (values - 128) * 256
    if samples.dtype == np.int32:
        return values / 65536
    return values if samples.dtype == np.int16 else values * 32767


def _prompt_sounds(prompts: Prompts, language: str) -> Iterator[Sound]:
    for name in sorted(prompts.names(language)):
        if is_spoken(name):
            yield from (
                sound
                for piece in prompts.fixed_pieces(language, name)
                for sound in piece.sounds
                if any(map(str.isalnum, sound.words))
            )
        elif is_word(name):
            yield from prompts.speaker(language).named(name, name).sounds


def is_word(name: str) -> bool:
    """A name that a slot is made of: spoken only in other prompts."""
    return name in _WORDS


_READ = re.compile("_sms|_email_subject|_email")  # in texts and e-mails


def is_spoken(name: str) -> bool:
    """A prompt of its own. Text messages are read, and currencies are spoken only with their number."""
    if is_word(name) or name.startswith(("currency_", "minor_", "money_with_")):
        return False
    return not any(is_ending(name[mark.end() :]) for mark in _READ.finditer(name))


def _money_sounds(prompts: Prompts, language: str, currency: str) -> Iterator[Sound]:
    for minor in (101, 202):
        yield from prompts.speaker(language).money(Money(minor, currency)).sounds


def _date_sounds(prompts: Prompts, language: str) -> tuple[Sound, ...]:
    days = [f"2026-01-{day:02}" for day in range(1, 32)] + [f"2026-{month:02}-01" for month in range(1, 13)]
    sounds = [sound for day in days for sound in prompts.speaker(language).say("date", day).sounds]
    return tuple(dict.fromkeys(sound for sound in sounds if sound.recording))


def _uses(prompts: Prompts, language: str, kind: str) -> bool:
    return any(slot.kind == kind for name in prompts.names(language) for slot in prompts.slots(language, name))
