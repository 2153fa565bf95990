"""What a step with a slip in it says all the same: its prompts have to be there, whatever else is wrong with it."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from ivr.flow.declared import Declared
from ivr.flow.parts import Said
from ivr.flow.step import Step
from ivr.reading.yaml_source import read_yaml

Places = tuple[tuple[str | int, ...], ...]
_SOMEWHERE = "somewhere"  # no step's name: nothing asks where a step with a slip leads as it is read here


def said_without(kind: type[Step], body: Any, error: ValidationError, declared: Declared) -> tuple[Said, ...]:
    """What it would say without the keys that are wrong. A key that it cannot do without, and that names no prompt, is as in the
    kind's own example; nothing where that is not enough."""
    wrong = _places(error)
    led = _led_on(body, wrong)
    try:
        return tuple(kind.model_validate(led, context=declared).says())
    except ValidationError as left:
        body, wrong = led, _places(left)
    keys = {place[0] for place in wrong}
    for tried in (_without(body, ((key,) for key in keys)), _mended(kind, body, wrong)):
        try:
            step = kind.model_validate(tried, context=declared)
        except ValidationError:
            continue
        return tuple(step.says())
    return ()


def _places(error: ValidationError) -> Places:
    return tuple(one["loc"] for one in error.errors(include_input=False, include_url=False) if one["loc"])


def _led_on(body: Mapping[str, Any], wrong: Places) -> dict[str, Any]:
    """With each choice as it would be without the keys that are wrong in it, and leading somewhere: what it says does not depend on
    where it leads."""
    led = dict(body)
    for place in wrong:
        if (
            len(place) != 3 or place[2] == "[key]"
        ):  # else of a choice: ("menu", "1", "then"); ("menu", "12", "[key]") is of its key
            continue
        of, one, key = map(str, place)
        choices = led.get(of)
        if isinstance(choices, dict) and isinstance(choice := choices.get(one), dict):
            right = {name: value for name, value in choice.items() if name != key}
            led[of] = choices | {one: right | ({"then": _SOMEWHERE} if key == "then" else {})}
    return led


def _without(body: Mapping[str, Any], places: Iterable[tuple[str | int, ...]]) -> dict[str, Any]:
    """A choice of a menu is left out alone, and any other key with all that is in it."""
    left = dict(body)
    for key, *below in places:
        inside = left.get(str(key))
        if below and isinstance(inside, dict):
            left[str(key)] = {one: value for one, value in inside.items() if one != str(below[0])}
        else:
            left.pop(str(key), None)
    return left


def _mended(kind: type[Step], body: Mapping[str, Any], wrong: Places) -> dict[str, Any]:
    example = _example(kind)
    own = {place[0] for place in wrong} - {kind.word}
    filled = {key: example[key] for key in own if isinstance(key, str) and key in example}
    return _without(body, wrong) | filled


@cache
def _example(kind: type[Step]) -> Mapping[str, Any]:
    """The keys of the step that explains the kind."""
    tree = read_yaml("", kind.example).tree
    return next((step for step in tree.values() if isinstance(step, dict)), {})
