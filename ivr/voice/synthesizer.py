"""Asks the synthesizer's process for speech; how it speaks is in `speaker`, how loud it becomes in `loudness`."""

import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ivr.errors import ConfigError

Samples = npt.NDArray[np.int16]

SPEAKER = Path(__file__).with_name("speaker.py")
ANSWER_WITHIN_S = 15.0  # a sentence takes milliseconds; the first one also loads the voices
LARGEST_ANSWER = 64 << 20
WORDS_A_MINUTE = 170  # slower than the usual 175: heard over a telephone, often by people who listen for a key
PITCH = 45
# Where a language has a voice under another name; otherwise its own name and then the language alone are tried.
_VOICES = {"en-US": ("en-us",), "es-MX": ("es-419", "es")}


class Voice(Protocol):
    """Something that can speak. `name` tells voices apart in the cache."""

    name: str

    def speak(self, text: str, language: str) -> tuple[Samples, int]:
        """Samples of one channel and their rate."""
        ...


def is_installed() -> bool:
    return find_spec("espeakng_loader") is not None


class Synthesizer:
    """One process, started when it is first needed and again if it dies; calls from several threads take turns."""

    name = f"espeak-{WORDS_A_MINUTE}-{PITCH}"

    def __init__(self) -> None:
        if not is_installed():
            raise ConfigError("no synthesizer is installed: pip install 'tonetill[voice]', or use recordings or tones")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def speak(self, text: str, language: str) -> tuple[Samples, int]:
        request = {"voices": voices_for(language), "rate": WORDS_A_MINUTE, "pitch": PITCH, "text": text}
        with self._lock:
            answer = self._ask(json.dumps(request).encode())
        if answer[:1] != b"A":
            raise ConfigError(f"{language} cannot be spoken: {answer[1:].decode(errors='replace')}")
        (rate,) = struct.unpack(">I", answer[1:5])
        return np.frombuffer(answer, np.dtype("<i2"), offset=5).astype(np.int16), rate

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, request: bytes) -> bytes:
        try:
            return self._exchange(self._running(), request)
        except OSError as error:
            self.close()
            raise ConfigError(f"the synthesizer's process failed ({error}); the next prompt starts it anew") from None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            # By its file, not as a module: the package's other modules stay out of that process, and it out of ours.
            command = [sys.executable, str(SPEAKER)]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C drains the trunk: calls under way still need their words
            )
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes) -> bytes:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(struct.pack(">I", len(request)) + request)
        process.stdin.flush()
        deadline = time.monotonic() + ANSWER_WITHIN_S
        (length,) = struct.unpack(">I", _read(process.stdout.fileno(), 4, deadline))
        if length > LARGEST_ANSWER:
            raise OSError("an answer of impossible length")
        return _read(process.stdout.fileno(), length, deadline)


def voices_for(language: str) -> tuple[str, ...]:
    return _VOICES.get(language, (language.lower(), language.partition("-")[0]))


def _read(descriptor: int, count: int, deadline: float) -> bytes:
    """Exactly that many bytes, past Python's buffering so that `select` sees them; OSError where they do not come."""
    parts, missing = [], count
    while missing:
        if not select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise OSError("no answer in time")
        part = os.read(descriptor, min(missing, 1 << 20))
        if not part:
            raise OSError("it ended")
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)
