"""`bank check` and what is refused at start: each wrong thing with its place and its cure, no secret shown, nothing charged."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ivr.bank import load_banks
from ivr.bank.stripe import StripeSettings
from ivr.calls.bank_check import check_bank
from ivr.calls.production import require_production
from ivr.cli.bank import examine
from ivr.errors import ConfigError
from ivr.forwarder.opening import opener_for
from ivr.settings import load_settings
from tests.bank.stripe.running import RunningStripe
from tests.bank.stripe.stand_in import SECRET_KEY

SECRETS = {"SHOP_API_KEY": SECRET_KEY, "SHOP_WEBHOOK_SECRET": "whsec_standin0123456789"}
YAML = "banks:\n  shop:\n    protocol: stripe\n"


def found(settings: StripeSettings, environ: Mapping[str, str] = SECRETS) -> list[tuple[bool | None, str]]:
    return [(one.is_good, one.words) for one in check_bank("shop", settings, environ, opener_for)]


def wrong(settings: StripeSettings, environ: Mapping[str, str] = SECRETS) -> str:
    return "\n".join(words for is_good, words in found(settings, environ) if is_good is False)


def test_nothing_is_wrong_with_a_good_account_and_no_card_leaves(stripe_process: RunningStripe):
    before = len(stripe_process.ask("/_seen"))
    said = found(stripe_process.settings(currencies=["USD", "EUR"]))
    assert [words for is_good, words in said if is_good is False] == []
    assert ["raw card data access" in words for is_good, words in said if is_good is None] == [True]
    paths = [one["path"] for one in stripe_process.ask("/_seen")[before:]]
    assert paths == ["/v1/account", "/v1/country_specs/US"]


def test_each_thing_that_is_wrong_is_said_with_its_cure(stripe_process: RunningStripe):
    good = stripe_process.settings
    assert "SHOP_API_KEY is not set" in wrong(good(), {})
    assert "SHOP_API_KEY is not taken" in wrong(good(), {**SECRETS, "SHOP_API_KEY": "sk_test_another0123"})
    assert "takes no cards in SEK" in wrong(good(currencies=["SEK"]))
    assert "without it no notification" in wrong(good(), {"SHOP_API_KEY": SECRET_KEY})
    assert "no webhook's secret (whsec_...)" in wrong(good(), {**SECRETS, "SHOP_WEBHOOK_SECRET": "sk_test_0123"})
    assert "cannot be reached" in wrong(good(url="https://127.0.0.1:1"))
    keys = stripe_process.keys
    others = good().model_copy(update={"sealing_key": keys.keys / "bank-sealing.crt"})
    assert "opening_key must be sealing_key's own" in wrong(others)
    gone = good().model_copy(update={"opening_key": keys.keys / "gone.key"})
    assert "gone.key: No such file" in wrong(gone)


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("pk_test_0123456789abc", "SHOP_API_KEY is a publishable key, which can charge nobody; copy the secret key"),
        ("whsec_0123456789abc", "SHOP_API_KEY is none of Stripe's secret keys; copy the secret key"),
        ("sk_test_", "SHOP_API_KEY is none of Stripe's secret keys"),
        ("sk_live_0123456789abc", "with its key, charges real cards, and this is ENVIRONMENT=development"),
    ],
)
def test_a_key_that_is_none_or_live_is_refused_at_start_with_its_line(
    key: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    said = refused_at_start("development", key, tmp_path, monkeypatch)
    assert "banks.yaml:2:3: shop: " in said
    assert says in said
    assert key not in said


def test_a_test_key_is_refused_in_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = refused_at_start("production", SECRET_KEY, tmp_path, monkeypatch)
    assert "banks.yaml:2:3: shop: url https://api.stripe.com, with its key, is the bank's test system" in said
    assert "the key of the live one" in said
    assert SECRET_KEY not in said


@pytest.mark.parametrize(
    ("environment", "key", "says"),
    [
        ("production", SECRET_KEY, "is the bank's test system"),
        ("development", "sk_live_0123456789abc", "charges real cards, and this is ENVIRONMENT=development"),
    ],
)
def test_bank_check_says_first_what_is_refused_at_start(
    environment: str, key: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "banks.yaml").write_text(YAML, encoding="utf-8")
    for name, value in {"ENVIRONMENT": environment, "BANKS": str(tmp_path / "banks.yaml"), "SHOP_API_KEY": key}.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    first = next(examine(settings, "shop", load_banks(settings.banks, settings.var)["shop"]))
    assert (first.is_good, "banks.yaml:2:3: shop: " in first.words, says in first.words) == (False, True, True)


def test_a_process_without_the_key_leaves_it_to_the_forwarder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert refused_at_start("development", "", tmp_path, monkeypatch) == ""
    assert "test system" not in refused_at_start("production", "", tmp_path, monkeypatch)
    assert "test system" not in refused_at_start("production", "rk_live_0123456789abc", tmp_path, monkeypatch)


def refused_at_start(environment: str, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "banks.yaml").write_text(YAML)
    monkeypatch.setenv("SHOP_API_KEY", key)
    environ = {"ENVIRONMENT": environment, "BANKS": str(tmp_path / "banks.yaml"), "VAR": str(tmp_path)}
    try:
        require_production(load_settings(environ))
    except ConfigError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("    currencies: [ISK]\n", "4:5: shop: currencies: ISK cannot be taken"),
        ("    read_timeout: 20s\n", "4:5: shop: read_timeout: at most 16s: a charge is up to 3 exchanges"),
        ("    seal_to: bank\n", "4:5: shop: seal_to: expected 'vault'"),
        ("    merchant_account: x\n", "4:5: shop: unknown key 'merchant_account'"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_with_its_line(written: str, says: str, tmp_path: Path):
    (tmp_path / "banks.yaml").write_text(YAML + written)
    with pytest.raises(ConfigError) as refused:
        load_banks(tmp_path / "banks.yaml", tmp_path)
    assert f"banks.yaml:{says}" in str(refused.value)


def test_three_lines_are_a_bank(tmp_path: Path):
    (tmp_path / "banks.yaml").write_text(YAML)
    bank = load_banks(tmp_path / "banks.yaml", tmp_path)["shop"]
    assert isinstance(bank, StripeSettings)
    assert (bank.url, bank.opening_key) == ("https://api.stripe.com", tmp_path / "keys" / "forwarder-sealing.key")
