"""Digest authentication of peers that ring us (RFC 7616, RFC 8760); answering a provider's challenge is in softphone/caller.py."""

import base64
import hashlib
import hmac
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

from aiosipua import SipRequest, parse_auth

from ivr.phone.sip.settings import Peer

# RFC 8760 2.4: the better algorithm comes first, a peer takes the topmost it knows.
HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
MAX_NONCES_IN_USE = 10_000
Verdict = Literal["passed", "missing", "stale", "wrong"]


class DigestGuard:
    """Nonces carry their own time and seal, so a challenge costs no memory; only nonces that were used are kept."""

    def __init__(self, realm: str, lifetime_s: float) -> None:
        self._realm, self._lifetime_s = realm, lifetime_s
        self._secret = os.urandom(32)
        self._counts: OrderedDict[str, int] = OrderedDict()

    def challenges(self, source: str, now: float, *, stale: bool = False) -> list[tuple[str, str]]:
        """Header lines of a 401."""
        nonce = self._make_nonce(source, now)
        tail = ", stale=true" if stale else ""
        return [
            ("WWW-Authenticate", f'Digest realm="{self._realm}", nonce="{nonce}", algorithm={name}, qop="auth"{tail}')
            for name in HASHES
        ]

    def check(self, request: SipRequest, peers: tuple[Peer, ...], source: str, now: float) -> Verdict:
        for value in request.headers.get("authorization"):
            given = parse_auth(value, credentials=True)
            params = {name.lower(): text for name, text in given.params.items()}
            if given.scheme.lower() == "digest" and params.get("realm") == self._realm:
                return self._check(params, request, peers, source, now)
        return "missing"

    def _check(
        self, params: dict[str, str], request: SipRequest, peers: tuple[Peer, ...], source: str, now: float
    ) -> Verdict:
        nonce, count = params.get("nonce", ""), read_count(params.get("nc", ""))
        # First of all: only who was challenged at this address can fail to log in there. Anyone can forge a datagram
        # of a PBX's address, but not with a nonce that was sent to it; so nobody else uses up its attempts.
        if not self._is_ours(nonce, source):
            return "stale"  # of an earlier run of ours, most likely: stale spares the user a password prompt
        hashed = HASHES.get(params.get("algorithm", "MD5").upper())
        # The digest covers `uri`; a proxy may have rewritten the request line, so the two need not be equal, but
        # the response must be for this method. qop is asked for, so that nc and cnonce guard against replay.
        if hashed is None or params.get("qop") != "auth" or count is None or not params.get("uri"):
            return "wrong"
        with_login = [peer for peer in peers if peer.username and peer.password]
        expected = [response(hashed, peer, self._realm, request.method, params) for peer in with_login]
        given = params.get("response", "").lower().encode()
        if not any([hmac.compare_digest(given, each) for each in expected]):  # noqa: C419  # all, in constant time
            return "wrong"
        return "passed" if self._is_fresh(nonce, count, now) else "stale"

    def _is_fresh(self, nonce: str, count: int, now: float) -> bool:
        if now - issued_at(nonce) > self._lifetime_s or count <= self._counts.get(nonce, 0):
            return False
        self._counts[nonce] = count
        self._counts.move_to_end(nonce)
        if len(self._counts) > MAX_NONCES_IN_USE:
            self._counts.popitem(last=False)
        return True

    def _make_nonce(self, source: str, now: float) -> str:
        stamp = f"{int(now * 1000):x}.{os.urandom(8).hex()}"
        return f"{stamp}.{self._seal(stamp, source)}"

    def _is_ours(self, nonce: str, source: str) -> bool:
        stamp, _, seal = nonce.rpartition(".")
        return hmac.compare_digest(seal.encode(), self._seal(stamp, source).encode())

    def _seal(self, stamp: str, source: str) -> str:
        digest = hmac.digest(self._secret, f"{stamp} {source}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest[:18]).decode()


def issued_at(nonce: str) -> float:
    """Only for a nonce whose seal is ours."""
    return int(nonce.partition(".")[0], 16) / 1000


def read_count(text: str) -> int | None:
    try:
        return int(text, 16) if len(text) == 8 else None
    except ValueError:
        return None


def response(
    hashed: Callable[[bytes], "hashlib._Hash"], peer: Peer, realm: str, method: str, params: dict[str, str]
) -> bytes:
    """RFC 7616 3.4.1, for the peer's own name and password; a username that is another's gives another digest."""

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    secret = h(f"{peer.username}:{realm}:{peer.password}")
    asked = h(f"{method}:{params['uri']}")
    salt = f"{params['nonce']}:{params['nc']}:{params.get('cnonce', '')}:auth"
    matches = params.get("username") == peer.username
    return h(f"{secret}:{salt}:{asked}").encode() if matches else os.urandom(32).hex().encode()
