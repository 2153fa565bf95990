"""T45: amounts that are reserved on a card, and taken later."""

from ivr.reading.rules.rule import rule

OTHER_CONSENT = rule(
    "T451",
    "other-consent",
    what="A `pay` step takes what a caller agreed only to reserve, or reserves what they agreed to pay.",
    why="""Callers hear one of two questions: `confirm_card` (to pay), or with `to: reserve` `confirm_reservation`. An amount that
is held for a week, or one that is taken after all, is what they dispute when they had agreed to the other.""",
    bad="""
steps:
  charge:
    pay: acme_bank
    capture: later
    then: {approved: receipt, declined: card, unknown: find_out}
  receipt: {say: confirmation_number, repeat: 2, end: as_recorded}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    to: reserve
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
  charge:
    pay: acme_bank
    capture: later
    then: {approved: receipt, declined: card, unknown: find_out}
  receipt: {say: confirmation_number, repeat: 2, end: as_recorded}
""",
)
NOT_PROMISED = rule(
    "T452",
    "operation-not-promised",
    what="A step asks for what the protocol of its bank does not have: `capture: later` needs authorize, capture and void.",
    why="""An amount that is reserved where nobody could take it, or let go of it, would stay held until the card's issuer gives
it up. docs/money.md says which protocol promises what.""",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    to: reserve
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
  charge:
    pay: euro_bank
    capture: later
    then: {approved: receipt, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: euro_bank
    then: {approved: receipt, reversed: not_charged, pending: we_will_tell}
  receipt: {say: confirmation_number, repeat: 2, end: reserved}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    to: reserve
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
  charge:
    pay: acme_bank
    capture: later
    then: {approved: receipt, declined: card, unknown: find_out}
  receipt: {say: confirmation_number, repeat: 2, end: reserved}
""",
)
