"""Random calls over several flows and one set of bills: callers who hang up, ring again and call at the same moment, a bank
that does what it likes, and afterwards every cent, every ending, every promise and every text looked at.

`Street` lets the calls happen; `judge` looks at them. What is true is taken from the bank's own books and from what each
caller chose, never from our ledger.
"""

from tests.street.judge import Report, Untrue, judge
from tests.street.world import Street

__all__ = ["Report", "Street", "Untrue", "judge"]
