"""Words of a promise, plan or mandate that say something else than goes on record: a sum that may be another, a charge now, an end of
what has none, or that nothing is agreed to.

The record has the amount as it is, and no card: nothing is charged by it, in this call or by the engine later. A mandate has no end.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ivr.core.fixed_keys import ACCEPT_KEY, REFUSE_KEY
from ivr.words.choice_words import own_language
from ivr.words.clauses import clauses_of
from ivr.words.counts import COUNT_EN, COUNT_ES
from ivr.words.keys_said import keys_said, prose
from ivr.words.taking_words import taking
from ivr.words.templates import Template, TemplateText

_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")
_I = re.IGNORECASE


@dataclass(frozen=True)
class AgreementWords:
    """`adds`: a sum beside it; `changes`: another sum some day; `denies`: that there is no agreement, where its sentence neither asks nor supposes; `breaks`: a
    time without a payment, or one payment where several are due, but for `early`, the rest sooner than it is due; `ends`: a last payment, or none that the caller could make the last;
    `repeats`: of a promise, more than one payment; `charges`: of one, that a card is kept or charged, or
    money taken, and `calls_first`: where the caller pays in a call of its own; `after`: one that begins with its day, which is its last; `unkept`: what is so only once it is not kept; `pays`: of key 1, a payment
    in the call."""

    adds: re.Pattern[str]
    changes: re.Pattern[str]
    denies: re.Pattern[str]
    supposes: re.Pattern[str]
    breaks: re.Pattern[str]
    early: re.Pattern[str]
    ends: re.Pattern[str]
    repeats: re.Pattern[str]
    charges: re.Pattern[str]
    calls_first: re.Pattern[str]
    after: re.Pattern[str]
    unkept: re.Pattern[str]
    pays: re.Pattern[str]


_NUM_EN = rf"(?:\d+|an?|one|{COUNT_EN}|a few|several|some)"
_UNIT_EN = r"(?:weeks?|months?|quarters?|years?)"
_PAYMENT_EN = r"(?:payments?|instal?lments?|collections?|debits?|charges?|times)"
_MONTH_EN = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|christmas|easter)"
)
_ADDED_EN = r"(?:tax(?:es)?|vat|gst|hst|duty|interest|insurance|postage|surcharges?|(?<!late )fees?)"
_ADDED_ES = r"(?:iva|i\.v\.a\.|impuestos?|inter[ée]s(?:es)?|seguro|recargos?|comisi[óo]n(?:es)?|gastos)"
_NOT_EN = r"(?:do not|don['’]t|never|no longer|will not|won['’]t|cannot|can['’]t|are not|aren['’]t|did not|didn['’]t)"
_NUM_ES = rf"(?:\d+|un|una|{COUNT_ES}|algunos|algunas|varios|varias)"
_UNIT_ES = r"(?:semanas?|mes(?:es)?|trimestres?|años?)"
_MONTH_ES = r"(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|navidad)"
# No card outlives the call, and a fee is no payment of what is promised.
_ON_FILE_EN = r"(?: (?:that )?(?:is )?(?:on (?:file|record)|(?:we|you) (?:have |have already |already )?(?:keep|kept|have|hold|saved|stored|gave|entered)(?: us)?(?: (?:on file|here|before))?))?"
_CARD_EN = rf"(?:(?:your|the|this|that|a) (?:\w+ ){{0,2}}(?:card|payment method){_ON_FILE_EN}(?: you (?:\w+ ){{1,4}}?(?:with|last|before|today)(?: time)?)?(?:[’']s)?(?: (?:details|number|data|information))?|(?:your|the) (?:bank|checking|savings) account|your (?:visa|mastercard|amex|american express|discover))"
# Of a utility or a clinic "your account" is its own as well: money is moved out of a bank's alone.
_MONEY_EN = rf"(?:{_CARD_EN}|your account)"
_NO_FEE_EN = r"(?! (?:(?:for )?nothing|no|(?:for )?(?:late|being late)|(?:an? |any |the |our |more )*(?:\w+ ){0,2}?(?:fees?|interest|penalt(?:y|ies)|surcharges?|extra))\b)"
_WILL_EN = r"(?:['’]ll| will| shall| may| can| only| then| just| also| automatically| simply| are going to| intend to)*"
_IS_EN = r"(?:is|are|gets?|(?:will|shall|may|can)(?: then| only| automatically| simply| just| also)* be|is going to be|to be)(?: then| only| automatically| simply| just| first)*"
_SUM_EN = r"(?:\{amount\}|\bit|\bthat|\ball of it|\b(?:the|your|this|that) (?:\w+ )?(?:money|amount|payment|sum|total|balance))"
_DEBIT_EN = r"(?:charge|bill|debit|draft)"
_DEBITED_EN = r"(?:charged|billed|debited|drafted)"
# "You may set up autopay", "your autopay is paused" and "turn off autopay" take nothing.
_AUTO_EN = r"(?:\b(?:auto-?pay|automatic (?:payment|withdrawal|charge|debit))(?: then| will| only| just| is to)* (?:takes?|pays?|collects?|charges?|covers?|settles?|draws?|runs?|happens?|follows?|(?:is|be|are) (?:set(?! up on (?:our|the) )|made|used|scheduled|taken|due))\b|\b(?:paid|taken|collected|made|drawn|comes?|goes?|put|runs?)(?: \w+){0,2} (?:by|on|through|with|via|from) auto-?pay\b)"
# How a payment is made by who pays it: "payment is taken by phone", "… made with your card on our website".
_BY_PAYER_EN = r"(?! (?:(?:by|over) (?:phone|telephone|mail|post|che(?:ck|que)|cash|our (?:\w+ )?(?:office|staff|team|desk|cashiers?))|over the|online|in (?:person|cash)|at (?:the|our|any|your)|on (?:our|the) (?:website|site|app|page|web)))"
# "You authorize us to charge your card", and whoever else would: "our system will charge it", "the city charges your card".
_LETS_EN = r"(?<!can )(?<!may )\b(?:allow|authori[sz]e|permit|let|permission|consent|agree|instruct)(?:s|ing)?(?: (?:for )?(?:us|our \w+|the \w+))?(?: to)?"
_ANYONE_EN = (
    r"\b(?<![’'])(?!(?:to|not|never|nobody|none|nothing|cannot|you|or|and|us|them|a|an|any|no|the|this|your|our)\b)\w+"
)
_THEN_EN = r"(?:from|off|out of|then|that day|automatically|on (?!record)|by card|with (?:your|the|this) card)"
_CARD_ES = r"(?:(?:(?:los datos|el n[úu]mero) de )?(?:su|la|esta|esa|una) (?:tarjeta|forma de pago)(?: (?:registrada|guardada|que (?:tenemos|guardamos|nos dio|us[óo])(?: (?:registrada|guardada|en archivo))?))?|(?:su|la) cuenta (?:bancaria|de cheques|de ahorros?))"
_NO_FEE_ES = r"(?! (?:un |una |los |las |el |la )?(?:\w+ )?(?:recargos?|inter[ée]s(?:es)?|comisi[óo]n(?:es)?|cargos? (?:por|adicional|extra)|penalizaci[óo]n|multa)\b)"
_CHARGE_ES = r"(?:cobramos|cobraremos|cargamos|cargaremos|debitamos|debitaremos|descontamos|descontaremos|retiramos|retiraremos|vamos a (?:cobrar|cargar|debitar|descontar|retirar))"
_TAKES_ES = r"(?:cobra|cobrar[áa]|cobre|carga|cargar[áa]|cargue|debita|debitar[áa]|debite|descuenta|descontar[áa])n?"
_LETS_ES = r"\b(?:autori[cz]\w+|permite|permitir|acepta|permiso|consiente)(?: (?:que|a|para|de))?(?: \w+){0,2}? (?:cobrar|cargar|debitar|descontar)(?:le|nos)?"
_CHARGED_ES = r"(?:cobran?|cobrar[áa]n?|debitan?|debitar[áa]n?|va a (?:cobrar|debitar))"
_MOVED_ES = r"(?:toman?|tomar[áa]n?|cargan?|cargar[áa]n?|descuentan?|descontar[áa]n?|retiran?|retirar[áa]n?|va a (?:cargar|descontar|retirar))"
_READ: Mapping[str, AgreementWords] = {
    "en": AgreementWords(
        adds=re.compile(
            rf"\}}(?:,? (?:each|every|per|a) (?:week|month))?,? (?:plus|and|with) (?:an? |any |the |your |our |some |applicable |\w+ (?:percent|per cent|%) |\d+ ?% )*(?:\w+ )?{_ADDED_EN}\b(?! (?:is |are )?(?:already )?(?:included|in it))|\bplus (?:an? |any |the |your |our |some |applicable )*(?:\w+ )?{_ADDED_EN}\b"
            rf"|\b{_ADDED_EN} (?:is |are |will be |may be |comes? |gets? )(?:then |also |still )?(?:not included|excluded|extra|on top|added|charged|payable|separate)\b",
            _I,
        ),
        changes=re.compile(
            r"(?:\b(?:amount|sum|price|payment|contribution|part|it|this)|\{\w+\}),? (?:may|might|can|could|will)(?: then| later| also| still)? (?:change|vary|rise|fall|grow|shrink|increase|decrease|go (?:up|down)|be (?:raised|lowered|changed|adjusted|higher|lower|more|less))\b"
            r"|\b(?:rises|increases|grows|goes up|decreases|goes down) (?:each|every|by|with|after|over)\b|\bwe (?:may|might|can|could|will) (?:raise|change|adjust|increase|lower) (?:it|this|the (?:amount|sum|price|payment))\b|(?<!call us )(?<!call )\bto (?:raise|increase) (?:it|this|the (?:amount|sum|price|payment))\b|\b(?:collect|take|debit|pay|draw) what(?:ever)? (?:you (?:then )?owe|is (?:then )?due|your bill (?:is|says)|the bill (?:is|says))\b",
            _I,
        ),
        denies=re.compile(
            rf"\byou {_NOT_EN} (?:hereby |really )?(?:promise|promising|agree|agreeing|allow|allowing|authori[sz]e|authori[sz]ing|permit|permitting|commit|committing|undertake)\b[^.;:!?,]{{0,30}}?(?:\{{amount\}}|\bto pay\b(?! (?:more|anything (?:more|else)|for)\b)|\bto anything\b(?! (?:more|else)\b))"
            r"|\b(?:is|are|makes?) (?:not|no) (?:an? )?(?:\w+ )?(?:promise|agreement|commitment|obligation|contract|mandate)\b|\b(?:not|never|\w+n['’]t) (?:legally |really )?(?:bind(?:s|ing)?|obliged?|commit(?:s|ted)?)\b(?! you to (?:more|anything (?:more|else)))"
            r"|\byou (?:need not|(?:do not|don['’]t) (?:have|need) to) (?:pay|honou?r|keep) (?:it|this|that|\{amount\}|your promise|the promise)|\byou (?:promise|agree to) nothing\b|\byou (?:are|stay|remain) free (?:not to|to not) pay\b|\bnothing is (?:agreed|promised|binding|allowed)\b",
            _I,
        ),
        supposes=re.compile(r"\b(?:if|unless|when|whether|in case|until)\b|\?", _I),
        breaks=re.compile(
            rf"\b(?:only |just |for |in )*this (?:week|month|quarter|year|one time|once|time)(?:,? (?:only|alone|and (?:no|not) (?:more|later|other)))\b|\b(?:only|just)(?: for| in| during)? this (?:week|month|quarter|year|once|time|one time)\b|\{{amount\}},? (?:for |in |during )?this (?:week|month|quarter|year)\b(?! and\b)|\{{amount\}},? (?:only |just )?once(?: only)?\b(?! (?:an?|each|every|per|in)\b)|\bonce and (?:never|not) again\b|\bone (?:payment|time) only\b|\b(?:one|a) single (?:payment|time)\b(?! (?:each|every|per|an?)\b)"
            rf"|\b(?:first|next|last|following) (?:{_NUM_EN} )?(?:{_UNIT_EN}|{_PAYMENT_EN})(?: (?:is|are|will be|comes?|costs?|for|at))? (?:free|nothing|half(?: price)?|on us|for nothing|no charge|at no (?:cost|charge)|without (?:charge|payment|paying)|waived|discounted|reduced|a gift)\b"
            rf"|\b(?:free(?: of charge)?|nothing(?: (?:is )?(?:due|paid|collected|taken|to pay))?|no (?:charge|payments?)|half price|a discount)(?: (?:for|in|during))? (?:the |your )?(?:first|next|last) (?:{_NUM_EN} )?(?:{_UNIT_EN}|{_PAYMENT_EN})\b|\b{_NUM_EN} (?:free {_UNIT_EN}|{_UNIT_EN} (?:are |is |for |go )?free)\b|\bfree trial\b|\b(?:trial|grace) (?:period|month|week)\b|\b(?:we|you) (?:may |can |will )?(?:skip|leave out|pause)s? (?:every|each|the|a|{_NUM_EN}) (?:\w+ )?(?:{_UNIT_EN}|{_PAYMENT_EN})\b",
            _I,
        ),
        early=re.compile(
            r"\b(?:can|may|could|free to|welcome to)\b[^.;!?]*\b(?:pay|settle|clear)\b[^.;!?]*\b(?:rest|remainder|early|earlier|sooner|at any time|any day|what is left)\b",
            _I,
        ),
        ends=re.compile(
            rf"\b(?<!pause )(?<!pause it )(?<!stop it )(?<!skip it )(?:(?:for|during|over)(?: (?:only|just|up to|a (?:total|period|term) of|(?:each of )?the (?:next|coming)|all of|exactly|at most))*|in each of the (?:next|coming)) {_NUM_EN}(?: (?:full|more|further|whole))? {_UNIT_EN}\b(?! of\b|['’])|(?:\}}|,| for| in),? (?:exactly |only |just |at most |up to )?(?!an? ){_NUM_EN} (?:monthly |weekly )?{_PAYMENT_EN}\b(?! (?:an?|each|every|per|of)\b)"
            rf"|\b(?:until|till|through|ending(?: in| on| with)?|up to and including|to the end of) (?:the (?:end|beginning|start|last day) of (?:the |this |next |your )?(?:\w+ )?(?:{_UNIT_EN}|{_MONTH_EN}|term|season|lease|loan)|(?:the )?(?:end of )?(?:next )?{_MONTH_EN}\b|next {_UNIT_EN}|the (?:\d+(?:st|nd|rd|th)|{_NUM_EN})\b|it is (?:all )?paid(?: off)?\b|(?:your|the) (?:\w+ )?(?:bill|balance|debt|loan) (?:is|has been) (?:paid|settled))"
            rf"|\b(?:ends|stops|expires|runs out|lapses) (?:by itself|on its own|automatically|in|on|at|with|after(?! you\b))\b"
            r"|\byou (?:cannot|can['’]t|can never|may not|may never) (?:cancel|stop|end|revoke|call (?:it|this|that) off)\b(?: (?:it|this|that))?(?! (?:online|here|by|before|within|until|in|at|on|with|over)\b)",
            _I,
        ),
        repeats=re.compile(
            r"\{amount\},? (?:(?:each|every|per|once a|twice a) (?:other )?(?:day|week|fortnight|month|quarter|year)|daily|weekly|fortnightly|monthly|quarterly|yearly)\b(?! (?:bill|payment due|statement|invoice|rent|fee)\b)|\b(?:each|every) (?:day|week|fortnight|month|quarter|year),? you (?:promise|will pay|pay)\b"
            # Right behind what is promised: "or in two payments" is another way to pay it.
            rf"|\{{amount\}}(?:,? (?!(?:or|may|can|and|if|not|behind|late|missed)\b)[^\s.;:!?,]+){{0,4}}?,? (?P<parts>(?:in|into|over) (?:(?:{COUNT_EN}|\d+|a few|several|some|equal|small|easy|weekly|monthly|regular) )+(?:parts|payments|instal?lments))\b"
            rf"|\bpay (?:a )?(?:part|portion|share) of \{{amount\}}",
            _I,
        ),
        charges=re.compile(
            rf"\b{_CARD_EN} {_IS_EN} (?:{_DEBITED_EN}|used|kept|held|stored|saved|on file|remembered)\b{_NO_FEE_EN}|\b{_CARD_EN}{_WILL_EN} pays? (?:it|this|that|then|\{{amount\}}|on|by)(?!\w)|\b{_DEBITED_EN} (?:to|on|against|from) {_CARD_EN}"
            rf"|\bwe{_WILL_EN} (?:keep|store|save|remember|use|bill|run|process|hold(?: on to)?) {_CARD_EN}\b|\bwe{_WILL_EN} (?:put|place|run) {_SUM_EN} (?:on|to|through|against) {_CARD_EN}\b|\bwe{_WILL_EN} (?:debit|draft) {_MONEY_EN}\b|{_LETS_EN} {_DEBIT_EN} {_MONEY_EN}\b{_NO_FEE_EN}|{_ANYONE_EN}{_WILL_EN} {_DEBIT_EN}s? {_CARD_EN}\b{_NO_FEE_EN}|\bwe{_WILL_EN} {_DEBIT_EN} you automatically\b|\bwe{_WILL_EN} (?:schedule|set up|arrange|book) (?:the|a|your) (?:charge|debit|withdrawal)\b|\byour bank {_IS_EN} (?:charged|debited)\b{_NO_FEE_EN}|\bwe{_WILL_EN} (?:charge|debit) (?:{_CARD_EN}|you\b|{_SUM_EN}){_NO_FEE_EN}|\bwe{_WILL_EN} (?:take|collect|deduct|withdraw|draw) {_SUM_EN}(?: {_THEN_EN}|\W*$)|\byou {_IS_EN} (?:charged|debited)\b{_NO_FEE_EN}"
            rf"|(?:{_SUM_EN}|\b(?:the )?(?:money|payment)) (?:{_IS_EN} (?:taken|paid|drawn|drafted)|{_WILL_EN} ?(?:comes?|goes?)|leaves?|will leave) (?:(?:off|out of|from) )?{_MONEY_EN}\b|(?:{_SUM_EN}|\bpayment) {_IS_EN} (?:taken|collected|paid|made) automatically\b|{_AUTO_EN}|\bpayment {_IS_EN} automatic\b|{_SUM_EN} {_IS_EN} (?:{_DEBITED_EN}|withdrawn|deducted|drawn|taken(?! (?:as|into)\b){_BY_PAYER_EN}|collected(?= {_THEN_EN}))\b{_NO_FEE_EN}|\b(?:charge|debit)(?:{_WILL_EN} (?:appears?|shows?(?: up)?|comes?|goes?|posts?)| {_IS_EN} (?:made|put))? (?:to|on|of|against) {_CARD_EN}|\bpayment (?:{_IS_EN} made|goes|comes|will go|will come) (?:to|from|on|with|by) {_CARD_EN}{_BY_PAYER_EN}|\bpayment {_IS_EN} (?:scheduled|set|booked)(?: [^\s.;!?]+){{0,4}}? (?:to|from|on|with|for) {_CARD_EN}",
            _I,
        ),
        calls_first=re.compile(
            r"\b(?:if|when|once|after|as soon as) you (?:have |then |would |['’]d )?(?:call|ring|phone|pay|come|return|visit|choose|decide|make (?:the|a|your) payment|want|like|prefer|wish|rather|ask|allow)\w*\b",
            _I,
        ),
        after=re.compile(
            r"\{amount\}(?: [^\s.,;:!?]+){0,5}? (?:after|from|starting|beginning)(?: on)? \{by\}|\b(?:not (?:pay )?before|no earlier than|no sooner than) \{by\}",
            _I,
        ),
        unkept=re.compile(
            r"\bunless\b[^.;!?]*\bpa(?:y|id)\b|\b(?:if|where|when|once)\b[^.;!?]*(?:\b(?:not|cannot|never)|n['’]t)\b[^.;!?]{0,25}\bpa(?:y|id)\b|\b(?:if|where|when|once)\b[^.;!?]*\b(?:unpaid|late|overdue|miss(?:ed)?|break|broken|fail)\b"
            r"|\b(?:after|past|beyond) (?:that\b(?! call\b)|(?:this|the) (?:day|date|deadline)\b|\{by\})",
            _I,
        ),
        pays=re.compile(
            r"\bpay(?:ing)?(?: (?:it(?: all)?|this|that|all(?: of (?:it|this|that))?|everything|your bill|the bill|…))?(?: in full)? (?:now|today|at once|right (?:away|now)|immediately|straight ?away|by card|with (?:your|a|this) card)\b",
            _I,
        ),
    ),
    "es": AgreementWords(
        adds=re.compile(
            rf"\}}(?:,? (?:cada|por|al|a la) (?:semana|mes))?,? (?:m[áa]s|y|con) (?:el |la |los |las |un |una |sus )?(?:\w+ )?{_ADDED_ES}\b(?! incluid)|\bm[áa]s (?:el |la |los |las |un |una )?{_ADDED_ES}\b|\b{_ADDED_ES} (?:no (?:est[áa]n? )?incluid[oa]s?|aparte|por separado|adicional(?:es)?)\b",
            _I,
        ),
        changes=re.compile(
            r"\b(?:importe|monto|cantidad|suma|precio|pago|cuota|\{\w+\}) (?:puede|podr[íi]a|va a) (?:cambiar|variar|subir|bajar|aumentar|ser (?:mayor|menor|m[áa]s|menos))\b|\b(?:sube|aumenta|baja) (?:cada|con|despu[ée]s)\b|\bpodemos (?:cambiar|aumentar|subir|ajustar) (?:lo|el (?:importe|monto|precio|pago)|la (?:cantidad|suma|cuota))\b",
            _I,
        ),
        denies=re.compile(
            r"\bno (?:nos |le |lo |se )?(?:promete|prometo|compromete|comprometo|acepta|acepto|permite|permito|autoriza|autorizo)\b[^.;:!?,]{0,30}?(?:\{amount\}|\bpagar\b(?! m[áa]s\b))"
            r"|\bno es (?:un|una|ning[úu]n|ninguna) (?:\w+ )?(?:promesa|acuerdo|compromiso|obligaci[óo]n|contrato)\b|\b(?:no|a nada) (?:le |lo |la )?(?:obliga|compromete|vincula)\b(?! a (?:nada )?m[áa]s\b)|\bno (?:tiene que|necesita|hace falta) (?:pagarl[oa]|cumplirl[oa]|cumplir)\b|\bno (?:promete|acepta) nada\b",
            _I,
        ),
        supposes=re.compile(r"\b(?:si|cuando|a menos que|salvo que|en caso|hasta que)\b|\?", _I),
        breaks=re.compile(
            r"\b(?:solo|s[óo]lo|[úu]nicamente|solamente|nada m[áa]s) (?:por |durante |en )?(?:est[ea]|una?) (?:semana|mes|trimestre|año|vez|ocasi[óo]n)\b(?! (?:al|a la|por|cada)\b)|\best[ea] (?:semana|mes|trimestre|año|vez),? (?:solo|s[óo]lo|solamente|[úu]nicamente|nada m[áa]s|y (?:ya )?no m[áa]s)\b|\{amount\},? (?:en |por |durante )?est[ea] (?:semana|mes|trimestre|año)\b(?! y\b)|\{amount\},? (?:por )?una (?:sola |[úu]nica )?vez\b(?! (?:al|a la|por|cada)\b)|\bun (?:solo|[úu]nico) pago\b(?! (?:al|a la|por|cada)\b)"
            rf"|\b(?:primer|primer[oa]s?|pr[óo]xim[oa]s?|[úu]ltim[oa]s?) (?:{_NUM_ES} )?(?:{_UNIT_ES}|pagos?|cuotas?)(?: (?:es|son|ser[áa]n?|van?|salen?))? (?:gratis|gratuit[oa]s?|de regalo|sin (?:costo|cargo|cobro|pago|pagar)|a mitad de precio|con descuento)\b|\b(?:gratis|sin (?:costo|cobro|pago|pagar)|nada) (?:(?:en|durante|por) )?(?:el|la|los|las) (?:primer|primer[oa]s?|pr[óo]xim[oa]s?) (?:{_NUM_ES} )?{_UNIT_ES}\b|\b{_NUM_ES} {_UNIT_ES} (?:gratis|gratuit[oa]s?|de regalo|de prueba)\b|\bper[íi]odo de (?:prueba|gracia)\b",
            _I,
        ),
        early=re.compile(
            r"\bpuede\b[^.;!?]*\b(?:pag|liquid|sald)\w*[^.;!?]*\b(?:resto|lo que (?:falte|quede)|antes|cuando quiera|en cualquier momento)\b",
            _I,
        ),
        ends=re.compile(
            rf"\b(?<!pausarlo )(?<!suspenderlo )(?:durante|por|en)(?: (?:solo|s[óo]lo|un (?:total|plazo|per[íi]odo) de|los pr[óo]ximos|las pr[óo]ximas|como m[áa]ximo))* {_NUM_ES}(?: m[áa]s)? {_UNIT_ES}\b(?! de\b)|(?:\}}|,| en| por),? (?:solo |s[óo]lo )?(?!una? ){_NUM_ES} (?:pagos|cuotas|veces|cobros)\b(?! (?:al|a la|por|cada)\b)"
            rf"|\bhasta (?:(?:el )?(?:fin|final|t[ée]rmino) de(?:l)? (?:este |la |pr[óo]ximo )?(?:{_UNIT_ES}|{_MONTH_ES}|contrato|temporada)|(?:el (?:mes de )?|finales de )?{_MONTH_ES}\b|el (?:pr[óo]ximo|siguiente|\d+)|(?:la|el) (?:semana|mes|año) (?:que viene|pr[óo]xim[oa])|que (?:est[ée]|quede) pagad[oa])|\b(?:termina|acaba|vence|expira) (?:sol[oa]|autom[áa]ticamente|en|el|al|con|despu[ée]s)\b|\bno (?:lo |la )?puede (?:cancelar|terminar|parar|revocar|suspender)(?:l[oa])?\b(?! (?:por|en|antes|hasta|aqu[íi])\b)",
            _I,
        ),
        repeats=re.compile(
            r"\{amount\},? (?:(?:cada|por|al|a la|una vez al|una vez a la) (?:d[íi]a|semana|quincena|mes|trimestre|año)|(?:diaria|semanal|quincenal|mensual|trimestral|anual)mente)\b|\bcada (?:semana|quincena|mes|trimestre|año),? (?:usted )?(?:promete|paga)\b"
            rf"|\{{amount\}}(?:,? (?!(?:o|puede|y|si|no|con)\b)[^\s.;:!?,]+){{0,4}}?,? (?P<parts>en (?:(?:{COUNT_ES}|\d+|varios|varias|algunos) )?(?:partes|pagos|cuotas|plazos|abonos)(?: (?:iguales|semanales|mensuales|quincenales))?)(?!\w)"
            r"|\bpagar (?:una )?parte de \{amount\}",
            _I,
        ),
        charges=re.compile(
            rf"\b{_CARD_ES} (?:se|ser[áa]|es|queda|quedar[áa]) (?:le )?(?:{_CHARGED_ES}|{_MOVED_ES}|cobrad[ao]|cargad[ao]|debitad[ao]|guardad[ao]|guarda|guardar[áa]|registrad[ao])(?!\w)|\b(?:guardamos|guardaremos|conservamos|usamos|usaremos) {_CARD_ES}\b"
            rf"|\b{_CHARGE_ES}\b{_NO_FEE_ES}(?! nada\b)(?! (?:por (?:tel[ée]fono|correo)|en (?:l[íi]nea|efectivo|persona|(?:la|nuestra) (?:oficina|caja|sucursal))))|\b{_TAKES_ES} (?:[\w{{}}]+ ){{0,2}}?(?:(?:a|en|de|con) )?{_CARD_ES}\b{_NO_FEE_ES}|{_LETS_ES} (?:[\w{{}}]+ ){{0,2}}?(?:(?:a|en|de|con) )?{_CARD_ES}\b{_NO_FEE_ES}|\b(?:tomamos|tomaremos) (?:[\w{{}}]+ ){{1,3}}?de {_CARD_ES}|\b(?:pago|cobro|cargo) (?:es|ser[áa]) autom[áa]tico\b|\b(?:pago|cobro|cargo) se (?:hace|har[áa]|toma|tomar[áa]|realiza|realizar[áa]) autom[áa]ticamente\b|\bse (?:le |lo |los )?{_CHARGED_ES}(?!\w){_NO_FEE_ES}(?! nada\b)|\bse (?:le |lo |los )?{_MOVED_ES} (?:[\w{{}}]+ ){{0,3}}?(?:a|en|de|con) {_CARD_ES}|\bse (?:le |lo |los )?{_MOVED_ES}(?!\w){_NO_FEE_ES}(?: [\w{{}}]+){{0,2}}? (?:a|de) su cuenta\b{_NO_FEE_ES}|\b(?:cargo|cobro|pago) (?:se (?:hace|har[áa]) )(?:a|en|con) {_CARD_ES}|\b(?:cargo|cobro) (?:a|en) {_CARD_ES}",
            _I,
        ),
        calls_first=re.compile(
            r"\b(?:si|cuando|una vez que|en cuanto|despu[ée]s de que) (?:usted )?(?:llam|pag|regres|vuelv|vien|eli[gj]|decid)\w*\b",
            _I,
        ),
        after=re.compile(
            r"\{amount\}(?: [^\s.,;:!?]+){0,5}? (?:despu[ée]s de(?:l)?|a partir de(?:l)?|desde(?: el)?|tras(?: el)?)(?: d[íi]a)? \{by\}|\bno antes de(?:l)? \{by\}",
            _I,
        ),
        unkept=re.compile(
            r"\b(?:si|cuando)\b[^.;!?]*\b(?:no (?:\w+ ){0,2}(?:pag\w*|cumpl\w*)|tarde|atras\w*|demor\w*|vencid[oa]|incumpl\w*)(?!\w)|\b(?:a menos que|salvo que) (?:\w+ ){0,2}pag\w*"
            r"|\b(?:despu[ée]s de|pasad[oa]|a partir de)(?:l)? (?:es[ea] (?:d[íi]a|fecha)|\{by\}|(?:d[íi]a|la fecha|el plazo)\b)",
            _I,
        ),
        pays=re.compile(
            r"\bpag(?:ar|ue)(?:l[oa])?(?: (?:todo|…|su (?:recibo|factura)))? (?:ahora|hoy|ya|de inmediato|inmediatamente|con (?:su|una|esta) tarjeta)\b",
            _I,
        ),
    ),
}
_AS_IT_IS = "{amount} is agreed to as it is, and nothing is charged"
_ONLY_BY_KEY = "only key 1 agrees"
_ON_RECORD = "key 1 puts it on record"
_EACH_DUE = "every payment is due, and each is alike"
_NO_END = "a mandate has no end until it is called off"
_ONCE = "a promise is of one payment"
_LAST_DAY = "{by} is the last day of it"
_NO_CARD = "no card is kept or charged by a promise"
_NOT_NOW = "key 1 puts it on record, and nothing is paid"
_SEVERAL = ("confirm_plan", "confirm_mandate")
_WITHOUT_END = "confirm_mandate"
_OF_ONE = "confirm_promise"


class OtherTerms(NamedTuple):
    """Words of an agreement, and what is so."""

    said: str
    but: str


def other_agreement(template: Template, language: str, prompt: str = "") -> OtherTerms | None:
    """The first words that say so; None where there are none. `prompt`: which agreement it is, as far as that is known."""
    times, words = taking(language), _READ.get(own_language(language))
    if times is None or words is None:
        return None
    patterns = {
        **dict.fromkeys((times.about, times.now, words.adds, words.changes), _AS_IT_IS),
        times.unasked: _ONLY_BY_KEY,
        words.denies: _ON_RECORD,
        words.after: _LAST_DAY,
        **({words.repeats: _ONCE, words.charges: _NO_CARD} if prompt == _OF_ONE else {}),
        **({words.breaks: _EACH_DUE} if prompt in _SEVERAL else {}),
        **({words.ends: _NO_END} if prompt == _WITHOUT_END else {}),
    }
    named = "".join(part.text if isinstance(part, TemplateText) else f"{{{part.name}}}" for part in template.parts)
    sentences = _SENTENCE.findall(re.sub(r"\s+", " ", named))
    for pattern, but in patterns.items():
        for sentence in sentences:
            if pattern is words.denies and words.supposes.search(sentence):
                continue
            if pattern is words.breaks and words.early.search(sentence):
                continue
            if pattern is words.charges and words.calls_first.search(sentence):
                continue
            if pattern in (words.adds, words.changes) and prompt == _OF_ONE and _is_unkept(sentence, words):
                continue
            for match in pattern.finditer(sentence):
                if not times.denied.search(sentence[: match.start()]):
                    said = match.groupdict().get("parts") or match[0]
                    return OtherTerms(said.lstrip("} ,:").rstrip(" ,:"), but)
    return _paid_by_key(template, language, words)


def _is_unkept(sentence: str, words: AgreementWords) -> bool:
    """Of a sentence that does not say the sum that is promised: a fine that rises, or a fee, for who has not paid it by then."""
    return "{amount}" not in sentence and words.unkept.search(sentence) is not None


def without_paying_by_second(text: str, language: str) -> str:
    """A prompt's prose without "pay now" in the clause of key 2: to pay in place of an agreement is no agreement to it."""
    words = _READ.get(own_language(language))
    for clause in clauses_of(text, keys_said(text, language), language) if words else ():
        if clause.key == REFUSE_KEY and words:
            other = words.pays.sub(lambda found: " " * len(found[0]), clause.text)
            text = text.replace(clause.text, other)
    return text


def _paid_by_key(template: Template, language: str, words: AgreementWords) -> OtherTerms | None:
    """What key 1 is said to do: another key may lead to a card."""
    text = prose(template)
    clauses = (
        clause.text for clause in clauses_of(text, keys_said(text, language), language) if clause.key == ACCEPT_KEY
    )
    found = next((match for clause in clauses if (match := words.pays.search(clause))), None)
    return OtherTerms(found[0], _NOT_NOW) if found else None
