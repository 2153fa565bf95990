"""T43: what a card costs on top of the amount."""

from ivr.reading.rules.rule import rule

_STEP = """
steps:
  card:
    collect: [card_number, expiry, security_code]
    fee: 2.00 USD
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
"""

FEE_NOT_SAID = rule(
    "T431",
    "fee-not-said",
    what="A `collect` step has a `fee`, and the words in which callers agree to it, or a receipt, do not say it.",
    why="""A fee that was not said was not agreed to. Where a card costs one, the wordings whose names end with `_with_fee` are
said (`confirm_card_with_fee`, `receipt_sms_with_fee`, `result_paid_sms_with_fee`, and `receipt_email_with_fee` where receipts
go by e-mail): each language has them, and each says `{amount:...}`, which is all that is charged, and `{card_fee:...}` in it.""",
    bad=_STEP,
    good=_STEP.replace("    fee: 2.00 USD\n", ""),
)
