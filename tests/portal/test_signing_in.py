"""Who gets in, and who does not: two factors, sessions that end, invitations that are good once, guessers slowed down."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from flask import Response

from ivr.portal import credentials, digest_of, signing_in
from ivr.portal.views import with_session
from ivr.store import PortalInvitation
from tests.portal.lines import ORIGIN, OWN, PASSWORD, Line, line_with, token_in, told

COOKIE = "tonetill"


def test_an_invited_person_joins_and_signs_in_with_password_and_code():
    ada = Line().join("ada", "viewer")
    assert ada.get("/payments").status_code == 303
    assert ada.sign_in().status_code == 303
    assert "Payments" in ada.get("/payments").text


@pytest.mark.parametrize(
    ("password", "code"), [("wrong horse battery staple", None), (PASSWORD, "000000"), (PASSWORD, "")]
)
def test_one_factor_is_not_enough(password: str, code: str | None):
    ada = Line().join("ada", "viewer")
    refused = ada.sign_in(password, code if code != "" else " ")
    assert refused.status_code == 403
    assert told(refused) == signing_in.WRONG
    assert ada.get("/payments").status_code == 303


def test_a_code_is_good_once():
    line = Line()
    ada = line.join("ada", "viewer")
    code = ada.code()
    assert ada.sign_in(code=code).status_code == 303
    assert line.somebody("ada").sign_in(code=code).status_code == 403


def test_a_recovery_code_stands_in_for_the_app_once():
    ada = Line().join("ada", "viewer")
    assert len(ada.codes) == 10
    assert ada.sign_in(code=ada.codes[3].upper().replace("-", " ")).status_code == 303
    ada.post("/sign-out", {"csrf_token": token_in(ada.get("/payments").text)})
    assert ada.sign_in(code=ada.codes[3]).status_code == 403
    assert ada.sign_in(code=ada.codes[4]).status_code == 303


def test_an_invitation_is_good_once_and_not_for_ever():
    line = Line()
    link = line.invite("ada", "viewer")
    line.accept(line.somebody("ada"), link)
    assert line.somebody().get(f"/invitations/{link}").status_code == 404
    late = line.invite("bob", "viewer")
    line.clock.passes(hours=73)
    assert line.somebody().get(f"/invitations/{late}").status_code == 404


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "adaadaadaadab"])
def test_a_password_that_is_easy_to_guess_is_refused_with_advice(password: str):
    line = Line()
    link = line.invite("ada", "viewer")
    refused = line.somebody().post(f"/invitations/{link}", {"password": password, "code": "123456"})
    assert refused.status_code == 400
    assert "the password" in told(refused)


def test_whoever_was_reset_signs_in_no_more_and_is_invited_anew():
    line = Line()
    ada = line.signed_in("ada", "viewer")
    invitation = PortalInvitation(digest_of("new link"), line.clock() + timedelta(hours=1))
    assert line.store.reset_user("ada", invitation, "root", line.clock())
    assert ada.get("/payments").status_code == 303
    line.clock.passes(seconds=60)
    assert ada.sign_in().status_code == 403


def test_whoever_is_switched_off_is_out_at_once():
    line = Line()
    ada = line.signed_in("ada", "viewer")
    assert line.store.switch_user_off("ada", "root", line.clock())
    assert ada.get("/payments").status_code == 303
    line.clock.passes(seconds=60)
    assert ada.sign_in().status_code == 403


def test_a_session_ends_when_nothing_comes_and_after_its_longest():
    line = Line()
    ada = line.signed_in("ada", "viewer")
    for _ in range(20):
        line.clock.passes(minutes=14)
        assert ada.get("/payments").status_code == 200
    line.clock.passes(minutes=16)
    assert ada.get("/payments").status_code == 303
    assert ada.sign_in().status_code == 303
    for _ in range(35):
        line.clock.passes(minutes=14)
        ada.get("/payments")
    assert ada.get("/payments").status_code == 303


def test_signing_out_ends_the_session_at_the_server():
    line = Line()
    ada = line.signed_in("ada", "viewer")
    cookie = ada.browser.get_cookie(COOKIE, "localhost")
    assert cookie is not None
    ada.post("/sign-out", {"csrf_token": token_in(ada.get("/payments").text)})
    ada.browser.set_cookie(COOKIE, cookie.value, domain="localhost")
    assert ada.get("/payments").status_code == 303


def test_a_cookie_from_before_signing_in_is_not_the_sessions():
    line = Line()
    ada = line.join("ada", "viewer")
    ada.browser.set_cookie(COOKIE, "planted", domain="localhost")
    ada.sign_in()
    cookie = ada.browser.get_cookie(COOKIE, "localhost")
    assert cookie is not None
    assert cookie.value != "planted"
    assert line.store.signed_in("planted", line.site.ends, line.clock()) is None


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites():
    line = line_with(origin="https://portal.example.com")
    ada = line.somebody("ada")
    assert line.site.cookie.startswith("__Host-")
    set_cookie = line_cookie(line)
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in set_cookie
    assert "Domain" not in set_cookie
    assert ada.browser.get_cookie(COOKIE, "localhost") is None


def line_cookie(line: Line) -> str:
    with line.app().test_request_context():
        return with_session(line.site, Response(), "secret").headers["Set-Cookie"]


# ---- guessing


def test_who_guesses_is_slowed_down_and_locks_nobody_else_out():
    line = Line()
    ada = line.join("ada", "viewer")
    guesser = line.somebody("ada")
    guesser.address = "127.0.0.66"
    for _ in range(signing_in.MOST_OF_PAIR):
        assert told(guesser.sign_in("guess", "123456")) == signing_in.WRONG
    assert told(guesser.sign_in(PASSWORD, ada.code())) == signing_in.SLOWED
    assert ada.sign_in().status_code == 303
    line.clock.passes(minutes=16)
    assert told(guesser.sign_in("guess", "123456")) == signing_in.WRONG


def test_who_tries_many_names_is_slowed_down_too():
    line = Line()
    guesser = line.somebody()
    for number in range(signing_in.MOST_OF_SOURCE):
        guesser.sign_in("guess", "123456", f"name{number}")
    assert told(guesser.sign_in("guess", "123456", "another")) == signing_in.SLOWED


def test_who_knows_the_password_cannot_try_out_all_codes_from_many_places():
    line = Line()
    ada = line.join("ada", "viewer")
    for number in range(signing_in.MOST_WRONG_CODES):
        thief = line.somebody("ada")
        thief.address = f"127.0.1.{number + 1}"
        assert told(thief.sign_in(PASSWORD, "000000")) == signing_in.WRONG
    thief.address = "127.0.2.1"
    assert told(thief.sign_in(PASSWORD, ada.code())) == signing_in.SLOWED


def test_a_refused_attempt_is_on_record_without_what_was_typed_in_place_of_a_name():
    line = Line()
    line.somebody().sign_in("guess", "123456", "4111111111111111")
    line.join("ada", "viewer").sign_in("guess")
    events = [(one.who, one.what) for one in line.store.audit_events(10)]
    assert ("unknown", "sign-in refused") in events
    assert ("ada", "sign-in refused") in events
    assert not any("4111" in f"{one.who}{one.about}" for one in line.store.audit_events(10))


def test_nobody_costs_as_much_work_as_somebody(monkeypatch: pytest.MonkeyPatch):
    """What an answer takes does not say which names there are: both verify one hash, of the same cost."""
    line, checked = Line(), []
    line.join("ada", "viewer")
    verify = credentials.hasher.verify

    class Counting:
        hash = staticmethod(credentials.hasher.hash)

        @staticmethod
        def verify(hashed: str, password: str) -> bool:
            checked.append(hashed.rsplit("$", 2)[0])
            return verify(hashed, password)

    monkeypatch.setattr(credentials, "hasher", Counting)
    line.somebody().sign_in("guess", "123456", "ada")
    line.somebody().sign_in("guess", "123456", "nobody")
    assert len(checked) == 2
    assert checked[0] == checked[1]


# ---- where a request comes from


def test_other_networks_are_refused_before_anything():
    line = Line()
    stranger = line.somebody()
    stranger.address = "192.0.2.7"
    for path in ("/sign-in", "/payments", "/static/portal.css"):
        assert stranger.get(path).status_code == 403


def test_a_proxys_word_is_taken_and_nobody_elses():
    line = line_with(networks=(ip_network("10.0.0.0/8"),), proxies=(ip_network("127.0.0.1/32"),))
    visitor = line.somebody()
    assert visitor.get("/sign-in", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 200
    assert visitor.get("/sign-in", headers={"X-Forwarded-For": "10.1.2.3, 192.0.2.7"}).status_code == 403
    visitor.address = "192.0.2.9"
    assert visitor.get("/sign-in", headers={"X-Forwarded-For": "10.1.2.3"}).status_code == 403


def test_another_name_of_the_host_is_refused():
    answer = Line().somebody().browser.get("/sign-in", base_url="http://evil.example:8002")
    assert answer.status_code == 421
    assert "evil" not in answer.text


def test_the_address_in_place_of_the_name_leads_to_the_name():
    """Browsers make no passkeys for addresses."""
    answer = Line().somebody().browser.get("/sign-in", base_url="http://127.0.0.1:8002")
    assert answer.headers["Location"] == f"{ORIGIN}/sign-in"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
        {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_of_another_site_does_nothing(headers: dict[str, str]):
    line = Line()
    ada = line.signed_in("ada", "finance")
    line.charge()
    token = token_in(ada.get("/payments/CA1-1").text)
    fields = {"csrf_token": token, "kind": "refund", "left": "42.50 USD"}
    assert ada.post("/payments/CA1-1/modify", fields, headers=headers).status_code == 403
    assert not line.store.modifications_of("CA1-1")


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_a_form_without_the_sessions_token_does_nothing(token: str):
    line = Line()
    ada = line.signed_in("ada", "finance")
    line.charge()
    fields = {"csrf_token": token, "kind": "refund", "left": "42.50 USD"}
    assert ada.post("/payments/CA1-1/modify", fields, headers=OWN).status_code == 403
    assert not line.store.modifications_of("CA1-1")


def test_pages_are_not_framed_kept_or_told_to_others():
    headers = Line().somebody().get("/sign-in").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
