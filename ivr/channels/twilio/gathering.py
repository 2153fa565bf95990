"""One entry over several `<Gather>`s, because Twilio's has one timer, one finishing key, and counts star as a digit.

- The timer is the one between keys. A first key that may take longer comes in a second, silent Gather, whose timer is
  never shorter than the one between keys, so a slow first key does not shorten the time for the second.
- `numDigits` ends an entry of known length by itself; `1*12` has then used up the four digits of an expiry that the
  caller has cleared and begun again. A further silent Gather takes what is missing. What the caller has keyed since the
  clear key goes along in its URL, encrypted: never an entire entry, at most two keys less.
"""

import base64
import os
from dataclasses import dataclass, replace
from math import ceil
from urllib.parse import urlencode
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from werkzeug.datastructures import MultiDict

from ivr.core.actions import Collect
from ivr.core.entry import EntryRules, Reading, read_entry
from ivr.core.events import Digits
from ivr.errors import PeerError

KEYS = ("#", "*")
# Twilio's connection override, at the end of a URL that it is to ask: where nothing comes back (a process that died) it asks
# twice more, within the 15 seconds that it waits in all; without one it only does where it could not connect. The stored
# answer is given again. A fragment is neither sent nor signed.
ASKED_AGAIN = "#rc=2&rp=all"
NONCE_BYTES = 12
# Stands for what has been cleared: a clear key now is one on an empty entry, and a timeout a fresh start.
CLEARED = b"0"


@dataclass(frozen=True)
class Listening:
    """How an entry is gathered, as the action's URL carries it. `digits`: the length that ends it, 0 where none does."""

    digits: int
    done: str
    clear: str
    gap_s: int
    more_s: int = 0  # the second Gather's time for the first key
    kept: str = ""  # what has been keyed since the clear key, as `Keeper` wrote it

    def url(self, url: str) -> str:
        known = {"n": self.digits, "done": self.done, "clear": self.clear, "gap": self.gap_s}
        known |= {"more": self.more_s} if self.more_s else {}
        return f"{url}&{urlencode(known | ({'kept': self.kept} if self.kept else {}))}"

    def gather(self, url: str, timeout_s: int, *, digits: int, said: str = "") -> str:
        limit = f' numDigits="{digits}"' if digits else ""
        return (
            f'<Gather input="dtmf" action={quoteattr(self.url(url) + ASKED_AGAIN)} method="POST" timeout="{timeout_s}"{limit}'
            f' finishOnKey="{self.done}" actionOnEmptyResult="true">{said}</Gather>'
        )

    @property
    def rules(self) -> EntryRules:
        return EntryRules(self.digits, self.digits, self.done, self.clear)


def listening_for(collect: Collect) -> Listening:
    rules = collect.rules
    digits = rules.max_length if rules.ends_by_length and not rules.ends_at else 0
    gap_s = ceil(collect.inter_digit_timeout_s)
    more_s = ceil(collect.first_key_timeout_s - collect.inter_digit_timeout_s)
    return Listening(digits, rules.done, rules.clear, gap_s, max(gap_s, more_s) if more_s > 0 else 0)


def read_listening(query: "MultiDict[str, str]") -> Listening | None:
    """What `url` wrote; None for the URL of no Gather."""
    if "n" not in query:
        return None
    numbers = [query.get(name, "0") for name in ("n", "gap", "more")]
    done, clear = query.get("done", ""), query.get("clear", "")
    if not all(n.isdecimal() and len(n) < 4 for n in numbers) or {done, clear} != set(KEYS):
        raise PeerError("the URL is not one that an answer of ours had")
    digits, gap_s, more_s = (int(n) for n in numbers)
    return Listening(digits, done, clear, gap_s, more_s, query.get("kept", ""))


class Keeper:
    """Keys on their way from one Gather to the next, readable to whoever has the auth token; bound to one request."""

    def __init__(self, key: bytes, call: str) -> None:
        self._cipher, self._call = AESGCM(key), call

    def keep(self, keys: bytes | bytearray, url: str) -> str:
        nonce = os.urandom(NONCE_BYTES)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, bytes(keys), self._bound(url))).decode()

    def open(self, kept: str, url: str) -> bytes:
        """Nothing where it was kept for another request, or with another token."""
        try:
            sealed = base64.urlsafe_b64decode(kept.encode())
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(url))
        except (InvalidTag, ValueError):
            return b""

    def _bound(self, url: str) -> bytes:
        return f"{self._call} {url}".encode()


@dataclass(frozen=True)
class Gathered:
    """What a Gather brought. `silent`: the answer that goes on listening without a word; None once the entry is over."""

    keys: Digits
    silent: str | None = None


def take(listening: Listening, digits: bytearray, done: str, url: str, keeper: Keeper) -> Gathered:
    """`digits` as Twilio sent them, `done` the key that ended them, `url` the call's present request."""
    if not digits and not done and listening.more_s:
        waiting = replace(listening, more_s=0)
        return Gathered(Digits(b""), waiting.gather(url, listening.more_s, digits=listening.digits))
    before = CLEARED + listening.clear.encode() + keeper.open(listening.kept, url) if listening.kept else b""
    keys = joined(before, digits, done)
    wanted = listening.digits - max(0, len(before) - 2)
    if done or not listening.digits or len(digits) != wanted:
        return Gathered(keys)
    span = read_entry(keys.buffer, listening.rules)
    if span.reading not in (Reading.OPEN, Reading.CLEARED):
        return Gathered(keys)
    since = keys.buffer[span.start : span.end]
    further = replace(listening, more_s=0, kept=keeper.keep(since, url))
    silent = further.gather(url, listening.gap_s, digits=listening.digits - len(since))
    since[:] = bytes(len(since))
    keys.wipe()
    return Gathered(keys, silent)


def joined(before: bytes, digits: bytearray, done: str) -> Digits:
    """One buffer of the right size from the start: one that grows leaves copies behind."""
    keys = Digits(bytes(len(before) + len(digits) + len(done)))
    keys.buffer[: len(before)] = before
    keys.buffer[len(before) : len(before) + len(digits)] = digits
    keys.buffer[len(before) + len(digits) :] = done.encode()
    return keys
