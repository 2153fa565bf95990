"""The synthesizer's own process: texts in on standard input, speech out on standard output; nothing of ours is imported.

It is a program of its own because espeak-ng is under the GPL: no other process loads it. A frame is a 4-byte length
(big-endian) and that many bytes. In: JSON {"voices": [...], "rate": words a minute, "pitch": 0-99, "text": ...}.
Out: `A`, the sample rate in 4 bytes, 16-bit little-endian samples; or `E` and a sentence that says what is wrong.
"""

import ctypes
import json
import struct
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

# espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_RATE, _PITCH = 1, 3
_OK = 0
LARGEST_REQUEST = 65_536
_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Espeak:
    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data_path = espeakng_loader.get_data_path().encode()
        self.sample_rate = self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data_path, _DONT_EXIT)
        if self.sample_rate <= 0:
            raise OSError("espeak-ng did not start: its voices are missing from the espeakng-loader package")
        self._chunks: list[bytes] = []
        self._callback = _Callback(self._keep)
        self._library.espeak_SetSynthCallback(self._callback)

    def speak(self, text: str, voices: Sequence[str], rate: int, pitch: int) -> bytes:
        """16-bit samples at `sample_rate`, by the first of the voices that is there."""
        if not any(self._library.espeak_SetVoiceByName(voice.encode()) == _OK for voice in voices):
            raise LookupError(f"espeak-ng has no voice called {' or '.join(voices)}")
        self._library.espeak_SetParameter(_RATE, rate, 0)
        self._library.espeak_SetParameter(_PITCH, pitch, 0)
        self._chunks.clear()
        encoded = text.encode()
        self._library.espeak_Synth(encoded, len(encoded) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        return b"".join(self._chunks)

    def _keep(self, samples: Any, count: int, _events: object) -> int:
        if samples and count > 0:
            self._chunks.append(ctypes.string_at(samples, count * 2))
        return 0


def main() -> None:
    """Serves until standard input ends, which it does when the parent is gone."""
    espeak: Espeak | None = None
    while (request := read_frame(sys.stdin.buffer)) is not None:
        try:
            espeak = espeak or Espeak()
            asked = json.loads(request)
            audio = espeak.speak(asked["text"], asked["voices"], asked["rate"], asked["pitch"])
            answer = b"A" + struct.pack(">I", espeak.sample_rate) + audio
        except (ImportError, OSError, LookupError, ValueError, TypeError) as error:
            answer = b"E" + str(error).encode()
        write_frame(sys.stdout.buffer, answer)


def read_frame(source: BinaryIO) -> bytes | None:
    header = source.read(4)
    if len(header) < 4:
        return None
    (length,) = struct.unpack(">I", header)
    if length > LARGEST_REQUEST:
        return None
    body = source.read(length)
    return body if len(body) == length else None


def write_frame(sink: BinaryIO, body: bytes) -> None:
    sink.write(struct.pack(">I", len(body)) + body)
    sink.flush()


if __name__ == "__main__":
    main()
