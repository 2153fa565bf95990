"""T43: what a card costs on top of the amount."""

from ivr.reading.rules.rule import rule

FEE_NOT_SAID = rule(
    "T431",
    "fee-not-said",
    what="A `collect` step has a `fee`, and the words in which callers agree to it, or a receipt, do not say it.",
    why="""A fee that was not said was not agreed to. Where a card costs one, the wordings whose names end with `_with_fee` are
said (`confirm_card_with_fee`, `receipt_sms_with_fee`, `result_paid_sms_with_fee`, and `receipt_email_with_fee` where receipts
go by e-mail): each language has them, and each says `{amount:...}`, which is all that is charged, and `{card_fee:...}` in it.""",
    of="prompts",
    bad="""
confirm_card_with_fee: "{amount:money} with {brand:brand} {last4:digits}: press 1 to pay, 2 for another card."
""",
    good="""
confirm_card_with_fee: "{amount:money} with {brand:brand} {last4:digits}, a fee of {card_fee:money} in it: press 1 to pay, 2 for another card."
""",
)
