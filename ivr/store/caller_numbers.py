"""Callers' numbers at rest: encrypted by a key of their own, each bound to its row, and found again by a keyed hash.

A number stands in a column of its own, as `sealed:<key>:<nonce and ciphertext>` (AES-256-GCM). Wherever else it occurs in
the row's texts, such as a call's state, a mark stands for it: the texts stay readable, and whoever empties the one column
has forgotten the number everywhere in the row. `key` names one of the keys in `numbers.key`: the first seals, all open.
"""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.core.caller import SHORTEST_TEXTED, caller_key

NUMBER_KEY_BYTES, NONCE_BYTES = 32, 12
SEALED = "sealed:"
# For the number as it came, and for its digits alone: control characters, which JSON escapes and XML does not have (XML 1.0, 2.2).
WHOLE, DIGITS = "\x01", "\x02"
OPENED_KEPT = 4096  # a call's webhooks open the same number again and again


class NumberSeals:
    """`keys`: the first seals. `hash_key` keys the hash that the ledger knows callers by (`hash_of_caller`)."""

    def __init__(self, keys: Iterable[bytes], hash_key: bytes) -> None:
        self._keys = {number_key_id(key): AESGCM(key) for key in keys}
        self.sealing = next(iter(self._keys))
        self._hash_key = hash_key
        self.seal = lru_cache(OPENED_KEPT)(self._seal)
        self.open = lru_cache(OPENED_KEPT)(self._open)

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self._keys)

    def hash(self, number: str) -> str:
        return hash_of_caller(self._hash_key, number)

    def _seal(self, number: str, row: str) -> str:
        """`row`: what the number or address belongs to; copied elsewhere it opens for nobody."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + self._keys[self.sealing].encrypt(nonce, number.encode(), row.encode())
        return f"{SEALED}{self.sealing}:{urlsafe_b64encode(sealed).decode()}"

    def _open(self, sealed: str, row: str) -> str:
        """ "" where there is none, or it cannot be opened."""
        key, _, text = sealed.removeprefix(SEALED).partition(":")
        if not sealed.startswith(SEALED) or key not in self._keys:
            return ""
        try:
            raw = urlsafe_b64decode(text)
            return self._keys[key].decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], row.encode()).decode()
        except (InvalidTag, NotBase64, ValueError):
            return ""

    def __repr__(self) -> str:
        return "NumberSeals(***)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("keys are not pickled")


def number_key_id(key: bytes) -> str:
    """Names a key in what it has sealed."""
    return hashlib.sha256(b"tonetill numbers " + key).hexdigest()[:8]


def hash_of_caller(hash_key: bytes, number: str) -> str:
    """By which a caller is counted and found, and nobody is called; empty for one whose number is withheld."""
    key = caller_key(number)
    return hmac.new(hash_key, key.encode(), hashlib.sha256).hexdigest() if key else ""


def hide(text: str, number: str) -> str:
    """The text with marks where the number was; `show` undoes it exactly. A short number is no more than any digits."""
    if len(number) < SHORTEST_TEXTED or not caller_key(number):
        return text
    text = text.replace(number, WHOLE)
    digits = _digits(number)
    return text.replace(digits, DIGITS) if digits else text


def show(text: str, number: str) -> str:
    """`number`: "" for one that was forgotten."""
    if WHOLE not in text and DIGITS not in text:
        return text
    return text.replace(DIGITS, _digits(number)).replace(WHOLE, number)


def hide_in_state(state: str, number: str) -> str:
    """Of a call's JSON, which also says what a shorter number is."""
    if not caller_key(number):
        return state
    written = json.dumps(number)
    return hide(state.replace(f'"ani":{written}', f'"ani":"{WHOLE}"', 1), written[1:-1])


def show_in_state(state: str, number: str) -> str:
    return show(state, json.dumps(number)[1:-1])


def sealed_recipient(numbers: NumberSeals | None, row: Mapping[str, Any]) -> dict[str, Any]:
    """A text's row as it is kept; as it is where there are no keys."""
    if numbers is None or row["recipient"] is None:  # a text to nobody is refused by the database
        return dict(row)
    to = str(row["recipient"])
    sealed = {"recipient": numbers.seal(to, text_row(str(row["id"]))), "recipient_hash": numbers.hash(to)}
    return {**row, **sealed, "body": hide(str(row["body"]), to)}


def opened_recipient(numbers: NumberSeals | None, text_id: str, kept: str) -> str:
    """As it was given; what was kept before numbers were sealed is in clear."""
    if not kept.startswith(SEALED):
        return kept
    return numbers.open(kept, text_row(text_id)) if numbers else ""


def sealed_caller(numbers: NumberSeals, call_id: str, ani: str) -> str:
    """Empty for a caller without a number: the word that the network put there says nothing of anybody."""
    return numbers.seal(ani, call_row(call_id)) if caller_key(ani) else ""


def opened_state(numbers: NumberSeals | None, call_id: str, state: str, caller: str | None) -> str:
    """A call's JSON with the caller's number in it."""
    number = numbers.open(caller, call_row(call_id)) if numbers and caller else ""
    return show_in_state(state, number)


def call_row(call_id: str) -> str:
    return f"call {call_id}"


def text_row(text_id: str) -> str:
    return f"text {text_id}"


def _digits(number: str) -> str:
    key = caller_key(number)
    return key if key.isdecimal() and len(key) >= SHORTEST_TEXTED else ""
