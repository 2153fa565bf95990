"""The portal's API: every role on every operation by the one table, tokens that end, one refund however often it is sent."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, ValidationError

from ivr.calls.flow_folder import draft_of
from ivr.core.money import Money
from ivr.portal import NEEDS, OPERATIONS, ROLES, is_within, may
from ivr.portal.api.problems import TITLES, invalid
from ivr.portal.api.shapes import UserShown, WrongPlace
from ivr.portal.signing_in import MOST_OF_PAIR
from ivr.store import PortalInvitation, PortalUser, WantedModification, memory_store
from tests.portal.authors import content, publish_again, published_line
from tests.portal.lines import Line, line_with
from tests.portal.programs import Program, events, program
from tests.portal.receipts import send_again
from tests.store.databases import NUMBERS
from tests.store.payments import NOW, a_call

WORDS = {
    "{reference}": "CA1-1",
    "{key}": "R1",
    "{day}": "2026-01-15",
    "{flow}": "pay-a-bill",
    "{number}": "1",
    "{change}": "F1",
}
PERSON = {"number": "+15550100"}
BODIES: dict[str, object] = {
    "search": {},
    "modify": {"kind": "refund"},
    "resend": {"way": "text"},
    "roll_back": {"number": 1, "live": 2},
    "decide_flow": {"allow": True},
    "decide": {"allow": True},
    "calls": {},
    "find_person": PERSON,
    "export_person": PERSON,
    "delete_person": PERSON,
    "stop": {"scope": "line", "reason": "a drill"},
    "start": {"scope": "line"},
}
CARD = "4111111111111111"


def send(sender: Program, name: str, key: str = "any-key-at-all") -> int:
    operation = next(one for one in OPERATIONS if one.name == name)
    path = operation.path
    for word, value in WORDS.items():
        path = path.replace(word, value)
    if operation.method == "POST":
        return sender.post(path, BODIES[name], key).status_code
    return sender.get(path).status_code


@pytest.mark.parametrize("user_role", ROLES)
@pytest.mark.parametrize("role", ROLES)
def test_a_token_may_what_its_role_and_its_user_may_and_nothing_else(role: str, user_role: str):
    line = Line()
    line.charge()
    sender = program(line, role, user_role=user_role)
    for one in OPERATIONS:
        needs = NEEDS[f"api.{one.name}"]
        assert needs is not None
        refused = send(sender, one.name) == 403
        assert refused is not (may(role, needs) and may(user_role, needs)), (role, user_role, one.name)


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
@pytest.mark.parametrize("token", ["", "tonetill_none"])
def test_nobody_gets_in_without_a_token(name: str, token: str):
    line = Line()
    line.charge()
    assert send(Program(line.app().test_client(), token), name) == 401


def test_a_signed_in_browser_is_not_a_program():
    """Only the header counts, so that no other site's page can make a browser send anything."""
    line = Line()
    ada = line.signed_in("ada", "finance")
    assert ada.get("/api/v1/me").status_code == 401


def test_a_token_ends_is_revoked_and_goes_with_its_user():
    line = Line()
    late, revoked, off = program(line, "viewer", days=1), program(line, "viewer", "bob"), program(line, "viewer", "eve")
    (of_bob,) = [one for one in line.store.portal_tokens() if one.user == "bob"]
    assert line.store.revoke_token(of_bob.id, "root", line.clock())
    assert not line.store.revoke_token(of_bob.id, "root", line.clock())
    assert revoked.get("/me").status_code == 401
    assert line.store.switch_user_off("eve", "root", line.clock())
    assert off.get("/me").status_code == 401
    line.clock.passes(hours=23)
    assert late.get("/me").status_code == 200
    line.clock.passes(hours=2)
    assert late.get("/me").status_code == 401


def test_a_user_who_was_reset_has_no_token_that_works():
    line = Line()
    sender = program(line, "viewer")
    line.invite("bob", "viewer")
    line.store.reset_user("ada", PortalInvitation("x" * 64, line.clock()), "root", line.clock())
    assert sender.get("/me").status_code == 401


def test_a_new_role_of_the_user_holds_for_the_token_too():
    line = Line()
    sender = program(line, "auditor")
    assert sender.get("/audit").status_code == 200
    line.store.change_role("ada", "viewer", "root", line.clock())
    assert sender.get("/audit").status_code == 403


def test_which_role_is_within_which():
    assert is_within("viewer", "finance")
    assert is_within("finance", "finance")
    assert not is_within("finance", "auditor")
    assert not is_within("auditor", "finance")
    assert not is_within("root", "finance")


def test_who_guesses_tokens_is_slowed_down_and_locks_no_right_one_out():
    line = Line()
    right = program(line, "viewer")
    guesser = Program(right.client, "tonetill_guess")
    statuses = [guesser.get("/me").status_code for _ in range(MOST_OF_PAIR + 1)]
    assert statuses == [401] * MOST_OF_PAIR + [429]
    assert guesser.get("/me").headers["Retry-After"] == "900"
    assert right.get("/me").status_code == 200
    line.clock.passes(minutes=16)
    assert guesser.get("/me").status_code == 401


def test_other_networks_and_other_names_are_refused():
    stranger = program(Line(), "viewer")
    stranger.address = "192.0.2.7"
    assert stranger.get("/me").status_code == 403
    elsewhere = program(line_with(origin="https://portal.example.com"), "viewer")
    assert elsewhere.get("/me").status_code == 421


# ---- payments


def test_payments_are_found_page_by_page_and_none_is_missed():
    line = Line()
    for number in range(120):
        line.charge(f"CA{number:032x}-1")
        line.clock.passes(seconds=number % 2)
    sender, seen, cursor = program(line, "viewer"), [], ""
    while cursor is not None:
        page: Any = sender.post("/payments/search", {"cursor": cursor}).json
        seen += [one["reference"] for one in page["payments"]]
        cursor = page["next"]
    assert sorted(seen) == sorted(f"CA{number:032x}-1" for number in range(120))
    assert len(seen) == 120


def test_a_payments_story_has_no_card_number_and_a_shortened_caller():
    line = Line()
    line.charge(pays="700101")
    story: Any = program(line, "finance").get("/payments/CA1-1").json
    assert story["card"] == "visa 1111"
    assert story["bills"] == {"700101": {"minor": 4250, "currency": "USD"}}
    assert story["possible"]["refund"] == {"minor": 4250, "currency": "USD"}
    assert [entry["kind"] for entry in story["ledger"]][-1] == "approved"
    other: Any = program(line, "viewer", "bob").get("/payments/CA1-1").json
    assert other["possible"] == {}


def test_a_search_by_caller_is_for_who_may_see_numbers_and_is_on_record():
    line = Line()
    line.charge(caller="hash of +15550100123")
    found: Any = program(line, "support").post("/payments/search", {"caller": "+15550100123"}).json
    assert len(found["payments"]) == 1
    (about,) = events(line, "payments searched")
    assert "5550100123" not in about
    assert "token T" in about
    assert program(line, "viewer", "bob").post("/payments/search", {"caller": "+15550100123"}).status_code == 403


def test_a_callers_number_that_is_shown_is_on_record():
    line = Line()
    line.charge()
    assert program(line, "support").get("/payments/CA1-1/caller").status_code == 200
    (about,) = events(line, "caller's number shown")
    assert about.startswith("CA1-1; token T")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"text": "x" * 81}, "body.text"),
        ({"text": "\u0000"}, "body.text"),
        ({"amount": {"minor": 1.5, "currency": "USD"}}, "body.amount.minor"),
        ({"amount": {"minor": 100, "currency": "usd"}}, "body.amount.currency"),
        ({"day": "31.1.2026"}, "body.day"),
        ({"status": "perhaps"}, "body.status"),
        ({"cursor": "9" * 40 + " CA1-1"}, "body.cursor"),
        ({"txet": "700101"}, "body.txet"),
        ([], "body"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_not_repeated(body: object, place: str):
    answer = program(Line(), "support").post("/payments/search", body)
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
    problem: Any = answer.json
    assert problem["type"] == "/api/v1/problems/invalid"
    assert [one["place"] for one in problem["errors"]][:1] == ([place] if place else [])


@pytest.mark.parametrize(
    "body", [{"text": CARD}, {"caller": "4111 1111 1111 1111"}, {"text": "1111"}, {"caller": "anonymous"}]
)
def test_what_cannot_be_searched_for_is_said_and_not_repeated(body: dict[str, str]):
    answer = program(Line(), "support").post("/payments/search", body)
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert CARD not in answer.text
    assert "4111 1111" not in answer.text


def test_a_card_number_is_not_repeated_as_the_name_of_a_field_or_as_a_day():
    api = program(Line(), "finance")
    for answer in (api.post("/payments/search", {CARD: ""}), api.get(f"/days/{CARD}"), api.get(f"/audit?{CARD}=")):
        assert answer.status_code in (400, 403, 404)
        assert CARD not in answer.text


def test_a_field_that_there_is_not_is_told_with_where_the_fields_are():
    answer: Any = program(Line(), "support").post("/payments/search", {"txet": "700101"}).json
    cure = "there is no such field: there are text, day, status, flow, bank, amount, caller, cursor"
    assert answer["errors"] == [{"place": "body.txet", "cure": cure}]
    inner: Any = program(Line(), "support").post("/payments/search", {"amount": {"minor": 1, "code": "USD"}}).json
    assert inner["errors"][1] == {
        "place": "body.amount.code",
        "cure": "there is no such field: there are minor, currency",
    }


def test_a_body_that_is_no_json_and_an_address_that_is_none_are_problems_too():
    sender = program(Line(), "finance")
    text = sender.send("POST", "/payments/search", data="text", headers={"Content-Type": "text/plain"})
    assert (text.status_code, text.mimetype) == (415, "application/problem+json")
    broken = sender.send("POST", "/payments/search", data="{", headers={"Content-Type": "application/json"})
    assert broken.status_code == 400
    none = sender.get("/nothing")
    assert (none.status_code, none.mimetype) == (404, "application/problem+json")
    other = sender.send("DELETE", "/me")
    assert (other.status_code, other.mimetype) == (405, "application/problem+json")
    assert "GET" in other.headers["Allow"]


CURES: list[tuple[str, object, str, str]] = [
    ("/payments/search", {"day": "15.01.2026"}, "body.day", "a day is written 2026-12-31"),
    ("/payments/search", {"day": "2026-01-15T10:00:00"}, "body.day", "a day is written 2026-12-31"),
    ("/payments/search", {"day": 1768435200}, "body.day", "a day is written 2026-12-31"),
    ("/payments/search", {"cursor": "2"}, "body.cursor", "a cursor is what `next` of the page before said"),
    (
        *("/payments/search", {"status": "perhaps"}, "body.status"),
        "expected one of approved, declined, unknown, reversed, not_sent, refunded, waiting",
    ),
    ("/payments/search", {"text": 700101}, "body.text", "text in quotes is expected"),
    ("/payments/search", {"text": "x" * 81}, "body.text", "at most 80 characters"),
    ("/payments/search", {"text": "\n"}, "body.text", "one line of text is expected, of characters that can be seen"),
    (
        *("/payments/search", {"amount": "42.50 USD"}, "body.amount"),
        'an amount is written {"minor": 4250, "currency": "USD"}: 42.50 US dollars',
    ),
    (
        *("/payments/search", {"amount": {"minor": 0, "currency": "USD"}}, "body.amount.minor"),
        "more than 0; a whole number of the currency's minor unit, without quotes: 4250 of USD is 42.50 US dollars",
    ),
    (
        *("/payments/search", {"amount": {"minor": "42.50", "currency": "USD"}}, "body.amount.minor"),
        "a whole number of the currency's minor unit, without quotes: 4250 of USD is 42.50 US dollars",
    ),
    (
        *("/payments/search", {"amount": {"minor": 1, "currency": "US$"}}, "body.amount.currency"),
        "a currency is its three capital letters, such as USD",
    ),
    (
        *("/payments/search", {"amount": {"minor": 1}}, "body.amount.currency"),
        "this field must be sent: a currency is its three capital letters, such as USD",
    ),
    ("/payments/search", [], "body", "an object with named fields is expected, in braces"),
    (
        *("/calls/search", {"caller_end": "12"}, "body.caller_end"),
        'the last three digits of the caller\'s number, in quotes, such as "100"',
    ),
    ("/calls/search", {"outcome": "lost"}, "body.outcome", "expected one of paid, reserved, unpaid, pending"),
    (
        *("/persons/search", {}, "body.number"),
        'this field must be sent: a telephone number is written with its country\'s code, such as "+1 202 555 0100"',
    ),
    ("/stops", {"reason": "a drill"}, "body.scope", "this field must be sent: a scope is line, flow or bank"),
    ("/stops", {"scope": "all", "reason": "a drill"}, "body.scope", "expected one of line, flow, bank"),
    (
        *("/stops", {"scope": "line", "reason": ""}, "body.reason"),
        "it must not be empty; a reason is one line, in a few words",
    ),
    ("/requests/R1/decision", {"allow": "yes"}, "body.allow", "true to allow it, false to refuse it, without quotes"),
    ("/payments/CA1-1/modifications", {"kind": "undo"}, "body.kind", "expected one of refund, void, capture"),
    (
        *("/payments/CA1-1/modifications", {"kind": "refund", "reopens_bill": 1}, "body.reopens_bill"),
        "expected true or false, without quotes",
    ),
]


@pytest.mark.parametrize(("path", "body", "place", "cure"), CURES)
def test_a_cure_reads_as_people_would_say_it(path: str, body: object, place: str, cure: str):
    line = Line()
    line.charge()
    sender = program(line, "finance" if path.startswith(("/payments", "/requests", "/calls")) else "operator")
    answer = sender.post(path, body, "any-key-at-all")
    told: Any = answer.json
    assert answer.status_code == 400
    assert {"place": place, "cure": cure} in told["errors"]


@pytest.mark.parametrize(
    ("query", "place", "cure"),
    [
        ("before=x", "query.before", "`before` is the whole number that `next` of the page before said"),
        ("before=-1", "query.before", "0 or more; `before` is the whole number that `next` of the page before said"),
        ("from=ada", "query.from", "there is no such field: there are who, what, about, before"),
    ],
)
def test_a_cure_of_a_query_reads_so_too(query: str, place: str, cure: str):
    told: Any = program(Line(), "auditor").get(f"/audit?{query}").json
    assert told["errors"] == [{"place": place, "cure": cure}]


def test_a_body_that_is_no_json_is_told_where_and_not_with_the_parsers_words():
    sender = program(Line(), "finance")
    headers = {"Content-Type": "application/json"}
    told: Any = sender.send("POST", "/payments/search", data='{"text": 4111-', headers=headers).json
    assert told["errors"] == [{"place": "body", "cure": "the body is no JSON, at line 1 column 14"}]


def test_every_kind_of_fault_that_the_shapes_can_have_has_words_of_our_own():
    """Whatever is sent to whatever field: nothing that the checker says by itself is told."""
    anything = (
        None,
        True,
        1,
        -1,
        1.5,
        10**30,
        "",
        "x",
        "x" * 999,
        "\u0000",
        CARD,
        [],
        {},
        [1],
        {"minor": {}},
        "\ud800",
    )
    for one in OPERATIONS:
        for name in one.body.model_fields if one.body else ():
            for value in anything:
                with suppress(ValidationError):
                    one.body.model_validate_json(json.dumps({name: value}))  # type: ignore[union-attr]
                    continue
                told = of_sent(one.body, {name: value})  # type: ignore[arg-type]
                for fault, raw in told:
                    assert fault.cure != raw, (one.name, name, value)
                    assert "that is not what is expected here" not in fault.cure, (one.name, name, value, raw)
                    assert CARD not in fault.cure


def of_sent(shape: type[BaseModel], sent: object) -> list[tuple[WrongPlace, str]]:
    """Each fault as it is told, and as the checker has it."""
    with pytest.raises(ValidationError) as found:
        shape.model_validate_json(json.dumps(sent))
    told = invalid(found.value, "body", shape).errors
    return list(zip(told, [one["msg"] for one in found.value.errors()], strict=True))


@pytest.mark.parametrize(
    ("body", "place", "cure"),
    [
        ({"text": "1111"}, "body.text", "for a card's last four digits say the day too"),
        ({"text": "100000000"}, "body.text", "that is no confirmation number and no account; ask for it again"),
        ({"text": CARD}, "body.text", "that holds a card number: search by its last four digits and the day"),
        (
            {"bank": "4111 1111 1111 1111"},
            "body.bank",
            "that holds a card number: search by its last four digits and the day",
        ),
        ({"caller": "anonymous"}, "body.caller", "that is how a withheld number is written; search by the day"),
        ({"day": "9999-12-31"}, "body.day", "expected a date such as 2026-01-31"),
    ],
)
def test_a_search_without_a_meaning_is_told_with_its_place_and_without_what_was_sent(
    body: dict[str, str], place: str, cure: str
):
    answer = program(Line(), "support").post("/payments/search", body)
    told: Any = answer.json
    assert (answer.status_code, told["errors"]) == (422, [{"place": place, "cure": cure}])
    assert all(value not in answer.text for value in body.values())


def test_a_name_that_could_be_a_number_is_not_repeated():
    sender = program(Line(), "support")
    for name in ("1111", "4111 1111", "a1111", "x" * 61, CARD):
        answer = sender.post("/payments/search", {name: ""})
        told: Any = answer.json
        assert [one["place"] for one in told["errors"]] == ["body"]
        assert name not in answer.text


def test_what_is_not_there_is_told_with_its_place():
    sender = program(Line(), "finance")
    for path, place in (
        ("/payments/CA9-1", "path.reference"),
        ("/payments/CA9-1/caller", "path.reference"),
        ("/calls/CA9", "path.reference"),
        ("/days/15.01.2026", "path.day"),
    ):
        answer = sender.get(path)
        told: Any = answer.json
        assert (answer.status_code, [one["place"] for one in told["errors"]]) == (404, [place])
        assert path.rpartition("/")[2] in ("caller", "") or path.rpartition("/")[2] not in answer.text


def test_who_may_not_is_told_who_may():
    told: Any = program(Line(), "viewer").post("/persons/deletion", PERSON).json
    assert told["detail"] == (
        "that is for operator: the token's role is viewer, its user's viewer; both must be allowed to"
    )
    callers: Any = program(Line(), "viewer").post("/payments/search", {"caller": "+15550100123"}).json
    assert callers["detail"].startswith("that is for support, finance, auditor: ")


# ---- refunds


def test_a_refund_is_asked_for_once_however_often_it_is_sent():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    first = sender.refund(amount={"minor": 1000, "currency": "USD"})
    again = sender.refund(amount={"minor": 1000, "currency": "USD"})
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.data == again.data
    (asked,) = line.store.modifications_of("CA1-1")
    assert (asked.amount, asked.asked_by) == (Money(1000), "ada")
    assert first.json is not None
    assert first.json["modification"]["id"] == asked.id


def test_two_refunds_of_the_same_amount_are_two_under_two_keys():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    for key in ("first refund", "second-refund"):
        sender.refund(key.replace(" ", "-"), amount={"minor": 1000, "currency": "USD"})
    assert len(line.store.modifications_of("CA1-1")) == 2


def test_a_request_whose_answer_was_lost_with_its_process_is_found_made(monkeypatch: pytest.MonkeyPatch):
    line = Line()
    line.charge()
    sender = program(line, "finance")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        sender.refund(amount={"minor": 1000, "currency": "USD"})
    again: Any = sender.refund(amount={"minor": 1000, "currency": "USD"}).json
    assert "asked for already" in again["told"]
    assert len(line.store.modifications_of("CA1-1")) == 1


@pytest.mark.parametrize("kind", ["void", "capture"])
def test_a_void_or_capture_whose_answer_was_lost_is_found_made(kind: str, monkeypatch: pytest.MonkeyPatch):
    line = Line()
    line.charge(captures_later=True)
    sender = program(line, "finance")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        assert sender.refund(kind=kind).status_code == 202
    again = sender.refund(kind=kind)
    assert (again.status_code, "asked for already" in again.text) == (202, True)
    assert len(line.store.modifications_of("CA1-1")) == 1


def test_a_key_is_for_one_request():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    sender.refund(amount={"minor": 1000, "currency": "USD"})
    other = sender.refund(amount={"minor": 1100, "currency": "USD"})
    assert other.status_code == 422
    assert other.json is not None
    assert other.json["errors"][0]["place"] == "header.Idempotency-Key"
    assert program(line, "finance", "bob").refund(amount={"minor": 1100, "currency": "USD"}).status_code == 202


@pytest.mark.parametrize("key", ["", "short", "with a blank", "x" * 201])
def test_without_a_key_nothing_is_asked_for(key: str):
    line = Line()
    line.charge()
    assert program(line, "finance").refund(key).status_code == 400
    assert not line.store.modifications_of("CA1-1")


def test_more_than_was_charged_is_refused_the_same_way_each_time():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    first = sender.refund(amount={"minor": 4251, "currency": "USD"})
    assert (first.status_code, first.mimetype) == (409, "application/problem+json")
    assert first.json is not None
    assert first.json["errors"] == [
        {"place": "body.amount", "cure": "42.51 USD is more than the 42.50 USD that can be refunded"}
    ]
    again = sender.refund(amount={"minor": 4251, "currency": "USD"})
    assert (again.status_code, again.mimetype, again.data) == (409, first.mimetype, first.data)
    assert len(events(line, "refund refused")) == 1


def test_a_refund_in_another_currency_is_told_with_its_place_and_without_the_amount():
    line = Line()
    line.charge()
    answer = program(line, "finance").refund(amount={"minor": 123, "currency": "EUR"})
    told: Any = answer.json
    assert (answer.status_code, told["errors"]) == (409, [{"place": "body.amount", "cure": "the charge is in USD"}])
    assert "1.23" not in answer.text


def test_a_part_of_a_charge_is_not_taken_for_a_void_of_all_of_it():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    part = sender.refund(kind="void", amount={"minor": 100, "currency": "USD"})
    told: Any = part.json
    assert (part.status_code, told["errors"]) == (
        409,
        [{"place": "body.amount", "cure": "a void is of all of it, 42.50 USD: only a refund can be of a part"}],
    )
    assert not line.store.modifications_of("CA1-1")
    whole = sender.refund("all-of-it", kind="void", amount={"minor": 4250, "currency": "USD"})
    assert whole.status_code == 202


def test_a_bill_that_cannot_be_owed_again_is_told_with_its_place():
    line = Line()
    line.charge()
    told: Any = program(line, "finance").refund(reopens_bill=True).json
    assert [one["place"] for one in told["errors"]] == ["body.reopens_bill"]


def test_a_large_refund_waits_for_another_persons_word():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = program(line, "finance"), program(line, "finance", "bob")
    asked: Any = ada.refund().json
    assert asked["modification"] is None
    waiting: Any = ada.get("/requests").json
    (request,) = waiting["waiting"]
    assert request["id"] == asked["waits_as"]
    decision = f"/requests/{request['id']}/decision"
    assert ada.post(decision, {"allow": True}, "adas-own-word").status_code == 409
    allowed = bob.post(decision, {"allow": True}, "bobs-word")
    assert allowed.status_code == 202
    assert bob.post(decision, {"allow": True}, "bobs-word").data == allowed.data
    assert [one.amount for one in line.store.modifications_of("CA1-1")] == [Money(10_001)]


def waits(sender: Program) -> str:
    asked: Any = sender.refund().json
    return str(asked["waits_as"])


def test_a_large_refund_whose_answer_was_lost_with_its_process_waits_once(monkeypatch: pytest.MonkeyPatch):
    line = Line()
    line.charge(minor=10_001)
    sender = program(line, "finance")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        first = waits(sender)
    assert waits(sender) == first
    assert len(line.store.requests_of("CA1-1")) == 1
    assert program(line, "finance", "bob").refund().status_code == 409


@pytest.mark.parametrize("allow", [True, False])
def test_a_second_word_whose_answer_was_lost_with_its_process_is_found_said(
    allow: bool, monkeypatch: pytest.MonkeyPatch
):
    line = Line()
    line.charge(minor=10_001)
    decision, bob = f"/requests/{waits(program(line, 'finance'))}/decision", program(line, "finance", "bob")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        bob.post(decision, {"allow": allow}, "bobs-word")
    again = bob.post(decision, {"allow": allow}, "bobs-word")
    assert again.status_code == 202
    assert len(line.store.modifications_of("CA1-1")) == allow
    other: Any = bob.post(decision, {"allow": allow}, "another-key").json
    assert (other["status"], other["detail"]) == (409, "that was decided meanwhile, by bob")


def test_a_second_word_whose_process_ended_before_it_was_asked_for_is_asked_for_by_the_same_request(
    monkeypatch: pytest.MonkeyPatch,
):
    line = Line()
    line.charge(minor=10_001)
    decision, bob = f"/requests/{waits(program(line, 'finance'))}/decision", program(line, "finance", "bob")

    def ends(*_: object) -> None:
        raise OSError("the process ends here")

    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        killed.setattr(line.store, "ask_modification", ends)
        assert bob.post(decision, {"allow": True}, "bobs-word").status_code == 503
    assert not line.store.modifications_of("CA1-1")
    assert bob.post(decision, {"allow": True}, "bobs-word").status_code == 202
    assert len(line.store.modifications_of("CA1-1")) == 1


def test_a_second_word_about_a_charge_that_has_changed_allows_nothing_and_waits_on():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = program(line, "finance"), program(line, "finance", "bob")
    decision = f"/requests/{waits(ada)}/decision"
    bob.refund("a-small-one", amount={"minor": 100, "currency": "USD"})
    refused = bob.post(decision, {"allow": True}, "bobs-word")
    assert (refused.status_code, "has changed meanwhile" in refused.text) == (409, True)
    assert events(line, "second person allowed") == []
    assert [one.status for one in line.store.requests_of("CA1-1")] == ["waiting"]
    assert bob.post(decision, {"allow": False}, "bobs-other-word").status_code == 202


def test_the_same_request_sent_at_once_is_answered_once_for_all():
    line = Line()
    line.charge()
    sender = program(line, "finance")
    app = sender.client.application
    with ThreadPoolExecutor(8) as threads:
        sent = [threads.submit(Program(app.test_client(), sender.token).refund) for _ in range(8)]
    answers = {(one.result().status_code, one.result().data) for one in sent}
    assert [status for status, _ in answers] == [202]
    assert len(line.store.modifications_of("CA1-1")) == 1


# ---- days, audit trail


def test_a_days_totals_and_movements():
    line = Line()
    line.charge(pays="700101")
    line.charge("CA2-1", minor=900, pays="=1+1")
    sender = program(line, "finance")
    day: Any = sender.get("/days/2026-01-15").json
    assert day["owed"] == [{"minor": 5150, "currency": "USD"}]
    assert day["charges"] == {"approved": 2}
    moved: Any = sender.get("/days/2026-01-15/movements").json
    assert [one["bill"] for one in moved["movements"]] == ["700101", "=1+1"]
    assert ",'=1+1," in sender.get("/days/2026-01-15/movements?form=csv").text
    assert [about.partition(";")[0] for about in events(line, "day exported")] == [
        "2026-01-15: 2 movements, csv",
        "2026-01-15: 2 movements, json",
    ]
    for day_that_is_none in ("yesterday", "9999-12-31", "2026-02-30"):
        assert sender.get(f"/days/{day_that_is_none}").status_code == 404


def test_the_audit_trail_is_read_page_by_page():
    line = Line()
    for number in range(450):
        line.store.note("root", "counted", str(number), line.clock())
    sender, seen, before = program(line, "auditor"), [], 0
    while before is not None:
        page: Any = sender.get(f"/audit?what=counted&before={before}").json
        seen += [int(one["about"]) for one in page["events"]]
        before = page["next"]
    assert seen == list(reversed(range(450)))


# ---- users


def test_who_may_sign_in_with_what_and_who_is_off_without_a_secret():
    line = Line()
    eve = line.signed_in("eve", "auditor")
    bob, _ = line.join("bob", "finance"), line.invite("cleo", "viewer")
    line.store.switch_user_off("bob", "root", line.clock())
    answer = program(line, "auditor", "eve").get("/users")
    found: Any = answer.json
    assert [one.pop("seen_at") is not None for one in found["users"]] == [False, False, True]
    with_codes = {"signs_in_with": "password and codes", "has_second_factor": True}
    assert found["users"] == [
        {"name": "bob", "role": "finance", "state": "off", **with_codes},
        {"name": "cleo", "role": "viewer", "state": "invited", "signs_in_with": None, "has_second_factor": False},
        {"name": "eve", "role": "auditor", "state": "on", **with_codes},
    ]
    for secret in (bob.secret, *bob.codes, eve.secret, "argon2"):
        assert secret not in answer.text
    page = eve.get("/users").text
    for cells in (
        "bob</td><td>finance</td><td>a password and codes</td><td>off",
        "cleo</td><td>viewer</td><td>-</td><td>invited",
    ):
        assert f"<td>{cells}</td>" in page


def test_a_passkey_is_two_factors_in_itself():
    ada = PortalUser("ada", "viewer", False, NOW, None, has_password=False, passkeys=1)
    shown = UserShown.of(ada)
    assert (shown.signs_in_with, shown.has_second_factor, shown.state) == ("passkey", True, "on")


def test_whoever_was_reset_has_nothing_set_up_until_they_come_back():
    line = Line()
    line.join("ada", "viewer")
    line.store.reset_user("ada", PortalInvitation("x" * 64, line.clock()), "root", line.clock())
    found: Any = program(line, "operator", "bob").get("/users").json
    ada = found["users"][0]
    assert (ada["name"], ada["state"], ada["has_second_factor"]) == ("ada", "invited", False)


# ---- flows


def test_the_versions_of_a_flow_their_source_and_what_check_finds():
    line = published_line()
    publish_again(line, "repeat: 2", "repeat: 3")
    line.banks = lambda: {}
    sender = program(line, "auditor")
    assert sender.get("/flows").json == {"flows": [{"name": "pay-a-bill", "live": 2, "versions": 2, "calls": 0}]}
    listed: Any = sender.get("/flows/pay-a-bill/versions").json
    assert [(one["number"], one["is_live"], one["published_by"]) for one in listed["versions"]] == [
        (2, True, "root"),
        (1, False, "root"),
    ]
    source: Any = sender.get("/flows/pay-a-bill/versions/1").json
    assert source["files"].keys() == {"pay-a-bill.yaml", "prompts/en-US.yaml", "prompts/es-MX.yaml"}
    assert "repeat: 2" in source["files"]["pay-a-bill.yaml"]
    assert {(one["code"], one["level"]) for one in source["check"]} == {("T408", "problem")}
    for none in ("/flows/none/versions", "/flows/pay-a-bill/versions/9", "/flows/pay-a-bill/versions/0"):
        assert sender.get(none).status_code == 404
    assert program(line, "viewer", "bob").get("/flows").status_code == 403


# ---- the description


def test_the_description_is_valid_and_served_without_a_token():
    described: Any = Program(Line().app().test_client(), "").get("/openapi.json").json
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []
    assert set(described["paths"]) == {one.path for one in OPERATIONS}


def test_each_operation_and_each_problem_is_in_the_documentation():
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    for one in OPERATIONS:
        assert f"| `{one.method} {one.path}` |" in text
    for kind in TITLES:
        assert f"| `{kind}` |" in text


def test_the_examples_of_the_documentation_are_what_is_answered():
    """Each `json` pair in it: what is sent, and what comes back to it."""
    store = memory_store()
    store._database.numbers = NUMBERS
    line = send_again(Line(store, hash_caller=NUMBERS.hash))
    line.charge(pays="700101")
    over = replace(a_call("CA1", phase="over", outcome="paid"), ani="+12025550100")
    store.save_call(over, 0, line.clock())
    line.store.publish_flow(draft_of(content()), "root", line.clock())
    publish_again(line, "repeat: 2", "repeat: 3")
    finance, operator, author = (
        program(line, "finance"),
        program(line, "operator", "grace"),
        program(line, "author", "eve"),
    )
    large = line.charge("CA2-1", minor=15_000).intent.amount
    wanted = WantedModification("CA2-1", "refund", large, large, "bob")
    assert line.store.ask_second_person("R1", wanted, line.clock())
    text = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```http\n")[1:]]
    shown_paths = [block.split()[1] for block in blocks]
    assert {
        "/payments/CA1-1/receipts",
        "/calls/search",
        "/persons/search",
        "/persons/deletion",
        "/stops",
        "/stops/end",
    } < set(shown_paths)
    for block in blocks:
        head, _, shown = block.partition("\n\n< ")
        first, *rest = head.splitlines()
        method, path = first.split()
        headers = dict(row.split(": ") for row in rest if ": " in row and not row.startswith("{"))
        body = next((json.loads(row) for row in rest if row.startswith("{")), None)
        sender = operator if path.startswith(("/persons", "/stops")) else finance
        sender = author if path.startswith("/flow") else sender
        answer = sender.send(method, path, headers=headers, **({"json": body} if body is not None else {}))
        status, _, expected = shown.partition("\n")
        assert answer.status_code == int(status), (block, answer.text)
        assert_holds(answer.json, json.loads(expected), block)


def assert_holds(answered: Any, shown: Any, block: str) -> None:
    """What is shown may leave members out, and `...` stands for any text."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in answered, block
            assert_holds(answered[name], value, block)
    elif isinstance(shown, list):
        assert len(answered) == len(shown), block
        for one, other in zip(answered, shown, strict=True):
            assert_holds(one, other, block)
    elif shown != "...":
        assert answered == shown, block
