"""Keys as tones within the audio, through dsp.dtmf for all calls at once; calls whose keys come as events are deaf here."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from dsp.dtmf import KEYS, DtmfBank, Events
from ivr.phone.rtp.conceal import decoded, is_loud
from ivr.phone.rtp.jitter import DELAY, Jitter
from ivr.phone.rtp.packets import FRAME, RATE, TICK_S, Bytes, Mask

QUIET_TICKS: Final = 4  # more than the decoder remembers
NEAR: Final = 2 * FRAME  # how exactly the decoder tells where a tone cut off by silence ended, or began
NONE: Final = -1


@dataclass(frozen=True)
class RowToneDown:
    row: int
    key: str = field(repr=False)
    at_s: float


@dataclass(frozen=True)
class RowToneUp:
    row: int
    duration_s: float


class Inband:
    """Every row is always joined, so that no time is spent on gathering; an unused one is silent."""

    def __init__(self, capacity: int, jitter: Jitter) -> None:
        self.listening: Mask = np.zeros(capacity, bool)
        self._bank = DtmfBank(capacity, "ulaw")
        self._sounding = jitter.key_down
        self._unfinished: dict[int, int] = {}  # to be wiped when its tone is over: for how many ticks it has been quiet
        self._last_key = np.full(capacity, NONE, np.int8)
        self._last_end = np.zeros(capacity, np.int64)
        self._jitter = jitter
        self._tick = 0

    def wipe(self, rows: list[int]) -> None:
        """What has been heard goes; a tone that sounds may be of the key after it, and goes when it is over."""
        self._last_key[rows] = NONE
        loud = is_loud(decoded(self._jitter.last_played(np.array(rows, np.intp))))
        for row, sounds in zip(rows, loud.tolist(), strict=True):
            if sounds or self._sounding[row]:
                self._unfinished[row] = 0
            else:
                self._bank.wipe([row])

    def forget(self, row: int) -> None:
        """The call is over, or its keys come as events from now on."""
        self._bank.wipe([row])
        self._sounding[row] = False
        self._last_key[row] = NONE
        self._unfinished.pop(row, None)

    def __call__(self, frames: Bytes, now_s: float) -> tuple[list[RowToneDown], list[RowToneUp]]:
        """frames: [capacity, 160] of mu-law, one tick. Rows that are behind are caught up."""
        jitter = self._jitter
        heard = self._bank(frames, np.flatnonzero(~jitter.standing) if jitter.any_standing else None)
        self._tick += 1
        if self._unfinished:
            self._finish(frames)
        downs, ups = self._told(heard, now_s)
        rows, more = jitter.more()
        for following in more:
            further_downs, further_ups = self._told(self._bank(following, rows), now_s)
            downs, ups = downs + further_downs, ups + further_ups
        return downs, ups

    def _told(self, heard: Events, now_s: float) -> tuple[list[RowToneDown], list[RowToneUp]]:
        if not len(heard.up.channel) and not len(heard.down.channel):
            return [], []
        # The bank counts each row's samples from its first tick; this one's last sample left the caller DELAY ago.
        offset_s = now_s + TICK_S - (self._tick - self._jitter.stood) * TICK_S - DELAY / RATE
        up, down = heard.up, heard.down
        ups = [
            RowToneUp(int(row), int(duration) / RATE)
            for row, key, start, duration in zip(up.channel, up.key, up.start, up.duration, strict=True)
            if self._released(int(row), int(key), int(start + duration))
        ]
        downs = [
            RowToneDown(int(row), KEYS[key], float(offset_s[row]) + int(start) / RATE)
            for row, key, start in zip(down.channel, down.key, down.start, strict=True)
            if self._pressed(int(row), int(key), int(start))
        ]
        return downs, ups

    def _finish(self, frames: Bytes) -> None:
        """Wipes what sounded when it was to be wiped, when it is over and the line is quiet: nothing is lost."""
        for row in list(self._unfinished):
            quiet = not (
                self._sounding[row] or self._jitter.standing[row] or is_loud(decoded(frames[row : row + 1]))[0]
            )
            self._unfinished[row] = self._unfinished[row] + 1 if quiet else 0
            if self._unfinished[row] >= QUIET_TICKS:
                del self._unfinished[row]
                self._last_key[row] = NONE
                self._bank.wipe([row])

    def _released(self, row: int, key: int, end: int) -> bool:
        self._last_key[row], self._last_end[row] = key, end
        sounded = bool(self._sounding[row])
        self._sounding[row] = False
        return sounded

    def _pressed(self, row: int, key: int, start: int) -> bool:
        """False for what is no new key: the rest of a tone that was held up, or a call not listened to."""
        if not self.listening[row]:
            return False
        self._sounding[row] = True
        return not self._goes_on(row, key, start)

    def _goes_on(self, row: int, key: int, start: int) -> bool:
        """The tone that was sounding when its stream was held up, after it."""
        ended = abs(self._last_end[row] - self._jitter.gap_from[row]) <= NEAR
        begins = abs(start - self._jitter.gap_to[row]) <= NEAR
        return bool(self._last_key[row] == key and ended and begins)
