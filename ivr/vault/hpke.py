"""Seals a field by HPKE (RFC 9180) with X25519 and ML-KEM-768 together, for a bank that takes it: `hpke-x25519-mlkem768`.

What is recorded today cannot be opened by a quantum computer later, unless both are broken. The suite is fixed: KEM
MLKEM768-X25519 (0x647a, also called X-Wing), KDF HKDF-SHA256, AEAD AES-256-GCM. A seal is `header.encapsulated.content`,
each base64url. The header is JSON, as in a JWE of ours, and its base64url text is HPKE's `info`: neither it nor what it
binds the field to can be changed (RFC 9180 8.1 wants it there with a single message). Two foreign libraries open it in
the tests.
"""

import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey, Suite

from ivr.errors import ConfigError
from ivr.vault.seal import SealContext, SealingKey, b64, binding, require_not_ended, sealed_header

HPKE = "hpke-x25519-mlkem768"
SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
MLKEM_BYTES, X25519_BYTES = 1184, 32  # FIPS 203 table 3, RFC 7748 6.1: in this order they are one public key
ENCAPSULATED_BYTES = KEM.MLKEM768_X25519.enc_length()
CURE = f'ask the bank for its public key as a JWK: {{"kty": "AKP", "alg": "{HPKE}", "pub": "..."}}'


def seal_by_hpke(field: str, clear: bytearray, context: SealContext, key: SealingKey, now: datetime) -> str:
    """The clear buffer is read in place; wiping it is the caller's."""
    require_not_ended(key, now)
    assert isinstance(key.public, MLKEM768X25519PublicKey)
    header = sealed_header(hpke_header(field, context, key.kid))
    sealed = SUITE.encrypt(clear, key.public, header)
    parts = header, b64(sealed[:ENCAPSULATED_BYTES]), b64(sealed[ENCAPSULATED_BYTES:])
    return b".".join(parts).decode("ascii")


def hpke_header(field: str, context: SealContext, kid: str) -> dict[str, object]:
    return {"alg": HPKE, "kid": kid, **binding(field, context)}


def load_hpke_key(file: Path) -> SealingKey:
    """From a JWK. ConfigError names the file and the cure."""
    try:
        jwk: Mapping[str, Any] = json.loads(file.read_bytes())
        is_private, raw = "priv" in jwk, str(jwk["pub"])
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; {CURE}") from None
    except (ValueError, TypeError, KeyError):
        raise ConfigError(f"{file}: not a JWK with a 'pub'; {CURE}") from None
    if is_private:
        raise ConfigError(f"{file}: this is a private key; only the bank may have that; {CURE}")
    if (jwk.get("kty"), jwk.get("alg")) != ("AKP", HPKE):
        raise ConfigError(f"{file}: the key must be of kty 'AKP' and alg '{HPKE}'; {CURE}")
    itself = hpke_thumbprint(raw)
    return SealingKey(public_key(raw, file), str(jwk.get("kid") or itself), file, thumbprint=itself)


def public_key(written: str, file: Path) -> MLKEM768X25519PublicKey:
    try:
        raw = urlsafe_b64decode(written + "=" * (-len(written) % 4))
        if len(raw) != MLKEM_BYTES + X25519_BYTES:
            raise ValueError
        mlkem, x25519 = raw[:MLKEM_BYTES], raw[MLKEM_BYTES:]
        return MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(mlkem), X25519PublicKey.from_public_bytes(x25519)
        )
    except ValueError:
        length = MLKEM_BYTES + X25519_BYTES
        raise ConfigError(f"{file}: 'pub' is not the base64url of a key of {length} bytes; {CURE}") from None


def hpke_thumbprint(pub: str) -> str:
    """RFC 7638, over the members that make a key of this type: alg, kty and pub."""
    members = json.dumps({"alg": HPKE, "kty": "AKP", "pub": pub}, separators=(",", ":"))
    return b64(hashlib.sha256(members.encode()).digest()).decode("ascii")
