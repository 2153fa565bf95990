"""Takes a tick's datagrams apart: which are whose, who has just latched, what SRTP makes of them; nothing is heard yet."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ivr.phone.rtp.addresses import Words
from ivr.phone.rtp.contract import SrtpKeys
from ivr.phone.rtp.packets import Arrivals, Headers, Mask, Rows, payload_bounds, read_headers
from ivr.phone.rtp.sources import AUDIO, EVENTS, NOBODY, Sources
from ivr.phone.rtp.srtp import SecureRow
from ivr.phone.rtp.table import EVENTS as EVENT_KIND
from ivr.phone.rtp.table import REFUSED, Table

# Sources of one call that may follow each other in one tick, where a line that stood still delivers all at once.
MOST_CHANGES: Final = 4


@dataclass(frozen=True)
class BegunStream:
    """A call's stream that begins in this tick: a new place (`name`, a sockaddr), or another SSRC from the old one."""

    row: int
    streams: tuple[int, ...]
    name: bytes | None


@dataclass(frozen=True)
class Received:
    """The packets of our calls; `rows` goes along with `headers`. `alive` have sent RTCP."""

    headers: Headers
    rows: Rows
    begun: list[BegunStream]
    alive: Rows


class Reception:
    def __init__(self, calls: Table, sockets: int, family: int) -> None:
        self.sources = Sources(calls.capacity, sockets, family)
        self.refused = 0
        self.secure: dict[int, SecureRow] = {}
        self._calls = calls
        self._secure_rows = np.zeros(calls.capacity, bool)
        self._opened: set[int] = set()  # arrivals of this tick that are clear already

    def secure_row(self, row: int, keys: SrtpKeys | None) -> SecureRow | None:
        """What a call with these keys needs; what it has already, if they are the same."""
        if keys is None:
            return None
        present = self.secure.get(row)
        return present if present is not None and present.keys == keys else SecureRow(keys)

    def agree(self, row: int, secure: SecureRow | None) -> None:
        self.secure.pop(row, None)
        self._secure_rows[row] = secure is not None
        if secure is not None:
            self.secure[row] = secure

    def close(self, row: int) -> None:
        self.sources.close(row)
        self.agree(row, None)

    def read(self, arrivals: Arrivals) -> Received:
        self._opened.clear()
        headers, controls = read_headers(arrivals)
        alive = self.sources.signs_of_life(arrivals, controls, 0) if len(controls) else controls
        rows, hosts, ports = self.sources.rows_of(arrivals, headers)
        begun: list[BegunStream] = []
        for _ in range(MOST_CHANGES):
            unknown = np.flatnonzero(rows == NOBODY)
            now = self._greet(arrivals, headers, (hosts, ports), unknown) if len(unknown) else []
            if not now:
                break
            begun += now
            # Of a burst that spans a change the packets from before it are the call's as well.
            rows = np.where(rows == NOBODY, self.sources.rows_of(arrivals, headers)[0], rows)
        ours = (rows != NOBODY) & (self._calls.kinds[rows, headers.kind] != REFUSED)
        if self.secure:
            self._unprotect(arrivals, headers, rows, ours)
        self.refused += headers.refused + len(rows) - int(np.count_nonzero(ours))
        if not ours.all():
            headers, rows = headers.only(ours), rows[ours]
        return Received(headers, rows, begun, alive)

    def _greet(
        self, arrivals: Arrivals, headers: Headers, places: tuple[Words, Words], unknown: Rows
    ) -> list[BegunStream]:
        """Latches calls on the first packet from their sources."""
        hosts, ports = places
        at, rows = self.sources.newcomers(arrivals, headers, hosts, ports, unknown)
        kinds = self._calls.kinds[rows, headers.kind[at]]
        at, rows, kinds = at[kinds != REFUSED], rows[kinds != REFUSED], kinds[kinds != REFUSED]
        rows, first = np.unique(rows, return_index=True)
        begun = []
        for row, packet, kind in zip(rows.tolist(), at[first].tolist(), kinds[first].tolist(), strict=True):
            arrival = int(headers.at[packet])
            if not self._authentic(arrivals, arrival, row):
                continue
            stream = EVENTS if kind >= EVENT_KIND else AUDIO
            new = self.sources.latch(row, int(hosts[packet]), int(ports[packet]), int(headers.ssrc[packet]), stream)
            name = arrivals.names[arrival].tobytes() if new else None
            begun.append(BegunStream(row, (AUDIO, EVENTS) if new else (stream,), name))
        return begun

    def _authentic(self, arrivals: Arrivals, arrival: int, row: int) -> bool:
        if row not in self.secure:
            return True
        if not self.secure[row].unprotect(arrivals, arrival):
            return False
        self._opened.add(arrival)
        return True

    def _unprotect(self, arrivals: Arrivals, headers: Headers, rows: Rows, ours: Mask) -> None:
        """In place; takes out of `ours` what does not authenticate."""
        secure = np.flatnonzero(ours & self._secure_rows[rows])
        for packet in secure.tolist():
            arrival = int(headers.at[packet])
            if arrival not in self._opened and not self.secure[int(rows[packet])].unprotect(arrivals, arrival):
                ours[packet] = False
        begin, length = payload_bounds(arrivals, headers.at[secure], headers.flags[secure], arrivals.lengths)
        headers.begin[secure], headers.length[secure] = begin, length
        ours[secure[length < 0]] = False
