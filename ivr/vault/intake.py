"""The one door for card keys: validates a field, seals it, wipes what it was given; the answer holds no digit but last4."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import date

from ivr.core.events import CardField
from ivr.vault.card import expiry_fault, is_digits, name_of, pan_fault, postal_code_fault, security_code_fault
from ivr.vault.seal import SealContext, SealingKey
from ivr.vault.secret import Secret


@dataclass(frozen=True)
class CardRules:
    """`brands`: what the merchant takes; `brand`: what the card number was, once it is known."""

    brands: frozenset[str]
    brand: str | None = None


@dataclass(frozen=True)
class Intake:
    """What the rest of the system learns of a field. `fingerprint`: a keyed hash of the PAN for velocity limits."""

    valid: bool
    reason: str | None = None
    summary: str | None = None
    sealed: str | None = field(default=None, repr=False)
    fingerprint: str | None = field(default=None, repr=False)


class Vault:
    """Seals to one bank. `fingerprint_key` is secret: without it a hash of a PAN could be found by trying them all."""

    def __init__(self, sealing_key: SealingKey, fingerprint_key: bytes) -> None:
        self._key = sealing_key
        self._fingerprint = hmac.new(fingerprint_key, digestmod=hashlib.sha256)

    def take(self, name: CardField, keys: bytearray, context: SealContext, rules: CardRules, today: date) -> Intake:
        """Wipes `keys`, whatever happens."""
        with Secret(keys) as secret:
            buffer = secret.view()
            fault = self._fault(name, buffer, rules, today) if is_digits(buffer) else "not_digits"
            if fault is not None:
                return Intake(valid=False, reason=fault)
            sealed = self._key.seal(bytes(buffer), context, name)
            if name != "card_number":
                return Intake(valid=True, sealed=sealed)
            summary = f"{name_of(buffer)} {buffer[-4:].decode()}"
            return Intake(valid=True, summary=summary, sealed=sealed, fingerprint=self._hash(buffer))

    def _fault(self, name: CardField, keys: bytearray, rules: CardRules, today: date) -> str | None:
        match name:
            case "card_number":
                return pan_fault(keys, rules.brands)
            case "expiry":
                return expiry_fault(keys, today)
            case "security_code":
                return security_code_fault(keys, rules.brand)
            case "postal_code":
                return postal_code_fault(keys)

    def _hash(self, pan: bytearray) -> str:
        keyed = self._fingerprint.copy()
        keyed.update(pan)
        return keyed.hexdigest()
