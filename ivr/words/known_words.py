"""The words that a consent may have beside the verb that agrees, and that change nothing of it.

A list of refusals is never complete ("press 1 to undo the charge", "if you are unable to pay"), so it is asked the other
way: a clause agrees where every one of its words is known not to refuse. A harmless word that is missing here costs a
merchant another wording; a refusal taken for consent costs a caller money.
"""

import re

from ivr.words.choice_words import ChoiceWords, any_of, own_language, without_filler

_AND_THEN = {
    "en": "(?=\\s+(?:you\\s+)?(?:press|push|hit|dial|choose|select|agree|accept|confirm|authorize))",
    "es": "(?=\\s+(?:usted\\s+)?(?:oprim|presion|puls|marqu|digit|tecle|acept|confirm|autoric))",
}
# "Nothing is charged until you press …": whichever key it is, that one pays.
_ONLY_THIS_PAYS = {
    "en": any_of(
        "(?:nothing|no charge|no payment|no money) (?:is|will be|gets) (?:charged|made|taken|debited|collected|paid)(?: (?:to|from) your card)? (?:until|unless|before)"
        + _AND_THEN["en"],
        "(?:(?:it|this|that|(?:the|your) (?:money|amount|payment|sum|charge)|…)\\s+)?(?:(?:is|are|will|gets?)\\s+)?(?:not|never)(?: be)? (?:charged|taken|debited|made|collected|paid)"
        "(?: (?:from|to|off) (?:your|the|this) card)? (?:until|unless|before)" + _AND_THEN["en"],
        "if you (?:hang up|do nothing|(?:press|say|key) nothing|(?:do not|don['’]t) (?:press|push|choose|select) (?:anything|(?:a|any) key|1|one)),? (?:nothing|no charge|no money) (?:is|will be|gets) (?:charged|made|taken|debited|collected|paid)",
        "if you (?:hang up|do nothing|(?:press|say|key) nothing|(?:do not|don['’]t) (?:press|push|choose|select) (?:anything|(?:a|any) key|1|one)),? (?:you|your card)(?: are| is| will)?(?: not|n['’]t)(?: be)? charged",
        "(?:(?:nothing|no charge|no money) (?:is|will be|gets) (?:charged|made|taken|debited|collected|paid)|(?:you|your card) (?:are|is|will be|will)(?: not|n['’]t)(?: be)? charged) if you (?:hang up|do nothing|(?:press|say|key) nothing)",
        "we (?:(?:do not|don['’]t|will not|won['’]t) (?:charge|take|collect|debit)(?: (?:it|this|anything|your card|…))?|(?:charge|take|collect) nothing) (?:until|unless|before)"
        + _AND_THEN["en"],
        "(?:you|your card)(?: are| is| will)?(?: not|n['’]t)(?: be)? charged (?:until|unless|before)" + _AND_THEN["en"],
    ),
    "es": any_of(
        "(?:el (?:dinero|importe|monto|pago|cargo) )?no se (?:le )?(?:toma|retira|carga|descuenta|hace|realiza)(?:r[áa])?(?: nada| ning[úu]n (?:cargo|cobro|pago)| el (?:cargo|cobro|pago))?"
        " (?:hasta que|a menos que|antes de que)" + _AND_THEN["es"],
        "si (?:usted )?(?:cuelga|no (?:oprime|presiona|pulsa|marca) (?:nada|ninguna tecla|(?:el )?(?:1|uno))),? no se (?:le )?(?:cobra|cobrar[áa]|carga|cargar[áa]|hace|har[áa]|realiza)(?: nada| ning[úu]n (?:cargo|cobro|pago))?",
        "(?:no se (?:le )?|nada se )(?:cobra(?:r[áa])?|har[áa])(?: nada| ning[úu]n (?:cargo|cobro))?"
        " (?:hasta que|a menos que|antes de que)" + _AND_THEN["es"],
    ),
}
# Taken out as they stand, before any word of them is read by itself.
_HARMLESS_PHRASES = {
    "en": any_of(
        "(?:over|by|on) the (?:tele)?phone",
        "(?:on|using|with) (?:your|the) (?:touch[- ]tone )?(?:(?:tele)?phone(?:['’]s)? )?(?:key|dial ?)pad",
        # Of the key, not of the payment: who pays "on your phone" may get a link.
        "(?:(?<=\\d )|(?<=\\bone )|(?<=\x01 ))on your (?:touch[- ]tone )?(?:tele)?phone",
        "(?:shall|should|may|could) we",
        "we (?:shall|should)",
        "by (?:tele)?phone",
        "right (?:now|away)",
        # "A one-time payment", "a single charge", "charged once".
        "one[- ]time|one[- ]off|single|(?:only |just )?once(?=\\s*(?:[,.;:]|$))",
        "at once",
        "from(?=\\s+(?:your\\s+)?…)",
        # Of when the card is charged: with the key.
        "(?:as soon as|the moment|the instant)(?= you (?:press|push|hit|dial|choose|select|agree|confirm))",
        "new (?:balance|total|amount|bill|invoice)",
        "(?:and|then)(?: to)?(?: then)? (?:hear|get|receive) (?:your|the|a) (?:confirmation|receipt)(?: number)?",
        "(?:with|at|for) no (?:extra|additional|further|added) (?:charges?|fees?|costs?)",
        "without (?:any )?(?:extra|additional|further|added) (?:charges?|fees?|costs?)",
        "without (?:any )?changes?",
        "(?<!with )(?<!by )(?<!clear )(?<!clears )(?<!cover )(?:this|your|the) account",
        "or (?:just |simply |please )?hang up\\b[^,.;:!?]*[.;!?]*$",
        "(?:the )?(?:past|amount) due",
        "(?<=pay )(?:an?|the|your|this|my|our) (?:(?:small|security|refundable|partial) )?(?:deposit|down ?payment|tip)",
    ),
    "es": any_of(
        "por tel[ée]fono",
        "(?:en|con) (?:su|el) teclado(?: (?:de su|del) tel[ée]fono)?",
        "(?:(?<=\\d )|(?<=\\buno )|(?<=\x01 ))(?:en|de) su tel[ée]fono",
        "ahora mismo",
        "(?:una )?(?:sola|única) vez",
        "únic[oa]|solo(?= pago| cobro| cargo)",
        "de inmediato",
        "nuevo (?:saldo|total|importe|monto)",
        "nueva (?:factura|cantidad)",
        "y (?:luego |despu[ée]s )?(?:escuchar|o[íi]r|recibir|obtener) (?:su|el|un) (?:n[úu]mero de confirmaci[óo]n|recibo)",
        "sin (?:ning[úu]n )?(?:cargos?|costos?|cobros?|comisi[óo]n(?:es)?|recargos?) (?:adicional(?:es)?|extras?)",
        "sin recargos?",
        "sin (?:ning[úu]n )?cambios?",
        "(?<=cambiar )nada",
        "(?<=corregir )nada",
        "(?<!con )(?:esta|su|la) cuenta",
        "o (?:simplemente )?cuelgue\\b[^,.;:!?]*[.;!?]*$",
    ),
}
_HARMLESS = {
    "en": any_of(
        "(?:that|it|this|there|here|everything|all)['’]s|(?:you|we|i)['’](?:d|ll|re|m|ve)",
        "an|if|this|that|these|those|your|my|our|i|we|us|it|its|to|of|on|with|using|are|am|be|do|does|would|will|want|wants",
        "wish|wishes|like|ready|today|immediately|here|also|amount|total|balance|bills?|invoices?|cards?|credit|debit|sum",
        "due|full|whole|entire|exact|remaining|current|outstanding|monthly|minimum|payments?|purchase|transaction|order",
        "rent|donation|charges?|ending|ends|everything|anything|all|what|yes|ok|okay|securely|safely|information|details",
        "visa|mastercard|amex|discover|both|below|above|thank|thanks|go|going|there|when|once|ready",
        "plan|agreement|arrangement|terms|instal?lments?|parts?|each|every|month|months",
        "electric|electricity|water|gas|internet|tax|taxes|medical|insurance|membership|parking|tuition|premium|fees?|fare|tickets?|citations?|fines?|tolls?|permits?",
        "speeding|traffic|subscriptions?|utility|utilities|school|county|city",
    ),
    "es": any_of(
        "cuando|una vez|listo|lista",
        "los|las|un|una|est[ea]|esto|es[ea]|eso|sus?|tus?|mis?|nuestr[oa]|con|de|del|a|al|en|por|para|que|u|e|usted|yo|lo|le",
        "se|son|est[áa]|est[áa]n|va|voy|vamos|quiere|quiero|desea|deseo|hoy|tarjetas?|cr[ée]dito|d[ée]bito|facturas?|recibo",
        "saldo|total|importe|monto|cantidad|suma|pagos?|cobros?|cargos?|compra|transacci[óo]n|renta|alquiler|donaci[óo]n",
        "deuda|complet[oa]|entero|exacto|pendiente|actual|m[íi]nimo|mensual|terminada|terminan?|todo|sí|inmediatamente",
        "aquí|datos|informaci[óo]n|visa|mastercard|amex|discover|gracias|favor|as[íi]|seguridad",
        "plan|acuerdo|mensualidad(?:es)?|partes?|cada|mes|meses|plazos",
        "luz|agua|gas|internet|impuestos?|seguro|membres[íi]a|estacionamiento|colegiatura|cuota|multas?|boletas?|infracci[óo]n(?:es)?|peajes?|suscripci[óo]n",
        "inscripci[óo]n|permisos?|tr[áa]nsito|quisiera|gustar[íi]a",
    ),
}
# "To pay Acme Power": a name, which no list can have. What is written like one and says how, or that nothing, is none.
_NO_NAME = {
    "en": "(?!(?i:by|in|on|at|with|without|for|from|through|cash|mail|post|checks?|cheques?|later|nothing|none|nobody|no|not"
    "|never|only|less|zero|us|you|back|some|someone|somebody|another|else|elsewhere|online|tomorrow|yourself|after|before|half|next|part|partly|monthly|weekly|instalments|installments)\\b)",
    "es": "(?!(?i:en|por|con|sin|para|desde|efectivo|correo|cheques?|después|luego|nada|nadie|ningun[oa]|no|nunca|menos|cero|su"
    "|otr[oa]|alguien|mañana|plazos)\\b)",
}
_NAME = {
    "en": re.compile(r"(?:(?<=\bpay )|(?<=\bpaying )|(?<=\bauthorize ))(?:" + _NO_NAME["en"] + r"[A-Z][\w&'’-]*\s*)+"),
    "es": re.compile(
        r"(?:(?<=\bpagar a )|(?<=\bautorizar a )|(?<=\bautorizo a ))(?:" + _NO_NAME["es"] + r"[A-Z][\w&'’-]*\s*)+"
    ),
}


_NO_CHARGE = {
    "en": re.compile(
        r"\byou (?:do not|don['’]t|are not|aren['’]t|will not|won['’]t) pay(?:ing)? (?:us )?…"
        r"|\b(?:nothing|no (?:charges?|payments?|money)|never|not|\w+n['’]t)\b[^,:…]{0,40}"
        r"\b(?:charged?|taken|debited|billed|made|paid)\b(?!\s+(?:yet|again|twice|more|extra)\b)"
        r"|\bfree of charge\b|\bwithout (?:any )?charges?\b|\bowe nothing\b|\b(?:is|it['’]s) free\b",
        re.IGNORECASE,
    ),
    "es": re.compile(
        r"\b(?:usted )?no (?:paga|pagar[áa]|va a pagar|est[áa] pagando) …"
        r"|\b(?:nada|no se|nunca|ning[úu]n (?:cargo|cobro|pago))\b[^,:…]{0,40}"
        r"\b(?:cobr\w+|carg\w+|realiz\w+|har[áa]|hace|pag\w+)\b"
        r"|\bno se (?:le )?cobra\w*|\bes gratis\b|\bgratuit[oa]\b|\bno debe nada\b|\bsin (?:costo|cargo|cobro)\b",
        re.IGNORECASE,
    ),
}


def denies_charge(sentence: str, language: str) -> bool:
    """ "Nothing will be charged", and not "nothing is charged until you press 1"."""
    if without_only_this_pays(sentence, language) is not None:
        return False
    return _NO_CHARGE[own_language(language)].search(without_harmless_phrases(sentence, language)) is not None


def without_harmless_phrases(clause: str, language: str) -> str:
    """Words on both sides of one are then next to each other: "make a one-time payment" is "make a payment"."""
    return re.sub(r" {2,}", " ", _HARMLESS_PHRASES[own_language(language)].sub(" ", clause))


def without_only_this_pays(clause: str, language: str) -> str | None:
    """The rest of a clause which says that nothing is charged before its key is pressed; None for others."""
    rest, found = _ONLY_THIS_PAYS[own_language(language)].subn(" ", clause)
    return rest if found else None


def strange_words(clause: str, words: ChoiceWords, language: str) -> list[str]:
    """Those that neither agree nor are known to change nothing of it. Of a refusal that is denied ("if you do not want to
    change it"), only what is certain to be the opposite of paying is known: `words.undoes`."""
    rest = _NAME[own_language(language)].sub(" ", without_harmless_phrases(clause, language))
    for known in (words.denied, words.first, words.undoes, _HARMLESS[own_language(language)]):
        rest = known.sub(" ", rest)
    return re.findall(r"[^\W\d_]+", without_filler(rest, language))
