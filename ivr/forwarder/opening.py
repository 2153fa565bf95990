"""Opens card fields sealed to the forwarder's own key, for banks that want them in clear inside TLS (`seal_to: vault`).

Here and nowhere else: what seals cannot open, and no other process of ours may import this. The clear text is decrypted
straight into a buffer, which the bank's client wipes as soon as its request is written (`ClearCard`).
"""

import binascii
import stat
from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ivr.bank import AuthorizationRequest, BankSettings, CardNotOpened, ClearCard, VaultSealed
from ivr.errors import ConfigError
from ivr.places import COMMAND
from ivr.vault import IV_BYTES, OAEP_256, TAG_BYTES, SealContext, b64, protected_header, sealed_header, thumbprint

CURE = f"`opening_key` is the forwarder's own private key, which `{COMMAND} set-up` makes"
NOT_SEALED_HERE = (ValueError, InvalidTag, binascii.Error)
# How long after the last field was sealed to a key it may still be asked for. One keeps a request's key for a day, an
# ISO 8583 host is told of a reversal until it has answered; what has no answer after this is for people.
LONGEST_PENDING = timedelta(days=30)


@dataclass(frozen=True)
class OpeningKey:
    """`kid`: as the vault was told to name it, where that is not the key's own name."""

    file: Path
    kid: str = ""


class CardOpener:
    """Holds the private keys. ConfigError where one cannot be read, or where others than its owner can read it."""

    def __init__(self, keys: Path | Iterable[OpeningKey]) -> None:
        self._keys = read_keys([OpeningKey(keys)] if isinstance(keys, Path) else keys)

    @property
    def kids(self) -> list[str]:
        return [*self._keys]

    def renew(self, keys: Iterable[OpeningKey]) -> None:
        """A card that is being opened is opened with what it began with. ConfigError, and nothing has changed."""
        self._keys = read_keys(keys)

    def __call__(self, request: AuthorizationRequest) -> ClearCard:
        """Use it in `with`. CardNotOpened where a field was sealed to another key, or for another payment or field."""
        context = SealContext(request.merchant, request.call, request.reference)
        buffers: dict[str, bytearray] = {}
        keys = self._keys
        try:
            for field, sealed in request.sealed.items():
                headers = {sealed_header(protected_header(field, context, kid)): key for kid, key in keys.items()}
                header = sealed.encode().partition(b".")[0]
                if header not in headers:
                    raise ValueError
                open_into(buffers, field, sealed.encode(), header, headers[header])
        except NOT_SEALED_HERE as error:
            ClearCard(buffers).wipe()
            why = type(error).__name__
            raise CardNotOpened(f"a field was not sealed to our key for this payment ({why})") from None
        return ClearCard(buffers)


def open_into(buffers: dict[str, bytearray], field: str, sealed: bytes, header: bytes, key: RSAPrivateKey) -> None:
    """RFC 7516 5.2, of one form only: the header must be the one that we would have sealed under, byte by byte, so that
    nothing in what was received is read before it is authenticated. It also says which of our keys that was."""
    _, *parts = sealed.split(b".")
    encrypted_key, iv, content, tag = map(decoded, parts)
    if len(iv) != IV_BYTES or len(tag) != TAG_BYTES:
        raise ValueError
    content_key = AESGCM(key.decrypt(encrypted_key, OAEP_256))
    buffers[field] = bytearray(len(content))
    content_key.decrypt_into(iv, content + tag, header, buffers[field])


def decoded(part: bytes) -> bytes:
    """Base64url without padding (RFC 7515 2), and only as it is written."""
    raw = urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    if b64(raw) != part:
        raise ValueError
    return raw


def read_keys(keys: Iterable[OpeningKey]) -> dict[str, RSAPrivateKey]:
    """By the name that stands in the seals. ConfigError where two keys have one name."""
    found: dict[str, RSAPrivateKey] = {}
    for one in keys:
        key = read_private_key(one.file)
        itself = thumbprint(key.public_key())
        other = found.setdefault(one.kid or itself, key)
        if thumbprint(other.public_key()) != itself:
            raise ConfigError(f"{one.file}: its kid is '{one.kid}', as another key's: give each key a kid of its own")
    return found


def read_private_key(file: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
        mode = file.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}; {CURE}") from None
    except (ValueError, TypeError):  # what the parser says could quote the file
        raise ConfigError(f"{file}: not a private key in unencrypted PEM; {CURE}") from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{file}: not an RSA key; {CURE}")
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{file}: others than its owner can read it; chmod 600 {file}")
    return key


def opening_keys(bank: VaultSealed, today: date | None = None) -> list[OpeningKey]:
    """All that a charge may still need; the file of one that ended longer ago may be deleted."""
    today = today or datetime.now(UTC).date()
    if not bank.sealing_keys:
        return [OpeningKey(bank.opening_key)]
    return [OpeningKey(one.opening_key, one.kid) for one in bank.sealing_keys if not is_over(one.not_after, today)]


def is_over(last: date, today: date) -> bool:
    return last < date.max - LONGEST_PENDING and today > last + LONGEST_PENDING


def opener_for(bank: BankSettings) -> CardOpener | None:
    """For a bank that is sent cards in clear; None for one that opens the seals itself."""
    return CardOpener(opening_keys(bank)) if isinstance(bank, VaultSealed) else None
