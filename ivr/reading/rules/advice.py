"""T6: what a flow's author should think over, although the flow can be used."""

from ivr.reading.rules.rule import rule

LONG_SILENCE = rule(
    "T601",
    "long-silence",
    what="A caller who presses nothing is kept at one question for more than three minutes.",
    why="People hang up sooner; what is left is a line that is kept open for nobody, and paid for.",
    bad="""
patience: {first_key: 30s, tries: 4, slow_mode: true}
""",
    good="""
patience: {first_key: 10s, tries: 3, slow_mode: true}
""",
    is_advice=True,
)
MANY_TRIES = rule(
    "T602",
    "many-tries",
    what="More than five tries at one question.",
    why="""A caller who has failed three times needs another way to pay, not a fourth try; and every try is a guess for somebody who
guesses.""",
    bad="""
patience: {first_key: 5s, tries: 8}
""",
    good="""
patience: {first_key: 5s, tries: 3}
""",
    is_advice=True,
)
LIMITS_NOT_SAID = rule(
    "T603",
    "limits-not-said",
    what="The flow does not say how many attempts a caller and a card have.",
    why="The defaults hold (5/1h and 3/24h). They are your protection from card testing: say what you want.",
    bad="""
limits: {max_amount: 200.00 USD}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
""",
    is_advice=True,
)
LIMITS_TOO_WIDE = rule(
    "T604",
    "limits-too-wide",
    what="A limit of attempts is so wide that it limits nothing.",
    why="""Stolen card numbers are tried out on lines such as this one, a few hundred an hour, and the fees and the
chargebacks are yours. Nobody needs more than a handful of attempts to pay a bill.""",
    bad="""
limits: {attempts_per_caller: 500/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
""",
    good="""
limits: {attempts_per_caller: 5/1h, attempts_per_card: 3/24h, max_amount: 200.00 USD}
""",
    is_advice=True,
)
LONG_AS_CARD = rule(
    "T605",
    "long-as-card",
    what="An answer may be as long as a card number.",
    why="""An answer that could be a card number is dropped before it is looked up, stored or spoken, so an account number
that happens to look like one is refused. A narrower length spares that.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 1..32
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
    good="""
steps:
  account:
    ask: account_number
    length: 8..10
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
""",
    is_advice=True,
)
LONG_AS_CODE = rule(
    "T606",
    "long-as-code",
    what="Three or four digits are asked for after a card, or may be, in the clear.",
    why="Callers take the question for that of the security code, which must never be kept. A `collect` step seals it.",
    bad="""
steps:
  card:
    collect: [card_number, expiry]
    confirm: [brand, last4, amount]
    then: {ok: digits, cancelled: not_charged, gave_up: not_charged}
  digits:
    ask: account_number
    length: 3
    then: {ok: charge, gave_up: not_charged}
""",
    good="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    then: {ok: charge, cancelled: not_charged, gave_up: not_charged}
""",
    is_advice=True,
)
SOUNDS_LIKE_CARD = rule(
    "T607",
    "sounds-like-card",
    what="A question sounds like a payment card or its PIN.",
    why="""A library card is fine, a payment card is not: answers to `ask` are plain. A card's PIN must never be asked for; a
PIN of your own contract is declared among what a look-up `takes`.""",
    bad="""
steps:
  account:
    ask: member_card
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
    is_advice=True,
)
KEY_NOT_SAID = rule(
    "T608",
    "key-not-said",
    what="A prompt on a menu's key does not say which key to press.",
    why="The caller waits for the rest of the sentence, and then for nothing.",
    bad="""
pay_full_balance: "You can pay {due:money} now."
""",
    good="""
pay_full_balance: "To pay {due:money} now, press {key:key}."
""",
    of="prompts",
    is_advice=True,
)
LONG_PROMPT = rule(
    "T609",
    "long-prompt",
    what="A prompt takes more than half a minute to say (450 characters).",
    why="Callers do not remember how it began. Two short sentences at two steps are heard.",
    bad=f"""
welcome: "{"Please listen to our terms of payment, which have changed. " * 8}"
""",
    good="""
welcome: "Welcome to our payment line."
""",
    of="prompts",
    is_advice=True,
)
NOT_SPOKEN = rule(
    "T610",
    "language-not-spoken",
    what="There are prompts in a language that no flow of the folder speaks.",
    why="Nobody will hear them, and nothing in them is checked.",
    bad="""
languages: [en-US]
""",
    good="""
languages: [en-US, es-MX]
""",
    is_advice=True,
)
YES_NOT_FOUND = rule(
    "T611",
    "yes-not-found",
    what="In a language whose words are not read, no digit 1 was found in a prompt that asks yes or no.",
    why="English and Spanish are read word by word; in other languages only digits are. Write the key as a digit to be sure.",
    bad="""
confirm_card: "{amount:money}, {brand:brand}, {last4:digits}: appuyez sur un."
""",
    good="""
confirm_card: "{amount:money}, {brand:brand}, {last4:digits}: appuyez sur 1."
""",
    of="prompts",
    is_advice=True,
)
NO_SECURITY_CODE = rule(
    "T612",
    "no-security-code",
    what="A `collect` step does not ask for the card's security code.",
    why="""Most banks decline a card that is keyed in without it, or charge more for it, and a stolen number alone is then
enough to pay. Leave it out only where your bank has agreed to it.""",
    bad="""
steps:
  card:
    collect: [card_number, expiry]
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
    is_advice=True,
)
SHORT_TIMER = rule(
    "T613",
    "short-timer",
    what="`first_key` or `between_keys` is shorter than slow callers need.",
    why="Older callers, and all who read a number from a card or a letter, take three to five seconds between two keys.",
    bad="""
patience: {first_key: 10s, between_keys: 3s}
""",
    good="""
patience: {first_key: 10s, between_keys: 6s}
""",
    is_advice=True,
)
GUESSING_BETWEEN = rule(
    "T614",
    "guessing-between",
    what="A caller who has found one bill can come back to the look-up without having paid, as often as they like.",
    why="""Each time all tries begin again, so account numbers can be guessed between two looks at one's own. Lead back to
the look-up only after an approved charge.""",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
      2: {say: pay_another_amount, then: account}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
    is_advice=True,
)
WORDING_OF_NOTHING = rule(
    "T615",
    "wording-of-nothing",
    what="A prompt is named as another wording of a prompt, or for a step, a flow or an error, that does not exist, or has its endings in another order than they are asked for in.",
    why="""A prompt such as `enter_money_again` is said in place of `enter_money` the second time (docs/prompts.md, "Other wordings"). With a
slip in the name nobody ever hears it.""",
    bad="""
enter_acount_number_again: "Your account number, please."
""",
    good="""
enter_account_number_again: "Your account number, please."
""",
    of="prompts",
    is_advice=True,
)
CONSENT_NOT_READ = rule(
    "T616",
    "consent-not-read",
    what="The prompt that asks for consent is in a language whose words are not read.",
    why="""In English and Spanish key 1 has to say that it pays. In other languages only digits are read, so that nothing but a
speaker can tell whether a caller who presses 1 means to pay. Let one read it; the advice stays.""",
    bad="""
confirm_card: "{amount:money}, {brand:brand}, {last4:digits}. Pour payer, appuyez sur 1."
""",
    good="""
confirm_card: "{amount:money}, {brand:brand}, {last4:digits}. To pay, press 1."
""",
    of="prompts",
    is_advice=True,
)
OUTCOMES_NOT_READ = rule(
    "T646",
    "outcomes-not-read",
    what="The prompts that say what became of a charge are in a language of which this is read in part, or not at all.",
    why="""In English and Spanish `check` refuses a prompt that says "paid" where nothing was charged. In French and German it knows
the plainest words of it, in other languages none. Let a speaker read them beside the English ones; the advice stays.""",
    bad="""
confirmation_number: "Pagamento rifiutato. Numero {number:digits}."
""",
    good="""
confirmation_number: "Your payment went through. Your number is {number:digits}."
""",
    of="prompts",
    is_advice=True,
)
CUT_AT_A_COMMENT = rule(
    "T617",
    "cut-at-a-comment",
    what="A prompt without quotes ends at a `#`, and what follows looks like the rest of its words.",
    why="""For YAML a comment begins at a # with a blank before it, so that callers would hear half a sentence and nobody would see an
error. A prompt stands in quotes; a remark on it goes on a line of its own.""",
    bad="""
goodbye: Thank you. If you need us again, press # to start again.
""",
    good="""
goodbye: "Thank you. If you need us again, press # to start again."
""",
    of="prompts",
    is_advice=True,
)
MORE_THAN_DUE = rule(
    "T640",
    "more-than-due",
    what="An amount to pay is computed that is, or may be, more than what is due.",
    why="""Nobody is charged more than is due. The amount would be lowered to what is due, so that a fee is never paid: add fees to
the bill in your billing system.""",
    bad="""
steps:
  amount: {set: {amount: bill.due + 2 %}, then: card}
""",
    good="""
steps:
  amount: {set: {amount: bill.due}, then: card}
""",
    is_advice=True,
)
HOURS_INTO_NEXT_DAY = rule(
    "T642",
    "hours-into-next-day",
    what="Hours of a day end the next morning, and look like those of a day: the line is open all night.",
    why="""Hours are those of a clock of 24 hours: `9:00-5:00` is open until five the next morning. Until five in the afternoon is
`9:00-17:00`. `18:00-8:00` is open at night and closed by day; a line for the night alone says so as `[0:00-8:00, 18:00-24:00]`.""",
    bad="""
hours: {zone: America/New_York, days: {monday..friday: 9:00-5:00}}
""",
    good="""
hours: {zone: America/New_York, days: {monday..friday: 9:00-17:00}}
""",
    is_advice=True,
)
KEY_OF_ALL_QUESTIONS = rule(
    "T641",
    "key-of-all-questions",
    what="A menu uses key 9 or 0, which say the question again and help at every other question.",
    why="""Callers are told so once, in the greeting. The menu keeps its key, and a caller who asks for help there chooses
something.""",
    bad="""
steps:
  amount:
    menu:
      9: {say: pay_full_balance, set: bill.due, then: card}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
    is_advice=True,
)
ALWAYS_YES = rule(
    "T644",
    "always-yes",
    what="A condition, or a part of one, is yes in every call, or changes nothing beside the other parts.",
    why="""It decides nothing: what stands behind `else`, or behind the conditions below it, may never be reached. Nothing is due less than
nothing, and the least of a bill is never more than what is due.""",
    bad="""
steps:
  amount:
    when: [{if: bill.due >= bill.min, then: full}]
    else: half
  full: {set: {amount: bill.due}, then: card}
  half: {set: {amount: bill.min}, then: card}
""",
    good="""
steps:
  amount:
    when: [{if: bill.due > bill.min, then: full}]
    else: half
  full: {set: {amount: bill.due}, then: card}
  half: {set: {amount: bill.min}, then: card}
""",
    is_advice=True,
)
ZONE_BY_ABBREVIATION = rule(
    "T645",
    "zone-by-abbreviation",
    what="The time zone of `hours` is an abbreviation or an offset, such as EST or Etc/GMT+5, and no place.",
    why="""Most of them have the same time all year: in summer the line would open and close an hour late. A place, such as
America/New_York or America/Panama, has the clock that people there live by.""",
    bad="""
hours: {zone: EST}
""",
    good="""
hours: {zone: America/New_York}
""",
    is_advice=True,
)
OFFERED_BY_NUMBER = rule(
    "T647",
    "account-offered-by-number",
    what="An account that is remembered is offered to whoever rings from its number, and its look-up takes no second answer.",
    why="""A telephone number can be forged. Whoever does so hears the end of the account, and with one key what is due on it, without knowing the
account. With a second answer, such as a PIN, which is asked for all the same, they hear the end of the account alone.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    remembered: offer
    lookup: billing.find_bill
    then: {found: amount, not_found: retry, gave_up: not_charged}
  receipt: {say: confirmation_number, repeat: 2, then: next_time}
  next_time:
    remember: remember_me
    keeps: [account]
    then: {agreed: goodbye, refused: goodbye}
  goodbye: {end: paid}
""",
    good="""
lookups:
  billing.find_bill: {takes: [account_number, pin]}
steps:
  account:
    ask: account_number
    length: 8
    remembered: offer
    then: {ok: pin, gave_up: not_charged}
  pin:
    ask: pin
    length: 4
    lookup: billing.find_bill
    then: {found: amount, not_found: account, gave_up: not_charged}
  receipt: {say: confirmation_number, repeat: 2, then: next_time}
  next_time:
    remember: remember_me
    keeps: [account]
    then: {agreed: goodbye, refused: goodbye}
  goodbye: {end: paid}
""",
    is_advice=True,
)
