"""Each thing said in a call as a mark of sound, and what was said again from the marks that a telephone received."""

import hashlib
import itertools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from ivr.channels.simulator import HeardPrompt
from ivr.core.actions import Phrase
from ivr.phone.rtp import HeardPacket

FRAME_BYTES = 160  # 20 ms of G.711
FRAMES = 2  # one packet may be lost, and the prompt is heard all the same


class Sayings:
    """Of one call. `say` is for the thread that makes clips, the rest for the one that listens."""

    _numbers = itertools.count(1)  # one file is one clip to the media worker, so no two calls share a name

    def __init__(self, folder: Path, words: Callable[[Phrase], str]) -> None:
        self._folder, self._words = folder, words
        self._said: dict[bytes, HeardPrompt] = {}
        self._last = b""
        self._files: list[Path] = []
        self._lock = threading.Lock()

    def say(self, phrase: Phrase) -> Sequence[Path]:
        """The clip to play. It is made of a number; no word of the phrase is in it."""
        number = next(self._numbers)
        mark = hashlib.sha256(b"%d" % number).digest() * (FRAME_BYTES // 32)
        file = self._folder / f"{number}.ulaw"
        file.write_bytes(mark * FRAMES)
        with self._lock:
            self._said[mark] = HeardPrompt(phrase.name, self._words(phrase))
            self._last = mark
            self._files.append(file)
        return [file]

    @property
    def all_heard(self) -> bool:
        """The last thing said has been heard; those before it were heard then, or were cut off by a key."""
        with self._lock:
            return self._last not in self._said

    def in_packets(self, packets: Sequence[HeardPacket]) -> list[HeardPrompt]:
        """What was said in them, each thing once. It is then forgotten."""
        heard = []
        with self._lock:
            for packet in packets:
                if (found := self._said.pop(packet.codes, None)) is not None:
                    heard.append(found)
        return heard

    def close(self) -> None:
        for file in self._files:
            file.unlink(missing_ok=True)
