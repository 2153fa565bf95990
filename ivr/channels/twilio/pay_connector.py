"""The Generic Pay Connector's endpoint (`capture: pay`): the card arrives as JSON and goes, field by field, to the vault."""

import base64
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from flask import Blueprint, Response, jsonify, request

from ivr import metrics
from ivr.calls import CallStore, Runner
from ivr.channels.twilio.form import MAX_BODY
from ivr.core.events import CardField, Digits

log = structlog.get_logger()
USER = "twilio"
Fields = dict[bytes, bytearray]
# What Twilio calls our fields; the expiry comes in two.
FIELDS: dict[str, CardField] = {"cardnumber": "card_number", "cvv": "security_code", "postal_code": "postal_code"}
# The body is read with this, not by a JSON parser: a parser's strings could not be wiped.
_STRING_FIELD = re.compile(rb'"(cardnumber|cvv|postal_code|expiry_month|expiry_year|method)"\s*:\s*"([^"\\]{0,40})"')
_INTENT = re.compile(rb'"intent"\s*:\s*"([A-Za-z0-9-]{1,100})"')


@dataclass(frozen=True)
class PayConnector:
    """Closed while no password is set. It only tokenizes: the charge is ours, once, like any other."""

    runner: Runner
    store: CallStore
    password: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def blueprint(self) -> Blueprint:
        routes = Blueprint("pay_connector", __name__, url_prefix="/twilio")
        routes.add_url_rule("/pay-connector", "take", self.take, methods=["POST"])
        return routes

    def take(self) -> Response:
        if not self._is_twilio():
            metrics.REFUSED.labels("connector password").inc()
            return Response("wrong password\n", 401, {"WWW-Authenticate": 'Basic realm="tonetill"'})
        body = read_body()
        try:
            return self._tokenize(body)
        finally:
            body[:] = bytes(len(body))

    def _is_twilio(self) -> bool:
        expected = base64.b64encode(f"{USER}:{self.password}".encode())
        given = request.headers.get("Authorization", "").removeprefix("Basic ").encode("utf-8", "replace")
        return bool(self.password) and hmac.compare_digest(given, expected)

    def _tokenize(self, body: bytearray) -> Response:
        fields = string_fields(body)
        try:
            return self._seal(fields, _INTENT.search(body))
        finally:
            for field in fields.values():
                field[:] = bytes(len(field))

    def _seal(self, fields: Fields, intent: re.Match[bytes] | None) -> Response:
        if intent is None or fields.get(b"method", b"tokenize") != b"tokenize":
            return refused("invalid_request", "expected a tokenize request whose parameter 'intent' is the call's")
        reference = intent[1].decode()
        stored = self.store.load_call(reference.rpartition("-")[0])
        if stored is None or stored.call.intent != reference:
            return refused("unknown_intent", "no call is at this card attempt")
        fault = self.runner.tokenize(stored.call, card_fields(fields), self.now())
        if fault is not None:
            return refused(fault, "the card was not accepted")
        return jsonify({"token_id": reference, "error_code": None, "error_message": None})


def read_body() -> bytearray:
    """Into one buffer that can be wiped: `get_data` would give bytes, which nobody can wipe. Empty where it is too large."""
    expected = request.content_length or 0
    body = bytearray(expected if expected <= MAX_BODY else 0)
    view, filled = memoryview(body), 0
    while filled < len(body):
        count = request.stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            break
        filled += count
    return body


def string_fields(body: bytearray) -> Fields:
    """Each straight from its place in the body: what a match hands out (`match[2]`) is a copy that stays in memory."""
    view = memoryview(body)
    return {match[1]: bytearray(view[slice(*match.span(2))]) for match in _STRING_FIELD.finditer(body)}


def card_fields(fields: Fields) -> dict[CardField, Digits]:
    """Twilio's fields as ours: MMYY from a month and a year of two or four digits."""
    found: dict[CardField, Digits] = {
        ours: Digits(fields[theirs.encode()]) for theirs, ours in FIELDS.items() if fields.get(theirs.encode())
    }
    month, year = fields.get(b"expiry_month"), fields.get(b"expiry_year")
    if month and year:
        found["expiry"] = Digits(b"")
        found["expiry"].buffer += b"0" * (2 - len(month))
        found["expiry"].buffer += month
        found["expiry"].buffer += memoryview(year)[-2:]
    return found


def refused(code: str, message: str) -> Response:
    """Twilio reads `error_code`, not the status: a refused card is an answer like any other."""
    return jsonify({"token_id": None, "error_code": code, "error_message": message})
