"""Twilio: signed webhooks in, TwiML out. Card digits pass through on their way to the vault and are wiped."""

from ivr.channels.twilio.form import MAX_BODY, Form, parse_form
from ivr.channels.twilio.incoming import AnothersNumber, Forbidden, PlainPaths
from ivr.channels.twilio.pay_connector import PayConnector
from ivr.channels.twilio.recordings import blueprint as recordings_blueprint
from ivr.channels.twilio.recordings import parts_by_url
from ivr.channels.twilio.signature import Signer
from ivr.channels.twilio.tones import blueprint as tones_blueprint
from ivr.channels.twilio.twiml import Writer
from ivr.channels.twilio.webhooks import Webhooks

__all__ = [
    "MAX_BODY",
    "AnothersNumber",
    "Forbidden",
    "Form",
    "PayConnector",
    "PlainPaths",
    "Signer",
    "Webhooks",
    "Writer",
    "parse_form",
    "parts_by_url",
    "recordings_blueprint",
    "tones_blueprint",
]
