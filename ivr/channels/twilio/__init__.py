"""Twilio: signed webhooks in, TwiML out. Card digits pass through on their way to the vault and are wiped."""

from ivr.channels.twilio.form import Form, parse_form
from ivr.channels.twilio.signature import Signer
from ivr.channels.twilio.twiml import Writer, second_gather

__all__ = ["Form", "Signer", "Writer", "parse_form", "second_gather"]
