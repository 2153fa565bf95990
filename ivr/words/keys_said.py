"""Which keys a prompt's own words tell the caller to press, in English and Spanish; other languages are read by digits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.words.templates import Template, TemplateText

_WORDS = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
_PRESS = {
    "en": r"(?:press(?:ing)?|push|hit|dial|touch|choose|select|key)(?:\s+in)?(?:\s+the)?(?:\s+(?:key|number|digit|button|option|choice))?",
    "es": r"(?:oprim[ae]|presion[ae]|puls[ae]|marqu?[ae]|digit[ae]|tecle[ae]|apriet[ae]|toque|toca|elij[ae])"
    r"(?:\s+(?:el|la))?(?:\s+(?:tecla|n[úu]mero|d[íi]gito|bot[óo]n|opci[óo]n))?",
}
_OR = {"en": r"\s*(?:,|or|and|,\s*or|,\s*and)\s+", "es": r"\s*(?:,|o|u|y|,\s*o)\s+"}
# "1 to pay", and "1 pays, 2 takes another card".
DOES_EN = (
    "(?:pay|settle|agree|confirm|accept|approve|authori[sz]e|charge|reserve|hold|keep|save|take|use|change|correct|cancel|decline"
    "|refuse|stop|start|repeat|clear|cover|complete|submit|leave|choose|forget|delete|end|make|let|mean)s|goes|does"
)
DOES_ES = (
    "paga|liquida|salda|abona|acepta|confirma|autoriza|cobra|reserva|guarda|usa|toma|cambia|corrige|cancela|rechaza|repite|elige"
    "|olvida|borra|termina|significa|deja"
)
# "Confirm with 1, change it with 2": such a key stands last in its thought ("pay with 2 cards" has none, nor has "ends with 4").
_VERB_EN = "(?:pay|settle|agree|confirm|accept|approve|authori[sz]e|reserve|hold|keep|save|change|correct|cancel|decline|refuse|reject|stop|repeat|choose|forget|delete|continue|answer|reply|use|enter)"
_VERB_ES = r"(?:(?:pag|acept|confirm|autori[cz]|aprueb|aprob|reserv|guard|cambi|corri[jg]|corregi|cancel|rechac|rechaz|anul|repit|repeti|eli[jg]|elegi|olvid|borr|contest)\w*|us(?:ar|e)|ingres(?:ar|e))"
_BY = {
    "en": rf"\b{_VERB_EN}(?: (?!(?:with|using|or|and|that|which|ends?|ending|begins?|beginning|starts?|starting)\b)[\w'’…]+){{0,3}}? (?:with|using)(?: (?:the )?(?:key|number|digit|button))?",
    "es": rf"\b{_VERB_ES}(?: (?!(?:con|o|y|que|termina\w*|empieza\w*)\b)[\w…]+){{0,3}}? con(?: (?:el|la))?(?: (?:tecla|n[úu]mero|d[íi]gito|bot[óo]n))?",
}
_LAST = {
    "en": rf"(?: key)?(?=\s*(?:[.,;:!?]|$)|\s+(?:or|and)\s+(?!(?:\d|{'|'.join(_WORDS['en'])})\b))",
    "es": rf"(?=\s*(?:[.,;:!?]|$)|\s+(?:o|y)\s+(?!(?:\d|{'|'.join(_WORDS['es'])})\b))",
}
# "To agree, press 1; to choose again, 2", "to pay press 1, to change 2": the verb that presses is said once.
_TO = {
    "en": rf"\bto\s+(?:{_VERB_EN}(?: (?:it|this|that|again|now|cards|(?:an?|the|your|my|another|a different|a new) (?:card|amount|sum|date|plan)))?|[^.;:!?,\d]{{2,60}}?,)",
    "es": rf"\bpara\s+(?:{_VERB_ES}(?: (?:otra vez|ahora|(?:de|la|otra|su) tarjeta|(?:el|otro|la|otra) (?:importe|monto|cantidad|fecha)))?|[^.;:!?,\d]{{2,60}}?,)",
}
_FOR = {"en": rf"(?:to|for|if|{DOES_EN})", "es": rf"(?:para|si|{DOES_ES})"}
_OPTION = {"en": r"(?:option|choice|key)", "es": r"(?:opci[óo]n|tecla)"}
# "Two to three days" is a span.
_AIM = {
    "en": rf"(?:to(?! (?:{'|'.join(_WORDS['en'])}|ten|\d))|if|{DOES_EN})\b",
    "es": rf"(?:para|si|{DOES_ES})\b",
}
_AND = {"en": r"(?:[,;]|\b(?:or|and))", "es": r"(?:[,;]|\b(?:o|y))"}
_THE = {"en": r"(?:the\s+)?", "es": r"(?:(?:el|la)\s+)?"}
# "Yes is 1, no is 2"; "1 for no, 2 for yes".
_YES_NO = {"en": "yes|no", "es": "sí|no"}
_IS = {"en": r"\s*(?:[:=,]|is|means)?\s*", "es": r"\s*(?:[:=,]|es)?\s*"}
_MEANS = {"en": r"\s*(?:[:=,]|is|means|for)\s*", "es": r"\s*(?:[:=,]|es|para)\s*"}
# Neither is ever the key of a choice: they clear an entry and end it.
_SYMBOLS = {
    "en": r"(?:the\s+)?(?:star|asterisk|pound|hash|number sign|\*|#)",
    "es": r"(?:(?:el|la)\s+)?(?:asterisco|estrella|numeral|gato|almohadilla|\*|#)",
}
# A symbol that ends an entry, or clears one, besides what is offered: "key it in and press pound".
_ENDS_AN_ENTRY = {
    "en": re.compile(r"(?:\b(?:and|then|by|with|finally)(?: then)?,?|\b(?:enter|key|type)\b[^.;!?]*)\s*$", re.I),
    "es": re.compile(r"(?:\b(?:y|luego|después|con|finalmente),?|\b(?:ingrese|escriba)\b[^.;!?]*)\s*$", re.I),
}
# The clear key alone does something at a single key: it cancels. The done key does nothing there.
_CANCELS = {
    "en": re.compile(r"\b(?:cancel|quit|leave|exit|hang up|end (?:the|this|your) call)", re.I),
    "es": re.compile(r"\b(?:cancel|salir|colgar|terminar la llamada)", re.I),
}
_ANSWER_EN = rf"[\"'“‘]?(?:yes|no|yeah|yep|okay|ok|agreed?|i agree|pay|stop|cancel|help|operator|agent|{'|'.join(_WORDS['en'])}|\d)\b[\"'”’]?"
_ANSWER_ES = rf"[\"'“‘«]?(?:sí|si|no|acepto|de acuerdo|pagar|parar|cancelar|ayuda|operador|{'|'.join(_WORDS['es'])}|\d)\b[\"'”’»]?"
_THING_EN = r"(?:your|the|each|it\b|an?) ?(?:\w+ ){0,3}?(?:number|name|code|amount|answer|choice|digits?|date|zip|address|it)\b(?![^.;!?]*\b(?:when|if|call|to (?:the|an|our|your|us)|next time|later)\b)"
_THING_ES = r"(?:su|el|la|cada|una?) (?:\w+ ){0,3}?(?:n[úu]mero|nombre|c[óo]digo|importe|monto|respuesta|opci[óo]n|d[íi]gitos?|fecha)\b(?![^.;!?]*\b(?:cuando|si|llame|al?)\b)"
# An answer by voice, which nothing hears: beside a key, or in place of one.
_SPOKEN = {
    "en": re.compile(
        rf"(?:(?:^|[.;:!?,…])\s*|\b(?:or|and|please|just|simply|also|by|may|can)\s+)(?:(?:please|simply|just)\s+)?(?P<said>(?:(?:say(?:ing)?|speak(?:ing)?|shout)\s+(?:{_ANSWER_EN}|{_THING_EN})|answer(?:ing)?\s+with {_ANSWER_EN}))"
        r"|\b(?P<beside>(?:press|enter|key(?: in)?|type(?: in)?|dial) or (?:say|speak)|(?:say|speak) or (?:press|enter|key|type|dial))\b|\b(?P<how>(?:say|speak)[^.;!?]{0,30} after the (?:tone|beep)|by voice|with your voice)\b",
        re.I,
    ),
    "es": re.compile(
        rf"(?:(?:^|[.;:!?,…])\s*|\b(?:o|y|por favor|simplemente|puede|también)\s+)(?:(?:simplemente|por favor)\s+)?(?P<said>(?:diga|decir|diciendo|conteste con)\s+(?:{_ANSWER_ES}|{_THING_ES}))"
        r"|\b(?P<beside>(?:oprima|presione|pulse|marque|ingrese|teclee) o diga|diga o (?:oprima|presione|pulse|marque|ingrese|teclee))\b|\b(?P<how>(?:diga|hable)[^.;!?]{0,30} despu[ée]s del tono|con su voz|de viva voz)\b",
        re.I,
    ),
}
_SLOT = "\x01"  # stands for `{key:key}` while the text is searched
_VALUE = " … "  # and for every other value


@dataclass(frozen=True)
class KeySaid:
    """A key, and where in the prompt's text it is said. `key` is empty for `{key:key}`: whichever the choice is on."""

    key: str
    at: int


def prose(template: Template) -> str:
    """The prompt's own words with a mark for each `{key:key}`, and nothing for other values."""
    parts = [
        part.text if isinstance(part, TemplateText) else _SLOT if part.name == "key" else _VALUE
        for part in template.parts
    ]
    return "".join(parts)


def slots_in_prose(template: Template) -> list[tuple[int, str]]:
    """The values that are filled in, but for keys: each where its mark stands in `prose`, and its name."""
    found, at = [], 0
    for part in template.parts:
        if isinstance(part, TemplateText):
            at += len(part.text)
        elif part.name == "key":
            at += len(_SLOT)
        else:
            found.append((at + 1, part.name))
            at += len(_VALUE)
    return found


def symbol_said(template: Template, language: str) -> str:
    """The star or pound key that is said for what a digit does, in words or as {clear:key} or {done:key}; "" where none is said."""
    own = language.partition("-")[0]
    if own not in _SYMBOLS:
        return ""
    keys = {"clear": "\x02", "done": "\x03"}
    text = "".join(
        part.text if isinstance(part, TemplateText) else keys.get(part.name, " … ") for part in template.parts
    )
    for sentence in re.findall(r"[^.;!?]+", text):
        said = re.search(rf"{_PRESS[own]}\s+({_SYMBOLS[own]}|[\x02\x03])", sentence, re.IGNORECASE)
        if said and not _ENDS_AN_ENTRY[own].search(sentence[: said.start()]):
            return {"\x02": "{clear:key}", "\x03": "{done:key}"}.get(said[1], said[1])
    return ""


def without_cancelling(text: str, language: str) -> str:
    """A prompt's prose without ", star to cancel": the clear key beside the two keys of a choice."""
    own = language.partition("-")[0]
    if own not in _SYMBOLS:
        return text
    aim = {"en": "to|for|and you", "es": "para"}[own]
    clause = rf"[,;]?\s*{_SYMBOLS[own]}(?: (?:key|sign))?\s+(?:{aim})\s+[^,.;!?]*"
    return re.sub(
        clause, lambda one: " " * len(one[0]) if _CANCELS[own].search(one[0]) else one[0], text, flags=re.IGNORECASE
    )


def spoken_answer(text: str, language: str) -> str:
    """What a prompt's prose asks callers to say aloud; "" where it asks for nothing, or its language is not read."""
    pattern = _SPOKEN.get(language.partition("-")[0])
    found = pattern.search(text) if pattern else None
    return next(filter(None, found.groupdict().values()), "") if found else ""


_UNLESS = {
    "en": re.compile(
        r"(?:(?:please )?\b(?:do not|don['’]t|never) (press\s+\S+?),? unless|\bonly (press\s+\S+?),? (?:if|when)|\b(press\s+\S+?),? only (?:if|when)) (?=you (?:want|wish|would|mean|intend)\b)",
        re.I,
    ),
    "es": re.compile(
        r"(?:\bno ((?:oprim|presion|puls|marqu?)[ae]\s+\S+?),? (?:a menos que|salvo que|si no|salvo si)|\bsolo ((?:oprim|presion|puls|marqu?)[ae]\s+\S+?),? si|\b((?:oprim|presion|puls|marqu?)[ae]\s+\S+?),? (?:solo|s[óo]lo|[úu]nicamente|solamente) si) (?:usted )?(?:quier[ea]|dese[ea]) ",
        re.I,
    ),
}


def without_double_negation(text: str, language: str) -> str:
    """A prompt's prose with "do not press 1 unless you want to" as "press 1 if you want to", which it means."""
    own = language.partition("-")[0]
    if own not in _UNLESS:
        return text
    if own == "es":
        return _UNLESS[own].sub(lambda one: f"{next(filter(None, one.groups()))} si quiere ", text)
    return _UNLESS[own].sub(lambda one: f"{next(filter(None, one.groups()))} if ", text)


def is_read(language: str) -> bool:
    return language.partition("-")[0] in _PRESS


def ends_with_verb(before: str, language: str) -> bool:
    """Whether the words before a key say what it does: "cancel it with ..."."""
    own = language.partition("-")[0]
    return own in _BY and re.search(rf"{_BY[own]}\s+{_THE[own]}$", before, re.IGNORECASE) is not None


def keys_said(text: str, language: str) -> list[KeySaid]:
    """In the order in which they are said. `text`: what `prose` made of the prompt."""
    own = language.partition("-")[0]
    found = {one.at: one for one in (_after_verbs(text, own) if own in _PRESS else _bare(text))}
    found |= {match.start(): KeySaid("", match.start()) for match in re.finditer(_SLOT, text)}
    return [found[at] for at in sorted(found)]


def _after_verbs(text: str, language: str) -> Iterator[KeySaid]:
    key = rf"(?:\d\b|{_SLOT}|\b(?:{'|'.join(_WORDS[language])})\b)"
    several = rf"{_PRESS[language]}\s+({key}(?:{_OR[language]}(?:{_PRESS[language]}\s+)?{key})*)"
    for match in re.finditer(several, text, re.IGNORECASE):
        yield from _keys_in(match, 1, key, language)
    # "Your choice: 1 to pay, 2 for another card"; "Option 5 pays"; in words with an aim alone, for "one for all" is no key.
    opens = rf"(?:(?:^|[:.;!?…])\s*|\b{_OPTION[language]}\s+)(\d|\b(?:{'|'.join(_WORDS[language])})(?=\s+{_AIM[language]}))\s+{_FOR[language]}\b"
    for match in re.finditer(opens, text, re.IGNORECASE):
        yield from _keys_in(match, 1, key, language)
    by = rf"{_BY[language]}\s+{_THE[language]}({key}){_LAST[language]}"
    for match in re.finditer(by, text, re.IGNORECASE):
        yield from _keys_in(match, 1, key, language)
    if re.search(rf"{_PRESS[language]}|{opens}", text, re.IGNORECASE):
        again = rf"[,;.]\s*(?:(?:or|and|o|y)\s+)?{_TO[language]}\s+{_THE[language]}({key}){_LAST[language]}"
        for match in re.finditer(again, text, re.IGNORECASE):
            yield from _keys_in(match, 1, key, language)
        for match in re.finditer(
            rf"{_AND[language]}\s+{_THE[language]}({key})\s+{_FOR[language]}\b", text, re.IGNORECASE
        ):
            yield from _keys_in(match, 1, key, language)
    answer = rf"\b(?:{_YES_NO[language]})\b"
    # "No one sees your card" is of nobody; "no one, yes two" and "no: one" are of keys.
    nobody = r"(?!no\s+one\b(?!\s*(?:[,.;:!?]|$)))"
    for said in (rf"{nobody}{answer}{_IS[language]}({key})", rf"({key}){_MEANS[language]}{answer}"):
        for match in re.finditer(said, text, re.IGNORECASE):
            yield from _keys_in(match, 1, key, language)


def _keys_in(match: re.Match[str], group: int, key: str, language: str) -> Iterator[KeySaid]:
    for one in re.finditer(key, match[group], re.IGNORECASE):
        if one[0] != _SLOT:
            word = one[0].lower()
            digit = word if word.isdecimal() else str(_WORDS[language].index(word))
            yield KeySaid(digit, match.start(group) + one.start())


def _bare(text: str) -> Iterator[KeySaid]:
    for match in re.finditer(r"(?<![\w.,])\d(?![\w]|[.,]\d)", text):
        yield KeySaid(match[0], match.start())
