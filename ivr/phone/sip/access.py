"""Who may send to us, and how much: the list of peers by address, and a token bucket for each source; no passwords."""

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from ivr.phone.sip.settings import Peer

EVERYONE = Peer("")


class AccessList:
    """Without peers everyone is let in, which is for loopback and for trying things out."""

    def __init__(self, peers: tuple[Peer, ...]) -> None:
        self._peers = peers
        for peer in peers:
            peer.check()  # at the start, not at the first call

    def peers_at(self, host: str) -> tuple[Peer, ...]:
        """Those whose network the address is in, as listed; none means: not known, give no answer."""
        if not self._peers:
            return (EVERYONE,)
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return ()
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return tuple(peer for peer in self._peers if any(address in network for network in peer.ranges))


@dataclass
class Bucket:
    tokens: float
    at: float


class RateLimit:
    """A token bucket for each source; the least recently heard are forgotten, so a forged flood fills no memory."""

    def __init__(self, per_s: float, burst: int, remembered: int) -> None:
        self._per_s, self._burst, self._remembered = per_s, burst, remembered
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, source: str, now: float) -> bool:
        """One token; False when there is none."""
        bucket = self._filled(source, now)
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def has_any(self, source: str, now: float) -> bool:
        return self._filled(source, now).tokens >= 1

    def _filled(self, source: str, now: float) -> Bucket:
        bucket = self._buckets.get(source)
        if bucket is None:
            bucket = self._buckets[source] = Bucket(float(self._burst), now)
            if len(self._buckets) > self._remembered:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(source)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._per_s)
        bucket.at = now
        return bucket
