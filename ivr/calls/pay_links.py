"""The address that a text carries to a caller who wants to pay in another way: the merchant's page, with a token for one bill.

The token is an encrypted JWE (RFC 7516: `dir`, `A256GCM`) under a key that the merchant's page has too, so it says nothing to
whoever reads the text, cannot be changed, and cannot be made by anybody else. In it: which bill, what it owed, and until when
the token is good. No card and nothing of the caller is in it; what is due now, the page asks its own system.
"""

import base64
import json
import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.core.call import Payable
from ivr.errors import ConfigError
from ivr.settings import Settings

PLACE = "{token}"
KEY_BYTES = 32
NONCE_BYTES = 12  # RFC 7518 5.3: 96 bits
HEADER = {"alg": "dir", "enc": "A256GCM"}
# What a developer sees in a text before there is a page.
DEVELOPMENT_ADDRESS = f"https://pay.example.com/bill?token={PLACE}"
CURE = "make one with `openssl rand -base64 32` and give it to the page too"


@dataclass(frozen=True)
class PayLinks:
    """`address` has `{token}` in it once; `key` is 32 bytes; `good_for`: how long a token is taken."""

    address: str
    key: bytes
    merchant: str
    good_for: timedelta

    def to(self, bill: Payable, at: datetime) -> str:
        claims = {
            "merchant": self.merchant,
            "source": bill.source,
            "account": bill.key,
            "owed": str(bill.owed),
            "exp": int((at + self.good_for).timestamp()),
        }
        return self.address.replace(PLACE, encrypted(claims, self.key))


def encrypted(claims: dict[str, object], key: bytes) -> str:
    """JWE compact serialization; with `dir` the encrypted key is empty (RFC 7516 5.1)."""
    header, nonce = _base64(json.dumps(HEADER).encode()), secrets.token_bytes(NONCE_BYTES)
    whole = AESGCM(key).encrypt(nonce, json.dumps(claims).encode(), header.encode())
    return ".".join((header, "", _base64(nonce), _base64(whole[:-16]), _base64(whole[-16:])))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---- from settings


def pay_links_of(settings: Settings) -> PayLinks | None:
    """None where there is no page to lead to. ConfigError for an address or a key that cannot be used."""
    address = settings.pay_link
    if not address:
        if settings.environment == "production":
            return None
        address = DEVELOPMENT_ADDRESS
    if address.count(PLACE) != 1 or not address.startswith("https://"):
        example = "https://pay.example.com/bill?token={token}"
        raise ConfigError(f"PAY_LINK: expected an https:// address with {PLACE} in it, such as {example}")
    return PayLinks(address, _key_of(settings), settings.merchant, timedelta(hours=settings.pay_link_hours))


def _key_of(settings: Settings) -> bytes:
    written = settings.pay_link_key
    if not written:
        if settings.environment == "production":
            raise ConfigError(f"PAY_LINK_KEY: needed with PAY_LINK: {CURE}")
        return _development_key(settings.var / "keys" / "pay_link.key")
    try:
        key = base64.b64decode(written, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(f"PAY_LINK_KEY: expected {KEY_BYTES} bytes in base64: {CURE}")
    return key


def _development_key(file: Path) -> bytes:
    """Made once on this machine."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(secrets.token_bytes(KEY_BYTES))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}; or set PAY_LINK_KEY") from None
    return file.read_bytes()
