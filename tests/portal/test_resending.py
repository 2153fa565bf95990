"""A receipt sent again: by text to the caller alone or by e-mail, in the call's own words, once for each press, and on record."""

import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from ivr.calls.resending import MOST, Resender
from ivr.calls.results import result_subject, result_words
from ivr.calls.texting import keep_text
from ivr.core.call import Call
from ivr.forwarder.texts import TextJobs
from ivr.store import TEXTS, WantedModification, Which
from ivr.words.phrases import Prompts
from tests.benches import ROOT, load_flow
from tests.portal.lines import Line, Person, told
from tests.store.payments import a_call, begin

_, WORDS = load_flow(ROOT / "flows" / "pay-a-bill.yaml")
SUBJECT = {"result_email_subject": "Your payment to {merchant:text}"}


@dataclass
class Goes:
    """Whether texts and e-mails go out."""

    text: bool = True
    email: bool = True


def line_of(call: Call | None = None, prompts: Prompts = WORDS, goes: Goes | None = None) -> Line:
    """A charge whose call is over."""
    goes, line = goes or Goes(), Line()
    call = call or a_call(phase="over", outcome="paid")
    line.charge()  # before its end: of a call that is over nothing can be charged
    line.store.save_call(call, 0, line.clock())
    words, subject = (
        result_words(lambda _: prompts, "Example Water"),
        result_subject(lambda _: prompts, "Example Water"),
    )
    line.resender = Resender(
        line.store, lambda _: prompts, words, subject, lambda _number: goes.text, lambda: goes.email
    )
    return line


def with_subject() -> Prompts:
    return Prompts(
        {
            language: {**WORDS.texts([language], WORDS.names(language))[language], **SUBJECT}
            for language in WORDS.languages()
        }
    )


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


CASES: list[tuple[Any, ...]] = [
    (a_call(phase="over"), Goes(text=False), "text", "no text can go to that number"),
    (replace(a_call(phase="over"), ani="anonymous"), Goes(), "text", "the caller's number was withheld"),
    (a_call(phase="over"), Goes(email=False), "email", "no mail server is configured"),
    (a_call(phase="over"), Goes(), "email", "the flow has no words to head an e-mail with"),
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
