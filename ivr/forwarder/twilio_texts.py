"""Texts through Twilio's REST API, and what its refusals mean: try again, mend the account, or never to that number.

Decided by the status first: Twilio asks not to build upon error codes, which it splits and adds to. A code that is
known says more: whose fault it is.
"""

from collections.abc import Mapping

import structlog
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from ivr.calls.texting import TextDelayed, TextRefused, TextSender, has_sender, keep_text, refuse_text
from ivr.settings import Settings
from ivr.store import TextMessage

log = structlog.get_logger()
PATIENCE_S = 10.0
UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY = 401, 403, 404, 429
SERVER_FAULT = 500
# Ours to mend: no text can be sent to anybody until then.
ACCOUNT_CODES: Mapping[int, str] = {
    10001: "the account is not active",
    20003: "TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN is wrong",
    20005: "the account is not active",
    20404: "there is no such account",
    21212: "SMS_FROM is not a number",
    21603: "SMS_FROM is missing",
    21606: "SMS_FROM cannot send texts",
    21659: "SMS_FROM is not a number of Twilio's",
    21660: "SMS_FROM is another account's",
    21661: "SMS_FROM cannot send texts",
    30002: "the account is suspended",
    30034: "SMS_FROM is not registered for texts to the United States",
}
# Twilio's or the network's, and it passes.
PASSING_CODES: Mapping[int, str] = {
    20429: "too many requests",
    21611: "SMS_FROM has too many texts waiting",
    30001: "too many texts are waiting",
    30003: "the telephone cannot be reached",
    30008: "the network gave no reason",
}
# The recipient's, and it stays.
NUMBER_CODES: Mapping[int, str] = {
    21211: "not a number",
    21265: "a short code",
    21408: "texts to that country are not enabled",
    21610: "the caller has asked for no more texts",
    21612: "no way to that number",
    21614: "not a mobile telephone",
    21635: "a landline",
    30004: "the caller has blocked us",
    30005: "nobody has that number",
    30006: "a landline",
    30007: "filtered by the network",
}
FAILED = frozenset({"failed", "undelivered", "canceled"})


def text_sender(settings: Settings) -> TextSender:
    """In production without an account no text is sent, kept or promised."""
    if has_sender(settings):
        return TwilioTexts(settings)
    return keep_text if settings.environment == "development" else refuse_text


class TwilioTexts:
    """One request a text. A text sent twice is a nuisance, a text never sent a broken promise: failures are tried again."""

    def __init__(self, settings: Settings, http_client: HttpClient | None = None) -> None:
        self._from = settings.sms_from
        http = http_client or twilio_http()
        self._client = Client(settings.twilio_account_sid, settings.twilio_auth_token, http_client=http)

    def __call__(self, message: TextMessage) -> None:
        try:
            sent = self._client.messages.create(to=message.recipient, from_=self._from, body=message.body)
        except TwilioRestException as error:
            # Not its words: they quote the caller's number.
            raise what_it_means(error.status, error.code) from None
        except TwilioException as error:
            raise TextDelayed(f"Twilio: {type(error).__name__}") from None
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # It was taken: a refusal has a status of its own. Sent again, the caller would have it twice.
            log.warning("Twilio's answer cannot be read", message=message.id, kind=type(error).__name__)
            return
        if str(sent.status) in FAILED:
            raise what_it_means(0, sent.error_code)


def twilio_http() -> TwilioHttpClient:
    """Tries once, and goes through no proxy that the environment names."""
    client = TwilioHttpClient(timeout=PATIENCE_S, max_retries=0)
    client.session.trust_env = False
    return client


def what_it_means(status: int, code: int | None) -> TextDelayed | TextRefused:
    words = f"Twilio answered {status}{f', error {code}' if code else ''}"
    number = int(code or 0)
    if number in NUMBER_CODES:
        return TextRefused(f"{words}: {NUMBER_CODES[number]}")
    if number in ACCOUNT_CODES or status in (UNAUTHORIZED, FORBIDDEN, NOT_FOUND):
        return TextDelayed(f"{words}: {ACCOUNT_CODES.get(number, 'see to the account')}", is_account=True)
    if number in PASSING_CODES or status == TOO_MANY or status >= SERVER_FAULT:
        return TextDelayed(f"{words}: {PASSING_CODES.get(number, 'try again')}")
    return TextRefused(words)
