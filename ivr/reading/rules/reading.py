"""T1: what is wrong with a file before anything in it is understood."""

from ivr.reading.rules.rule import rule

NOT_YAML = rule(
    "T101",
    "not-yaml",
    what="The file is not YAML. Only the first such place is reported: what follows it cannot be read.",
    why="""Colons, tabs, stars and # mean something in YAML. A text with a colon in it needs quotes, lines that belong
together begin in the same column, and # begins a comment wherever a space stands before it.""",
    bad="""
welcome: Welcome: this is our payment line.
""",
    good="""
welcome: "Welcome: this is our payment line."
""",
    of="prompts",
)
NOT_TEXT = rule(
    "T102",
    "not-text",
    what="The file is no text in UTF-8, or holds a character that cannot be printed.",
    why="""Such characters come from copied documents and from files saved in an older encoding. They would be invisible
here and be spoken wrongly to callers.""",
    bad="""
welcome: "Welcome\\e to our payment line."
""",
    good="""
welcome: "Welcome to our payment line."
""",
    of="prompts",
)
TOO_LARGE = rule(
    "T103",
    "too-large",
    what="The file is larger, or nested more deeply, than any flow needs to be.",
    why="A file so large is here by mistake, and reading it would take seconds.",
    bad="""
keys: [[[[[[[[[[[[[[[[[[[[[[star]]]]]]]]]]]]]]]]]]]]]]
""",
    good="""
keys: {clear: star, done: pound}
""",
)
WRITTEN_TWICE = rule(
    "T104",
    "written-twice",
    what="The same key, step or flow name is there twice.",
    why="YAML would keep the second and drop the first without a word. Here nobody guesses which is meant: remove one.",
    bad="""
steps:
  card:
    collect: [card_number, expiry, security_code]
    confirm: [brand, last4, amount]
    confirm: [brand]
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
ANCHOR = rule(
    "T105",
    "anchor",
    what="The file uses an anchor (&name) or an alias (*name) of YAML.",
    why="""A flow says everything where it holds, so that it can be read from top to bottom. An alias is mostly meant as the
star key, which is written as a word.""",
    bad="""
keys: {clear: &key star, done: *key }
""",
    good="""
keys: {clear: star, done: pound}
""",
)
KEY_NOT_A_WORD = rule(
    "T106",
    "key-not-a-word",
    what="A list or a mapping stands where YAML expects a key.",
    why="It often comes from a brace or a bracket too many.",
    bad="""
keys: {[clear]: star}
""",
    good="""
keys: {clear: star}
""",
)
NOTHING_WRITTEN = rule(
    "T107",
    "nothing-written",
    what="The file is empty, or is not keys with values, where a flow, its steps or prompts are expected.",
    why="A flow begins with `flow: <name>` and has its steps under `steps:`; a prompt file has a name and words in each line.",
    bad="""
steps: none
""",
    good="""
steps:
  not_charged: {end: unpaid}
""",
)
