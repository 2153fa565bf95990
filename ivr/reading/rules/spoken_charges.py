"""T47: what prompts say of charges and amounts that is not so. T470 is with the cards that a bank keeps."""

from ivr.reading.rules.rule import rule

OTHER_CHARGE = rule(
    "T471",
    "other-charge",
    what="The prompt that asks for consent makes of the one charge of its amount another: several, more or less, on another day, or by another key.",
    why="""Key 1 charges {amount} once, and now. A caller who heard "in three monthly parts", "plus tax" or "on the first" agreed to something else,
and can dispute it. Parts and promises have steps of their own (`agree`, `promise`), a fee for the card its own words.""",
    bad="""
confirm_card: "{amount:money} in three monthly parts with {brand:brand} {last4:digits}: press 1 to pay, 2 for another card."
""",
    good="""
confirm_card: "{amount:money} with {brand:brand} {last4:digits}: press 1 to pay, 2 for another card."
""",
    of="prompts",
)
IN_ANOTHERS_PLACE = rule(
    "T472",
    "value-in-anothers-place",
    what="A prompt says a value by the words of another: that {amount} is owed, or {due} was charged; or `confirm_money` does not say the amount.",
    why="""Callers know an amount by the words beside it. {due} is what is still to be paid, {amount} what was chosen or charged, {min} the least and
{max} the most that can be paid, {instalment} one part of a plan and {amount} all of it.""",
    bad="""
pay_full_balance: "You owe {max:money}; to pay it, press {key:key}."
""",
    good="""
pay_full_balance: "You owe {due:money}; to pay it, press {key:key}."
""",
    of="prompts",
)
OTHER_OUTCOME = rule(
    "T473",
    "other-outcome",
    what="A prompt that says what became of a charge says the opposite, or says as certain what is not known.",
    why="""The engine chooses these prompts by its ledger. Where `you_were_not_charged` says that the card was charged, a caller who owes nothing
less believes the bill paid; where `you_were_charged` says that it was not, they pay twice.""",
    bad="""
you_were_not_charged: "Your card was charged."
""",
    good="""
you_were_not_charged: "Your card was not charged."
""",
    of="prompts",
)
OFFER_WITHOUT_KEY = rule(
    "T474",
    "offer-without-key",
    what="The prompt of `choose_bill` does not say `{key:key}`.",
    why="""It is said once for each open bill, and each has a key of its own. A caller who hears a bill without its key cannot choose it, or
takes the key of the next one.""",
    bad="""
lookups: {billing.find_bills: {takes: [account_number]}}
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bills
    then: {found: which, not_found: retry, gave_up: not_charged}
  which:
    choose_bill: not_found_account_number
    then: {chosen: amount, none_left: not_charged, gave_up: not_charged}
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
    then: {chosen: amount, none_left: not_charged, gave_up: not_charged}
""",
)
OTHER_MONEY = rule(
    "T475",
    "other-money",
    what="A prompt names money that is not the currency of the flow.",
    why="""All amounts of a flow are in the currency of `max_amount`. A caller who is asked for dollars and keys in 1000 is charged ten pounds. Where flows
of two currencies share a prompt file, each has a wording of its own (`enter_money_for_<flow>`).""",
    bad="""
pay_full_balance: "You owe {due:money}; to pay it in euros, press {key:key}."
""",
    good="""
pay_full_balance: "You owe {due:money}; to pay it in dollars, press {key:key}."
""",
    of="prompts",
)
OTHER_AGREEMENT = rule(
    "T477",
    "other-agreement",
    what="The wording of a promise, plan or mandate says more or less than its amount, that a card is charged by it, or other terms than go on record.",
    why="""What goes on record is {amount} as it is said, and nothing is charged by it. A caller who heard "up to" or "we charge your card
then" agreed to something else. A mandate has no end ("for twelve months") and every payment is due; only key 1 agrees. A charge has steps of
its own (`collect` and `pay`), with a consent of its own.""",
    bad="""
confirm_mandate: "You allow us to collect up to {amount:money} each month, until you call it off. To agree, press 1. To choose again, press 2."
""",
    good="""
confirm_mandate: "You allow us to collect {amount:money} each month, until you call it off. To agree, press 1. To choose again, press 2."
""",
    of="prompts",
)
NUMBER_OF_ANOTHER = rule(
    "T478",
    "number-of-another",
    what="A prompt says the confirmation number of a charge together with an amount that was agreed to, or chosen, after it.",
    why="""Until then {amount} is what was charged; from then on it is the newer one, and {number} is still the charge's. The caller hears
a number for an amount that it does not belong to.""",
    bad="""
steps:
  receipt: {say: confirmation_number, then: rest}
  rest: {menu: {1: {say: offer_promise, set: bill.due, then: promise_to_pay}}}
  promise_to_pay: {promise: promise, within: 14d, then: {agreed: thanks, refused: goodbye, gave_up: goodbye}}
  # reservation_number_for_deposit says {amount:money} and {number:digits}
  thanks: {say: reservation_number_for_deposit, then: goodbye}
  goodbye: {end: paid}
""",
    good="""
steps:
  receipt: {say: confirmation_number, then: rest}
  rest: {menu: {1: {say: offer_promise, set: bill.due, then: promise_to_pay}}}
  promise_to_pay: {promise: promise, within: 14d, then: {agreed: thanks, refused: goodbye, gave_up: goodbye}}
  thanks: {say: promise_recorded, then: goodbye}
  goodbye: {end: paid}
""",
)
OTHER_RHYTHM = rule(
    "T476",
    "other-rhythm",
    what="The wording of a plan or mandate says another rhythm than the step's `every`, or none.",
    why="The wording is what the caller agrees to, and it is recorded; what is passed on to your billing system is `every`.",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: offer_mandate, set: bill.due, then: mandate}
  mandate:
    agree: mandate
    to: mandate
    every: week
    then: {agreed: not_charged, refused: not_charged}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: offer_mandate, set: bill.due, then: mandate}
  mandate:
    agree: mandate
    to: mandate
    every: month
    then: {agreed: not_charged, refused: not_charged}
""",
)
