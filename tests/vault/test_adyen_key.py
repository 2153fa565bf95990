"""Adyen's public key as merchants get it, and what is said of one that is none."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from ivr.errors import ConfigError
from ivr.vault import Vault
from ivr.vault.adyen import load_adyen_key

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
    key = load_adyen_key(written(tmp_path, form.format(*halves(KEY))))
    assert key.public.public_numbers() == KEY.public_key().public_numbers()


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
        ("", "exponent|modulus in hexadecimal"),
        (f"10001|{halves(KEY)[1][:-1]}0", "something was cut off"),
        (f"10000|{halves(KEY)[1]}", "something was cut off"),
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
