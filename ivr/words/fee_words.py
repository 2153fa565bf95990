"""What a prompt says of the two amounts of a charge with a fee: which is the fee, and which is all that is charged.

`amount` is all of it, the fee in it; `card_fee` the fee; `before_fee` the rest. A caller who hears them in each other's place
agrees to another charge than is made. Read by what stands beside each value; a sentence that says nothing there is taken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.words.choice_words import own_language
from ivr.words.templates import Template, TemplateText

_I = re.IGNORECASE
_VALUE = r"\{(?P<value>amount|card_fee|before_fee)\}"
_ALL, _NOT_ALL = r"\{amount\}", r"\{(?:card_fee|before_fee)\}"
# Between a word and its value, within one thought.
_GAP = r"(?:[^.;:!?\n{}]|\{(?:brand|last4)\}){0,50}?"
# "…, in all …" is of the value after it.
_LAST = r"(?!(?: of| is| de| es)?:? \{)"


@dataclass(frozen=True)
class FeeWords:
    """What says that the value after it, or before it, is the fee, or the total. `added`: that the fee comes on top of the
    amount, which has it in it already, unless `inside` says so in the same sentence. `none`: that there is no fee."""

    fee_before: re.Pattern[str]
    fee_after: re.Pattern[str]
    total_before: re.Pattern[str]
    total_after: re.Pattern[str]
    added: re.Pattern[str]
    inside: re.Pattern[str]
    none: re.Pattern[str]


def _before(words: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{words}){_VALUE}", _I)


def _after(words: str) -> re.Pattern[str]:
    return re.compile(rf"{_VALUE}(?:{words})\b{_LAST}", _I)


_FEE_EN = r"(?:fees?|surcharges?|card charge|service charge|extra charge|additional charge|extra|charge for (?:the|this|your|using (?:the|this|your)) card)"
_IS_EN = r"(?: (?:of|is|will be|comes to|adds|added is|amounts to|for (?:the|this|your|using (?:the|this|your)) card(?: is| of)?))?:? "
_FEE_ES = r"(?:recargos?|comisi[oó]n(?:es)?|cargo (?:adicional|extra|por (?:la |su |esta |usar (?:la |su |esta )?)?tarjeta)|adicional|extra)"
_IS_ES = r"(?: (?:de|es|son|ser[áa]|suma|por (?:la |su |esta )?tarjeta(?: es| de)?))*:? "
_READ = {
    "en": FeeWords(
        fee_before=_before(rf"{_FEE_EN}{_IS_EN}"),
        fee_after=_after(
            rf"(?: (?:is|as|for|of it is|of that is|of which is)(?: (?:the|a|your|our))?| of)? (?:card |service |processing |credit card |convenience )?{_FEE_EN}"
            r"| (?:is )?(?:for (?:using |paying (?:with|by) )?(?:the|this|your|a) card|on top|more|extra|(?:is )?added)"
        ),
        total_before=_before(
            r"(?:in all|(?:a |the |your )?(?:grand )?total(?: amount| charge)?|altogether|all together|sum)"
            r"(?: (?:of|is|will be|comes to|to be charged|you pay|charged))*:? |(?:which |that |this )?(?:makes|brings it to|comes to)(?: a total of)? "
        ),
        total_after=_after(
            r",? (?:in all|in total|altogether|all together|total|all in)|,? (?:(?:which )?includ\w+|with) (?:the |a |your )?(?:card )?(?:fee|surcharge)"
        ),
        added=re.compile(
            rf"{_ALL}{_GAP}(?:\bplus\b|\+|\bwith an? (?:additional|extra|further)\b|\band an? (?:additional|extra|further)\b|\band (?:a |the )?(?:card )?(?:fee|surcharge)\b|\bon top\b|\bbefore\b|\bwithout\b"
            rf"|\bexcluding\b|\bnot (?:including|counting)\b|\bexclusive of\b){_GAP}\{{card_fee\}}"
            rf"|\{{card_fee\}}{_GAP}(?:\b(?:on top of|added to|in addition to|besides|plus|extra to)|\+) {_GAP}{_ALL}"
            rf"|{_ALL}{_GAP}\{{card_fee\}}{_GAP}\b(?:on top|more|added|extra)\b",
            _I,
        ),
        inside=re.compile(
            r"(?<!not )\b(?:includ\w+|in it|of (?:it|which|this|that) is|part of|in all|in total|altogether)\b", _I
        ),
        none=re.compile(
            r"\b(?:no|without an?|without any|zero|free of) (?:extra |card |additional )?(?:fees?|surcharges?)\b|\bwaive\w*|\byou save\b|\bdiscount\b",
            _I,
        ),
    ),
    "es": FeeWords(
        fee_before=_before(rf"{_FEE_ES}{_IS_ES}"),
        fee_after=_after(
            rf"(?: (?:es|son|como|por|de))*(?: (?:el|la|un|una))? {_FEE_ES}"
            r"| (?:por (?:usar |pagar con )?(?:la|esta|su|una) tarjeta|m[áa]s(?=\s*(?:[,.;:]|con\b|$))|aparte)"
        ),
        total_before=_before(
            r"(?:en total|(?:un |el |su )?total(?: a pagar)?|en suma|todo junto)(?: (?:de|es|son|ser[áa]))*:? |lo que (?:hace|da|suma)(?: un total de)? "
        ),
        total_after=_after(
            r",? (?:en total|en suma|todo incluido|de total)|,? (?:incluid[oa]|con) (?:el |un |la |una )?(?:recargo|comisi[oó]n)|,? que incluyen? (?:el |un |la |una )?(?:recargo|comisi[oó]n)"
        ),
        added=re.compile(
            rf"{_ALL}{_GAP}(?:\bm[áa]s\b|\+|\by (?:un |una |el |la )?(?:recargo|comisi[oó]n)\b|\bantes\b|\bsin\b|\bsin (?:contar|incluir)\b|\baparte\b){_GAP}\{{card_fee\}}"
            rf"|\{{card_fee\}}{_GAP}(?:\badem[áa]s de|\bsobre|\bque se suman? a|\badicionales a) {_GAP}{_ALL}"
            rf"|\{{card_fee\}} (?:m[áa]s|\+) {_ALL}"
            rf"|{_ALL}{_GAP}\{{card_fee\}}{_GAP}\b(?:m[áa]s|aparte|adicionales)\b",
            _I,
        ),
        inside=re.compile(r"\b(?:incluy\w+|inclui\w+|de (?:ell[oa]s|l[oa]s cuales)|parte de|en total)\b", _I),
        none=re.compile(
            r"\b(?:no hay|sin|ning[uú]n|ninguna) (?:recargos?|comisi[oó]n(?:es)?)\b|\bdescuent\w+|\bahorr\w+", _I
        ),
    ),
}


def untrue_of_a_fee(template: Template, language: str) -> str:
    """That there is no fee, or an amount in another's place; "" where nothing is plainly untrue."""
    named = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    words = _READ.get(own_language(language))
    return next(_untruths(named, words), "") if words else ""


def _untruths(named: str, words: FeeWords) -> Iterator[str]:
    if found := words.none.search(named):
        yield found[0]
    for pattern, is_fee in (
        *((words.fee_before, True), (words.fee_after, True)),
        *((words.total_before, False), (words.total_after, False)),
    ):
        for match in pattern.finditer(named):
            if match["value"] != ("card_fee" if is_fee else "amount"):
                yield match[0].strip(" ,:")
    for sentence in re.findall(r"[^.;!?\n]+", named):
        if (added := words.added.search(sentence)) and not words.inside.search(sentence):
            yield added[0]
