"""Stripe, PaymentIntents: authorized as a telephone order, captured once the approval stands in our ledger.

What is asked and answered:

    POST /v1/payment_methods              the card, in clear inside TLS; charges nothing, whatever becomes of the answer
    POST /v1/payment_intents              the charge, confirmed at once: `moto`, `capture_method=manual`; holds no card
    POST /v1/payment_intents/<pi>/capture takes the money
    GET  /v1/payment_intents/search       by our reference in `metadata`; found about a minute after it was made
    POST /v1/payment_intents/<pi>/cancel  undo, and void
    POST /v1/refunds                      gives back all or a part; our key of it is in its `metadata`
    GET  /v1/refunds                      of one charge: whether a refund without an answer is there
    GET  /v1/account, /v1/country_specs   for `bank check`

Why the card goes apart: only the second request can charge, and it holds no card. So silence about the first is no
unknown charge, and the card is in one short request, built in a buffer that is wiped.

Both go under idempotency keys, which Stripe keeps for 24 hours at least, with the answer: a 5xx too, so that the same key
brings the same fault again. Then the charge is looked for by its metadata. That is no inquiry to be relied on, because the
index is late; what an undo does not find was never authorized, or is a hold that nobody captures and that lapses.
"""

from ivr.bank.stripe.client import PROMISES, StripeBank
from ivr.bank.stripe.settings import StripeSettings

__all__ = ["PROMISES", "StripeBank", "StripeSettings"]
