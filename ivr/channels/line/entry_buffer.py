"""The keys of one call that have not yet been handed on: in one buffer, wiped as they leave it."""

from ivr.core.actions import Collect
from ivr.core.entry import Reading, read_entry
from ivr.core.events import Digits

MOST_KEYS = 64  # more type-ahead than any flow asks for is somebody leaning on the keypad


class EntryBuffer:
    """Type-ahead is what comes while nothing is collected; a `flush` drops it before a sensitive entry."""

    def __init__(self) -> None:
        self._keys = bytearray()

    def add(self, key: str) -> None:
        if len(self._keys) < MOST_KEYS:
            self._keys += key.encode("ascii")

    def __bool__(self) -> bool:
        return bool(self._keys)

    def __repr__(self) -> str:
        return "EntryBuffer(***)"

    def take_entry(self, collect: Collect) -> Digits | None:
        """The keys of a complete entry, with what ended it; None while more may come. The rest stays as type-ahead."""
        span = read_entry(self._keys, collect.rules)
        if span.reading in (Reading.OPEN, Reading.CLEARED):
            return None
        return self._take(span.used)

    def take_all(self) -> Digits:
        """What there is when the inter-digit timer has run out."""
        return self._take(len(self._keys))

    def wipe(self) -> None:
        self._keys[:] = bytes(len(self._keys))
        self._keys.clear()

    def _take(self, count: int) -> Digits:
        taken = Digits(self._keys[:count])
        rest = self._keys[count:]
        self.wipe()
        self._keys += rest
        rest[:] = bytes(len(rest))
        return taken
