"""Signed heads of the audit trail: written elsewhere from time to time, they show that its end was cut off or written anew.

The chain alone finds what was changed in its middle; who can write to the database could still cut its end off, or make the
whole chain anew. A head is one line of JSON: the number and digest of the latest event, when, and a signature (Ed25519).
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from ivr.bank.dev_keys import one_at_a_time, replace
from ivr.core.json_text import parse_json
from ivr.errors import ConfigError
from ivr.store import AuditHead, Store

PRIVATE, PUBLIC = "audit_signing.pem", "audit_public.pem"
END = "-----END PUBLIC KEY-----"


@dataclass(frozen=True)
class SignedHead:
    """`line`: where it stands in its file, from 1."""

    line: int
    at: str
    head: AuditHead


@dataclass(frozen=True)
class HeadProblem:
    line: int
    told: str


def new_signing_key() -> tuple[bytes, bytes]:
    """Both halves as PEM: the private one for this machine, the public one for who checks."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def renew_signing_key(keys: Path) -> tuple[str, str]:
    """A new pair in place of the old; its public half goes before the older ones, so that heads signed before stay good. The
    fingerprints of both (SHA-256 of the public half, its beginning). ConfigError where a file cannot be written."""
    private, public = new_signing_key()
    try:
        with one_at_a_time(keys):
            older = (keys / PUBLIC).read_bytes() if (keys / PUBLIC).exists() else b""
            # In this order: a head that is signed in between is checked by a file that has both.
            replace(keys / PUBLIC, public + older)
            replace(keys / PRIVATE, private)
    except OSError as error:
        raise ConfigError(f"cannot write {error.filename}: {error.strerror}") from None
    return fingerprint_of(older), fingerprint_of(public)


def fingerprint_of(public: bytes) -> str:
    """Of the newest of the public halves in a file; "-" where there is none."""
    newest = _public_keys(public)[:1]
    return hashlib.sha256(newest[0]).hexdigest()[:16] if newest else "-"


def _public_keys(pem: bytes) -> list[bytes]:
    return [f"{one.strip()}\n{END}\n".encode() for one in pem.decode("utf-8", "replace").split(END) if one.strip()]


def signed_line(head: AuditHead, key_file: Path, now: datetime) -> str:
    """ConfigError where the key is missing or is none."""
    body = {"at": now.astimezone(UTC).isoformat(timespec="seconds"), "id": head.id, "digest": head.digest}
    return json.dumps(body | {"signature": base64.b64encode(private_key(key_file).sign(_signed(body))).decode()})


def private_key(key_file: Path) -> Ed25519PrivateKey:
    """ConfigError where it is missing or is none."""
    try:
        key = load_pem_private_key(key_file.read_bytes(), None)
    except OSError as error:
        raise ConfigError(f"{key_file}: {error.strerror}: `set-up` makes it") from None
    except (ValueError, TypeError):
        raise ConfigError(f"{key_file}: it is no private key in PEM form") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{key_file}: it is a key of another kind: an Ed25519 key is needed")
    return key


def _signed(body: dict[str, object]) -> bytes:
    return "\n".join(("tonetill audit head", *(str(body[name]) for name in ("at", "id", "digest")))).encode()


def read_heads(file: Path, key_file: Path) -> Iterator[SignedHead | HeadProblem]:
    """Each line as what it says, or as what is wrong with it. ConfigError where a file cannot be read."""
    try:
        keys = public_keys(key_file)
        lines = file.read_text("utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
    except ValueError:
        raise ConfigError(f"{file} is no text") from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _read(number, line, keys)


def public_keys(file: Path) -> list[Ed25519PublicKey]:
    """The newest first, as rotations leave them. ConfigError where the file has none, or others."""
    try:
        found = [load_pem_public_key(one) for one in _public_keys(file.read_bytes())]
    except OSError as error:
        usual = f"; where the line is, it is VAR/keys/{PUBLIC} (var/keys/{PUBLIC})" if not file.exists() else ""
        raise ConfigError(f"cannot read {file}: {error.strerror}{usual}") from None
    except ValueError:
        found = []
    if not found:
        raise ConfigError(f"{file} is no public key in PEM form")
    keys = [key for key in found if isinstance(key, Ed25519PublicKey)]
    if len(keys) != len(found):
        raise ConfigError(f"{file}: it is a key of another kind: an Ed25519 key is needed")
    return keys


def is_signed(keys: Sequence[Ed25519PublicKey], signature: bytes, content: bytes) -> bool:
    """By any of them."""
    for key in keys:
        try:
            key.verify(signature, content)
        except InvalidSignature:
            continue
        return True
    return False


def _read(number: int, line: str, keys: Sequence[Ed25519PublicKey]) -> SignedHead | HeadProblem:
    try:
        said = parse_json(line[line.index("{") :])  # syslog writes its own words before it
        if not is_signed(keys, base64.b64decode(said["signature"], validate=True), _signed(said)):
            return HeadProblem(number, "the signature does not fit: it was changed, or signed with another key")
        return SignedHead(number, str(said["at"]), AuditHead(int(said["id"]), str(said["digest"])))
    except (ValueError, KeyError, TypeError, binascii.Error):
        return HeadProblem(number, "this is no signed head")


def compare_heads(store: Store, heads: Sequence[SignedHead]) -> Iterator[HeadProblem]:
    """What of them the trail does not have any more."""
    latest = store.audit_head()
    digests = store.audit_digests([one.head.id for one in heads])
    for one in heads:
        if one.head.id > latest.id:
            told = f"events {latest.id + 1} to {one.head.id} are cut off: they were there at {one.at}"
            yield HeadProblem(one.line, told)
        elif one.head.id and digests.get(one.head.id) != one.head.digest:
            yield HeadProblem(one.line, f"the events up to {one.head.id} are not those that were there at {one.at}")
