"""Development keys: made once, private, renewed in time, and good for mutual TLS and sealing."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from ivr.bank.dev_keys import make_development_keys
from ivr.errors import ConfigError
from ivr.places import SHIPPED as ROOT
from ivr.vault import load_sealing_key
from tests.bank_process import BankKeys
from tests.patience import PATIENCE_S

OURS = {"bank-ca.crt", "bank-sealing.crt", "client.crt", "client.key", "fingerprint.key", ".lock"}
OURS |= {"forwarder-sealing.crt", "forwarder-sealing.key"}
THE_BANKS = {"sealing-hpke.jwk"} | {f"{name}.{kind}" for name in ("ca", "server", "sealing") for kind in ("crt", "key")}
AS_ADYEN = {
    "adyen.json",
    "adyen-private.pem",
    "adyen-public.txt",
}  # made for all tests with the others (`bank_process`)


def contents(keys: BankKeys) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in keys.var.rglob("*") if file.is_file()}


def certificate(file: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(file.read_bytes())


def test_each_side_has_its_own_files_and_we_have_no_key_of_the_banks(bank_keys: BankKeys) -> None:
    # Another test may have run a process with this folder as its VAR: it makes itself a token and keys of its own there.
    found = {file.name for file in bank_keys.keys.iterdir()}
    assert found >= OURS
    assert found & {name for name in THE_BANKS if name.endswith(".key")} == set()
    assert {file.name for file in bank_keys.bank.iterdir()} == THE_BANKS | AS_ADYEN


def test_files_can_be_read_by_their_owner_only(bank_keys: BankKeys) -> None:
    for folder in (bank_keys.keys, bank_keys.bank):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        secret = [file for file in folder.iterdir() if file.suffix in (".key", ".crt")]
        assert {stat.S_IMODE(file.stat().st_mode) for file in secret} == {0o600}


def test_making_them_again_changes_nothing(own_keys: BankKeys) -> None:
    before = contents(own_keys)
    make_development_keys(own_keys.keys, own_keys.bank)
    assert contents(own_keys) == before


def test_only_what_is_missing_is_made(own_keys: BankKeys) -> None:
    before = contents(own_keys)
    gone = own_keys.keys / "client.crt"
    gone.unlink()
    make_development_keys(own_keys.keys, own_keys.bank)
    changed = {file for file, content in contents(own_keys).items() if before[file] != content}
    assert changed == {gone}


def test_what_is_about_to_expire_is_renewed_and_keeps_its_key(own_keys: BankKeys) -> None:
    sealing = own_keys.keys / "bank-sealing.crt"
    before, kid = certificate(sealing), load_sealing_key(sealing).kid
    soon = before.not_valid_after_utc - timedelta(days=20)
    make_development_keys(own_keys.keys, own_keys.bank, soon)
    assert certificate(sealing).not_valid_after_utc > soon + timedelta(days=300)
    assert load_sealing_key(sealing, soon).kid == kid


def test_a_lost_authority_key_makes_new_certificates_that_agree(own_keys: BankKeys) -> None:
    (own_keys.bank / "ca.key").unlink()
    make_development_keys(own_keys.keys, own_keys.bank)
    authority = certificate(own_keys.keys / "bank-ca.crt")
    for file in (own_keys.bank / "server.crt", own_keys.keys / "client.crt", own_keys.keys / "bank-sealing.crt"):
        certificate(file).verify_directly_issued_by(authority)


@pytest.mark.parametrize("name", ["client.key", "client.crt"])
def test_a_broken_file_is_named_and_left_alone(own_keys: BankKeys, name: str) -> None:
    broken = own_keys.keys / name
    broken.write_bytes(b"broken")
    with pytest.raises(ConfigError, match=f"{name}: not a readable .*; remove it and a new one is made"):
        make_development_keys(own_keys.keys, own_keys.bank)
    assert broken.read_bytes() == b"broken"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file/keys: Not a directory; choose a folder"):
        make_development_keys(tmp_path / "file" / "keys", tmp_path / "bank")


def test_many_at_once_make_one_set(tmp_path: Path) -> None:
    made = BankKeys(tmp_path)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(make_development_keys, made.keys, made.bank) for _ in range(4)]:
            done.result()
    key = load_sealing_key(made.keys / "bank-sealing.crt", datetime.now(UTC))
    assert key.public.public_numbers() == certificate(made.bank / "sealing.crt").public_key().public_numbers()


def test_the_command_makes_them_beside_each_other(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ivr.bank.dev_keys", str(tmp_path / "keys")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True, cwd=ROOT)
    assert "keys and certificates are in" in done.stdout
    assert (tmp_path / "bank" / "sealing.key").exists()
