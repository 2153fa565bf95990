"""A bank's key pair for HPKE with X25519 and ML-KEM-768, for development: as JWK of kty AKP. Files are for `dev_keys`.

`priv` is the seed of 32 bytes that both halves follow from, as X-Wing has it.
"""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

ALGORITHM = "hpke-x25519-mlkem768"
SEED_BYTES, MLKEM_SEED_BYTES, BOTH_SEEDS_BYTES = 32, 64, 96


def halves(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    """X-Wing (draft-connolly-cfrg-xwing-kem) 5.2: SHAKE256 makes of the seed those of both."""
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    both = hashlib.shake_256(seed).digest(BOTH_SEEDS_BYTES)
    return (
        MLKEM768PrivateKey.from_seed_bytes(both[:MLKEM_SEED_BYTES]),
        X25519PrivateKey.from_private_bytes(both[MLKEM_SEED_BYTES:]),
    )


def new_hpke_pair() -> tuple[bytes, bytes]:
    """Private and public JWK, as files."""
    seed = secrets.token_bytes(SEED_BYTES)
    mlkem, x25519 = halves(seed)
    pub = b64(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())
    members = {"alg": ALGORITHM, "kty": "AKP", "pub": pub}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    public = {**members, "kid": b64(digest)}  # RFC 7638
    return (json.dumps(public | {"priv": b64(seed)}).encode(), json.dumps(public).encode())


def public_half(private: bytes) -> bytes:
    """Of a private JWK. ValueError or AttributeError where it is none."""
    return json.dumps({name: value for name, value in json.loads(private).items() if name != "priv"}).encode()


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def unb64(written: str) -> bytes:
    return urlsafe_b64decode(written + "=" * (-len(written) % 4))
