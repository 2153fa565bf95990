"""Payments in the portal: found by what people have in hand, shown without a card number, refunded once and by two where it is much."""

import re
from typing import Any

import pytest

from ivr.core.confirmation import in_groups
from ivr.core.money import Money
from tests.portal.authors import FLOW, published_line
from tests.portal.lines import Line, Person, told
from tests.portal.programs import program
from tests.store.payments import a_call

CARD = "4111111111111111"


def search(person: Person, **typed: str) -> str:
    return person.fill_in("/payments", "/payments", **typed).text


def refund(person: Person, reference: str = "CA1-1", left: str = "42.50 USD", **typed: str) -> str:
    page = f"/payments/{reference}"
    return told(person.fill_in(page, f"{page}/modify", kind="refund", left=left, **typed))


def test_a_payment_is_found_by_what_people_have_in_hand():
    line = Line()
    one = line.charge("CA1-1", pays="700101", caller="hash of +15550100123")
    line.clock.passes(minutes=1)
    line.charge("CA2-1", minor=900, pays="700102")
    ada = line.signed_in("ada", "support")
    for typed in (
        {"text": "CA1-1"},
        {"text": one.confirmation_number},
        {"text": f" {one.confirmation_number[:3]} {one.confirmation_number[3:]}"},
        {"text": "700101"},
        {"amount": "42.50"},
        {"amount": "42.50 USD"},
    ):
        page = search(ada, **typed)
        assert "/payments/CA1-1" in page, typed
        assert "/payments/CA2-1" not in page, typed
    assert "/payments/CA1-1" in search(ada, caller="+15550100123")
    assert "/payments/CA2-1" in search(ada, text="1111", day="2026-01-15")
    assert "No payment is like that" in search(ada, amount="42.50 EUR")
    assert "No payment is like that" in search(ada, day="2026-01-14")
    assert "No payment is like that." in search(ada, caller="+15550100124")
    assert "like that; with the country&#39;s code, such as +1 202 555 0100, it may be found." in search(
        ada, caller="555-0100"
    )


CALL = "CA3f81c4111111111111111a0b9c8d7e"  # with digits in a row that could be a card's


def test_a_call_is_named_by_its_id_and_its_charges_are_found_the_latest_first():
    line = Line()
    line.charge(f"{CALL}-1", status="declined")
    line.clock.passes(minutes=1)
    line.charge(f"{CALL}-2")
    line.charge("CA2-1")
    page = search(line.signed_in("ada", "support"), text=f" {CALL} ", day="2026-01-14")
    assert re.findall(r'href="/payments/([^"]+)"', page) == [f"{CALL}-2", f"{CALL}-1"]
    told: Any = program(line, "viewer").post("/payments/search", {"text": CALL}).json
    assert [one["reference"] for one in told["payments"]] == [f"{CALL}-2", f"{CALL}-1"]


def test_a_search_for_a_call_without_a_charge_leads_to_the_call():
    line = Line()
    line.store.save_call(a_call("CA7", phase="over", outcome="unpaid"), 0, line.clock())
    ada = line.signed_in("ada", "viewer")
    page = search(ada, text="CA7")
    assert "No payment is like that. There is a call by this id, without a charge on record:" in page
    assert '<a href="/calls/CA7">' in page
    assert "There is a call" not in search(ada, text="CA8")


def test_a_search_for_a_flow_or_bank_that_there_is_not_says_which_there_are():
    line = published_line()
    line.charge("CA1-1")
    ada = line.signed_in("ada", "support")
    assert f"No flow of that name was ever published; there are: {FLOW}." in search(ada, flow="pay-bill")
    assert "There is no bank of that name; there are: acme_bank." in search(ada, bank="acme")
    assert "there are" not in search(ada, flow=FLOW, text="none")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"text": CARD}, "that holds a card number"),
        ({"text": "4111 1111 1111 1111"}, "that holds a card number"),
        ({"caller": CARD}, "that holds a card number"),
        ({"text": "1111"}, "Number: for a card's last four digits say the day too"),
        ({"day": "31.1.2026"}, "expected a date such as"),
        ({"amount": "much"}, "amount:"),
        ({"caller": "anonymous"}, "a withheld number"),
        ({"status": "perhaps"}, "expected one of"),
    ],
)
def test_what_cannot_be_searched_for_is_said_and_not_shown_again(typed: dict[str, str], says: str):
    page = Line().signed_in("ada", "support").fill_in("/payments", "/payments", **typed)
    assert page.status_code == 400
    assert says in told(page)
    assert CARD not in page.text
    assert "4111 1111" not in page.text


def test_a_refused_search_keeps_what_was_typed_but_for_what_could_be_a_card():
    ada = Line().signed_in("ada", "support")
    page = ada.fill_in("/payments", "/payments", text=CARD, day="2026-01-15", bank="acme_bank").text
    assert 'value="2026-01-15"' in page
    assert 'value="acme_bank"' in page
    assert CARD not in page


@pytest.mark.parametrize("number", ["４１１１１１１１１１１１１１１１", "٤111111111111111", "4111/1111/1111/1111"])
def test_a_card_number_in_the_digits_of_another_keyboard_is_no_search_and_not_shown_again(number: str):
    ada = Line().signed_in("ada", "auditor")
    for field in ("text", "flow", "caller"):
        answer = ada.fill_in("/payments", "/payments", **{field: number})
        assert (answer.status_code, number in answer.text) == (400, False)
    assert number not in ada.get("/audit", query_string={"about": number}).text


def test_a_search_by_a_callers_number_is_on_record_shortened():
    line = Line()
    ada = line.signed_in("ada", "support")
    search(ada, caller="+15550100123")
    (event,) = [one for one in line.store.audit_events(9) if one.what == "payments searched"]
    assert event.who == "ada"
    assert "5550100123" not in event.about
    viewer = line.signed_in("eve", "viewer")
    assert viewer.fill_in("/payments", "/payments", caller="+15550100123").status_code == 403


def test_the_list_goes_on_page_by_page_and_misses_nothing():
    line = Line()
    for number in range(120):
        line.charge(f"CA{number}-1")
        line.clock.passes(seconds=number % 2)
    ada = line.signed_in("ada", "viewer")
    seen, older = [], ""
    while True:
        page = search(ada, older_than=older)
        seen += re.findall(r'href="/payments/(CA\d+-1)"', page)
        found = re.search(r'name="older_than" value="([^"]+)"', page)
        if not found:
            break
        older = found[1]
    assert sorted(seen) == sorted(f"CA{number}-1" for number in range(120))


def test_a_declined_charge_has_no_confirmation_number_to_read_out():
    line = Line()
    number = in_groups(line.charge("CA1-1", status="declined").confirmation_number)
    charged = in_groups(line.charge("CA2-1").confirmation_number)
    ada = line.signed_in("ada", "support")
    assert number not in search(ada)
    assert number not in ada.get("/payments/CA1-1").text
    assert charged in search(ada)
    assert charged in ada.get("/payments/CA2-1").text
    told: Any = program(line, "viewer").get("/payments/CA1-1").json
    assert told["confirmation_number"] == ""


def test_the_story_of_a_payment_is_shown():
    line = Line()
    line.charge(pays="700101")
    page = line.signed_in("ada", "viewer").get("/payments/CA1-1").text
    for word in ("42.50 USD", "visa 1111", "approved", "700101", "acme_bank", "482913", "requested"):
        assert word in page
    assert line.signed_in("bob", "viewer").get("/payments/CA9-1").status_code == 404


def test_the_banks_code_has_its_words_beside_it():
    line = Line()
    line.charge(code="51", status="declined")
    line.store.save_call(a_call("CA1", phase="over", outcome="unpaid"), 0, line.clock())
    ada = line.signed_in("ada", "viewer")
    for page in ("/payments/CA1-1", "/calls/CA1"):
        assert "<td>51 (not sufficient funds)</td>" in ada.get(page).text


@pytest.mark.parametrize(
    ("kind", "captures_later", "says"),
    [
        ("refund", False, "asks the bank to give the amount in the field back to visa 1111, at most 42.50 USD."),
        ("void", False, "asks the bank to let go of all of it, 42.50 USD on visa 1111, before it is settled."),
        ("capture", True, "asks the bank to take 42.50 USD from visa 1111, where it is only reserved."),
    ],
)
def test_what_moves_money_takes_two_presses_and_says_before_the_second_what_it_will_do(
    kind: str, captures_later: bool, says: str
):
    line = Line()
    line.charge(captures_later=captures_later)
    page = line.signed_in("ada", "finance").get("/payments/CA1-1").text
    asks = [one for one in re.findall(r"<details(.*?)</details>", page, re.S) if f'name="kind" value="{kind}"' in one]
    assert page.count('action="/payments/CA1-1/modify"') == page.count("<details")
    (one,) = asks
    assert "open" not in one.partition(">")[0]
    assert f"<summary>{kind.capitalize()}&hellip;</summary>" in one
    assert f'<p id="{kind}-does">The button {says}' in one
    assert one.index(says) < one.index(f'<button aria-describedby="{kind}-does">')


def test_finance_refunds_once_however_often_the_button_is_pressed():
    line = Line()
    line.charge()
    ada = line.signed_in("ada", "finance")
    assert refund(ada, amount="10.00") == "refund of 10.00 USD asked for: the forwarder takes it to the bank"
    assert "asked for already" in refund(ada, amount="10.00")
    assert "look again" in refund(ada, amount="11.00")
    (asked,) = line.store.modifications_of("CA1-1")
    assert (asked.amount, asked.asked_by) == (Money(1000), "ada")


def test_more_than_was_charged_is_refused_and_on_record():
    line = Line()
    line.charge()
    assert "more than the 42.50 USD" in refund(line.signed_in("ada", "finance"), amount="42.51")
    assert not line.store.modifications_of("CA1-1")
    assert "refund refused" in [one.what for one in line.store.audit_events(5)]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"amount": "42.51"}, "Amount: 42.51 USD is more than the 42.50 USD that can be refunded"),
        ({"amount": "10.00 EUR"}, "Amount: the charge is in USD"),
        ({"amount": "10.00", "reopens_bill": "yes"}, "the charge pays no bill that was looked up"),
    ],
)
def test_a_refusal_is_on_record_as_the_page_says_it_and_not_as_the_command_line_does(typed: dict[str, str], says: str):
    line = Line()
    line.charge()
    assert says in refund(line.signed_in("ada", "finance"), **typed)
    (about,) = [one.about for one in line.store.audit_events(9) if one.what == "refund refused"]
    assert about.startswith(f"CA1-1: {says}")
    assert "--" not in about


@pytest.mark.parametrize("typed", [{}, {"amount": ""}, {"amount": "  "}])
def test_an_amount_that_was_emptied_is_asked_for_and_not_taken_for_all_of_it(typed: dict[str, str]):
    line = Line()
    line.charge()
    assert refund(line.signed_in("ada", "finance"), **typed) == "Amount: say how much is given back"
    assert not line.store.modifications_of("CA1-1")


def test_a_large_refund_takes_two_people():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = line.signed_in("ada", "finance"), line.signed_in("bob", "finance")
    assert "waits for a second person" in refund(ada, left="100.01 USD", amount="100.01")
    assert not line.store.modifications_of("CA1-1")
    (request,) = line.store.waiting_requests()
    assert "another person must" in told(ada.fill_in("/requests", f"/requests/{request.id}", word="allow"))
    assert not line.store.modifications_of("CA1-1")
    assert "asked for" in told(bob.fill_in("/requests", f"/requests/{request.id}", word="allow"))
    (asked,) = line.store.modifications_of("CA1-1")
    assert asked.amount == Money(10_001)
    assert "decided meanwhile" in told(bob.fill_in("/requests", f"/requests/{request.id}", word="allow"))
    assert len(line.store.modifications_of("CA1-1")) == 1


def test_small_parts_of_a_large_refund_do_not_get_past_the_second_person():
    line = Line()
    line.charge(minor=30_000)
    ada = line.signed_in("ada", "finance")
    assert "asked for:" in refund(ada, left="300.00 USD", amount="100.00")
    assert "waits for a second person" in refund(ada, left="200.00 USD", amount="0.01")


def test_a_refused_request_refunds_nothing():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = line.signed_in("ada", "finance"), line.signed_in("bob", "finance")
    refund(ada, left="100.01 USD", amount="100.01")
    (request,) = line.store.waiting_requests()
    assert "is refused" in told(bob.fill_in("/requests", f"/requests/{request.id}", word="refuse"))
    assert not line.store.modifications_of("CA1-1")
    assert not line.store.waiting_requests()


def test_whoever_asked_takes_a_request_back():
    line = Line()
    line.charge(minor=10_001)
    ada = line.signed_in("ada", "finance")
    refund(ada, left="100.01 USD", amount="100.01")
    (request,) = line.store.waiting_requests()
    assert "Take it back" in ada.get("/requests").text
    taken_back = told(ada.fill_in("/requests", f"/requests/{request.id}", word="refuse"))
    assert taken_back == "refund of 100.01 USD is taken back"
    assert not line.store.waiting_requests()
    assert not line.store.modifications_of("CA1-1")


def test_the_page_of_a_payment_says_what_waits_and_whose_word_it_was():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = line.signed_in("ada", "finance"), line.signed_in("bob", "finance")
    refund(ada, left="100.01 USD", amount="100.01")
    assert "waits for a second person" in line.signed_in("eve", "support").get("/payments/CA1-1").text
    (request,) = line.store.waiting_requests()
    bob.fill_in("/requests", f"/requests/{request.id}", word="allow")
    page = ada.get("/payments/CA1-1").text
    assert "wanted by ada" in page
    assert "allowed by bob" in page


def test_a_day_shows_who_has_paid_and_goes_into_a_file_on_record():
    line = Line()
    line.charge(pays="700101")
    line.charge("CA2-1", minor=900, pays="=1+1")
    ada = line.signed_in("ada", "finance")
    page = ada.get("/days/2026-01-15").text
    assert "51.50 USD" in page
    assert "2 approved" in page
    written = ada.fill_in("/days/2026-01-15", "/days/2026-01-15/export", form="csv").text
    assert "700101" in written
    assert ",'=1+1," in written
    assert ada.fill_in("/days/2026-01-15", "/days/2026-01-15/export", form="json").text.count("\n") == 2
    assert [one.about for one in line.store.audit_events(9) if one.what == "day exported"] == [
        "2026-01-15: 2 movements, json",
        "2026-01-15: 2 movements, csv",
    ]
    assert ada.get("/days/yesterday").status_code == 404


def test_a_day_leads_to_any_other_by_its_date():
    ada = Line().signed_in("ada", "viewer")
    page = ada.get("/days/2026-01-15").text
    assert '<form method="get" action="/days"' in page
    assert '<input name="day" type="date" value="2026-01-15" required>' in page
    for asked, leads in (
        ("/days?day=2026-11-01", "/days/2026-11-01"),
        ("/days?day=", "/days/2026-01-15"),
        ("/days", "/days/2026-01-15"),
    ):
        answer = ada.get(asked)
        assert (answer.status_code, answer.headers["Location"]) == (303, leads)
    below = ada.get("/days?day=2026-11-01", environ_overrides={"SCRIPT_NAME": "/shop"})
    assert below.headers["Location"] == "/shop/days/2026-11-01"


def test_the_first_day_of_the_calendar_has_a_page_and_none_before_it():
    page = Line().signed_in("ada", "viewer").get("/days/0001-01-01")
    assert page.status_code == 200
    assert "The day before" not in page.text


@pytest.mark.parametrize("day", ["1.11.2026", "2026-02-30", "9999-12-31", "//evil.example"])
def test_a_date_that_is_none_leads_nowhere_and_the_words_say_how_one_is_written(day: str):
    answer = Line().signed_in("ada", "viewer").get(f"/days?day={day}")
    assert answer.status_code == 404
    assert "a day is written year, month and day: 2026-12-31" in answer.text
    assert "Location" not in answer.headers


def test_what_callers_and_billing_systems_wrote_is_never_html():
    line = Line()
    line.charge(pays="<script>alert(1)</script>")
    ada = line.signed_in("ada", "support")
    for page in (ada.get("/payments").text, ada.get("/payments/CA1-1").text, ada.get("/days/2026-01-15").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
    assert "<b>" not in search(ada, text="<b>bold")


def test_a_card_number_typed_as_an_amount_comes_back_on_no_page_and_in_no_record():
    line = Line()
    line.charge()
    ada = line.signed_in("ada", "finance")
    page = ada.fill_in("/payments/CA1-1", "/payments/CA1-1/modify", kind="refund", left="42.50 USD", amount=CARD)
    assert told(page) == "Amount: an amount has at most 9 digits before its point"
    assert CARD not in page.text
    assert not any(CARD in one.about for one in line.store.audit_events(50))
