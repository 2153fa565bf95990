"""How often a wording says that something is paid: by the week, the month or another span."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.words.choice_words import own_language
from ivr.words.counts import COUNT_EN, COUNT_ES
from ivr.words.templates import Template, TemplateText

_I = re.IGNORECASE


@dataclass(frozen=True)
class RhythmWords:
    """`spans`: "each month", with the `unit` and what is not one of them (`more`); `adverbs`: "monthly parts". `units`: by the
    first letters of either, the step's own word."""

    spans: re.Pattern[str]
    adverbs: re.Pattern[str]
    units: Mapping[str, str]


_READ = {
    "en": RhythmWords(
        spans=re.compile(
            rf"(?:\b(?P<often>twice|(?:\d+|{COUNT_EN}) times) (?:a|an|per|each|every)|\b(?:each|every|per|(?:once|one|due|paid) (?:a|an|each|every|per))|\}} an?) "
            rf"(?P<more>other |second |{COUNT_EN} |\d+ )?(?P<unit>day|week|fortnight|month|quarter|year)s?\b(?! (?:parts?|payments?|instal?lments?)\b)",
            _I,
        ),
        adverbs=re.compile(
            r"\b(?P<unit>daily|weekly|bi-?weekly|semi-?monthly|fortnightly|monthly|bi-?monthly|quarterly|yearly|annual(?:ly)?)"
            r"(?=(?: \w+)? (?:parts|payments|instal?lments|rates|sums|charges|portions|debits)\b(?! of \{amount\})|(?: \w+)? (?:part|payment|instal?lment) of \{instalment|\s*(?:[,.;:]|$)| until| from| starting| beginning)",
            _I,
        ),
        units={"week": "week", "month": "month"},
    ),
    "es": RhythmWords(
        spans=re.compile(
            rf"(?:\b(?P<often>(?:\d+|{COUNT_ES}) veces) (?:al|a la|por|cada)|\b(?:cada|por|al|a la|todos los|todas las)) (?P<more>otr[oa] |{COUNT_ES} |\d+ )?(?P<unit>d[ií]a|semana|quincena|mes|trimestre|año)(?:s|es)?\b",
            _I,
        ),
        adverbs=re.compile(
            r"\b(?:(?:partes?|pagos?|cuotas?|abonos?|plazos?|cargos?) (?:iguales )?(?P<unit>diari[oa]s?|semanal(?:es)?|quincenal(?:es)?|mensual(?:es)?|bimestral(?:es)?|trimestral(?:es)?|anual(?:es)?)|(?P<unit2>diaria|semanal|quincenal|mensual|trimestral|anual)mente)\b",
            _I,
        ),
        units={"semana": "week", "mes": "month", "mens": "month"},
    ),
}


def other_rhythm(template: Template, every: str, language: str) -> str:
    """Words for a rhythm that is not the step's `every` (week or month); "" where there are none."""
    words = _READ.get(own_language(language))
    named = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    return next(_others(named, every, words), "") if words else ""


def says_rhythm(template: Template, language: str) -> bool:
    """Whether it names the week or the month at all; where the language is not read, it does."""
    words = _READ.get(own_language(language))
    named = "".join(part.text for part in template.parts if isinstance(part, TemplateText)).lower()
    return words is None or any(re.search(rf"\b{begins}", named) for begins in words.units)


def _others(named: str, every: str, words: RhythmWords) -> Iterator[str]:
    for match in words.spans.finditer(named):
        is_simple = not match["often"] and not match["more"]
        if not is_simple or _unit(match["unit"], words) != every:
            yield match[0].strip("} ")
    for match in words.adverbs.finditer(named):
        own = match["unit"] or match.groupdict().get("unit2") or ""
        if _unit(own, words) != every:
            yield match[0].strip()


def _unit(said: str, words: RhythmWords) -> str:
    return next((unit for begins, unit in words.units.items() if said.lower().startswith(begins)), said)
