"""The only place that sees a clear card number: checks it, seals it to the bank (or to the forwarder), wipes it. It stores and sends nothing.

This package has fewer lines than any other, because each of them can see a card: it has no log, no web framework, no
database, no pickle and no socket, and the card's digits are never in a `str` or any other object that cannot be wiped.
"""

from ivr.core.brands import passes_luhn
from ivr.vault.card import CardRules, Reason, last_date_on_earth
from ivr.vault.hpke import HPKE
from ivr.vault.intake import Intake, Vault
from ivr.vault.key_ring import KeyFile, KeyRing
from ivr.vault.seal import (
    IV_BYTES,
    OAEP_256,
    TAG_BYTES,
    SealContext,
    SealingKey,
    b64,
    load_sealing_key,
    protected_header,
    sealed_header,
    thumbprint,
)
from ivr.vault.secret import Secret

__all__ = [
    "HPKE",
    "IV_BYTES",
    "OAEP_256",
    "TAG_BYTES",
    "CardRules",
    "Intake",
    "KeyFile",
    "KeyRing",
    "Reason",
    "SealContext",
    "SealingKey",
    "Secret",
    "Vault",
    "b64",
    "last_date_on_earth",
    "load_sealing_key",
    "passes_luhn",
    "protected_header",
    "sealed_header",
    "thumbprint",
]
