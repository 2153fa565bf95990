"""What a flow's author should think over although the flow can be used: each is one line of `check`, marked as advice."""

from collections.abc import Iterator, Mapping

from ivr.core.brands import LONGEST_PAN
from ivr.flow.known import Known
from ivr.flow.schema import SLOW_MODE_FACTOR, AskStep, FlowHead, Limits, Patience, Step
from ivr.reading.problems import Problem
from ivr.reading.yaml_source import Path, Source

# Callers hang up sooner than this; a line that is kept open for nobody costs money.
LONGEST_SILENCE_S = 180
MOST_USUAL_TRIES = 5
SHORTEST_USUAL_PAN = 13
SECURITY_CODE_LENGTHS = frozenset({3, 4})


def advise(
    source: Source, head: FlowHead | None, steps: Mapping[str, Step], known: Mapping[str, Known]
) -> Iterator[Problem]:
    if head is not None:
        yield from _patience_advice(source, head.patience)
        yield from _limits_advice(source, head.limits)
    for name, step in steps.items():
        if isinstance(step, AskStep):
            yield from _question_advice(source, name, step, known.get(name))


def _patience_advice(source: Source, patience: Patience) -> Iterator[Problem]:
    slower = SLOW_MODE_FACTOR if patience.slow_mode else 1
    silence = patience.first_key * (1 + (patience.tries - 1) * slower)
    if silence > LONGEST_SILENCE_S:
        message = f"a caller who presses nothing is kept for {_minutes(silence)} at one question"
        yield _advice(source, ("patience", "tries"), message, "fewer tries, or a shorter first_key")
    elif patience.tries > MOST_USUAL_TRIES:
        message = f"{patience.tries} tries at one question are more than callers have patience for"
        yield _advice(source, ("patience", "tries"), message, "three are usual")


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"


def _limits_advice(source: Source, limits: Limits) -> Iterator[Problem]:
    missing = [name for name in ("attempts_per_caller", "attempts_per_card") if name not in limits.model_fields_set]
    if missing:
        message = f"the flow does not say {' and '.join(missing)}: the defaults hold"
        yield _advice(source, ("limits",), message, f"add '{missing[0]}: {_EXAMPLES[missing[0]]}'")


_EXAMPLES = {"attempts_per_caller": "5/1h", "attempts_per_card": "3/24h"}


def _question_advice(source: Source, name: str, step: AskStep, known: Known) -> Iterator[Problem]:
    shortest, longest = step.length or (0, 0)
    path = ("steps", name, "length")
    if longest >= SHORTEST_USUAL_PAN and shortest <= LONGEST_PAN:
        message = f"'{step.ask}' is as long as a card number: an answer that could be one is dropped"
        yield _advice(source, path, message, "a card is asked for by a 'collect' step")
    if {shortest, longest} <= SECURITY_CODE_LENGTHS and known is not None and "last4" in known:
        message = f"'{step.ask}' is asked after a card and as long as its security code"
        yield _advice(source, path, message, "a security code is asked for by a 'collect' step, which seals it")
    if "card" in step.ask.split("_"):
        message = f"'{step.ask}' sounds like a payment card, whose number is never an answer"
        yield _advice(source, ("steps", name, "ask"), message, "a card is asked for by a 'collect' step")


def _advice(source: Source, path: Path, message: str, suggestion: str) -> Problem:
    place = source.problem(path, message, suggestion)
    return Problem(place.file, place.line, place.column, message, suggestion, is_advice=True)
