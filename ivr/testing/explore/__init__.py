"""Walks a flow like a monkey at the keypad, holds the money rules over every walk, and shrinks what breaks one.

acts     what callers, bank and time do, as lines of a call file
bills    what callers can pay: the project's bills, and made-up ones where none fits what the flow looks up
monkey   chooses the next act at random, mostly among what a caller might do
depth    quickly, with the store as a model, or whole, with database and sealing
model    the store as a model
witness  goes with a caller: what was keyed in, agreed to and so at each turn, and what was said untruly
walk     does acts on a bench, and lets everything come to an end afterwards
rules    asks the rules of ivr.testing.rules of a walk: what must be true by the bank's books and by what callers heard
shrink   the fewest and shortest acts that still break the rule
explorer many walks, one after another
pieces   very many, on several cores
"""

from ivr.testing.explore.acts import Act, as_call_file
from ivr.testing.explore.bills import FlowBills, as_owed
from ivr.testing.explore.depth import Depth
from ivr.testing.explore.explorer import BrokenRule, Explorer
from ivr.testing.explore.pieces import Explored, explore
from ivr.testing.rules import Untrue

__all__ = [
    "Act",
    "BrokenRule",
    "Depth",
    "Explored",
    "Explorer",
    "FlowBills",
    "Untrue",
    "as_call_file",
    "as_owed",
    "explore",
]
