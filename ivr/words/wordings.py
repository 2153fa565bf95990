"""Other wordings of a prompt: shorter on the second try, or for one brand of card; which is said, and what each stands for.

A prompt `enter_security_code` may have, in the same file, `enter_security_code_amex` (the card is one), `enter_security_code_again`
(a try at this step has failed already) and `enter_security_code_amex_again`. A call asks for the prompt by its own name, and the
best wording that the language has is said. What must be true of the prompt must be true of each of them.
"""

from collections.abc import Collection
from functools import lru_cache

from ivr.core.brands import BRAND_NAMES

AGAIN = "_again"
_BRANDS = tuple(sorted(f"_{brand}" for brand in BRAND_NAMES))


@lru_cache(64)
def endings(brand: str, *, again: bool) -> tuple[str, ...]:
    """What may follow a prompt's name at this moment of a call, the best first: the brand is more than the try."""
    named = (f"_{brand}",) if brand in BRAND_NAMES else ()
    if not again:
        return named
    return (*(f"{one}{AGAIN}" for one in named), *named, AGAIN)


def prompt_of(name: str, names: Collection[str]) -> str:
    """The prompt that `name` is a wording of, or `name` where it is a prompt itself. `names`: all of the same file."""
    without = name.removesuffix(AGAIN)
    brand = next((one for one in _BRANDS if without.endswith(one)), "")
    for prompt in (without.removesuffix(brand), without):
        if prompt != name and prompt in names:
            return prompt
    return name


def wordings_of(prompt: str, names: Collection[str]) -> list[str]:
    """The prompt's own name, and its other wordings in the same file."""
    possible = [f"{prompt}{brand}{again}" for brand in ("", *_BRANDS) for again in ("", AGAIN)]
    return [name for name in possible if name == prompt or (name in names and prompt_of(name, names) == prompt)]
