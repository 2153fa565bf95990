"""A paid call through signed webhooks, with something that breaks on the way; and whether what was said was true."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.webs import CALL_ID, Web

VOICE = "/twilio/voice/pay-a-bill"
# What is asked, and what this caller answers; the first question found in the words is the one that counts.
ANSWERS = (
    ("For English, press", "1"),
    ("security code", "123"),
    ("ZIP code", "94105"),
    ("expiration date", "1230"),
    ("Enter your card number", "4111111111111111"),
    ("press 1 to pay", "1"),
    ("to pay it, press", "1"),
    ("Enter your account number", "12345678"),
    ("To repeat, press", ""),
)
CHARGED = ("Your card was charged", "Your payment went through")
RECEIPT = "Paid. Confirmation"
NOT_CHARGED = "Nothing was charged in this call."
WILL_TELL = "we will send you a text message with the result."
NOT_KNOWN = "We cannot tell at this moment whether your card was charged."
MOST_REQUESTS = 120


class Killed(BaseException):
    """The process is gone in the middle of what it was doing."""


@dataclass
class Caller:
    """Follows the TwiML as Twilio does. `at_bank` is called whenever the line holds: the forwarder's turn."""

    web: Web
    at_bank: Callable[[], object]
    url: str = VOICE
    fields: dict[str, str] = field(default_factory=dict)
    said: str = ""
    ever_said: str = ""
    statuses: list[int] = field(default_factory=list)

    def request(self) -> str:
        """The next request, and the words that come back."""
        answer = self.web.post(self.url, self.fields)
        self.statuses.append(answer.status_code)
        twiml = answer.text
        self.said = " ".join(re.findall(r"<Say[^>]*>([^<]*)<", twiml))
        self.ever_said += f" {self.said}"
        following = re.search(r'action="([^"]+)"|<Redirect[^>]*>([^<]+)<', twiml)
        self.url = (following[1] or following[2]).replace("&amp;", "&") if following else ""
        self.fields = {"Digits": self._keys()} if "<Gather" in twiml else {}
        if "<Redirect" in twiml:
            self.at_bank()
        return self.said

    def _keys(self) -> str:
        """After the last question asked; nothing at a silent Gather."""
        asked = [(self.said.rfind(question), keys) for question, keys in ANSWERS if question in self.said]
        return max(asked)[1] if asked else ""

    def until(self, words: str) -> "Caller":
        """Goes on until the words are heard."""
        for _ in range(MOST_REQUESTS):
            if words in self.request():
                return self
            assert self.url, f"the call ended before it said '{words}': {self.said}"
        raise AssertionError(f"never said '{words}'")

    def to_the_end(self) -> str:
        """The last words."""
        for _ in range(MOST_REQUESTS):
            if not self.url:
                return self.said
            self.request()
        raise AssertionError("the call finds no end")


def is_true(line: Caller, web: Web) -> bool:
    """Do the last words agree with the ledger as it stands, and is a promised text on its way? After a receipt nothing
    more need be said."""
    said = line.said
    store = web.bench.workbench.store
    statuses = [payment.status for payment in store.payments_of(CALL_ID)]
    told = [any(words in said for words in CHARGED), NOT_CHARGED in said, WILL_TELL in said, NOT_KNOWN in said]
    told[0] = told[0] or (not any(told) and RECEIPT in line.ever_said)
    assert sum(told) == 1, f"says {told}: {said}"
    if told[0]:
        return "approved" in statuses
    if told[1]:
        return not {"approved", "accepted", "sent", "unknown"} & set(statuses)
    stored = store.load_call(CALL_ID)
    return told[3] or (stored is not None and stored.call.outcome == "pending")


class Breaking:
    """Wraps methods; the one at place `at`, counted over all of them, raises: once, or from then on."""

    def __init__(self, at: int, *, for_ever: bool = False) -> None:
        self.at, self.for_ever = at, for_ever
        self.count = 0
        self.broke = ""
        self.resting = False

    def rest(self, work: Callable[[], object]) -> None:
        """Another process does this: nothing breaks there."""
        self.resting = True
        work()
        self.resting = False

    def wrap(self, owner: type, name: str) -> Callable[..., Any]:
        method = getattr(owner, name)

        def breaking(*arguments: Any, **named: Any) -> Any:
            if self.resting:
                return method(*arguments, **named)
            self.count += 1
            if self.count == self.at or (self.for_ever and self.count > self.at):
                self.broke = self.broke or f"{owner.__name__}.{name}"
                raise OSError("a fault of ours")
            return method(*arguments, **named)

        return breaking
