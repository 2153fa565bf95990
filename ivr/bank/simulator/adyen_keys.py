"""What a merchant account at the simulated Adyen has: the key pair that cards are sealed to, API key, HMAC key, its name.

All are in the bank's folder, made when they are first needed; no code of the vault's opens a seal here.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwe
from joserfc.registry import HeaderParameter

from ivr.bank.simulator.decryption import ALLOWED, DecryptedCard, Refused, check_expiry, check_pan, imported

PRIVATE, PUBLIC, ACCOUNT = "adyen-private.pem", "adyen-public.txt", "adyen.json"
SEALED = {"encryptedCardNumber": "number", "encryptedExpiryMonth": "expiryMonth", "encryptedExpiryYear": "expiryYear"}
CODE = ("encryptedSecurityCode", "cvc")
NOT_DECRYPTED = "63"


@dataclass(frozen=True)
class AdyenAccount:
    """`public_key`: as Adyen's Customer Area shows it, for `sealing_key` in banks.yaml."""

    merchant_account: str
    api_key: str
    hmac_key: str
    public_key: Path


class AdyenSeals:
    """Opens what was sealed to the account's key, and takes the one form that Adyen describes."""

    def __init__(self, private_key: Path) -> None:
        self._key = imported(private_key.read_bytes())
        version = HeaderParameter("of the form", "str", required=True)
        self._registry = jwe.JWERegistry(header_registry={"version": version}, algorithms=ALLOWED)

    def open(self, method: dict[str, Any]) -> dict[str, str]:
        """The card's fields by Adyen's names; Refused where one cannot be read."""
        wanted = SEALED | ({CODE[0]: CODE[1]} if CODE[0] in method else {})
        try:
            return {name: self._one(str(method[sealed]))[name] for sealed, name in wanted.items()}
        except Exception as error:  # the library's parser lets a dozen kinds through, and each means the same
            raise Refused(NOT_DECRYPTED, f"a field cannot be decrypted: {type(error).__name__}") from None

    def card(self, method: dict[str, Any], today: date) -> DecryptedCard:
        """Refused where a field cannot be read, or the card cannot be used."""
        read = self.open(method)
        brand, month, year = check_pan(read["number"]), read["expiryMonth"], read["expiryYear"]
        check_expiry(month + year[2:], today)
        return DecryptedCard(read["number"], brand.name, read["number"][-4:], f"{year}-{month}")

    def _one(self, compact: str) -> dict[str, str]:
        opened = jwe.decrypt_compact(compact, self._key, registry=self._registry)
        read = json.loads(opened.plaintext or b"")
        return {name: value for name, value in read.items() if isinstance(value, str) and value.isascii()}


def account_in(folder: Path) -> AdyenAccount:
    """Made where it is not there yet."""
    if not (folder / PRIVATE).exists():
        make_keys(folder)
    if not (folder / ACCOUNT).exists():
        made = {"merchant_account": "SimulatedMOTO", "api_key": f"AQE{secrets.token_hex(24)}"}
        made["hmac_key"] = secrets.token_hex(32).upper()
        write_secret(folder / ACCOUNT, json.dumps(made, indent=2).encode())
    return AdyenAccount(**json.loads((folder / ACCOUNT).read_text()), public_key=folder / PUBLIC)


def make_keys(folder: Path) -> None:
    private = rsa.generate_private_key(65537, 2048)
    write_secret(folder / PRIVATE, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    numbers = private.public_key().public_numbers()
    (folder / PUBLIC).write_text(f"{numbers.e:x}|{numbers.n:X}\n")


def write_secret(file: Path, content: bytes) -> None:
    file.touch(0o600)
    file.write_bytes(content)
