"""What can be said of a flow from its graph alone: unreachable steps, dead ends, and ways to a charge without consent."""

from collections.abc import Iterator, Mapping

from ivr.core.flow import RETRY, AskStep, CollectStep, FlowHead, MenuStep, PayStep, ResolveStep, Step
from ivr.core.problems import Problem
from ivr.core.yaml_source import Source

Facts = frozenset[str]  # what is surely true on the way: "confirmed", "amount", "card", "lookup", "paid"
Steps = Mapping[str, Step]


def path_problems(source: Source, head: FlowHead, steps: Steps) -> Iterator[Problem]:
    """Only for a flow whose targets all exist."""
    reached = _walk(head.start, steps)
    for name in steps:
        if name not in reached:
            yield source.problem(
                ("steps", name), f"step '{name}' cannot be reached", "lead to it from another, or remove it"
            )
        elif not _can_end(name, steps):
            yield source.problem(
                ("steps", name), f"the call never ends after '{name}'", "let a step on the way have 'end:'"
            )
    for name, ways in reached.items():
        step = steps[name]
        if isinstance(step, PayStep):
            yield from _charge_problems(source, name, ways)
        elif isinstance(step, ResolveStep) and any("charged" not in facts for facts in ways):
            message = f"there is a way to '{name}' on which nothing has been sent to the bank"
            yield source.problem(("steps", name), message, "only a 'pay' step's 'unknown' leads here")
        yield from _value_problems(source, name, step, ways)


_CHARGE_NEEDS = {
    "amount": ("without an amount", "set one in a menu, or ask for money"),
    "card": ("without a card", "let a 'collect' step come first"),
    "confirmed": ("without the caller's confirmation", "add 'confirm: [brand, last4, amount]' to the 'collect' step"),
}


def _charge_problems(source: Source, name: str, ways: set[Facts]) -> Iterator[Problem]:
    for fact, (lack, cure) in _CHARGE_NEEDS.items():
        if any(fact not in facts for facts in ways):
            yield source.problem(("steps", name), f"there is a path to the charge '{name}' {lack}", cure)


def _value_problems(source: Source, name: str, step: Step, ways: set[Facts]) -> Iterator[Problem]:
    needed: list[tuple[tuple[str | int, ...], str]] = []
    if isinstance(step, MenuStep):
        needed = [(("menu", key, "set"), option.set) for key, option in step.menu.items() if option.set]
    elif isinstance(step, AskStep) and step.between:
        needed = [(("between", index), value) for index, value in enumerate(step.between)]
    for path, value in needed:
        if any(value not in facts for facts in ways):
            message = f"'{value}' is not known on every way to '{name}'"
            yield source.problem(("steps", name, *path), message, "a look-up gives bill.due and bill.min")


def _walk(start: str, steps: Steps) -> dict[str, set[Facts]]:
    """Every step that can be reached, with each set of facts that may hold there."""
    reached: dict[str, set[Facts]] = {}
    waiting: list[tuple[str, Facts]] = [(start, frozenset())]
    while waiting:
        name, facts = waiting.pop()
        if facts in reached.setdefault(name, set()):
            continue
        reached[name].add(facts)
        for path, outcome, target in steps[name].targets():
            after = _facts_after(steps[name], path, outcome, facts)
            waiting.append((name if target == RETRY else target, after))
    return reached


def _facts_after(step: Step, path: tuple[str | int, ...], outcome: str, facts: Facts) -> Facts:
    if isinstance(step, AskStep) and outcome == "found":
        return facts | {"bill.due", "bill.min"}
    if isinstance(step, AskStep) and outcome == "ok" and step.ask == "money":
        # A new amount has not been agreed to with the card.
        return (facts | {"amount"}) - {"confirmed"}
    if isinstance(step, MenuStep) and path[0] == "menu" and step.menu[str(path[1])].set:
        return (facts | {"amount"}) - {"confirmed"}
    if isinstance(step, CollectStep) and outcome == "ok":
        return facts | {"card"} | ({"confirmed"} if "amount" in step.confirm else set())
    if isinstance(step, PayStep):
        # One card and one consent are good for one charge.
        return (facts | {"charged"}) - {"confirmed", "card"}
    return facts


def _can_end(name: str, steps: Steps) -> bool:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if getattr(steps[current], "end", None):
            return True
        if current not in seen:
            seen.add(current)
            waiting += [target for _, _, target in steps[current].targets() if target != RETRY]
    return False
