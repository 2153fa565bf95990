"""T479 to T481: what a flow remembers of callers who agreed to it, from one call to the next."""

from ivr.reading.rules.rule import rule

_ACCOUNT = """
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
"""
_ASKED = """
  receipt: {say: confirmation_number, repeat: 2, then: next_time}
  next_time:
    remember: remember_me
    keeps: [account]
    then: {agreed: goodbye, refused: goodbye}
  goodbye: {end: paid}
"""

NOT_ASKED = rule(
    "T479",
    "remembered-without-consent",
    what="A flow uses what is remembered of a caller (`remembered` in an expression, `remembered: offer`), and no step of it asks whether it may.",
    why="""Nothing is known of a caller who rings again unless they agreed to it, in words that are on record; that is what a `remember` step asks
for. Without one the value is always no, and no account is ever offered.""",
    bad=_ACCOUNT,
    good=_ACCOUNT + _ASKED,
)
FOR_NOTHING = rule(
    "T480",
    "remembered-for-nothing",
    what="A `remember` step keeps what the flow makes no use of, or an `ask` step offers an account that is no bill's first answer.",
    why="""What is kept of somebody has to be of use to them. An account is used where the question for it has `remembered: offer`; that is the first
answer that a look-up takes, because a PIN must never be remembered. A language is used where the flow speaks more than one.""",
    bad=_ACCOUNT.replace("    remembered: offer\n", "") + _ASKED,
    good=_ACCOUNT + _ASKED,
)
LANGUAGE_NOT_SAID = rule(
    "T481",
    "remembered-language-not-said",
    what="The wording of a `remember` step that keeps the caller's language does not say so.",
    why="""Callers agree to what they have heard. The next call begins in that language without asking, which nobody expects who has agreed to
something else. The account is said by its end, `{account_end:digits}` (T422).""",
    bad="""
languages: [en-US, es-MX]
steps:
  receipt: {say: confirmation_number, repeat: 2, then: next_time}
  next_time:
    remember: keep_card
    keeps: [language]
    then: {agreed: goodbye, refused: goodbye}
  goodbye: {end: paid}
""",
    good="""
languages: [en-US, es-MX]
steps:
  receipt: {say: confirmation_number, repeat: 2, then: next_time}
  next_time:
    remember: remember_language
    keeps: [language]
    then: {agreed: goodbye, refused: goodbye}
  goodbye: {end: paid}
""",
)
