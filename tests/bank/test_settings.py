"""`banks.yaml`: what is wrong in it is told all at once, with its line."""

from pathlib import Path

import pytest

from ivr.bank import BankSettings, load_banks
from ivr.errors import ConfigError
from ivr.places import SHIPPED as ROOT

GOOD = """\
banks:
  acme_bank:
    url: https://bank.example:8443/api/
    sealing_key: keys/bank-sealing.crt
    ca: /etc/bank/ca.pem
    client_certificate: keys/client.crt
    client_key: keys/client.key
    connect_timeout: 250ms
    read_timeout: 12.5s
"""


def load(tmp_path: Path, text: str) -> dict[str, BankSettings]:
    file = tmp_path / "banks.yaml"
    file.write_text(text, encoding="utf-8")
    return load_banks(file, Path("/srv/var"))


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    return str(refused.value)


def test_a_bank_is_read_with_its_files_below_var(tmp_path: Path) -> None:
    bank = load(tmp_path, GOOD)["acme_bank"]
    assert bank.url == "https://bank.example:8443/api"
    assert bank.sealing_key == Path("/srv/var/keys/bank-sealing.crt")
    assert bank.ca == Path("/etc/bank/ca.pem")
    assert (bank.connect_timeout, bank.read_timeout, bank.seal_to) == (0.25, 12.5, "bank")


def test_the_repositorys_own_file_is_good() -> None:
    banks = load_banks(ROOT / "config" / "banks.yaml", ROOT / "var")
    assert banks["acme_bank"].client_key == ROOT / "var" / "keys" / "client.key"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("https://bank.example:8443/api/", "http://bank.example", "3:5: acme_bank: url: expected https://host"),
        ("https://bank.example:8443/api/", "https://me:pw@bank.example", "3:5: acme_bank: url: expected https://host"),
        (
            "bank.example:8443/api/",
            "bank.example:84430",
            "3:5: acme_bank: url: expected https://host or https://host:port",
        ),
        (
            "bank.example:8443/api/",
            "bank.example:port",
            "3:5: acme_bank: url: expected https://host or https://host:port",
        ),
        ("https://bank.example:8443/api/", "bank", "3:5: acme_bank: url: expected https://host"),
        ("    ca: /etc/bank/ca.pem\n", "", "2:3: acme_bank: 'ca' is missing"),
        ("client_key:", "client_kee:", "7:5: acme_bank: unknown key 'client_kee' (did you mean 'client_key'?)"),
        ("12.5s", "12.5", "9:5: acme_bank: read_timeout: expected a time such as '3s'"),
        ("12.5s", "0s", "9:5: acme_bank: read_timeout: Input should be greater than 0"),
        ("12.5s", "9999s", "9:5: acme_bank: read_timeout: Input should be less than or equal to 50"),
        ("12.5s", "50s", "9:5: acme_bank: read_timeout: connect_timeout and read_timeout together may be at most 50s"),
        ("250ms", "45s", "9:5: acme_bank: read_timeout: connect_timeout and read_timeout together may be at most 50s"),
        (
            "12.5s",
            "12.5s\n    connections: 0",
            "10:5: acme_bank: connections: Input should be greater than or equal to 1",
        ),
        (
            "12.5s",
            "12.5s\n    connections: 65",
            "10:5: acme_bank: connections: Input should be less than or equal to 64",
        ),
        ("12.5s", "12.5s\n    currencies: USD", "10:5: acme_bank: currencies: expected a list in brackets"),
        ("banks:", "banks:\n  other_bank:", "2:3: other_bank: expected keys of its own, indented below it"),
        ("banks:", "bank:", "1:1: unknown key 'bank' (known: banks)"),
        ("    ca: /etc/bank/ca.pem\n", "    ca: a\n    ca: b\n", "6:5: 'ca' is there twice"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert f"banks.yaml:{says}" in refusal(tmp_path, GOOD.replace(old, new))


def test_a_protocol_says_whose_key_fields_are_sealed_to_and_no_setting_changes_that(tmp_path: Path) -> None:
    said = refusal(tmp_path, GOOD.replace("    ca:", "    seal_to: vault\n    ca:"))
    assert "5:5: acme_bank: seal_to: expected 'bank': this protocol has fields sealed to the bank's key" in said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, GOOD.replace("12.5s", "soon").replace("https:", "ftp:") + "  other: 5\n")
    assert len(message.splitlines()) == 3


@pytest.mark.parametrize("text", ["", "banks:\n", "banks: 5\n", "[]", "banks: {", "- a\n"])
def test_a_file_without_banks_is_refused(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, text).startswith(f"{tmp_path}/banks.yaml:1:")


def test_a_missing_file_points_to_the_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="set BANKS to the file that names your banks"):
        load_banks(tmp_path / "gone.yaml", tmp_path)


def test_a_mistaken_value_is_never_quoted(tmp_path: Path) -> None:
    assert "4111111111111111" not in refusal(tmp_path, GOOD.replace("12.5s", "4111111111111111"))
