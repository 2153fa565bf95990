"""One kind of problem that `check` can find: its code, and what a person has to know of it. Nothing is found here."""

from dataclasses import dataclass
from typing import Literal

Written = Literal["flow", "prompts"]


@dataclass(frozen=True)
class Rule:
    """`code` and `name` never change their meaning; a rule that is given up leaves its code unused.

    `bad` and `good` are parts of a flow, or of a prompt file (`of`): keys at the top, or steps under `steps:`. Put into the
    smallest flow of docs/flows.md, `bad` has this problem and `good` none (tests/reading/test_rules.py). `is_advice`: the flow
    is used all the same.
    """

    code: str
    name: str
    what: str
    why: str
    bad: str
    good: str
    of: Written = "flow"
    is_advice: bool = False


RULES: dict[str, Rule] = {}


def rule(
    code: str, name: str, *, what: str, why: str, bad: str, good: str, of: Written = "flow", is_advice: bool = False
) -> Rule:
    """A rule that is known by its code; ValueError where code or name are taken."""
    made = Rule(code, name, what, why, bad.strip("\n"), good.strip("\n"), of, is_advice)
    if code in RULES or any(name == other.name for other in RULES.values()):
        raise ValueError(f"two rules are called {code} or {name}")
    RULES[code] = made
    return made
