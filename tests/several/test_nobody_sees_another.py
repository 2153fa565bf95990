"""Somebody of one merchant tries everything at the other: webhooks, pages, programs, numbers. Nothing is found, and nothing moves."""

import re
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from werkzeug.routing import Map, Rule

from ivr import metrics
from ivr.merchants.serving import serving
from ivr.portal import OPERATIONS
from ivr.testing.twilio import Application, TwilioCall
from tests.several.installations import ACME, BOLT, NUMBERS, ORIGIN, PAN, TwoMerchants, found_in

CALL = {"CallSid": f"CA{'0' * 31}7", "From": "+15550177", "CallStatus": "ringing"}


def rules_of(urls: Map) -> Iterator[tuple[Rule, str]]:
    """Each with a path that it answers."""
    for rule in urls.iter_rules():
        yield rule, re.sub(r"<(?:\w+:)?\w+>", "12345", rule.rule)


def web_rules(two: TwoMerchants) -> list[tuple[Rule, str]]:
    return list(rules_of(two.web.application.mounts[f"/m/{BOLT}"].application.url_map))


def portal_rules(two: TwoMerchants) -> list[tuple[Rule, str]]:
    return list(rules_of(two.portal.mounts[f"/m/{BOLT}"].application.url_map))


# ---- calls


def test_each_merchants_caller_pays_it_and_no_row_is_in_the_others_database(two: TwoMerchants):
    calls = {name: two.pays(name) for name in (ACME, BOLT)}
    for name, other in ((ACME, BOLT), (BOLT, ACME)):
        (payment,) = two.stores[name].payments_of(calls[name])
        assert payment.status == "approved"
        assert calls[name] in two.everything(name)
        assert calls[other] not in two.everything(name)
        assert two.stores[name].load_call(calls[other]) is None
        assert list(two.banks[name].charged) == [f"{calls[name]}-1"]
        assert other not in two.everything(name)


def test_the_card_is_in_no_file_of_the_installation_and_in_no_log(two: TwoMerchants, capfd: pytest.CaptureFixture[str]):
    call = two.pays(ACME, "34567890")
    told = capfd.readouterr()
    assert call in told.err
    assert PAN not in told.out + told.err
    files = [
        file for file in two.folder.glob("merchants/*/var/**/*") if file.is_file()
    ]  # elsewhere are samples with test cards
    assert any(file.suffix == ".db" for file in files)
    assert [file for file in files if PAN.encode() in file.read_bytes()] == []
    assert PAN not in two.everything(ACME)


def test_a_paid_bill_is_still_owed_to_the_other_merchant(two: TwoMerchants):
    """Both have an account 4567890123, which is two accounts."""
    two.pays(ACME, "4567890123")
    other = two.rings(BOLT)
    other.begin()
    other.press("1")
    other.press("4567890123#")
    assert "18 dollars and 5 cents" in other.deliveries[-1].answer
    other.hang_up()


def test_no_webhook_of_one_merchant_takes_the_others_signature(two: TwoMerchants):
    tried = 0
    before = two.everything(BOLT)
    for rule, path in web_rules(two):
        if "POST" not in (rule.methods or ()):
            continue
        asked = f"/m/{BOLT}{path.replace('12345', 'pay-a-bill')}"
        answer = two.signed_post(asked, {**CALL, "To": NUMBERS[BOLT]}, by=ACME)
        assert answer.status_code in (401, 403, 404), (asked, answer.status_code)
        tried += 1
    assert tried >= 5
    assert two.everything(BOLT) == before


def test_a_signed_request_is_worth_nothing_at_the_others_address(two: TwoMerchants):
    """As it was signed for the one, sent to the other: also where both had the same token."""
    mine = f"/m/{ACME}/twilio/voice/pay-a-bill"
    fields = {**CALL, "To": NUMBERS[ACME]}
    taken = two.signed_post(mine, fields, by=ACME)
    assert taken.status_code == 200
    signature = taken.request.headers["X-Twilio-Signature"]
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    replayed = two.http.post(f"/m/{BOLT}/twilio/voice/pay-a-bill", content=taken.request.content, headers=headers)
    assert replayed.status_code == 403


def test_a_call_to_the_others_number_is_not_answered_although_it_is_signed(two: TwoMerchants):
    before = two.everything(ACME), two.everything(BOLT)
    path = f"/m/{ACME}/twilio/voice/pay-a-bill"
    for written in (NUMBERS[BOLT], NUMBERS[BOLT].removeprefix("+"), f"sip:{NUMBERS[BOLT]}@sip.example.com"):
        answer = two.signed_post(path, {**CALL, "CallSid": f"CA{'0' * 31}8", "To": written}, by=ACME)
        assert answer.status_code == 403
        assert "another merchant's" in answer.text
    status = two.signed_post(f"/m/{ACME}/twilio/status", {**CALL, "To": NUMBERS[BOLT]}, by=ACME)
    assert status.status_code == 403
    assert (two.everything(ACME), two.everything(BOLT)) == before


def test_a_call_of_one_cannot_be_gone_on_with_at_the_other(two: TwoMerchants):
    line = two.rings(ACME)
    line.begin()
    line.press("1")
    stored = two.stores[ACME].load_call(line.call_id)
    path = f"/m/{BOLT}/twilio/voice/pay-a-bill?seq=1"
    fields = {"CallSid": line.call_id, "From": line.ani, "To": NUMBERS[BOLT], "Digits": "12345678"}
    answer = two.signed_post(path, fields, by=BOLT)
    assert answer.status_code == 200  # in words: that nothing is known
    assert "Hangup" in answer.text
    assert two.stores[ACME].load_call(line.call_id) == stored
    two.signed_post(f"/m/{BOLT}/twilio/status", {**fields, "CallStatus": "completed"}, by=BOLT)
    assert two.stores[ACME].load_call(line.call_id) == stored
    line.hang_up()


def test_every_address_in_an_answer_is_the_merchants_own(two: TwoMerchants):
    line = two.rings(ACME)
    line.begin()
    line.press("1")
    for delivery in line.deliveries:
        found = re.findall(r'(?:action="|<Redirect[^>]*>|<Play>)([^"<]+)', delivery.answer)
        assert found
        assert all(one.startswith(f"/m/{ACME}/") for one in found)
    line.hang_up()


def test_what_is_below_no_merchants_path_is_nothing(two: TwoMerchants):
    for path in ("/twilio/voice/pay-a-bill", "/m/nobody/twilio/voice/pay-a-bill", "/m/", f"/m/{ACME}x/readyz"):
        assert two.http.post(path).status_code == 404
    assert two.http.get("/readyz").text == "ready\n"
    assert two.http.get(f"/m/{ACME}/readyz").text == "ready\n"
    named = two.http.get("/").text + two.http.get("/m/").text + two.http.get("/readyz").text
    assert ACME not in named


# ---- people


def test_a_session_of_one_opens_no_page_of_the_other(two: TwoMerchants):
    ada = two.joins(ACME, "ada", "finance")
    two.joins(BOLT, "ada", "finance")
    assert ada.get(ACME, "/payments").status_code == 200
    cookie = {"Cookie": f"tonetill={ada.session}"}
    tried = 0
    for rule, path in portal_rules(two):
        is_page = rule.endpoint.startswith("portal.") and rule.endpoint not in OPEN
        for method in sorted((rule.methods or set()) & {"GET", "POST"}) if is_page else ():
            headers = {**cookie, "Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
            answer = two.browser().open(f"/m/{BOLT}{path}", method=method, base_url=ORIGIN, headers=headers)
            assert answer.status_code in (303, 401), (method, path)
            if method == "GET":
                assert answer.headers["Location"] == f"/m/{BOLT}/sign-in"
            tried += 1
    assert tried > 20


OPEN = {
    "portal.static_file",
    "portal.show_sign_in",
    "portal.sign_in",
    "portal.passkey_challenge",
    "portal.sign_in_by_passkey",
    "portal.show_invitation",
    "portal.accept_invitation",
    "portal.passkey_offer",
    "portal.accept_by_passkey",
    "portal.begin_single_sign_on",
    "portal.end_single_sign_on",
    "portal.single_sign_on_code",
}


def test_a_browser_sends_the_cookie_to_its_own_merchant_alone(two: TwoMerchants):
    bea = two.joins(ACME, "bea", "viewer")
    cookie = bea.browser.get_cookie("tonetill", "localhost", f"/m/{ACME}")
    assert cookie is not None
    assert cookie.path == f"/m/{ACME}"
    assert cookie.http_only
    assert cookie.same_site == "Strict"
    assert bea.get(BOLT, "/payments").headers["Location"] == f"/m/{BOLT}/sign-in"
    assert bea.post(ACME, "/sign-out", {"csrf_token": token_of(bea.get(ACME, "/payments").text)}).status_code == 303
    assert bea.browser.get_cookie("tonetill", "localhost", f"/m/{ACME}") is None


def test_a_password_is_good_at_its_own_merchant_alone(two: TwoMerchants):
    cid = two.joins(ACME, "cid-of-acme", "viewer")
    typed = {"name": "cid-of-acme", "password": "correct horse battery staple", "code": "123456"}
    refused = cid.post(BOLT, "/sign-in", typed)
    assert refused.status_code == 403
    assert "cid-of-acme" not in two.everything(BOLT)


def test_an_invitation_of_one_is_none_at_the_other(two: TwoMerchants):
    link = two.invites(ACME, "dee", "viewer")
    assert two.browser().get(f"/m/{ACME}/invitations/{link}", base_url=ORIGIN).status_code == 200
    assert two.browser().get(f"/m/{BOLT}/invitations/{link}", base_url=ORIGIN).status_code == 404


def test_a_token_of_one_is_nobody_at_the_others_api(two: TwoMerchants):
    eve = two.joins(ACME, "eve", "finance")
    token = {"Authorization": f"Bearer {two.gives_token(eve, 'finance')}"}
    assert two.browser().get(f"/m/{ACME}/api/v1/me", base_url=ORIGIN, headers=token).status_code == 200
    for one in OPERATIONS:
        path = f"/m/{BOLT}/api/v1{re.sub(r'{[a-z]+}', '12345', one.path)}"
        answer = two.browser().open(path, method=one.method, base_url=ORIGIN, headers=token, json={})
        assert answer.status_code in (401, 429), one.name  # 429: too many tokens that are none came from here


def test_what_one_merchant_has_on_record_is_not_found_at_the_other(two: TwoMerchants):
    call = two.pays(ACME, "23456789")
    (payment,) = two.stores[ACME].payments_of(call)
    for merchant, is_there in ((ACME, True), (BOLT, False)):
        fay = two.joins(merchant, "fay", "auditor")
        form = found_in(fay.get(merchant, "/payments").text, 'name="csrf_token" value="([0-9a-f]+)"')
        number = payment.confirmation_number
        found = fay.post(merchant, "/payments", {"csrf_token": form, "confirmation": number, "number": number})
        assert (payment.intent.reference in found.text) is is_there
        assert (fay.get(merchant, f"/payments/{payment.intent.reference}").status_code == 200) is is_there
        assert (fay.get(merchant, f"/calls/{call}").status_code == 200) is is_there
        token = {"Authorization": f"Bearer {two.gives_token(fay, 'auditor')}"}
        path = f"/m/{merchant}/api/v1/payments/{payment.intent.reference}"
        answer = two.browser().get(path, base_url=ORIGIN, headers=token)
        assert (answer.status_code == 200) is is_there


def test_no_page_leads_out_of_its_merchants_path(two: TwoMerchants):
    gus = two.joins(ACME, "gus", "operator")
    for path in (
        "/payments",
        "/calls",
        "/live",
        "/stops",
        "/audit",
        "/users",
        "/alerts",
        "/drop-off",
        "/prompts",
        "/keys",
        "/incident",
        "/flows",
    ):
        page = gus.get(ACME, path).text
        led = re.findall(r'(?:href|src|action)="(/[^"]*)"', page)
        assert led, path
        assert all(one.startswith(f"/m/{ACME}/") for one in led), (path, led)
        assert BOLT not in page


# ---- counts and logs


def test_counts_and_log_lines_are_under_the_merchants_own_name(two: TwoMerchants):
    def refused(merchant: str) -> float:
        with serving(merchant):
            return metrics.counted("tonetill_requests_refused", "signature")

    with capture_logs(processors=[lambda _, __, event: event]):
        two.signed_post(f"/m/{ACME}/twilio/voice/pay-a-bill", {**CALL, "To": NUMBERS[ACME]}, by=BOLT)
        before = refused(ACME), refused(BOLT)
        two.signed_post(f"/m/{BOLT}/twilio/voice/pay-a-bill", {**CALL, "To": NUMBERS[BOLT]}, by=ACME)
    assert before[0] >= 1
    assert (refused(ACME), refused(BOLT)) == (before[0], before[1] + 1)
    with serving(ACME):
        shown = metrics.exposition()[0].decode()
    assert f'merchant="{ACME}"' in shown
    assert BOLT not in shown


def test_a_log_line_says_whose_it_is(two: TwoMerchants, capsys: pytest.CaptureFixture[str]):
    two.signed_post(f"/m/{BOLT}/twilio/voice/pay-a-bill", {**CALL, "To": NUMBERS[BOLT]}, by=ACME)
    line = next(line for line in capsys.readouterr().err.splitlines() if "refused" in line)
    assert BOLT in line
    assert ACME not in line


def token_of(page: str) -> str:
    return found_in(page, 'name="csrf_token" value="([0-9a-f]+)"')


def test_a_caller_of_one_cannot_try_a_card_more_often_at_the_other_unseen(two: TwoMerchants):
    """Each counts by a key of its own: the hash of a card or caller at one merchant says nothing at the other."""
    keys = [(two.found.merchants[name].var / "keys" / "fingerprint.key").read_bytes() for name in (ACME, BOLT)]
    assert keys[0] != keys[1]


def test_the_wrong_token_is_not_told_from_the_wrong_path(two: TwoMerchants):
    application = Application(two.http, f"{two.base}/m/{BOLT}/twilio/voice/pay-a-bill", two.token(ACME), two.base)
    with pytest.raises(Exception, match="403"):
        TwilioCall(application).begin()
