"""T45 and T47: cards that a bank keeps for later payments."""

from ivr.reading.rules.rule import rule

_LOOKED_UP = """
lookups:
  billing.find_bill: {takes: [account_number, pin]}
steps:
  account:
    ask: account_number
    length: 8
    then: {ok: pin, gave_up: not_charged}
  pin:
    ask: pin
    length: 4
    lookup: billing.find_bill
    then: {found: amount, not_found: account, gave_up: not_charged}
"""

NOT_ASKED = rule(
    "T453",
    "kept-without-consent",
    what="There is a way to a `pay` step with `token: create` on which nobody was asked whether the card may be kept.",
    why="""A bank keeps a card for its holder, who has to agree to it in words that are on record; that is what a `keep_card` step
asks for. Either answer leads to the charge: without consent nothing is kept.""",
    bad=_LOOKED_UP
    + """
  charge:
    pay: acme_bank
    token: create
    then: {approved: receipt, declined: card, unknown: find_out}
""",
    good=_LOOKED_UP
    + """
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: keep, cancelled: not_charged, gave_up: not_charged}
  keep: {keep_card: keep_card, then: {agreed: charge, refused: charge}}
  charge:
    pay: acme_bank
    token: create
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
OPEN_TO_GUESSES = rule(
    "T454",
    "kept-card-open-to-guesses",
    what="There is a way to a card that is kept on which its caller is known by a number alone.",
    why="""Whoever guesses an account number, or reads it on an envelope, would pay with somebody else's card. A look-up that takes
a second answer, such as a PIN that you have given your customer, tells them apart.""",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: which_card}
  which_card: {use_card: acme_bank, then: {known: charge, another: card, none: card}}
""",
    good=_LOOKED_UP
    + """
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: which_card}
  which_card: {use_card: acme_bank, then: {known: charge, another: card, none: card}}
""",
)
EASY_TO_GUESS = rule(
    "T470",
    "kept-card-easy-to-guess",
    what="There is a way to a card that is kept on which the further answers of the look-up have fewer than four digits each.",
    why="""A PIN of one digit is found in ten tries, and a call allows three. One of four digits or more is found in three calls of
10,000, and all tries of a call count together (`patience.tries`). How often somebody may ring is for your billing system to limit: it hears of
each wrong answer.""",
    bad="""
lookups:
  billing.find_bill: {takes: [account_number, pin]}
steps:
  account:
    ask: account_number
    length: 8
    then: {ok: pin, gave_up: not_charged}
  pin:
    ask: pin
    length: 1
    lookup: billing.find_bill
    then: {found: amount, not_found: account, gave_up: not_charged}
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: which_card}
  which_card: {use_card: acme_bank, then: {known: charge, another: card, none: card}}
""",
    good=_LOOKED_UP
    + """
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: which_card}
  which_card: {use_card: acme_bank, then: {known: charge, another: card, none: card}}
""",
)
