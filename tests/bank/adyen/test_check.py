"""`bank check`: what works, what does not and what to do; and who may have sent a notification."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from ivr.bank import load_banks
from ivr.bank.adyen import AdyenSettings
from ivr.bank.adyen.notifications import minor_in, signature
from ivr.calls.bank_check import check_bank
from ivr.calls.bank_keys import vaults_of
from ivr.calls.production import require_production
from ivr.cli.bank import check
from ivr.errors import ConfigError
from ivr.forwarder.keys import open_banks
from ivr.settings import load_settings
from ivr.vault.adyen import CURE
from tests.bank.adyen.keys import API_KEY, HMAC_KEY, make_keys
from tests.bank.adyen.running import RunningAdyen
from tests.bank_process import RunningBank, bank_process  # noqa: F401

SECRETS = {"ADYEN_API_KEY": API_KEY, "ADYEN_HMAC_KEY": HMAC_KEY}
YAML = """\
banks:
  adyen:
    protocol: {protocol}
    url: {url}
    merchant_account: AcmeMOTO
    sealing_key: adyen.txt
    currencies: [{currency}]
"""
OURS = """\
  acme:
    url: https://bank.example:8443
    seal_to: bank
    sealing_key: nowhere.crt
    ca: nowhere-ca.crt
    client_certificate: nowhere-client.crt
    client_key: nowhere-client.key
"""
TEST, LIVE = "https://checkout-test.adyen.com/v72", "https://ab12-checkout-live.adyenpayments.com/checkout/v72"


def wrong(settings: AdyenSettings, environ: Mapping[str, str] = SECRETS) -> list[str]:
    return [found.words for found in check_bank("adyen", settings, environ) if found.is_good is False]


def test_nothing_is_wrong_with_a_good_bank_and_nothing_is_charged(adyen_process: RunningAdyen):
    found = list(check_bank("adyen", adyen_process.settings(currencies=["USD", "EUR"]), SECRETS))
    assert {one.is_good for one in found} == {True}, found
    assert [one for one in adyen_process.ask("/_books") if one["reference"].startswith("check.") and one["value"]] == []


def test_each_thing_that_is_wrong_is_said_with_its_cure(adyen_process: RunningAdyen, tmp_path: Path):
    good = adyen_process.settings
    assert "ADYEN_API_KEY is not set" in wrong(good(), {})[0]
    assert "ADYEN_API_KEY has blanks" in wrong(good(), {**SECRETS, "ADYEN_API_KEY": "a key\n"})[0]
    (of_the_key,) = wrong(good(), {**SECRETS, "ADYEN_API_KEY": "wrong"})
    assert "ADYEN_API_KEY is not taken" in of_the_key
    assert "may not act for Another" in wrong(good(merchant_account="Another"))[0]
    assert "takes no cards in SEK" in wrong(good(currencies=["USD", "SEK"]))[0]
    assert "without it no notification" in wrong(good(), {"ADYEN_API_KEY": API_KEY})[0]
    assert "HMAC key is not hexadecimal" in wrong(good(), {**SECRETS, "ADYEN_HMAC_KEY": "zz"})[0]
    assert "ADYEN_HMAC_KEY has 2 digits, Adyen's have 64" in wrong(good(), {**SECRETS, "ADYEN_HMAC_KEY": "ab"})[0]
    assert "cannot be reached" in wrong(good(url="https://127.0.0.1:1/v72"))[0]
    make_keys(tmp_path)
    others = adyen_process.settings().model_copy(update={"sealing_key": tmp_path / "adyen-public.txt"})
    assert "cannot use a sealed test card" in wrong(others)[0]


def test_no_secret_is_in_what_is_said(adyen_process: RunningAdyen):
    secrets = {"ADYEN_API_KEY": "hush hush", "ADYEN_HMAC_KEY": "hush too"}
    assert not [words for words in wrong(adyen_process.settings(), secrets) if "hush" in words]


def test_our_own_bank_is_looked_at_too(bank_process: RunningBank):  # noqa: F811
    found = list(check_bank("acme_bank", bank_process.settings, {}))
    assert {one.is_good for one in found} == {True}, found


def write(tmp_path: Path, protocol: str = "adyen", url: str = TEST, currency: str = "USD") -> Path:
    file = tmp_path / "banks.yaml"
    file.write_text(YAML.format(protocol=protocol, url=url, currency=currency))
    return file


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"protocol": "adien"}, "3:5: adyen: protocol: there is no protocol 'adien' (did you mean 'adyen'?)"),
        ({"currency": "ISK"}, "7:5: adyen: currencies: ISK cannot be taken"),
        ({"protocol": "tonetill"}, "unknown key 'merchant_account'"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(written: dict[str, str], says: str, tmp_path: Path):
    with pytest.raises(ConfigError) as refused:
        load_banks(write(tmp_path, **written), tmp_path)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "url", "says"), [("production", TEST, "test system"), ("development", LIVE, "charges real cards")]
)
def test_test_and_live_systems_are_not_mixed_up(environment: str, url: str, says: str, tmp_path: Path):
    settings = load_settings({"ENVIRONMENT": environment, "BANKS": str(write(tmp_path, url=url)), "VAR": str(tmp_path)})
    with pytest.raises(ConfigError, match=says):
        require_production(settings)


def write_two_banks(tmp_path: Path) -> Path:
    file = write(tmp_path)
    file.write_text(file.read_text() + OURS)
    make_keys(tmp_path)
    exponent, modulus = (tmp_path / "adyen-public.txt").read_text().strip().split("|")
    (tmp_path / "adyen.txt").write_text(f"{modulus}|{exponent}")
    (tmp_path / "short.txt").write_text(f"{exponent}|{modulus[:255]}1")  # odd, as every modulus is
    return file


def test_every_key_that_cannot_be_used_is_told_at_the_start_with_its_line(tmp_path: Path):
    file = write_two_banks(tmp_path)
    with pytest.raises(ConfigError) as refused:
        vaults_of(file, load_banks(file, tmp_path), bytes(32))
    of_adyen, of_ours = str(refused.value).splitlines()
    assert f"{file}:6:5: adyen: {tmp_path / 'adyen.txt'}: the two halves are swapped" in of_adyen
    assert f"{file}:11:5: acme: {tmp_path / 'nowhere.crt'}: No such file" in of_ours


@pytest.mark.parametrize(("key", "says"), [("adyen-private.pem", "a private key"), ("short.txt", "1024 bits")])
def test_what_is_wrong_with_any_form_of_adyens_key_is_cured_at_adyen(key: str, says: str, tmp_path: Path):
    file = write_two_banks(tmp_path)
    settings = load_banks(file, tmp_path)["adyen"].model_copy(update={"sealing_key": tmp_path / key})
    (told,) = (found.words for found in check_bank("adyen", settings, SECRETS))
    assert says in told
    assert told.endswith(CURE)


def test_every_secret_that_is_missing_is_told_at_the_forwarders_start_with_its_line(tmp_path: Path):
    file = write_two_banks(tmp_path)
    with pytest.raises(ConfigError) as refused:
        open_banks(file, load_banks(file, tmp_path), {})
    of_adyen, of_ours = str(refused.value).splitlines()
    assert of_adyen.startswith(f"{file}:2:3: adyen: ADYEN_API_KEY is not set")
    assert of_ours.startswith(f"{file}:13:5: acme: {tmp_path / 'nowhere-client.crt'}: ")


def test_the_command_says_what_is_wrong_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = write_two_banks(tmp_path)
    monkeypatch.setenv("BANKS", str(file))
    monkeypatch.setenv("VAR", str(tmp_path))
    monkeypatch.setenv("ADYEN_API_KEY", API_KEY)
    said = CliRunner().invoke(check, ["adyen"])
    assert said.exit_code == 1
    assert f"WRONG {file}:6:5: adyen: {tmp_path / 'adyen.txt'}: the two halves are swapped" in said.output


def test_the_signature_is_the_one_of_adyens_own_example():
    """The example of Adyen's libraries and documentation for HMAC signatures of notifications."""
    item = {
        "pspReference": "7914073381342284",
        "originalReference": "",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION",
        "success": "true",
    }
    assert signature(item, bytes.fromhex(HMAC_KEY)) == "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="


def test_a_notification_of_a_part_of_a_cent_is_not_read():
    with pytest.raises(ValueError, match="whole"):
        minor_in({"value": 1.5, "currency": "USD"})
    assert minor_in({"value": 150, "currency": "USD"}) == 150
