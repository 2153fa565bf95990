"""Twilio offline: an application's TwiML is done as Twilio does it, and what Twilio would not take is told with its line."""

import inspect
import re
import threading
from collections.abc import Callable, Iterator
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from click.testing import CliRunner
from flask import Flask, Response, request
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, Pay, Prompt, VoiceResponse

from ivr.errors import PeerError
from ivr.testing.bench import Bench
from ivr.testing.channels import TOKEN, SpokenWords, web_application
from ivr.testing.load import Latencies, place
from ivr.testing.twilio import DialStatus, TwilioCall, TwimlError, read_twiml
from ivr.testing.twilio.application import call_application
from ivr.testing.twilio.verbs import VERBS

AUTH = "12345678901234567890123456789012"


class Shop:
    """Somebody's application: it asks for a quantity, takes a card by <Pay>, and remembers what it was sent."""

    def __init__(self) -> None:
        self.app = Flask("shop")
        self.got: list[dict[str, str]] = []
        self.quirk = ""
        for path in ("voice", "quantity", "paid", "nothing", "bye", "status", "card", "person", "rang"):
            self.app.add_url_rule(f"/{path}", path, getattr(self, path), methods=["GET", "POST"])
        self.app.add_url_rule("/tone.wav", "tone", lambda: Response(b"RIFF", mimetype="audio/x-wav"))
        self.app.before_request(self.check)

    def check(self) -> Response | None:
        fields = request.form.to_dict() if request.method == "POST" else {}
        self.got.append({"path": request.path, "method": request.method} | request.values.to_dict())
        if request.path == "/tone.wav":
            return None  # a file that is played is asked for like any other
        signature = request.headers["X-Twilio-Signature"]
        signed = RequestValidator(AUTH).validate(request.url, fields, signature)
        return None if signed else Response("not signed", 403)

    def voice(self) -> Response:
        return xml(
            '<Gather action="/quantity" numDigits="2" finishOnKey="*" timeout="5"><Say>How many?</Say></Gather>'
            '<Redirect method="GET">/nothing</Redirect>'
        )

    def quantity(self) -> Response:
        if self.quirk:
            return xml(self.quirk + str(len(self.got)))
        return xml(
            f'<Say>{request.form["Digits"]} it is.</Say><Pay action="/paid" statusCallback="/card" chargeAmount="9.50"/>'
        )

    def paid(self) -> Response:
        return xml(f'<Say>{request.form["Result"]}</Say><Pause length="2"/><Redirect>/bye</Redirect>')

    def nothing(self) -> Response:
        return xml("<Say>You said nothing.</Say><Play>/tone.wav</Play>")

    def bye(self) -> Response:
        return xml("<Say>Goodbye.</Say><Hangup/>")

    def person(self) -> Response:
        return xml('<Say>Please hold.</Say><Dial action="/rang">+15550123</Dial>')

    def rang(self) -> Response:
        return xml(f"<Say>It was {request.form['DialCallStatus']}.</Say>")

    def status(self) -> Response:
        return Response(status=204)

    card = status


def xml(inside: str) -> Response:
    return Response(f"<Response>{inside}</Response>", content_type="text/xml")


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def call(shop: Shop) -> TwilioCall:
    return call_application(shop.app, "/voice", auth_token=AUTH, status_callback="/status")


def words(reply: object) -> list[str]:
    return [heard.words for heard in reply.heard]  # type: ignore[attr-defined]


def test_a_call_goes_through_gather_pay_pause_redirect_and_hangup(shop: Shop, call: TwilioCall):
    assert words(call.begin()) == ["How many?"]
    assert words(call.press("12")) == ["12 it is."]
    reply = call.pay(brand="visa", last4="1111")
    assert (words(reply), reply.state, reply.wait_s) == (["success"], "waiting", 2.0)
    reply = call.wait()
    assert (words(reply), reply.state) == (["Goodbye."], "over")
    assert [got["path"] for got in shop.got] == [
        "/voice",
        "/quantity",
        "/card",
        "/card",
        "/card",
        "/paid",
        "/bye",
        "/status",
    ]
    assert shop.got[5]["PaymentCardNumber"] == "xxxxxxxxxxxx1111"
    assert shop.got[-1]["CallStatus"] == "completed"
    assert len({got["CallSid"] for got in shop.got}) == 1


@pytest.mark.parametrize("status", ["completed", "no-answer", "busy", "failed"])
def test_what_became_of_a_dial_is_reported_to_its_action(shop: Shop, status: DialStatus):
    call = call_application(shop.app, "/person", auth_token=AUTH)
    call.dial_status = status
    reply = call.begin()
    connected = ["(connected to +15550123)"] if status == "completed" else []
    assert (words(reply), reply.state) == (["Please hold.", *connected, f"It was {status}."], "over")
    assert call.dialled == ["+15550123"]


def test_the_finishing_key_is_reported_apart_and_what_is_left_over_is_kept(shop: Shop, call: TwilioCall):
    call.begin()
    call.press("7*")
    assert (shop.got[-1]["Digits"], shop.got[-1]["FinishedOnKey"]) == ("7", "*")


def test_silence_goes_on_after_the_gather(shop: Shop, call: TwilioCall):
    call.begin()
    reply = call.stay_silent()
    assert (words(reply), reply.state) == (["You said nothing.", "[/tone.wav]"], "over")
    assert shop.got[-2]["method"] == "GET"


def test_a_hang_up_is_told_once(shop: Shop, call: TwilioCall):
    call.begin()
    call.hang_up()
    call.hang_up()
    assert [got["path"] for got in shop.got] == ["/voice", "/status"]


def test_a_repeated_delivery_must_be_answered_the_same(shop: Shop, call: TwilioCall):
    call.begin()
    assert "How many?" in call.deliver_again()
    shop.quirk = "<Say>different</Say>"
    with pytest.raises(TwimlError, match="outside of a verb"):
        call.press("12")
    with pytest.raises(PeerError, match="delivered twice was answered differently"):
        call.deliver_again()


def test_a_late_delivery_is_an_earlier_webhook_again(shop: Shop, call: TwilioCall):
    call.begin()
    call.press("12")
    call.deliver_late()
    assert shop.got[-1] == shop.got[0]
    with pytest.raises(PeerError, match="there were only 2 webhooks"):
        call.deliver_late(5)


def test_another_token_is_refused_by_the_application(shop: Shop):
    with pytest.raises(PeerError, match=r"403 from .*/voice: not signed"):
        call_application(shop.app, "/voice", auth_token="0" * 32).begin()


WRONG = {
    '<Response><Say voice="alice" volume="3">Hi</Say></Response>': "line 1: <Say> has no attribute 'volume'",
    "<Response>\n<Speak>Hi</Speak></Response>": "line 2: <Speak> is no TwiML",
    "<Response><gather/></Response>": "<gather> is no TwiML (did you mean 'Gather'?",
    "<Response><Gather><Gather/></Gather></Response>": "<Gather> cannot stand in <Gather>: there may be Pause, Play, Say",
    "<Response><Gather><Hangup/></Gather></Response>": "<Hangup> cannot stand in <Gather>",
    '<Response><Gather numDigits="some"/></Response>': 'numDigits="some": expected a whole number from 1 to 1000',
    '<Response><Gather timeout="0"/></Response>': 'timeout="0": expected a whole number from 1 to 600',
    '<Response><Gather finishOnKey="##a"/></Response>': "expected one of the keys",
    '<Response><Gather method="post"/></Response>': 'method="post": expected GET or POST',
    '<Response><Gather input="keys"/></Response>': "expected some of dtmf, speech",
    '<Response><Pay chargeAmount="9,50"/></Response>': "expected an amount such as 10.75",
    '<Response><Pay maxAttempts="4"/></Response>': "expected a whole number from 1 to 3",
    '<Response><Pay validCardTypes="visa dinner"/></Response>': "expected some of visa",
    '<Response><Pay><Prompt for="card"><Say>x</Say></Prompt></Pay></Response>': "expected payment-card-number or",
    '<Response><Pay><Parameter name="a"/></Pay></Response>': "needs the attribute 'value'",
    "<Response><Pay><Say>x</Say></Pay></Response>": "<Say> cannot stand in <Pay>: there may be Parameter, Prompt",
    "<Response><Say/></Response>": "<Say> is empty",
    "<Response><Redirect/></Response>": "<Redirect> is empty: a URL is missing",
    f"<Response><Say>{'a' * 4097}</Say></Response>": "4097 characters: at most 4096",
    "<Response><Dial/></Response>": "<Dial> is empty",
    "<Response><Hangup/><Say>x</Say></Response>": "<Say> is never reached: it stands after <Hangup>",
    "<Response>Hello</Response>": "words stand outside of a verb",
    '<Response version="1"/>': "<Response> has no attributes",
    "<Response><Record/></Response>": "cannot be tried offline",
    "<Twiml/>": "the root is <Twiml>, expected <Response>",
    "<Response><Say>Tom & Jerry</Say></Response>": "line 1: not XML",
    "": "not XML",
    '<!DOCTYPE x [<!ENTITY a "b">]><Response/>': "a document type is not TwiML",
    f"<Response>{'<Pause/>' * 9000}</Response>": "at most 65536",
}


@pytest.mark.parametrize("document", WRONG, ids=lambda text: text[:60])
def test_what_twilio_would_not_take_is_told(document: str):
    with pytest.raises(TwimlError, match=re.escape(WRONG[document])):
        read_twiml(document)


def test_every_mistake_is_told_at_once():
    with pytest.raises(TwimlError) as caught:
        read_twiml('<Response>\n<Say loud="1">x</Say>\n<Gather numDigits="x"/>\n<Zap/>\n</Response>')
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["line 2", "line 3", "line 4"]


def test_words_that_are_no_xml_by_their_type_are_told():
    with pytest.raises(TwimlError, match="content type 'application/json': expected text/xml"):
        read_twiml("<Response/>", "application/json")


SDK: dict[str, Callable[..., object]] = {
    "Say": VoiceResponse.say,
    "Play": VoiceResponse.play,
    "Pause": VoiceResponse.pause,
    "Gather": Gather.__init__,
    "Pay": Pay.__init__,
    "Prompt": Prompt.__init__,
    "Redirect": VoiceResponse.redirect,
    "Reject": VoiceResponse.reject,
}


@pytest.mark.parametrize("verb", SDK)
def test_attributes_are_those_of_twilios_own_library(verb: str):
    names = inspect.signature(SDK[verb]).parameters.keys() - {"self", "kwargs", "message", "url"}
    camel = {re.sub(r"_(.)", lambda found: found[1].upper(), name.rstrip("_")) for name in names}
    assert camel <= VERBS[verb].attributes.keys()


def test_our_own_line_stands_up_to_repeated_and_late_deliveries(bench: Bench):
    call = call_application(
        web_application(bench, SpokenWords(bench)),
        "/twilio/voice/pay-a-bill",
        auth_token=TOKEN,
        public_url="https://pay.example.com",
    )
    call.delivers_twice = True
    reply = call.begin()
    for keys in ("1", "12345678#", "1", "4111111111111111#", "1230", "123", "94105", "1"):
        reply = call.press(keys)
        call.deliver_late()
    while reply.state == "waiting":
        bench.workbench.clock.advance(5)
        bench.workbench.work()
        reply = call.wait()
    assert "Paid. Confirmation" in " ".join(words(reply))
    assert bench.world().books() == "42.50 USD"


def test_many_calls_at_once_are_timed_and_problems_counted(bench: Bench):
    app = web_application(bench, SpokenWords(bench))

    def new_call(number: int) -> TwilioCall:
        path = "/twilio/voice/pay-a-bill" if number else "/nowhere"
        return call_application(app, path, auth_token=TOKEN, public_url="https://pay.example.com")

    latencies = Latencies()
    for placed in place(new_call, ["1", "99999999#", "-"], calls=9, at_once=3):
        latencies.add(placed)
    counts = {what: times for what, times, _ in latencies.rows()}
    assert latencies.calls == 9
    assert counts == {"answer": 9, "keys": 24, "hang up": 8}
    assert [*latencies.problems.values()] == [1]
    assert "404" in next(iter(latencies.problems))


@pytest.fixture
def served(shop: Shop) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, shop.app, handler_class=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/voice"
    server.shutdown()
    thread.join()
    server.server_close()


class Quiet(WSGIRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Requests are what the test looks at."""


def test_the_command_calls_an_application_that_listens(served: str, shop: Shop):
    from ivr.cli import offline_twilio

    with offline_twilio.console.capture() as captured:
        done = CliRunner().invoke(offline_twilio.twilio, [served, "--auth-token", AUTH, "--keys", "-", "--again"])
    assert (done.exit_code, done.exception) == (0, None)
    assert "You said nothing." in captured.get()
    assert [got["path"] for got in shop.got] == ["/voice", "/voice", "/nothing", "/nothing", "/tone.wav"]


def test_the_command_exits_with_one_where_twiml_is_wrong(served: str, shop: Shop):
    from ivr.cli import offline_twilio

    shop.quirk = "<Say loud='1'>x</Say>"
    with offline_twilio.console.capture() as captured:
        done = CliRunner().invoke(offline_twilio.twilio, [served, "--auth-token", AUTH, "--keys", "12"])
    assert done.exit_code == 1
    assert "<Say> has no attribute 'loud'" in captured.get()


def test_the_command_tells_where_nothing_answers():
    from ivr.cli.offline_twilio import twilio

    done = CliRunner().invoke(twilio, ["http://127.0.0.1:9/voice", "--keys", "1"])
    assert isinstance(done.exception, PeerError)
    assert "nothing answers at" in str(done.exception)
