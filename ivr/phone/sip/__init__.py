"""SIP signalling: takes and makes calls and says what media they agreed on; carries no media and knows no payment."""

from ivr.phone.sip.access import AccessList, RateLimit
from ivr.phone.sip.caller import CallerHandler, CallRefusedError, OutgoingCall, SipCaller
from ivr.phone.sip.challenge import Credentials
from ivr.phone.sip.contract import (
    CANCELLED,
    HANDLER_FAILED,
    HUNG_UP_BY_CALLER,
    HUNG_UP_BY_US,
    NO_COMMON_MEDIA,
    NOT_ACKNOWLEDGED,
    SESSION_EXPIRED,
    TOO_LONG,
    CallHandler,
    Invitation,
)
from ivr.phone.sip.endpoint import SipEndpoint
from ivr.phone.sip.negotiation import LocalSession
from ivr.phone.sip.numbers import plain_number
from ivr.phone.sip.registration import Account, Registration
from ivr.phone.sip.sdp import parse_session
from ivr.phone.sip.session import Answer, Codec, Crypto, MediaLine, MediaRules, Reject, SessionOffer
from ivr.phone.sip.settings import ListenAddress, Peer, SipSettings, SourceLimits, Timers, Tls

__all__ = [
    "CANCELLED",
    "HANDLER_FAILED",
    "HUNG_UP_BY_CALLER",
    "HUNG_UP_BY_US",
    "NOT_ACKNOWLEDGED",
    "NO_COMMON_MEDIA",
    "SESSION_EXPIRED",
    "TOO_LONG",
    "AccessList",
    "Account",
    "Answer",
    "CallHandler",
    "CallRefusedError",
    "CallerHandler",
    "Codec",
    "Credentials",
    "Crypto",
    "Invitation",
    "ListenAddress",
    "LocalSession",
    "MediaLine",
    "MediaRules",
    "OutgoingCall",
    "Peer",
    "RateLimit",
    "Registration",
    "Reject",
    "SessionOffer",
    "SipCaller",
    "SipEndpoint",
    "SipSettings",
    "SourceLimits",
    "Timers",
    "Tls",
    "parse_session",
    "plain_number",
]
