"""Other wordings of a prompt: of one flow, at one step, after one error, for one brand of card, where one
amount alone can be paid, shorter on the second try.

A prompt `enter_security_code` may have, in the same file, any of these behind its name, in this order:

    _for_<flow>     in this flow (`-` is written `_`)
    _at_<step>      at this step
    _after_<prompt> that prompt was the first thing said in the same breath: `_after_card_expired`, `_after_no_input`
    _<brand>        the card is one
    _one_amount     the least and the most that it may say are the same
    _again          a try at this step has failed already; of what says a silence or a wrong entry, one of the same kind has
    _with_fee       the card costs a fee on top of the amount (`fee` of a `collect` step)

`enter_security_code_at_card_amex_again` is all three. A call asks for the prompt by its own name, and the best wording that the
language has is said: one that says the fee before all others where there is one, then a flow's before a step's, and so on down
the list. What must be true of the prompt must be true of each.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from itertools import product

from ivr.core.brands import BRAND_NAMES

FLOW, STEP, ERROR, ONE, AGAIN, FEE = "_for_", "_at_", "_after_", "_one_amount", "_again", "_with_fee"
_BRANDS = tuple(sorted(f"_{brand}" for brand in BRAND_NAMES))
_TAIL = re.compile(
    f"(?:{FLOW}(?P<flow>.+?))?(?:{STEP}(?P<step>.+?))?(?:{ERROR}(?P<error>.+?))?(?:{'|'.join(_BRANDS)})?(?:{ONE})?(?:{AGAIN})?(?:{FEE})?"
)


@lru_cache(4096)
def endings(
    brand: str,
    again: bool = False,
    flow: str = "",
    step: str = "",
    error: str = "",
    fee: bool = False,
    one: bool = False,
) -> tuple[str, ...]:
    """What may follow a prompt's name at this moment of a call, the best first."""
    named = ((FLOW, flow.replace("-", "_")), (STEP, step), (ERROR, error), ("_", brand if brand in BRAND_NAMES else ""))
    parts = [(f"{mark}{name}", "") if name else ("",) for mark, name in named]
    every = tuple(map("".join, product(*parts, (ONE, "") if one else ("",), (AGAIN, "") if again else ("",))))
    # No other wording may be said in place of one that says the fee.
    return (*(f"{end}{FEE}" for end in every if fee), *filter(None, every))


def prompt_of(name: str, names: Collection[str]) -> str:
    """The prompt that `name` is a wording of, or `name` where it is a prompt itself. `names`: all of the same file."""
    for mark in re.finditer("_", name):
        prompt = name[: mark.start()]
        if prompt in names and _TAIL.fullmatch(name, mark.start()):
            return prompt
    return name


def in_right_order(name: str, names: Collection[str]) -> str:
    """What a wording should be called whose endings stand in another order than above, which nothing asks for; "" for other names.
    Every name that is read so is some prompt's with a wrong order: a flow or a step may be called so that it seems to be in order."""
    for mark in re.finditer("_", name):
        prompt = name[: mark.start()]
        if prompt not in names or prompt_of(prompt, names) != prompt:
            continue
        parts = _PART.split(name[mark.start() :])
        kinds = [_kind_of(part) for part in parts if part]
        if len(kinds) > 1 and -1 not in kinds and len(set(kinds)) == len(kinds) and kinds != sorted(kinds):
            return prompt + "".join(part for _, part in sorted(zip(kinds, filter(None, parts), strict=True)))
    return ""


# Where an ending begins, and what each kind of ending is, in their order.
_PART = re.compile(rf"(?={FLOW}|{STEP}|{ERROR}|(?:{'|'.join(_BRANDS)}|{ONE}|{AGAIN}|{FEE})(?:_|$))")
_KINDS = tuple(
    re.compile(kind) for kind in (f"{FLOW}.+", f"{STEP}.+", f"{ERROR}.+", f"(?:{'|'.join(_BRANDS)})", ONE, AGAIN, FEE)
)


def _kind_of(part: str) -> int:
    return next((number for number, kind in enumerate(_KINDS) if kind.fullmatch(part)), -1)


def is_ending(text: str) -> bool:
    """Whether it may follow a prompt's name, or is nothing."""
    return _TAIL.fullmatch(text) is not None


def wordings_of(prompt: str, names: Collection[str]) -> list[str]:
    """The prompt's own name, and its other wordings in the same file."""
    possible = [f"{prompt}{brand}{again}" for brand in ("", *_BRANDS) for again in ("", AGAIN)]
    plain = [name for name in possible if name == prompt or (name in names and prompt_of(name, names) == prompt)]
    others = (name for name in names if name.startswith(f"{prompt}_") and name not in plain)
    return [*plain, *sorted(name for name in others if prompt_of(name, names) == prompt)]


def meant_for(name: str, prompt: str) -> tuple[str, str, str]:
    """The flow, the step and the error that a wording of this prompt is for; "" for any."""
    tail = _TAIL.fullmatch(name, len(prompt))
    return ("", "", "") if tail is None else (tail["flow"] or "", tail["step"] or "", tail["error"] or "")
