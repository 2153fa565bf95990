"""Who can be texted, and what became of a text; how it is sent by Twilio is in `twilio_texts`."""

import re
from collections.abc import Callable
from typing import Literal, Protocol

import structlog

from ivr.core.caller import caller_key
from ivr.settings import Settings
from ivr.store import TextMessage, TextProblem

log = structlog.get_logger()
# A number in full (E.164): what Twilio takes, and what a caller has who can be texted.
IN_FULL = re.compile(r"\+[1-9][0-9]{6,14}")
LONGEST_NUMBER = 40
SENDER_MISSING = "no sender is configured: set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and SMS_FROM"


class TextSender(Protocol):
    """Sends a text, or keeps it for the page. OSError or TextDelayed: try again; TextRefused: never again."""

    def __call__(self, message: TextMessage) -> Literal["kept"] | None: ...


class NotSent(Exception):
    """`may_be_sent`: nobody can tell whether it was taken."""

    def __init__(self, words: str, *, is_account: bool = False, may_be_sent: bool = False) -> None:
        super().__init__(words)
        self.may_be_sent = may_be_sent
        self.problem = TextProblem(words, is_account)


class TextDelayed(NotSent):
    """Not now: Twilio is busy, or its account is not in order and somebody will see to that."""


class TextRefused(NotSent):
    """Neither now nor later: this number takes no texts, or nobody is there to send them."""


def keep_text(message: TextMessage) -> Literal["kept"]:
    """In development without an account: it stays in the database, and is read on the page at `/`."""
    log.info("text kept (set TWILIO_ACCOUNT_SID and SMS_FROM to send it)", message=message.id)
    return "kept"


def refuse_text(message: TextMessage) -> None:
    raise TextRefused(SENDER_MISSING, is_account=True)


def is_withheld(number: str) -> bool:
    """Whether the network gave something else than the caller's number, however it is written."""
    return not caller_key(number)


def has_sender(settings: Settings) -> bool:
    return bool(settings.twilio_account_sid and settings.twilio_auth_token and settings.sms_from)


def texting(settings: Settings, trouble: Callable[[], str | None] = lambda: None) -> Callable[[str], bool]:
    """Whether a text to that number can be promised. `trouble`: what keeps every text from being sent at present."""
    if has_sender(settings):
        return lambda number: bool(IN_FULL.fullmatch(number)) and not is_withheld(number) and trouble() is None
    if settings.environment == "development":
        return can_be_kept
    return lambda number: False


def can_be_kept(number: str) -> bool:
    """In development a text is shown on the page: any number will do, but not none."""
    return len(number) <= LONGEST_NUMBER and not is_withheld(number)
