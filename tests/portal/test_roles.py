"""Every role on every page and button: what the table of roles says is what happens, and what is in no table is refused."""

import pytest
from flask import Blueprint, Flask

from ivr.portal import NEEDS, PERMISSIONS, ROLES, may
from ivr.portal.guard import Guard
from ivr.portal.signing_in import SignIn
from tests.portal.authors import FLOW, published_line
from tests.portal.lines import KEY, ORIGIN, Line, Person, token_in

WORDS = {
    "reference": "CA1-1",
    "call_id": "CA1",
    "key": "R1",
    "written": "2026-01-15",
    "name": "portal.css",
    "link": "no-link",
    "flow": "pay-a-bill",
    "number": "1",
}
ALL_RULES = list(Line().app().url_map.iter_rules())
RULES = [rule for rule in ALL_RULES if rule.endpoint.startswith("portal.")]  # those of the API: test_api


def answer_of(person: Person, rule: object, token: str) -> int:
    path = str(rule.rule)  # type: ignore[attr-defined]
    for word, value in WORDS.items():
        path = path.replace(f"<{word}>", value)
    if "POST" in rule.methods:  # type: ignore[attr-defined]
        return person.post(path, {"csrf_token": token}).status_code
    return person.get(path).status_code


def test_each_page_is_in_the_table_and_each_line_of_the_table_is_a_page():
    assert {rule.endpoint for rule in ALL_RULES} == set(NEEDS)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_what_the_table_says_and_nothing_else(role: str):
    line = published_line()
    person = line.signed_in("ada", role)
    line.charge()
    token = token_in(person.get("/payments").text)
    for rule in RULES:
        needs = NEEDS[rule.endpoint]
        if needs is None or rule.endpoint == "portal.sign_out":
            continue
        refused = answer_of(person, rule, token) == 403
        assert refused is not may(role, needs), (role, rule.endpoint)


@pytest.mark.parametrize("role", ["finance", "author", "operator"])
def test_no_form_is_taken_without_the_token_of_its_own_session(role: str):
    line = published_line()
    person, other = line.signed_in("ada", role), line.signed_in("bob", role)
    line.charge()
    of_another = token_in(other.get("/payments").text)
    posted = [rule for rule in RULES if "POST" in rule.methods and NEEDS[rule.endpoint] is not None]
    assert len(posted) > 15
    for rule in posted:
        for token in ("", "0" * 64, of_another):
            assert answer_of(person, rule, token) == 403, rule.endpoint


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.endpoint)
def test_whoever_has_not_signed_in_gets_nowhere(rule: object):
    line = Line()
    line.charge()
    status = answer_of(line.somebody(), rule, "")
    if NEEDS[rule.endpoint] is not None:  # type: ignore[attr-defined]
        assert status in (303, 401)


def test_a_page_that_nobody_has_put_into_the_table_is_served_to_nobody():
    line = Line()
    app, blueprint = Flask(__name__, static_folder=None), Blueprint("portal", __name__)
    Guard(line.site, SignIn(line.store, KEY, line.site.ends, line.clock)).stand_before(blueprint)
    blueprint.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    app.register_blueprint(blueprint)
    person = line.signed_in("ada", "auditor")
    cookie = person.browser.get_cookie(line.site.cookie, "localhost")
    assert cookie is not None
    browser = app.test_client()
    browser.set_cookie(line.site.cookie, cookie.value, domain="localhost")
    assert browser.get("/forgotten", base_url=ORIGIN).status_code == 403


def test_an_auditor_changes_nothing():
    assert "refund" not in PERMISSIONS["auditor"]


def test_a_new_role_holds_from_the_next_request_on():
    line = Line()
    ada = line.signed_in("ada", "auditor")
    assert ada.get("/audit").status_code == 200
    line.store.change_role("ada", "viewer", "root", line.clock())
    assert ada.get("/audit").status_code == 403


def test_what_a_role_may_not_is_on_record():
    line = Line()
    line.signed_in("ada", "viewer").get("/audit")
    assert [one.about for one in line.store.audit_events(5) if one.what == "portal refused"] == ["GET portal.audit"]


def test_a_role_that_is_none_may_nothing():
    assert not may("root", "any")


def test_a_browser_that_is_refused_has_a_way_back_and_a_script_has_the_line_alone():
    ada = Line().signed_in("ada", "viewer")
    for path, status, words in (
        ("/audit", 403, "your role (viewer) may not do that: that is for operator, auditor"),
        ("/none", 404, "no such page"),
        ("/payments/4111111111111111", 404, "there is no payment by this reference"),
        ("/calls/CA9", 404, "there is no call by this id"),
        ("/days/31.12.2026", 404, "a day is written year, month and day: 2026-12-31"),
    ):
        page = ada.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (page.status_code, page.mimetype) == (status, "text/html")
        assert words in page.text
        assert '<a href="/">' in page.text
        assert "default-src" in page.headers["Content-Security-Policy"]
        line = ada.get(path, headers={"Accept": "*/*"})
        assert (line.status_code, line.mimetype) == (status, "text/plain")
        assert words in line.text
        assert "4111" not in page.text + line.text


def test_a_browser_that_goes_back_to_where_a_form_was_sent_gets_the_page_that_had_it():
    line = published_line()
    line.charge("CA1-1")
    ada = line.signed_in("ada", "finance")
    for path, page in (
        ("/payments/CA1-1/modify", "/payments/CA1-1"),
        ("/payments/CA1-1/resend", "/payments/CA1-1"),
        (f"/flows/{FLOW}/publish", f"/flows/{FLOW}"),
        ("/requests/none", "/requests"),
    ):
        answer = ada.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, page)
        assert "default-src" in answer.headers["Content-Security-Policy"]
    assert ada.get("/sign-out").status_code == 405
    for path in ("/payments/CA1%0aevil/modify", "//evil.example/modify", "/payments/%C3%A4/modify"):
        answer = ada.get(path)
        assert answer.status_code in (404, 405)
        assert "Location" not in answer.headers
