"""Decrypts sealed fields with the bank's private key and checks them as a bank would. What it reads it keeps no longer
than the request, and says nothing of it but brand and last four."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.registry import HeaderParameter

from ivr.bank.simulator.hpke_seals import is_hpke, kid_of, read_hpke_keys
from ivr.core.brands import Brand, brand_of
from ivr.errors import ConfigError
from ivr.places import COMMAND

BINDING = "tonetill"  # docs/bank.md: the protected header that says where a field may be used
ALLOWED = ("RSA-OAEP-256", "A256GCM")  # an explicit list: the header of what is received chooses nothing (RFC 8725 3.1)
FIELDS = frozenset({"card_number", "expiry", "security_code", "postal_code", "start_date", "issue_number"})
MOST_ISSUE_DIGITS = 2
YEARS_AHEAD = 50  # of the two years that end so, the nearest
NOT_OURS = "sealed to a key that is not ours"
REQUIRED = frozenset({"card_number", "expiry"})


class Refused(Exception):
    """The bank will not take this; `response_code` is ISO 8583 field 39, the message is for the log."""

    def __init__(self, response_code: str, message: str) -> None:
        super().__init__(message)
        self.response_code = response_code


@dataclass(frozen=True)
class Bound:
    """Where the fields of a request must have been sealed for."""

    merchant: str
    call: str
    intent: str


@dataclass(frozen=True)
class DecryptedCard:
    """A card as the bank has read it."""

    pan: str = field(repr=False)
    brand: str
    last4: str
    expires: str = ""
    """2030-12."""


class Decryption:
    """Holds the bank's private keys: `sealing.key`, and beside it `sealing-*.key` and `sealing*.jwk`, each for as long as
    it lies there. ConfigError where one cannot be read."""

    def __init__(self, key_file: Path) -> None:
        self._file = key_file
        self.renew()
        binding = HeaderParameter("where the field may be used", is_binding, required=True)
        self._registry = jwe.JWERegistry(header_registry={BINDING: binding}, algorithms=ALLOWED)

    def renew(self) -> None:
        """As the folder is now. ConfigError, and nothing has changed."""
        others = sorted(self._file.parent.glob(f"{self._file.stem}-*.key"))
        keys = [read_rsa_key(file) for file in (self._file, *others)]
        try:
            self._hpke = read_hpke_keys(self._file.parent)
        except (ValueError, KeyError, TypeError):
            raise ConfigError(f"{self._file.parent}: a sealing*.jwk is no key; remove it and make new ones") from None
        self._keys = {key.thumbprint(): key for key in keys}

    def decrypt_card(self, sealed: Mapping[str, str], bound: Bound, today: date) -> DecryptedCard:
        """Refused says which response code the bank answers with."""
        if not REQUIRED <= sealed.keys() <= FIELDS:
            raise Refused("30", "fields are missing or unknown")
        clear = {name: self._decrypt(name, compact, bound) for name, compact in sealed.items()}
        if len({kid_of(compact) for compact in sealed.values()}) > 1:
            raise Refused("63", "sealed to several keys")
        brand = check_pan(clear["card_number"])
        check_expiry(clear["expiry"], today)
        if len(clear.get("security_code", "0" * brand.security_code_length)) != brand.security_code_length:
            raise Refused("82", "the security code has the wrong length")
        check_beginning(clear.get("start_date"), clear.get("issue_number"), today)
        expires = f"20{clear['expiry'][2:]}-{clear['expiry'][:2]}"
        return DecryptedCard(clear["card_number"], brand.name, clear["card_number"][-4:], expires)

    def _decrypt(self, name: str, compact: str, bound: Bound) -> str:
        try:
            header, opened = self._by_hpke(compact) if is_hpke(compact) else self._by_jwe(compact)
            clear = opened.decode("ascii")
        except Refused:
            raise
        except Exception as error:  # the library's parser lets a dozen kinds through, and each means the same
            raise Refused("63", f"{name} cannot be decrypted: {type(error).__name__}") from None
        expected = {"merchant": bound.merchant, "call": bound.call, "intent": bound.intent, "field": name}
        if header.get(BINDING) != expected:
            raise Refused("63", f"{name} was sealed for something else")
        if not (clear.isascii() and clear.isdigit()):
            raise Refused("30", f"{name} is not digits")
        return clear

    def _by_jwe(self, compact: str) -> tuple[Mapping[str, Any], bytes]:
        opened = jwe.decrypt_compact(compact, self._key_for, registry=self._registry)
        return opened.headers(), opened.plaintext or b""

    def _by_hpke(self, compact: str) -> tuple[Mapping[str, Any], bytes]:
        key = self._hpke.get(kid_of(compact))
        if key is None:
            raise Refused("63", NOT_OURS)
        return key.open(compact)

    def _key_for(self, message: Any) -> RSAKey:
        key = self._keys.get(str(message.headers().get("kid")))
        if key is None:
            raise Refused("63", NOT_OURS)
        return key


def read_rsa_key(file: Path) -> RSAKey:
    try:
        key = imported(file.read_bytes())
    except OSError as error:
        cure = f"`{COMMAND} set-up` makes it"
        raise ConfigError(f"{file}: {error.strerror}; {cure}") from None
    except (JoseError, ValueError, TypeError):
        raise ConfigError(f"{file}: not an RSA key in PEM; remove it and make new development keys") from None
    if not key.is_private:
        raise ConfigError(f"{file}: the bank needs the private half; remove it and make new development keys")
    return key


def imported(pem: bytes) -> RSAKey:
    """A key that the simulator made: OpenSSL would prove for a tenth of a second that it is made of primes."""
    if b"PRIVATE KEY" not in pem:
        return RSAKey.import_key(pem)
    key = load_pem_private_key(pem, password=None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError
    return RSAKey(key, pem)


def is_binding(value: object) -> None:
    if not isinstance(value, dict):
        raise ValueError("must be an object")


def check_pan(pan: str) -> Brand:
    brand = brand_of(pan.encode())
    if brand is None or len(pan) not in brand.lengths or (brand.luhn_required and not passes_luhn(pan)):
        raise Refused("14", "invalid card number")
    return brand


def passes_luhn(pan: str) -> bool:
    doubled = "".join(str(int(digit) * 2) for digit in pan[-2::-2])
    return sum(map(int, pan[-1::-2] + doubled)) % 10 == 0


def check_expiry(expiry: str, today: date) -> None:
    if len(expiry) != 4 or not 1 <= int(expiry[:2]) <= 12:
        raise Refused("30", "the expiry is not MMYY")
    if (2000 + int(expiry[2:]), int(expiry[:2])) < (today.year, today.month):
        raise Refused("54", "expired card")


def check_beginning(start_date: str | None, issue_number: str | None, today: date) -> None:
    """What some debit cards have beside their expiry; a card without it is as good."""
    if issue_number is not None and len(issue_number) > MOST_ISSUE_DIGITS:
        raise Refused("30", "the issue number is longer than two digits")
    if start_date is None:
        return
    if len(start_date) != 4 or not 1 <= int(start_date[:2]) <= 12:
        raise Refused("30", "the start date is not MMYY")
    if (full_year(int(start_date[2:]), today), int(start_date[:2])) > (today.year, today.month):
        raise Refused("30", "the start date is yet to come")


def full_year(two_digits: int, today: date) -> int:
    """A card of 1999 began in the past."""
    return (2000 if two_digits <= today.year % 100 + YEARS_AHEAD else 1900) + two_digits
