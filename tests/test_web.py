"""The web process as Twilio sees it, and as somebody sees it who is not Twilio."""

import re

import pytest

from ivr.core.events import HungUp
from tests.benches import Bench
from tests.webs import CALL_ID, Web, make_web

VOICE = "/twilio/voice/pay-a-bill"


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


def actions_of(twiml: str) -> list[str]:
    return re.findall(r"<(Gather|Redirect|Hangup|Pay)\b", twiml)


def next_url(twiml: str) -> str:
    found = re.search(r'action="([^"]+)"|<Redirect[^>]*>([^<]+)<', twiml)
    assert found is not None, twiml
    return (found[1] or found[2]).replace("&amp;", "&")


def test_a_whole_call_is_paid_through_signed_webhooks(web: Web):
    line = web.line()
    line.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105"):
        assert line.press(keys).state == "keys"
    assert line.press("1").state == "waiting"
    web.bench.workbench.work()
    assert any("confirmation number" in heard.words for heard in line.wait().heard)
    reply = line.press("#")
    assert reply.state == "over"
    assert any("charged" in heard.words for heard in reply.heard)
    assert [p.status for p in web.bench.workbench.store.payments_of(line.call_id)] == ["approved"]


def test_the_first_answer_welcomes_and_collects(web: Web):
    answer = web.post(VOICE, {"CallStatus": "ringing"})
    assert answer.headers["content-type"].startswith("text/xml")
    assert actions_of(answer.text) == ["Gather"]
    assert 'input="dtmf"' in answer.text
    assert 'finishOnKey="#"' in answer.text


@pytest.mark.parametrize("signature", [None, "", "AAAA", "%FF"])
def test_a_wrong_or_missing_signature_gets_403_and_changes_nothing(web: Web, signature: str | None):
    web.post(VOICE, {"CallStatus": "ringing"})
    before = web.rows()
    headers = {} if signature is None else {"X-Twilio-Signature": signature.encode("latin-1")}
    answer = web.http.post(f"{VOICE}?seq=1", data={"CallSid": CALL_ID, "Digits": "1"}, headers=headers)
    assert answer.status_code == 403
    assert "X-Twilio-Signature" in answer.text
    assert web.rows() == before


def test_a_signature_of_another_url_gets_403(web: Web):
    body = f"CallSid={CALL_ID}".encode()
    answer = web.http.post(VOICE, content=body, headers={"X-Twilio-Signature": web.sign(f"{VOICE}?seq=1", body)})
    assert answer.status_code == 403


def test_a_repeated_delivery_gets_the_same_answer_and_advances_nothing(web: Web):
    first = web.post(VOICE, {"CallStatus": "ringing"})
    again = web.post(VOICE, {"CallStatus": "ringing"})
    assert again.text == first.text
    url = next_url(first.text)
    chosen = web.post(url, {"Digits": "1"})
    before = web.rows()
    assert web.post(url, {"Digits": "1"}).text == chosen.text
    assert web.rows() == before


def test_a_repeated_confirmation_charges_once(web: Web):
    url = VOICE
    for keys in (None, "1", "12345678", "1", "4111111111111111", "1230", "123", "94105", "1"):
        last = url
        answer = web.post(url, {"Digits": keys} if keys else {})
        url = next_url(answer.text)
    for _ in range(5):
        assert web.post(last, {"Digits": "1"}).text == answer.text
    web.bench.workbench.work()
    assert list(web.bench.bank.requests.values()) == [1]


def test_an_empty_first_gather_is_followed_by_the_silent_rest_of_the_first_keys_patience(web: Web):
    first = web.post(VOICE, {})
    assert 'timeout="6"' in first.text
    before = web.rows()
    rest = web.post(next_url(first.text), {"Digits": ""})
    assert 'timeout="4"' in rest.text
    assert "<Say" not in rest.text
    assert web.rows() == before
    late = web.post(next_url(rest.text), {"Digits": "1"})
    assert "account number" in late.text


def test_keys_in_the_second_gather_count_and_silence_there_is_no_input(web: Web):
    language = web.post(VOICE, {})
    account = web.post(next_url(language.text), {"Digits": "1"})
    rest = web.post(next_url(account.text), {"Digits": ""})
    silence = web.post(next_url(rest.text), {"Digits": ""})
    assert "did not" in silence.text or "hear" in silence.text


def test_the_status_webhook_ends_the_call_on_record(web: Web):
    web.post(VOICE, {})
    assert web.post("/twilio/status", {"CallStatus": "completed"}).status_code == 204
    stored = web.bench.workbench.store.load_call(CALL_ID)
    assert stored is not None
    assert (stored.call.phase, stored.call.hung_up, stored.call.outcome) == ("over", True, "unpaid")
    web.post("/twilio/status", {"CallStatus": "completed"})
    assert web.bench.workbench.store.load_call(CALL_ID) == stored


def test_a_status_of_a_call_under_way_ends_nothing(web: Web):
    web.post(VOICE, {})
    before = web.rows()
    web.post("/twilio/status", {"CallStatus": "in-progress"})
    assert web.rows() == before


def test_only_post_is_answered(web: Web):
    assert web.http.get(VOICE).status_code == 405


@pytest.mark.parametrize(
    ("path", "fields", "status", "told"),
    [
        (VOICE, {"CallSid": "x"}, 400, "CallSid"),
        (f"{VOICE}?seq=7", {}, 400, "no call"),
        (f"{VOICE}?seq=x", {}, 400, "seq"),
        ("/twilio/voice/nothing", {}, 400, "pay-a-bill"),
        ("/twilio/nothing", {}, 404, "404"),
    ],
)
def test_bad_input_is_a_clear_error_and_changes_nothing(web: Web, path: str, fields: dict, status: int, told: str):
    answer = web.post(path, fields)
    assert answer.status_code == status
    assert told in answer.text
    assert web.rows() == []


def test_keys_that_no_keypad_has_are_refused_without_being_quoted(web: Web):
    answer = web.post(next_url(web.post(VOICE, {}).text), {"Digits": "41x1"})
    assert answer.status_code == 400
    assert "41x1" not in answer.text


def test_ten_megabytes_are_refused_before_they_are_read(web: Web):
    answer = web.http.post(VOICE, content=b"a=" + b"x" * 10_000_000, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code == 413
    assert web.rows() == []


def test_a_fault_of_ours_is_an_apology_not_an_error_page(web: Web, monkeypatch: pytest.MonkeyPatch):
    url = next_url(web.post(next_url(web.post(VOICE, {}).text), {"Digits": "1"}).text)
    monkeypatch.setattr(type(web.bench.workbench.store), "find_bill", lambda *_: 1 / 0)
    answer = web.post(url, {"Digits": "12345678"})
    assert answer.status_code == 200
    assert "sorry" in answer.text.lower()
    assert actions_of(answer.text) == ["Hangup"]


def test_a_hang_up_in_the_middle_of_a_card_leaves_no_sealed_field(web: Web):
    url = VOICE
    for keys in (None, "1", "12345678", "1", "4111111111111111"):
        url = next_url(web.post(url, {"Digits": keys} if keys else {}).text)
    web.post("/twilio/status", {"CallStatus": "completed"})
    store = web.bench.workbench.store
    assert store.drop_unsent_cards(HungUp(web.bench.workbench.clock.now).at.replace(year=2100)) == 0


@pytest.mark.parametrize("path", ["/", "/latest", "/metrics"])
@pytest.mark.parametrize("host", ["pay.example.com", "127.0.0.1:8000", "localhost"])
def test_what_webhooks_are_served_from_shows_neither_page_nor_metrics(web: Web, path: str, host: str):
    """nginx's plain `proxy_pass` sends Host 127.0.0.1 and no X-Forwarded-For: it cannot be told from this machine."""
    answer = web.http.get(path, headers={"Host": host})
    assert (answer.status_code, answer.text) == (404, "404 Not Found\n")


def test_the_consoles_listener_takes_no_webhooks(web: Web):
    assert web.console.post(VOICE).status_code == 404


def test_metrics_on_a_loopback_listener_are_for_this_machine_only(web: Web):
    for headers in ({"Host": "rebound.example.com"}, {"X-Forwarded-For": "203.0.113.9"}):
        assert web.console.get("/metrics", headers=headers).status_code == 403


def test_metrics_on_a_networks_address_are_for_that_network_and_the_page_is_not(bench: Bench):
    console = make_web(bench, CONSOLE_HOST="10.0.0.5").console
    assert console.get("/metrics", headers={"Host": "10.0.0.5:8001"}).status_code == 200
    assert console.get("/", headers={"Host": "10.0.0.5:8001"}).status_code == 403


def test_health_readiness_and_metrics_answer(web: Web):
    web.post(VOICE, {})
    assert web.http.get("/healthz").text == "ok\n"
    assert web.http.get("/readyz").text == "ready\n"
    assert web.console.get("/healthz").text == "ok\n"
    metrics = web.console.get("/metrics").text
    assert 'tonetill_calls_total{channel="twilio",flow="pay-a-bill"}' in metrics
    assert "tonetill_outbox_depth" in metrics
