"""Single sign-on: who was invited gets in by the provider's word and a second factor; nobody else's word, time or browser counts."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread
from werkzeug.test import TestResponse

from ivr.errors import ConfigError
from ivr.portal.identity_provider import CALLBACK, provider_of
from ivr.settings import load_settings
from tests.patience import PATIENCE_S
from tests.portal.lines import ORIGIN, Line, Person, field_in, told
from tests.portal.providers import ISSUER, OTHER_KEY, Provider

ADA = "ada@example.com"


def line_of(provider: Provider) -> Line:
    provider.line.provider = provider.client()
    return provider.line


def way_back(provider: Provider, person: Person) -> str:
    answer = person.get("/single-sign-on")
    assert answer.status_code == 303, answer.text
    return provider.authorize(answer.headers["Location"])


def go(provider: Provider, person: Person) -> TestResponse:
    return person.get(way_back(provider, person))


def known(provider: Provider, role: str = "viewer") -> Person:
    """Who has joined, and is known to the provider."""
    person = line_of(provider).join("ada", role)
    assert provider.line.store.set_identity("ada", ADA, "root", provider.line.clock())
    return Person(provider.line, "ada", provider.line.app().test_client(), person.secret, person.codes)


def is_in(person: Person) -> bool:
    return person.get("/payments").status_code == 200


def code_form(person: Person, page: TestResponse, code: str) -> TestResponse:
    ticket = field_in(page.text, 'name="ticket" value="([^"]+)"')
    return person.post("/single-sign-on/code", {"ticket": ticket, "code": code})


def test_the_portals_own_code_is_asked_for_after_the_providers_word():
    provider = Provider(Line())
    ada = known(provider)
    page = go(provider, ada)
    assert not is_in(ada)
    assert code_form(ada, page, ada.code()).status_code == 303
    assert is_in(ada)


def test_a_wrong_code_gets_nobody_in_and_guessers_are_slowed_down():
    provider = Provider(Line())
    ada = known(provider)
    page = go(provider, ada)
    said = [told(code_form(ada, page, "000000")) for _ in range(6)]
    assert said[0] == "the name, the password or the code is not right"
    assert "too many attempts" in said[-1]
    assert "too many attempts" in told(code_form(ada, page, ada.code()))
    assert not is_in(ada)


def test_a_ticket_is_good_for_ten_minutes_and_cannot_be_made_up():
    provider = Provider(Line())
    ada = known(provider)
    page = go(provider, ada)
    assert ada.post("/single-sign-on/code", {"ticket": "bm8=", "code": ada.code()}).status_code == 403
    provider.line.clock.passes(minutes=11)
    assert code_form(ada, page, ada.code()).status_code == 403
    assert not is_in(ada)


def test_the_providers_second_factor_counts_where_the_setting_believes_it():
    provider = Provider(Line(), multi_factor=frozenset({"mfa"}), claims={"amr": ["pwd", "mfa"]})
    ada = known(provider)
    assert "To the payments" in go(provider, ada).text
    assert is_in(ada)
    provider.claims = {"amr": ["pwd"]}
    bob = Person(provider.line, "ada", provider.line.app().test_client())
    assert "Code" in go(provider, bob).text
    assert not is_in(bob)


def test_a_second_factor_that_the_setting_does_not_believe_is_none():
    provider = Provider(Line(), claims={"amr": ["mfa"], "acr": "mfa"})
    ada = known(provider)
    go(provider, ada)
    assert not is_in(ada)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "eve@example.com"},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"azp": "another", "aud": ["portal", "another"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
    ],
    ids=str,
)
def test_a_token_that_is_not_for_us_now_and_for_somebody_invited_gets_nobody_in(claims: dict[str, Any]):
    provider = Provider(Line(), frozenset({"mfa"}))
    ada = known(provider)
    provider.claims = {"amr": ["mfa"], **claims}
    assert go(provider, ada).status_code == 403
    assert not is_in(ada)
    assert "sign-in refused" in [one.what for one in provider.line.store.audit_events(3)]


def test_a_token_that_somebody_else_signed_gets_nobody_in():
    provider = Provider(Line(), frozenset({"mfa"}), claims={"amr": ["mfa"]}, key=OTHER_KEY)
    ada = known(provider)
    assert go(provider, ada).status_code == 403
    assert not is_in(ada)


def test_a_way_back_counts_in_its_own_browser_and_once():
    provider = Provider(Line(), frozenset({"mfa"}), claims={"amr": ["mfa"]})
    ada = known(provider)
    back = way_back(provider, ada)
    thief = Person(provider.line, "eve", provider.line.app().test_client())
    assert thief.get(back).status_code == 403
    way = ada.browser.get_cookie("tonetill-way", "localhost")
    assert way is not None
    assert ada.get(back).status_code == 200
    ada.browser.set_cookie("tonetill-way", way.value, domain="localhost")
    assert told(ada.get(back)) == "this way to the identity provider is not good any more: begin it again"


def test_a_way_is_not_good_for_ever_and_another_providers_answer_is_not_taken():
    provider = Provider(Line(), frozenset({"mfa"}), claims={"amr": ["mfa"]})
    ada = known(provider)
    assert ada.get(f"{way_back(provider, ada)}&iss=https://evil.example").status_code == 403
    assert ada.get(f"{way_back(provider, ada).replace('code=', 'error=')}").status_code == 403
    back = way_back(provider, ada)
    provider.line.clock.passes(minutes=11)
    assert ada.get(back).status_code == 403
    assert not is_in(ada)


def test_who_is_invited_but_has_no_second_factor_opens_the_invitation_first():
    provider = Provider(Line())
    line_of(provider).invite("ada", "viewer")
    provider.line.store.set_identity("ada", ADA, "root", provider.line.clock())
    assert "open your invitation first" in told(go(provider, provider.line.somebody("ada")))


def test_who_is_switched_off_gets_in_no_more():
    provider = Provider(Line(), frozenset({"mfa"}), claims={"amr": ["mfa"]})
    ada = known(provider)
    provider.line.store.switch_user_off("ada", "root", provider.line.clock())
    assert go(provider, ada).status_code == 403


def test_two_people_are_not_one_identity():
    line = Line()
    line.invite("ada", "viewer")
    line.invite("bob", "viewer")
    assert line.store.set_identity("ada", ADA, "root", line.clock())
    assert not line.store.set_identity("bob", ADA, "root", line.clock())
    assert line.store.set_identity("ada", "", "root", line.clock())
    assert line.store.set_identity("bob", ADA, "root", line.clock())


def test_a_provider_that_is_down_leaves_the_other_ways_to_sign_in():
    provider = Provider(Line(), is_down=True)
    page = line_of(provider).somebody().get("/single-sign-on")
    assert page.status_code == 403
    assert "did not answer" in told(page)
    assert 'action="/sign-in"' in page.text


def test_without_a_provider_there_is_no_such_way():
    somebody = Line().somebody()
    assert somebody.get("/single-sign-on").status_code == 404
    assert "single sign-on" not in somebody.get("/sign-in").text


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"OIDC_ISSUER": "http://login.example.com", "OIDC_CLIENT_ID": "portal"}, "OIDC_ISSUER"),
        ({"OIDC_ISSUER": ISSUER}, "OIDC_CLIENT_ID"),
        ({"OIDC_ISSUER": ISSUER, "OIDC_CLIENT_ID": "portal", "OIDC_CA": "/nothing.pem"}, "OIDC_CA"),
    ],
)
def test_a_setting_that_is_wrong_is_named(settings: dict[str, str], named: str):
    with pytest.raises(ConfigError, match=named):
        provider_of(load_settings(settings), ORIGIN, Line().clock)


# ---- a provider that others wrote


@pytest.fixture
def others_provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # it listens here alone, without TLS
    ada = User(sub="248289", claims={"email": ADA, "email_verified": True, "amr": ["mfa"]})
    with run_server_in_thread(user_claims=[ada], require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


def test_somebody_signs_in_at_a_provider_that_others_wrote(others_provider: str):
    """oidc-provider-mock, over HTTP: discovery, its form, its code, its keys."""
    line = Line()
    line.clock.at = datetime.now(UTC)
    asked = {"OIDC_ISSUER": others_provider, "OIDC_CLIENT_ID": "portal", "OIDC_CLIENT_SECRET": "x"}
    line.provider = provider_of(load_settings({**asked, "OIDC_MULTI_FACTOR": "mfa"}), ORIGIN, line.clock)
    line.invite("ada", "viewer")
    line.store.set_identity("ada", ADA, "root", line.clock())
    ada = line.somebody("ada")
    there = ada.get("/single-sign-on").headers["Location"]
    assert re.search(r"code_challenge=[\w-]{43}&code_challenge_method=S256", there)
    back = urlsplit(httpx.post(there, data={"sub": "248289"}, timeout=PATIENCE_S).headers["Location"])
    assert back.path == CALLBACK
    page = ada.get(f"{back.path}?{back.query}")
    assert "To the payments" in page.text, page.text
    assert is_in(ada)
