"""Known untruths beside an amount: words that say otherwise than what key 1 does, or than what has been done, by language.

No list of them is complete: it finds what is plainly wrong, as an author would write who copied the wrong sentence.
"""

import re

from ivr.words.choice_words import own_language
from ivr.words.known_words import denies_charge, without_harmless_phrases, without_only_this_pays

RESERVED_PROMPTS = ("reservation_", "amount_reserved", "result_reserved")
_SENTENCE = re.compile(r"[^.;!?]+[.;!?]*")
_I = re.IGNORECASE
# Before a charge: in the words before the first key.
_NOT_A_CHARGE = {
    "en": re.compile(
        r"\b(?:only|just|merely)\s+(?:be\s+)?(?:reserved|held)\b|\brefunded\b|\bno money\b|\bhalf of\s*…|\bup to\s*…|…\s+each\b",
        _I,
    ),
    "es": re.compile(
        r"\bs[oó]lo (?:se )?(?:reserva|retien|aparta)\w*|\bsin cobr\w+|\bgratis\b|\bmitad de\b|\bhasta\s*…|\breembols\w+"
        r"|…\s+cada un[oa]\b",
        _I,
    ),
}
# Before an amount is reserved, likewise.
_A_CHARGE = {
    "en": re.compile(
        r"\bis charged\b(?! only)|\b(?:charged|taken|debited) (?:now|at once|immediately)\b|\bwill be taken\b(?! only)",
        _I,
    ),
    "es": re.compile(r"\bse (?:le )?(?:cobran?|cargan?) (?:ahora|ya|de inmediato)\b|\bcobr\w+ ahora\b", _I),
}
# Once it is reserved: unless its sentence denies it, or says under which condition.
_TAKEN = {"en": re.compile(r"\b(?:paid|charged)\b", _I), "es": re.compile(r"\b(?:pagad|cobrad|cargad)[oa]s?\b", _I)}
_CONDITION = {
    "en": re.compile(r"\b(?:only|if|not|no|nothing)\b", _I),
    "es": re.compile(r"\b(?:solo|sólo|si|no|nada|sin)\b", _I),
}
_KEEPS = {
    "en": re.compile(r"\b(?:keep|store|save|remember|on file)\b", _I),
    "es": re.compile(r"\b(?:guard|conserv|record|almacen)\w+", _I),
}
_KEEPS_NOT = {
    "en": re.compile(r"\b(?:not|never) (?:keep|store|save)\b|\bforget\b|\bdelete\b|\bevery (?:month|week|year)\b", _I),
    "es": re.compile(r"\bno (?:se )?guard\w+|\bolvid\w+|\bborr\w+|\bcada (?:mes|semana|año)\b", _I),
}


def before_a_charge(text: str, first_key: int, language: str) -> str:
    """What is said before the first key, at `first_key`, that no charge comes of it, or another; "" where nothing is."""
    stated = _stated(text, first_key, language)
    if denies_charge(stated, language):
        return stated.strip(" .:;!?…")
    return _found(_NOT_A_CHARGE, stated, language)


def before_a_reservation(text: str, first_key: int, language: str) -> str:
    return _found(_A_CHARGE, _stated(text, first_key, language), language)


def once_reserved(text: str, language: str) -> str:
    """A sentence of a reservation's receipt that says that the amount was taken."""
    for sentence in _SENTENCE.finditer(text):
        words = sentence[0]
        if _found(_TAKEN, words, language) and not _found(_CONDITION, words, language):
            return words.strip()
    return ""


def of_keeping(text: str, language: str) -> tuple[bool, str]:
    """Whether the words say that a card is kept, and what they say against it."""
    own = own_language(language)
    return own not in _KEEPS or _KEEPS[own].search(text) is not None, _found(_KEEPS_NOT, text, language)


def _stated(text: str, first_key: int, language: str) -> str:
    """Up to the clause of the first key, without what is true only until it is pressed."""
    before = text[:first_key]
    end = max(before.rfind(mark) for mark in ":.;!?")
    stated = without_harmless_phrases(before[: end + 1], language)
    rest = without_only_this_pays(stated, language)
    return stated if rest is None else rest


def _found(patterns: dict[str, re.Pattern[str]], text: str, language: str) -> str:
    pattern = patterns.get(own_language(language))
    match = pattern.search(text) if pattern else None
    return match[0] if match else ""
