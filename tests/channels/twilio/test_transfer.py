"""A caller is connected to a person by `<Dial>`, after what is said; Twilio then asks what follows."""

from pathlib import Path

import pytest

from ivr.calls import CallService
from ivr.channels.twilio.twiml import Writer
from ivr.core.actions import Phrase, Speak, Transfer
from ivr.core.events import Digits, KeysEntered
from ivr.core.moves import way_of
from ivr.testing.bench import Bench, BenchWorld, build_bench
from ivr.testing.channels import WebhookLine
from tests.benches import load_flow
from tests.helplines import write_helpline


def test_the_number_is_dialled_after_the_words():
    writer = Writer(lambda phrase: phrase.name)
    actions = [Speak((Phrase("transferring", "en-US"),)), Transfer("+15550123456")]
    written = writer.answer(actions, "https://pay.example.com/next")
    dialled = '<Dial action="https://pay.example.com/next#rc=2&amp;rp=all" method="POST">+15550123456</Dial>'
    assert written.endswith(f"transferring</Say>{dialled}</Response>")


@pytest.mark.parametrize("person", ["does not answer", "is busy", "cannot be reached"])
def test_a_caller_whom_nobody_answers_hears_so_and_what_became_of_the_money(person, bench):
    bench.person = person
    line = WebhookLine(bench, "helpline", "+15550100")
    line.begin()
    reply = line.press("2")
    said = [one.name for one in reply.heard if one.name != "welcome"]
    told = "you_were_not_charged"
    assert said == [told, "transferring", "nobody_reached", told, "goodbye"]
    assert reply.state == "over"
    assert BenchWorld(bench).transferred_to(line.call_id) == "nobody"


def test_a_caller_who_has_spoken_with_a_person_is_on_record_as_transferred(bench):
    line = WebhookLine(bench, "helpline", "+15550100")
    line.begin()
    reply = line.press("2")
    assert [one.words for one in reply.heard][-1] == "(connected to +15550123456)"
    stored = bench.workbench.store.load_call(line.call_id)
    assert stored is not None
    assert (stored.call.transferred_to, stored.call.hung_up) == ("+15550123456", False)
    assert stored.call.moves[-1] == "person transferred"


def test_a_line_that_ends_while_a_person_is_rung_is_on_record_with_both(bench):
    line = WebhookLine(bench, "helpline", "+15550100")
    line.begin()
    store, runner = bench.workbench.store, bench.workbench.runner
    service = CallService(runner, store)
    service.session(line.call_id).hear(KeysEntered(bench.workbench.clock(), Digits("2")))
    assert service.session(line.call_id).hang_up()
    stored = store.load_call(line.call_id)
    assert stored is not None
    assert (stored.call.transferred_to, stored.call.hung_up) == ("", True)
    way = way_of(stored.call)
    assert way is not None
    assert way.endswith("person connecting person hung_up")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    flow, prompts = load_flow(write_helpline(tmp_path / "flows"))
    return build_bench([flow], prompts)
