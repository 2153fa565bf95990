"""A sealing key that will not do is refused at once, by a message that names the file and the cure."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import RSAKey

from ivr.bank.certificates import VALID, Issuer, issue
from ivr.errors import ConfigError
from ivr.vault import Vault, load_sealing_key

NOW = datetime(2026, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def refusal(file: Path, content: bytes, now: datetime = NOW) -> str:
    file.write_bytes(content)
    with pytest.raises(ConfigError) as refused:
        load_sealing_key(file, now)
    message = str(refused.value)
    assert message.startswith(f"{file}: ")
    return message


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.pem: No such file or directory; ask the bank"):
        load_sealing_key(tmp_path / "gone.pem")


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Is a directory"):
        load_sealing_key(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\xff\xfe\x00", b"{}", b"[]", b"null", b'{"kty": "RSA"}', b'{"kty": "RSA", "n": 1, "e": 2}',
     b'{"kty": "oct", "k": "AAAA", "n": "", "e": ""}', b'{"kty": "RSA", "n": "*", "e": "AQAB"}',
     b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"-----BEGIN PUBLIC KEY-----\n"],
)  # fmt: skip
def test_what_is_no_key_is_told_so(tmp_path: Path, content: bytes) -> None:
    assert "not a certificate, public key (PEM) or JWK; ask the bank" in refusal(tmp_path / "key", content)


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    assert "1024 bits; RSA-OAEP-256 needs 2048 or more" in refusal(tmp_path / "key", public_pem(short))


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    assert "not an RSA key" in refusal(tmp_path / "key", public_pem(ec.generate_private_key(ec.SECP256R1())))


def test_a_private_key_is_sent_back_to_its_owner(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    jwk = json.dumps(RSAKey.import_key(key).as_dict(private=True)).encode()
    assert "this is a private key; only the bank may have that" in refusal(tmp_path / "key.pem", pem)
    assert "this is a private key; only the bank may have that" in refusal(tmp_path / "key.jwk", jwk)


@pytest.mark.parametrize("form", ["pem", "jwk"])
def test_what_is_read_is_the_key_and_the_file(tmp_path: Path, key: rsa.RSAPrivateKey, form: str) -> None:
    jwk = json.dumps(RSAKey.import_key(key.public_key()).as_dict(private=False)).encode()
    file = tmp_path / f"key.{form}"
    file.write_bytes(public_pem(key) if form == "pem" else jwk)
    read = load_sealing_key(file, NOW)
    assert isinstance(read.public, rsa.RSAPublicKey)
    assert read.public.public_numbers() == key.public_key().public_numbers()
    assert (read.file, read.kid) == (file, RSAKey.import_key(key.public_key()).thumbprint())


def test_a_certificate_that_says_nothing_of_its_use_may_be_used(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    """RFC 5280 4.2.1.3."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
    plain = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(days=1), NOW + timedelta(days=1))
    (tmp_path / "key.crt").write_bytes(plain.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    assert load_sealing_key(tmp_path / "key.crt", NOW).good_until == NOW + timedelta(days=1, microseconds=999_999)


@pytest.mark.parametrize("wrong", [{"use": "sig"}, {"alg": "RSA1_5"}, {"alg": "RS256", "use": "sig"}])
def test_a_key_for_another_use_is_refused(tmp_path: Path, key: rsa.RSAPrivateKey, wrong: dict[str, str]) -> None:
    jwk = RSAKey.import_key(key.public_key()).as_dict(private=False) | wrong
    assert "for use 'enc' and alg 'RSA-OAEP-256'" in refusal(tmp_path / "key.jwk", json.dumps(jwk).encode())


def test_a_servers_certificate_is_not_for_sealing(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    certificate = issue("bank", "server", key, Issuer("ca", key), NOW).public_bytes(Encoding.PEM)
    assert "does not allow key encipherment" in refusal(tmp_path / "key.crt", certificate)


def test_an_expired_certificate_is_refused_with_the_minute_at_which_it_ended(
    tmp_path: Path, key: rsa.RSAPrivateKey
) -> None:
    certificate = issue("bank", "sealing", key, Issuer("ca", key), NOW - timedelta(days=400)).public_bytes(Encoding.PEM)
    assert "expired on 2025-12-11 00:00 UTC; ask the bank" in refusal(tmp_path / "key.crt", certificate)


@pytest.mark.parametrize("ends", ["2025-12-11 12:00:00", "2025-12-11 23:59:58"])
def test_a_certificate_is_good_to_the_end_of_its_last_second(tmp_path: Path, key: rsa.RSAPrivateKey, ends: str) -> None:
    """RFC 5280 4.1.2.5: notAfter is included."""
    last = datetime.fromisoformat(f"{ends}+00:00")
    certificate = issue("bank", "sealing", key, Issuer("ca", key), last - VALID["sealing"])
    (tmp_path / "key.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    assert load_sealing_key(tmp_path / "key.crt", last + timedelta(milliseconds=999)).kid
    with pytest.raises(ConfigError, match=rf"expired on {last:%Y-%m-%d %H:%M} UTC; ask the bank"):
        load_sealing_key(tmp_path / "key.crt", last + timedelta(seconds=1))


def test_a_certificate_that_ends_with_its_day_is_refused_with_that_day(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    last = datetime(2025, 12, 11, 23, 59, 59, tzinfo=UTC)
    certificate = issue("bank", "sealing", key, Issuer("ca", key), last - VALID["sealing"]).public_bytes(Encoding.PEM)
    assert "expired on 2025-12-11; ask the bank" in refusal(tmp_path / "key.crt", certificate)


def test_a_certificate_without_a_well_defined_end_never_ends(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    """RFC 5280 4.1.2.5: 99991231235959Z."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "device")])
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    device = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - timedelta(days=1), last)
    (tmp_path / "key.crt").write_bytes(device.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    assert load_sealing_key(tmp_path / "key.crt", NOW).good_until == datetime.max.replace(tzinfo=UTC)


def test_a_certificate_of_the_future_points_to_the_clock(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    certificate = issue("bank", "sealing", key, Issuer("ca", key), NOW + timedelta(days=2)).public_bytes(Encoding.PEM)
    assert "not valid before 2026-01-16; check the clock" in refusal(tmp_path / "key.crt", certificate)


def test_a_short_fingerprint_key_is_refused(bank_keys) -> None:
    with pytest.raises(ConfigError, match="fingerprint key has less than 32 bytes"):
        Vault(bank_keys.keys / "bank-sealing.crt", b"short")


def test_the_forwarders_own_key_is_not_asked_for_at_the_bank(tmp_path: Path, key: rsa.RSAPrivateKey) -> None:
    ended = issue("own", "sealing", key, Issuer("ca", key), NOW - timedelta(days=400)).public_bytes(Encoding.PEM)
    (file := tmp_path / "own.pem").write_bytes(ended)
    with pytest.raises(ConfigError) as refused:
        Vault(file, bytes(32), "forwarder")
    assert str(refused.value).startswith(f"{file}: the forwarder's sealing certificate expired on 2025-12-11 00:00 UTC")
    assert str(refused.value).endswith(
        "; `sealing_key` is the forwarder's own certificate, which `set-up` makes beside `opening_key`"
    )
