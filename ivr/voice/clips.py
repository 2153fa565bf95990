"""The cache of rendered audio: one file of mu-law bytes a clip, named by the hash of what made it; renders nothing itself."""

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dsp import g711
from ivr.errors import ConfigError

Codes = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]

VERSION = "1"  # of everything between words and bytes; a new one renders all clips anew
SAMPLES_PER_MS = 8


class Clips:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.made = 0  # clips that were not in the cache; for progress bars, not exact across threads

    def get(self, *made_of: str | bytes, make: Callable[[], Samples]) -> Path:
        """The clip, made if it is not there. Of two makers at once the later one stays; both are whole."""
        path = self.path(*made_of)
        if not _is_whole(path):
            self._write(path, g711.encode(make(), "ulaw").tobytes())
            self.made += 1
        return path

    def path(self, *made_of: str | bytes) -> Path:
        parts = [part.encode() if isinstance(part, str) else part for part in (VERSION, *made_of)]
        digest = hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()
        return self._folder / digest[:2] / f"{digest[2:34]}.ulaw"

    def pause(self, milliseconds: int) -> Path:
        path = self._folder / f"pause-{milliseconds}.ulaw"
        if not _is_whole(path):
            self._write(path, bytes([g711.SILENCE["ulaw"]]) * (milliseconds * SAMPLES_PER_MS))
        return path

    def _write(self, path: Path, codes: bytes) -> None:
        draft = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(codes)
            draft.replace(path)
        except OSError as error:
            raise ConfigError(
                f"cannot write prompts to {self._folder}: {error.strerror}; free room or rights"
            ) from None


def _is_whole(path: Path) -> bool:
    """There and not empty: a machine that lost power may keep a name without its content."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def read_clip(path: Path, law: g711.Law = "ulaw") -> Codes:
    """The clip's codes, ready for RTP."""
    codes = np.fromfile(path, np.uint8)
    return codes if law == "ulaw" else g711.encode(g711.decode(codes, "ulaw"), law)
