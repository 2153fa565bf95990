"""Words of a promise, plan or mandate that say something else than goes on record: a sum that may be another, or a charge now.

The record has the amount as it is, and no card: nothing is charged by it, in this call or by the engine later.
"""

import re

from ivr.words.taking_words import taking
from ivr.words.templates import Template, TemplateText

_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")


def other_agreement(template: Template, language: str) -> str:
    """The first words that say so; "" where there are none."""
    words = taking(language)
    if words is None:
        return ""
    named = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    for sentence in _SENTENCE.findall(re.sub(r"\s+", " ", named)):
        for pattern in (words.about, words.now):
            for match in pattern.finditer(sentence):
                if not words.denied.search(sentence[: match.start()]):
                    return match[0].strip(" ,:")
    return ""
