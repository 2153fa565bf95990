"""A web process that dies after it has saved an answer and before it has sent it: Twilio asks again, or the caller is told by text."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from ivr.channels.twilio.gathering import ASKED_AGAIN
from ivr.channels.twilio.webhooks import ONCE_SENT
from ivr.errors import PeerError
from ivr.testing.twilio import Application, TwilioCall
from ivr.testing.twilio.overrides import divided
from tests.benches import make_bench
from tests.faults import RECEIPT, Caller
from tests.webs import PUBLIC, TOKEN, Web, make_web

ENDED = {"CallStatus": "completed"}


class Dying(httpx.BaseTransport):
    """The application in a web process that dies as often as `deaths` has it with its answer in hand."""

    def __init__(self, web: Web) -> None:
        self.deaths = 0
        self.follow_ups: list[Callable[[], object]] = []
        application = web.app.wsgi_app
        self._inner = httpx.WSGITransport(
            app=lambda variables, start: application(variables | {ONCE_SENT: self.follow_ups}, start)
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._inner.handle_request(request)
        if self.deaths:
            self.deaths -= 1
            self.follow_ups.clear()
            raise httpx.RemoteProtocolError("the connection was reset")
        while self.follow_ups:
            self.follow_ups.pop()()
        return answer


@pytest.fixture
def web(sealing_key: Path) -> Web:
    web = make_web(make_bench(sealing_key))
    web.http = httpx.Client(transport=Dying(web), base_url=PUBLIC)
    return web


def dying(web: Web) -> Dying:
    assert isinstance(web.http._transport, Dying)
    return web.http._transport


def results(web: Web, call: str) -> list[str]:
    """Of the texts once all is done."""
    web.bench.workbench.work()
    return [text.body for text in web.bench.workbench.store.texts_of(call)]


@pytest.mark.parametrize("deaths", [1, 2])
def test_twilio_asks_again_and_the_caller_hears_the_saved_number(web: Web, deaths: int):
    application = Application(
        web.http, f"{PUBLIC}/twilio/voice/pay-a-bill{ASKED_AGAIN}", TOKEN, PUBLIC, "/twilio/status"
    )
    line = TwilioCall(application)
    line.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105"):
        line.press(keys)
    reply = line.press("1")
    web.bench.workbench.work()
    dying(web).deaths = deaths
    while reply.state == "waiting" and RECEIPT not in " ".join(one.words for one in reply.heard):
        reply = line.wait()
    assert dying(web).deaths == 0
    assert RECEIPT in " ".join(one.words for one in reply.heard)
    line.hang_up()
    assert results(web, line.call_id) == []
    assert list(web.bench.bank.requests.values()) == [1]


def until_the_number(web: Web) -> Caller:
    """A caller whose next request brings the confirmation number."""
    caller = Caller(web, web.bench.workbench.work)
    return caller.until("Thank you, one moment.")


def call_of(web: Web) -> str:
    return web.bench.workbench.store.latest_calls(1)[0].id


def test_a_number_that_never_left_is_texted_once_though_the_hang_up_is_told_twice(web: Web):
    caller = until_the_number(web)
    dying(web).deaths = 1
    with pytest.raises(httpx.RemoteProtocolError):
        caller.request()
    for _ in range(2):
        web.post("/twilio/status", ENDED)
        assert ["went through" in text for text in results(web, call_of(web))] == [True]


def test_who_was_sent_the_number_and_hangs_up_at_it_is_not_texted(web: Web):
    caller = until_the_number(web)
    assert RECEIPT in caller.request()
    web.post("/twilio/status", ENDED)
    assert results(web, call_of(web)) == []


def test_an_ending_that_never_left_is_texted_once_though_the_call_was_over(web: Web):
    """The number and the farewell in one answer."""
    caller = until_the_number(web)
    session_over(web)
    dying(web).deaths = 1
    with pytest.raises(httpx.RemoteProtocolError):
        caller.request()
    for _ in range(2):
        web.post("/twilio/status", ENDED)
        assert ["went through" in text for text in results(web, call_of(web))] == [True]


def session_over(web: Web) -> None:
    """From here on the application can only end calls, with what is true of the charge."""

    def broken(*_: object) -> str:
        raise OSError("a fault of ours")

    runner = web.bench.workbench.runner
    runner.performers.clear()
    object.__setattr__(runner, "_step", broken)


# ---- connection overrides


def test_an_override_is_neither_part_of_the_address_nor_without_effect():
    assert divided("https://pay.example.com/x?seq=1#rc=2&rp=all") == ("https://pay.example.com/x?seq=1", 2)
    assert divided("/x#rc=2") == ("/x", 0)  # it could not connect: none that a test makes
    assert divided("/x") == ("/x", 0)


@pytest.mark.parametrize("wrong", ["rc=6", "rc=x", "rp=some", "again=2", "tt=16000"])
def test_an_override_that_twilio_refuses_is_told(wrong: str):
    with pytest.raises(PeerError):
        divided(f"/x#{wrong}")
