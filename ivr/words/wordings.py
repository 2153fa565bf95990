"""Other wordings of a prompt: at one step, for one brand of card, shorter on the second try; which is said, and what each stands for.

A prompt `enter_security_code` may have, in the same file, `enter_security_code_at_card` (the step `card` asks),
`enter_security_code_amex` (the card is one), `enter_security_code_again` (a try at this step has failed already) and any of
these together, in this order: `enter_security_code_at_card_amex_again`. A call asks for the prompt by its own name, and the
best wording that the language has is said. What must be true of the prompt must be true of each of them.
"""

from collections.abc import Collection
from functools import lru_cache
from itertools import product

from ivr.core.brands import BRAND_NAMES

AT, AGAIN = "_at_", "_again"
_BRANDS = tuple(sorted(f"_{brand}" for brand in BRAND_NAMES))


@lru_cache(512)
def endings(brand: str, *, again: bool, step: str = "") -> tuple[str, ...]:
    """What may follow a prompt's name at this moment of a call, the best first: the step is more than the brand, the brand
    more than the try."""
    steps = (f"{AT}{step}", "") if step else ("",)
    brands = (f"_{brand}", "") if brand in BRAND_NAMES else ("",)
    tries = (AGAIN, "") if again else ("",)
    return tuple(filter(None, map("".join, product(steps, brands, tries))))


def prompt_of(name: str, names: Collection[str]) -> str:
    """The prompt that `name` is a wording of, or `name` where it is a prompt itself. `names`: all of the same file."""
    without = name.removesuffix(AGAIN)
    brand = next((one for one in _BRANDS if without.endswith(one)), "")
    for possible in (*_before_steps(without), without.removesuffix(brand), without):
        if possible != name and possible in names:
            return possible
    return name


def wordings_of(prompt: str, names: Collection[str]) -> list[str]:
    """The prompt's own name, and its other wordings in the same file."""
    possible = [f"{prompt}{brand}{again}" for brand in ("", *_BRANDS) for again in ("", AGAIN)]
    possible += sorted(name for name in names if name.startswith(f"{prompt}{AT}"))
    return [name for name in possible if name == prompt or (name in names and prompt_of(name, names) == prompt)]


def step_of(name: str, prompt: str) -> str:
    """The step that a wording of this prompt is for, with the brand that may follow it; "" for every step."""
    return name.removeprefix(f"{prompt}{AT}").removesuffix(AGAIN) if name.startswith(f"{prompt}{AT}") else ""


def _before_steps(name: str) -> list[str]:
    parts = name.split(AT)
    return [AT.join(parts[:count]) for count in range(1, len(parts))]
