"""Fields sealed to the forwarder's key: opened there with that key alone, for the payment they were sealed for, and wiped."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from joserfc import jwe
from joserfc.jwk import RSAKey

from ivr.bank import AuthorizationRequest, CardNotOpened, ClearCard, VaultSealed
from ivr.bank.dev_keys import make_forwarders_key, new_sealing_key, private_pem
from ivr.errors import ConfigError
from ivr.forwarder.opening import CardOpener, OpeningKey, opener_for
from ivr.places import SHIPPED as ROOT
from ivr.vault import Vault
from tests.bank.requests import new_request
from tests.bank_process import BankKeys
from tests.leaks import leaks_in, leaks_in_object
from tests.vault.test_seal import REGISTRY

PAN = "4242424242424242"
SHORT = {"expiry": b"1230", "security_code": b"123", "postal_code": b"12345"}


@pytest.fixture
def opener(bank_keys: BankKeys) -> CardOpener:
    return CardOpener(bank_keys.keys / "forwarder-sealing.key")


@pytest.fixture
def request_sealed(bank_keys: BankKeys) -> AuthorizationRequest:
    return new_request(Vault(bank_keys.keys / "forwarder-sealing.crt", bytes(32), "forwarder"), PAN)


def test_the_forwarder_opens_what_the_vault_has_sealed(opener: CardOpener, request_sealed: AuthorizationRequest):
    with opener(request_sealed) as card:
        assert card["card_number"] == PAN.encode()
        assert {field: bytes(card[field]) for field in SHORT} == SHORT
        assert "pin" not in card


def test_an_independent_library_reads_the_same(bank_keys: BankKeys, request_sealed: AuthorizationRequest):
    key = RSAKey.import_key((bank_keys.keys / "forwarder-sealing.key").read_bytes())
    sealed = request_sealed.sealed["card_number"]
    assert jwe.decrypt_compact(sealed, key, registry=REGISTRY).plaintext == PAN.encode()


def test_its_buffers_are_wiped_at_the_end_whatever_happens(opener: CardOpener, request_sealed: AuthorizationRequest):
    buffers: list[bytearray] = []
    with pytest.raises(RuntimeError), opener(request_sealed) as card:
        fail_with(card, buffers)
    assert [set(buffer) for buffer in buffers] == [{0}] * 4


def fail_with(card: ClearCard, buffers: list[bytearray]) -> None:
    buffers += [card["card_number"], *(card[field] for field in SHORT)]
    raise RuntimeError


def moved(sealed: AuthorizationRequest) -> AuthorizationRequest:
    fields = dict(sealed.sealed)
    return replace(sealed, sealed=fields | {"security_code": fields["postal_code"]})


def altered(sealed: AuthorizationRequest, part: int) -> AuthorizationRequest:
    parts = sealed.sealed["card_number"].split(".")
    parts[part] = parts[part][:8] + ("A" if parts[part][8] != "A" else "B") + parts[part][9:]
    return replace(sealed, sealed={**sealed.sealed, "card_number": ".".join(parts)})


@pytest.mark.parametrize(
    "wrong",
    [
        lambda sealed: replace(sealed, merchant="another"),
        lambda sealed: replace(sealed, call="another"),
        lambda sealed: replace(sealed, reference="CA2-1"),
        moved,
        *(lambda sealed, part=part: altered(sealed, part) for part in range(5)),
        lambda sealed: replace(sealed, sealed={"card_number": "eyJ"}),
        lambda sealed: replace(sealed, sealed={"card_number": "a.b.c.d.e.f"}),
        lambda sealed: replace(sealed, sealed={"card_number": ""}),
        lambda sealed: replace(sealed, sealed={"card_number": "ü.ü.ü.ü.ü"}),
    ],
)
def test_what_was_sealed_for_another_payment_or_field_or_was_changed_is_not_opened(
    wrong: Callable[[AuthorizationRequest], AuthorizationRequest],
    opener: CardOpener,
    request_sealed: AuthorizationRequest,
):
    with pytest.raises(CardNotOpened, match="not sealed to our key for this payment") as refused:
        opener(wrong(request_sealed))
    assert leaks_in_object(refused.value, [PAN]) == []


def test_another_key_opens_nothing(bank_keys: BankKeys, request_sealed: AuthorizationRequest):
    with pytest.raises(CardNotOpened):
        CardOpener(bank_keys.bank / "sealing.key")(request_sealed)


def test_an_open_card_shows_nothing_and_is_not_copied(opener: CardOpener, request_sealed: AuthorizationRequest):
    with opener(request_sealed) as card:
        assert leaks_in(f"{card!r} {card} {opener!r}".encode(), [PAN]) == []
        with pytest.raises(TypeError):
            pickle.dumps(card)
    assert repr(ClearCard({})) == "ClearCard(***)"


def write(file: Path, content: bytes, mode: int = 0o600) -> Path:
    file.write_bytes(content)
    file.chmod(mode)
    return file


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (b"", 0o600, "not a private key in unencrypted PEM; `opening_key` is the forwarder's own"),
        (b"-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n", 0o600, "not a private key"),
        (None, 0o640, "others than its owner can read it; chmod 600"),
        (None, 0o604, "others than its owner can read it; chmod 600"),
    ],
)
def test_a_key_that_cannot_be_used_is_named_with_its_cure(
    content: bytes | None, mode: int, says: str, bank_keys: BankKeys, tmp_path: Path
):
    written = (bank_keys.keys / "forwarder-sealing.key").read_bytes() if content is None else content
    with pytest.raises(ConfigError) as refused:
        CardOpener(write(tmp_path / "own.key", written, mode))
    assert says in str(refused.value)
    assert "hush" not in str(refused.value)


def test_two_keys_under_one_name_are_refused(bank_keys: BankKeys, tmp_path: Path):
    """Of two only one would open, and what was sealed to the other would be lost."""
    own = bank_keys.keys / "forwarder-sealing.key"
    other = write(tmp_path / "other.key", private_pem(new_sealing_key()), 0o600)
    with pytest.raises(ConfigError, match=r"other\.key: its kid is 'ours', as another key's"):
        CardOpener([OpeningKey(own, "ours"), OpeningKey(other, "ours")])
    assert CardOpener([OpeningKey(own, "ours"), OpeningKey(own, "ours")]).kids == ["ours"]


def test_a_missing_key_and_one_of_another_kind_are_named(bank_keys: BankKeys, tmp_path: Path):
    with pytest.raises(ConfigError, match="No such file"):
        CardOpener(tmp_path / "gone.key")
    with pytest.raises(ConfigError, match="not an RSA key"):
        CardOpener(bank_keys.keys / "client.key")


def test_a_bank_that_opens_its_seals_itself_gets_no_opener(bank_keys: BankKeys):
    assert opener_for(bank_keys.settings("https://bank.example")) is None
    ours = VaultSealed(protocol="x", url="https://bank.example").below(bank_keys.var)
    assert isinstance(opener_for(ours), CardOpener)


def test_no_process_but_the_forwarder_has_what_opens():
    """Web, console and trunk are made of `ivr.app` and the channels; the layers keep them from importing it later."""
    asked = (
        "import sys, ivr.app, ivr.channels.trunk, ivr.channels.twilio, ivr.channels.browser;"
        "sys.exit('ivr.forwarder.opening' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", asked], cwd=ROOT, timeout=120, check=False).returncode == 0


def test_a_pair_for_production_is_made_once_and_never_around_a_key_that_lies_there(tmp_path: Path):
    make_forwarders_key(tmp_path / "new")
    made = {file.name: file.read_bytes() for file in (tmp_path / "new").glob("forwarder*")}
    make_forwarders_key(tmp_path / "new")
    assert {file.name: file.read_bytes() for file in (tmp_path / "new").glob("forwarder*")} == made
    assert set(made) == {"forwarder-sealing.crt", "forwarder-sealing.key"}
    assert Vault(tmp_path / "new" / "forwarder-sealing.crt", bytes(32), "forwarder")
    (tmp_path / "old").mkdir()
    write(tmp_path / "old" / "forwarder-sealing.key", private_pem(new_sealing_key()))
    make_forwarders_key(tmp_path / "old")
    assert not (tmp_path / "old" / "forwarder-sealing.crt").exists()
