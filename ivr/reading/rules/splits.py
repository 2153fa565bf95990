"""T44 and T643: a bill that several cards pay, and what becomes of a part where the rest is not paid."""

from ivr.reading.rules.rule import rule

_PARTS = """
split: {{rest_unpaid: keep}}
start: account
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {{found: amount, not_found: retry, gave_up: not_charged}}
  amount: {{set: {{amount: {amount}}}, then: card}}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {{ok: charge, cancelled: not_charged, gave_up: not_charged}}
  charge:
    pay: acme_bank
    then: {{approved: receipt, approved_in_part: amount, declined: card, unknown: find_out}}
  find_out:
    inquire_then_reverse: acme_bank
    then: {{approved: receipt, approved_in_part: amount, reversed: not_charged, pending: we_will_tell}}
  receipt: {{say: confirmation_number, end: as_recorded}}
  not_charged: {{end: as_recorded}}
  we_will_tell: {{end: as_recorded}}
"""

NOT_SPLIT = rule(
    "T440",
    "part-without-split",
    what="`approved_in_part`, `partial` or `take_back` stand in a flow without `split`.",
    why="Without `split` each charge is a payment by itself: nothing is a part of anything, and nothing is there to take back.",
    bad="""
steps:
  charge:
    pay: acme_bank
    partial: accept
    then: {approved: receipt, declined: card, unknown: find_out}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
NO_BILL_TO_SPLIT = rule(
    "T441",
    "split-without-bill",
    what="`split` stands in a flow that looks no bill up.",
    why="What is left to pay is what is still due on the bill. Without a bill nobody could say what the parts are to come to.",
    bad="""
split: {rest_unpaid: keep}
start: amount
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: 20.00 USD, then: card}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: undo, gave_up: undo}
  charge:
    pay: acme_bank
    then: {approved: receipt, approved_in_part: amount, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, approved_in_part: amount, reversed: not_charged, pending: we_will_tell}
  undo: {take_back: acme_bank, then: {taken_back: not_charged, pending: we_will_tell}}
  receipt: {say: confirmation_number, end: as_recorded}
  not_charged: {end: as_recorded}
  we_will_tell: {end: as_recorded}
""",
    good="""
start: amount
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: 20.00 USD, then: card}
""",
)
PART_NOT_LED = rule(
    "T442",
    "part-not-led",
    what="With `split`, a step that hears a bank's approval does not say where `approved_in_part` goes.",
    why="The card has paid a part of the bill, and the caller has to hear what is left and choose how to go on.",
    bad="""
split: {}
""",
    good="""
split: {}
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, approved_in_part: rest, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, approved_in_part: rest, reversed: undo, pending: we_will_tell}
  rest:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
    then: {gave_up: undo, cancelled: undo}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: undo, gave_up: undo}
  undo: {take_back: acme_bank, then: {taken_back: not_charged, pending: we_will_tell}}
  receipt: {say: confirmation_number, end: as_recorded}
  not_charged: {end: as_recorded}
  we_will_tell: {end: as_recorded}
""",
)
NO_WAY_BACK = rule(
    "T443",
    "no-way-back",
    what="From `approved_in_part` of an all-or-nothing bill no way leads to a `take_back` step.",
    why="""A caller who has no second card must be able to have the first one's part undone, and hear that it is. With
`rest_unpaid: keep` a part is a payment like any other, and no such step is needed.""",
    bad="""
split: {}
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, approved_in_part: receipt, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, approved_in_part: receipt, reversed: not_charged, pending: we_will_tell}
  receipt: {say: confirmation_number, end: as_recorded}
  not_charged: {end: as_recorded}
  we_will_tell: {end: as_recorded}
""",
    good=PART_NOT_LED.good,
)
ENDS_IN_PART = rule(
    "T444",
    "ends-in-part",
    what="The call can end with a part of an all-or-nothing bill paid, and the rest not.",
    why="""The part is undone then, whatever the flow says: callers who hang up are no different. Lead there by `take_back`, so that
the caller hears it; or say `rest_unpaid: keep` where a part of the bill is a payment like any other.""",
    bad="""
split: {}
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, approved_in_part: rest, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, approved_in_part: rest, reversed: undo, pending: we_will_tell}
  rest:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: pay_another_amount, then: not_charged}
    then: {gave_up: undo, cancelled: undo}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: undo, gave_up: undo}
  undo: {take_back: acme_bank, then: {taken_back: not_charged, pending: we_will_tell}}
  receipt: {say: confirmation_number, end: as_recorded}
  not_charged: {end: as_recorded}
  we_will_tell: {end: as_recorded}
""",
    good=PART_NOT_LED.good,
)
ANOTHER_BILL = rule(
    "T445",
    "another-bill-in-part",
    what="There is a way to a look-up, or to a choice of bills, on which a part of a bill is paid and the rest is not.",
    why="What is left of the first bill would be forgotten, and what has been paid of it could not be told from the other's.",
    bad="""
split: {rest_unpaid: keep}
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, approved_in_part: rest, declined: card, unknown: find_out}
  find_out:
    inquire_then_reverse: acme_bank
    then: {approved: receipt, approved_in_part: rest, reversed: undo, pending: we_will_tell}
  rest:
    menu:
      1: {say: pay_full_balance, then: account}
      2: {say: pay_another_amount, then: undo}
    then: {gave_up: undo, cancelled: undo}
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: undo, gave_up: undo}
  undo: {take_back: acme_bank, then: {taken_back: not_charged, pending: we_will_tell}}
  receipt: {say: confirmation_number, end: as_recorded}
  not_charged: {end: as_recorded}
  we_will_tell: {end: as_recorded}
""",
    good=PART_NOT_LED.good,
)
NO_PARTIAL_APPROVAL = rule(
    "T446",
    "no-partial-approval",
    what="`partial: accept`, and the bank's protocol has no partial approval.",
    why="""The bank could not be told that it may approve a part, so it never would. Callers can still share a bill among several
cards by their own choice.""",
    bad="""
split: {}
steps:
  charge:
    pay: acme_bank
    partial: accept
    then: {approved: receipt, approved_in_part: rest, declined: card, unknown: find_out}
""",
    good=PART_NOT_LED.good,
)
SUM_IN_PARTS = rule(
    "T449",
    "sum-in-parts",
    what="All open bills can be paid in one sum, in a flow in which several cards may pay a bill, an amount is only reserved, or a card is kept.",
    why="""A sum pays each of its bills in full, with one card, at once. Of a part of it nobody could say which bill it pays, nor which is
owed again when it is taken back; and a card is kept for one thing that is paid for.""",
    bad="""
split: {}
lookups: {billing.find_bills: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: which, not_found: retry, gave_up: not_charged}
  which:
    choose_bill: pay_full_balance
    then: {chosen: amount, all: card, none_left: not_charged, gave_up: not_charged}
""",
    good="""
lookups: {billing.find_bills: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: which, not_found: retry, gave_up: not_charged}
  which:
    choose_bill: pay_full_balance
    then: {chosen: amount, all: card, none_left: not_charged, gave_up: not_charged}
""",
)
DISCOUNT_IN_PARTS = rule(
    "T643",
    "discount-in-parts",
    what="With `split`, an amount to pay is what is due less something: a part of the bill, and no discount.",
    why="""All parts together come to what is due when the bill is looked up. A caller who pays the reduced amount hears that the rest is
still due (`part_approved`), and has paid nothing at all unless they pay that too (or, with `rest_unpaid: keep`, their bill
goes on owing it). A discount comes from your billing system, as what is due; leave `split` out to compute it in the flow. Half of what is due is `50 % of bill.due`.""",
    bad=_PARTS.format(amount="bill.due - 5 %"),
    good=_PARTS.format(amount="50 % of bill.due"),
    is_advice=True,
)
