"""What a telephone sends, tick by tick: RTP of its microphone and of its keypad, by either method; it sends nothing itself."""

import secrets
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from dsp import g711, tones
from ivr.phone.rtp.keys import EVENT_KEYS
from ivr.phone.rtp.packets import EXTENDED, FRAME, MARKER, PLAIN

VOLUME: Final = 10  # -10 dBm0, in an event's payload
END: Final = 0x80
END_PACKETS: Final = 3  # RFC 4733 2.5.1.4


@dataclass(frozen=True)
class Event:
    """One tick of a key in RFC 4733: `duration` in samples since it went down."""

    code: int = field(repr=False)
    duration: int
    end: bool = False


class CallerStream:
    """One call's outgoing RTP. `tick` gives the datagrams of 20 ms; what `press` and `say` were given goes out in order.

    `sends_silence=False` is a peer that sends nothing between keys, as many do.
    """

    def __init__(
        self,
        law: g711.Law = "ulaw",
        *,
        payload_type: int | None = None,
        telephone_event: int | None = 101,
        sends_silence: bool = True,
        ssrc: int | None = None,
    ) -> None:
        self.law = law
        self.payload_type = payload_type if payload_type is not None else {"ulaw": 0, "alaw": 8}[law]
        self.telephone_event = telephone_event
        self.sends_silence = sends_silence
        self.ssrc = secrets.randbits(32) if ssrc is None else ssrc
        self.sequence = secrets.randbits(16)
        self.timestamp = secrets.randbits(32)
        self._coming: deque[bytes | Event | None] = deque()
        self._paused = True

    @property
    def idle(self) -> bool:
        return not self._coming

    def pause(self, ticks: int) -> None:
        self._coming.extend([None] * ticks)

    def say(self, codes: bytes) -> None:
        """G.711 of this call's law; the last frame is filled up with silence."""
        silent = bytes([g711.SILENCE[self.law]])
        for at in range(0, len(codes), FRAME):
            self._coming.append(codes[at : at + FRAME].ljust(FRAME, silent))

    def press(self, keys: str, *, inband: bool = False, tone_ms: int = 100, gap_ms: int = 80) -> None:
        if inband or self.telephone_event is None:
            samples = tones.dtmf(keys, tone_ms=tone_ms, gap_ms=gap_ms)
            self.say(g711.encode(samples, self.law).tobytes())
            return
        for key in keys:
            self._press_event(EVENT_KEYS.index(key), tone_ms, gap_ms)

    def _press_event(self, code: int, tone_ms: int, gap_ms: int) -> None:
        ticks = max(1, round(tone_ms / 20))
        self._coming.extend(Event(code, FRAME * (n + 1)) for n in range(ticks - 1))
        self._coming.append(Event(code, FRAME * ticks, end=True))
        self.pause(max(1, round(gap_ms / 20)))

    def tick(self) -> list[bytes]:
        coming = self._coming.popleft() if self._coming else None
        if isinstance(coming, Event):
            packets = self._event(coming)
        elif coming is None and not self.sends_silence:
            packets = []
            self._paused = True
        else:
            frame = coming if coming is not None else bytes([g711.SILENCE[self.law]]) * FRAME
            packets = [self.packet(self.payload_type, frame, marker=self._paused)]
            self._paused = False
        self.timestamp = (self.timestamp + FRAME) % 2**32
        return packets

    def _event(self, event: Event) -> list[bytes]:
        # RFC 4733 2.3.3: the timestamp is that of the key's beginning in all its packets.
        begun = self.timestamp - event.duration + FRAME
        marker = event.duration == FRAME
        flags = (END if event.end else 0) | VOLUME
        duration = min(event.duration, 0xFFFF)
        payload = struct.pack("!BBH", event.code, flags, duration)
        kind = self.telephone_event or 0
        count = END_PACKETS if event.end else 1
        return [self.packet(kind, payload, marker=marker and n == 0, timestamp=begun) for n in range(count)]

    def packet(
        self, kind: int, payload: bytes, *, marker: bool = False, timestamp: int | None = None, flags: int = PLAIN
    ) -> bytes:
        """The next one in sequence; for packets beside the usual."""
        at = (self.timestamp if timestamp is None else timestamp) % 2**32
        marked = kind | (MARKER if marker else 0)
        number = self.sequence % 2**16  # what is set from outside may lie beyond, as with the timestamp
        head = struct.pack("!BBHII", flags & ~EXTENDED, marked, number, at, self.ssrc)
        self.sequence = (number + 1) % 2**16
        return head + payload
