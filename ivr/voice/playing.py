"""A merchant's recordings for a line whose audio somebody else plays: what to say, what to play, and the files by address.

A phrase becomes parts: words for the other side's voice, and names of files. A part of a prompt that is recorded is played, the
rest of it is said, values among it; a value is played only where its whole set is recorded, as on our own lines. A recording
that cannot be read is said, and told in the log: a call does not end for it.

A file's name is a keyed hash of what it sounds like. Nobody can guess it, every process makes the same one, and it may be kept
for ever: a new take has a new name. No path is made of what is asked for; names that were not made here are unknown.
"""

import hmac
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import structlog

from ivr.core.actions import Phrase
from ivr.errors import ConfigError
from ivr.voice.clips import Clips
from ivr.voice.loudness import LINE_RATE, for_the_line
from ivr.voice.recordings import Recordings, read_recording
from ivr.voice.script import lines_of
from ivr.words.phrases import Piece, Prompts

log = structlog.get_logger()
NAME_LENGTH = 32  # hexadecimal digits: 128 bits
LOOK_EVERY_S = 5.0  # for names that another process has made of a new take
MU_LAW = 7  # RIFF's code of the format


@dataclass(frozen=True)
class PlayedPart:
    """Words to be said, or the name of a file to be played."""

    words: str = ""
    file: str = ""


class Playing:
    """Threads may share one. `key` names the files; `prompts_of` are those of a phrase's version."""

    def __init__(self, prompts_of: Callable[[str], Prompts], folder: Path, cache: Path, key: bytes) -> None:
        self._prompts_of, self._folder, self._key = prompts_of, folder, key
        self._clips = Clips(cache)
        self._named: dict[str, Path] = {}
        self._made: dict[tuple[Path, int], str] = {}
        self._looked_s = time.monotonic()
        self._looking = threading.Lock()

    def parts(self, phrase: Phrase) -> list[PlayedPart]:
        """In order. Words that follow each other are one part; a phrase without recordings is one part of words."""
        prompts = self._prompts_of(phrase.version)
        if not self._languages_there.intersection((phrase.language,)):
            return [PlayedPart(prompts.words(phrase))]
        parts: list[PlayedPart] = []
        for piece in prompts.pieces(phrase):
            files = self._files_of(phrase.language, piece)
            if files:
                parts += [PlayedPart(file=file) for file in files]
            elif parts and parts[-1].words:
                parts[-1] = replace(parts[-1], words=parts[-1].words + piece.text)
            elif any(map(str.isalnum, piece.text)):
                parts.append(PlayedPart(piece.text))
        return parts

    def wav(self, name: str) -> bytes | None:
        """A whole WAV file, 8 kHz mu-law of one channel; None for a name that is not one of ours."""
        if name not in self._named:
            self._look_again()
        clip = self._named.get(name)
        return as_wav(clip.read_bytes()) if clip is not None else None

    @cached_property
    def _recordings(self) -> Recordings:
        return Recordings(self._folder, self._prompts_of(""))

    @cached_property
    def _languages_there(self) -> frozenset[str]:
        folders = self._folder.iterdir() if self._folder.is_dir() else ()
        return frozenset(folder.name for folder in folders if folder.is_dir())

    def _files_of(self, language: str, piece: Piece) -> list[str]:
        """Empty where not all of it is recorded."""
        lines = lines_of([piece])
        if not lines or not all(self._recordings.says(language, line) for line in lines):
            return []
        paths = [self._recordings.path(language, name) for line in lines for name in line.recordings]
        names = [self._name(path) if path is not None else "" for path in paths]
        return names if all(names) else []

    def _name(self, path: Path) -> str:
        """ "" for what cannot be played."""
        try:
            known = path, path.stat().st_mtime_ns
            if known not in self._made:
                self._made[known] = self._make(path)
            return self._made[known]
        except OSError as error:
            log.error("a recording cannot be read", file=path.name, reason=type(error).__name__)
            return ""

    def _make(self, path: Path) -> str:
        content = path.read_bytes()
        try:
            clip = self._clips.get("recorded", content, make=lambda: for_the_line(*read_recording(path)))
        except (ConfigError, ModuleNotFoundError) as error:
            log.error("a recording cannot be played", file=path.name, reason=str(error))
            return ""
        name = hmac.digest(self._key, b"audio " + content, "sha256").hex()[:NAME_LENGTH]
        self._named[name] = clip
        return name

    def _look_again(self) -> None:
        """Another process may have been started since, with recordings that were not there when this one began."""
        with self._looking:
            if self._named and time.monotonic() - self._looked_s < LOOK_EVERY_S:
                return
            for path in self._all_paths():
                self._name(path)
            self._looked_s = time.monotonic()

    def _all_paths(self) -> Iterator[Path]:
        yield from sorted(self._folder.rglob("*.wav")) if self._folder.is_dir() else ()


def as_wav(codes: bytes) -> bytes:
    """Mu-law bytes with the header of a WAV file: the extended format chunk and the count of samples that other formats
    than PCM have."""
    form = struct.pack("<HHIIHHH", MU_LAW, 1, LINE_RATE, LINE_RATE, 1, 8, 0)
    chunks = _chunk(b"fmt ", form) + _chunk(b"fact", struct.pack("<I", len(codes))) + _chunk(b"data", codes)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
