"""Seals a field to the bank's public key as a compact JWE (RFC 7516). Nothing here can open what it has sealed.

Composed from `cryptography` in place of a JOSE library, because those copy the plaintext into an immutable `bytes` that
nobody can wipe. The algorithms are fixed, not chosen by a header; an independent library opens the result in the tests.
"""

import binascii
import json
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from ivr.errors import ConfigError

ALGORITHM, ENCRYPTION = "RSA-OAEP-256", "A256GCM"
OAEP_256 = OAEP(mgf=MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)  # RFC 7518 4.3
LEAST_RSA_BITS = 2048  # RFC 7518 4.3
IV_BYTES, TAG_BYTES = 12, 16  # RFC 7518 5.3
BINDING = "tonetill"
FOREVER = datetime.max.replace(tzinfo=UTC)
NOT_A_KEY = (ValueError, TypeError, KeyError, AttributeError, JoseError, UnsupportedAlgorithm, x509.DuplicateExtension)
CURE = "ask the bank for its sealing certificate, or set `sealing_key` in banks.yaml to it"


@dataclass(frozen=True)
class SealContext:
    """What a sealed field is good for: anywhere else the bank refuses it. `beside`: another field of the same payment as it
    was sealed before, to whose key this one goes as well; empty for the first."""

    merchant: str
    call: str
    intent: str
    beside: str = field(default="", repr=False)


@dataclass(frozen=True)
class SealingKey:
    """The bank's public half. `good_from` is the first day of its certificate, where it came in one, by the dates of UTC;
    `good_until` the last moment, to the end of its second (RFC 5280 4.1.2.5: notAfter is included). `thumbprint`: of the key
    itself, whatever `kid` it is called by."""

    public: RSAPublicKey | MLKEM768X25519PublicKey
    kid: str
    file: Path
    good_until: datetime = FOREVER
    good_from: date = date.min
    thumbprint: str = ""


def seal(field: str, clear: bytearray, context: SealContext, key: SealingKey, now: datetime) -> str:
    """The field as a compact JWE. The clear buffer is read in place; wiping it is the caller's."""
    return compact(protected_header(field, context, key.kid), clear, key, now)


def compact(protected: Mapping[str, object], clear: bytearray, key: SealingKey, now: datetime) -> str:
    """RFC 7516 3.1, whatever the protected header says."""
    require_not_ended(key, now)
    header = sealed_header(protected)
    assert isinstance(key.public, RSAPublicKey)
    content_key, iv = AESGCM.generate_key(bit_length=256), os.urandom(IV_BYTES)
    sealed = AESGCM(content_key).encrypt(iv, clear, header)
    parts = (
        header,
        b64(key.public.encrypt(content_key, OAEP_256)),
        b64(iv),
        b64(sealed[:-TAG_BYTES]),
        b64(sealed[-TAG_BYTES:]),
    )
    return b".".join(parts).decode("ascii")


def require_not_ended(key: SealingKey, now: datetime) -> None:
    if now > key.good_until:
        ended = said_last(key.good_until)
        raise ConfigError(f"{key.file}: the bank's sealing certificate expired on {ended}; {CURE}")


def said_last(moment: datetime) -> str:
    """A day, where all of it counts; else with the minute."""
    return f"{moment:%Y-%m-%d}" if moment == last_of(moment.date()) else f"{moment:%Y-%m-%d %H:%M} UTC"


def last_of(day: date) -> datetime:
    """The last moment that is of that day, UTC."""
    return datetime.combine(day, time.max, UTC)


def protected_header(field: str, context: SealContext, kid: str) -> dict[str, object]:
    """Authenticated with the content (RFC 7516 5.1, step 14), so that a field cannot be moved to another payment."""
    return {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": kid, **binding(field, context)}


def binding(field: str, context: SealContext) -> dict[str, object]:
    """`crit` (RFC 7516 4.1.13): a bank that does not know the binding must refuse the field, not ignore the binding."""
    bound = {"merchant": context.merchant, "call": context.call, "intent": context.intent, "field": field}
    return {"crit": [BINDING], BINDING: bound}


def sealed_header(protected: Mapping[str, object]) -> bytes:
    """As it stands in the seal, and as it is authenticated."""
    return b64(json.dumps(protected, separators=(",", ":")).encode())


def kid_of_seal(compact: str) -> str:
    """As its header says; empty where that names no key, as Adyen's does not, or where it is no seal."""
    header = compact.partition(".")[0].encode()
    try:
        said = json.loads(urlsafe_b64decode(header + b"=" * (-len(header) % 4)))
        return str(said.get("kid", ""))
    except (ValueError, AttributeError, binascii.Error):
        return ""


def b64(raw: bytes) -> bytes:
    return urlsafe_b64encode(raw).rstrip(b"=")


def load_sealing_key(file: Path, now: datetime | None = None) -> SealingKey:
    """The same, where it is good now."""
    key = read_sealing_key(file)
    require_good(key, now or datetime.now(UTC))
    return key


def require_good(key: SealingKey, now: datetime) -> None:
    require_not_ended(key, now)
    if now.date() < key.good_from:
        raise ConfigError(
            f"{key.file}: the bank's sealing certificate is not valid before {key.good_from}; check the clock"
        )


def read_sealing_key(file: Path) -> SealingKey:
    """From a certificate or public key in PEM, or a JWK. ConfigError names the file and the cure."""
    try:
        return parse_sealing_key(file.read_bytes(), file)
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; {CURE}") from None
    except NOT_A_KEY:  # what the parsers say could quote the file
        raise ConfigError(f"{file}: not a certificate, public key (PEM) or JWK; {CURE}") from None


def parse_sealing_key(content: bytes, file: Path) -> SealingKey:
    if b"PRIVATE KEY" in content:
        raise ConfigError(f"{file}: this is a private key; only the bank may have that; {CURE}")
    if b"BEGIN CERTIFICATE" in content:
        return key_of_certificate(x509.load_pem_x509_certificate(content), file)
    if b"BEGIN " in content:
        public = require_rsa(load_pem_public_key(content), file)
        return SealingKey(public, thumbprint(public), file, thumbprint=thumbprint(public))
    return key_of_jwk(json.loads(content), file)


def key_of_certificate(certificate: x509.Certificate, file: Path) -> SealingKey:
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not may_encrypt_keys(certificate):
        raise ConfigError(f"{file}: the certificate's key usage does not allow key encipherment; {CURE}")
    public = require_rsa(certificate.public_key(), file)
    itself, until = thumbprint(public), last.replace(microsecond=999_999)
    return SealingKey(public, itself, file, until, first.date(), itself)


def may_encrypt_keys(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return True  # RFC 5280 4.2.1.3: without the extension every use is allowed
    return usage.value.key_encipherment


def key_of_jwk(jwk: Mapping[str, Any], file: Path) -> SealingKey:
    if "d" in jwk:
        raise ConfigError(f"{file}: this is a private key; only the bank may have that; {CURE}")
    if jwk.get("use", "enc") != "enc" or jwk.get("alg", ALGORITHM) != ALGORITHM:
        raise ConfigError(f"{file}: the key must be for use 'enc' and alg '{ALGORITHM}'; {CURE}")
    public = require_rsa(RSAKey.import_key({name: jwk[name] for name in ("kty", "n", "e")}).public_key, file)
    return SealingKey(public, str(jwk.get("kid") or thumbprint(public)), file, thumbprint=thumbprint(public))


def require_rsa(public: object, file: Path) -> RSAPublicKey:
    if not isinstance(public, RSAPublicKey):
        raise ConfigError(f"{file}: not an RSA key; {CURE}")
    if public.key_size < LEAST_RSA_BITS:
        raise ConfigError(f"{file}: {public.key_size} bits; RSA-OAEP-256 needs {LEAST_RSA_BITS} or more; {CURE}")
    return public


def thumbprint(public: RSAPublicKey) -> str:
    """RFC 7638: the same name for a key wherever it is met, without asking anybody."""
    return RSAKey.import_key(public).thumbprint()
