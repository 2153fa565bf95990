"""The one door: a verdict and a sealed field come out, the keys are wiped, and no digit gets past."""

import hashlib
import hmac
import json
import pickle
import traceback
from base64 import urlsafe_b64decode
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr.core.brands import BRAND_NAMES
from ivr.core.events import CARD_FIELDS
from ivr.errors import ConfigError
from ivr.vault import CardRules, Intake, Reason, SealContext, Secret, Vault
from tests.bank_process import BankKeys

NOW = datetime(2026, 1, 15, tzinfo=UTC)
CONTEXT = SealContext("demo-merchant", "CA1", "CA1-1")
RULES = CardRules(BRAND_NAMES)
CANARY = "4539148803436467"


@pytest.fixture(scope="module")
def vault(bank_keys: BankKeys) -> Vault:
    return bank_keys.vault()


def take(vault: Vault, field: str, keys: str, rules: CardRules = RULES) -> Intake:
    return vault.take(field, bytearray(keys, "ascii"), CONTEXT, rules, NOW)


def test_a_valid_card_number_is_told_by_brand_and_last_four(vault: Vault) -> None:
    intake = take(vault, "card_number", "4111111111111111")
    assert (intake.valid, intake.reason, intake.summary, intake.brand) == (True, None, "visa 1111", "visa")
    assert intake.sealed is not None
    assert intake.sealed.count(".") == 4


@pytest.mark.parametrize(("field", "keys"), [("expiry", "1230"), ("security_code", "123"), ("postal_code", "12345")])
def test_of_other_fields_nothing_is_told(vault: Vault, field: str, keys: str) -> None:
    intake = take(vault, field, keys)
    assert (intake.valid, intake.summary, intake.brand) == (True, None, None)
    assert (intake.fingerprint, intake.bin_tag) == (None, None)
    assert intake.sealed is not None


@pytest.mark.parametrize(("field", "keys"), [("card_number", CANARY), ("expiry", "1230"), ("security_code", "123")])
def test_each_is_sealed_as_the_field_that_it_is(vault: Vault, field: str, keys: str) -> None:
    header, _, _ = str(take(vault, field, keys).sealed).partition(".")
    assert json.loads(urlsafe_b64decode(header + "==="))["tonetill"]["field"] == field


def test_an_invalid_entry_has_a_reason_and_nothing_else(vault: Vault) -> None:
    assert take(vault, "card_number", "4111111111111112") == Intake(valid=False, reason="luhn")
    assert take(vault, "expiry", "0125") == Intake(valid=False, reason="expired")
    assert take(vault, "security_code", "12") == Intake(valid=False, reason="length")


@pytest.mark.parametrize("keys", ["12:", "12/"])
def test_what_stands_beside_the_digits_is_none(vault: Vault, keys: str) -> None:
    assert take(vault, "security_code", keys) == Intake(valid=False, reason="not_digits")


def test_the_security_codes_length_follows_the_brand(vault: Vault) -> None:
    amex = CardRules(BRAND_NAMES, "amex")
    assert take(vault, "security_code", "1234", amex).valid
    assert not take(vault, "security_code", "123", amex).valid


def test_one_card_has_one_fingerprint_in_every_call(vault: Vault) -> None:
    other_call = SealContext("demo-merchant", "CA2", "CA2-1")
    first = take(vault, "card_number", CANARY)
    second = vault.take("card_number", bytearray(CANARY, "ascii"), other_call, RULES, NOW)
    assert first.fingerprint == second.fingerprint
    assert first.fingerprint != take(vault, "card_number", "4111111111111111").fingerprint


def test_the_fingerprint_is_keyed(vault: Vault, bank_keys: BankKeys) -> None:
    key = (bank_keys.keys / "fingerprint.key").read_bytes()
    expected = hmac.new(key, b"pan " + CANARY.encode(), hashlib.sha256).hexdigest()
    assert take(vault, "card_number", CANARY).fingerprint == expected
    stranger = Vault(bank_keys.keys / "bank-sealing.crt", bytes(32))
    assert take(stranger, "card_number", CANARY).fingerprint != expected


def test_cards_that_begin_alike_have_one_tag_and_others_another(vault: Vault) -> None:
    one, alike, other = ("4111111111111111", "4111111145551142", "4012888888881881")
    tags = [take(vault, "card_number", pan).bin_tag for pan in (one, alike, other)]
    assert tags[0] == tags[1]
    assert tags[0] != tags[2]


def test_the_tag_is_keyed_short_and_of_six_digits_alone(vault: Vault, bank_keys: BankKeys) -> None:
    key = (bank_keys.keys / "fingerprint.key").read_bytes()
    expected = hmac.new(key, b"bin " + CANARY[:6].encode(), hashlib.sha256).hexdigest()[:16]
    intake = take(vault, "card_number", CANARY)
    assert intake.bin_tag == expected
    assert intake.fingerprint is not None
    assert not intake.fingerprint.startswith(expected)
    assert take(Vault(bank_keys.keys / "bank-sealing.crt", bytes(32)), "card_number", CANARY).bin_tag != expected


@pytest.mark.parametrize("keys", [CANARY, "4539148803436468", "45391488", "4*#", ""])
def test_the_keys_are_wiped_whatever_the_verdict(vault: Vault, keys: str) -> None:
    buffer = bytearray(keys, "ascii")
    vault.take("card_number", buffer, CONTEXT, RULES, NOW)
    assert buffer == bytes(len(keys))


def test_a_secret_is_wiped_like_a_buffer(vault: Vault) -> None:
    secret = Secret(bytearray(CANARY, "ascii"))
    assert vault.take("card_number", secret, CONTEXT, RULES, NOW).valid
    assert secret.buffer == bytes(len(CANARY))


def test_an_unknown_field_is_an_error_that_wipes_and_does_not_quote(vault: Vault) -> None:
    buffer = bytearray(CANARY, "ascii")
    with pytest.raises(ValueError, match="no such card field") as error:
        vault.take(CANARY, buffer, CONTEXT, RULES, NOW)
    assert CANARY not in "".join(traceback.format_exception(error.value))
    assert buffer == bytes(len(CANARY))


def test_an_expired_bank_key_wipes_the_card_and_seals_nothing(vault: Vault) -> None:
    buffer = bytearray(CANARY, "ascii")
    with pytest.raises(ConfigError, match="expired") as error:
        vault.take("card_number", buffer, CONTEXT, RULES, datetime(2066, 1, 1, tzinfo=UTC))
    assert CANARY not in "".join(traceback.format_exception(error.value))
    assert buffer == bytes(len(CANARY))


def test_what_comes_out_holds_no_card_number(vault: Vault) -> None:
    intake = take(vault, "card_number", CANARY)
    shown = f"{intake!r} {intake} {vault!r}".encode() + pickle.dumps(intake)
    assert CANARY.encode() not in shown
    assert CANARY[:-4].encode() not in shown
    assert intake.sealed is not None
    assert intake.sealed not in repr(intake)


digit_keys = st.text("0123456789", max_size=24).map(str.encode)
phone_keys = st.text("0123456789*#ABCD", max_size=24).map(str.encode)
any_keys = st.one_of(st.binary(max_size=64), digit_keys, phone_keys)


@settings(max_examples=300, deadline=None)
@given(field=st.sampled_from(CARD_FIELDS), keys=any_keys, brand=st.sampled_from([None, "visa", "amex", "no such"]))
def test_any_keys_get_a_verdict_and_leave_no_digits(vault: Vault, field: str, keys: bytes, brand: str | None) -> None:
    buffer = bytearray(keys)
    intake = vault.take(field, buffer, CONTEXT, CardRules(BRAND_NAMES, brand), NOW)
    assert buffer == bytes(len(keys))
    assert intake.valid == (intake.reason is None) == (intake.sealed is not None)
    assert intake.reason is None or intake.reason in Reason.__args__
    digits = keys.decode("latin-1")
    assert len(digits) < 5 or digits not in f"{intake!r}{intake.fingerprint}"


@settings(max_examples=100, deadline=None)
@given(field=st.text(max_size=20) | st.sampled_from(CARD_FIELDS), keys=any_keys)
def test_any_field_name_is_taken_or_refused_without_a_quote(vault: Vault, field: str, keys: bytes) -> None:
    buffer = bytearray(keys)
    expected = nullcontext() if field in CARD_FIELDS else pytest.raises(ValueError, match="no such card field")
    with expected:
        vault.take(field, buffer, CONTEXT, RULES, NOW)
    assert buffer == bytes(len(keys))
