"""Words for what this program says and a flow's stored version does not: it was published under an older program.

Without them a call on that version would break where the new prompt is spoken. A publication takes the merchant's own.
"""

from collections.abc import Collection, Mapping
from functools import cache

from ivr.places import SHIPPED
from ivr.words.prompt_files import read_prompt_files

Words = Mapping[str, Mapping[str, str]]  # language, prompt's name, text


def with_shipped(words: Words, needed: Collection[str]) -> Words:
    """`words` themselves where nothing of `needed` is missing, or for a language that the product does not speak."""
    missing = {
        language: {
            name: text for name, text in _shipped().get(language, {}).items() if name in needed and name not in own
        }
        for language, own in words.items()
    }
    return (
        {language: {**own, **missing[language]} for language, own in words.items()} if any(missing.values()) else words
    )


@cache
def _shipped() -> Words:
    files = sorted((SHIPPED / "flows" / "prompts").glob("*.yaml"))
    read = read_prompt_files((str(file), file.read_bytes()) for file in files)
    return {language: dict(file.texts) for language, file in read.items()}
