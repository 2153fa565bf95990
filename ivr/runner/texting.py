"""Sends texts through Twilio's REST API, or, where no account is set, leaves them to be read on the page at `/`."""

from typing import Protocol

import httpx
import structlog

from ivr.settings import Settings
from ivr.store import TextMessage

log = structlog.get_logger()
API = "https://api.twilio.com/2010-04-01/Accounts"


class TextSender(Protocol):
    """Sends a text; raises OSError where it should be tried again."""

    def __call__(self, message: TextMessage) -> None: ...


def text_sender(settings: Settings) -> TextSender:
    if settings.twilio_account_sid and settings.sms_from:
        return TwilioTexts(settings)
    return keep_text


def keep_text(message: TextMessage) -> None:
    """No text account: it stays in the database, where developers can see it."""
    log.info("text kept (set TWILIO_ACCOUNT_SID and SMS_FROM to send it)", message=message.id)


class TwilioTexts:
    """One POST a text. A text sent twice is a nuisance, a text never sent a broken promise: failures are tried again."""

    def __init__(self, settings: Settings, api: str = API) -> None:
        account = settings.twilio_account_sid
        self._from = settings.sms_from
        self._url = f"{api}/{account}/Messages.json"
        self._http = httpx.Client(auth=(account, settings.twilio_auth_token), timeout=10, trust_env=False)

    def __call__(self, message: TextMessage) -> None:
        fields = {"To": message.recipient, "From": self._from, "Body": message.body}
        try:
            response = self._http.post(self._url, data=fields)
        except httpx.HTTPError as error:
            raise ConnectionError(type(error).__name__) from None
        if response.status_code >= 500 or response.status_code == 429:
            raise ConnectionError(f"Twilio answered {response.status_code}")
        if response.status_code >= 400:
            # A number that takes no texts will not take them later: told once, not tried for ever.
            log.error("text refused", message=message.id, status=response.status_code)
