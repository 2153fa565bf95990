"""Known untruths beside an amount: words that say otherwise than what key 1 does, or than what has been done, by language.

No list of them is complete: it finds what is plainly wrong, as an author would write who copied the wrong sentence.
"""

import re

from ivr.words.choice_words import own_language
from ivr.words.known_words import denies_charge, without_harmless_phrases, without_only_this_pays

RESERVED_PROMPTS = ("reservation_", "amount_reserved", "result_reserved")
# Said where the amount could not be reserved: nothing is held.
NOT_RESERVED_PROMPTS = ("reservation_declined", "reservation_not_reached", "result_not_reserved_sms")
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
# Before an amount is reserved, likewise: unless its clause denies it, or says that it comes later.
_LATER_EN = r"(?! (?:only|if|when|once|after|later|upon|on arrival|on departure|at (?!once\b)))"
_A_CHARGE = {
    "en": re.compile(
        rf"\bis charged\b{_LATER_EN}|\b(?:charged|taken|debited) (?:now|today|at once|immediately)\b|\bwill be taken\b(?! only)",
        _I,
    ),
    "es": re.compile(r"\bse (?:le )?(?:cobran?|cargan?) (?:ahora|hoy|ya|de inmediato)\b|\bcobr\w+ (?:ahora|hoy)\b", _I),
}
_DENIED = {
    "en": re.compile(r"\b(?:not|no|nothing|never|nor|without|\w+n['’]t)\b[^,;:.!?]*$", _I),
    "es": re.compile(r"\b(?:no|nada|nunca|ni|sin)\b[^,;:.!?]*$", _I),
}
# Once it is reserved: unless its sentence denies it, or says under which condition.
_TAKEN = {
    "en": re.compile(
        r"\b(?:paid|charged|debited)\b|\b(?:was|were|has been|have been) (?:taken|collected|deducted)\b"
        r"|\bpayment\b[^.;!?]*\b(?:received|accepted|approved|went through|has gone through|complete|completed|successful)\b"
        r"|\bthank(?:s| you) for (?:your|the|this) payment\b|\bfor paying\b",
        _I,
    ),
    "es": re.compile(
        r"\b(?:pagad|cobrad|cargad)[oa]s?\b|\bpago\b[^.;!?]*\b(?:recibido|aceptado|aprobado|realizado|se hizo|se realiz[óo]|pas[óo])(?!\w)"
        r"|\bgracias por (?:su|el|este) pago\b|\bgracias por pagar\b",
        _I,
    ),
}
_CONDITION = {
    "en": re.compile(
        rf"\b(?:only|if|not|no|nothing)\b|\b(?:is|are|will be) (?:charged|taken|debited|paid)\b(?!{_LATER_EN})", _I
    ),
    "es": re.compile(r"\b(?:solo|sólo|si|no|nada|sin)\b", _I),
}
_NOT_HELD = {
    "en": re.compile(
        r"\b(?:nothing|not|never|no amount)\b(?! (?:more|else)\b)[^,.;:!?]{0,20}\b(?:held|reserved|blocked)\b", _I
    ),
    "es": re.compile(
        r"\b(?:nada|no|nunca)\b[^,.;:!?]{0,20}\b(?:retenid[oa]s?|reservad[oa]s?|retuvo|reserv[óo])(?!\w)", _I
    ),
}
# Where nothing could be reserved: what says that something is held, or was taken, or that the bank agreed.
_HELD = {
    "en": re.compile(
        r"\b(?:is|are|was|were|been) (?:now |already )?(?:held|reserved|blocked|guaranteed|approved|accepted|charged|taken|paid)\b"
        r"|\b(?:we|bank)(?:['’]ve| have| has)? (?:hold|holds|held|reserved|blocked|approved|accepted|charged|took)\b|\bwent through\b",
        _I,
    ),
    "es": re.compile(
        r"\b(?:qued[óo]|quedan?|quedaron|est[áa]n?|fue|fueron|ha sido) (?:retenid|reservad|apartad|aprobad|aceptad|cobrad|pagad)[oa]s?\b"
        r"|\bse (?:le )?(?:retuv|reserv|apart|aprob|cobr)(?:o|[óo]|ieron|aron)(?!\w)|\bbanco (?:ya )?(?:aprob|acept)[óo](?!\w)",
        _I,
    ),
}
_SUPPOSED = {
    "en": re.compile(
        r"\b(?:if|whether|not|no|nothing|never|nobody|none|neither|nor|without|cannot|unable|\w+n['’]t)\b", _I
    ),
    "es": re.compile(r"\b(?:si|no|nada|nunca|ning[úu]n\w*|ni|sin|tampoco|nadie)\b", _I),
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
    own, stated = own_language(language), _stated(text, first_key, language)
    found = _A_CHARGE[own].finditer(stated) if own in _A_CHARGE else iter(())
    return next((match[0] for match in found if not _DENIED[own].search(stated[: match.start()])), "")


def once_reserved(text: str, language: str) -> str:
    """A sentence of a reservation's receipt that says that the amount was taken."""
    for sentence in _SENTENCE.finditer(text):
        words = sentence[0]
        if _found(_TAKEN, words, language) and not _found(_CONDITION, words, language):
            return words.strip()
    return ""


def of_a_reservation(prompt: str, text: str, language: str) -> str:
    """A sentence that says that nothing is held where an amount is, or the other way round; "" where none does."""
    is_held = prompt not in NOT_RESERVED_PROMPTS
    for sentence in _SENTENCE.finditer(text):
        words = sentence[0]
        held = _found(_HELD, words, language) and not _found(_SUPPOSED, words, language)
        if _found(_NOT_HELD, words, language) if is_held else held:
            return words.strip(" …,.")
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
