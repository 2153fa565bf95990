"""T42 and T455: what callers agree to besides charges: promises, instalment plans, mandates."""

from ivr.reading.rules.rule import rule

_PROMISE = """
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: pay_another_amount, set: bill.min, then: promise_to_pay}
  promise_to_pay: {promise: promise, within: 14d, then: {agreed: not_charged, refused: not_charged}}
"""

NO_AMOUNT = rule(
    "T421",
    "agreement-without-amount",
    what="There is a way to a `promise` or `agree` step on which no amount was chosen.",
    why="Nobody can agree to pay an amount that is not said.",
    bad=_PROMISE.replace("set: bill.min, ", ""),
    good=_PROMISE,
)
TERMS_NOT_SAID = rule(
    "T422",
    "terms-not-said",
    what="The wording of a promise, plan or mandate does not say one of its terms, or a text with a `link` does not have `{link:text}`.",
    why="A caller agrees to what they have heard. What was not said was not agreed to, and can be disputed.",
    bad=_PROMISE.replace("promise: promise", "promise: plan"),
    good=_PROMISE,
)
_MANDATE = """
start: account
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
  amount: {menu: {1: {say: offer_mandate, set: 20.00 USD, then: mandate}}}
  mandate: {agree: mandate, to: mandate, every: month, then: {agreed: not_charged, refused: not_charged}}
  not_charged: {end: unpaid}
"""

FOR_NOBODY = rule(
    "T455",
    "mandate-for-nobody",
    what="There is a way to an `agree` step with `to: mandate` on which no bill was looked up, or none was chosen.",
    why="""A mandate says whose money may be collected again and again. Its record has the account of the bill that was looked up, and
no card: without a bill there is no account in it, and nobody can collect it. What a caller only keyed in is not in it.""",
    bad=_MANDATE.replace("    lookup: billing.find_bill\n", "").replace(
        "{found: amount, not_found: retry,", "{ok: amount,"
    ),
    good=_MANDATE,
)
