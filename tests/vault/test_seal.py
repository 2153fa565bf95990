"""What the vault seals an independent library opens, with the bank's key and no other, bound to one place of use."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.registry import HeaderParameter

from ivr.errors import ConfigError
from ivr.vault import SealContext, load_sealing_key
from ivr.vault.seal import seal

NOW = datetime(2026, 1, 15, tzinfo=UTC)
CONTEXT = SealContext("demo-merchant", "CA1", "CA1-1")
REGISTRY = jwe.JWERegistry(
    header_registry={"tonetill": HeaderParameter("binding", lambda value: None)},
    algorithms=["RSA-OAEP-256", "A256GCM"],
)


@pytest.fixture
def key(bank_keys):
    return load_sealing_key(bank_keys.keys / "bank-sealing.crt")


@pytest.fixture
def private_key(bank_keys) -> RSAKey:
    return RSAKey.import_key((bank_keys.bank / "sealing.key").read_bytes())


def open_with(private_key: RSAKey, sealed: str) -> jwe.CompactEncryption:
    return jwe.decrypt_compact(sealed, private_key, registry=REGISTRY)


@pytest.mark.parametrize("clear", [b"4111111111111111", b"1230", b"123", b"12345", b""])
def test_an_independent_library_opens_what_was_sealed(key, private_key: RSAKey, clear: bytes) -> None:
    opened = open_with(private_key, seal("card_number", bytearray(clear), CONTEXT, key, NOW))
    assert opened.plaintext == clear


def test_the_header_names_algorithms_key_and_where_the_field_may_be_used(key, private_key: RSAKey) -> None:
    opened = open_with(private_key, seal("expiry", bytearray(b"1230"), CONTEXT, key, NOW))
    assert opened.protected == {
        "alg": "RSA-OAEP-256",
        "enc": "A256GCM",
        "kid": private_key.thumbprint(),
        "crit": ["tonetill"],
        "tonetill": {"merchant": "demo-merchant", "call": "CA1", "intent": "CA1-1", "field": "expiry"},
    }


def test_a_receiver_that_does_not_know_the_binding_must_refuse(key, private_key: RSAKey) -> None:
    with pytest.raises(JoseError):
        jwe.decrypt_compact(
            seal("expiry", bytearray(b"1230"), CONTEXT, key, NOW), private_key, algorithms=["RSA-OAEP-256", "A256GCM"]
        )


@pytest.mark.parametrize("part", range(5))
def test_a_changed_bit_in_any_part_is_found(key, private_key: RSAKey, part: int) -> None:
    parts = seal("card_number", bytearray(b"4111111111111111"), CONTEXT, key, NOW).split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=" * (-len(parts[part]) % 4)))
    raw[len(raw) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises((JoseError, ValueError)):
        open_with(private_key, ".".join(parts))


def test_the_binding_cannot_be_exchanged_for_another(key, private_key: RSAKey) -> None:
    header, *rest = seal("card_number", bytearray(b"4111111111111111"), CONTEXT, key, NOW).split(".")
    bound = json.loads(base64.urlsafe_b64decode(header + "=="))
    bound["tonetill"]["intent"] = "CA2-1"
    other = base64.urlsafe_b64encode(json.dumps(bound, separators=(",", ":")).encode()).rstrip(b"=").decode()
    with pytest.raises(JoseError):
        open_with(private_key, ".".join([other, *rest]))


def test_the_same_field_is_never_sealed_the_same_way_twice(key) -> None:
    sealed = [seal("security_code", bytearray(b"123"), CONTEXT, key, NOW).split(".") for _ in range(20)]
    for part in (1, 2, 3):  # content key, IV, ciphertext
        assert len({parts[part] for parts in sealed}) == 20


def test_sealing_leaves_the_wiping_to_its_caller(key) -> None:
    clear = bytearray(b"123")
    seal("security_code", clear, CONTEXT, key, NOW)
    assert clear == b"123"


def test_nothing_is_sealed_to_a_certificate_that_expires_while_the_process_runs(bank_keys, key) -> None:
    certificate = x509.load_pem_x509_certificate((bank_keys.keys / "bank-sealing.crt").read_bytes())
    last = certificate.not_valid_after_utc
    seal("expiry", bytearray(b"1230"), CONTEXT, key, last)
    with pytest.raises(
        ConfigError,
        match=rf"bank-sealing.crt: the bank's sealing certificate expired on {last:%Y-%m-%d %H:%M} UTC; ask",
    ):
        seal("expiry", bytearray(b"1230"), CONTEXT, key, last + timedelta(seconds=1))


def test_a_key_has_the_same_name_in_every_form(bank_keys, key, tmp_path: Path) -> None:
    pem, jwk = tmp_path / "key.pem", tmp_path / "key.jwk"
    imported = RSAKey.import_key(key.public)
    pem.write_bytes(imported.as_pem(private=False))
    jwk.write_text(json.dumps(imported.as_dict(private=False) | {"use": "enc"}))
    assert load_sealing_key(pem).kid == load_sealing_key(jwk).kid == key.kid


def test_a_jwk_may_name_its_key_itself(key, tmp_path: Path) -> None:
    jwk = tmp_path / "key.jwk"
    jwk.write_text(json.dumps(RSAKey.import_key(key.public).as_dict(private=False) | {"kid": "bank-2026"}))
    assert load_sealing_key(jwk).kid == "bank-2026"
