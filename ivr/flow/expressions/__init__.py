"""What a merchant may compute and compare in a flow: a small language of typed values, without code.

    bill.due - 5 %                          money
    2 % of bill.due + 1.50 USD              money
    today + 2 weeks                         date
    today <= bill.discount_until and open   yes or no
    account_number starts with "9"          yes or no
    language in [es-MX, es-419]             yes or no

Words and precedence are in `grammar`, types in `kinds` and `types`, what holds in every call in `bounds`, `contradictions` and `worlds`. An expression is read once, checked by its types when the flow is
checked, and evaluated by the values of a call; time and place of the call are values like others.

Public are the names of `__all__`, and the module `bounds`.
"""

from ivr.flow.expressions.contradictions import NeverYes, always_yes, never_yes
from ivr.flow.expressions.evaluating import evaluate
from ivr.flow.expressions.grammar import (
    LONGEST,
    Expression,
    Literal,
    Name,
    Operation,
    UnreadableFormula,
    leaves_of,
    names_in,
    read_expression,
)
from ivr.flow.expressions.kinds import BUILT_IN, IN_WORDS, TIMED, Type
from ivr.flow.expressions.types import Mistyped, Typed, type_of
from ivr.flow.expressions.worlds import is_reached, same_in_every_call

__all__ = [
    "BUILT_IN",
    "IN_WORDS",
    "LONGEST",
    "TIMED",
    "Expression",
    "Literal",
    "Mistyped",
    "Name",
    "NeverYes",
    "Operation",
    "Type",
    "Typed",
    "UnreadableFormula",
    "always_yes",
    "evaluate",
    "is_reached",
    "leaves_of",
    "names_in",
    "never_yes",
    "read_expression",
    "same_in_every_call",
    "type_of",
]
