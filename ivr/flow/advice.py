"""What a flow's author should think over although the flow can be used: each is one line of `check`, marked as advice."""

from collections.abc import Iterator

from ivr.flow.schema import SLOW_MODE_FACTOR, FlowHead, Hours, Limits, Patience
from ivr.reading.hours import abbreviated_zone
from ivr.reading.problems import Problem
from ivr.reading.rules import advice as rules
from ivr.reading.scalars import Rate
from ivr.reading.yaml_source import Source

# Callers hang up sooner than this; a line that is kept open for nobody costs money.
LONGEST_SILENCE_S = 180
MOST_USUAL_TRIES = 5
LEAST_PATIENCE_S = {"first_key": 5, "between_keys": 4}
# Failed attempts: a person has a few, somebody who tries out stolen cards has hundreds.
DAY_S = 24 * 3600
NOON_H = 12
# A bar closes by five and a night shift by six; who is open from the evening until offices open has mostly swapped the two.
OFFICES_OPEN_H, EVENING_H = 7, 22
MOST_PER_CALL = 10
MOST_A_DAY = {
    "attempts_per_caller": (240, "5/1h"),
    "attempts_per_card": (24, "3/24h"),
    "attempts_per_account": (48, "6/24h"),
    "attempts_per_line": (14_400, "60/1h"),
    "guesses_per_caller": (24, "9/24h"),
    "guesses_per_account": (48, "15/24h"),
}


def advise(source: Source, head: FlowHead | None) -> Iterator[Problem]:
    """On what stands above the steps."""
    if head is not None:
        yield from _patience_advice(source, head.patience)
        yield from _timer_advice(source, head.patience)
        yield from _limits_advice(source, head.limits)
        yield from _wide_limits_advice(source, head.limits)
        yield from _zone_advice(source, head.hours)
        yield from _night_advice(source, head.hours)


def _patience_advice(source: Source, patience: Patience) -> Iterator[Problem]:
    slower = SLOW_MODE_FACTOR if patience.slow_mode else 1
    silence = patience.first_key * (1 + (patience.tries - 1) * slower)
    if silence > LONGEST_SILENCE_S:
        message = f"a caller who presses nothing is kept for {_minutes(silence)} at one question"
        yield source.problem(rules.LONG_SILENCE, ("patience", "tries"), message, "fewer tries, or a shorter first_key")
    elif patience.tries > MOST_USUAL_TRIES:
        message = f"{patience.tries} tries at one question are more than callers have patience for"
        yield source.problem(rules.MANY_TRIES, ("patience", "tries"), message, "three are usual")


def _timer_advice(source: Source, patience: Patience) -> Iterator[Problem]:
    for name, shortest in LEAST_PATIENCE_S.items():
        if getattr(patience, name) < shortest:
            message = f"{getattr(patience, name)} seconds are too short for callers who are slow, or read from a card"
            yield source.problem(rules.SHORT_TIMER, ("patience", name), message, f"{shortest}s at least")


def _minutes(seconds: int) -> str:
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"


def _limits_advice(source: Source, limits: Limits) -> Iterator[Problem]:
    missing = [name for name in ("attempts_per_caller", "attempts_per_card") if name not in limits.model_fields_set]
    if missing:
        message = f"the flow does not say {' and '.join(missing)}: the defaults hold"
        yield source.problem(
            rules.LIMITS_NOT_SAID, ("limits",), message, f"add '{missing[0]}: {_EXAMPLES[missing[0]]}'"
        )


_EXAMPLES = {"attempts_per_caller": "5/1h", "attempts_per_card": "3/24h"}


def _wide_limits_advice(source: Source, limits: Limits) -> Iterator[Problem]:
    if limits.attempts_per_call > MOST_PER_CALL:
        message = f"'attempts_per_call' lets {limits.attempts_per_call} cards be tried in one call"
        yield source.problem(rules.LIMITS_TOO_WIDE, ("limits", "attempts_per_call"), message, "3 are usual")
    for name, (most, usual) in MOST_A_DAY.items():
        rate: Rate = getattr(limits, name)
        a_day = rate.count * max(1, DAY_S // rate.window_s)
        if a_day > most:
            message = f"'{name}' limits nothing: it lets {a_day} failed attempts a day through"
            yield source.problem(rules.LIMITS_TOO_WIDE, ("limits", name), message, f"{usual} is usual")


def _zone_advice(source: Source, hours: Hours | None) -> Iterator[Problem]:
    fault = abbreviated_zone(hours.zone) if hours is not None else None
    if fault is not None:
        yield source.problem(rules.ZONE_BY_ABBREVIATION, ("hours", "zone"), *fault)


def _night_advice(source: Source, hours: Hours | None) -> Iterator[Problem]:
    """`9:00-5:00` is mostly five in the afternoon, on the clock of twelve hours, and `18:00-8:00` the day the wrong way round."""
    written = source.tree["hours"].get("days") if hours is not None and hours.days is not None else None
    for key, spans in written.items() if isinstance(written, dict) else ():
        for text in spans if isinstance(spans, list) else [spans]:
            opens, closes = text.split("-")
            first, last = (int(time.partition(":")[0]) for time in (opens, closes))
            cure = ""
            if 0 < last < first < NOON_H:
                cure = f"for the afternoon write {opens}-{last + NOON_H}:{closes.partition(':')[2]}"
            elif NOON_H <= first < EVENING_H and OFFICES_OPEN_H <= last < NOON_H:
                cure = f"for the day write {closes}-{opens}, for the night [0:00-{closes}, {opens}-24:00]"
            if cure:
                message = f"'{text}' is open all night, until {closes} the next morning"
                yield source.problem(rules.HOURS_INTO_NEXT_DAY, ("hours", "days", key), message, cure)
