"""T4: charges that must not happen, or cannot, and the bank and bills that they need."""

from ivr.reading.rules.rule import rule

NO_AMOUNT = rule(
    "T401",
    "charge-without-amount",
    what="There is a way to a `pay` step on which no amount was chosen.",
    why="""An amount comes from a menu, a question or a `set` step, and is good for one charge. A second charge of the same amount would take
the caller's money twice for one bill.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: card, not_found: retry, gave_up: not_charged}
""",
    good="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
)
NO_CARD = rule(
    "T402",
    "charge-without-card",
    what="There is a way to a `pay` step on which no card was taken.",
    why="A card is good for one charge: another charge needs the card again.",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: charge}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
)
NO_CONSENT = rule(
    "T403",
    "charge-without-consent",
    what="There is a way to a `pay` step on which the caller did not agree to this amount on this card.",
    why="""Nobody is charged who has not pressed 1 after hearing brand, last four digits and amount. It is what the card
networks ask for, and what you show when a caller disputes the charge.""",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
UNANSWERED_CHARGE = rule(
    "T404",
    "charge-after-unanswered",
    what="There is a way to a `pay` step while an earlier charge has no answer.",
    why="""A bank that does not answer may have charged the card. Until it has been asked, a second charge may be one too
many; `unknown` leads to an `inquire_then_reverse` step.""",
    bad="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: card}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
NOTHING_TO_INQUIRE = rule(
    "T405",
    "nothing-to-inquire",
    what="There is a way to an `inquire_then_reverse` step on which no charge waits for an answer.",
    why="There is nothing to ask the bank about. Only `unknown` of a `pay` step leads there.",
    bad="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: find_out, unknown: find_out}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
CARD_FOR_NOTHING = rule(
    "T406",
    "card-for-nothing",
    what="The flow collects a card, and has no `pay` step.",
    why="A card that is not needed is a card that can be lost.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: not_charged, cancelled: not_charged, gave_up: not_charged}
  not_charged: {end: unpaid}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
TWO_BANKS = rule(
    "T407",
    "two-banks",
    what="The steps of one flow name two banks.",
    why="""A card is sealed to its bank while it is keyed in, so no other can open it; and only the bank that was
asked knows what became of a charge.""",
    bad="""
steps:
  find_out:
    inquire_then_reverse: euro_bank
    then: {approved: receipt, reversed: not_charged, pending: we_will_tell}
""",
    good="""
steps:
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, reversed: not_charged, pending: we_will_tell}
""",
)
NO_SUCH_BANK = rule(
    "T408",
    "no-such-bank",
    what="A bank is named that config/banks.yaml, or the file that `--banks` names, does not have.",
    why="The charge could not be sent anywhere.",
    bad="""
steps:
  charge:
    pay: acme_bnk
    then: {approved: receipt, declined: card, unknown: find_out}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
CURRENCIES_DIFFER = rule(
    "T409",
    "currencies-differ",
    what="`max_amount` is in another currency than the bank takes, than the bills are in (`--accounts`), or than an amount in the flow.",
    why="No bill could be paid, or 100 of one currency would be charged as 100 of another.",
    bad="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 EUR}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
""",
)
FIELD_NOT_CARRIED = rule(
    "T414",
    "field-not-carried",
    what="`collect` asks for a field of the card that never reaches the bank.",
    why="""Callers would look for a number on their card and key it in for nothing: the bank's protocol has no place for it
(docs/money.md says which fields each carries), or Twilio's <Pay> does not ask for it.""",
    bad="""
steps:
  card:
    collect: [card_number, expiry, issue_number]
    capture: pay
    brands: [visa, maestro]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code, issue_number]
    brands: [visa, maestro]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
BRAND_NOT_CAPTURED = rule(
    "T410",
    "brand-not-captured",
    what="`capture: pay` with a brand that Twilio's <Pay> does not take.",
    why="Callers with such a card would be refused on Twilio, and served on your own trunk.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    capture: pay
    brands: [visa, unionpay]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    capture: pay
    brands: [visa, mastercard]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
OVER_MAX_AMOUNT = rule(
    "T411",
    "over-max-amount",
    what="An amount that is written in the flow is more than `max_amount`.",
    why="It can never be charged: a key of a menu with it is not offered, and callers hear that one payment takes less.",
    bad="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 20.00 USD}
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: 25.00 USD, then: card}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 50.00 USD}
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: 25.00 USD, then: card}
""",
)
NEVER_PAYABLE = rule(
    "T415",
    "never-payable",
    what="An amount to pay is computed that can never be paid: nothing or less, more than `max_amount`, or more than is due.",
    why="""Nobody is charged nothing, or more than is due, so a key of a menu with such an amount is never offered, and an entry that
has to be more than `max_amount` is never asked for. A fee belongs to the bill, in your billing system.""",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: pay_another_amount, set: bill.due + 5.00 USD, then: card}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: pay_another_amount, set: bill.due - 5.00 USD, then: card}
""",
)
NOT_SWITCHED_ON = rule(
    "T412",
    "not-switched-on",
    what="A step relies on a setting that this installation does not have: `link` on `pay_link`, `transfer` on `transfers`.",
    why="Callers would be promised a link that leads nowhere, or a person whom nobody connects them to.",
    bad="""
steps:
  not_charged: {sms: pay_link, link: bill, end: unpaid}
""",
    good="""
steps:
  not_charged: {say: you_were_not_charged, end: unpaid}
""",
)
TRANSFER_WHILE_OPEN = rule(
    "T413",
    "transfer-while-open",
    what="There is a way to a `transfer` step while a charge has no answer.",
    why="Nobody could tell the person at the other end whether the card was charged, and they might take the payment once more.",
    bad="""
steps:
  we_will_tell: {transfer: "+15550123456", then: {not_available: sorry}}
  sorry: {end: pending}
""",
    good="""
steps:
  we_will_tell: {end: pending}
""",
)
