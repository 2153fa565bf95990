"""The words by which a caller agrees to be remembered, beside those that agree to have a card kept; and what names a language."""

import re
from dataclasses import replace

from ivr.words.choice_words import ChoiceWords, any_of, own_language
from ivr.words.keeping_words import keeping

# What is remembered, and of whom: in this prompt alone it changes nothing.
_WHAT = {
    "en": any_of(
        "(?:the |your |our )?(?:choice of )?(?:languages?|account(?: number)?s?|tongue)",
        "(?:by|with|under|from) (?:the |this |your )?(?:tele)?(?:phone )?numbers?",
        *("both", "who you are", "know", "recognize", "recognise", "number", "again", "last", "used"),
    ),
    "es": any_of(
        "(?:el |la |su |sus )?(?:idiomas?|lengua|n[úu]mero de cuenta|cuentas?)",
        "(?:por|con|desde) (?:el |este |su )?(?:n[úu]mero|tel[ée]fono)",
        *("ambos", "n[úu]mero", "qui[ée]n es", "[úu]ltima", "otra vez", "de nuevo"),
    ),
}
_LANGUAGE = {
    "en": re.compile(r"\b(?:languages?|tongue)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:idiomas?|lenguas?)\b", re.IGNORECASE),
}
_KEPT = {
    "en": re.compile(r"\b(?:keeps?|kept|stored?|saved?|remember(?:ed)?|on file)\b", re.IGNORECASE),
    "es": re.compile(r"\b(?:guard|conserv|record|almacen)\w+", re.IGNORECASE),
}
_OTHERWISE = {
    "en": re.compile(
        r"\b(?:not|never) (?:keep|store|save|remember)\b|\bcharg(?:e|ed|es|ing)\b|\bcard\b", re.IGNORECASE
    ),
    "es": re.compile(r"\bno (?:se )?(?:guard|record)\w+|\bcobr\w+|\bcarg(?:o|os|ar)\b|\btarjeta\b", re.IGNORECASE),
}


def remembering(language: str) -> ChoiceWords | None:
    """Of the consent to be remembered; None for a language without lists."""
    words = keeping(language)
    if words is None:
        return None
    harmless = _WHAT[own_language(language)].pattern
    harmless = f"{harmless}|{words.harmless.pattern}" if words.harmless else harmless
    return replace(words, harmless=re.compile(harmless, re.IGNORECASE))


def of_remembering(text: str, language: str) -> tuple[bool, str]:
    """Whether the words say that something is kept, and what they say that this does not do: nothing is charged by it, and no card kept."""
    own = own_language(language)
    against = _OTHERWISE[own].search(text) if own in _OTHERWISE else None
    return own not in _KEPT or _KEPT[own].search(text) is not None, against[0] if against else ""


def names_language(text: str, language: str) -> bool:
    """Whether the words say that it is about the language; yes where nobody can tell."""
    own = own_language(language)
    return own not in _LANGUAGE or _LANGUAGE[own].search(text) is not None
