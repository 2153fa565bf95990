"""Which call a packet belongs to: by our socket, its source address and its SSRC; whatever fits no call is left out.

A call's source latches once: on the first packet from exactly the address that signalling named, or, where the call is
alone in waiting on its socket, on the first one from an allowed host (NAT changes ports). Afterwards the socket is free
for the next call, and packets from elsewhere can no longer take a call over (RTPBleed, CVE-2017-14099 and its kin).
But for one: what comes from exactly the signalled address later. The first packet on a port may be the last of the call
before, from the same PBX, and must not keep the new call's own media out.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from ivr.phone.rtp.addresses import Words, hosts_and_ports, source_keys
from ivr.phone.rtp.packets import Arrivals, Headers, Rows

NOBODY: Final = -1
ALLOWED: Final = 4  # hosts that media of one call may come from
AUDIO, EVENTS = 0, 1  # some gateways send telephone-events under an SSRC of their own


class Index:
    """Keys to rows, for whole arrays of keys; a key that stands for two rows stands for none."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.uint64)
        self._rows = np.empty(0, np.intp)

    def fill(self, keys: Words, rows: Rows) -> None:
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
        twice = np.zeros(len(keys), bool)
        twice[1:] = (keys[1:] == keys[:-1]) & (rows[1:] != rows[:-1])
        twice[:-1] |= twice[1:]
        self._keys, self._rows = keys[~twice], rows[~twice]

    def find(self, keys: Words) -> Rows:
        if not len(self._keys):
            return np.full(len(keys), NOBODY, np.intp)
        at = np.searchsorted(self._keys, keys)
        at[at == len(self._keys)] = 0
        return np.where(self._keys[at] == keys, self._rows[at], NOBODY)


class Sources:
    def __init__(self, capacity: int, sockets: int, family: int) -> None:
        self.family = family
        self.socket = np.full(capacity, NOBODY, np.int64)
        self.latched = np.zeros(capacity, bool)
        self.expecting = np.zeros(capacity, bool)
        self._elsewhere = np.zeros(capacity, bool)  # latched, but not on the place that signalling named
        self.owner = np.full(sockets, NOBODY, np.intp)  # the call that alone waits for its source on this socket
        self._host, self._port = np.zeros(capacity, np.uint64), np.zeros(capacity, np.uint64)
        self._signalled_host, self._signalled_port = np.zeros(capacity, np.uint64), np.zeros(capacity, np.uint64)
        self._allowed = np.zeros((capacity, ALLOWED), np.uint64)
        self._ssrc = np.zeros((capacity, 2), np.uint32)
        self._exact, self._places, self._expected = Index(), Index(), Index()
        self._stale = True

    @property
    def audio_ssrc(self) -> npt.NDArray[np.uint32]:
        return self._ssrc[:, AUDIO]

    def open(self, row: int) -> int:
        """Takes the emptiest socket nobody waits on, or, if there is none, the emptiest one; its index."""
        calls = np.bincount(self.socket[self.socket >= 0], minlength=len(self.owner)).astype(np.int64)
        calls[self.owner != NOBODY] += len(self.socket)
        chosen = int(calls.argmin())
        self.socket[row] = chosen
        if self.owner[chosen] == NOBODY:
            self.owner[chosen] = row
        self.expecting[row] = True
        self._stale = True
        return chosen

    def expect(self, row: int, name: bytes, allowed: list[bytes]) -> None:
        """Signalling says where media comes from. An old source keeps its call until the new one has latched."""
        names = np.frombuffer(b"".join([name, *allowed][:ALLOWED]), np.uint8).reshape(-1, len(name))
        hosts, ports = hosts_and_ports(names, self.family)
        moved = (self._signalled_host[row], self._signalled_port[row]) != (hosts[0], ports[0])
        self._signalled_host[row], self._signalled_port[row] = hosts[0], ports[0]
        self._allowed[row] = 0
        self._allowed[row, : len(hosts)] = hosts
        already = self.latched[row] and self._host[row] == hosts[0] and self._port[row] == ports[0]
        self._elsewhere[row] = self.latched[row] and not already
        if moved and not already:
            self.expecting[row] = True
            socket = self.socket[row]
            if self.owner[socket] == NOBODY:
                self.owner[socket] = row
        self._stale = True

    def close(self, row: int) -> None:
        self._settle(row)
        self.socket[row] = NOBODY
        self.latched[row] = self._elsewhere[row] = False
        self._signalled_host[row] = self._signalled_port[row] = 0
        self._allowed[row] = 0
        self._stale = True

    def rows_of(self, arrivals: Arrivals, headers: Headers) -> tuple[Rows, Words, Words]:
        """The row of each packet, or NOBODY; and the packets' hosts and ports, for `newcomers`."""
        self._refresh()
        hosts, ports = hosts_and_ports(arrivals.names[headers.at], self.family)
        keys = source_keys(hosts, ports, arrivals.sockets[headers.at], headers.ssrc)
        return self._exact.find(keys), hosts, ports

    def signs_of_life(self, arrivals: Arrivals, at: Rows, port_offset: int) -> Rows:
        """Rows whose source sent RTCP; `port_offset` is 1 for the port after RTP's, 0 where both share one."""
        self._refresh()
        hosts, ports = hosts_and_ports(arrivals.names[at], self.family)
        sockets = arrivals.sockets[at].astype(np.int64)
        found = self._places.find(source_keys(hosts, ports - np.uint64(port_offset), sockets, NO_SSRC[: len(at)]))
        ours: Rows = found[found != NOBODY]
        return ours

    def newcomers(
        self, arrivals: Arrivals, headers: Headers, hosts: Words, ports: Words, unknown: Rows
    ) -> tuple[Rows, Rows]:
        """Of the packets that belong to nobody: which could begin a source, and for which row; first packets only."""
        sockets = arrivals.sockets[headers.at[unknown]].astype(np.int64)
        hosts, ports = hosts[unknown], ports[unknown]
        places = source_keys(hosts, ports, sockets, np.zeros(len(unknown), np.int64))
        rows = self._expected.find(places)
        rows = np.where(rows == NOBODY, self._places.find(places), rows)
        owner = self.owner[sockets]
        allowed = (owner != NOBODY) & (self._allowed[owner] == hosts[:, None]).any(axis=1)
        rows = np.where((rows == NOBODY) & allowed, owner, rows)
        return unknown[rows != NOBODY], rows[rows != NOBODY]

    def latch(self, row: int, host: int, port: int, ssrc: int, kind: int) -> bool:
        """True where this is a new source, False where the known one has changed its SSRC."""
        known = bool(self.latched[row] and self._host[row] == host and self._port[row] == port)
        self._host[row], self._port[row] = host, port
        if known:
            self._ssrc[row, kind] = ssrc
        else:
            self._ssrc[row] = ssrc
            self.latched[row] = True
            self._elsewhere[row] = (self._signalled_host[row], self._signalled_port[row]) != (host, port)
            self._settle(row)
        self._stale = True
        return not known

    def _settle(self, row: int) -> None:
        self.expecting[row] = False
        self.owner[self.owner == row] = NOBODY

    def _refresh(self) -> None:
        if not self._stale:
            return
        latched = np.flatnonzero(self.latched)
        waiting = np.flatnonzero((self.expecting | self._elsewhere) & (self._signalled_port > 0))
        ssrcs = self._ssrc[latched].T.ravel()
        both = np.concatenate([latched, latched])
        self._exact.fill(source_keys(self._host[both], self._port[both], self.socket[both], ssrcs), both)
        self._places.fill(self._place_keys(self._host, self._port, latched), latched)
        self._expected.fill(self._place_keys(self._signalled_host, self._signalled_port, waiting), waiting)
        self._stale = False

    def _place_keys(self, hosts: Words, ports: Words, rows: Rows) -> Words:
        return source_keys(hosts[rows], ports[rows], self.socket[rows], np.zeros(len(rows), np.int64))


NO_SSRC: Final = np.zeros(1 << 16, np.int64)
