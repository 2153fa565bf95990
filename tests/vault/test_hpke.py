"""What the vault seals by HPKE two foreign libraries open, with the bank's key and no other, bound to one place of use."""

import base64
import hashlib
import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from ivr.bank.hpke_pair import new_hpke_pair
from ivr.bank.simulator.hpke_seals import HpkeKey
from ivr.errors import ConfigError
from ivr.vault import HPKE, SealContext, Vault
from ivr.vault.hpke import load_hpke_key, seal_by_hpke
from tests.bank.requests import new_request

NOW = datetime(2026, 1, 15, tzinfo=UTC)
CONTEXT = SealContext("demo-merchant", "CA1", "CA1-1")
PAN = b"4111111111111111"
FOREIGN = Path(__file__).parent / "foreign_hpke"
INSTALL = f"npm ci --ignore-scripts --prefix {FOREIGN.relative_to(Path(__file__).parents[2])}"


class Pair:
    def __init__(self, folder: Path) -> None:
        private, public = new_hpke_pair()
        self.private = json.loads(private)
        self.file = folder / "bank.jwk"
        self.file.write_bytes(public)

    def seal(self, field: str = "card_number", clear: bytes = PAN) -> str:
        return seal_by_hpke(field, bytearray(clear), CONTEXT, load_hpke_key(self.file), NOW)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


@pytest.mark.parametrize("library", ["@hpke/core", "@panva/hpke-noble"])
def test_a_foreign_library_opens_what_was_sealed(pair: Pair, library: str):
    if shutil.which("node") is None or not (FOREIGN / "node_modules" / library).is_dir():
        pytest.skip(f"node with two libraries is not here: {INSTALL}")
    asked = json.dumps({"library": library, "seed": pair.private["priv"], "sealed": pair.seal()})
    opened = subprocess.run(["node", FOREIGN / "open.mjs"], input=asked, capture_output=True, text=True, check=True)
    assert bytes.fromhex(opened.stdout) == PAN


def test_the_header_names_the_key_and_where_the_field_may_be_used(pair: Pair):
    header, clear = HpkeKey(pair.private).open(pair.seal("expiry", b"1230"))
    assert clear == b"1230"
    assert header == {
        "alg": HPKE,
        "kid": pair.private["kid"],
        "crit": ["tonetill"],
        "tonetill": {"merchant": "demo-merchant", "call": "CA1", "intent": "CA1-1", "field": "expiry"},
    }


def test_the_binding_cannot_be_exchanged_for_another(pair: Pair):
    header, *rest = pair.seal().split(".")
    bound = json.loads(base64.urlsafe_b64decode(header + "=="))
    bound["tonetill"]["intent"] = "CA2-1"
    other = base64.urlsafe_b64encode(json.dumps(bound, separators=(",", ":")).encode()).rstrip(b"=").decode()
    with pytest.raises(InvalidTag):
        HpkeKey(pair.private).open(".".join([other, *rest]))


@pytest.mark.parametrize("part", [1, 2])
def test_a_changed_bit_in_any_part_is_found(pair: Pair, part: int):
    parts = pair.seal().split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[part] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[part] = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
    with pytest.raises(InvalidTag):
        HpkeKey(pair.private).open(".".join(parts))


def test_another_key_opens_nothing(pair: Pair, tmp_path: Path):
    with pytest.raises(InvalidTag):
        HpkeKey(json.loads(new_hpke_pair()[0])).open(pair.seal())


def test_the_same_field_is_never_sealed_the_same_way_twice(pair: Pair):
    sealed = [pair.seal("security_code", b"123").split(".") for _ in range(10)]
    assert [len({parts[at] for parts in sealed}) for at in range(3)] == [1, 10, 10]


def test_the_vault_takes_the_form_by_its_name_and_wipes_the_keys(pair: Pair):

    request = new_request(Vault(pair.file, bytes(32), HPKE), PAN.decode())
    _, clear = HpkeKey(pair.private).open(request.sealed["card_number"])
    assert clear == PAN


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (b"", "not a JWK with a 'pub'"),
        (b'{"kty": "RSA"}', "not a JWK with a 'pub'"),
        (b'{"kty": "RSA", "pub": ""}', "must be of kty 'AKP'"),
        (json.dumps({"kty": "AKP", "alg": HPKE, "pub": "AAAA"}).encode(), "a key of 1216 bytes"),
        (new_hpke_pair()[0], "this is a private key; only the bank may have that"),
    ],
)
def test_what_is_no_key_is_told_so(tmp_path: Path, written: bytes, told: str):
    file = tmp_path / "key.jwk"
    file.write_bytes(written)
    with pytest.raises(ConfigError) as refused:
        load_hpke_key(file)
    assert str(refused.value).startswith(f"{file}: ")
    assert told in str(refused.value)


def test_a_key_goes_by_the_banks_name_for_it_and_without_one_by_its_thumbprint(pair: Pair):
    """RFC 7638, over the members that make a key of this type, in the order of the alphabet."""
    named = json.loads(pair.file.read_bytes())
    pair.file.write_text(json.dumps(named | {"kid": "the-banks-own"}))
    read = load_hpke_key(pair.file)
    assert (read.kid, read.file) == ("the-banks-own", pair.file)
    pair.file.write_text(json.dumps({"pub": named["pub"], "alg": HPKE, "kty": "AKP"}))
    members = f'{{"alg":"{HPKE}","kty":"AKP","pub":"{named["pub"]}"}}'
    digest = base64.urlsafe_b64encode(hashlib.sha256(members.encode()).digest()).rstrip(b"=").decode()
    assert load_hpke_key(pair.file).kid == digest


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"gone.jwk: No such file or directory; ask the bank"):
        load_hpke_key(tmp_path / "gone.jwk")
