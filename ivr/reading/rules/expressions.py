"""T22: what is computed and compared, and the hours that it depends on."""

from ivr.reading.rules.rule import rule

NOT_AN_EXPRESSION = rule(
    "T220",
    "not-an-expression",
    what="A condition or a computed value cannot be read.",
    why="""An expression joins values by words and signs: `bill.due - 5 %`, `today <= 2026-12-31 and bill.due > 5.00 USD`. There
is no code in it. An amount has a decimal point and no other separator: 1000.00 USD. In brackets and braces of YAML an expression
with a comma or a bracket stands in quotes.""",
    bad="""
steps:
  amount: {set: {amount: bill.due minus 5 %}, then: card}
""",
    good="""
steps:
  amount: {set: {amount: bill.due - 5 %}, then: card}
""",
)
TYPES_DIFFER = rule(
    "T221",
    "types-differ",
    what="An expression compares or adds what does not go together, or gives a value of another type than is needed.",
    why="""An amount has a currency, days a unit, and digits that were keyed in are a text: 5 is no amount, and 12 is not "12".
A condition is yes or no, an amount to pay is money.""",
    bad="""
steps:
  amount: {set: {amount: bill.due - 5}, then: card}
""",
    good="""
steps:
  amount: {set: {amount: bill.due - 5.00 USD}, then: card}
""",
)
ANOTHER_CURRENCY = rule(
    "T222",
    "another-currency",
    what="An amount in an expression is in another currency than `max_amount`.",
    why="A flow charges in one currency; two currencies are neither compared nor added.",
    bad="""
steps:
  amount: {set: {amount: bill.due - 5.00 EUR}, then: card}
""",
    good="""
steps:
  amount: {set: {amount: bill.due - 5.00 USD}, then: card}
""",
)
NO_TIME_ZONE = rule(
    "T223",
    "no-time-zone",
    what="An expression asks for `today`, `now`, `weekday` or `open`, and the flow has no time zone or no hours.",
    why="""When it is midnight for you it is not for the machine that answers. `hours: {zone: America/New_York}` says whose
clock is meant, and `days` when you are open.""",
    bad="""
steps:
  amount:
    when: [{if: today <= 2026-12-31, then: discounted}]
    else: full
  discounted: {set: {amount: bill.due - 5 %}, then: card}
  full: {set: {amount: bill.due}, then: card}
""",
    good="""
hours: {zone: America/New_York}
steps:
  amount:
    when: [{if: today <= 2026-12-31, then: discounted}]
    else: full
  discounted: {set: {amount: bill.due - 5 %}, then: card}
  full: {set: {amount: bill.due}, then: card}
""",
)
NO_SUCH_ZONE = rule(
    "T224",
    "no-such-zone",
    what="`hours` names a time zone that does not exist.",
    why="""A zone has the name of a place that it belongs to, so that the clock is changed in spring and autumn as it is there.
EST and offsets such as +01:00 are not changed.""",
    bad="""
hours: {zone: America/NewYork}
""",
    good="""
hours: {zone: America/New_York}
""",
)
NOT_HOURS = rule(
    "T225",
    "not-hours",
    what="The days or hours of `hours` cannot be read.",
    why="""Write a day of the week, or the first and the last of several, and the hours from opening to closing on the clock of 24
hours. Hours that end before they begin run into the next day; `0:00-24:00` is all of a day.""",
    bad="""
hours: {zone: America/New_York, days: {mon-fri: 8am-5pm}}
""",
    good="""
hours: {zone: America/New_York, days: {monday..friday: 8:00-17:00}}
""",
)
NOT_A_HOLIDAY = rule(
    "T226",
    "not-a-holiday",
    what="A holiday is no date that exists, and no rule for one.",
    why="""The date 2026-12-24 is one day, 12-25 is that day of every year, and '4th thursday of november' or 'last monday of
may' is reckoned for each year.""",
    bad="""
hours: {zone: America/New_York, holidays: [12/25]}
""",
    good="""
hours: {zone: America/New_York, holidays: [12-25]}
""",
)
NO_SUCH_CALENDAR = rule(
    "T235",
    "no-such-calendar",
    what="`holidays` names a calendar that cannot be had.",
    why="""A calendar is a file in `parts/` with holidays that several flows share: `calendar: us_federal` and `days: [...]`. A
calendar that is misspelt would leave the line open on every holiday.""",
    bad="""
hours: {zone: America/New_York, holidays: [us_federl]}
""",
    good="""
hours: {zone: America/New_York, holidays: [us_federal]}
""",
)
NEVER_YES = rule(
    "T228",
    "never-yes",
    what="A condition can never be yes: what it asks for excludes itself, or compares fixed values; or one above it is yes whenever it is.",
    why="""The way behind it would never be taken, and nobody would notice. Mostly two dates or amounts are the wrong way round. Hours over
midnight are two halves of a night, joined by `or`: `now >= 22:00 or now < 6:00`.""",
    bad="""
hours: {zone: America/New_York}
steps:
  amount:
    when: [{if: today >= 2026-12-31 and today <= 2026-12-01, then: discounted}]
    else: full
  discounted: {set: {amount: bill.due - 5 %}, then: card}
  full: {set: {amount: bill.due}, then: card}
""",
    good="""
hours: {zone: America/New_York}
steps:
  amount:
    when: [{if: today >= 2026-12-01 and today <= 2026-12-31, then: discounted}]
    else: full
  discounted: {set: {amount: bill.due - 5 %}, then: card}
  full: {set: {amount: bill.due}, then: card}
""",
)
SET_AS_TWO = rule(
    "T227",
    "set-as-two",
    what="A value is set as one type in one step and as another in another step, or has the name of another value.",
    why="A prompt or a condition that uses it could not know what it says.",
    bad="""
steps:
  amount: {set: {reduced: bill.due - 5 %}, then: full}
  full: {set: {reduced: 2026-12-31, amount: bill.due}, then: card}
""",
    good="""
steps:
  amount: {set: {reduced: bill.due - 5 %}, then: full}
  full: {set: {amount: bill.due}, then: card}
""",
)
NEVER_THAT_VALUE = rule(
    "T457",
    "never-that-value",
    what="A condition compares a value with something that it can never be: a language that the flow does not speak, or an answer that nobody can key in.",
    why="""The comparison would come out the same in every call, and nobody would notice. An answer to `ask` has as many digits as its
`length` says, and no letters without `letters`; a caller's language is one of `languages`.""",
    bad="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: whose, not_found: retry, gave_up: not_charged}
  whose:
    when: [{if: account_number starts with "A9", then: not_charged}]
    else: amount
""",
    good="""
steps:
  account:
    ask: account_number
    length: 8
    lookup: billing.find_bill
    then: {found: whose, not_found: retry, gave_up: not_charged}
  whose:
    when: [{if: account_number starts with "29", then: not_charged}]
    else: amount
""",
)
