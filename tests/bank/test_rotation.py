"""Keys and certificates change while charges go on: what was sealed or begun before still goes through."""

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.bank.certificates import Issuer, issue
from ivr.bank.dev_keys import load_pem_private_key, new_sealing_key, new_tls_key, pem, private_pem
from ivr.bank.simulator import BY_NAME, BankSimulator
from ivr.bank.tonetill import TonetillBank
from ivr.errors import ConfigError
from ivr.vault import HPKE, CardRules, SealContext, Vault
from tests.bank.requests import SEALED_AT, new_request
from tests.bank_process import SLOW_S, BankKeys, RunningBank

NO_FINGERPRINT = bytes(32)


class Rotating:
    """A bank of the test's own, and the engine's client of it."""

    def __init__(self, keys: BankKeys, folder: Path) -> None:
        self.keys, self.folder = keys, Path(shutil.copytree(keys.bank, folder))
        self.simulator = BankSimulator(folder, slow_s=SLOW_S)
        self.settings = keys.settings(self.simulator.url)
        self.client = TonetillBank(self.settings)

    def charge(self, vault: Vault) -> str:
        return self.client.authorize(new_request(vault)).outcome

    def add_key(self) -> Path:
        """Of the bank's; its public half is what the bank gives out."""
        key = new_sealing_key()
        (self.folder / "sealing-2.key").write_bytes(private_pem(key))
        return write(self.keys.keys / "second.crt", pem(issue("bank", "sealing", key, Issuer("ca", key), now())))

    def issue_client(self) -> tuple[Path, Path]:
        """By the bank's own authority."""
        authority = load_pem_private_key((self.folder / "ca.key").read_bytes(), None)
        key = new_tls_key()
        by = Issuer("Tonetill development authority", authority)  # type: ignore[arg-type]
        certificate = write(self.keys.keys / "client-2.crt", pem(issue("demo-merchant", "client", key, by, now())))
        return certificate, write(self.keys.keys / "client-2.key", private_pem(key))


@pytest.fixture
def rotating(own_keys: BankKeys, tmp_path: Path) -> Iterator[Rotating]:
    made = Rotating(own_keys, tmp_path / "own-bank")
    with made.simulator, made.client:
        yield made


def now() -> datetime:
    return datetime.now(UTC)


def write(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_a_charge_sealed_by_hpke_goes_through(bank_process: RunningBank, bank_keys: BankKeys):
    vault = Vault(bank_keys.keys / "bank-sealing-hpke.jwk", NO_FINGERPRINT, HPKE)
    with TonetillBank(bank_process.settings.model_copy(update={"seal": HPKE})) as client:
        assert client.promises.seal == HPKE
        assert client.authorize(new_request(vault)).outcome == "approved"


def test_fields_sealed_by_hpke_for_another_payment_are_refused(bank_process: RunningBank, bank_keys: BankKeys):
    vault = Vault(bank_keys.keys / "bank-sealing-hpke.jwk", NO_FINGERPRINT, HPKE)
    one, other = new_request(vault), new_request(vault)
    other.sealed.update(one.sealed)  # type: ignore[attr-defined]
    with TonetillBank(bank_process.settings) as client:
        assert client.authorize(other).response_code == "63"


def test_a_key_for_hpke_that_is_not_the_banks_is_refused(rotating: Rotating):
    (rotating.folder / "sealing-hpke.jwk").unlink()
    rotating.simulator.renew()
    vault = Vault(rotating.keys.keys / "bank-sealing-hpke.jwk", NO_FINGERPRINT, HPKE)
    assert rotating.client.authorize(new_request(vault)).response_code == "63"


def test_both_keys_are_opened_after_a_rotation(rotating: Rotating):
    old = rotating.keys.vault()
    sealed_before = new_request(old)
    new = Vault(rotating.add_key(), NO_FINGERPRINT)
    assert rotating.client.authorize(new_request(new)).response_code == "63"
    rotating.simulator.renew()
    assert rotating.client.authorize(sealed_before).outcome == "approved"
    assert [rotating.charge(old), rotating.charge(new)] == ["approved", "approved"]


def test_a_bank_whose_new_key_is_broken_goes_on_with_the_old(rotating: Rotating):
    write(rotating.folder / "sealing-2.key", b"-----BEGIN nothing")
    with pytest.raises(ConfigError, match=r"sealing-2\.key: not an RSA key in PEM"):
        rotating.simulator.renew()
    assert rotating.charge(rotating.keys.vault()) == "approved"


def test_a_new_client_certificate_is_shown_by_new_connections(rotating: Rotating):
    certificate, key = rotating.issue_client()
    renewed = rotating.settings.model_copy(update={"client_certificate": certificate, "client_key": key})
    assert rotating.charge(rotating.keys.vault()) == "approved"
    rotating.client.renew(renewed)
    rotating.settings.client_certificate.unlink()  # nobody reads it any more
    assert rotating.charge(rotating.keys.vault()) == "approved"


def test_a_charge_that_is_under_way_ends_as_it_would_have(rotating: Rotating):
    vault, outcomes = rotating.keys.vault(), []
    request = new_request(vault, pan=BY_NAME["slow"].pan)
    charging = threading.Thread(target=lambda: outcomes.append(rotating.client.authorize(request).outcome))
    charging.start()
    rotating.client.renew(rotating.settings)
    rotating.simulator.renew()
    charging.join()
    assert outcomes == ["approved"]


def test_a_certificate_that_cannot_be_used_changes_nothing(rotating: Rotating):
    broken = write(rotating.keys.keys / "broken.crt", b"no certificate")
    with pytest.raises(ConfigError, match=r"broken\.crt: not a certificate in PEM"):
        rotating.client.renew(rotating.settings.model_copy(update={"client_certificate": broken}))
    assert rotating.charge(rotating.keys.vault()) == "approved"


def test_fields_of_one_payment_that_are_sealed_to_two_keys_are_refused(rotating: Rotating):
    old, new = rotating.keys.vault(), Vault(rotating.add_key(), NO_FINGERPRINT)
    rotating.simulator.renew()
    request = new_request(old)
    context = SealContext(request.merchant, request.call, request.reference)
    rules = CardRules(frozenset({"visa"}), "visa")
    other = new.take("security_code", bytearray(b"123"), context, rules, SEALED_AT).sealed
    request.sealed.update(security_code=other)  # type: ignore[attr-defined]
    assert rotating.client.authorize(request).response_code == "63"
