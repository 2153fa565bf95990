"""Sealing: JWE to the bank's public key, bound to merchant, call, intent and field. Nothing here can open a seal again.

RFC 7516 compact form, RSA-OAEP-256 and A256GCM and nothing else (RFC 8725 3.1: an explicit list of algorithms).
The binding is in the protected header, which A256GCM authenticates: a field lifted into another intent is refused.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwe
from joserfc.jwk import RSAKey
from joserfc.registry import HeaderParameter

from ivr.errors import ConfigError

ALGORITHM, ENCRYPTION = "RSA-OAEP-256", "A256GCM"
BINDING = "tonetill"
SMALLEST_KEY = 2048
_REGISTRY = jwe.JWERegistry(
    header_registry={BINDING: HeaderParameter("What the field belongs to", "list[str]")}, algorithms=[ALGORITHM, ENCRYPTION]
)


@dataclass(frozen=True)
class SealContext:
    """What a sealed field belongs to."""

    merchant: str
    call: str
    intent: str


@dataclass(frozen=True)
class SealingKey:
    """The bank's public key, parsed once, with its name."""

    kid: str
    key: RSAKey

    def seal(self, clear: bytes, context: SealContext, field: str) -> str:
        """76 us at RSA-3072."""
        binding = [context.merchant, context.call, context.intent, field]
        header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": self.kid, BINDING: binding}
        return jwe.encrypt_compact(header, clear, self.key, registry=_REGISTRY)


def load_sealing_key(certificate: Path, now: datetime | None = None) -> SealingKey:
    """From the bank's certificate in PEM; ConfigError names the file and the cure. `kid` is its SHA-256 in short."""
    try:
        parsed = x509.load_pem_x509_certificate(certificate.read_bytes())
        public = parsed.public_key()
    except OSError as error:
        raise ConfigError(f"cannot read the bank's sealing key {certificate}: {error.strerror}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            f"{certificate} is not a PEM certificate: ask the bank for its encryption certificate"
        ) from None
    if (now or datetime.now(UTC)) > parsed.not_valid_after_utc:
        raise ConfigError(
            f"{certificate} expired on {parsed.not_valid_after_utc:%Y-%m-%d}: ask the bank for its new one"
        )
    if not isinstance(public, RSAPublicKey) or public.key_size < SMALLEST_KEY:
        raise ConfigError(f"{certificate}: expected an RSA key of at least {SMALLEST_KEY} bits")
    kid = public_key_id(public)
    return SealingKey(kid, RSAKey.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)))


def public_key_id(public: RSAPublicKey) -> str:
    """The key's own name, so that the bank can tell which of its keys was used."""
    import hashlib

    encoded = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).hexdigest()[:16]
