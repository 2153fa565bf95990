"""The words by which a caller agrees that a card is kept for the next time, beside those that agree to anything.

To pay agrees to nothing here. What a card is kept for ("for your next payment", "when you call again") is harmless in this
prompt alone: beside a charge it would put the payment off.
"""

import re
from dataclasses import replace

from ivr.words.choice_words import ChoiceWords, agreeing, any_of, own_language

_KEEP = {
    "en": any_of(
        *("keeps?(?! from\\b)", "kept", "stores?", "stored", "saves?", "saved", "remembers?", "remembered", "on file"),
        *("confirms?", "accepts?", "agrees?", "approves?", "authori[sz]es?", "allows?", "permits?", "sign(?: me)? up"),
        "give (?:us )?(?:my |your )?(?:permission|consent)",
    ),
    "es": any_of(
        "guard(?:ar(?:l[oa])?|emos|amos|en?|ada)",
        "conserv(?:ar(?:l[oa])?|emos|amos|en?|ada)",
        "record(?:ar(?:l[oa])?|emos|amos)",
        "almacen(?:ar(?:l[oa])?|emos|amos|en?|ada)",
        *("confirm(?:ar(?:l[oa])?|o|e|a)", "acept(?:ar(?:l[oa])?|o|e|a)", "autoriz(?:ar(?:l[oa])?|o|a)", "autorice"),
        *("aprobar(?:l[oa])?", "de acuerdo", "permit(?:ir(?:l[oa])?|o)"),
    ),
}
_FORGET = {
    "en": any_of(
        "without (?:saving|keeping|storing|remembering)",
        *("forgets?", "forgotten", "deletes?", "deleted", "removes?", "removed", "erases?", "erased", "keeps? from"),
    ),
    "es": any_of(
        "sin (?:guardar|conservar|recordar|almacenar)(?:l[oa])?",
        *(
            "olvid(?:ar(?:l[oa])?|emos|amos|en?|ada)",
            "borr(?:ar(?:l[oa])?|emos|amos|en?|ada)",
            "elimin(?:ar(?:l[oa])?|emos|amos|en?)",
        ),
    ),
}
_WHAT_FOR = {
    "en": any_of(
        "(?:for|to use|to pay(?: faster)?|in) (?:the |your |my )?(?:next|later|future|faster|quicker) (?:times?|payments?|calls?|bills?|use)(?: (?:you|i) (?:call|pay))?",
        "so (?:that )?you (?:need not|(?:do not|don['’]t|will not|won['’]t) (?:have|need) to) (?:key|type|enter) (?:it|the number|that)(?: in)?(?: again)?",
        "(?:for|in) the future",
        "(?:the )?next time(?: (?:you|i) (?:call|pay))?",
        "when(?:ever)? (?:you|i) (?:call|pay)(?: us)?(?: again| next)?",
        "(?:by|at|with) (?:the|our|your) bank",
        *("the bank", "our bank", "let", "have", "may", "could", "should", "shall", "details"),
    ),
    "es": any_of(
        "(?:para|en) (?:la |el |los |las |su |sus )?(?:pr[óo]xim[oa]s?|futur[oa]s?|siguientes?) (?:vez|veces|pagos?|llamadas?|recibos?)",
        "(?:en|para) el futuro",
        "la pr[óo]xima vez(?: que (?:llame|pague))?",
        "cuando (?:vuelva a llamar|llame|pague)(?: de nuevo| otra vez)?",
        *("el banco", "nuestro banco", "puede", "podemos", "termina en", "datos"),
    ),
}


def keeping(language: str) -> ChoiceWords | None:
    """Of the consent to keep a card; None for a language without lists."""
    own, words = own_language(language), agreeing(language)
    if words is None:
        return None
    refuses = re.compile(f"{words.second.pattern}|{_FORGET[own].pattern}", re.IGNORECASE)
    return replace(words, first=_KEEP[own], second=refuses, harmless=_WHAT_FOR[own])
