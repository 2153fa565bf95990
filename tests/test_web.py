"""The web process as Twilio sees it, and as somebody sees it who is not Twilio."""

import base64
import re
from urllib.parse import parse_qs, unquote, urlencode

import httpx
import pytest

from ivr.channels.twilio import Signer, Writer
from ivr.channels.twilio.gathering import Keeper, listening_for
from ivr.core.actions import Collect
from ivr.core.entry import EntryRules
from ivr.core.events import HungUp
from ivr.errors import PeerError
from tests.benches import Bench
from tests.webs import CALL_ID, PUBLIC, TOKEN, Web, make_web

VOICE = "/twilio/voice/pay-a-bill"


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


def actions_of(twiml: str) -> list[str]:
    return re.findall(r"<(Gather|Redirect|Hangup|Pay)\b", twiml)


def next_url(twiml: str) -> str:
    found = re.search(r'action="([^"]+)"|<Redirect[^>]*>([^<]+)<', twiml)
    assert found is not None, twiml
    address, override = (found[1] or found[2]).replace("&amp;", "&").split("#")
    assert override == "rc=2&rp=all"  # whatever Twilio is to ask, it asks again where nothing comes back
    return address


def test_a_whole_call_is_paid_through_signed_webhooks(web: Web):
    line = web.line()
    line.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105"):
        assert line.press(keys).state == "keys"
    assert line.press("1").state == "waiting"
    web.bench.workbench.work()
    assert any("Paid. Confirmation" in heard.words for heard in line.wait().heard)
    reply = line.press("#")
    assert reply.state == "over"
    assert [heard.words for heard in reply.heard] == ["Goodbye."]
    assert [p.status for p in web.bench.workbench.store.payments_of(line.call_id)] == ["approved"]


def test_the_first_answer_offers_the_languages_and_collects(web: Web):
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
    assert 'timeout="6"' in rest.text  # 4 s are left of 10, but the second key has its 6 s too
    assert "<Say" not in rest.text
    assert web.rows() == before
    late = web.post(next_url(rest.text), {"Digits": "1"})
    assert "account number" in late.text


@pytest.mark.parametrize(
    ("first_key", "between_keys", "first", "second"),
    [("7s", "6s", 6, 6), ("10s", "6s", 6, 6), ("20s", "6s", 6, 14), ("6s", "6s", 6, None), ("3s", "6s", 6, None)],
)
def test_no_gather_gives_a_key_less_time_than_the_flow_does(
    first_key: str, between_keys: str, first: int, second: int | None
):
    rules = EntryRules(8, 10)
    collect = Collect("account_number", rules, float(first_key[:-1]), float(between_keys[:-1]))
    listening = listening_for(collect)
    assert f'timeout="{first}"' in Writer(lambda phrase: phrase.name).answer([collect], "/twilio/voice/x?seq=1")
    assert listening.more_s == (second or 0)


STARRED = {
    "expiry": ("1*1230", ["1*12", "30"]),
    "expiry, cleared twice": ("1*12*1230", ["1*12", "*1", "230"]),
    "expiry, cleared at the last key": ("123*1230", ["123*", "1230"]),
    "expiry, ended by the done key": ("1*1230#", ["1*12", "30", "#"]),
}


@pytest.mark.parametrize(("keys", "gathers"), STARRED.values(), ids=STARRED)
def test_star_within_an_entry_of_known_length_begins_it_again(web: Web, keys: str, gathers: list[str]):
    line = web.line()
    line.begin()
    for entry in ("1", "12345678#", "1", "4111111111111111#"):
        line.press(entry)
    before = len(line.deliveries)
    heard = [heard.words for heard in line.press(keys).heard]
    sent = [delivery.fields for delivery in line.deliveries[before:]]
    assert [fields["Digits"] + fields.get("FinishedOnKey", "") for fields in sent] == gathers
    assert "security code" in heard[0]
    assert not any("start" in words.lower() or "nothing" in words.lower() for words in heard)


def test_star_works_in_every_other_entry_too(web: Web):
    line = web.line()
    line.begin()
    line.press("1")
    assert "You owe" in line.press("99*123*12345678#").heard[0].words
    line.press("1")
    line.press("4*4111111111111111#")
    for keys, heard in [("99*12*1230", "security code"), ("1*123", "ZIP"), ("9410*94105", "press 1 to pay")]:
        assert heard in line.press(keys).heard[0].words
    assert line.press("1").state == "waiting"
    web.bench.workbench.work()
    assert [p.status for p in web.bench.workbench.store.payments_of(line.call_id)] == ["approved"]


def test_an_entry_begun_again_and_left_is_asked_for_again_and_star_on_it_offers_to_cancel(web: Web):
    line = web.line()
    line.begin()
    for entry in ("1", "12345678#", "1", "4111111111111111#"):
        line.press(entry)
    assert "expiration" in line.press("1*12").heard[-1].words
    assert "cancel" in line.press("123**").heard[0].words


def test_what_is_kept_of_an_entry_is_readable_in_no_url_or_row_and_of_no_use_to_another_call(web: Web):
    url = VOICE
    for keys in (None, "1", "12345678", "1", "4111111111111111"):
        url = next_url(web.post(url, {"Digits": keys} if keys else {}).text)
    before = web.rows()
    silent = web.post(url, {"Digits": "9*83"}).text
    assert (actions_of(silent), "<Say" in silent, 'numDigits="2"' in silent) == (["Gather"], False, True)
    assert web.rows() == before
    kept = parse_qs(next_url(silent).partition("?")[2])["kept"][0]
    assert "83" not in base64.urlsafe_b64decode(kept).decode("latin-1")[-18:]
    keeper = Keeper(Signer(TOKEN).keeping_key, CALL_ID)
    here = f"{VOICE}?seq=5"
    assert keeper.open(kept, here) == b"83"
    for other in (Keeper(Signer(TOKEN).keeping_key, CALL_ID[:-1] + "2"), Keeper(Signer("f" * 32).keeping_key, CALL_ID)):
        assert other.open(kept, here) == b""
    assert (keeper.open(kept, f"{VOICE}?seq=6"), keeper.open("x", here), keeper.open("", here)) == (b"", b"", b"")


@pytest.mark.parametrize("wrong", ["n=x", "n=4&done=1&clear=*", "n=4&done=%23", "n=4&done=%23&clear=*&gap=12345"])
def test_a_gathers_url_that_we_did_not_write_is_refused(web: Web, wrong: str):
    web.post(VOICE, {})
    answer = web.post(f"{VOICE}?seq=1&{wrong}", {"Digits": "1"}).text
    assert "Something went wrong on our side" in answer
    assert answer.endswith("<Hangup/></Response>")


def test_a_done_key_out_of_habit_costs_no_try(web: Web):
    line = web.line()
    line.begin()
    for entry in ("1#", "1234567890#", "12345678#", "1#", "5555555555554444#", "1230#", "123#", "94105#"):
        heard = [heard.words for heard in line.press(entry).heard]
        assert not any("Nothing was entered" in words or "not one of the choices" in words for words in heard), entry
    stored = web.bench.workbench.store.load_call(line.call_id)
    assert stored is not None
    assert (stored.call.phase, stored.call.mistakes) == ("confirm", 0)


def test_on_hold_twilio_asks_again_after_the_words_and_then_each_second_until_the_bank_has_answered(web: Web):
    line = web.line()
    line.begin()
    for entry in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105"):
        line.press(entry)
    held = line.press("1")
    assert (held.state, held.wait_s) == ("waiting", 0)
    assert "Thank you, one moment." in held.heard[0].words
    again = line.wait()
    assert (again.state, again.wait_s, again.heard) == ("waiting", 1, [])
    web.bench.workbench.work()
    assert "Paid. Confirmation" in line.wait().heard[0].words


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
    refused = web.http.get(VOICE)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


def test_a_number_that_is_set_to_get_hears_that_nothing_was_charged(web: Web):
    target = f"{VOICE}?{urlencode({'CallSid': CALL_ID, 'From': '+15550100'})}"
    answer = web.http.get(target, headers={"X-Twilio-Signature": web.sign(target, b"")})
    says(answer, "Nothing was charged in this call.")
    forged = web.http.get(target, headers={"X-Twilio-Signature": web.sign(VOICE, b"")})
    assert forged.status_code == 403
    assert web.rows() == []


def says(answer: httpx.Response, words: str) -> None:
    """Twilio plays it: status 200, TwiML, an apology, what is true, and the end."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert "We are sorry." in answer.text
    assert words in answer.text
    assert actions_of(answer.text) == ["Hangup"]


UNKNOWN = "We cannot tell at this moment whether your card was charged."


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        (VOICE, {"CallSid": "x"}, "Nothing was charged in this call."),
        (f"{VOICE}?seq=7", {}, UNKNOWN),  # it began before this database, or never did
        (f"{VOICE}?seq=x", {}, "Nothing was charged in this call."),
        (f"{VOICE}?seq=-1", {}, "Nothing was charged in this call."),
        (f"{VOICE}?seq=99999999", {}, "Nothing was charged in this call."),
        (f"{VOICE}?seq=%D9%A4", {}, "Nothing was charged in this call."),
        ("/twilio/voice/nothing", {}, "Nothing was charged in this call."),
        ("/twilio/voice/", {}, "Nothing was charged in this call."),
        ("/twilio/voice/pay/a/bill", {}, "Nothing was charged in this call."),
        (VOICE, {f"field{number}": "x" for number in range(201)}, "Nothing was charged in this call."),
    ],
)
def test_what_twilio_should_not_have_sent_is_answered_in_words_and_changes_nothing(
    web: Web, path: str, fields: dict, words: str
):
    says(web.post(path, fields), words)
    assert web.rows() == []


def test_who_tries_out_a_flow_that_is_not_there_is_told_which_are(web: Web):
    with pytest.raises(PeerError, match=r"there is no flow nosuch at .*/twilio/voice/nosuch; known: pay-a-bill"):
        web.line("nosuch").begin()


def test_a_request_that_is_ahead_of_the_call_ends_it_in_the_callers_language(web: Web):
    web.post(VOICE, {})
    assert "es-MX" in web.post(f"{VOICE}?seq=1", {"Digits": "2"}).text
    ahead = web.post(f"{VOICE}?seq=9", {})
    assert (ahead.status_code, actions_of(ahead.text)) == (200, ["Hangup"])
    assert "no se cobró nada" in ahead.text


def test_what_is_no_voice_webhook_is_refused_by_its_status(web: Web):
    assert web.post("/twilio/nothing", {}).status_code == 404
    assert web.post("/twilio/status", {"CallSid": "x"}).status_code == 400
    assert web.http.post(VOICE, content=b"a=%zz", headers={"X-Twilio-Signature": "x"}).status_code == 400


@pytest.mark.parametrize("more", [201, 5_000])
def test_a_signed_form_of_too_many_fields_ends_a_call_under_way_with_the_truth(web: Web, more: int):
    url = next_url(web.post(VOICE, {}).text)
    too_many = {f"f{number}": "" for number in range(more)}
    says(web.post(url, too_many), "Nothing was charged in this call.")
    assert [record.call.outcome for record in web.bench.workbench.store.latest_calls(9)] == ["unpaid"]


def test_a_form_of_too_many_fields_that_nobody_signed_changes_nothing(web: Web):
    url = next_url(web.post(VOICE, {}).text)
    before = web.rows()
    body = urlencode({"CallSid": CALL_ID} | {f"f{number}": "" for number in range(201)})
    assert web.http.post(url, content=body, headers={"X-Twilio-Signature": "x"}).status_code == 403
    assert web.rows() == before


def test_keys_that_no_keypad_has_end_the_call_and_are_not_quoted(web: Web):
    answer = web.post(next_url(web.post(VOICE, {}).text), {"Digits": "41x1"})
    says(answer, "Nothing was charged in this call.")
    assert "41x1" not in answer.text
    assert [record.call.outcome for record in web.bench.workbench.store.latest_calls(9)] == ["unpaid"]


def post_target(web: Web, target: str, signed: str, *, variable: str = "REQUEST_URI") -> httpx.Response:
    """As a server hands it on: the path decoded, the target as it was sent in a variable of its own."""

    def server(environ: dict, start_response: object) -> object:
        path = target.removeprefix(PUBLIC)
        environ |= {
            "PATH_INFO": unquote(path.partition("?")[0]),
            "QUERY_STRING": path.partition("?")[2],
            variable: target,
        }
        return web.app(environ, start_response)

    body = urlencode({"CallSid": CALL_ID, "From": "+15550100"}).encode()
    headers = {"X-Twilio-Signature": web.sign(signed, body), "Content-Type": "application/x-www-form-urlencoded"}
    with httpx.Client(transport=httpx.WSGITransport(app=server), base_url=PUBLIC) as http:
        return http.post("/", content=body, headers=headers)


@pytest.mark.parametrize("variable", ["REQUEST_URI", "RAW_URI"])
@pytest.mark.parametrize(
    "target", ["/twilio/voice/pay%2Da%2Dbill", f"{VOICE}?", "/twilio/voice/%70ay-a%2dbill?", f"{VOICE}?x=%7e&y"]
)
def test_twilio_signs_the_target_as_it_sends_it(web: Web, target: str, variable: str):
    """Escapes and a bare question mark are part of the signed URL, and the resource is the same."""
    answer = post_target(web, target, target, variable=variable)
    assert (answer.status_code, actions_of(answer.text)) == (200, ["Gather"])
    assert post_target(web, target, "/twilio/voice/pay-a-bill%2F", variable=variable).status_code == 403


SLASHES = [f"{VOICE}/", f"{VOICE}//", "//twilio/voice/pay-a-bill", "/twilio//voice//pay-a-bill/", f"{VOICE}/?x=1"]


@pytest.mark.parametrize("target", SLASHES)
def test_slashes_too_many_name_the_same_flow_and_are_signed_as_called(web: Web, target: str):
    for variable in ("REQUEST_URI", "RAW_URI"):
        answer = post_target(web, target, target, variable=variable)
        assert (answer.status_code, actions_of(answer.text)) == (200, ["Gather"])
    assert next_url(answer.text).startswith(f"{VOICE}?seq=1")
    assert post_target(web, target, f"{VOICE}/other").status_code == 403


def test_without_the_target_from_the_server_the_path_as_called_is_what_was_signed(web: Web):
    assert actions_of(web.post(f"{VOICE}/", {}).text) == ["Gather"]
    web.post("/twilio//status/", {"CallStatus": "completed"})
    assert [record.call.hung_up for record in web.bench.workbench.store.latest_calls(9)] == [True]


def test_a_target_in_absolute_form_is_the_same_target(web: Web):
    target = "/twilio/voice/pay%2Da-bill"
    assert post_target(web, PUBLIC + target, target).status_code == 200


def test_a_proxy_may_have_written_the_target_in_its_own_way(web: Web):
    assert post_target(web, "/twilio/voice/pay%2Da%2Dbill", VOICE).status_code == 200


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


@pytest.mark.parametrize("path", ["/", "/latest", "/drop-off", "/metrics"])
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
