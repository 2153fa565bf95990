"""One call as Twilio makes it: fetches TwiML by signed webhooks, does it verb by verb, and reports the keys."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlencode, urljoin, urlsplit

import httpx

from ivr.channels.simulator import HeardPrompt, LineReply, connected_to
from ivr.channels.simulator.line import State
from ivr.errors import PeerError
from ivr.testing.twilio.overrides import divided
from ivr.testing.twilio.playing import heard as heard_of
from ivr.testing.twilio.signing import signature_of
from ivr.testing.twilio.twiml import Element, read_twiml

DialStatus = Literal["completed", "no-answer", "busy", "failed"]
MOST_REDIRECTS = 30
FORM = "application/x-www-form-urlencoded"
WRONG_SIGNATURE = (
    "; where it refuses the signature: --auth-token is the application's (a line in development keeps its own in "
    "var/keys/twilio_auth_token), --public-url the address that it believes it has"
)
# Of our own line: a header that is only there where the flow that was called is not; the names of those that are.
FLOWS = "Tonetill-Flows"


@dataclass(frozen=True)
class Application:
    """What is called. `public_url`: what the application believes its address to be, if a proxy stands before it."""

    http: httpx.Client
    url: str
    auth_token: str
    public_url: str = ""
    status_callback: str = ""

    def signed_url(self, url: str) -> str:
        if not self.public_url:
            return url
        parts = urlsplit(url)
        return f"{self.public_url.rstrip('/')}{parts.path}{f'?{parts.query}' if parts.query else ''}"


@dataclass(frozen=True)
class Delivery:
    """A webhook, and what it was answered with."""

    method: str
    url: str
    fields: Mapping[str, str] = field(repr=False)  # keys may be a card's
    token: str  # I-Twilio-Idempotency-Token: the same when the delivery is repeated
    answer: str = ""


@dataclass
class TwilioCall:
    """A line like the others (`begin`, `press`, `stay_silent`, `wait`, `hang_up`), and what only Twilio does: `pay`,
    `deliver_again`, `deliver_late`. TwimlError says what is wrong with an answer. `dial_status`: what becomes of each
    `<Dial>`; `dialled`: the numbers so far."""

    application: Application
    ani: str = "+15550100"
    dnis: str = "+15550199"
    account_sid: str = field(default_factory=lambda: f"AC{secrets.token_hex(16)}")
    call_id: str = field(default_factory=lambda: f"CA{secrets.token_hex(16)}")
    deliveries: list[Delivery] = field(default_factory=list, repr=False)
    delivers_twice: bool = False  # each webhook once more, before its answer is read
    dial_status: DialStatus = "completed"
    dialled: list[str] = field(default_factory=list)
    state: str = "ringing"
    _url: str = ""
    _verbs: list[Element] = field(default_factory=list)
    _redirects: int = 0
    _at: Element | None = None  # the Gather or Pay that awaits the caller

    # ---- what the caller does

    def begin(self) -> LineReply:
        return self._fetch(self.application.url, "POST", {"CallStatus": "ringing"})

    def press(self, keys: str) -> LineReply:
        """Keys, and then nothing until the Gather's time is over. What is left over goes to the next Gather."""
        heard: list[HeardPrompt] = []
        while self._at is not None and self._at.name == "Gather":
            entry, finished, keys = gathered_by(
                keys, self._at.get("finishOnKey", "#"), int(self._at.get("numDigits", "0"))
            )
            fields = {"Digits": entry} | ({"FinishedOnKey": finished} if finished else {})
            reply = self._after_gather(fields)
            heard += reply.heard
            goes_on = not reply.heard and reply.state == "keys"
            if not (keys or goes_on):
                break
        return LineReply(heard, self._shown_state(), sensitive=True)

    def stay_silent(self) -> LineReply:
        """The first key's time runs out. A Gather without a word in it goes on listening for the same keys."""
        reply = self._no_input()
        while not reply.heard and reply.state == "keys":
            reply = self._no_input()
        return reply

    def wait(self) -> LineReply:
        return self._go_on([])

    def pay(self, result: str = "success", brand: str = "visa", last4: str = "1111") -> LineReply:
        """What Twilio reports of the card that it collected itself: `result` in the words of <Pay>."""
        if self._at is None or self._at.name != "Pay":
            raise PeerError("the call is not at a <Pay>")
        self._report_pay(self._at)
        fields = {
            "Result": result,
            "PaymentMethod": "credit-card",
            "Connector": self._at.get("paymentConnector", "Default"),
        }
        if result == "success":
            fields |= {
                "PaymentToken": f"tok_{self.call_id[2:18]}",
                "PaymentCardType": brand,
                "PaymentCardNumber": f"xxxxxxxxxxxx{last4}",
            }
        return self._follow(self._at, fields)

    def hang_up(self) -> None:
        if self.state != "completed":
            self._complete()

    @property
    def action(self) -> str:
        """Where the keys of the Gather, or the card of the Pay, that the call is at are reported to."""
        assert self._at is not None, "the call awaits no keys"
        return self._absolute(self._at.get("action") or self._url)

    # ---- what networks do

    def deliver_again(self) -> str:
        """The last webhook once more, as after a time-out: the answer. PeerError if it is another one."""
        return self._again(self.deliveries[-1])

    def deliver_late(self, back: int = 1) -> str:
        """A webhook from before the last comes in again; an application must not take it for something new."""
        if len(self.deliveries) <= back:
            raise PeerError(f"there were only {len(self.deliveries)} webhooks")
        return self._send(self.deliveries[-1 - back]).text

    def _again(self, delivery: Delivery) -> str:
        answer = self._send(delivery).text
        if answer != delivery.answer:
            raise PeerError(f"{delivery.url}: the same webhook delivered twice was answered differently:\n{answer}")
        return answer

    # ---- documents

    def _fetch(self, url: str, method: str, fields: Mapping[str, str]) -> LineReply:
        """The document there, and what it does first."""
        status = {"CallStatus": "in-progress"} | dict(fields)
        delivery = Delivery(method, url, self._fields(status), secrets.token_hex(16))
        response = self._send(delivery)
        if response.status_code >= 400:
            cure = WRONG_SIGNATURE if response.status_code == 403 else ""
            raise PeerError(
                f"{response.status_code} from {url}: {response.text[:300].strip()} (Twilio's error 11200){cure}"
            )
        if (flows := response.headers.get(FLOWS)) is not None:
            raise PeerError(f"there is no flow {urlsplit(url).path.rpartition('/')[2]} at {url}; known: {flows}")
        self.deliveries.append(Delivery(delivery.method, url, delivery.fields, delivery.token, response.text))
        if self.delivers_twice:
            self.deliver_again()
        self._url, self.state = url, "in-progress"
        try:
            self._verbs = list(read_twiml(response.text, response.headers.get("content-type", "")).verbs)
        except PeerError as error:
            error.args = (f"{url}: {error}",)
            raise
        return self._go_on([])

    def _go_on(self, heard: list[HeardPrompt]) -> LineReply:
        """Verb by verb, until the caller has to do something, or a document has to be fetched."""
        self._at = None
        while self._verbs:
            verb = self._verbs.pop(0)
            match verb.name:
                case "Say" | "Play":
                    heard += self._heard(verb)
                case "Pause" if self._verbs and self._verbs[0].name == "Redirect":
                    return LineReply(heard, "waiting", wait_s=float(verb.get("length", "1")))
                case "Gather" | "Pay":
                    self._at = verb
                    heard += [one for child in verb.inside for one in self._heard(child)]
                    return LineReply(heard, "keys", sensitive=True)
                case "Dial":
                    return self._dial(verb, heard)
                case "Redirect":
                    return self._redirect(verb, heard)
                case "Hangup" | "Reject":
                    self._verbs.clear()
        self._complete()
        return LineReply(heard, "over")

    def _heard(self, verb: Element) -> list[HeardPrompt]:
        return heard_of(verb, self.application.http, self._url)

    def _redirect(self, verb: Element, heard: list[HeardPrompt]) -> LineReply:
        """What was said before it is heard first: the caller waits, then the next document comes."""
        if heard:
            self._verbs.insert(0, verb)
            return LineReply(heard, "waiting")
        self._redirects += 1
        if self._redirects > MOST_REDIRECTS:
            raise PeerError(f"{MOST_REDIRECTS} redirects in a row, and the caller hears nothing (Twilio's error 11215)")
        try:
            return self._fetch(self._absolute(verb.text.strip()), verb.get("method", "POST"), {})
        finally:
            self._redirects -= 1

    def _dial(self, verb: Element, heard: list[HeardPrompt]) -> LineReply:
        """The number is rung, and what became of it reported to `action`; without one the document goes on."""
        number = verb.text.strip()
        self.dialled.append(number)
        if self.dial_status == "completed":
            heard.append(connected_to(number))
        if not verb.get("action"):
            return self._go_on(heard)
        fields = {"DialCallStatus": self.dial_status, "DialCallSid": f"CA{secrets.token_hex(16)}"}
        if self.dial_status == "completed":
            fields |= {"DialCallDuration": "1", "DialBridged": "true"}
        if len(self.dialled) > MOST_REDIRECTS:
            raise PeerError(f"{MOST_REDIRECTS} times <Dial> in one call: where nobody is reached, lead on")
        reply = self._fetch(self._absolute(verb.get("action")), verb.get("method", "POST"), fields)
        return replace(reply, heard=[*heard, *reply.heard])

    def _after_gather(self, fields: Mapping[str, str]) -> LineReply:
        assert self._at is not None
        if not fields["Digits"] and "FinishedOnKey" not in fields:
            return self._no_input()
        return self._follow(self._at, fields)

    def _no_input(self) -> LineReply:
        assert self._at is not None, "the call awaits no keys"
        if self._at.name == "Pay":
            return self.pay("timeout")
        if self._at.get("actionOnEmptyResult", "false") == "true":
            return self._follow(self._at, {"Digits": ""})
        return self._go_on([])

    def _follow(self, verb: Element, fields: Mapping[str, str]) -> LineReply:
        assert verb is self._at
        return self._fetch(self.action, verb.get("method", "POST"), fields)

    def _report_pay(self, verb: Element) -> None:
        if url := verb.get("statusCallback"):
            for step in ("payment-card-number", "expiration-date", "security-code"):
                fields = self._fields({"For": step, "CallStatus": "in-progress"})
                method = verb.get("statusCallbackMethod", "POST")
                self._send(Delivery(method, self._absolute(url), fields, secrets.token_hex(16)))

    def _complete(self) -> None:
        self.state, self._at = "completed", None
        self._verbs.clear()
        if url := self.application.status_callback:
            fields = self._fields(
                {"CallStatus": "completed", "CallDuration": "1", "CallbackSource": "call-progress-events"}
            )
            delivery = Delivery("POST", urljoin(self.application.url, url), fields, secrets.token_hex(16))
            response = self._send(delivery)
            self.deliveries.append(Delivery("POST", delivery.url, fields, delivery.token, response.text))

    def _shown_state(self) -> State:
        if self.state == "completed":
            return "over"
        return "keys" if self._at is not None else "waiting"

    # ---- HTTP

    def _fields(self, more: Mapping[str, str]) -> dict[str, str]:
        ours = {"CallSid": self.call_id, "AccountSid": self.account_sid, "From": self.ani, "To": self.dnis}
        return (
            ours
            | {"Caller": self.ani, "Called": self.dnis, "Direction": "inbound", "ApiVersion": "2010-04-01"}
            | dict(more)
        )

    def _absolute(self, url: str) -> str:
        return urljoin(self._url, url)

    def _send(self, delivery: Delivery) -> httpx.Response:
        """Again where nothing came back, as often as the URL has it. A time that is over leaves none for that."""
        url, retries = divided(delivery.url)
        for left in range(retries, -1, -1):
            try:
                return self._exchange(delivery, url)
            except httpx.TransportError as error:
                if not left or isinstance(error, httpx.TimeoutException):
                    raise PeerError(f"nothing answers at {url}: is it started? ({type(error).__name__})") from None
        raise AssertionError("the last try ends in an answer or an error")

    def _exchange(self, delivery: Delivery, url: str) -> httpx.Response:
        http = self.application.http
        headers = {"I-Twilio-Idempotency-Token": delivery.token, "User-Agent": "TwilioProxy/1.1"}
        if delivery.method == "GET":
            url = f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(delivery.fields)}"
            return http.get(url, headers=headers | self._signature(url, {}))
        body = urlencode(delivery.fields).encode()
        return http.post(
            url, content=body, headers=headers | self._signature(url, delivery.fields) | {"Content-Type": FORM}
        )

    def _signature(self, url: str, fields: Mapping[str, str]) -> dict[str, str]:
        signed = signature_of(self.application.auth_token, self.application.signed_url(url), fields)
        return {"X-Twilio-Signature": signed}


def gathered_by(keys: str, done: str, limit: int) -> tuple[str, str, str]:
    """What one Gather takes of the keys, the key that finished it, and what it leaves; `limit` 0 is none."""
    for place, key in enumerate(keys):
        if key == done:
            return keys[:place], key, keys[place + 1 :]
        if place + 1 == limit:
            return keys[:limit], "", keys[limit:]
    return keys, "", ""
