"""Adyen's public key as merchants get it, and what is said of one that is none."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ivr.errors import ConfigError
from ivr.vault import Vault
from ivr.vault.adyen import load_adyen_key, seal_for_adyen
from ivr.vault.seal import SealContext, SealingKey, thumbprint
from tests.bank.adyen.keys import Opener

KEY = rsa.generate_private_key(65537, 2048)
SHORT = rsa.generate_private_key(65537, 1024)


def halves(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    numbers = key.public_key().public_numbers()
    return f"{numbers.e:x}", f"{numbers.n:x}"


def private(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "adyen.txt"
    file.write_text(text)
    return file


@pytest.mark.parametrize("form", ["{}|{}", "{}|{}\n", "  {}|{}  \n"])
def test_exponent_and_modulus_are_a_key(form: str, tmp_path: Path):
    file = written(tmp_path, form.format(*halves(KEY)))
    key = load_adyen_key(file)
    assert key.public.public_numbers() == KEY.public_key().public_numbers()
    assert (key.kid, key.file) == (thumbprint(KEY.public_key()), file)


def test_a_public_key_in_pem_is_one_too(tmp_path: Path):
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert load_adyen_key(written(tmp_path, pem)).public.key_size == 2048


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}|{}".format(*reversed(halves(KEY))), "the two halves are swapped"),
        ("{}|{}".format(*halves(SHORT)), "1024 bits"),
        (private(KEY), "this is a private key"),
        ("10001", "exponent|modulus in hexadecimal"),
        ("10001|not hexadecimal", "exponent|modulus in hexadecimal"),
        ("not hexadecimal|10001", "exponent|modulus in hexadecimal"),
        ("", "exponent|modulus in hexadecimal"),
        (f"10001|{halves(KEY)[1][:-1]}0", "no RSA key has such an exponent or modulus: something was cut off"),
        (f"10000|{halves(KEY)[1]}", "no RSA key has such an exponent or modulus: something was cut off"),
        (f"1|{halves(KEY)[1]}", "no RSA key has such an exponent or modulus: something was cut off"),
        ("3|5", "bits"),
    ],
)
def test_another_text_is_refused_by_what_is_wrong_with_it(text: str, says: str, tmp_path: Path):
    with pytest.raises(ConfigError) as refused:
        Vault(written(tmp_path, text), bytes(32), "adyen")
    assert says in str(refused.value)
    assert "adyen.txt" in str(refused.value)
    assert "Customer Area" in str(refused.value) or "ask the bank" in str(refused.value)


def test_a_key_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="Customer Area"):
        load_adyen_key(tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("today", "keyed", "year"),
    [(2026, b"1230", b"2030"), (2098, b"0301", b"2101"), (2098, b"0399", b"2099"), (2101, b"0309", b"2109")],
)
def test_an_expiry_is_sealed_with_its_year_in_full(today: int, keyed: bytes, year: bytes, tmp_path: Path):
    key = load_adyen_key(written(tmp_path, "{}|{}".format(*halves(KEY))))
    month, full = opened_by_adyen("expiry", keyed, key, datetime(today, 6, 1, tzinfo=UTC))
    assert (month["expiryMonth"], full["expiryYear"]) == (keyed[:2].decode(), year.decode())


def test_the_time_in_a_seal_is_that_of_greenwich_wherever_the_machine_stands(tmp_path: Path, kiritimati: None):
    """Adyen refuses a seal that is older than a day, by a time that ends in Z."""
    key = load_adyen_key(written(tmp_path, "{}|{}".format(*halves(KEY))))
    (said,) = opened_by_adyen("security_code", b"123", key, datetime.now(UTC))
    made = datetime.fromisoformat(said["generationtime"])
    assert abs(datetime.now(UTC) - made) < timedelta(hours=1)


@pytest.fixture
def kiritimati(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fourteen hours ahead of Greenwich."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Etc/GMT-14")
        time.tzset()
        yield
    time.tzset()


def opened_by_adyen(field: str, keyed: bytes, key: SealingKey, now: datetime) -> list[dict[str, str]]:
    sealed = seal_for_adyen(field, bytearray(keyed), SealContext("m", "CA1", "CA1-1"), key, now)
    assert sealed is not None
    (private_file := key.file.with_name("private.pem")).write_text(private(KEY))
    return [*map(Opener(private_file).open, sealed.split())]
