"""Hours of synthesised speech for the talk-off benchmark, in many languages and voices; run in a process of its own.

    python benchmarks/synthetic_speech.py HOURS SEED OUT.npy

Writes int16 at 8 kHz, one long signal. The words are random syllables: what matters is pitch, formants and their
movement, which each language's rules and each voice shape anew. Needs the `voice` extra (espeak-ng, GPL: hence the
process of its own).
"""

import ctypes
import random
import sys

import numpy as np
import soxr

LANGUAGES = [
    "en-us",
    "en-gb",
    "es",
    "fr-fr",
    "de",
    "it",
    "pt-br",
    "pl",
    "ru",
    "sv",
    "nl",
    "cs",
    "tr",
    "hu",
    "el",
    "hi",
    "cmn",
    "ja",
    "ko",
    "vi",
    "fi",
    "ro",
    "ar",
    "sw",
]
VOICES = ["", *(f"+f{n}" for n in range(1, 6)), *(f"+m{n}" for n in range(1, 8)), "+croak"]
ONSETS = ["b", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "ch", "st", "tr", "pl"]
VOWELS = ["a", "e", "i", "o", "u", "ai", "ou", "ea"]
SYNCHRONOUS, RATE, PITCH, RANGE = 2, 1, 3, 4  # espeak-ng's speak_lib.h


class Speaker:
    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate = self._library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
        self._said: list[np.ndarray] = []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)
        self._callback = kind(self._hear)
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: str, settings: dict[int, int]) -> np.ndarray:
        """Float samples at 8 kHz, empty where espeak-ng does not know the voice."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != 0:
            return np.zeros(0, np.float32)
        for parameter, value in settings.items():
            self._library.espeak_SetParameter(parameter, value, 0)
        self._said.clear()
        spoken = text.encode()
        self._library.espeak_Synth(spoken, len(spoken) + 1, 0, 1, 0, 1, None, None)
        return soxr.resample(np.concatenate([np.zeros(1), *self._said]).astype(np.float32), self._rate, 8000)

    def _hear(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._said.append(np.ctypeslib.as_array(samples, (count,)).copy())
        return 0


def sentence(rng: random.Random) -> str:
    words = ("".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(rng.randint(1, 4))) for _ in range(40))
    return " ".join(words)


def main() -> None:
    hours, seed, out = float(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    rng, speaker, said, count = random.Random(seed), Speaker(), [], 0
    while count < hours * 3600 * 8000:
        settings = {RATE: rng.randint(120, 240), PITCH: rng.randint(5, 99), RANGE: rng.randint(10, 90)}
        speech = speaker.say(sentence(rng), rng.choice(LANGUAGES) + rng.choice(VOICES), settings)
        if len(speech) < 8000:
            continue
        loud = np.sqrt(np.mean(speech[np.abs(speech) > 200] ** 2))
        # Active speech between -28 and -12 dBm0 (0 dBm0 is an rms of 15770).
        said.append((speech / loud * 15770 * 10 ** (rng.uniform(-28, -12) / 20)).clip(-32768, 32767).astype(np.int16))
        count += len(speech)
    np.save(out, np.concatenate(said))


if __name__ == "__main__":
    main()
