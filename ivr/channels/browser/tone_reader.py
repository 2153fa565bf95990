"""The page's audio into our own tone decoder, one frame at a time; what keys mean is for the conversation."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dsp import g711
from dsp.dtmf import KEYS, DtmfBank, Events
from ivr.errors import PeerError

FRAME: Final = 160  # bytes of mu-law: 20 ms
SAMPLES_PER_MS: Final = 8


@dataclass(frozen=True)
class KeyToneDown:
    key: str = field(repr=False)


@dataclass(frozen=True)
class KeyToneUp:
    lasted_ms: int


class ToneReader:
    """A decoder of one channel: a tick of it is 0.1 ms, and a browser's call is alone in its process or nearly so."""

    def __init__(self) -> None:
        self._bank = DtmfBank(1)
        self._frame = np.full((1, FRAME), g711.SILENCE["ulaw"], np.uint8)
        self._sounds = self._wipe_is_due = False

    def hear(self, audio: bytes) -> list[KeyToneDown | KeyToneUp]:
        """PeerError for audio that is not one frame."""
        if len(audio) != FRAME:
            raise PeerError(f"audio comes in frames of {FRAME} bytes: 20 ms of mu-law at 8 kHz")
        self._frame[0] = np.frombuffer(audio, np.uint8)
        events = self._bank(self._frame)
        self._frame.fill(g711.SILENCE["ulaw"])
        return self._told(events)

    def wipe(self) -> None:
        """At once in silence. A tone that still sounds would be heard a second time, so it is wiped when it is over."""
        self._wipe_is_due = True
        self._wipe_if_quiet()

    def close(self) -> None:
        """The call is over: whatever sounds is forgotten."""
        self._bank.wipe([0])

    def _told(self, events: Events) -> list[KeyToneDown | KeyToneUp]:
        ups: list[KeyToneDown | KeyToneUp] = [
            KeyToneUp(int(samples) // SAMPLES_PER_MS) for samples in events.up.duration
        ]
        downs = [KeyToneDown(KEYS[number]) for number in events.down.key]
        if ups or downs:
            self._sounds = bool(downs)
            self._wipe_if_quiet()
        return ups + downs

    def _wipe_if_quiet(self) -> None:
        if self._wipe_is_due and not self._sounds:
            self._bank.wipe([0])
            self._wipe_is_due = False
