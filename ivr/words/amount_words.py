"""Which of its amounts a prompt calls owed, chosen or charged, the most, the least, one part or all of it: each by its own words.

Read by what stands beside each value, as the fee and the total are in `fee_words`. Only the engine's own values have a meaning that
is known here; what a flow computes, or a look-up gives, is called as its author likes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ivr.words.choice_words import own_language
from ivr.words.templates import Template, TemplateText

_I = re.IGNORECASE
_VALUE = r"\{(?P<value>\w+)\}"
# "…, at most …" is of the value after it.
_LAST = r"(?!(?: of| is| de| es)?:? \{)"
_SENTENCE = re.compile(r"[^.;!?\n]+")


@dataclass(frozen=True)
class _Role:
    """What is said of a value by words before or after it, and the values of which it is `untrue`."""

    pattern: re.Pattern[str]
    untrue: frozenset[str]


@dataclass(frozen=True)
class AmountWords:
    roles: tuple[_Role, ...]
    owed: tuple[_Role, ...]
    parts: tuple[_Role, ...]
    most_is_due: tuple[_Role, ...]
    supposes: re.Pattern[str]


def _before(words: str, *untrue: str) -> _Role:
    return _Role(re.compile(rf"\b(?:{words}):? {_VALUE}", _I), frozenset(untrue))


def _after(words: str, *untrue: str) -> _Role:
    return _Role(re.compile(rf"{_VALUE},? (?:{words})(?!\w){_LAST}", _I), frozenset(untrue))


def _as_it_stands(words: str, *untrue: str) -> _Role:
    return _Role(re.compile(words, _I), frozenset(untrue))


# What is chosen, or charged, is neither what is due nor a limit; what is owed is neither chosen nor a limit.
_NOT_CHOSEN = ("due", "min", "max")
_NOT_OWED = ("amount", "max", "value", "money")
_DONE_EN = r"(?:charged|approved|taken|debited|paid|entered|chosen|reserved|refunded|given back|taken back|authori[sz]ed|accepted|collected)"
_MOST_EN = r"(?:at most|not (?:above|over)|(?:cannot|not) (?:take|be|pay) more than|at the most|no more than|not more than|up to|the (?:most|maximum|limit)(?: (?:that|you|we|can|be|paid|take|pay|here|in|one|call|payment|for|this|line|may))*(?: is| of)|a maximum of|maximum(?: is| of)?)"
_LEAST_EN = r"(?:at least|not (?:below|under)|no less than|not less than|the (?:least|minimum|smallest)(?: (?:that|you|we|can|be|paid|take|pay|here|in|one|call|payment|for|this|line|may|amount))*(?: is| of)|a minimum of|minimum(?: is| of)?)"
_OWED_EN = r"(?:(?:you|which you|that you) (?:still |now |currently |also )?owe(?: us| only)?|(?:your|the) (?:bill|invoice) (?:is|comes to|is for|totals|amounts to)|(?:still |now |left )(?:due|owed|to pay|to be paid|open)(?: is)?|(?:the |your )?(?:balance|remainder|rest|remaining(?: balance| amount)?|amount due|total due|outstanding(?: balance)?|what is (?:still )?due|what is left(?: to pay)?)(?: is| of| due is|,)?(?: now)?)"
_LEFT_EN = r"(?:(?:is|are) (?:missing|short)|(?:is|are) (?:still |now |left )?(?:due|owed|to be paid|to pay|open|left|outstanding|left to pay|what you owe|your balance)|(?:still )?remains?|(?:is )?left(?: to pay)?|(?:is )?still (?:due|owed|open|to be paid|to pay|outstanding|left))"
_READ = {
    "en": AmountWords(
        roles=(
            _before(
                rf"(?:you(?:['’]ve| have)?|we(?:['’]ve| have)?|bank|card|it) (?:just |already |has |was |were |only |is )*(?:{_DONE_EN})(?: (?:your|this|the) card)?(?: (?:for|with|only|just))?",
                *_NOT_CHOSEN,
            ),
            _before(
                r"^\W*(?:approved|charged|paid|entered|reserved)|(?<=[.;:,] )(?:approved|charged|paid)", *_NOT_CHOSEN
            ),
            _after(
                rf"(?:has been|have been|was|were|is now|is) (?:just |already |now |only )?{_DONE_EN}", *_NOT_CHOSEN
            ),
            _after(r"(?:went|has gone|is) through", *_NOT_CHOSEN),
            _before(r"(?:taking|giving|sending) back|refunding|back to your card", *_NOT_CHOSEN),
            _before(r"promise to pay|promising to pay", *_NOT_CHOSEN),
            _before(_MOST_EN, "min"),
            _before(_LEAST_EN, "max"),
            _after(r"(?:at (?:the )?most|or less|is the (?:most|maximum|limit))", "min"),
            _after(r"(?:at (?:the )?least|or more|is the (?:least|minimum))", "max"),
            _as_it_stands(r"\b(?:from|between) \{(?P<value>max)\} (?:to|and|up to) \{min\}"),
        ),
        owed=(_before(_OWED_EN, *_NOT_OWED), _after(_LEFT_EN, *_NOT_OWED)),
        parts=(
            _as_it_stands(r"\{(?P<value>(?:last_)?instalment)\} in(?:to)? \{instalments\}"),
            _as_it_stands(r"\{(?P<value>(?:amount|last_instalment))\},? \{instalments\} times"),
            _before(
                r"(?:which |that |it )?makes|(?:total|sum|whole|entire amount|in all|in total|altogether)(?: amount)?(?: of| is|,)?",
                "instalment",
                "last_instalment",
            ),
            _after(r"(?:in all|in total|altogether|all together|total)", "instalment", "last_instalment"),
            _before(
                r"(?:parts?|payments?|instal?lments?|rates?|portions?)(?: each)?(?: of| at|,)?|each|(?:each|every) (?:month|week)|every one|one part is|apiece",
                "amount",
                "last_instalment",
            ),
            _after(
                r"(?:each(?! month in)|apiece|a (?:month|week)|per (?:month|week|part|payment)|monthly|weekly|every (?:month|week))",
                "amount",
                "last_instalment",
            ),
            _before(
                r"(?:the )?(?:last|final)(?: (?:one|part|payment|instal?lment))?(?: of| is| being|,)?",
                "instalment",
                "amount",
            ),
        ),
        most_is_due=(
            _before(_MOST_EN, "due"),
            _after(r"(?:at (?:the )?most|is the (?:most|maximum|limit))", "due"),
            _as_it_stands(r"\b(?:at most|no more than|up to) \{(?P<value>due)\}"),
        ),
        supposes=re.compile(r"\b(?:if|whether|until|till|unless|once|when|before|in case|as soon as|after)\b", _I),
    ),
    "es": AmountWords(
        roles=(
            _before(
                r"(?:se (?:le )?(?:ha |han )?(?:cobr|carg|aprob|pag|retuv|autoriz)(?:[óo]|aron|ieron|ado)|(?:usted )?(?:marc[óo]|ingres[óo]|eligi[óo]|pag[óo]|ha pagado)|(?:le )?(?:cobramos|cargamos)|banco (?:solo |s[óo]lo )?aprob[óo]|fueron (?:cobrad|cargad|aprobad)[oa]s?)(?: (?:solo|s[óo]lo|a su tarjeta))?",
                *_NOT_CHOSEN,
            ),
            _before(r"(?:^|(?<=[.;:,] ))\W*(?:aprobad|cobrad|pagad)[oa]s?", *_NOT_CHOSEN),
            _after(
                r"(?:fueron|fue|han sido|quedan|se) (?:cobr|carg|aprob|pag|reten)(?:ad[oa]s?|id[oa]s?|[óo]|aron|ieron)",
                *_NOT_CHOSEN,
            ),
            _before(r"(?:promete|prometo|se compromete a) pagar|deshaciendo el pago de|devolviendo", *_NOT_CHOSEN),
            _before(
                r"como m[áa]ximo|no m[áa]s de|hasta|a lo m[áa]s|(?:el |un )?m[áa]ximo(?: es| son)?(?: de)?|lo m[áa]s que se puede pagar(?: es| son)?",
                "min",
            ),
            _before(
                r"como m[íi]nimo|por lo menos|al menos|no menos de|(?:el |un )?m[íi]nimo(?: es| son)?(?: de)?|lo menos que se puede pagar(?: es| son)?",
                "max",
            ),
            _after(r"(?:como|a lo) m[áa]ximo|o menos|a lo m[áa]s", "min"),
            _after(r"(?:como|por lo) m[íi]nimo|por lo menos|al menos|o m[áa]s", "max"),
            _as_it_stands(r"\b(?:de|desde|entre) \{(?P<value>max)\} (?:a|y|hasta) \{min\}"),
        ),
        owed=(
            _before(
                r"(?:debe|(?:faltan?|quedan?)(?: por pagar)?|(?:su |el )?recibo es de|(?:su |el )?(?:saldo|resto|adeudo)(?: pendiente| actual| por pagar)?(?: es de| es| de|,)?|lo que (?:falta|debe)(?: es)?)(?: ahora| todav[íi]a)?",
                *_NOT_OWED,
            ),
            _after(
                r"(?:quedan?|faltan?|siguen?|est[áa]n?) (?:por pagar|pendientes?)|(?:es lo que debe|todav[íi]a se deben?)",
                *_NOT_OWED,
            ),
        ),
        parts=(
            _as_it_stands(r"\{(?P<value>(?:last_)?instalment)\} en \{instalments\}"),
            _before(r"(?:en total|(?:el |un |su )?total(?: es| de| es de)?|en suma)", "instalment", "last_instalment"),
            _after(r"(?:en total|en suma|de total)", "instalment", "last_instalment"),
            _before(
                r"(?:partes?|pagos?|plazos?|cuotas?|mensualidades?)(?: (?:mensuales|semanales|iguales))?(?: de|,)?|cada un[oa](?: de)?",
                "amount",
                "last_instalment",
            ),
            _after(
                r"(?:cada (?:un[oa]|mes|semana)|al mes|a la semana|por (?:mes|semana)|mensuales|semanales)",
                "amount",
                "last_instalment",
            ),
            _before(
                r"(?:la |el )?[úu]ltim[oa](?: (?:parte|pago|cuota|mensualidad))?(?: de| es de| es|,)?",
                "instalment",
                "amount",
            ),
        ),
        most_is_due=(
            _before(r"(?:como m[áa]ximo|no m[áa]s de|hasta|a lo m[áa]s|m[áa]ximo(?: de)?)", "due"),
            _after(r"(?:como|a lo) m[áa]ximo", "due"),
        ),
        supposes=re.compile(r"\b(?:si|hasta que|antes|cuando|una vez|a menos|despu[ée]s)\b", _I),
    ),
}
CONFIRM_MONEY = "confirm_money"
# What an amount that a caller has keyed in is called.
CHOSEN = frozenset({"amount", "value", "money"})
# The prompts of a limit: what is due is more than that.
_OF_THE_LIMIT = ("due_over_limit", "limit_max_amount")


# What the author is told of a value that was found by other words.
MEANING: Mapping[str, str] = {
    "amount": "what was chosen, or is charged",
    "value": "what was keyed in",
    "money": "what was keyed in",
    "due": "what is still to be paid",
    "min": "the least that can be paid",
    "max": "the most that can be paid",
    "instalment": "one part, {amount} all of them",
    "last_instalment": "the last part alone",
}


class Misplaced(NamedTuple):
    """A value, and the words by which it is said."""

    words: str
    value: str


def in_anothers_place(prompt: str, template: Template, language: str) -> Misplaced | None:
    """The first value that is said by words which are not true of it."""
    words = _READ.get(own_language(language))
    return next(_untruths(prompt, _named(template), words), None) if words else None


def _untruths(prompt: str, named: str, words: AmountWords) -> Iterator[Misplaced]:
    roles = list(words.roles)
    # An agreement, or a consent, may be to all that is due: then the amount is what is owed.
    if not prompt.startswith("confirm_") or prompt == CONFIRM_MONEY:
        roles += words.owed
    if "{instalment}" in named:
        roles += words.parts
    if prompt in _OF_THE_LIMIT:
        roles += words.most_is_due
    for sentence in _SENTENCE.findall(named):
        for role in roles:
            for match in role.pattern.finditer(sentence):
                is_untrue = not role.untrue or match["value"] in role.untrue
                if is_untrue and not words.supposes.search(sentence[: match.start()]):
                    yield Misplaced(match[0].strip(" ,:"), match["value"])


def _named(template: Template) -> str:
    text = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    return re.sub(r"[ \t]+", " ", text)
