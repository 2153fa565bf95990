"""Adyen, Checkout API v72: fields sealed to Adyen's key one by one, authorized by telephone order, captured afterwards.

What is asked and answered, as Adyen's OpenAPI description has it:

    POST /payments                    the charge: authorized only (`manualCapture`); the idempotency key is kept 7 days
    POST /cancels                     undo by our reference; accepted at once, its outcome is a TECHNICAL_CANCEL notification
    POST /payments/<psp>/captures     takes the money of an authorization; its outcome is a CAPTURE notification
    POST /payments/<psp>/refunds, /cancels   gives money back, or lets go of it before it is captured; their outcomes are REFUND,
                                     REFUND_FAILED and CANCELLATION notifications
    POST /paymentMethods              nothing but a question: for `bank check`

Why capture apart: only what has not been captured can be cancelled by our reference, and a charge without an answer may
have to be. So nothing is captured before its approval stands in our ledger, where every ending comes from.

A card is kept with the charge that it was keyed in for (`kept_cards`); a later charge has its token and its shopper.

There is no inquiry. A charge without an answer is asked for again under its key; a notification may come first. Our
reference goes there with dots for hyphens, because Adyen takes a hyphen for the border between two references.
"""

from ivr.bank.adyen.client import PROMISES, AdyenBank
from ivr.bank.adyen.settings import AdyenSettings

__all__ = ["PROMISES", "AdyenBank", "AdyenSettings"]
