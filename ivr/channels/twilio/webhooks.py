"""The endpoints that Twilio calls: verify, translate, answer. Each answer is stored, so a repeated delivery is replayed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from flask import Blueprint, Response, request

from ivr import metrics
from ivr.channels.twilio.form import Form, parse_form
from ivr.channels.twilio.gathering import Gathered, Keeper, joined, read_listening, take
from ivr.channels.twilio.signature import Signer
from ivr.channels.twilio.tones import tone_url
from ivr.channels.twilio.twiml import Writer, silence
from ivr.core.call import Call
from ivr.core.events import CallStarted, CardCaptured, Digits, Event, HungUp, KeysEntered, NoInput, Waited
from ivr.errors import PeerError
from ivr.runner import Advance, CallStore, Runner, StaleCall, StoredCall, new_call

log = structlog.get_logger()
CALL_SID = re.compile(r"CA[0-9a-f]{32}")
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
APOLOGY = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Say>We are sorry: something went wrong on our side. '
    "Please call again.</Say><Hangup/></Response>"
)
# Twilio Pay's card types as our summary says them.
PAY_CARD_TYPES = {"diners-club": "diners"}


@dataclass(frozen=True)
class Webhooks:
    """Everything that an endpoint needs; `base_url` is what Twilio was told to call."""

    runner: Runner
    store: CallStore
    signer: Signer
    writer: Writer
    base_url: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def blueprint(self) -> Blueprint:
        routes = Blueprint("twilio", __name__, url_prefix="/twilio")
        routes.add_url_rule("/voice/<flow>", "voice", self.voice, methods=["POST"])
        routes.add_url_rule("/status", "status", self.status, methods=["POST"])
        return routes

    # ---- endpoints

    def voice(self, flow: str) -> Response:
        form = self._verified_form()
        try:
            return self._answer(flow, form)
        finally:
            form.wipe()

    def status(self) -> Response:
        """The call is over, however it ended; a call that had ended by itself is left as it is."""
        form = self._verified_form()
        call_id = _call_id(form)
        if form.text(b"CallStatus") in ENDED:
            self._end(call_id)
        return Response(status=204)

    # ---- a call's request

    def _answer(self, flow: str, form: Form) -> Response:
        call_id, sequence = _call_id(form), _sequence()
        stored = self.store.load_call(call_id)
        if stored is None:
            if sequence:
                raise PeerError(f"no call {call_id}: it began before this database, or never did")
            return self._begin(flow, call_id, form)
        if sequence > stored.version:
            raise PeerError(f"call {call_id} has not got to request {sequence}")
        if sequence < stored.version:
            return self._replay(stored)
        gathered = self._gathered(stored, form)
        if gathered.silent is not None:
            return _twiml(silence(gathered.silent))
        try:
            return self._advance(stored, self._event(stored.call, form, gathered.keys))
        except StaleCall:
            return self._replay_latest(call_id)

    def _begin(self, flow: str, call_id: str, form: Form) -> Response:
        compiled = self.runner.flows.get(flow)
        if compiled is None:
            raise PeerError(f"no flow is called '{flow}'; known: {', '.join(sorted(self.runner.flows))}")
        call = new_call(call_id, compiled, ani=form.text(b"From"), dnis=form.text(b"To"), channel="twilio")
        advance = self.runner.begin(call, CallStarted(self.now()))
        try:
            return self._commit(advance, 0)
        except StaleCall:
            return self._replay_latest(call_id)

    def _advance(self, stored: StoredCall, event: Event) -> Response:
        return self._commit(self.runner.advance(stored.call, event), stored.version)

    def _commit(self, advance: Advance, version: int) -> Response:
        url = f"/twilio/voice/{advance.call.flow}?seq={version + 1}"
        voice = self.runner.flows[advance.call.flow].head.voice
        writer = Writer(tone_url) if voice == "tones" else self.writer
        answer = writer.answer(advance.actions, url)
        self.store.save_call(advance.call, version, self.now(), answer=answer)
        return _twiml(answer)

    def _replay(self, stored: StoredCall) -> Response:
        metrics.REPEATED.inc()
        return _twiml(stored.answer)

    def _replay_latest(self, call_id: str) -> Response:
        stored = self.store.load_call(call_id)
        if stored is None:
            raise PeerError(f"no call {call_id}")
        return self._replay(stored)

    def _gathered(self, stored: StoredCall, form: Form) -> Gathered:
        """The entry's keys with the one that ended it; without a Gather's URL whatever came."""
        digits, done = form.digits() or Digits(b""), _done_key(form)
        listening = read_listening(request.args)
        if listening is None:
            return Gathered(joined(b"", digits.buffer, done))
        url = f"/twilio/voice/{stored.call.flow}?seq={stored.version}"
        # The call's name binds what is kept to this call: every call's URLs are alike.
        try:
            return take(listening, digits.buffer, done, url, Keeper(self.signer.keeping_key, stored.call.id))
        finally:
            digits.wipe()

    def _event(self, call: Call, form: Form, keys: Digits) -> Event:
        at = self.now()
        if form.text(b"CallStatus") in ENDED:
            return HungUp(at)
        if result := form.text(b"Result"):
            return CardCaptured(at, result, _pay_summary(form), form.text(b"PaymentToken") or None)
        if keys:
            return KeysEntered(at, keys, timed_out=True)
        # A redirect after a hold pause has no Digits; an empty Gather has, or comes while keys are awaited.
        return Waited(at) if call.phase in ("waiting", "lookup") else NoInput(at)

    def _end(self, call_id: str) -> None:
        for _ in range(3):
            stored = self.store.load_call(call_id)
            if stored is None or stored.call.phase == "over":
                return
            advance = self.runner.advance(stored.call, HungUp(self.now()))
            try:
                self.store.save_call(advance.call, stored.version, self.now(), answer=stored.answer)
            except StaleCall:
                continue
            return

    # ---- is it Twilio?

    def _verified_form(self) -> Form:
        """403 for a wrong or missing signature, before anything of the request is acted on."""
        signature = request.headers.get("X-Twilio-Signature", "")
        if not signature:
            raise Forbidden("missing")
        form = parse_form(request.get_data(cache=False))
        query = request.query_string.decode("ascii", "replace")
        url = f"{self.base_url}{request.path}{'?' + query if query else ''}"
        if not self.signer.accepts(url, form, signature):
            raise Forbidden("wrong")
        return form


class Forbidden(PeerError):
    """A request that Twilio did not sign with our token."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} X-Twilio-Signature: check PUBLIC_URL and TWILIO_AUTH_TOKEN")


def _call_id(form: Form) -> str:
    call_id = form.text(b"CallSid")
    if CALL_SID.fullmatch(call_id) is None:
        raise PeerError("form field CallSid: expected CA and 32 hexadecimal digits")
    return call_id


def _sequence() -> int:
    written = request.args.get("seq", "0")
    if not (written.isdecimal() and len(written) < 7):
        raise PeerError("seq: expected the number that the last answer's URL had")
    return int(written)


def _done_key(form: Form) -> str:
    """The key that ended a Gather. Twilio sends it beside Digits; alone it is an entry with nothing in it."""
    key = form.text(b"FinishedOnKey")
    return key if key in ("#", "*") else ""


def _pay_summary(form: Form) -> str:
    card = form.text(b"PaymentCardType")
    return f"{PAY_CARD_TYPES.get(card, card)} {form.text(b'PaymentCardNumber')[-4:]}"


def _twiml(body: str) -> Response:
    return Response(body, content_type="text/xml; charset=utf-8")
