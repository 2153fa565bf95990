"""The endpoints that Twilio calls: verify, translate, answer. How a call goes on, and ends, is the session's.

Twilio plays what comes with status 200. At anything else it goes to the number's fallback URL, or says that an application
error has occurred and hangs up (its error 11200): so whatever goes wrong at a voice webhook is answered in spoken TwiML
that says whether the card was charged. Only a request that Twilio did not sign is refused by its status.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import structlog
from flask import Blueprint, Response, request

from ivr import metrics
from ivr.calls import Answered, CallService, CallStore, NoSuchCall, Runner, Session, flow_of, new_call, note_fault
from ivr.channels.twilio.form import Form
from ivr.channels.twilio.gathering import Gathered, Keeper, joined, read_listening, take
from ivr.channels.twilio.incoming import AnothersNumber, verified_form, verify
from ivr.channels.twilio.last_words import last_words
from ivr.channels.twilio.signature import Signer
from ivr.channels.twilio.tones import tone_urls
from ivr.channels.twilio.twiml import Writer, silence
from ivr.core.actions import ChannelAction, HangUp, Phrase, Speak, Wait
from ivr.core.call import Call
from ivr.core.events import CardCaptured, Digits, Event, HungUp, KeysEntered, NoInput, TransferEnded, Waited
from ivr.errors import PeerError
from ivr.flow.compiled import Flow

log = structlog.get_logger()
CALL_SID = re.compile(r"CA[0-9a-f]{32}")
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
# Of <Dial>: the caller has spoken with somebody. All else (busy, no-answer, failed, canceled) is nobody reached.
CONNECTED = frozenset({"completed", "answered"})
DIALLED = CONNECTED | {"busy", "no-answer", "failed", "canceled"}
METHODS = ("POST", "GET", "PUT", "PATCH", "DELETE")
# A header of the apology for a flow that is not there: the names of those that are, for whoever tries the line out (`simulate --via`).
FLOWS = "Tonetill-Flows"
# The database is away: the caller is held this often, with this pause, before they are told that nobody can say.
MOST_HOLDS, HOLD_S = 10, 3.0
# Of our web server: what is to be done once the answer has left the process.
ONCE_SENT = "tonetill.once_sent"
# Twilio Pay's card types as our summary says them.
PAY_CARD_TYPES = {"diners-club": "diners"}


class NoSuchFlow(PeerError):
    """The address names a flow that this line does not have."""


@dataclass(frozen=True)
class Webhooks:
    """Everything that an endpoint needs; `base_url` is what Twilio was told to call, `root` what stands before our paths there.

    `is_anothers`: whether a called number is another merchant's of this installation: such a call is not answered here.
    """

    runner: Runner
    store: CallStore
    signer: Signer
    writer: Writer
    base_url: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    root: str = ""
    is_anothers: Callable[[str], bool] = lambda _number: False

    def blueprint(self) -> Blueprint:
        routes = Blueprint("twilio", __name__, url_prefix="/twilio")
        routes.add_url_rule("/voice/<path:flow>", "voice", self.voice, methods=METHODS)
        routes.add_url_rule("/voice", "voice", self.voice, methods=METHODS, defaults={"flow": ""})
        routes.add_url_rule("/status", "status", self.status, methods=["POST"])
        return routes

    @cached_property
    def service(self) -> CallService:
        return CallService(self.runner, self.store, self._write, last_words, self.now)

    # ---- endpoints

    def voice(self, flow: str) -> Response:
        if request.method != "POST":
            return self._wrong_method()
        form = self._own_form()
        try:
            return self._answer_or_apologise(flow, form)
        finally:
            form.wipe()

    def status(self) -> Response:
        """The call is over, however it ended; a call that had ended by itself is left as it is."""
        form = self._own_form()
        call_id = _call_id(form)
        if form.text(b"CallStatus") in ENDED:
            self.service.session(call_id).hang_up(knows_sent=False)
        return Response(status=204)

    # ---- a call's request

    def _own_form(self) -> Form:
        form = verified_form(self.signer, self.base_url)
        if self.is_anothers(form.text(b"To")):
            form.wipe()
            raise AnothersNumber
        return form

    def _voice_url(self, flow: str) -> str:
        return f"{self.root}/twilio/voice/{flow}"

    def _answer_or_apologise(self, flow: str, form: Form) -> Response:
        try:
            return self._answer(flow, form)
        except PeerError as error:
            metrics.REFUSED.labels("malformed").inc()
            log.warning("refused", reason=str(error))
            if isinstance(error, NoSuchFlow):
                apology = self._apologise(form.text(b"CallSid"))
                apology.headers[FLOWS] = ", ".join(sorted(self.runner.flows))
                return apology
        except Exception as fault:
            note_fault(form.text(b"CallSid"), fault)
            if (holding := self._hold(flow, _dialled(form))) is not None:
                return holding
        return self._apologise(form.text(b"CallSid"))

    def _answer(self, flow: str, form: Form) -> Response:
        form.require_few_fields()
        call_id, sequence = _call_id(form), _sequence()
        session = self.service.session(call_id)
        if not sequence:
            return _twiml(self._begin(session, flow, form).text, session)
        if _dialled(form) in CONNECTED and not session.is_at(sequence):
            # Delivered again, or the talk was so long that the call was ended as idle: there is no more to say.
            return _twiml(self.writer.answer([HangUp()], ""))
        gathered = self._gathered(call_id, f"{self._voice_url(flow)}?seq={sequence}", form)
        if gathered.silent is not None and session.is_at(sequence):
            return _twiml(silence(gathered.silent))
        try:
            answered = session.hear(lambda call: self._event(call, form, gathered.keys), seen=sequence)
        except NoSuchCall:
            raise PeerError(f"no call {call_id}: it began before this database, or never did") from None
        return _twiml(answered.text, session)

    def _begin(self, session: Session, flow: str, form: Form) -> Answered:
        compiled = self.runner.flows.get(flow)
        if compiled is None:
            raise NoSuchFlow(f"no flow is called '{flow}'; known: {', '.join(sorted(self.runner.flows))}")
        return session.begin(
            new_call(session.call_id, compiled, ani=form.text(b"From"), dnis=form.text(b"To"), channel="twilio")
        )

    def _write(self, call: Call, actions: Sequence[ChannelAction], version: int) -> str:
        return self._writer(flow_of(self.runner.flows, call)).answer(
            actions, f"{self._voice_url(call.flow)}?seq={version}"
        )

    def _writer(self, flow: Flow | None) -> Writer:
        return Writer(tone_urls(self.root)) if flow is not None and flow.head.voice == "tones" else self.writer

    # ---- when it cannot be answered

    def _hold(self, flow: str, dialled: str = "") -> Response | None:
        """The same request again in a moment: the database may be back by then. None when that was tried often enough."""
        known, held = self.runner.flows.get(flow), _number("again")
        if known is None or held >= MOST_HOLDS:
            return None
        kept = f"&dialled={dialled}" if dialled in DIALLED else ""
        url = f"{self._voice_url(flow)}?seq={_number('seq')}&again={held + 1}{kept}"
        still_working = Speak((Phrase("still_working", known.head.languages[0]),))
        try:
            return _twiml(self._writer(known).answer([still_working, Wait(HOLD_S)], url))
        except Exception as fault:
            note_fault("", fault)
            return None

    def _apologise(self, call_id: str) -> Response:
        """The call ends, with what is known of its charge."""
        known_id = call_id if CALL_SID.fullmatch(call_id) else ""
        session = self.service.session(known_id)
        return _twiml(session.fault(is_new=not _number("seq")).text, session)

    def _wrong_method(self) -> Response:
        """Twilio itself, set to another method: 200, or the caller would hear nothing of ours. Anybody else gets 405."""
        signature = request.headers.get("X-Twilio-Signature", "")
        if not signature:
            return Response("405: voice webhooks are HTTP POST\n", 405, {"Allow": "POST"}, mimetype="text/plain")
        verify(self.signer, self.base_url, Form(()), signature)
        log.warning("refused", reason=f"{request.method}: set the number's voice webhook to HTTP POST")
        metrics.REFUSED.labels("405").inc()
        return self._apologise(request.args.get("CallSid", ""))

    def _gathered(self, call_id: str, url: str, form: Form) -> Gathered:
        """The entry's keys with the one that ended it; without a Gather's URL whatever came."""
        digits, done = form.digits() or Digits(b""), _done_key(form)
        listening = read_listening(request.args)
        if listening is None:
            return Gathered(joined(b"", digits.buffer, done))
        # The call's name binds what is kept to this call: every call's URLs are alike.
        try:
            return take(listening, digits.buffer, done, url, Keeper(self.signer.keeping_key, call_id))
        finally:
            digits.wipe()

    def _event(self, call: Call, form: Form, keys: Digits) -> Event:
        at = self.now()
        dialled = _dialled(form)
        if dialled in CONNECTED:
            return TransferEnded(at, is_connected=True)  # also where the caller has hung up after talking
        if form.text(b"CallStatus") in ENDED:
            return HungUp(at)
        if dialled:
            return TransferEnded(at, is_connected=False)
        if result := form.text(b"Result"):
            return CardCaptured(at, result, _pay_summary(form), form.text(b"PaymentToken") or None)
        if keys:
            return KeysEntered(at, keys, timed_out=True)
        # A redirect after a hold pause has no Digits; an empty Gather has, or comes while keys are awaited.
        # After a hold for our own sake the question is put again, and no silence counted: the keys were lost on our side.
        return Waited(at) if self.runner.is_on_hold(call) or _number("again") else NoInput(at)


def _call_id(form: Form) -> str:
    call_id = form.text(b"CallSid")
    if CALL_SID.fullmatch(call_id) is None:
        raise PeerError("form field CallSid: expected CA and 32 hexadecimal digits")
    return call_id


def _sequence() -> int:
    if "seq" in request.args and str(_number("seq")) != request.args["seq"]:
        raise PeerError("seq: expected the number that the last answer's URL had")
    return _number("seq")


def _number(name: str) -> int:
    """A number that one of our own answers put into its URL; 0 where there is none."""
    written = request.args.get(name, "0")
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 7 else 0


def _dialled(form: Form) -> str:
    """What became of a `<Dial>`, also where we had to hold the line before it could be noted; "" where there was none."""
    kept = request.args.get("dialled", "")
    return form.text(b"DialCallStatus") or (kept if kept in DIALLED else "")


def _done_key(form: Form) -> str:
    """The key that ended a Gather. Twilio sends it beside Digits; alone it is an entry with nothing in it."""
    key = form.text(b"FinishedOnKey")
    return key if key in ("#", "*") else ""


def _pay_summary(form: Form) -> str:
    card = form.text(b"PaymentCardType")
    return f"{PAY_CARD_TYPES.get(card, card)} {form.text(b'PaymentCardNumber')[-4:]}"


def _twiml(body: str, session: Session | None = None) -> Response:
    """`session`: of a call whose stored answer this is. What it tells of a charge is noted as told once it has been sent."""
    answer = Response(body, content_type="text/xml; charset=utf-8")
    if session is not None and session.tells_news:
        if (once_sent := request.environ.get(ONCE_SENT)) is not None:
            once_sent.append(session.was_sent)
        else:
            answer.call_on_close(session.was_sent)
    return answer
