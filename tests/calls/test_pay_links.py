"""A link leads to one bill, for a while, and says nothing to whoever reads it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ivr.calls.pay_links import DEVELOPMENT_ADDRESS, PayLinks, pay_links_of
from ivr.core.call import Payable
from ivr.core.money import Money
from ivr.errors import ConfigError
from ivr.settings import load_settings

KEY = bytes(range(32))
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
BILL = Payable("billing.find_bill", "12345678", Money(4250))
ADDRESS = "https://pay.example.com/bill?token={token}"


def token() -> str:
    return PayLinks(DEVELOPMENT_ADDRESS, KEY, "demo-merchant", timedelta(hours=72)).to(BILL, AT).partition("token=")[2]


def test_the_page_reads_the_bill_and_until_when_with_any_library_for_jwe():
    opened = jwe.decrypt_compact(token(), OctKey.import_key(KEY), algorithms=["dir", "A256GCM"])
    assert json.loads(opened.plaintext or b"") == {
        "merchant": "demo-merchant",
        "source": "billing.find_bill",
        "account": "12345678",
        "owed": "42.50 USD",
        "exp": int((AT + timedelta(hours=72)).timestamp()),
    }


def test_the_account_cannot_be_read_from_it_and_no_two_are_alike():
    assert "12345678" not in token()
    assert token() != token()


def test_what_was_changed_is_not_taken():
    head, key, nonce, text, tag = token().split(".")
    changed = ".".join((head, key, nonce, text[:-2] + ("AA" if text[-2:] != "AA" else "BB"), tag))
    with pytest.raises(JoseError):
        jwe.decrypt_compact(changed, OctKey.import_key(KEY), algorithms=["dir", "A256GCM"])


def settings(tmp_path, **written: str):
    return load_settings({"VAR": str(tmp_path), "ENVIRONMENT": "production", **written})


def test_production_has_no_links_without_a_page(tmp_path):
    assert pay_links_of(settings(tmp_path)) is None


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"PAY_LINK": "http://pay.example.com/{token}"}, "PAY_LINK: expected an https:// address"),
        ({"PAY_LINK": "https://pay.example.com/"}, "with {token} in it"),
        ({"PAY_LINK": ADDRESS}, "PAY_LINK_KEY: needed with PAY_LINK"),
        ({"PAY_LINK": ADDRESS, "PAY_LINK_KEY": "short"}, "PAY_LINK_KEY: expected 32 bytes in base64"),
    ],
)
def test_an_address_or_key_that_cannot_be_used_is_told(tmp_path, written: dict[str, str], told: str):
    with pytest.raises(ConfigError, match=told):
        pay_links_of(settings(tmp_path, **written))


def test_development_leads_to_an_example_with_a_key_that_stays_the_same(tmp_path):
    first, second = (pay_links_of(load_settings({"VAR": str(tmp_path)})) for _ in range(2))
    assert first == second
    assert first is not None
    assert first.address == DEVELOPMENT_ADDRESS
