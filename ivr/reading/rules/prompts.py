"""T5: prompts that are missing, cannot be said, or say what is not so."""

from ivr.reading.rules.rule import rule

NO_PROMPT_FILE = rule(
    "T501",
    "no-prompt-file",
    what="A flow speaks a language that has no prompt file.",
    why="Callers who choose it would hear nothing.",
    bad="""
languages: [en-US, fr-CA]
""",
    good="""
languages: [en-US, es-MX]
""",
)
PROMPT_MISSING = rule(
    "T502",
    "prompt-missing",
    what="A prompt that the flow speaks is not in the prompt file of one of its languages.",
    why="""The call would end with an apology at that place. It is reported where the flow names the prompt, or at `languages` where no
key does: the product says some prompts by itself. `flows/prompts` of the product has words for those, to copy.""",
    bad="""
steps:
  amount:
    menu:
      1: {say: pay_the_lot, set: bill.due, then: card}
""",
    good="""
steps:
  amount:
    menu:
      1: {say: pay_full_balance, set: bill.due, then: card}
""",
)
PROMPT_TOO_EARLY = rule(
    "T503",
    "prompt-too-early",
    what="A prompt says a value that is not known yet, or not on every way to where it is said.",
    why="The brand is known once a card was taken, what is due once a bill was found, the number once a charge was approved.",
    bad="""
pay_full_balance: "To pay {due:money} with your {brand:brand} card, press {key:key}."
""",
    good="""
pay_full_balance: "To pay {due:money}, press {key:key}."
""",
    of="prompts",
)
NO_SUCH_SLOT = rule(
    "T504",
    "no-such-slot",
    what="A prompt has a slot whose value does not exist, or is never filled in there.",
    why="The call would break at this sentence.",
    bad="""
pay_full_balance: "You owe {deu:money}. To pay it, press {key:key}."
""",
    good="""
pay_full_balance: "You owe {due:money}. To pay it, press {key:key}."
""",
    of="prompts",
)
WRONG_KIND = rule(
    "T505",
    "wrong-kind",
    what="A slot says a value as what it is not.",
    why="""An amount said as digits is "4, 2, ., 5"; a confirmation number said as a date breaks the call after the card has
been charged.""",
    bad="""
confirmation_number: "You paid {amount:money}. Your number is {number:date}."
""",
    good="""
confirmation_number: "You paid {amount:money}. Your number is {number:digits}."
""",
    of="prompts",
)
NOT_A_SLOT = rule(
    "T506",
    "not-a-slot",
    what="Braces in a prompt that are no slot, or a kind of slot that does not exist.",
    why="A slot is {value:kind}, such as {due:money}. The kinds are in docs/prompts.md.",
    bad="""
welcome: "Welcome to {our payment line}."
""",
    good="""
welcome: "Welcome to our payment line."
""",
    of="prompts",
)
NO_WORDS = rule(
    "T507",
    "no-words",
    what="A prompt has no words.",
    why="The caller hears silence and waits, or hangs up.",
    bad="""
welcome: " "
""",
    good="""
welcome: "Welcome to our payment line."
""",
    of="prompts",
)
PROMPT_NOT_TEXT = rule(
    "T508",
    "prompt-not-text",
    what="A prompt is a list or has keys below it, where its words are expected.",
    why="""A prompt is one text. One that begins with a brace or a bracket, such as {done:key}, or has a colon and a space in it, needs quotes
round all of it.""",
    bad="""
welcome: [Welcome, to our payment line.]
""",
    good="""
welcome: "Welcome, to our payment line."
""",
    of="prompts",
)
TOO_LONG = rule(
    "T509",
    "prompt-too-long",
    what="A prompt takes more than a minute to say (1,000 characters).",
    why="Nobody remembers how it began. What has to be said at such length belongs into a letter.",
    bad=f"""
welcome: "{"Please listen to our terms of payment, which have changed. " * 18}"
""",
    good="""
welcome: "Welcome to our payment line."
""",
    of="prompts",
)
TEXT_TOO_LONG = rule(
    "T510",
    "text-too-long",
    what="A text message has more than 1,600 characters.",
    why="Twilio refuses it, and the caller never gets the receipt.",
    bad=f"""
receipt_sms: "Paid: {{amount:written}}, {{number:written}}. {"Our terms of payment have changed. " * 46}"
""",
    good="""
receipt_sms: "Paid: {amount:written}. Confirmation number: {number:written}."
""",
    of="prompts",
)
LOST_IN_TRANSLATION = rule(
    "T511",
    "lost-in-translation",
    what="A prompt does not say a value that it says in another language.",
    why="Callers of one language would not hear an amount or a number that all others hear.",
    bad="""
pay_full_balance: "To pay what is due, press {key:key}."
""",
    good="""
pay_full_balance: "To pay {due:money}, press {key:key}."
""",
    of="prompts",
)
OTHER_KEY = rule(
    "T512",
    "other-key",
    what="A prompt says another key than the one that is taken, or asks callers to speak.",
    why="Callers press what they hear. {key:key} is always the right one, also when the menu changes. Nothing hears a caller who speaks.",
    bad="""
pay_full_balance: "Your balance is {due:money}. To pay it in full, press 5."
""",
    good="""
pay_full_balance: "Your balance is {due:money}. To pay it in full, press {key:key}."
""",
    of="prompts",
)
CONSENT_INCOMPLETE = rule(
    "T513",
    "consent-incomplete",
    what="The prompt that asks for consent does not say the amount, the brand, or the last four digits.",
    why="A caller agrees to what they have heard. What was not said was not agreed to, and can be disputed.",
    bad="""
confirm_card: "You are paying with your {brand:brand} card ending in {last4:digits}. To pay now, press 1. To change it, press 2."
""",
    good="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. To pay now, press 1. To change it, press 2."
""",
    of="prompts",
)
KEYS_SWAPPED = rule(
    "T514",
    "keys-swapped",
    what="A prompt offers its two keys the wrong way round, asks for consent without saying that key 1 pays, or says that nothing is charged.",
    why="""1 is yes and 2 is no in every flow. A caller who presses 2 to pay is not charged; one who presses 1 to stop is. Each word beside
key 1 has to be a known one, because no list of refusals is complete: the message names the one that is not.""",
    bad="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. To enter another card, press 1. To pay now, press 2."
""",
    good="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. To pay now, press 1. To enter another card, press 2."
""",
    of="prompts",
)
DEAD_KEY = rule(
    "T515",
    "dead-key",
    what="A prompt that asks yes or no says a key that does nothing there.",
    why="1 is yes and 2 is no; a caller who presses anything else loses a try.",
    bad="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. To pay now, press 1. To stop, press 3."
""",
    good="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. To pay now, press 1. To stop, press 2."
""",
    of="prompts",
)
YES_NOT_SAID = rule(
    "T516",
    "yes-not-said",
    what="A prompt that asks yes or no does not say which key is yes.",
    why="A caller who does not know the key cannot agree, and gives up after three silences.",
    bad="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. Is that right?"
""",
    good="""
confirm_card: "You are paying {amount:money} with your {brand:brand} card ending in {last4:digits}. If that is right, press 1."
""",
    of="prompts",
)
RECEIPT_INCOMPLETE = rule(
    "T517",
    "receipt-incomplete",
    what="The prompt `confirmation_number` does not say the number.",
    why="""It is the caller's receipt, and the last that they hear of a call's one charge: without the number they have
nothing to ask by.""",
    bad="""
confirmation_number: "Thank you for your payment of {amount:money}."
""",
    good="""
confirmation_number: "Paid. Confirmation {number:digits}."
""",
    of="prompts",
)
