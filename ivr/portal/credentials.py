"""What people prove themselves with: passwords, codes by time, recovery codes, and the secrets of links and cookies.

Passwords are hashed by Argon2id with the library's own parameters (RFC 9106). Codes are RFC 6238, thirty seconds each; one
step to either side is taken, because telephones' clocks differ. Links and cookies carry 256 random bits, and only their
SHA-256 is kept: there is nothing to guess, so a slow hash would add nothing.
"""

import base64
import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from pathlib import Path

import pyotp
import segno
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.bank.dev_keys import one_at_a_time, replace
from ivr.errors import ConfigError
from ivr.store import Store

STEP_S = 30
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 200  # characters; NIST SP 800-63B-4: length, and no rules of composition
RECOVERY_CODES = 10
KEY_FILE, KEY_BYTES, NONCE_BYTES = "portal.key", 32, 12
hasher = PasswordHasher()


def hash_password(password: str) -> str:
    return hasher.hash(password)


def is_password(password: str, hashed: str | None) -> bool:
    """As slow for nobody (None) as for somebody: an answer's time does not say which names there are."""
    try:
        return hasher.verify(hashed or nobodys_hash(), password[:LONGEST_PASSWORD]) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def nobodys_hash() -> str:
    return hasher.hash(secrets.token_urlsafe())


def password_problem(password: str, name: str) -> str | None:
    """What is wrong with a password that somebody chooses; None where nothing is."""
    if len(password) < SHORTEST_PASSWORD:
        return f"the password has {len(password)} characters: choose at least {SHORTEST_PASSWORD}, such as four words"
    if len(password) > LONGEST_PASSWORD:
        return f"the password is longer than {LONGEST_PASSWORD} characters"
    if len(set(password)) < 5 or name.lower() in password.lower():
        return "the password is easy to guess: choose four words that have nothing to do with each other or with you"
    return None


def new_secret() -> str:
    """For a link or a cookie: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """For the API. By its beginning, programs that look for secrets in files find it."""
    return f"tonetill_{new_secret()}"


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def csrf_token(session: str) -> str:
    """What each form of a session carries; whoever has it has not got the session."""
    return hashlib.sha256(f"form {session}".encode()).hexdigest()


def is_csrf_token(given: str, session: str) -> bool:
    return hmac.compare_digest(given.encode(), csrf_token(session).encode())


# ---- codes by time


def new_code_secret() -> str:
    return pyotp.random_base32()


def step_of_code(secret: str, code: str, now: datetime) -> int | None:
    """The step that the code is of; None where it is none of now."""
    totp, step = pyotp.TOTP(secret), int(now.timestamp()) // STEP_S
    right = [near for near in (step, step - 1, step + 1) if totp.verify(code, for_time=near * STEP_S)]
    return right[0] if right else None


def code_address(secret: str, name: str, site: str) -> str:
    """What an authenticator app reads: an `otpauth:` address."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=site)


def qr_picture(text: str) -> str:
    """An SVG to stand inside a page."""
    picture: str = segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", title="QR code")
    return picture


def new_recovery_codes() -> list[str]:
    """Fifty bits each, in letters and digits that are not mistaken for each other."""
    alphabet = "23456789abcdefghjkmnpqrstuvwxyz"
    drawn = ["".join(secrets.choice(alphabet) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    return [f"{one[:5]}-{one[5:]}" for one in drawn]


def recovery_digest(code: str) -> str:
    """However it is written: with or without the hyphen, in capitals or not."""
    return digest_of("".join(filter(str.isalnum, code.lower())))


# ---- at rest


def portal_key(keys: Path) -> bytes:
    """Encrypts the secrets of codes; made the first time, and the same for all nodes of a site. ConfigError where it cannot be."""
    file = keys / KEY_FILE
    try:
        if not file.exists():
            keys.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = file.with_name(f".{KEY_FILE}.{os.getpid()}")
            draft.touch(mode=0o600)
            draft.write_bytes(secrets.token_bytes(KEY_BYTES))
            with suppress(FileExistsError):
                os.link(draft, file)  # the first process to get here decides
            draft.unlink()
        key = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    if len(key) not in (KEY_BYTES, 2 * KEY_BYTES):
        raise ConfigError(
            f"{file}: expected {KEY_BYTES} bytes: take it from another node, or a copy; without it users must be reset"
        )
    return key


def renew_portal_key(keys: Path, store: Store) -> None:
    """A new key before the old one, which opens what is still under way; what stands in the database is encrypted anew. Done
    again where it stopped half-way, it comes to the same. ConfigError where the file cannot be written."""
    try:
        with one_at_a_time(
            keys
        ):  # of two at once the second begins with the first one's key, and with what was sealed by it
            old = portal_key(keys)
            key = secrets.token_bytes(KEY_BYTES) + old[:KEY_BYTES]
            replace(keys / KEY_FILE, key)
            store.seal_codes_again(partial(sealed_again, key, key + old[KEY_BYTES:]))
    except OSError as error:
        raise ConfigError(f"cannot write {keys / KEY_FILE}: {error.strerror}") from None


def sealed_again(key: bytes, known: bytes, sealed: str, name: str) -> str | None:
    """By `key`, of one that any of the `known` keys opens; None where none does."""
    secret = open_code_secret(known, sealed, name)
    return None if secret is None else seal_code_secret(key, secret, name)


@dataclass
class PortalKeyFile:
    """The key as the file has it now: a rotation is taken up without a restart."""

    keys: Path
    _read: tuple[int, bytes] = (0, b"")

    def __call__(self) -> bytes:
        """ConfigError where it cannot be read."""
        try:
            changed = (self.keys / KEY_FILE).stat().st_mtime_ns
        except OSError:
            changed = 0
        if changed != self._read[0] or not changed:
            self._read = (changed, portal_key(self.keys))
        return self._read[1]


def seal_code_secret(key: bytes, secret: str, name: str) -> str:
    """Bound to the name: a row that is copied to somebody else opens for nobody. Of a key and the one before it, by the first."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key[:KEY_BYTES]).encrypt(nonce, secret.encode(), name.encode())).decode()


def open_code_secret(key: bytes, sealed: str, name: str) -> str | None:
    """None where it was sealed for another name or by another key."""
    raw = base64.b64decode(sealed)
    for at in range(0, len(key), KEY_BYTES):
        with suppress(InvalidTag):
            one = AESGCM(key[at : at + KEY_BYTES])
            return one.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], name.encode()).decode()
    return None
