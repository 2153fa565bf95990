"""Which row of the arrays is which call, and what each payload type means to it; no packets."""

from typing import Final

import numpy as np

from ivr.phone.rtp.contract import CallMedia, MediaError, MediaUnavailable

REFUSED, ULAW, ALAW, IGNORED, EVENTS = range(5)
EVENT_RATES: Final = np.array([8000, 16000, 32000, 48000])
COMFORT_NOISE: Final = 13  # RFC 3389; a sign of life, and silence
STATIC: Final = {0: ULAW, 8: ALAW, COMFORT_NOISE: IGNORED}


class Table:
    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.names = [""] * capacity
        self.kinds = np.zeros((capacity, 128), np.uint8)
        self._rows: dict[str, int] = {}
        self._free = list(range(capacity - 1, -1, -1))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def used(self) -> int:
        """Rows from here on are empty."""
        return max(self._rows.values(), default=-1) + 1

    def add(self, call: str) -> int:
        if call in self._rows:
            raise MediaError(f"open: call {call} is open already")
        if not self._free:
            raise MediaUnavailable(f"media worker: all {self.capacity} calls are taken")
        row = self._free.pop()
        self._rows[call] = row
        self.names[row] = call
        return row

    def row(self, call: str) -> int:
        if call not in self._rows:
            raise MediaError(f"call {call} is not open")
        return self._rows[call]

    def remove(self, call: str) -> int:
        row = self.row(call)
        del self._rows[call]
        self.names[row] = ""
        self.kinds[row] = REFUSED
        self._free.append(row)
        # The lowest rows go first, so that the used part of every array stays short.
        self._free.sort(reverse=True)
        return row

    def understand(self, row: int, media: CallMedia) -> None:
        self.kinds[row] = REFUSED
        for payload_type, kind in STATIC.items():
            self.kinds[row, payload_type] = kind
        self.kinds[row, media.payload_type] = ULAW if media.law == "ulaw" else ALAW
        for payload_type, rate in media.telephone_events:
            self.kinds[row, payload_type] = EVENTS + list(EVENT_RATES).index(rate)


def check(media: CallMedia) -> None:
    types = [media.payload_type, *(payload_type for payload_type, _ in media.telephone_events)]
    if not all(0 <= payload_type < 128 for payload_type in types) or len(set(types)) != len(types):
        raise MediaError(f"payload types {types}: each is 0 to 127 and means one thing")
    rates = {rate for _, rate in media.telephone_events}
    if not rates <= set(EVENT_RATES.tolist()):
        raise MediaError(f"telephone-event at {sorted(rates)} Hz; possible are {EVENT_RATES.tolist()}")
    if media.law not in ("ulaw", "alaw"):
        raise MediaError(f"law {media.law!r}; possible are ulaw and alaw")
