"""The one door for card data: keys go in and are wiped, a verdict and a sealed field come out."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from ivr.core.brands import brand_of
from ivr.errors import ConfigError
from ivr.vault.card import CardRules, Reason, problem_of
from ivr.vault.key_ring import KeyFile, KeyRing
from ivr.vault.seal import SealContext
from ivr.vault.secret import Secret

LEAST_FINGERPRINT_KEY_BYTES = 32  # RFC 2104 3: no less than the hash's length
BIN_DIGITS = 6  # what all networks' BINs have; those of eight digits begin alike in six
BIN_TAG_HEX = 16  # 64 bits: a million BINs are told apart, and it can be no fingerprint


@dataclass(frozen=True)
class Intake:
    """The verdict on one field. `summary`, `fingerprint` (to count attempts per card) and `bin_tag` (to count cards that begin
    alike) only for a valid card number."""

    valid: bool
    reason: Reason | None = None
    summary: str | None = None  # "visa 1111"
    brand: str | None = None
    sealed: str | None = field(default=None, repr=False)
    fingerprint: str | None = field(default=None, repr=False)
    bin_tag: str | None = field(default=None, repr=False)


class Vault:
    """Seals to one bank's key, or to the newest that is good of several, in the form that its protocol names; shared by
    all threads of a process. ConfigError at once where a key is not usable."""

    def __init__(self, sealing_key: Path | Sequence[KeyFile], fingerprint_key: bytes, form: str = "tonetill") -> None:
        if len(fingerprint_key) < LEAST_FINGERPRINT_KEY_BYTES:
            raise ConfigError(f"the fingerprint key has less than {LEAST_FINGERPRINT_KEY_BYTES} bytes; make a new one")
        self._ring: KeyRing | None = KeyRing(sealing_key, form)
        self._fingerprint_key = fingerprint_key

    @property
    def ring(self) -> KeyRing | None:
        """None for a vault that seals nothing."""
        return self._ring

    def renew(self, ring: KeyRing) -> None:
        """What is sealed from now on; what is sealed beside an earlier field goes to the key of that."""
        if self._ring is not None:
            ring.follow(self._ring)
        self._ring = ring

    def can_go_on(self, beside: str) -> bool:
        """Whether a field beside that one is sealed to the same key here."""
        return self._ring is None or self._ring.can_go_on(beside)

    def take(
        self,
        field: str,
        keys: Secret | bytearray,
        context: SealContext,
        rules: CardRules,
        now: datetime,
        callers_date: date | None = None,
    ) -> Intake:
        """Wipes the keys whatever happens. `field` is one of core's `CARD_FIELDS`, otherwise ValueError.

        The sealing key goes by `now`, the card by `callers_date` (`last_date_on_earth`) where it is given.
        """
        with keys if isinstance(keys, Secret) else Secret(keys) as secret:
            try:
                reason = problem_of(field, secret.buffer, rules, callers_date or now.date())
            except KeyError:
                raise ValueError("no such card field") from None
            if reason is not None:
                return Intake(valid=False, reason=reason)
            sealed = self._seal(field, secret.buffer, context, now)
            if field != "card_number":
                return Intake(valid=True, sealed=sealed)
            return self._take_pan(secret.buffer, sealed)

    def _seal(self, field: str, clear: bytearray, context: SealContext, now: datetime) -> str | None:
        assert self._ring is not None
        return self._ring.seal(field, clear, context, now)

    def _take_pan(self, pan: bytearray, sealed: str | None) -> Intake:
        brand = brand_of(pan)
        assert brand is not None  # a number of no known brand is not valid
        summary = f"{brand.name} {pan[-4:].decode('ascii')}"
        marks = fingerprint(pan, self._fingerprint_key), bin_tag(pan, self._fingerprint_key)
        return Intake(True, None, summary, brand.name, sealed, *marks)


def fingerprint(pan: bytearray, key: bytes) -> str:
    """Keyed, because the few possible card numbers could be tried against a plain hash within hours."""
    digest = hmac.new(key, b"pan ", hashlib.sha256)  # apart from what else the key may be used for
    digest.update(pan)
    return digest.hexdigest()


def bin_tag(pan: bytearray, key: bytes) -> str:
    """The same for all cards that begin alike. Keyed, and apart from fingerprints; the digits are read in place."""
    digest = hmac.new(key, b"bin ", hashlib.sha256)
    with memoryview(pan) as whole, whole[:BIN_DIGITS] as card_bin:
        digest.update(card_bin)
    return digest.hexdigest()[:BIN_TAG_HEX]
