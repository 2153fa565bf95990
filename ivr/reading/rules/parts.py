"""T32: parts that flows use (`use:`), what they take and how they are left."""

from ivr.reading.rules.rule import rule

_USED = """
start: sign_in
steps:
  sign_in:
    use: authenticate
    then: {known: amount, not_known: not_charged}
"""

NO_SUCH_PART = rule(
    "T321",
    "no-such-part",
    what="`use` names a part that no file in `parts/`, beside the flow, has.",
    why="The steps of the part stand in the place of the step that uses it: without them the call cannot go on.",
    bad=_USED.replace("authenticate", "autenticate"),
    good=_USED,
)
PART_IN_ITSELF = rule(
    "T322",
    "part-in-itself",
    what="A part uses itself, perhaps through another one.",
    why="Its steps would stand in the place of one of its own steps, and so on without an end.",
    bad=_USED.replace("authenticate", "again_and_again"),
    good=_USED,
)
NO_SUCH_PARAMETER = rule(
    "T323",
    "no-such-parameter",
    what="`with` sets something that the part does not take, or a step of a part names a `$parameter` that is not in its `takes`.",
    why="It would change nothing, while whoever wrote it believes that it does.",
    bad=_USED.replace("    then:", "    with: {lenght: 8}\n    then:"),
    good=_USED.replace("    then:", "    with: {length: 8}\n    then:"),
)
PARAMETER_MISSING = rule(
    "T324",
    "parameter-missing",
    what="A part takes something for which it has no default, and the step that uses it does not set it.",
    why="The steps of the part cannot be read without it.",
    bad="""
steps:
  not_charged: {use: say_goodbye, then: {done: bye}}
  bye: {end: unpaid}
""",
    good="""
steps:
  not_charged: {use: say_goodbye, with: {words: you_were_not_charged}, then: {done: bye}}
  bye: {end: unpaid}
""",
)
OUTCOME_NEVER = rule(
    "T325",
    "outcome-never",
    what="A part declares an outcome to which none of its steps leads.",
    why="Every flow that uses the part has to say where it goes, and no call ever goes there.",
    bad=_USED.replace("authenticate", "without_an_end"),
    good=_USED,
)
OUTCOME_IS_STEP = rule(
    "T326",
    "outcome-is-step",
    what="A part has a step and an outcome of the same name.",
    why="Nobody could tell whether a way leads to the step or out of the part.",
    bad=_USED.replace("authenticate", "two_of_a_name"),
    good=_USED,
)
PART_DOES_NOT_GIVE = rule(
    "T327",
    "part-does-not-give",
    what="A part says in `gives` that a value is known after an outcome, and there is a way to the outcome on which it is not.",
    why="A flow that says the value there would break off in the middle of the call.",
    bad=_USED.replace("authenticate", "promises_too_much"),
    good=_USED,
)
