"""ENVIRONMENT=production: everything that is only safe on a laptop is refused, all at once, each with its cure."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from ivr.bank import VaultSealed
from ivr.bank.certificates import Issuer, issue
from ivr.bank.dev_keys import make_development_keys, make_forwarders_key, pem, private_pem
from ivr.calls.production import files_problems, require_production
from ivr.errors import ConfigError
from ivr.settings import SHIPPED_TRUNK_FLOWS, load_settings

TOKEN = "0123456789abcdef0123456789abcdef"
BANKS = """
banks:
  acme_bank:
    url: https://pay.bank.example
    sealing_key: keys/sealing.crt
    ca: keys/ca.crt
    client_certificate: keys/us.crt
    client_key: keys/us.key
"""


class Site:
    """A site that is ready for production; each test takes one thing away."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "keys").mkdir()
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = pem(issue("bank", "authority", key, Issuer("A bank's own authority", key), datetime.now(UTC)))
        for name in ("sealing.crt", "ca.crt", "us.crt"):
            (folder / "keys" / name).write_bytes(certificate)
        (folder / "keys" / "us.key").write_bytes(private_pem(key))
        (folder / "keys" / "fingerprint.key").write_bytes(bytes(32))
        (folder / "banks.yaml").write_text(BANKS)
        (folder / "accounts.csv").write_text("account,due,minimum,currency\n")

    def refused(self, *, opens_keys: bool = False, **changed: str) -> str:
        """What is said against it; empty where it may start."""
        chosen = {
            "ENVIRONMENT": "production",
            "PUBLIC_URL": "https://pay.example.com",
            "TWILIO_AUTH_TOKEN": TOKEN,
            "MERCHANT": "shop-17",
            "ACCOUNTS": str(self.folder / "accounts.csv"),
            "BANKS": str(self.folder / "banks.yaml"),
            "VAR": str(self.folder),
            "TRUNK_USER": "pbx" if "TRUNK_PASSWORD" in changed else "",
        }
        try:
            require_production(load_settings(chosen | changed), opens_keys=opens_keys)
        except ConfigError as error:
            return str(error)
        return ""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_site_with_everything_of_its_own_may_start(site: Site):
    assert site.refused() == ""


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("TWILIO_AUTH_TOKEN", "x", "32 hexadecimal digits"),
        ("TWILIO_AUTH_TOKEN", "0" * 32, "32 hexadecimal digits"),
        ("TWILIO_AUTH_TOKEN", "", "TWILIO_AUTH_TOKEN is not"),
        ("PUBLIC_URL", "https://", "such as https://pay.example.com"),
        ("PUBLIC_URL", "http://pay.example.com", "such as https://pay.example.com"),
        ("PUBLIC_URL", "https://127.0.0.1", "loopback"),
        ("PUBLIC_URL", "https://[::1]:443", "loopback"),
        ("PUBLIC_URL", "", "PUBLIC_URL is not"),
        ("MERCHANT", "demo-merchant", "MERCHANT"),
        ("ACCOUNTS", "config/accounts.csv", "demo file"),
        ("PAY_CONNECTOR_PASSWORD", "abc", "PAY_CONNECTOR_PASSWORD"),
        ("TRUNK_PASSWORD", "abc", "TRUNK_PASSWORD"),
        ("BILLING_URL", "https://bills.example.com", "BILLING_SECRET"),
        ("TRUNK_TLS_PORT", "5061", "TRUNK_TLS_CERT"),
        ("TRUNK_FLOWS", "100=pay-a-bil", "TRUNK_FLOWS: '100=pay-a-bil': expected number=flow; flows: "),
        ("TRUNK_FLOWS", "pay-a-bill", "TRUNK_FLOWS: 'pay-a-bill': expected number=flow"),
    ],
)
def test_a_setting_that_is_only_safe_on_a_laptop_is_named_with_its_cure(
    site: Site, setting: str, value: str, said: str
):
    complaint = site.refused(**{setting: value})
    assert said in complaint
    assert complaint.count("\n  - ") == 1


def test_every_flow_of_the_trunk_that_is_not_there_is_named_beside_the_other_faults(site: Site):
    complaint = site.refused(TRUNK_FLOWS="100=pay-a-bill,200=nowhere,*=neither", MERCHANT="demo-merchant")
    assert [line.partition(":")[0] for line in complaint.splitlines()[1:]] == [
        "  - TRUNK_FLOWS",
        "  - TRUNK_FLOWS",
        "  - MERCHANT is still 'demo-merchant'",
    ]


def test_a_trunk_left_as_it_ships_asks_nothing_of_a_merchants_flows(site: Site):
    (site.folder / "flows").mkdir()
    (site.folder / "flows" / "rent.yaml").write_text("flow: 'rent'\n")
    assert site.refused(FLOWS=str(site.folder / "flows")) == ""
    assert site.refused(FLOWS=str(site.folder / "flows"), TRUNK_FLOWS="*=rent") == ""
    assert load_settings({"VAR": str(site.folder)}).trunk_flows == SHIPPED_TRUNK_FLOWS


@pytest.mark.parametrize("host", ["127.0.0.1:9443", "localhost", "[::1]", "127.8.8.8", "0.0.0.0"])
def test_a_bank_on_this_machine_is_refused(site: Site, host: str):
    (site.folder / "banks.yaml").write_text(BANKS.replace("pay.bank.example", host))
    assert "acme_bank: url" in site.refused()


def test_keys_that_were_made_for_development_are_refused_one_by_one(site: Site):
    make_development_keys(site.folder / "made", site.folder / "bank")
    for made, used in (("bank-sealing.crt", "sealing.crt"), ("bank-ca.crt", "ca.crt"), ("client.crt", "us.crt")):
        (site.folder / "keys" / used).write_bytes((site.folder / "made" / made).read_bytes())
    complaint = site.refused()
    assert [name for name in ("sealing_key", "ca", "client_certificate") if f"acme_bank: {name}" in complaint] == [
        "sealing_key",
        "ca",
        "client_certificate",
    ]


def test_the_token_that_was_made_for_development_is_refused(site: Site):
    (site.folder / "keys" / "twilio_auth_token").write_text(TOKEN)
    assert "made for development" in site.refused()


def test_missing_keys_are_named_each(site: Site):
    (site.folder / "keys" / "us.key").unlink()
    (site.folder / "keys" / "fingerprint.key").unlink()
    complaint = site.refused()
    assert "us.key" in complaint
    assert "set-up" in complaint


def test_a_folder_that_was_set_up_for_development_is_refused(site: Site):
    make_development_keys(site.folder / "elsewhere", site.folder / "bank")
    assert "was set up for development" in site.refused()


def test_a_client_key_of_another_certificate_is_refused_by_who_may_read_it(site: Site):
    (site.folder / "keys" / "us.key").write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
    assert site.refused() == ""
    assert "us.key is not the key of" in site.refused(opens_keys=True)


def test_everything_wrong_is_told_at_once(site: Site):
    complaint = site.refused(TWILIO_AUTH_TOKEN="x", MERCHANT="demo-merchant", ACCOUNTS="config/accounts.csv")
    assert complaint.count("\n  - ") == 3


def test_a_site_with_a_trunk_alone_is_not_asked_for_twilio(site: Site):
    assert site.refused(PUBLIC_URL="", TWILIO_AUTH_TOKEN="") == ""


def test_texts_need_a_token_even_without_webhooks(site: Site):
    assert "no text could be sent" in site.refused(PUBLIC_URL="", TWILIO_AUTH_TOKEN="", TWILIO_ACCOUNT_SID="AC1")
    assert site.refused(PUBLIC_URL="", TWILIO_ACCOUNT_SID="AC1") == ""


def test_accounts_may_be_left_out(site: Site):
    assert site.refused(ACCOUNTS="") == ""


def test_development_refuses_none_of_it(site: Site):
    assert site.refused(ENVIRONMENT="development", TWILIO_AUTH_TOKEN="x", MERCHANT="demo-merchant") == ""


# ---- a bank that is sent cards in clear


class ClearCardSite:
    """A bank whose fields are sealed to the forwarder's key; no protocol is needed to look at its files."""

    def __init__(self, folder: Path) -> None:
        self.keys = folder / "keys"
        self.bank = VaultSealed(protocol="x", url="https://pay.bank.example").below(folder)

    def refused(self, opens_keys: bool) -> str:
        return "\n".join(files_problems("bank", self.bank, opens_keys))


def test_the_pair_that_set_up_makes_is_good_and_the_key_is_the_forwarders_to_look_at(tmp_path: Path):
    site = ClearCardSite(tmp_path)
    make_forwarders_key(site.keys)
    assert site.refused(opens_keys=True) == ""
    (site.keys / "forwarder-sealing.key").unlink()
    assert site.refused(opens_keys=False) == ""
    assert "opening_key: there is no file" in site.refused(opens_keys=True)


def test_a_development_pair_is_refused_and_so_is_a_key_of_another_pair(tmp_path: Path):
    site = ClearCardSite(tmp_path)
    make_development_keys(site.keys, tmp_path / "bank")
    assert "sealing_key" in site.refused(opens_keys=False)
    assert "was made for development" in site.refused(opens_keys=False)
    development = (site.keys / "forwarder-sealing.key").read_bytes()
    for half in ("forwarder-sealing.key", "forwarder-sealing.crt"):
        (site.keys / half).unlink()
    make_forwarders_key(site.keys)
    (site.keys / "forwarder-sealing.key").write_bytes(development)
    assert "is not the key of" in site.refused(opens_keys=True)
