"""A billing system that takes its time, or hangs: its own callers wait with words, and nobody else waits at all."""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import structlog

from ivr.calls.billing import HttpBilling
from ivr.calls.billing_endpoint import Access, BillingEndpoint
from ivr.calls.look_ups import LookUps
from ivr.flow.talk.charging import DUE_PATIENCE_S
from ivr.testing.twilio import TwilioCall
from tests.benches import Bench
from tests.billing_endpoints import BillingServer, Request, billing_server, hang, write
from tests.channels.trunk.audio_ports import Caller, keys_a_card, ring
from tests.webs import Web, make_web

VOICE = "/twilio/voice/pay-a-bill"
LONG = 60.0
CARD = ("4111111111111111", "1230", "123", "94105")


@pytest.fixture
def server() -> Iterator[BillingServer]:
    with billing_server() as server:
        yield server


def billing_at(server: BillingServer, bench: Bench, waiters: int = 0) -> HttpBilling:
    """`waiters` of nought: every answer comes at a later request, however quick the endpoint is."""
    return HttpBilling(BillingEndpoint(Access(server.url, limit_s=LONG)), bench.workbench.store, LookUps(LONG, waiters))


def at_the_card(web: Web) -> TwilioCall:
    line = web.line()
    line.begin()
    for keys in ("1", "12345678", "1"):
        line.press(keys)
    return line


def next_url(twiml: str) -> str:
    tag = 'action="' if 'action="' in twiml else '<Redirect method="POST">'
    return twiml.partition(tag)[2].partition('"' if "action" in tag else "<")[0].replace("&amp;", "&")


def call_to_its_look_up(web: Web, number: int) -> tuple[str, str]:
    """The call's id, and what is answered to its account number."""
    call = {"CallSid": f"CA{number:032x}"}
    url = next_url(web.post(next_url(web.post(VOICE, call).text), call | {"Digits": "1"}).text)
    return call["CallSid"], web.post(url, call | {"Digits": "12345678"}).text


def test_on_twilio_a_look_up_under_way_is_a_pause_and_its_answer_comes_with_a_later_request(
    bench: Bench, server: BillingServer
):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD", "min": "10.00 USD"}')

    server.handle = answer_later
    web = make_web(bench)
    bench.workbench.runner.billing = billing = billing_at(server, bench)
    call, answer = call_to_its_look_up(web, 1)
    assert "One moment, please." in answer
    assert "<Redirect" in answer
    again = web.post(next_url(answer), {"CallSid": call}).text
    assert "<Say" not in again
    assert '<Pause length="1"/><Redirect' in again
    (begun,) = billing._look_ups._begun.values()
    may_answer.set()
    begun.result(LONG)
    found = web.post(next_url(again), {"CallSid": call}).text
    assert "You owe 42 dollars and 50 cents" in found
    assert len(server.requests) == 1


def test_24_callers_whose_look_ups_hang_hold_up_neither_cards_nor_health(bench: Bench, server: BillingServer):
    """All in one thread: whatever waited for a look-up would wait here for ever."""
    server.handle = hang
    web = make_web(bench)
    card = at_the_card(web)
    bench.workbench.runner.billing = billing_at(server, bench)
    hanging = [call_to_its_look_up(web, number) for number in range(1, 25)]
    server.until(lambda: len(server.requests) == 24)
    for call, answer in hanging:
        assert "<Redirect" in web.post(next_url(answer), {"CallSid": call}).text
    for keys in CARD:
        assert card.press(keys).state == "keys"
    assert web.http.get("/healthz").text == "ok\n"
    assert len(server.requests) == 24


def test_24_callers_whose_consents_hang_hold_up_neither_cards_nor_health(bench: Bench, server: BillingServer):
    """All in one thread, as above: their lines hold, their cards stay sealed, and nothing is charged."""
    server.handle = hang
    web = make_web(bench)
    card, *hanging = (at_the_card(web) for _ in range(25))
    for line in hanging:
        for keys in CARD:
            line.press(keys)
    bench.workbench.runner.billing = billing_at(server, bench)
    for line in hanging:
        assert line.press("1").state == "waiting"
    server.until(lambda: len(server.requests) == 24)
    for line in hanging:
        held = line.wait()
        assert (held.state, held.wait_s, held.heard) == ("waiting", 1, [])
    for keys in CARD:
        assert card.press(keys).state == "keys"
    assert web.http.get("/healthz").text == "ok\n"
    assert len(server.requests) == 24
    assert not bench.workbench.store.outbox_depth()["authorize"]


def test_on_twilio_a_consent_waits_for_what_is_due_and_is_then_charged_once(bench: Bench, server: BillingServer):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later
    line = at_the_card(make_web(bench))
    for keys in CARD:
        line.press(keys)
    bench.workbench.runner.billing = billing = billing_at(server, bench)
    assert [heard.words for heard in line.press("1").heard] == ["One moment, please."]
    (begun,) = billing._look_ups._begun.values()
    assert line.wait().heard == []
    assert not bench.bank.requests
    may_answer.set()
    begun.result(LONG)
    assert "Thank you, one moment." in line.wait().heard[0].words
    bench.workbench.work()
    assert any("Paid. Confirmation" in heard.words for heard in line.wait().heard)
    assert list(bench.bank.requests.values()) == [1]
    assert len(server.requests) == 1


def test_a_consent_whose_process_has_died_asks_again_in_another(bench: Bench, server: BillingServer):
    server.handle = hang
    line = at_the_card(make_web(bench))
    for keys in CARD:
        line.press(keys)
    bench.workbench.runner.billing = billing_at(server, bench)
    line.press("1")
    server.handle, server.bills["12345678"] = None, {"due": "42.50 USD"}
    bench.workbench.runner.billing = billing_at(server, bench, waiters=1)
    line.wait()
    bench.workbench.work()
    assert list(bench.bank.requests.values()) == [1]


def test_on_a_trunk_a_consent_waits_for_what_is_due(bench: Bench, server: BillingServer):
    """And on a browser's call: the conversation of a line is the same."""
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later

    async def scene(caller: Caller) -> None:
        await keys_a_card(caller)
        bench.workbench.runner.billing = billing = billing_at(server, bench)
        await caller.press("1")
        await caller.hears_out("one_moment")
        (begun,) = billing._look_ups._begun.values()
        await asyncio.sleep(5)
        assert not bench.bank.requests
        may_answer.set()
        begun.result(LONG)
        await caller.hears("hold_while_charging")
        await caller.hears("confirmation_number")
        await caller.hangs_up()

    ring(bench, scene)
    assert list(bench.bank.requests.values()) == [1]


def test_on_a_trunk_a_consent_that_is_never_answered_ends_in_not_charged(bench: Bench, server: BillingServer):
    server.handle = hang

    async def scene(caller: Caller) -> None:
        await keys_a_card(caller)
        bench.workbench.runner.billing = billing_at(server, bench)
        await caller.press("1")
        await caller.hears("one_moment")
        await caller.hears("bill_not_reached", within_s=DUE_PATIENCE_S + 3)
        await caller.hears_out("goodbye")

    caller = ring(bench, scene)
    assert caller.prompts[-3:] == ["bill_not_reached", "you_were_not_charged", "goodbye"]
    assert not bench.bank.requests


def test_a_look_up_whose_process_has_died_is_begun_again_by_another(bench: Bench, server: BillingServer):
    server.handle = hang
    web = make_web(bench)
    bench.workbench.runner.billing = billing_at(server, bench)
    call, answer = call_to_its_look_up(web, 1)
    server.handle, server.bills["12345678"] = None, {"due": "42.50 USD"}
    bench.workbench.runner.billing = billing_at(server, bench, waiters=1)
    assert "You owe 42 dollars" in web.post(next_url(answer), {"CallSid": call}).text


def test_on_a_trunk_keys_pressed_during_a_look_up_are_for_the_next_question(bench: Bench, server: BillingServer):
    may_answer = threading.Event()

    async def answer_later(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.to_thread(may_answer.wait, LONG)
        write(writer, 200, b'{"due": "42.50 USD"}')

    server.handle = answer_later
    bench.workbench.runner.billing = billing = billing_at(server, bench)

    async def scene(caller: Caller) -> None:
        await caller.answers("choose_language", "1")
        await caller.answers("enter_account_number", "12345678#")
        await caller.hears("one_moment")
        await caller.press("1")
        (begun,) = billing._look_ups._begun.values()
        may_answer.set()
        begun.result(LONG)
        await caller.hears("enter_card_number")
        await caller.hangs_up()

    caller = ring(bench, scene)
    assert "no_input" not in caller.prompts


def test_a_bill_in_another_currency_is_logged_with_its_account(bench: Bench, server: BillingServer):
    server.bills["12345678"] = {"due": "42.50 EUR"}
    bench.workbench.runner.billing = billing_at(server, bench, waiters=1)
    line = bench.dial("pay-a-bill", "+15550100")
    with structlog.testing.capture_logs() as logs:
        line.begin()
        line.press("1")
        heard = [one.name for one in line.press("12345678#").heard]
    assert heard == ["bill_not_payable", "enter_account_number"]
    (told,) = (line for line in logs if "currency" in line["event"])
    assert told["account"] == "12345678"
