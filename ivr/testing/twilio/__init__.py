"""Twilio without Twilio: calls any TwiML application by signed webhooks, and says what Twilio would not have taken.

twiml    a document read strictly: verbs, attributes, nesting, values, limits
call     one call: keys go in, words come out, webhooks are signed, repeated, or delivered late
signing  X-Twilio-Signature, by Twilio's own library

Public are the names of `__all__`, and the module `application`.
"""

from ivr.testing.twilio.application import call_application, twilio_client
from ivr.testing.twilio.call import Application, Delivery, DialStatus, TwilioCall
from ivr.testing.twilio.signing import signature_of
from ivr.testing.twilio.twiml import Document, TwimlError, read_twiml

__all__ = [
    "Application",
    "Delivery",
    "DialStatus",
    "Document",
    "TwilioCall",
    "TwimlError",
    "call_application",
    "read_twiml",
    "signature_of",
    "twilio_client",
]
