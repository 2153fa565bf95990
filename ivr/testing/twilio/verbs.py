"""What TwiML for voice consists of: each verb's attributes with what they may be, and what may stand inside it.

From Twilio's reference; the tests compare the names with those of Twilio's own Python library.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MOST_BYTES = 64 * 1024  # Twilio's error 11750
MOST_SAID = 4096  # characters of one <Say>
Check = Callable[[str], str]  # "" where the value is right, else what is expected


def _one_of(*words: str) -> Check:
    return lambda value: "" if value in words else f"expected {' or '.join(words)}"


def _words(*words: str) -> Check:
    return lambda value: "" if {*value.split()} <= {*words} else f"expected some of {', '.join(words)}"


def _number(least: int, most: int) -> Check:
    def check(value: str) -> str:
        right = value.isascii() and value.isdecimal() and least <= int(value) <= most
        return "" if right else f"expected a whole number from {least} to {most}"

    return check


def _matches(pattern: str, expected: str) -> Check:
    return lambda value: "" if re.fullmatch(pattern, value) else f"expected {expected}"


def _seconds(value: str) -> str:
    return "" if value == "auto" else _number(1, 600)(value)


def anything(_value: str) -> str:
    return ""


METHOD, YES_OR_NO = _one_of("GET", "POST"), _one_of("true", "false")
LANGUAGE = _matches(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}", "a language such as en-US")
LOOP, COUNT = _number(0, 1000), _number(1, 1000)
CARDS = ("visa", "mastercard", "amex", "maestro", "discover", "optima", "jcb", "diners-club", "enroute")


@dataclass(frozen=True)
class Verb:
    """`text`: it has words or a URL in it; `requires`: attributes that must be there."""

    attributes: Mapping[str, Check] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()
    text: bool = False
    requires: frozenset[str] = frozenset()


SPOKEN = frozenset({"Say", "Play", "Pause"})
SSML = frozenset(
    {
        "break",
        "emphasis",
        "lang",
        "p",
        "phoneme",
        "prosody",
        "s",
        "say-as",
        "sub",
        "w",
        "amazon:effect",
        "amazon:domain",
    }
)
GATHER: dict[str, Check] = {
    "input": _words("dtmf", "speech"),
    "action": anything,
    "method": METHOD,
    "timeout": _seconds,
    "speechTimeout": _seconds,
    "maxSpeechTime": COUNT,
    "profanityFilter": YES_OR_NO,
    "finishOnKey": _matches(r"[0-9#*]*", "one of the keys 0-9, # and *, or nothing"),
    "numDigits": COUNT,
    "partialResultCallback": anything,
    "partialResultCallbackMethod": METHOD,
    "language": LANGUAGE,
    "hints": anything,
    "bargeIn": YES_OR_NO,
    "debug": YES_OR_NO,
    "actionOnEmptyResult": YES_OR_NO,
    "dtmfDetection": anything,
    "speechModel": anything,
    "enhanced": YES_OR_NO,
    "model": anything,
    "recognitionConfig": anything,
}
PAY: dict[str, Check] = {
    "input": _one_of("dtmf"),
    "action": anything,
    "bankAccountType": _words("consumer-checking", "consumer-savings", "commercial-checking"),
    "statusCallback": anything,
    "statusCallbackMethod": METHOD,
    "timeout": _number(1, 600),
    "maxAttempts": _number(1, 3),
    "securityCode": YES_OR_NO,
    "postalCode": _matches(r"true|false|[0-9A-Za-z -]{2,10}", "true, false or a postal code"),
    "minPostalCodeLength": _number(1, 16),
    "paymentConnector": anything,
    "paymentMethod": _one_of("credit-card", "ach-debit"),
    "tokenType": _one_of("one-time", "reusable", "payment-method"),
    "chargeAmount": _matches(r"\d{1,9}(\.\d{1,2})?", "an amount such as 10.75"),
    "currency": _matches(r"[A-Za-z]{3}", "a currency such as usd"),
    "credentialSid": anything,
    "description": anything,
    "validCardTypes": _words(*CARDS),
    "language": LANGUAGE,
    "confirmation": anything,
    "requireMatchingInputs": anything,
}
PROMPT: dict[str, Check] = {
    "for": _one_of(
        *("payment-card-number", "expiration-date", "security-code", "postal-code", "payment-processing"),
        *("bank-account-number", "bank-routing-number"),
    ),
    "errorType": anything,
    "cardType": _words(*CARDS),
    "attempt": anything,
    "requireMatchingInputs": anything,
}
# What it dials is a number; <Number>, <Sip>, <Client> and the others are not tried.
DIAL: dict[str, Check] = {
    "action": anything,
    "method": METHOD,
    "timeout": _number(1, 600),
    "timeLimit": _number(1, 86400),
    "hangupOnStar": YES_OR_NO,
    "callerId": anything,
    "answerOnBridge": YES_OR_NO,
    "ringTone": anything,
    "record": anything,
    "trim": anything,
    "recordingStatusCallback": anything,
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": anything,
    "recordingTrack": anything,
    "referUrl": anything,
    "referMethod": METHOD,
    "sequential": YES_OR_NO,
    "events": anything,
}
VERBS: dict[str, Verb] = {
    "Say": Verb({"voice": anything, "loop": LOOP, "language": LANGUAGE}, SSML, text=True),
    "Play": Verb({"loop": LOOP, "digits": _matches(r"[0-9wW#*A-D]+", "keys, and w to wait")}, text=True),
    "Pause": Verb({"length": COUNT}),
    "Gather": Verb(GATHER, SPOKEN),
    "Pay": Verb(PAY, frozenset({"Prompt", "Parameter"})),
    "Prompt": Verb(PROMPT, SPOKEN),
    "Parameter": Verb({"name": anything, "value": anything}, requires=frozenset({"name", "value"})),
    "Dial": Verb(DIAL, text=True),
    "Redirect": Verb({"method": METHOD}, text=True),
    "Hangup": Verb({"parameters": anything}),
    "Reject": Verb({"reason": _one_of("rejected", "busy")}),
}
TOP = frozenset({"Say", "Play", "Pause", "Gather", "Pay", "Dial", "Redirect", "Hangup", "Reject"})
# TwiML all the same; a caller without a telephone network cannot do it.
NOT_OFFLINE = frozenset(
    {
        "Connect",
        "Enqueue",
        "Leave",
        "Record",
        "Refer",
        "Siprec",
        "Sms",
        "Start",
        "Stop",
        "Transcription",
        "Queue",
    }
)
LAST = frozenset({"Redirect", "Hangup", "Reject"})  # nothing after these is ever reached
