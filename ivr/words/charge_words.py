"""Words that make of a consent's one charge of `{amount}`, now, another charge: several, more or less, or on another day.

A key charges the amount once and at once, whatever is said beside it. As in `untruths`, no list is complete: found is what stands
next to the amount or the card, or can be said of nothing else ("in three monthly parts"), so that a bill may be monthly. What a verb
and a time say together is in `taking_words`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.core.fixed_keys import REFUSE_KEY
from ivr.words.choice_words import own_language
from ivr.words.clauses import clauses_of
from ivr.words.counts import COUNT_EN, COUNT_ES
from ivr.words.keys_said import KeySaid, slots_in_prose
from ivr.words.known_words import without_harmless_phrases
from ivr.words.taking_words import taking
from ivr.words.templates import Template

_I = re.IGNORECASE
_CARD = re.compile(r"^\{(?:brand|last4)\}")
_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")


@dataclass(frozen=True)
class ChargeWords:
    """`several`: more than one charge; `other`: another amount; `later`: another day, or one that is undone. `by_second`: a payment
    that the second key is said to lead to. `denied`: what makes the opposite of the rest of its clause. `second`: where the clause of the second
    key begins."""

    several: re.Pattern[str]
    other: re.Pattern[str]
    later: re.Pattern[str]
    by_second: re.Pattern[str]
    denied: re.Pattern[str]
    second: re.Pattern[str]


# A value, with the card that may stand between it and what is said of it; a verb that takes money.
_VALUE = r"\{(?:amount|brand|last4|card)\}"
_AT = r"\{amount\}"
_NUM_EN = rf"(?:\d+|{COUNT_EN}|a few|several|some|many|\{{instalments\}})"
_UNIT_EN = r"(?:days?|weeks?|fortnights?|months?|quarters?|years?)"
_OFTEN_EN = r"(?:daily|weekly|bi-?weekly|fortnightly|monthly|quarterly|yearly|annual(?:ly)?)"
_PART_EN = r"(?:parts?|portions?|payments?|instal?lments?|charges?|rates?|times)"
_TAKEN_EN = r"(?:charged|taken|debited|collected|billed|paid|deducted|withdrawn|drawn)"
_DAY_EN = r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?"
_MONTH_EN = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_TAX_EN = r"(?:sales )?(?:tax(?:es)?|vat|gst|hst|duty|duties|tips?|gratuity|shipping|postage|handling|delivery|fees?|surcharges?|interest|insurance)"
_MONEY_EN = r"(?:dollars?|cents?|euros?|pounds?|pence|pesos?|percent|per cent|%)"
_COUNTED_EN = "person|head|guest|adult|child|passenger|seat|ticket|item|piece|unit|night|hour|share|account"
_COUNTED_ES = "persona|cabeza|adulto|niño|pasajero|asiento|boleto|art[íi]culo|pieza|unidad|noche|hora|cuenta"
_FRACTION_EN = r"(?:half|a half|one half|(?:a|one|the|two|three|last|first) (?:halfs?|thirds?|quarters?|fourths?|fifths?|tenths?|parts?|fraction|portion|share)|parts?|\d+ ?%|[a-z\d-]+ (?:percent|per cent))"
# Right behind the amount, its card, or the verb that takes it.
_BEHIND_EN = rf"(?:{_VALUE}|\b{_TAKEN_EN})(?: (?:to|from|with|on) (?:your|this|the) card)?,? (?:and )?(?:not before |only |first |(?:is |will be |to be |gets )?(?:only )?{_TAKEN_EN} (?:only )?)?"
_WHEN_EN = (
    rf"(?:tomorrow|tonight|later\b|soon|(?:on|by|from|until) \{{(?!brand|last4|amount)\w+\}}|(?:on |by )?the (?:\w+ ){{0,2}}(?:day|first|last|\d+(?:st|nd|rd|th))(?: (?:day )?of)?|(?:on |by )(?:next |the |{_DAY_EN},? )?(?:{_DAY_EN}|{_MONTH_EN}|\d+(?:st|nd|rd|th)?\b)"
    rf"|(?:on |by )(?:your|the) (?:due|payment|next|renewal) (?:date|day)|(?:the )?next (?:{_UNIT_EN}|{_DAY_EN}|time|business day|working day)|(?:with)?in (?:about )?(?:an?|{_NUM_EN}) (?:\w+ )?(?:{_UNIT_EN}|hours?)|an? (?:{_UNIT_EN}|hour) (?:from now|later)"
    rf"|at (?:the (?:end|beginning|start) of|a later)|(?:when|once|as soon as|if|unless) (?!you (?:press|agree|say|confirm|accept))\w+|after (?!tax|discount|fees?|credits?|all|adjust|insurance|you (?:press|agree|say|confirm|accept))\w+|upon (?:delivery|arrival|completion))"
)
_READ = {
    "en": ChargeWords(
        several=re.compile(
            rf"\b(?:in|into|over|by|as|with|for) (?:a series of |up to )?{_NUM_EN} (?:(?:equal|monthly|weekly|yearly|separate|easy|small|further) )*{_PART_EN}\b"
            rf"|\brolling basis\b|\bas (?:often|needed|required)\b|\bwhenever\b|\bmore than once\b|\bwith (?:the|an) option\b|\b(?:the same (?:amount|sum)|as much) (?:again|on|in|next|every|each)\b|\b(?:payable|paid|spread|pay|off|charged|\}}),? (?:off )?(?:over|across|in) (?:an? |the |one )?(?:year|quarters|halves|thirds|months|weeks|stages)\b|\b(?:every|each) (?:pay ?day|paycheck|order|delivery|visit|use)\b"
            rf"|\b(?:over|across|spread over) (?:a period of )?{_NUM_EN} {_UNIT_EN}\b|\bsplit (?:into|over|in|up)\b|\bspread (?:over|out|across)\b|\bin (?:equal |monthly |weekly |easy )*(?:parts|instal?lments|rates|stages)\b"
            rf"|\b(?<!one of )(?<!one of your )(?<!one of the )(?:{_OFTEN_EN}|recurring|regular|repeated|equal|automatic) (?:parts|payments|instal?lments|charges|rates|debits|withdrawals)\b"
            rf"|\b(?:each|every|per) (?:single |other |{_NUM_EN} |calendar )?(?:{_UNIT_EN}|{_DAY_EN}|time)\b|\b(?:once|twice|{_NUM_EN} times) (?:a|an|each|every|per) {_UNIT_EN}\b|{_VALUE},? an? {_UNIT_EN}\b(?! (?:from|later|pass))"
            rf"|(?:{_VALUE}|{_TAKEN_EN}),? {_OFTEN_EN}\b(?! (?:bill|pass|statement|ticket|rent|fee|dues|premium|subscription|membership|payment|invoice|rate)\b)|\b{_OFTEN_EN}(?: until| from| starting| beginning)\b"
            rf"|\b(?:(?<!to )renews?|renewed|recurring|recurs?|auto-?pay|auto-?renew\w*|automatically|subscribes?|standing order)\b|\buntil (?:you )?(?:cancel\w*|call(?:ed)? (?:it )?off|stop(?:ped)?|further notice|revoked?)\b"
            rf"|(?:\}}|{_TAKEN_EN}|\bthe same(?: amount| sum)?|\band),? again\b|(?:\}}|{_TAKEN_EN}),? (?:twice|two times|three times|{_NUM_EN} times)\b|\b(?:twice|double|triple|{_NUM_EN} (?:times|x)|two|three) (?:the (?:amount of |sum of )?|of )?{_AT}"
            rf"|\b(?:a|the|your|as)? ?(?:first|second|third|next|initial|last|final) (?:of {_NUM_EN} )?(?:{_OFTEN_EN} )?(?:payment|instal?lment|part|charge|rate)s?(?: of| is|:|,)? (?:{_NUM_EN},? )?{_AT}"
            rf"|{_VALUE},? (?:as )?(?:the|a|your) (?:first|second|next|initial) (?:payment|instal?lment|part|charge|of)\b|\b(?:the )?(?:rest|remainder|same|balance|other half) (?:is |will be )?(?:{_TAKEN_EN} |due )?(?:later|again|in (?:a|{_NUM_EN})|next|tomorrow|every|each)\b|\bnow and\b(?! (?:no|not|nothing)\b)",
            _I,
        ),
        other=re.compile(
            rf"{_VALUE},? (?:\(?plus|\+|not (?:including|counting|with))\b(?! nothing)|{_VALUE},? \+|\bplus (?:an? |any |the |your |our |applicable |local |{_NUM_EN} |\$|£|€)*(?:\w+ )?(?:{_TAX_EN}|charges?|costs?|{_MONEY_EN})"
            rf"|{_VALUE},? and (?:an? |any |the |your |our |applicable |local |some )?(?:\w+ )?{_TAX_EN}\b|\b{_TAX_EN} (?:is |are |will be |may be |must be |comes? |gets? )?(?:not included|excluded|extra|on top|added|payable|separate|applies|apply|to be added|charged separately|due)\b"
            rf"|\b(?:before|excluding|excludes?|exclusive of|without|not including|not counting|net of) (?:any |the |sales )?{_TAX_EN}\b|\b(?:fees?|charges?|surcharges?|costs?|taxes|rates)(?: of)?(?: [\w$£€{{}}.,]+){{0,4}}? (?:is|are|will be|may be|gets?|can be) (?:then |also )?(?:added|charged|due|payable|billed|taken)\b"
            rf"|\b(?:may|might|will|can|could|shall) (?:also |then )?(?:add|charge (?:you )?(?:an? )?(?:extra|additional|further|fee)|apply)\b|\b(?:fees?|charges?|costs?|surcharges?|taxes|rates) (?:may |might |will |can )?apply\b|\bwhatever\b|\bsubject to (?!your\b)|\brounded\b|\bdepend(?:s|ing) on\b|\bconverted\b|\bat (?:the|today['’]s|our|your bank['’]s) (?:\w+ )?rate\b|\b(?:may|might|can|could|will) (?:still |then )?(?:differ|change|vary|be (?:more|less|higher|lower))\b|\bgive or take\b|\bor thereabouts\b|{_VALUE},? net\b|\b{_TAX_EN} (?:come|follow|later)|\b(?:something|somewhere) (?:like|around|near)|\bin the (?:region|area) of|\bon top\b|\b(?:an? |some )?(?:extra|additional|further) (?:charges?|fees?|costs?|{_MONEY_EN}|{_NUM_EN})"
            rf"|(?<!including )(?<!included )(?<!of which )(?<!includes )(?<!with )(?:\b{_NUM_EN} {_MONEY_EN}|[$£€] ?\d)(?![^.;!?]*\b(?:included|already)\b)|\b(?:less|minus) (?:an? |any |the |your |our |{_NUM_EN} |\$|£|€|{{)|\bdeduct(?:ed|ing)? (?:from|later)\b|{_VALUE},? off\b"
            rf"|\b(?:about|approx\w*|around|roughly|circa|some|estimated(?: at)?|(?<!nothing )(?<!not )more than|over|under|almost|nearly|at least|at most|no more than|not more than|no less than|not less than|less than|up to|starting (?:at|from)|from|between|as (?:much|little) as|a (?:minimum|maximum) of|(?:maximum|minimum)) (?:of )?{_AT}|{_VALUE},? or (?:more|less|so)\b|{_VALUE},? (?:per|for each|for every) (?:{_COUNTED_EN})\b(?!\?)|{_AT},? (?:apiece|each(?=[.,;:]| (?:with|to|on|by)\b))|{_VALUE},? (?:at (?:most|least)|or so|approximately|more or less)\b"
            rf"|\b{_FRACTION_EN} of (?:the |your )?{_AT}",
            _I,
        ),
        later=re.compile(
            rf"{_BEHIND_EN}{_WHEN_EN}|{_BEHIND_EN}(?:due |payable )?at (?:checkout|delivery|pick-?up|the (?:counter|door|desk)|departure|arrival)\b|(?:\}}|\b{_TAKEN_EN}),? (?:not before|no earlier than|after|until|from|due on|due at|payable on) (?:{_DAY_EN}|{_MONTH_EN}|the (?:\w+ )?(?:day|end|first|\d+))|\bonly (?:if|when|once(?= (?:the|your|it|we|you|this)\b)|after)\b(?! you (?:press|agree|say|confirm|accept))|\b(?:just|only) (?:to (?:verify|check|test)|for a (?:moment|while|test))\b|\blet go\b|\bas an? (?:\w+ )?(?:deposit|hold|guarantee|reservation|authori[sz]ation|pre-?authori[sz]ation|test|check)\b|\b(?:is|are|gets?|will be|be) (?:then |later |soon |fully )?(?:released|returned|given back|paid back|reimbursed|reversed|credited)\b|\b(?:get|gets|receive) (?:it |this |that |them |all of it |your money )?back\b|\brefundable\b|\bon the first of (?:the |next |each )"
            rf"|\b(?:hold|block|set aside|earmark|reserve|pre-?authori[sz]e)s? (?:only |just )?{_AT}|{_AT} (?:is|are|will be|stays?|gets?) (?:only |just )?(?:held|blocked|set aside|earmarked|reserved|pre-?authori[sz]ed)\b",
            _I,
        ),
        by_second=re.compile(
            rf"\b(?:pay|settle)(?:ing)?(?: (?:it|this|that|all|your bill|the (?:bill|rest|balance)|for it|…))?(?: in full)? (?:later|afterwards|then|another (?:time|day)|some other (?:time|day)|tomorrow|(?:on )?next (?:time|{_UNIT_EN}|{_DAY_EN})|on (?:the|your|{_DAY_EN}|{_MONTH_EN})\b|in (?:an? |{_NUM_EN} )?(?:{_UNIT_EN}|cash|person|parts|instal?lments)|(?:by|with|in|through) (?:a )?(?:check|cheque|mail|post|cash|(?:bank )?transfer|wire|invoice|direct debit|instal?lments)|at (?:the|our) (?:\w+ )?(?:office|desk|counter|door|store|shop|branch|bank)|half|(?:only )?(?:a )?part(?: of it)?|(?:a bit )?less|some of it|a (?:smaller|lower|different) (?:amount|sum)|another (?:amount|sum))\b"
            r"|\b(?:be|get) (?:billed|invoiced|charged (?:later|tomorrow|next|on))\b|\b(?:get|receive|have us send) (?:an?|the) (?:bill|invoice|reminder|payment link)\b|\bpay ?later\b",
            _I,
        ),
        denied=re.compile(r"\b(?:not|no|never|nothing|without|nor|neither|instead of|\w+n['’]t)\b[^,;:]*$", _I),
        second=re.compile(r"(?:[,;:.!?]|\b(?:or|and)\b)", _I),
    ),
}
_NUM_ES = rf"(?:\d+|{COUNT_ES}|varios|varias|unos|unas|\{{instalments\}})"
_UNIT_ES = r"(?:d[ií]as?|semanas?|quincenas?|mes(?:es)?|trimestres?|años?)"
_OFTEN_ES = r"(?:diari[oa]s?|seman(?:al|ales)|quincenal(?:es)?|mensual(?:es)?|trimestral(?:es)?|anual(?:es)?)"
_PART_ES = r"(?:partes?|pagos?|plazos?|cuotas?|mensualidades?|cargos?|cobros?|exhibiciones|abonos|veces)"
_TAKEN_ES = r"(?:se (?:le )?(?:cobran?|cobrar[áa]n?|cargan?|cargar[áa]n?|pagan?)|cobrad[oa]s?|cargad[oa]s?|pagad[oa]s?)"
_DAY_ES = r"(?:lunes|martes|miércoles|miercoles|jueves|viernes|sábado|sabado|domingo)"
_TAX_ES = (
    r"(?:iva|i\.v\.a\.|impuestos?|propinas?|env[íi]o|gastos|comisi[oó]n(?:es)?|recargos?|intereses|seguro|cargos?)"
)
_MONEY_ES = r"(?:d[oó]lares|centavos|pesos|euros|libras|por ciento|%)"
_WHEN_ES = (
    rf"(?:(?:pasado )?mañana|m[áa]s tarde|luego|pronto|despu[ée]s|(?:el|al|para el|hasta el|a partir del?) (?:\{{\w+\}}|pr[óo]ximo|siguiente|d[íi]a|{_DAY_ES}|primero|[úu]ltimo|\d+|fin)|(?:la|en la|el|en el)? ?(?:pr[óo]xim[oa]|siguiente|otra?) (?:{_UNIT_ES}|{_DAY_ES}|vez)"
    rf"|(?:la {_UNIT_ES}|el {_UNIT_ES}) (?:pr[óo]xim[oa]|siguiente|que viene|entrante)|(?:dentro de|en) (?:un|una|{_NUM_ES}) {_UNIT_ES}|a (?:fin(?:es|ales)?|principios?|mediados) de|cuando (?!(?:usted )?(?:oprima|presione|pulse|marque|acepte|confirme))\w+|al (?:recibir|llegar|entregar|final|terminar)|tras\b)"
)
_READ["es"] = ChargeWords(
    several=re.compile(
        rf"\b(?:en|a|con|por|durante) {_NUM_ES} (?:(?:c[óo]mod[oa]s|iguales|{_OFTEN_ES}) )*(?:{_PART_ES}|meses|semanas|años)\b|\ben (?:partes|plazos|cuotas|mensualidades|abonos|parcialidades)\b|\ba plazos\b|\bmeses sin intereses\b|\by lo mismo\b"
        rf"|\b(?:pagos|cargos|cobros|partes|cuotas|abonos) (?:{_OFTEN_ES}|recurrentes|peri[óo]dicos|autom[áa]ticos|iguales)\b|\bcada (?:{_NUM_ES} )?(?:{_UNIT_ES}|{_DAY_ES}|vez)\b|\bpor (?:mes|semana|d[íi]a|año|quincena)\b|\b(?:al|a la|una vez al|una vez a la) (?:mes|semana|d[íi]a|año|quincena)\b|\btodos los (?:meses|d[íi]as|años|{_DAY_ES})\b|\btodas las semanas\b"
        rf"|\b(?:mensual|semanal|anual|diaria|quincenal|autom[áa]tica|peri[óo]dica|recurrente)mente\b|\brecurrentes?\b|\bse renuevan?\b|\brenovaci[óo]n autom[áa]tica\b|\bhasta que (?:usted )?(?:lo )?(?:cancele|avise|suspenda)\b"
        rf"|(?:\}}|{_TAKEN_ES}),? (?:otra vez|de nuevo|{_NUM_ES} veces)\b|\by (?:otra vez|de nuevo)\b|\b(?:el doble|el triple|{_NUM_ES} veces|dos|tres) (?:de )?(?:los )?{_AT}|\b(?:un |el |su )?(?:primer|segundo|tercer|pr[óo]ximo|siguiente) (?:pago|cargo|cobro|abono)(?: mensual| semanal)?(?: de| es de|:|,)? {_AT}|\b(?:una |la |su )?(?:primera|segunda|pr[óo]xima|siguiente) (?:parte|cuota|mensualidad)(?: de|:|,)? {_AT}|\bahora y\b",
        _I,
    ),
    other=re.compile(
        rf"{_VALUE},? (?:m[áa]s|\+)|\bm[áa]s (?:el |la |los |las |un |una )?(?:{_TAX_ES}|{_NUM_ES} {_MONEY_ES})|{_VALUE},? y (?:el |la |los |las |un |una )?{_TAX_ES}\b|\b{_TAX_ES} (?:no (?:est[áa]n? )?incluid[oa]s?|aparte|extra|por separado|adicional(?:es)?)\b|\b(?:antes de|sin incluir|sin contar|excluyendo|sin) (?:el |los |las )?(?:iva|impuestos?|propinas?|env[íi]o|gastos)\b"
        rf"|\b(?:se (?:le )?(?:agregan?|suman?|añaden?|agregar[áa]n?|sumar[áa]n?|añadir[áa]n?))\b|\b(?:puede|podr[íi]a) (?:cambiar|variar|ser (?:m[áa]s|mayor|menor))\b|\bpuede (?:agregar|añadir|sumar|aplicar)\b|(?<!incluye )(?<!incluyen )(?<!incluidos )(?:\b{_NUM_ES} {_MONEY_ES}|[$£€] ?\d)|\bmenos (?:un |una |el |la |su |{_NUM_ES} )?(?:descuento|{_NUM_ES}|\$)|\bmenos \{{"
        rf"|\b(?:aproximadamente|cerca de|alrededor de|unos|casi|por lo menos|al menos|como m[íi]nimo|como m[áa]ximo|m[áa]s de|menos de|desde|a partir de|hasta|no m[áa]s de|entre|m[íi]nimo|m[áa]ximo)(?: de)? (?:los )?{_AT}|{_VALUE},? o (?:m[áa]s|menos)\b|{_VALUE},? por (?:{_COUNTED_ES})\b|{_VALUE},? (?:aproximadamente|m[áa]s o menos|como m[áa]ximo|como m[íi]nimo|por lo menos|al menos)\b|\b(?:la mitad|un tercio|un cuarto|una parte|la tercera parte|la cuarta parte|{_NUM_ES} por ciento|\d+ ?%) de (?:los )?{_AT}",
        _I,
    ),
    later=re.compile(
        rf"(?:{_VALUE}|{_TAKEN_ES}),? (?:que )?(?:no antes de |solo |s[óo]lo )?(?:{_TAKEN_ES} )?(?:solo |s[óo]lo )?{_WHEN_ES}|\b(?:el mes|la semana|el año) (?:que viene|pr[óo]xim[oa]|entrante)\b|\b(?:solo|s[óo]lo) para (?:verificar|comprobar|probar)\b|\b(?:solo|s[óo]lo) si\b|\bcomo (?:dep[óo]sito|garant[íi]a|reserva|retenci[óo]n|anticipo|prueba)\b|\b(?:retenemos|retendremos|apartamos|apartaremos|bloqueamos|bloquearemos|reservamos|reservaremos) (?:solo |s[óo]lo )?(?:los )?{_AT}|{_AT} (?:quedan?|quedar[áa]n?) (?:solo |s[óo]lo )?(?:retenid|apartad|bloquead|reservad)[oa]s?\b|\bse (?:le )?(?:devuelven?|devolver[áa]n?|regresan?|liberan?|reintegran?|abonan?)\b|\bdevuelt[oa]s?\b",
        _I,
    ),
    by_second=re.compile(
        rf"\b(?:pagar|pague|pagarl[oa]|liquidar)(?: (?:el|la|su|todo|…) ?(?:resto|recibo|factura|saldo)?)? (?:m[áa]s tarde|despu[ée]s|luego|(?:pasado )?mañana|otro d[íi]a|en otro momento|la pr[óo]xima|(?:la|el) (?:{_UNIT_ES}|{_DAY_ES}) (?:pr[óo]xim[oa]|que viene|siguiente)|el {_DAY_ES}|en (?:efectivo|persona|partes|plazos|cuotas|{_NUM_ES} {_UNIT_ES}|(?:la|nuestra) (?:oficina|sucursal|tienda|caja))|(?:con|por) (?:cheque|correo|transferencia|efectivo)|a plazos|la mitad|una parte|menos|(?:otra|una) (?:cantidad|suma)(?: menor)?|otro (?:importe|monto))\b"
        r"|\b(?:recibir|que le (?:mandemos|enviemos)) (?:una?|la|el) (?:factura|recibo|recordatorio|enlace)\b",
        _I,
    ),
    denied=re.compile(r"\b(?:no|nunca|nada|sin|ni|jam[áa]s|en vez de)\b[^,;:]*$", _I),
    second=re.compile(r"(?:[,;:.!?]|\b(?:o|u|y)\b)", _I),
)


def another_charge(
    template: Template, text: str, said: list[KeySaid], language: str, later_is_true: bool = False
) -> str:
    """What stands beside the amount and would be another charge; "" where nothing does. `text`: the template's prose; `said`: its keys;
    `later_is_true`: of an amount that is only reserved."""
    words, times = _READ.get(own_language(language)), taking(language)
    if words is None or times is None:
        return ""
    named = _with_names(template, _without_second_key(text, said, words))
    patterns = [words.several, words.other, times.goes_on]
    patterns += [] if later_is_true else [words.later, times.later]
    found = next(_found(patterns, named, words, language), "")
    # Whichever key it is said of: "we charge your card unless you press 2".
    return found or next(_found([times.unasked], _with_names(template, text), words, language), "")


def led_to_by_second(text: str, said: list[KeySaid], language: str) -> str:
    """The payment that key 2 is said to lead to, which only takes another card; "" where it is said of none. `text`, `said`: as above."""
    words = _READ.get(own_language(language))
    if words is None:
        return ""
    clauses = (clause.text for clause in clauses_of(text, said, language) if clause.key == REFUSE_KEY)
    return next((found[0] for clause in clauses if (found := words.by_second.search(clause))), "")


def _found(patterns: list[re.Pattern[str]], named: str, words: ChargeWords, language: str) -> Iterator[str]:
    for sentence in _SENTENCE.findall(named):
        said = without_harmless_phrases(sentence, language)
        # Where the fee is said, the words for what is added are the fee's (`fee_words`).
        has_fee = "{card_fee}" in named or "{before_fee}" in named
        for pattern in patterns:
            if has_fee and pattern is words.other:
                continue
            for match in pattern.finditer(said):
                if not words.denied.search(said[: match.start()]):
                    yield _CARD.sub("", match[0]).strip(" ,:")


def _without_second_key(text: str, said: list[KeySaid], words: ChargeWords) -> str:
    """Blank where the clause of a key stands that does not charge: what is said of it is not said of the amount."""
    kept = text
    for number, one in enumerate(said):
        if one.key in ("", "1"):
            continue
        begins = [mark.start() for mark in words.second.finditer(text, 0, one.at)]
        begin = begins[-1] if begins else 0
        sentence = next(found for found in _SENTENCE.finditer(text) if found.start() <= one.at < found.end())
        end = sentence.end()
        if number + 1 < len(said) and said[number + 1].at < end:
            marks = [mark.start() for mark in words.second.finditer(text, one.at, said[number + 1].at)]
            end = marks[-1] if marks else said[number + 1].at
        kept = kept[:begin] + " " * (end - begin) + kept[end:]
    return kept


def _with_names(template: Template, text: str) -> str:
    """Each value by its name, where it is still there."""
    for at, name in reversed(slots_in_prose(template)):
        if text[at] == "…":
            text = f"{text[:at]}{{{name}}}{text[at + 1 :]}"
    text = re.sub(r"\s+", " ", text)
    return re.sub(
        r" ([,.;:!?])",
        r"\1",
        re.sub(
            r"\}(?: (?:with|to|on|by|using|from|con|a|en)(?: (?:your|this|the|su|la|esta))?)?(?: (?:card|tarjeta))? \{(?=brand|last4)",
            "} {",
            text,
        ),
    )
