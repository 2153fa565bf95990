"""Every kind of problem that `check` can find, by its code: T1 files, T2 values, T3 ways, T4 charges, T5 prompts, T6 advice.

Public are the names of `__all__`, and the modules `advice`, `agreements`, `fees`, `prompts`, `reading`, `spoken_charges`,
`values`.
"""

from ivr.reading.rules import (
    advice,
    agreements,
    charges,
    expressions,
    fees,
    kept_cards,
    parts,
    prompts,
    reading,
    remembering,
    reservations,
    splits,
    spoken_charges,
    values,
    ways,
)
from ivr.reading.rules.rule import RULES, Rule

__all__ = [
    "RULES",
    "Rule",
    "advice",
    "agreements",
    "charges",
    "expressions",
    "fees",
    "kept_cards",
    "parts",
    "prompts",
    "reading",
    "remembering",
    "reservations",
    "splits",
    "spoken_charges",
    "values",
    "ways",
]
