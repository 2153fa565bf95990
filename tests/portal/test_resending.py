"""A receipt sent again: by text to the caller alone or by e-mail, in the call's own words, once for each press, and on record.

By the page, and by the API, which sends one for each key.
"""

import re
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ivr.calls.resending import MOST, Resender
from ivr.calls.texting import keep_text
from ivr.core.call import Call
from ivr.forwarder.texts import TextJobs
from ivr.store import TEXTS, WantedModification, Which
from ivr.words.phrases import Prompts
from tests.portal.lines import Line, Person, told
from tests.portal.programs import Program, events, program
from tests.portal.receipts import WORDS, Goes, send_again, with_subject
from tests.store.payments import a_call, begin


def line_of(call: Call | None = None, prompts: Prompts = WORDS, goes: Goes | None = None) -> Line:
    """A charge whose call is over."""
    line = Line()
    call = call or a_call(phase="over", outcome="paid")
    line.charge()  # before its end: of a call that is over nothing can be charged
    line.store.save_call(call, 0, line.clock())
    return send_again(line, prompts, goes)


def press(person: Person, way: str, **fields: str) -> TestResponse:
    so_far = re.search(r'name="so_far" value="(\d+)"', person.get("/payments/CA1-1").text)
    fields.setdefault("so_far", so_far[1] if so_far else "0")
    return person.fill_in("/payments/CA1-1", "/payments/CA1-1/resend", way=way, **fields)


def test_support_sends_a_receipt_again_to_the_caller_and_it_says_what_the_ledger_says():
    line = line_of()
    sent = press(line.signed_in("ada", "support"), "text")
    assert told(sent) == "a text to ...100 is on its way: the forwarder sends it"
    (text,) = line.store.texts_of("CA1")
    payment = line.store.payment("CA1-1")
    assert payment is not None
    assert (text.recipient, text.state) == ("+15550100", "waiting")
    assert "42.50" in text.body
    assert payment.confirmation_number in text.body.replace(" ", "").replace("-", "")
    assert "+15550100" not in sent.text
    assert [(one.who, one.what, one.about) for one in line.store.audit_events(1)] == [
        ("ada", "receipt resent", "CA1-1: text to ...100")
    ]


def test_the_forwarder_sends_it_as_it_sends_all_texts():
    line = line_of()
    press(line.signed_in("ada", "finance"), "text")
    jobs = TextJobs(line.store, keep_text, keep_text, None, line.clock)
    for job in line.store.claim_jobs(line.clock(), 60, 9, Which(queue=TEXTS)):
        jobs.do(job)
    assert [one.state for one in line.store.texts_of("CA1")] == ["kept"]


def test_a_form_that_is_sent_twice_sends_one_and_the_next_one_another():
    line = line_of()
    ada = line.signed_in("ada", "support")
    press(ada, "text", so_far="0")
    twice = press(ada, "text", so_far="0")
    assert twice.status_code == 409
    assert "was sent already" in told(twice)
    assert press(ada, "text").status_code == 200
    assert [one.id for one in line.store.texts_of("CA1")] == ["CA1-1-resent_1", "CA1-1-resent_2"]


def test_nobody_is_sent_it_without_end():
    line = line_of()
    ada = line.signed_in("ada", "support")
    answers = [press(ada, "text") for _ in range(MOST + 1)]
    assert [one.status_code for one in answers] == [*[200] * MOST, 409]
    assert "times already" in told(answers[-1])


def test_it_goes_by_mail_to_an_address_that_is_one():
    line = line_of(prompts=with_subject())
    ada = line.signed_in("ada", "support")
    refused = press(ada, "email", address="nobody")
    assert "that is no e-mail address" in told(refused)
    sent = press(ada, "email", address="grace@example.com")
    assert "is on its way" in told(sent)
    (mail,) = line.store.emails_of("CA1")
    assert (mail.recipient, mail.subject) == ("grace@example.com", "Your payment to Example Water")
    assert "grace@example.com" not in sent.text
    events = [(one.what, one.about) for one in line.store.audit_events(2)]
    assert "grace@example.com" not in str(events)
    assert [what for what, _ in events] == ["receipt resent", "receipt not resent"]


def test_no_card_number_is_kept_as_an_address():
    line = line_of(prompts=with_subject())
    refused = press(line.signed_in("ada", "support"), "email", address="4111-1111-1111-1111@example.com")
    assert told(refused) == "that holds a card number"
    assert not line.store.emails_of("CA1")
    assert "4111" not in refused.text + str(line.store.audit_events(5))


CASES: list[tuple[Any, ...]] = [
    (a_call(phase="over"), Goes(text=False), "text", "no text can go to that number"),
    (replace(a_call(phase="over"), ani="anonymous"), Goes(), "text", "the caller's number was withheld"),
    (a_call(phase="over"), Goes(email=False), "email", "no mail server is configured"),
    (a_call(phase="over"), Goes(), "email", "the flow sends no e-mails (`email: send`)"),
]


@pytest.mark.parametrize(("call", "goes", "way", "why"), CASES, ids=[case[3] for case in CASES])
def test_what_cannot_be_sent_is_refused_with_the_reason_and_has_no_button(call: Call, goes: Goes, way: str, why: str):
    line = line_of(call, Prompts({"en-US": _without_subject()}), goes)
    ada = line.signed_in("ada", "support")
    page = ada.get("/payments/CA1-1").text
    assert f'name="way" value="{way}"' not in page
    refused = press(ada, way, address="grace@example.com")
    assert refused.status_code == 409
    assert why in refused.text.replace("&#39;", "'")
    assert not line.store.texts_of("CA1")
    assert not line.store.emails_of("CA1")


def _without_subject() -> dict[str, str]:
    words = WORDS.texts(["en-US"], WORDS.names("en-US"))["en-US"]
    return {name: text for name, text in words.items() if name != "result_email_subject"}


def test_of_a_charge_that_was_given_back_no_receipt_is_sent():
    line = line_of()
    payment = line.store.payment("CA1-1")
    assert payment is not None
    left = line.store.balance_of(payment).refundable
    line.store.ask_modification(WantedModification("CA1-1", "refund", left, left, "ada", False), line.clock())
    refused = press(line.signed_in("ada", "support"), "text")
    assert "was given back, or is about to be" in told(refused)


def test_of_a_charge_without_an_answer_no_receipt_is_sent():
    line = line_of()
    begin(line.store, "CA9-1", caller="another", card="another", now=line.clock())
    ada = line.signed_in("ada", "support")
    refused = ada.fill_in("/payments/CA9-1", "/payments/CA9-1/resend", way="text", so_far="0")
    assert "the bank has not said yet" in told(refused)


@pytest.mark.parametrize(
    "fields", [{"way": "fax", "so_far": "0"}, {"way": "text", "so_far": "-1"}, {"way": "text", "so_far": "²"}]
)
def test_a_form_of_nobodys_is_refused(fields: dict[str, str]):
    ada = line_of().signed_in("ada", "support")
    assert ada.fill_in("/payments/CA1-1", "/payments/CA1-1/resend", **fields).status_code == 400


def test_a_viewer_has_no_button():
    assert "Send the receipt again" not in line_of().signed_in("bob", "viewer").get("/payments/CA1-1").text


# ---- by the API


def ask(sender: Program, key: str = "one-receipt", **body: object) -> TestResponse:
    return sender.post("/payments/CA1-1/receipts", {"way": "text", **body}, key)


def test_a_program_sends_a_receipt_again_once_for_each_key_and_on_record():
    line = line_of()
    support = program(line, "support")
    first, again, another = ask(support), ask(support), ask(support, "next-receipt")
    assert (first.status_code, first.json) == (
        202,
        {"told": "a text to ...100 is on its way: the forwarder sends it", "way": "text", "to": "...100"},
    )
    assert again.data == first.data
    assert another.status_code == 202
    assert [one.id for one in line.store.texts_of("CA1")] == ["CA1-1-resent_1", "CA1-1-resent_2"]
    assert events(line, "receipt resent") == ["CA1-1: text to ...100"] * 2


def test_a_program_sends_it_to_an_address_that_is_not_said_again():
    line = line_of(prompts=with_subject())
    sent = ask(program(line, "finance"), way="email", address="grace@example.com")
    assert (sent.status_code, sent.json and sent.json["to"]) == (202, "g...@example.com")
    assert [one.recipient for one in line.store.emails_of("CA1")] == ["grace@example.com"]
    assert "grace" not in sent.text + str(line.store.audit_events(5))


def test_a_receipt_whose_answer_was_lost_with_its_process_is_found_sent(monkeypatch: pytest.MonkeyPatch):
    line = line_of()
    support = program(line, "support")
    with monkeypatch.context() as killed:
        killed.setattr(line.store, "remember_answer", lambda *_: None)
        ask(support)
    again = ask(support)
    assert (again.status_code, again.json) == (
        202,
        {"told": "that receipt was asked for already", "way": "text", "to": "...100"},
    )
    assert len(line.store.texts_of("CA1")) == 1


def test_what_went_to_somebody_else_meanwhile_is_not_said_to_be_sent(monkeypatch: pytest.MonkeyPatch):
    line = line_of(prompts=with_subject())
    support = program(line, "support")
    with monkeypatch.context() as killed:
        killed.setattr(Resender, "resend", None)
        ask(support)  # its process was killed before anything was done
    assert ask(program(line, "support", "bob"), way="email", address="grace@example.com").status_code == 202
    refused = ask(support)
    assert (refused.status_code, "was sent already" in refused.text) == (409, True)
    assert not line.store.texts_of("CA1")


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({"way": "fax"}, 400, "body.way"),
        ({"way": "text", "address": "grace@example.com"}, 422, "body.address"),
        ({"way": "email"}, 409, "body.address"),
        ({"way": "email", "address": "nobody"}, 409, "body.address"),
        ({"way": "email", "address": "x" * 255}, 400, "body.address"),
        ({"way": "email", "address": "4111-1111-1111-1111@example.com"}, 409, "body.address"),
    ],
)
def test_what_a_program_asks_for_wrongly_is_told_with_its_place(body: dict[str, str], status: int, place: str):
    line = line_of(prompts=with_subject())
    refused = ask(program(line, "support"), **body)
    problem: Any = refused.json
    assert (refused.status_code, [one["place"] for one in problem["errors"]]) == (status, [place])
    assert not body.get("address") or body["address"] not in refused.text
    assert not line.store.emails_of("CA1")
    assert len(events(line, "receipt not resent")) == (status == 409)


@pytest.mark.parametrize(("call", "goes", "way", "why"), CASES, ids=[case[3] for case in CASES])
def test_a_program_is_refused_as_people_are(call: Call, goes: Goes, way: str, why: str):
    line = line_of(call, Prompts({"en-US": _without_subject()}), goes)
    refused = ask(program(line, "support"), way=way, address="grace@example.com" if way == "email" else "")
    assert (refused.status_code, refused.mimetype) == (409, "application/problem+json")
    assert refused.json
    assert why in refused.json["detail"]
    assert [why in about for about in events(line, "receipt not resent")] == [True]
    assert not line.store.texts_of("CA1")


def test_a_program_sends_it_five_times_at_most_and_never_without_a_key():
    line = line_of()
    support = program(line, "support")
    assert ask(support, "").status_code == 400
    assert [ask(support, f"receipt-{number}").status_code for number in range(MOST + 1)] == [*[202] * MOST, 409]
    assert support.post("/payments/CA9-1/receipts", {"way": "text"}, "another-one").status_code == 404
