"""What can be said of a flow from its graph alone: unreachable steps, calls that never end, charges without consent,
endings that would not be true. A flow with other problems is judged as far as it can be read, so that all are told at once."""

from collections.abc import Iterator, Mapping

from ivr.flow.endings import UnreadStep, next_step, steps_after, steps_that_can_end
from ivr.flow.schema import RETRY, AskStep, Closing, CollectStep, MenuStep, PayStep, Place, ResolveStep, Step
from ivr.reading.problems import Problem
from ivr.reading.rules import charges, ways
from ivr.reading.scalars import BILL_VALUES
from ivr.reading.yaml_source import Source

# What is true on one way to a step: "amount", "card", "confirmed", values by name; "paid": the card was charged;
# "unsure": a charge has no answer yet; "unread": the way leads through a step with problems of its own.
Facts = frozenset[str]
Steps = Mapping[str, Step]
Reached = Mapping[str, set[Facts]]


def ways_to_steps(start: str, steps: Steps) -> Reached:
    """Every step that can be reached, with the facts of each way to it."""
    first = next_step(start, start, steps)
    return _walk(first, steps) if first is not None else {}


def path_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    yield from _reach_problems(source, reached, steps)
    for name, every_way in reached.items():
        read = {facts for facts in every_way if "unread" not in facts}
        step = steps[name]
        if isinstance(step, PayStep):
            yield from _charge_problems(source, name, read)
        elif isinstance(step, ResolveStep) and any("unsure" not in facts for facts in read):
            message = f"there is a way to '{name}' on which no charge waits for an answer"
            yield source.problem(
                charges.NOTHING_TO_INQUIRE, ("steps", name), message, "only a 'pay' step's 'unknown' leads here"
            )
        yield from _ending_problems(source, name, step, read)
        yield from _value_problems(source, name, step, read)


def _reach_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    some_ways_lost = any(
        (isinstance(step, UnreadStep) and step.is_torn)
        or any(next_step(name, way[2], steps) is None for way in step.targets())
        for name, step in steps.items()
    )
    ending = steps_that_can_end(steps)
    told: set[str] = set()
    for name in steps:
        if name not in reached and name not in told and not some_ways_lost:
            # What only follows from it is reached with it.
            told |= steps_after(name, steps)
            cure = "lead to it from another, or remove it"
            yield source.problem(ways.NOT_REACHED, ("steps", name), f"step '{name}' cannot be reached", cure)
        elif name in reached and name not in ending:
            cure = "let a step on the way have 'end:'"
            yield source.problem(ways.NEVER_ENDS, ("steps", name), f"the call never ends after '{name}'", cure)


_CHARGE_NEEDS = {
    "amount": (
        charges.NO_AMOUNT,
        "without an amount",
        "set one in a menu, or ask for money: an amount is good for one charge",
    ),
    "card": (charges.NO_CARD, "without a card", "let a 'collect' step come first"),
    "confirmed": (
        charges.NO_CONSENT,
        "without the caller's confirmation",
        "add 'confirm: [brand, last4, amount]' to the 'collect' step",
    ),
}


def _charge_problems(source: Source, name: str, reached: set[Facts]) -> Iterator[Problem]:
    for fact, (rule, lack, cure) in _CHARGE_NEEDS.items():
        if any(fact not in facts for facts in reached):
            yield source.problem(rule, ("steps", name), f"there is a path to the charge '{name}' {lack}", cure)
    if any("unsure" in facts for facts in reached):
        message = f"there is a path to the charge '{name}' while an earlier one has no answer"
        cure = "lead 'unknown' to an 'inquire_then_reverse' step"
        yield source.problem(charges.UNANSWERED_CHARGE, ("steps", name), message, cure)


def _ending_problems(source: Source, name: str, step: Step, reached: set[Facts]) -> Iterator[Problem]:
    end = step.end if isinstance(step, Closing) else None
    for facts in sorted(reached, key=sorted):
        true_end = "pending" if "unsure" in facts else "paid" if "paid" in facts else "unpaid"
        if end is not None and end != true_end:
            message = f"there is a way to '{name}' on which 'end: {end}' is not true"
            cure = f"on that way it is '{true_end}'"
            yield source.problem(ways.UNTRUE_ENDING, ("steps", name, "end"), message, cure)
            return


def _value_problems(source: Source, name: str, step: Step, known: set[Facts]) -> Iterator[Problem]:
    needed: list[tuple[Place, str]] = []
    if isinstance(step, MenuStep):
        needed = [(("menu", key, "set"), option.set) for key, option in step.menu.items() if option.set]
    elif isinstance(step, AskStep) and step.between:
        needed = [(("between", index), value) for index, value in enumerate(step.between)]
    elif isinstance(step, CollectStep) and (step.confirm or step.capture == "pay"):
        needed = [(("collect",), "amount")]
    for path, value in needed:
        if value in _GIVEN_BY and any(value not in facts for facts in known):
            message = f"'{value}' is not known on every way to '{name}'"
            yield source.problem(ways.VALUE_NOT_KNOWN, ("steps", name, *path), message, _GIVEN_BY[value])


_GIVEN_BY = {
    "amount": "let the amount come before the card",
    **dict.fromkeys(BILL_VALUES, "a look-up gives bill.due and bill.min"),
}


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
            then = next_step(name, target, steps)
            if then is not None and (target != RETRY or outcome == "not_found"):
                waiting.append((then, _facts_after(steps[name], path, outcome, facts)))
    return reached


def _facts_after(step: Step, path: Place, outcome: str, facts: Facts) -> Facts:
    match step:
        case _ if path[0] == "then" and not isinstance(step, Closing) and outcome not in step.known_outcomes():
            # A misspelt outcome: it is told elsewhere, and what it would mean is anybody's guess.
            return facts | {"unread"}
        case UnreadStep():
            return facts | {"unread"}
        case AskStep() if outcome == "found":
            # Another account's bill is another amount.
            return (facts | {"bill.due", "bill.min"}) - {"amount", "confirmed"}
        case AskStep() if outcome == "ok" and step.ask == "money":
            return (facts | {"amount"}) - {"confirmed"}
        case MenuStep() if path[0] == "menu" and step.menu[str(path[1])].set:
            return (facts | {"amount"}) - {"confirmed"}
        case CollectStep():
            # Whatever becomes of it, the card that an earlier step took is dropped, and consent with it.
            consent = {"card"} | ({"confirmed"} if "amount" in step.confirm else set())
            return (facts - {"confirmed", "card"}) | (consent if outcome == "ok" else set())
        case PayStep():
            # One card and one consent are good for one charge.
            return _charged(facts - {"confirmed", "card"}, outcome)
        case ResolveStep() if outcome in ("approved", "reversed"):
            return _charged(facts - {"unsure"}, outcome)
    return facts


def _charged(facts: Facts, outcome: str) -> Facts:
    """What was paid is no amount to pay again; what is due by then is read again."""
    return (facts - {"amount"} if outcome == "approved" else facts) | _AFTER_CHARGE.get(outcome, frozenset())


_AFTER_CHARGE = {"approved": frozenset({"paid"}), "unknown": frozenset({"unsure"})}
