"""T3: steps that do not fit together, and ways through them that lead nowhere."""

from ivr.reading.rules.rule import rule

NO_SUCH_STEP = rule(
    "T301",
    "no-such-step",
    what="`start`, or an outcome under `then`, names a step that the flow does not have.",
    why="The call could not go on from there.",
    bad="""
start: acount
""",
    good="""
start: account
""",
)
OUTCOME_NOT_LED = rule(
    "T302",
    "outcome-not-led",
    what="A step does not say where one of its outcomes goes.",
    why="The outcome will happen one day, mostly to a caller in trouble: a bank that does not answer, an entry that fails.",
    bad="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
NO_SUCH_OUTCOME = rule(
    "T303",
    "no-such-outcome",
    what="`then` names an outcome that this kind of step does not have.",
    why="It would never be followed. The outcomes of each kind are in docs/flows.md.",
    bad="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out, refused: card}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
RETRY_MISPLACED = rule(
    "T304",
    "retry-misplaced",
    what="`retry` stands where nothing can be tried again.",
    why="`retry` asks the question again within the same tries, after `not_found`. Anything else leads to a step by its name.",
    bad="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: retry, unknown: find_out}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: card, unknown: find_out}
""",
)
NOT_REACHED = rule(
    "T305",
    "not-reached",
    what="No way leads to a step.",
    why="Nobody will ever hear it. Usually a step that should lead to it leads somewhere else.",
    bad="""
steps:
  sorry: {say: goodbye, end: unpaid}
""",
    good="""
steps:
  charge:
    pay: acme_bank
    then: {approved: receipt, declined: sorry, unknown: find_out}
  sorry: {say: card_declined, end: unpaid}
""",
)
NEVER_ENDS = rule(
    "T306",
    "never-ends",
    what="Once a call is at this step, no way leads to an end.",
    why="The caller hears the same again and again until they hang up.",
    bad="""
steps:
  not_charged: {say: you_were_not_charged, then: not_charged}
""",
    good="""
steps:
  not_charged: {say: you_were_not_charged, end: unpaid}
""",
)
SILENCE_GOES_ROUND = rule(
    "T307",
    "silence-goes-round",
    what="A caller who presses nothing is led round in a circle.",
    why="""Somebody who has put the telephone down without hanging up keeps the line open for hours, and somebody pays for it. Let
`gave_up` lead to an ending somewhere on the way.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: account}
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
CANCEL_GOES_ROUND = rule(
    "T308",
    "cancel-goes-round",
    what="A caller who cancels is led back to where they cancelled.",
    why="Whoever wants to leave is let go. The only other way out is to hang up, not knowing whether something is charged.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: card, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
UNTRUE_ENDING = rule(
    "T309",
    "untrue-ending",
    what="An `end` would not be true on one of the ways to it.",
    why="""`paid`, `unpaid` and `pending` are what your reports count. A caller who was charged and is counted as unpaid is
called by somebody who wants the money again.""",
    bad="""
steps:
  receipt: {say: confirmation_number, repeat: 2, end: unpaid}
""",
    good="""
steps:
  receipt: {say: confirmation_number, repeat: 2, end: paid}
""",
)
VALUE_NOT_KNOWN = rule(
    "T310",
    "value-not-known",
    what="A step uses a value that is not known on every way to it.",
    why="""`bill.due` and `bill.min` are known once a look-up has found a bill; the amount once it was chosen, and no longer
when it has been paid.""",
    bad="""
start: amount
""",
    good="""
start: account
""",
)
NO_KIND = rule(
    "T311",
    "no-kind",
    what="A step does not say what it does.",
    why="""One word names the kind of a step: ask, menu, choose_bill, when, set, use_card, collect, keep_card, pay, inquire_then_reverse,
take_back, say, sms, promise, agree, remember, transfer, use or end.""",
    bad="""
steps:
  receipt: {sya: confirmation_number, repeat: 2}
""",
    good="""
steps:
  receipt: {say: confirmation_number, repeat: 2, end: paid}
""",
)
ENDLESS_GUESSING = rule(
    "T312",
    "endless-guessing",
    what="A caller whose number was not found is led back to the question, with all tries again.",
    why="""Tries are counted within one step. A caller who comes back to it from elsewhere can try account numbers until one
is found, and hears what a stranger owes. `not_found: retry` asks again within the same tries.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: sorry, gave_up: not_charged}
  sorry: {say: not_found_account_number, then: account}
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
TOO_MANY_STEPS = rule(
    "T313",
    "too-many-steps",
    what="A flow has more than 200 steps.",
    why="Nobody can say any more what callers hear in it. Two flows with a number each are easier to keep.",
    bad="""
steps:
  first: {say: welcome, then: second}
  # ... two hundred more
""",
    good="""
steps:
  not_charged: {end: unpaid}
""",
)
KEYS_GO_ROUND = rule(
    "T314",
    "keys-go-round",
    what="Whatever the caller presses, the call comes back to the same steps: only silence or cancelling ends it.",
    why="Callers look for the key that goes on, and there is none. A way that keys can take leads to an ending.",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, then: amount}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
)
KEY_NOT_ASKED = rule(
    "T330",
    "key-not-asked",
    what="There is a way to a look-up on which one of the answers it takes has not been asked for.",
    why="""A look-up with an account number and a PIN finds nothing without the account number. Answers but the first are
forgotten once they were used, so that a second look-up asks for them again.""",
    bad="""
lookups: {billing.find_bill: {takes: [account_number, pin]}}
steps:
  account:
    ask: pin
    length: 4
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
    good="""
lookups: {billing.find_bill: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
)
NO_BILLS = rule(
    "T331",
    "no-bills",
    what="There is a way to `choose_bill` on which no open bills have been looked up.",
    why="There would be nothing to choose from. `lookup: billing.find_bills` finds all open bills of a customer.",
    bad="""
start: amount
steps:
  amount:
    choose_bill: pay_full_balance
    then: {chosen: card, none_left: not_charged, gave_up: not_charged}
""",
    good="""
lookups: {billing.find_bills: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: amount, not_found: retry, gave_up: not_charged}
  amount:
    choose_bill: pay_full_balance
    then: {chosen: money, none_left: not_charged, gave_up: not_charged}
  money:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
)
AMOUNT_OF_A_SUM = rule(
    "T332",
    "amount-of-a-sum",
    what="Another amount is chosen, or something else than a charge agreed to, where all open bills are paid in one sum.",
    why="The sum is what all of the bills owe: of another amount nobody could say which bill it pays.",
    bad="""
lookups: {billing.find_bills: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: which, not_found: retry, gave_up: not_charged}
  which:
    choose_bill: pay_full_balance
    then: {chosen: amount, all: other, none_left: not_charged, gave_up: not_charged}
  other:
    ask: money
    then: {ok: card, gave_up: not_charged}
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
NONE_CHOSEN = rule(
    "T458",
    "no-bill-chosen",
    what="There is a way to a charge, a promise or a plan on which open bills were looked up and none was chosen.",
    why="""`billing.find_bills` finds all bills of a customer, and only `choose_bill` says which of them is meant: one, or all in one sum. A
charge without one is on no bill: the customer would have paid, and would still owe all of them.""",
    bad="""
lookups: {billing.find_bills: {takes: [account_number]}}
start: customer
steps:
  customer:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: amount, not_found: not_charged, gave_up: not_charged}
  amount: {set: {amount: 20.00 USD}, then: card}
""",
    good="""
lookups: {billing.find_bills: {takes: [account_number], gives: {bill.issued: date}}}
start: customer
steps:
  customer:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: which_bill, not_found: not_charged, gave_up: not_charged}
  which_bill: {choose_bill: offer_bill, then: {chosen: amount, none_left: not_charged, gave_up: not_charged}}
  amount: {set: {amount: bill.due}, then: card}
""",
)
