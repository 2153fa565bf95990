"""Adyen's client-side encryption: each field a compact JWE to the merchant's public key at Adyen, which alone can open it.

RSA-OAEP-256 and A256GCM as for any bank here; what differs is around them. The protected header has no room for our
binding to a payment: `alg`, `enc` and `version` are all that Adyen takes. The clear text is a small JSON object with one
field and the time at which it was made; Adyen refuses one that is older than a day. Month and year of the expiry are two
fields there, so that its seal is two texts with a blank between. A postal code is not among the fields that Adyen takes
encrypted, and is not sealed.
"""

from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from ivr.errors import ConfigError
from ivr.vault.card import full_year
from ivr.vault.seal import (
    ALGORITHM,
    ENCRYPTION,
    SealContext,
    SealingKey,
    compact,
    read_sealing_key,
    require_rsa,
    thumbprint,
)
from ivr.vault.secret import Secret

HEADER = {"alg": ALGORITHM, "enc": ENCRYPTION, "version": "1"}
NAMES = {"card_number": b"number", "security_code": b"cvc"}
BETWEEN = " "
SMALLEST_EXPONENT = 3
CURE = "copy it from Adyen's Customer Area: Developers, API credentials, Client settings, Public key"


def seal_for_adyen(field: str, clear: bytearray, context: SealContext, key: SealingKey, now: datetime) -> str | None:
    """None for a field that Adyen takes in no sealed form. The clear buffer is read in place; wiping it is the caller's."""
    if field in NAMES:
        return seal_one(NAMES[field], clear, key, now)
    if field != "expiry":
        return None
    century = b"%02d" % (full_year(int(clear[2:]), now.date()) // 100)
    with Secret(clear[:2]) as month, Secret(bytearray(century) + clear[2:]) as year:
        sealed = (
            seal_one(b"expiryMonth", month.buffer, key, now),
            seal_one(b"expiryYear", year.buffer, key, now),
        )
    return BETWEEN.join(sealed)


def seal_one(name: bytes, clear: bytearray, key: SealingKey, now: datetime) -> str:
    made = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00").encode()
    parts = (b'{"%s":"' % name, clear, b'","generationtime":"%sZ"}' % made)
    with Secret(bytearray(sum(map(len, parts)))) as whole:
        at = 0
        for part in parts:  # into its place: a buffer that grows is moved, and leaves what it held behind
            whole.buffer[at : at + len(part)] = part
            at += len(part)
        return compact(HEADER, whole.buffer, key, now)


def load_adyen_key(file: Path) -> SealingKey:
    """`exponent|modulus` in hexadecimal, as Adyen shows it, or a certificate. ConfigError names the file and the cure."""
    try:
        content = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; {CURE}") from None
    if b"-----BEGIN" in content:
        return read_sealing_key(file)
    exponent, bar, modulus = content.partition(b"|")
    if not bar or not is_hexadecimal(exponent) or not is_hexadecimal(modulus):
        raise ConfigError(f"{file}: not Adyen's public key, which is exponent|modulus in hexadecimal; {CURE}")
    if len(exponent) > len(modulus):
        raise ConfigError(f"{file}: the two halves are swapped: the short one, the exponent, comes first; {CURE}")
    return key_of_halves(int(exponent, 16), int(modulus, 16), file)


def key_of_halves(exponent: int, modulus: int, file: Path) -> SealingKey:
    if exponent < SMALLEST_EXPONENT or exponent % 2 == 0 or modulus % 2 == 0:
        raise ConfigError(f"{file}: no RSA key has such an exponent or modulus: something was cut off; {CURE}")
    try:
        public = require_rsa(RSAPublicNumbers(exponent, modulus).public_key(), file)
    except ValueError:
        raise ConfigError(
            f"{file}: {modulus.bit_length()} bits are no RSA key: something was cut off; {CURE}"
        ) from None
    itself = thumbprint(public)
    return SealingKey(public, itself, file, thumbprint=itself)


def is_hexadecimal(written: bytes) -> bool:
    return bool(written) and set(written.lower()) <= set(b"0123456789abcdef")
