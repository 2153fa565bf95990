"""What can be said of a flow from its graph alone: unreachable steps, calls that never end, charges without consent,
endings that would not be true. A flow with other problems is judged as far as it can be read, so that all are told at once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.flow.schema import RETRY, AskStep, Closing, CollectStep, MenuStep, PayStep, Place, ResolveStep, Step
from ivr.reading.problems import Problem, nearest
from ivr.reading.yaml_source import Source

# What is true on one way to a step: "amount", "card", "confirmed", values by name; "paid": the card was charged;
# "unsure": a charge has no answer yet; "unread": the way leads through a step with problems of its own.
Facts = frozenset[str]
Steps = Mapping[str, Step]
Reached = Mapping[str, set[Facts]]


class UnreadStep(Step):
    """A step that has problems of its own: only where it leads is known, and not even that where `is_torn`."""

    ways: tuple[tuple[Place, str, str], ...]
    is_torn: bool

    def targets(self) -> Iterator[tuple[Place, str, str]]:
        yield from self.ways


def ways_to_steps(start: str, steps: Steps) -> Reached:
    """Every step that can be reached, with the facts of each way to it."""
    first = next_step(start, start, steps)
    return _walk(first, steps) if first is not None else {}


def path_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    yield from _reach_problems(source, reached, steps)
    yield from _circle_problems(source, reached, steps, _SILENCE)
    yield from _circle_problems(source, reached, steps, _CANCEL)
    for name, every_way in reached.items():
        ways = {facts for facts in every_way if "unread" not in facts}
        step = steps[name]
        if isinstance(step, PayStep):
            yield from _charge_problems(source, name, ways)
        elif isinstance(step, ResolveStep) and any("unsure" not in facts for facts in ways):
            message = f"there is a way to '{name}' on which no charge waits for an answer"
            yield source.problem(("steps", name), message, "only a 'pay' step's 'unknown' leads here")
        yield from _ending_problems(source, name, step, ways)
        yield from _value_problems(source, name, step, ways)


def next_step(current: str, target: str, steps: Steps) -> str | None:
    """The step meant: a misspelt target is told elsewhere, and taken for its nearest here."""
    if target == RETRY:
        return current
    return target if target in steps else nearest(target, steps)


def _reach_problems(source: Source, reached: Reached, steps: Steps) -> Iterator[Problem]:
    some_ways_lost = any(
        (isinstance(step, UnreadStep) and step.is_torn)
        or any(next_step(name, way[2], steps) is None for way in step.targets())
        for name, step in steps.items()
    )
    ending = _steps_that_can_end(steps)
    for name in steps:
        if name not in reached and not some_ways_lost:
            cure = "lead to it from another, or remove it"
            yield source.problem(("steps", name), f"step '{name}' cannot be reached", cure)
        elif name in reached and name not in ending:
            cure = "let a step on the way have 'end:'"
            yield source.problem(("steps", name), f"the call never ends after '{name}'", cure)


_CHARGE_NEEDS = {
    "amount": ("without an amount", "set one in a menu, or ask for money: an amount is good for one charge"),
    "card": ("without a card", "let a 'collect' step come first"),
    "confirmed": ("without the caller's confirmation", "add 'confirm: [brand, last4, amount]' to the 'collect' step"),
}


def _charge_problems(source: Source, name: str, ways: set[Facts]) -> Iterator[Problem]:
    for fact, (lack, cure) in _CHARGE_NEEDS.items():
        if any(fact not in facts for facts in ways):
            yield source.problem(("steps", name), f"there is a path to the charge '{name}' {lack}", cure)
    if any("unsure" in facts for facts in ways):
        message = f"there is a path to the charge '{name}' while an earlier one has no answer"
        yield source.problem(("steps", name), message, "lead 'unknown' to an 'inquire_then_reverse' step")


def _ending_problems(source: Source, name: str, step: Step, ways: set[Facts]) -> Iterator[Problem]:
    end = step.end if isinstance(step, Closing) else None
    for facts in sorted(ways, key=sorted):
        true_end = "pending" if "unsure" in facts else "paid" if "paid" in facts else "unpaid"
        if end is not None and end != true_end:
            message = f"there is a way to '{name}' on which 'end: {end}' is not true"
            yield source.problem(("steps", name, "end"), message, f"on that way it is '{true_end}'")
            return


def _value_problems(source: Source, name: str, step: Step, ways: set[Facts]) -> Iterator[Problem]:
    needed: list[tuple[Place, str]] = []
    if isinstance(step, MenuStep):
        needed = [(("menu", key, "set"), option.set) for key, option in step.menu.items() if option.set]
    elif isinstance(step, AskStep) and step.between:
        needed = [(("between", index), value) for index, value in enumerate(step.between)]
    elif isinstance(step, CollectStep) and (step.confirm or step.capture == "pay"):
        needed = [(("collect",), "amount")]
    for path, value in needed:
        if any(value not in facts for facts in ways):
            cure = (
                "let the amount come before the card" if value == "amount" else "a look-up gives bill.due and bill.min"
            )
            yield source.problem(("steps", name, *path), f"'{value}' is not known on every way to '{name}'", cure)


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


def _steps_that_can_end(steps: Steps) -> set[str]:
    comes_from: dict[str, set[str]] = {}
    for name, step in steps.items():
        for _, _, target in step.targets():
            comes_from.setdefault(next_step(name, target, steps) or "", set()).add(name)
    ending: set[str] = set()
    # A target that no step resembles may well end.
    waiting = [name for name, step in steps.items() if _ends_here(step)] + list(comes_from.get("", ()))
    while waiting:
        name = waiting.pop()
        if name not in ending:
            ending.add(name)
            waiting += comes_from.get(name, ())
    return ending


def _ends_here(step: Step) -> bool:
    if isinstance(step, MenuStep):
        return "gave_up" not in step.then
    return isinstance(step, UnreadStep) or getattr(step, "end", None) is not None


@dataclass(frozen=True)
class _Circle:
    """What a caller does again and again, and what must not follow from it."""

    outcome: str
    message: str
    cure: str


_SILENCE = _Circle("gave_up", "a caller who presses nothing goes round for ever", "let 'gave_up' lead to an ending")
_CANCEL = _Circle("cancelled", "a caller who cancels goes round for ever", "let 'cancelled' lead to an ending")


def _circle_problems(source: Source, reached: Reached, steps: Steps, kind: _Circle) -> Iterator[Problem]:
    """A caller who has put the telephone down without hanging up must not be kept, nor one who wants to leave."""
    after = {name: _after(name, steps, kind.outcome) for name in reached}
    told: set[str] = set()
    for name in steps:
        seen: list[str] = []
        at: str | None = name
        while at is not None and at in after and at not in seen and at not in told:
            seen.append(at)
            at = after[at]
        circle = seen[seen.index(at) :] if at in seen else []
        told |= set(circle)
        if at is not None and any(_is_left_by(steps[one], kind) for one in circle):
            message = f"{kind.message}: {' -> '.join([*circle, at])}"
            yield source.problem(("steps", circle[0]), message, kind.cure)


def _is_left_by(step: Step, kind: _Circle) -> bool:
    """Steps that only talk go round by themselves: that is told once, as silence."""
    return kind is _SILENCE or not isinstance(step, Closing)


def _after(name: str, steps: Steps, outcome: str) -> str | None:
    way = "ok" if isinstance(steps[name], Closing) else outcome
    targets = [target for _, found, target in steps[name].targets() if found == way]
    return next_step(name, targets[0], steps) if targets else None
