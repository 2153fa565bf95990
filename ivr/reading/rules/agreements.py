"""T42: what callers agree to besides charges: promises, instalment plans, mandates."""

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
