"""T2: keys and values that a flow does not have."""

from ivr.reading.rules.rule import rule

UNKNOWN_KEY = rule(
    "T201",
    "unknown-key",
    what="A key that nothing reads, or that belongs to another kind of step.",
    why="A misspelt key would otherwise be dropped in silence, and with it a limit or a confirmation that you count on.",
    bad="""
patience: {first_kye: 15s}
""",
    good="""
patience: {first_key: 15s}
""",
)
MISSING_KEY = rule(
    "T202",
    "missing-key",
    what="A key is missing that has no default.",
    why="There is no safe guess for it: `limits` without `max_amount` would charge any amount.",
    bad="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
""",
)
WRONG_SHAPE = rule(
    "T203",
    "wrong-shape",
    what="A single word stands where a list or keys are expected, or the other way round.",
    why="Brackets make a list, braces or indented lines make keys.",
    bad="""
languages: en-US
""",
    good="""
languages: [en-US]
""",
)
NOT_A_NAME = rule(
    "T204",
    "not-a-name",
    what="A flow, step, prompt or menu key has a name that cannot be used.",
    why="""Names become addresses, file names of recordings and columns of reports: small letters, digits and _ (in a flow's
name -). The keys of a menu are the digits 0 to 9; star and pound have meanings of their own.""",
    bad="""
flow: Pay My Share
""",
    good="""
flow: pay-my-share
""",
)
UNKNOWN_WORD = rule(
    "T205",
    "unknown-word",
    what="A key takes one of a few words, and has another.",
    why="The words that are expected stand in the message.",
    bad="""
keys: {clear: hash, done: pound}
""",
    good="""
keys: {clear: star, done: pound}
""",
)
WRONG_VALUE = rule(
    "T206",
    "wrong-value",
    what="A number, time, rate or length that cannot be read, or keys that do not go together.",
    why="A time has a unit (10s, 5m, 1h), a rate a count and a time (5/1h), a length one number or two (8, 8..10).",
    bad="""
patience: {first_key: 10}
""",
    good="""
patience: {first_key: 10s}
""",
)
NOT_AN_AMOUNT = rule(
    "T207",
    "not-an-amount",
    what="An amount that cannot be read, or whose currency does not exist.",
    why="""A comma separates thousands in one country and cents in the next. An amount has a decimal point, no other
separator, and the three letters of its currency, so that nobody is charged a hundred times as much.""",
    bad="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 1,200.00 USD}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 1200.00 USD}
""",
)
NOT_A_LANGUAGE = rule(
    "T208",
    "not-a-language",
    what="A language, or the name of a prompt file, is no BCP 47 tag of a language that exists.",
    why="The tag chooses the voice, the way amounts are said, and the prompt file: en-US, es-419, zh-Hant-TW.",
    bad="""
languages: [en_US]
""",
    good="""
languages: [en-US]
""",
)
NO_SUCH_LOOK_UP = rule(
    "T209",
    "no-such-look-up",
    what="The `lookup` of a question does not exist.",
    why="Without it no bill is found, and what the caller pays would belong to nothing.",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bil
    then: {found: amount, not_found: retry, gave_up: not_charged}
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
ASKS_FOR_CARD = rule(
    "T210",
    "asks-for-card",
    what="An `ask` step asks for what belongs to a card.",
    why="""Answers to `ask` are plain: they are looked up, read back and stored. A card number, expiration date or security
code is taken by a `collect` step alone, which seals it as it is keyed in.""",
    bad="""
steps:
  amount:
    ask: cvv
    length: 3
    then: {ok: card, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
TAKEN_NAME = rule(
    "T211",
    "taken-name",
    what="A question is called like a value that prompts already have.",
    why="A prompt that says {amount:money} could not tell the answer from the amount to be charged.",
    bad="""
steps:
  account:
    ask: amount
    length: 8
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
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
NO_SUCH_BRAND = rule(
    "T212",
    "no-such-brand",
    what="A card brand that does not exist here.",
    why="Its cards would never be taken, and callers would hear that their card is not accepted.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    brands: [viza]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    brands: [visa]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
TIMER_TOO_SHORT = rule(
    "T213",
    "timer-too-short",
    what="`first_key` or `between_keys` is shorter than people need to press a key.",
    why="""People look for the key, and read a card number from a card in the other hand. A caller whose time runs out
between two keys has entered a wrong number as far as the line knows, and loses a try.""",
    bad="""
patience: {first_key: 10s, between_keys: 1s}
""",
    good="""
patience: {first_key: 10s, between_keys: 6s}
""",
)
TIMER_TOO_LONG = rule(
    "T214",
    "timer-too-long",
    what="`first_key` or `between_keys` is longer than anybody waits on a telephone.",
    why="The line would seem dead, and a caller who has left it keeps it open.",
    bad="""
patience: {first_key: 5m}
""",
    good="""
patience: {first_key: 15s}
""",
)
NO_EXPIRY = rule(
    "T215",
    "no-expiry",
    what="A `collect` step does not ask for the card's expiration date.",
    why="Banks refuse a card that is keyed in without one: every call would end in a declined payment.",
    bad="""
steps:
  card:
    collect: [card_number, security_code]
    confirm: [brand, last4, amount]
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
BETWEEN_REVERSED = rule(
    "T216",
    "between-reversed",
    what="The two values of `between` are the wrong way round, or the same.",
    why="The smallest comes first. The other way round no amount fits: callers would hear that it cannot be paid, and be asked for none.",
    bad="""
steps:
  amount:
    ask: money
    between: [bill.due, bill.min]
    then: {ok: card, gave_up: not_charged}
""",
    good="""
steps:
  amount:
    ask: money
    between: [bill.min, bill.due]
    then: {ok: card, gave_up: not_charged}
""",
)
NO_SUCH_VALUE = rule(
    "T217",
    "no-such-value",
    what="An expression names a value that the flow does not have, or that no look-up gives.",
    why="""A look-up gives bill.due, which is what is owed, and bill.min, the least that can be paid; what else it gives is declared under
`lookups`. An answer goes by the name of its question, and a `set` step makes values of its own.""",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.total, then: card}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
)
NOT_A_KEY = rule(
    "T230",
    "not-a-key",
    what="A question has a `lookup` that does not take its answer.",
    why="""`lookups` says which answers a look-up takes. The last of them that is asked for has the `lookup`; the others are
asked for by steps before it.""",
    bad="""
lookups: {billing.find_bill: {takes: [customer_number, pin]}}
steps:
  account:
    ask: account_number
    length: 8
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
NO_SUCH_COUNTRY = rule(
    "T231",
    "no-such-country",
    what="`postal_codes` names a country whose postal codes are not known here.",
    why="A code is taken by the number of its digits; that of an unknown country would be refused to every caller.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code, postal_code]
    postal_codes: [US, UK]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code, postal_code]
    postal_codes: [US, GB, CA]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
NOT_A_PATTERN = rule(
    "T232",
    "not-a-pattern",
    what="`pattern` says what stands at each place of an answer, and this cannot be read as that.",
    why="""L is a letter, D a digit, X either; blanks and hyphens are left out. An answer of digits alone is asked for without
`letters`: it is half as many keys.""",
    bad="""
steps:
  ticket:
    ask: ticket
    letters: two_key
    pattern: AA 999 999
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
    good="""
steps:
  ticket:
    ask: ticket
    letters: two_key
    pattern: LL DDD DDD
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
)
PATTERNS_ALIKE = rule(
    "T233",
    "patterns-alike",
    what="Two patterns of an answer have the same keys for different answers.",
    why="""A letter is two keys and a digit one, so that 2, 3 is a C in one pattern and two digits in another. Nobody could tell which
was meant. At a place where one pattern has a letter and the other a digit, X takes both, with two keys each.""",
    bad="""
steps:
  ticket:
    ask: ticket
    letters: two_key
    pattern: [LD DDD, DD LDD]
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
    good="""
steps:
  ticket:
    ask: ticket
    letters: two_key
    pattern: XD XDD
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
)
FIELD_OF_NO_BRAND = rule(
    "T234",
    "field-of-no-brand",
    what="`collect` asks for a start date or an issue number, and no card of the `brands` has one.",
    why="Only Maestro cards are asked for them: others have none, and their callers would look for it in vain.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code, start_date]
    brands: [visa, mastercard]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code, start_date]
    brands: [visa, mastercard, maestro]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
)
