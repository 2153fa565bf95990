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


def remembering(language: str) -> ChoiceWords | None:
    """Of the consent to be remembered; None for a language without lists."""
    words = keeping(language)
    if words is None:
        return None
    harmless = _WHAT[own_language(language)].pattern
    harmless = f"{harmless}|{words.harmless.pattern}" if words.harmless else harmless
    return replace(words, harmless=re.compile(harmless, re.IGNORECASE))


def names_language(text: str, language: str) -> bool:
    """Whether the words say that it is about the language; yes where nobody can tell."""
    own = own_language(language)
    return own not in _LANGUAGE or _LANGUAGE[own].search(text) is not None
