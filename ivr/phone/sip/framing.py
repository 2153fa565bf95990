"""Cuts a byte stream into SIP messages by Content-Length (RFC 3261 18.3); reads nothing else in them."""

import re
from dataclasses import dataclass, field

from ivr.errors import PeerError
from ivr.phone.sip.wire import MAX_HEAD_BYTES

MAX_BODY_BYTES = 65_536
CONTENT_LENGTH = re.compile(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*(\d{1,9})[ \t]*\r?$")
PING = b"\r\n\r\n"


@dataclass
class Cut:
    messages: list[bytes] = field(default_factory=list, repr=False)
    pings: int = 0
    """RFC 5626 4.4.1: each wants a CRLF back."""


class StreamCutter:
    """Holds the unfinished rest of one connection, and wipes what has left: it may have carried a key."""

    def __init__(self) -> None:
        self._held = bytearray()

    def __len__(self) -> int:
        return len(self._held)

    def feed(self, data: bytes) -> Cut:
        """Raises PeerError when the stream cannot be cut any more: the connection has to be closed."""
        self._held += data
        cut = Cut()
        while self._drop_empty_lines(cut) and (message := self._next_message()) is not None:
            cut.messages.append(message)
        return cut

    def wipe(self) -> None:
        self._take(len(self._held))

    def _drop_empty_lines(self, cut: Cut) -> bool:
        while self._held.startswith(b"\r\n"):
            if self._held.startswith(PING):
                cut.pings += 1
                del self._held[:4]
            elif self._held == b"\r\n":
                return False  # half a ping, perhaps
            else:
                del self._held[:2]
        return bool(self._held)

    def _next_message(self) -> bytes | None:
        end = self._held.find(b"\r\n\r\n", 0, MAX_HEAD_BYTES + 4)
        if end < 0:
            if len(self._held) > MAX_HEAD_BYTES:
                raise PeerError("SIP stream: a message head without an end")
            return None
        found = CONTENT_LENGTH.search(self._held, 0, end + 2)
        if found is None or int(found[1]) > MAX_BODY_BYTES:
            # 18.3: on a stream Content-Length is a must; without it the next message cannot be found.
            raise PeerError("SIP stream: Content-Length is missing or too large")
        size = end + 4 + int(found[1])
        return self._take(size) if len(self._held) >= size else None

    def _take(self, size: int) -> bytes:
        message = bytes(self._held[:size])
        self._held[:size] = bytes(size)
        del self._held[:size]
        return message
