"""Which values are known wherever a step begins, on every way to it: what prompts there may say.

Every outcome makes values known or forgotten, and where ways meet only what all of them know is known.
"""

from collections.abc import Mapping

from ivr.flow.endings import UnreadStep, next_step
from ivr.flow.schema import AskStep, Closing, CollectStep, MenuStep, PayStep, Place, ResolveStep, Step

# None: every value, because the way leads through a step that could not be read.
Known = frozenset[str] | None
CARD = frozenset({"brand", "last4"})
RECEIPT = frozenset({"amount", "number", "confirmation_number"})


def known_values(start: str, steps: Mapping[str, Step]) -> Mapping[str, Known]:
    """By step, for those that can be reached."""
    first = next_step(start, start, steps)
    known: dict[str, Known] = {}
    waiting: list[tuple[str, Known]] = [(first, frozenset())] if first else []
    while waiting:
        name, values = waiting.pop()
        merged = _meet(known[name], values) if name in known else values
        if name in known and merged == known[name]:
            continue
        known[name] = merged
        for path, outcome, target in steps[name].targets():
            then = next_step(name, target, steps)
            if then is not None:
                waiting.append((then, _after(steps[name], path, outcome, merged)))
    return known


def _meet(one: Known, other: Known) -> Known:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _after(step: Step, path: Place, outcome: str, known: Known) -> Known:
    misread = path[0] == "then" and not isinstance(step, Closing) and outcome not in step.known_outcomes()
    if known is None or isinstance(step, UnreadStep) or misread:
        return None
    match step:
        case AskStep():
            return _after_question(step, outcome, known)
        case MenuStep() if path[0] == "menu" and step.menu[str(path[1])].set:
            return known | {"amount"}
        case CollectStep():
            return known | CARD if outcome == "ok" else known - CARD
        case PayStep() | ResolveStep() if outcome == "approved":
            return known | RECEIPT
    return known


def _after_question(step: AskStep, outcome: str, known: frozenset[str]) -> Known:
    if outcome == "found":
        return (known - {"amount"}) | {"due", "min", step.ask}
    if outcome == "not_found":
        return known - {step.ask}
    if outcome == "ok":
        return known | {step.ask} | ({"amount"} if step.ask == "money" else set())
    return known
