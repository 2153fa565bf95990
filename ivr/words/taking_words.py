"""Sentences that say when money is taken: verbs that take it, and times that are now or are not.

`charge_words` has what stands right beside the amount; here a verb and a time make the sentence, whatever stands between them: "We take
it when the goods are shipped", "The money leaves your account next Tuesday", "We charge your card now".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ivr.words.choice_words import own_language
from ivr.words.counts import COUNT_EN, COUNT_ES

_I = re.IGNORECASE


@dataclass(frozen=True)
class TakingWords:
    """`later`: at another time than now; `goes_on`: again and again; `now`: at once; `about`: words beside an amount that make it more,
    less or uncertain; `unasked`: a yes of a caller who does nothing. `denied`: what makes the opposite of the rest of its clause."""

    later: re.Pattern[str]
    goes_on: re.Pattern[str]
    now: re.Pattern[str]
    about: re.Pattern[str]
    unasked: re.Pattern[str]
    denied: re.Pattern[str]


_NUM_EN = rf"(?:\d+|an?|one|{COUNT_EN}|a few|a couple of|several|some|many)"
_UNIT_EN = r"(?:minutes?|hours?|days?|weeks?|weekends?|fortnights?|months?|quarters?|seasons?|years?)"
_DAY_EN = r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|may|june|july|august|september|october|november|december|christmas|easter|weekends?|midnight|noon|dawn)"
_EVENT_EN = r"(?:delivery|dispatch|shipping|shipment|arrival|departure|check-?in|check-?out|completion|acceptance|payday|pick-?up|collection|renewal)"
# What follows "by", "on", "within" or "before" and is a time: a day, a span, an event.
_TIME_EN = (
    rf"(?:(?:about |around |the |this |that |your |our |its |next |coming |following |same |early |late )*(?:{_DAY_EN}|{_EVENT_EN}|(?:end|close|beginning|start|middle|morning|afternoon|evening|night|turn)\b(?: of)?|(?:due|renewal|payment|billing|delivery|later|future|return) (?:date|day|time)|(?:\w+ )?{_UNIT_EN} (?:from|after|later))"
    rf"|(?:the |about |around |up to )?(?:next |coming |following |first |last )?{_NUM_EN} (?:\w+ )?{_UNIT_EN}|(?:the |your )?(?:next|coming|following|last) (?:\w+ )?(?:{_UNIT_EN}|{_DAY_EN}|time|bill|invoice|statement)|the \d+(?:st|nd|rd|th)|the (?:first|last|second|third|fourth|fifth|tenth|fifteenth)\b(?! {{)|\d+(?:st|nd|rd|th)|a later|\{{(?!brand|last4|amount|card|account_number)\w*(?:by|on|at|until|date|day)\}})"
)
_LATER_EN = (
    rf"(?:(?:by|before|until|till|within|in|on|at|from|after|during|over|no later than|not before|no earlier than|starting|beginning|upon|towards?|between) {_TIME_EN}|overnight|tonight|tomorrow|the day after|later\b|afterwards|soon\b|eventually|some ?day|this (?:evening|afternoon|week|weekend|month|year|quarter)\b|next (?:\w+ )?(?:{_UNIT_EN}|{_DAY_EN}|time)"
    rf"|(?:on|upon) {_EVENT_EN}|(?:only )?(?:as soon as|when(?:ever)?|once|after|if|unless) (?!you (?:press|agree|say|confirm|accept)|your (?:consent|agreement)|all\b)(?:the|your|our|we|it|this|that|they|you|an?|their|goods|my|his|her)\b)"
)
_CARD_EN = r"(?:(?:your|the|this|that) (?:\w+ )?(?:card|account)|you|it|this|that|them|(?:the|this|that|your|all of the) (?:\w+ )?(?:money|amount|payment|sum|total|charge|fee|deposit|price)|\{amount\}|\{\w+\}(?: \{\w+\})*)"
_TAKE_EN = r"(?:take|charge|collect|bill|debit|deduct|withdraw|book|draw|process|claim)"
_TAKEN_EN = r"(?:taken|charged|collected|billed|debited|deducted|withdrawn|booked|drawn|processed|claimed)"
_MONEY_EN = r"(?:the |this |your |that |a )?(?:money|amount|charge|payment|debit|sum|total)"
# Between the verb and its time: a few words, none of which is a time or begins another thought.
_GAP_EN = (
    r"(?: (?!now\b|today\b|once\b|immediately\b|and\b|or\b|but\b|then\b|not\b|never\b|which\b|for\b)[\w{}'’]+){0,4}?"
)
_TAKES_EN = (
    rf"(?:\b(?:we|they|i|bank|merchant|shop|company|office)(?:['’]ll| will| shall| can| may| only| just| then| intend to| are going to)* (?:only |just |then )?(?:{_TAKE_EN}(?: {_CARD_EN})?|(?:send|put|run|submit|post|present|pass) (?:the |this |your )?(?:charge|payment|amount|card|transaction)(?: through| on)?)"
    rf"|\b(?:is|are|be|being|gets?|get|was|were) (?:only |then |just |first )?{_TAKEN_EN}|\b{_MONEY_EN} (?:only |then |will |just )*(?:leaves?|goes|go|comes?|moves?|follows?|appears?|happens?|falls?|is due|shows? up)(?: (?:off|out|from|through|due|of))*)"
)
_SIDE_EN = r"(?:rest|remainder|balance|other half|second half|remaining (?:half|amount|sum|part))"
_NOW_EN = r"(?:now|today|at once|immediately|right away|right now|straight ?away|this minute|at this (?:moment|point)|in this call|on this call|during this call|already)"
_KINDS_EN = r"(?:subscription|membership|standing order|direct debit|auto-?pay|payment plan|instal?lment plan|contract|recurring \w+|regular \w+)s?"
_ABOUT_EN = r"(?:about|approx\w*|around|roughly|circa|estimated(?: at)?|more than|over|under|almost|nearly|at least|at most|no more than|not more than|no less than|not less than|less than|up to|starting (?:at|from)|from|between|(?:as|so) (?:much|little) as|a (?:minimum|maximum) of|a (?:limit|ceiling|cap) of|(?:maximum|minimum|upwards) (?:of)?|anything (?:up )?to)"
_SUM_EN = r"\{(?:amount|instalment|last_instalment)\}"
_NUM_ES = rf"(?:\d+|un|una|{COUNT_ES}|unos|unas|varios|varias|pocos|pocas)"
_UNIT_ES = r"(?:minutos?|horas?|d[ií]as?|semanas?|quincenas?|mes(?:es)?|trimestres?|años?)"
_DAY_ES = r"(?:lunes|martes|mi[ée]rcoles|jueves|viernes|s[áa]bado|domingo|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|navidad|medianoche)"
_LATER_ES = (
    rf"(?:(?:el|al|del|para el|hasta el|antes del|despu[ée]s del|a partir del?|en|antes de) (?:pr[óo]ximo |siguiente |d[íi]a )?(?:{_DAY_ES}|final|fin|principio|cierre|{_NUM_ES} (?:\w+ )?{_UNIT_ES}|\d+ de|\{{by\}})|(?:dentro de|en menos de|en) {_NUM_ES} (?:\w+ )?{_UNIT_ES}|a (?:fin(?:es|ales)?|principios?|mediados) de|(?:pasado )?mañana|esta (?:noche|tarde|semana)|este (?:mes|año)|m[áa]s (?:tarde|adelante)|luego|pronto|despu[ée]s|la semana (?:que viene|pr[óo]xima|siguiente)|el (?:mes|año) (?:que viene|pr[óo]ximo|siguiente)"
    r"|(?:solo |s[óo]lo )?(?:cuando|una vez que|en cuanto|hasta que|si|al) (?!(?:usted )?(?:oprim|presion|puls|marqu|acept|confirm)\w+|mes\b|d[íi]a\b|año\b)\w+)"
)
_TAKE_ES = r"(?:cobramos|cobraremos|cargamos|cargaremos|tomamos|retiramos|descontamos|descontaremos)"
_GAP_ES = r"(?: (?!ahora\b|hoy\b|ya\b|y\b|o\b|pero\b|no\b|nunca\b)[\w{}]+){0,4}?"
_TAKES_ES = rf"(?:\b(?:se )?(?:lo |le |la )?{_TAKE_ES}|\bse (?:le )?(?:cobra|cobrar[áa]|carga|cargar[áa]|descuenta|descontar[áa]|retira)n?|\b(?:el|su) (?:dinero|cargo|cobro|pago|importe) (?:sale|saldr[áa]|aparece|se hace|se har[áa]))"
_SUM_ES = r"(?:los )?\{(?:amount|instalment|last_instalment)\}"
_AGREED_EN = r"(?:you (?:will |then )*(?:agree|accept|consent|confirm|promise|authori[sz]e|allow)\b(?! to nothing)|(?:your|the|this) card (?:is|will be|gets) charged|we (?:will |shall |then |['’]ll )*(?:charge|take|collect|debit)\b(?! (?:nothing|no)\b)|(?:it|that|this) (?:is|counts as|means) (?:an? )?(?:yes|agreed|agreement|consent))"
_IDLE_EN = r"(?:silence|no (?:answer|reply|response|objection)|(?:saying|doing|pressing|keying) nothing|staying (?:on the line|silent|quiet)|keeping (?:quiet|silent)|hanging up|waiting|not (?:answering|replying|responding|objecting|pressing(?: \w+){1,2}))"
_AGREED_ES = r"(?:(?:usted )?(?:acepta|autoriza|promete|permite|confirma)\b(?! nada)|(?:se )?(?:le )?(?:cobramos|cobraremos|cobra|cobrar[áa]|carga|cargamos)\b(?! nada)|(?:cuenta|vale|se toma) como)"
_READ: Mapping[str, TakingWords] = {
    "en": TakingWords(
        later=re.compile(
            rf"{_TAKES_EN}{_GAP_EN} {_LATER_EN}|\b(?:nothing|no (?:money|charge|payment|amount))\b(?: \w+){{0,6}}? (?:before|until|till) {_TIME_EN}|\b(?:collected|debited|billed|charged|taken|deducted|withdrawn) {_LATER_EN}"
            # "… thirty days to appeal" is of another thing, and "… to pay the rest" of what is not charged here.
            rf"|\byou (?:have|get|are given) (?:up to |the next )?{_NUM_EN} {_UNIT_EN} (?:to pay|for (?:it|this))\b(?! (?:the rest|the remainder|the balance|any|your (?:next|other)))"
            rf"|\b{_SIDE_EN}(?: (?:is|are|will be|to be|comes?|follows?))?(?: (?:only|then))?(?: {_TAKEN_EN}| paid| due| payable| owed)? {_LATER_EN}"
            r"|\byou (?:can|may|could|are free to) (?:still |then )?(?:cancel|undo|reverse|stop|withdraw|revoke|call|take) (?:\w+ ){0,2}(?:off |back )?(?:until|till|within|later|afterwards|tomorrow|up to)\b",
            _I,
        ),
        goes_on=re.compile(
            rf"\b{_TAKE_EN} {_CARD_EN} (?:again|once more|a second time|more than once|another time|twice)\b|\b(?:a|one) (?:second|further|later|repeat(?:ed)?) (?:charge|debit|payment)\b"
            r"|\bfor as long as\b(?! (?:the|this|our) (?:line|call|connection)\b)"
            rf"|\{{(?:amount|brand|last4|card)\}},? (?:for|over|during|throughout|in) (?:each of |every one of )?(?:the |your )?(?:next|coming|following) (?:{_NUM_EN} )?(?:\w+ )?{_UNIT_EN}\b(?! of\b)"
            rf"|\b(?:keeps?|continues?|continue to|go(?:es)? on|carry on|carries on|proceed to) (?:{_TAKE_EN}|taking|charging|collecting|billing|debiting|deducting|withdrawing)\b"
            rf"|\b(?:starts?|begins?|opens?|sets? up|activates?|creates?|launches|turns? on|enters? (?:you )?into|signs? you up (?:for|to)|enrolls? you in|subscribes? you to) (?:(?:a|an|your|the|our|new|monthly|yearly|weekly|annual) )*{_KINDS_EN}\b"
            rf"|\b(?:is|as|be|becomes?) the (?:start|beginning) of (?:(?:a|an|your|the|our|new) )*{_KINDS_EN}\b",
            _I,
        ),
        now=re.compile(
            rf"{_TAKES_EN}{_GAP_EN} {_NOW_EN}\b|\b(?:charge|debit|deduction|withdrawal) (?:to|from|on|of) {_CARD_EN}{_GAP_EN} {_NOW_EN}\b|\b{_NOW_EN},? (?:we|they|i)(?: will)? {_TAKE_EN}\b|\b{_NOW_EN},? {_CARD_EN} (?:is|will be|gets) {_TAKEN_EN}\b"
            rf"|\bfirst (?:monthly |weekly )?(?:collection|charge|debit|withdrawal) (?:is|comes|falls|will be)(?: made)? {_NOW_EN}\b|\bwe(?: will|['’]ll)? {_NOW_EN} {_TAKE_EN}\b|\b(?:is|will be|are) {_NOW_EN} {_TAKEN_EN}\b",
            _I,
        ),
        about=re.compile(
            rf"\b{_ABOUT_EN} (?:of )?{_SUM_EN}|\b(?:half|a (?:third|quarter|fraction)|two thirds|three quarters|\d+ ?%|\w+ (?:percent|per cent)|twice|double|triple) (?:of )?\{{amount\}}|{_SUM_EN},? or (?:more|less|so|thereabouts|even more)\b|{_SUM_EN},? (?:at (?:the )?(?:most|least)|more or less|give or take|approximately|and (?:more|up(?:wards?)?|above|beyond))\b",
            _I,
        ),
        unasked=re.compile(
            rf"\b{_IDLE_EN} (?:also |then |too )?(?:agrees|accepts|consents|confirms|approves|authori[sz]es|pays|promises|(?:means?|is|counts?|will be|equals?|signals?|shows?)\b[^.;!?]{{0,30}}?\b(?:yes|agree\w*|accept\w*|consent\w*|confirm\w*|approv\w+|authori[sz]\w+|promise\w*))\b"
            rf"|\bby (?:{_IDLE_EN}|listening|holding|remaining)\b[^.;!?]{{0,40}}?{_AGREED_EN}|\b(?:if|when|unless|as long as) (?:you|we) (?:(?:say|do|press|key|hear) (?:nothing|no \w+)|(?:do not|don['’]t) (?:answer|reply|respond|object|hear|(?:press|say|key)(?! (?:1|one)\b))|press (?:2|two)|object|say (?:no|otherwise)|hang up|stay|wait)\b[^.;!?]{{0,40}}?{_AGREED_EN}"
            rf"|{_AGREED_EN}[^.;!?]{{0,60}}? (?:unless you (?:press (?:2|two)|object|say (?:no|otherwise)|tell us)|(?:if|when|even if) you (?:(?:say|do|press) nothing|(?:do not|don['’]t) (?:answer|reply|respond|object)|hang up))\b",
            _I,
        ),
        denied=re.compile(
            r"\b(?:not|no|never|nothing|none|nobody|without|nor|neither|instead of|\w+n['’]t)\b[^,;:]*$", _I
        ),
    ),
    "es": TakingWords(
        later=re.compile(
            rf"{_TAKES_ES}{_GAP_ES} {_LATER_ES}|\btiene (?:un plazo de |hasta )?{_NUM_ES} {_UNIT_ES} para pagar(?:l[oa])?\b(?! (?:el resto|lo dem[áa]s|el saldo|su pr[óo]xim))|\b(?:el resto|lo dem[áa]s|la otra mitad)(?: se (?:cobra|paga))? {_LATER_ES}",
            _I,
        ),
        goes_on=re.compile(
            rf"\b(?:mientras|durante todo el tiempo que) (?:usted )?(?:sea|siga|tenga|est[ée])\b|\{{(?:amount|brand|last4|card)\}},? (?:durante|por|en) (?:cada uno de )?(?:los |las )?(?:pr[óo]xim[oa]s|siguientes) (?:{_NUM_ES} )?{_UNIT_ES}\b"
            r"|\bseguiremos (?:cobrando|cargando)\b|\bse (?:le )?seguir[áa] (?:cobrando|cargando)\b|\b(?:inicia|comienza|empieza|abre|activa|crea) (?:una |su |la |un )?(?:nueva |nuevo )?(?:suscripci[óo]n|membres[íi]a|domiciliaci[óo]n|contrato|plan de pagos)\b",
            _I,
        ),
        now=re.compile(
            rf"\bprimer (?:cobro|cargo) (?:es|ser[áa]|se hace) (?:ahora|hoy|de inmediato|en este momento|en esta llamada)\b|{_TAKES_ES}{_GAP_ES} (?:ahora|hoy|ya|de inmediato|en este momento|en esta llamada|enseguida)\b|\b(?:ahora|hoy|en este momento|enseguida),? (?:mismo )?(?:le )?(?:se (?:le )?(?:cobra|carga)|{_TAKE_ES})",
            _I,
        ),
        about=re.compile(
            rf"\b(?:aproximadamente|cerca de|alrededor de|unos|casi|por lo menos|al menos|como m[íi]nimo|como m[áa]ximo|m[áa]s de|menos de|desde|a partir de|hasta|no m[áa]s de|entre|(?:un )?(?:m[íi]nimo|m[áa]ximo) de) {_SUM_ES}|\b(?:la mitad|un tercio|un cuarto|el doble|el triple|\d+ ?%|\w+ por ciento) de (?:los )?\{{amount\}}|{_SUM_ES},? (?:o m[áa]s|o menos|aproximadamente|m[áa]s o menos|como m[áa]ximo|como m[íi]nimo|por lo menos|al menos|y m[áa]s)\b",
            _I,
        ),
        unasked=re.compile(
            rf"\b(?:silencio|no (?:responder|contestar|decir nada|oprimir nada|hacer nada)|quedarse callad[oa]|colgar|esperar) (?:tambi[ée]n )?(?:acepta|autoriza|confirma|promete|(?:significa|equivale|cuenta|vale|es|se (?:toma|entiende|considera))\b[^.;!?]{{0,30}}?(?:\bs[íi]\b|acept|acuerd|consent|autoriz|confirm|promesa))"
            rf"|\b(?:si|cuando) (?:usted )?(?:no (?:dice|oprime|hace|contesta|responde|presiona|marca)(?! (?:1|uno)\b)(?: nada)?|cuelga|espera)\b[^.;!?]{{0,40}}?{_AGREED_ES}|\b(?:a menos que|salvo que) (?:usted )?(?:oprima|presione|pulse|marque) (?:el )?(?:2|dos)\b[^.;!?]{{0,40}}?{_AGREED_ES}|{_AGREED_ES}[^.;!?]{{0,60}}? (?:a menos que|salvo que) (?:usted )?(?:oprima|presione|pulse|marque) (?:el )?(?:2|dos)\b",
            _I,
        ),
        denied=re.compile(r"\b(?:no|nunca|nada|nadie|ning[úu]n[oa]?|sin|ni|jam[áa]s|tampoco|en vez de)\b[^,;:]*$", _I),
    ),
}


def taking(language: str) -> TakingWords | None:
    """None for a language without lists."""
    return _READ.get(own_language(language))
