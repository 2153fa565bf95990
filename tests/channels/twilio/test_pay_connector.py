"""`capture: pay`: Twilio collects, our connector seals, and the charge is still ours, once."""

from pathlib import Path

import httpx
import pytest

from tests.benches import ROOT, Bench, make_bench
from tests.test_web import VOICE, next_url
from tests.webs import CALL_ID, Web, make_web

PASSWORD = "connector-password"
CARD = {
    "method": "tokenize",
    "cardnumber": "4111111111111111",
    "cvv": "123",
    "expiry_month": "12",
    "expiry_year": "2030",
    "postal_code": "94105",
    "parameters": {"intent": f"{CALL_ID}-1"},
}


@pytest.fixture
def web(sealing_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Web:
    monkeypatch.setenv("PAY_CONNECTOR_PASSWORD", PASSWORD)
    flow = tmp_path / "pay-a-bill.yaml"
    written = (ROOT / "tests" / "flows" / "sample" / "pay-a-bill.yaml").read_text(encoding="utf-8")
    flow.write_text(written.replace("    brands: [visa", "    capture: pay\n    brands: [visa"), encoding="utf-8")
    (tmp_path / "prompts").symlink_to(ROOT / "flows" / "prompts")
    return make_web(make_bench(sealing_key, flow), PAY_CONNECTOR_PASSWORD=PASSWORD)


def reach_card(web: Web) -> str:
    url = VOICE
    for keys in (None, "1", "12345678", "1"):
        answer = web.post(url, {"Digits": keys} if keys else {})
        if "<Pay" in answer.text:
            assert f'value="{CALL_ID}-1"' in answer.text
        url = next_url(answer.text)
    return url


def send_card(web: Web, password: str = PASSWORD, **changes: object) -> httpx.Response:
    body = {name: value for name, value in (CARD | changes).items() if value is not None}
    return web.http.post("/twilio/pay-connector", json=body, auth=("twilio", password))


def staged(bench: Bench) -> int:
    return bench.workbench.store.drop_unsent_cards(bench.workbench.clock.now.replace(year=2100))


def test_a_card_that_twilio_collected_is_charged_once(web: Web):
    url = reach_card(web)
    assert send_card(web).json() == {"token_id": f"{CALL_ID}-1", "error_code": None, "error_message": None}
    paid = {"Result": "success", "PaymentToken": f"{CALL_ID}-1"}
    paid |= {"PaymentCardNumber": "xxxxxxxxxxxx1111", "PaymentCardType": "visa"}
    confirm = web.post(url, paid)
    assert "1, 1, 1, 1" in confirm.text
    web.post(next_url(confirm.text), {"Digits": "1"})
    web.bench.workbench.work()
    assert set(web.bench.bank.seen[f"{CALL_ID}-1"].sealed) == {"card_number", "expiry", "security_code", "postal_code"}
    assert list(web.bench.bank.requests.values()) == [1]


def test_a_psps_token_travels_in_place_of_sealed_fields(web: Web):
    url = reach_card(web)
    paid = {"Result": "success", "PaymentToken": "psp-token-1"}
    confirm = web.post(url, paid | {"PaymentCardNumber": "xxxxxxxxxxxx1111", "PaymentCardType": "visa"})
    web.post(next_url(confirm.text), {"Digits": "1"})
    web.bench.workbench.work()
    assert web.bench.bank.seen[f"{CALL_ID}-1"].sealed == {"payment_token": "psp-token-1"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"cardnumber": "4111111111111112"}, "card_number_refused"),
        ({"cvv": None}, "missing_security_code"),
        ({"expiry_year": "2020"}, "expiry_refused"),
        ({"method": "charge"}, "invalid_request"),
        ({"parameters": {"intent": f"{CALL_ID}-7"}}, "unknown_intent"),
        ({"parameters": {}}, "invalid_request"),
    ],
)
def test_a_card_that_is_refused_leaves_nothing_behind(web: Web, changes: dict, code: str):
    reach_card(web)
    answer = send_card(web, **changes)
    assert answer.json()["error_code"] == code
    assert "4111" not in answer.text
    assert staged(web.bench) == 0


def test_without_the_password_nothing_is_read(web: Web):
    reach_card(web)
    assert send_card(web, password="wrong").status_code == 401
    assert staged(web.bench) == 0


def test_a_caller_who_gives_up_in_twilios_form_is_not_charged(web: Web):
    answer = web.post(reach_card(web), {"Result": "too-many-failed-attempts"})
    assert "Nothing was charged" in answer.text
