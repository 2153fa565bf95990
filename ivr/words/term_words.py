"""Within how many days a promise says that it is kept, and in how many parts a plan says that it is paid, by digits or in words.

Both are the step's own terms, which go on record; what else is said of an agreement is in `agreement_words`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.words.choice_words import own_language
from ivr.words.counts import COUNT_EN, COUNT_ES, count_of
from ivr.words.templates import Template, TemplateText

_I = re.IGNORECASE
_UNITS = {"week": "week", "month": "month", "semana": "week", "mes": "month"}
_SENTENCE = re.compile(r"[^.;!?]+")


@dataclass(frozen=True)
class TermWords:
    """`spans`: a time to pay, of so `many` of a `unit`; `units`: by its first letters the least and the most days of one; `parts`: so
    `many` of them; `lasts`: a plan's time, of so many of a `unit`, each with a part; `supposes`: what is only so on a condition."""

    spans: tuple[re.Pattern[str], ...]
    units: Mapping[str, tuple[int, int]]
    parts: tuple[re.Pattern[str], ...]
    lasts: re.Pattern[str]
    supposes: re.Pattern[str]


_SPAN_EN = rf"(?P<many>\d+|an?|one|{COUNT_EN}) (?:(?:calendar|full|more) )?(?P<unit>day|week|fortnight|month)s?\b"
# What is paid, and up to three words more that begin no other thought.
_PAY_EN = r"(?:\{amount\}|\{by\}|\b(?:pay|promise|agree)(?: (?:it|this|that|all|all of it|the bill|your bill))?),?(?: (?!(?:we|you|they|and|or|but|if|when|once|after|of|since|not|for)\b)[\w{}'’]+){0,3}?[,:]?"
_IN_EN = r"(?:within|in|inside|over|(?:no|not) later than|at most)(?: (?:the )?(?:next|coming))?"
_FROM_EN = r"(?:from (?:now|today|this call|the (?:date|day) of this call)|after (?:today|this call|the (?:date|day) of this call))"
# Who gives the time is the merchant, or the promise: an insurer's or a court's thirty days are for other things.
_GIVES_EN = r"(?:\byou (?:have|get|are given)|\bwe(?: will|['’]ll)? (?:give|allow)(?: you)?|\bwe (?:are|['’]re) giving you|\b(?:this|that|which|it) (?:gives|allows) you|,? giving you|\bthe (?:time|deadline|due date)(?: to pay)? is)"
_PARTS_EN = rf"(?P<many>\d+|{COUNT_EN}) (?:(?:equal|monthly|weekly|small|easy|separate) )*(?:parts|payments|instal?lments|portions)"
_PART_ES = r"(?:partes|pagos|cuotas|plazos|mensualidades|abonos)"
_SPAN_ES = rf"(?P<many>\d+|una?|{COUNT_ES}) (?P<unit>d[ií]a|semana|quincena|mes)(?:e?s)?\b"
_PAY_ES = r"(?:\{amount\}|\{by\}|\b(?:pagar(?:l[oa]s?)?|paga|promete)(?: (?:todo|su recibo|el recibo))?),?(?: (?!(?:y|o|pero|si|cuando|despu[ée]s|de|no|por|le)\b)[\w{}]+){0,3}?[,:]?"
_GIVES_ES = r"(?:\b(?:usted )?tiene(?: un plazo de)?|\ble damos(?: un plazo de)?|\bel plazo(?: para pagar)? es de)"
_IN_ES = r"(?:en|de hoy en|dentro de|en menos de|en un plazo de|a m[áa]s tardar en)(?: (?:los|las) pr[óo]xim[oa]s)?"
_READ = {
    "en": TermWords(
        spans=(
            re.compile(rf"{_PAY_EN} (?P<said>{_IN_EN} {_SPAN_EN})", _I),
            re.compile(
                rf"(?:{_PAY_EN}|\b(?:that|this|which|it) is|\b(?:that|it)[’']s) (?P<said>{_SPAN_EN} {_FROM_EN})", _I
            ),
            re.compile(
                rf"\b(?P<said>{_IN_EN} {_SPAN_EN}),? (?:from (?:now|today),? )?you (?:will |shall )?(?:promise|agree|pay)",
                _I,
            ),
            re.compile(
                rf"{_GIVES_EN} (?P<said>(?:up to |the next )?{_SPAN_EN})(?: (?:to (?:pay|keep)|for (?:it|that|this)|{_FROM_EN})\b|\W*$)",
                _I,
            ),
            re.compile(
                rf"(?:^|[,:]|\band)\W*(?:(?:the|your|this|full) )*payment (?:in full )?(?:is|falls) due (?P<said>{_IN_EN} {_SPAN_EN})",
                _I,
            ),
        ),
        units={"d": (1, 1), "w": (7, 7), "f": (14, 14), "m": (28, 31)},
        parts=(
            re.compile(
                rf"\b(?P<said>(?:in|into|over|(?<!can )(?<!could )(?<!may )makes?|(?<!earlier )(?<!last )(?<!old )(?<!first )(?:plan|total) of) (?:exactly )?{_PARTS_EN})\b(?! (?:an?|each|every|per)\b|['’])",
                _I,
            ),
            # Of these parts, whatever stands before them: "six monthly payments of …".
            re.compile(rf"\b(?P<said>{_PARTS_EN}) of \{{(?:last_)?instalment\}}", _I),
        ),
        lasts=re.compile(
            rf"(?:\{{instalment\}},? (?:an?|each|every|per) \w+|\bpay(?: off| back)? \{{amount\}},?(?: spread)?) (?P<said>(?:for|over|during) (?:the (?:next|coming) )?(?P<many>\d+|{COUNT_EN}) (?P<unit>week|month)s)\b(?! of\b|['’])",
            _I,
        ),
        supposes=re.compile(r"\b(?:if|unless|should|in case|late)\b", _I),
    ),
    "es": TermWords(
        spans=(
            re.compile(rf"{_PAY_ES} (?P<said>{_IN_ES} {_SPAN_ES})", _I),
            re.compile(
                rf"(?:{_PAY_ES}|\b(?:eso|es decir|o sea),?(?: es| son)?) (?P<said>{_SPAN_ES} a partir de (?:hoy|ahora|esta llamada))",
                _I,
            ),
            re.compile(rf"\b(?P<said>{_IN_ES} {_SPAN_ES}),? (?:usted )?(?:promete|acepta|paga|va a pagar)", _I),
            re.compile(rf"{_GIVES_ES} (?P<said>(?:hasta )?{_SPAN_ES})(?: para (?:pagar|cumplir)|\W*$)", _I),
            re.compile(rf"(?:^|[,:]|\by)\W*(?:(?:el|su|este) )pago vence (?P<said>{_IN_ES} {_SPAN_ES})", _I),
        ),
        units={"d": (1, 1), "s": (7, 7), "q": (14, 16), "m": (28, 31)},
        parts=(
            re.compile(
                rf"\b(?P<said>(?:en|a|plan de|total de) (?P<many>\d+|{COUNT_ES}) (?:(?:iguales|mensuales|semanales) )*{_PART_ES})\b(?! (?:al|a la|por|cada)\b)",
                _I,
            ),
            re.compile(
                rf"\b(?P<said>(?P<many>\d+|{COUNT_ES}) {_PART_ES}(?: (?:iguales|mensuales|semanales))*) de \{{(?:last_)?instalment\}}",
                _I,
            ),
        ),
        lasts=re.compile(
            rf"(?:\{{instalment\}},? (?:cada|por|al|a la) \w+|\b(?:pagar[áa]?|paga) \{{amount\}}) (?P<said>(?:durante|por|en) (?:(?:los|las) pr[óo]xim[oa]s )?(?P<many>\d+|{COUNT_ES}) (?P<unit>semana|mes)(?:e?s))\b(?! de\b)",
            _I,
        ),
        supposes=re.compile(r"\b(?:si|a menos que|salvo|en caso)\b", _I),
    ),
}


def other_days(template: Template, within: int, language: str) -> str:
    """Words for a time to pay that is not the step's `within`, in days; "" where there are none."""
    words = _READ.get(own_language(language))
    if words is None:
        return ""
    for match in _said(template, words, words.spans):
        many, (least, most) = count_of(match["many"], language), words.units[match["unit"][0].lower()]
        if many is not None and not many * least <= within <= many * most:
            return match["said"]
    return ""


def other_parts(template: Template, instalments: int, language: str, every: str = "") -> str:
    """Words for another number of parts than the step's `instalments`; "" where there are none. `every`: the step's week or month,
    whose parts are as many as the weeks or months that they are paid for."""
    words = _READ.get(own_language(language))
    if words is None:
        return ""
    found = [*_said(template, words, words.parts)]
    found += [match for match in _said(template, words, (words.lasts,)) if _UNITS.get(match["unit"].lower()) == every]
    return next((match["said"] for match in found if count_of(match["many"], language) != instalments), "")


def _said(template: Template, words: TermWords, patterns: tuple[re.Pattern[str], ...]) -> Iterator[re.Match[str]]:
    named = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    for sentence in _SENTENCE.findall(re.sub(r"\s+", " ", named)):
        if not words.supposes.search(sentence):
            for pattern in patterns:
                yield from pattern.finditer(sentence)
