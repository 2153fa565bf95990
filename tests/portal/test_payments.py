"""Payments in the portal: found by what people have in hand, shown without a card number, refunded once and by two where it is much."""

import re

import pytest

from ivr.core.money import Money
from tests.portal.lines import Line, Person, told

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


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"text": CARD}, "that holds a card number"),
        ({"text": "4111 1111 1111 1111"}, "that holds a card number"),
        ({"caller": CARD}, "that holds a card number"),
        ({"text": "1111"}, "say the day too"),
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


def test_the_story_of_a_payment_is_shown():
    line = Line()
    line.charge(pays="700101")
    page = line.signed_in("ada", "viewer").get("/payments/CA1-1").text
    for word in ("42.50 USD", "visa 1111", "approved", "700101", "acme_bank", "482913", "requested"):
        assert word in page
    assert line.signed_in("bob", "viewer").get("/payments/CA9-1").status_code == 404


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


def test_a_large_refund_takes_two_people():
    line = Line()
    line.charge(minor=10_001)
    ada, bob = line.signed_in("ada", "finance"), line.signed_in("bob", "finance")
    assert "waits for a second person" in refund(ada, left="100.01 USD")
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
    refund(ada, left="100.01 USD")
    (request,) = line.store.waiting_requests()
    assert "is refused" in told(bob.fill_in("/requests", f"/requests/{request.id}", word="refuse"))
    assert not line.store.modifications_of("CA1-1")
    assert not line.store.waiting_requests()


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


def test_what_callers_and_billing_systems_wrote_is_never_html():
    line = Line()
    line.charge(pays="<script>alert(1)</script>")
    ada = line.signed_in("ada", "support")
    for page in (ada.get("/payments").text, ada.get("/payments/CA1-1").text, ada.get("/days/2026-01-15").text):
        assert "<script>alert" not in page
        assert "&lt;script&gt;" in page
    assert "<b>" not in search(ada, text="<b>bold")
