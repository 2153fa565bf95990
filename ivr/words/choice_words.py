"""The words by which a prompt says that a key agrees, or that it does not: lists for English and Spanish, and their reading.

A clause means "first" where it says that its key does what the first key does (pays, confirms; of an offer to cancel:
cancels), "second" where it says the opposite, and "" where it says both, or something that is in neither list.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ivr.words.leading_on import NO_BALANCE_EN, NO_BALANCE_ES, ON_TO_EN, ON_TO_ES

Meaning = Literal["first", "second", ""]
OPPOSITE: Mapping[Meaning, Meaning] = {"first": "second", "second": "first", "": ""}


def any_of(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)


@dataclass(frozen=True)
class ChoiceWords:
    """How one language's speakers take up the first key's offer, or the second's; `denied` turns a clause round.

    `undoes`: of the second key's words those that mean, once they are denied, what the first key does. `joins`: what
    puts a second thought beside the one that is denied. `harmless`: phrases that change nothing in this prompt alone.
    """

    first: re.Pattern[str]
    second: re.Pattern[str]
    denied: re.Pattern[str]
    undoes: re.Pattern[str]
    joins: re.Pattern[str]
    harmless: re.Pattern[str] | None = None

    def meaning(self, clause: str) -> Meaning:
        """Two denials are two thoughts as often as they are one undone ("not right, or you do not agree"), and how far
        one reaches into a second thought is not known either ("not to cancel, or it is wrong"): "" for both."""
        denials = len(self.denied.findall(clause))
        plain = self.denied.sub(" ", clause)
        found: Mapping[tuple[bool, bool], Meaning] = {(True, False): "first", (False, True): "second"}
        # "Without paying" is a refusal as a whole: the verb in it agrees to nothing.
        is_first = self.first.search(self.second.sub(" ", plain)) is not None
        meant = found.get((is_first, self.second.search(plain) is not None), "")
        if denials > 1 or (denials and meant == "second" and self.joins.search(clause)):
            return ""
        return OPPOSITE[meant] if denials else meant


# "If you do not want to pay", "unless you agree", "if there is no mistake": the opposite is meant.
_DENIED_EN = re.compile(
    r"\bnot\b|\bcannot\b|\w+n['’]t\b|\bunless\b|\bnothing\b|\bnever\b|\bno(?=\s+(?:mistakes?|errors?|changes?|problems?)\b)",
    re.IGNORECASE,
)
_DENIED_ES = re.compile(
    r"\bno(?=\s+(?:es|son|est[áa]|quiere|quieres|desea|deseas|va|acepta|hay)\b|\s+\w+[aei]r(?:l[oae]s?)?\b)"
    r"|\bnunca\b|\bjam[áa]s\b|\ba menos que\b",
    re.IGNORECASE,
)
_JOINS_EN = re.compile(r",\s*(?!press|push|hit|dial)\w|\b(?:or|and|but|nor)\b", re.IGNORECASE)
_JOINS_ES = re.compile(r",\s*(?!oprim|presion|puls|mar|digit|tecle)\w|\b(?:o|u|y|e|ni|pero)\b", re.IGNORECASE)
# "To leave a deposit" pays it, and "to leave your deposit" may leave it behind.
_A_SUM_EN = (
    "an? (?:(?:small|security|refundable|partial) )?(?:deposit|down ?payment|tip|gift|donation)(?! (?:to|into|onto)\\b)"
)
_A_SUM_ES = "una? (?:peque[ñn][oa] )?(?:dep[óo]sito|anticipo|enganche|propina|donaci[óo]n|donativo)(?! (?:a|en) (?:su|la|mi) (?:tarjeta|cuenta))"
_AGREE = {
    "en": ChoiceWords(
        first=any_of(
            "pay(?:s|ing)?(?: (?:it |this |that )?(?:off|down|up))?",
            f"(?:leaves?|makes?|puts? down|places?|gives?) {_A_SUM_EN}",
            "settles?",
            "(?:clears?|covers?) (?:your|the|my|this) (?:\\w+ )?(?:balance|bill|account|invoice|debt|rent|fine)",
            "(?:give|send)\\s+(?:us\\s+)?…",
            "contributes?",
            # By itself, or of what was read back: "give up", "give it back" and "give another" are none.
            "gives?(?: (?:it|this|now|today|monthly|(?:this|the|your|my) (?:amount|sum|gift|donation|contribution)|(?:each|every) (?:week|month)|(?:with|by|from|using) (?:this|your|the|my) card))*(?=\\s*(?:[^\\w\\s]|$|(?:please |now )?(?:press|push|hit|dial|choose|select)\\b|(?:and|or)\\s*(?:$|(?:2|two)\\b)))(?!\\s*['’-])",
            "(?:takes?|collects?)\\s+…",
            "(?:is|are) (?:that|this|it|everything|all(?: of (?:that|this|it))?) (?:ok|okay|fine|in order)|(?:ok|okay|all good|all fine)(?=\\s*\\?)",
            "(?:if|when) (?:that|this|it|everything|all(?: of (?:that|this|it))?)(?: is|['’]s) (?:ok|okay|fine|in order)",
            "top(?: it)? up(?: by)?",
            "renew (?:your|the|my|this) (?:\\w+ )?(?:membership|subscription|permit|licen[cs]e|pass|policy)",
            "(?:have|let) us (?:charge|take|collect)",
            "(?<!the )(?<!this )(?<!that )(?<!a )charge\\s+(?:…\\s+)?(?:to\\s+)?(?:my|your|the|this|it)",
            "charges\\s+(?:…|it|this(?: card)?|(?:your|the) card)",
            "(?:will|to|can|may) be charged",
            "(?:is|gets) charged",
            "submits?",
            "take (?:the|your|this|my) payment",
            "give (?:us )?(?:my |your )?(?:permission|consent)",
            f"confirms?{NO_BALANCE_EN}",
            f"accepts?{NO_BALANCE_EN}",
            "agrees?",
            "approves?",
            "authori[sz]es?",
            "right(?! (?:now|away|to)\\b)",
            "(?<!to )correct(?! (?:it|that|this|them|the|your)\\b)",
            f"go(?:es)? (?:ahead|on){ON_TO_EN}",
            f"continues?{ON_TO_EN}",
            f"proceeds?{ON_TO_EN}",
            "donates?",
            "promises?",
            "allows?",
            "(?<!the )(?<!your )(?<!my )(?<!this )(?<!a )(?<!parking )permits?",
            "sign(?: me)? up",
            "(?:to|and) (?:buy|purchase)",
            "(?:make|complete|finish|submit|send|process)(?:s|es)? (?:(?:this|the|your|my|a) )?(?:payment|purchase|transaction|donation)",
        ),
        second=any_of(
            "no",
            "another",
            "others?",
            "different",
            "new",
            "instead",
            "changes?",
            "to correct",
            "correct (?:it|that|this|them|the|your)",
            "edit",
            "replace",
            "re-?enter",
            "wrong",
            "incorrect",
            "mistakes?",
            "errors?",
            "again",
            "repeat",
            "hear",
            "listen",
            "back",
            "over",
            "restart",
            "cancels?",
            "declines?",
            "refuses?",
            "rejects?",
            "disputes?",
            "stops?",
            "quit",
            "exit",
            f"leave(?! {_A_SUM_EN})",
            "abort",
            "avoid",
            "skip",
            "postpone",
            "later",
            "tomorrow",
            "hang up",
            "without (?:paying|being charged|payment|a charge|charge)",
            "keep from",
            "pay(?:ing)? (?:you|me|them|him|her)",
            "refund(?:ed|s)?",
            "(?:payment|credit|deposit) (?:to|into|onto) (?:your|my|the) (?:card|account)",
            "agent",
            "operator",
            "representative",
            "someone",
            "somebody",
            "person",
            "help",
            "menu",
        ),
        denied=_DENIED_EN,
        undoes=any_of(
            "no|another|others?|different|instead|changes?|edit|replace|re-?enter|wrong|incorrect|mistakes?|errors?",
            "cancels?|declines?|refuses?|rejects?|stops?|to correct|correct (?:it|that|this|them|the|your)|use|enter",
        ),
        joins=_JOINS_EN,
    ),
    "es": ChoiceWords(
        first=any_of(
            "pag(?:ar(?:l[oa]s?)?|ue|a|ando)",
            f"(?:dejar?|deje|dar|hacer) {_A_SUM_ES}",
            "cobr(?:ar(?:l[oa]s?)?|en|emos|amos)",
            "(?:liquid|sald|abon)(?:ar(?:l[oa]s?)?|o|a)",
            "cubr(?:ir|o|e) (?:su|el|la|mi) (?:saldo|recibo|factura|cuenta|deuda|renta|multa)",
            f"confirm(?:ar(?:l[oa])?|o|e|a){NO_BALANCE_ES}",
            f"acept(?:ar(?:l[oa])?|o|e|a){NO_BALANCE_ES}",
            "autoriz(?:ar(?:l[oa])?|o|a)",
            "autorice",
            "aprobar(?:l[oa])?",
            "de acuerdo",
            "correct[oa]s?",
            "est[áa] bien",
            "adelante",
            f"continuar{ON_TO_ES}",
            f"continúe{ON_TO_ES}",
            f"seguir{ON_TO_ES}",
            f"proceder{ON_TO_ES}",
            "donar",
            "dar(?=\\s*(?:[^\\w\\s]|$|(?:oprim|presion|puls|marqu?)[ae]\\b))",
            "promet(?:er(?:l[oa])?|o)",
            "permit(?:ir(?:l[oa])?|o)",
            "comprar",
            "(?:hacer|realizar|completar|efectuar|finalizar|procesar) (?:el|su|este|mi|un|la|esta|una) "
            "(?:pago|compra|transacci[óo]n|donaci[óo]n)",
        ),
        second=any_of(
            "no",
            "otr[oa]s?",
            "distint[oa]s?",
            "diferentes?",
            "nuev[oa]s?",
            "nuevamente",
            "cambi(?:ar(?:l[oa])?|o|e|a)",
            "corregir(?:l[oa])?",
            "corrija",
            "reemplazar(?:l[oa])?",
            "cancel(?:ar(?:l[oa])?|o|e|a)",
            "anular(?:l[oa])?",
            "rechaz(?:ar(?:l[oa])?|o|a)",
            "rechace",
            "declinar",
            "detener(?:l[oa])?",
            "terminar",
            "parar",
            f"dejar(?:l[oa])?(?! {_A_SUM_ES})",
            "evitar(?:l[oa])?",
            "omitir",
            "saltar",
            "salir",
            "salga",
            "volver",
            "regresar",
            "atrás",
            "repetir",
            "escuchar(?:l[oa])?",
            "oír(?:l[oa])?",
            "colgar",
            "después",
            "más tarde",
            "luego",
            "mañana",
            "incorrect[oa]s?",
            "equivocad[oa]s?",
            "mal",
            "error(?:es)?",
            "que (?:le|te|me|les) (?:pagu?e(?:n|mos)?|paguemos|pagar[áa]n?)",
            "reembols(?:ar(?:l[oa])?|o|e|a)",
            "sin (?:pagar|pago|cobro|cobros|cargo|cargos|que)",
            "agente",
            "operador[a]?",
            "representante",
            "asesor[a]?",
            "persona",
            "alguien",
            "ayuda",
            "menú",
        ),
        denied=_DENIED_ES,
        undoes=any_of(
            "no|otr[oa]s?|distint[oa]s?|diferentes?|cambi(?:ar(?:l[oa])?|o|e|a)|corregir(?:l[oa])?|corrija|reemplazar(?:l[oa])?",
            "cancel(?:ar(?:l[oa])?|o|e|a)|anular(?:l[oa])?|rechaz(?:ar(?:l[oa])?|o|a)|rechace|incorrect[oa]s?|equivocad[oa]s?",
            "error(?:es)?|usar|ingresar|hay",
        ),
        joins=_JOINS_ES,
    ),
}
# Of an amount that is only reserved: "to pay" would be no true word for it.
_RESERVE = {
    "en": replace(
        _AGREE["en"],
        first=any_of(
            *(
                "reserves?",
                "(?:place|put|make) (?:a|the|this|your) (?:hold|reservation|deposit)",
                f"leaves? {_A_SUM_EN}",
                "holds? (?:it|this|(?:the|this|your) (?:amount|sum|deposit|room|booking|table|seat|stay))",
                "(?:holds?|blocks?|(?:put|set)(?:s)? aside)\\s+…",
                "(?:put|place)\\s+(?:…\\s+|it |this )on hold",
                "put on hold",
                "(?:guarantees?|secures?) (?:your|the|my|this) (?:\\w+ )?(?:room|booking|reservation|table|stay|seat)",
                "(?:have|let) us (?:hold|reserve|block)",
                "pre-?authori[sz]es?",
                "right(?! (?:now|away|to)\\b)",
                "(?<!to )correct(?! (?:it|that|this|them|the|your)\\b)",
                "(?:is|are) (?:that|this|it|everything|all(?: of (?:that|this|it))?) (?:ok|okay|fine|in order)",
            ),
            *("confirms?", "accepts?", "agrees?", "approves?", "authori[sz]es?", "allows?", "permits?"),
            *("go(?:es)? (?:ahead|on)", "continues?", "proceeds?"),
        ),
        harmless=any_of(
            "until (?:you (?:leave|check out|depart|come back)|(?:your|the) (?:stay|visit|rental) (?:ends|is over))"
        ),
    ),
    "es": replace(
        _AGREE["es"],
        first=any_of(
            *(
                "reserv(?:ar(?:l[oa]s?)?|e|a)",
                "reten(?:er(?:l[oa]s?)?)",
                "(?:apart|bloque)(?:ar(?:l[oa]s?)?|o|a)",
                "hacer (?:la|una|esta) (?:reserva|retenci[óo]n)",
                "correct[oa]s?",
                "est[áa] bien",
            ),
            *(
                "confirm(?:ar(?:l[oa])?|o|e|a)",
                "acept(?:ar(?:l[oa])?|o|e|a)",
                "autoriz(?:ar(?:l[oa])?|o|a)",
                "autorice",
            ),
            *(
                "aprobar(?:l[oa])?",
                "de acuerdo",
                "permit(?:ir(?:l[oa])?|o)",
                "adelante",
                "continuar",
                "seguir",
                "proceder",
            ),
        ),
    ),
}
_CANCEL = {
    "en": ChoiceWords(
        any_of("cancels?", "stop", "end", "quit", "leave"),
        any_of("go on", "go", "continue", "keep", "carry", "stay"),
        _DENIED_EN,
        any_of("go on", "go", "continue", "keep", "carry", "stay"),
        _JOINS_EN,
    ),
    "es": ChoiceWords(
        any_of("cancelar(?:l[oa])?", "anular(?:l[oa])?", "terminar", "salir"),
        any_of("continuar", "seguir"),
        _DENIED_ES,
        any_of("continuar", "seguir"),
        _JOINS_ES,
    ),
}
# What stands beside a key and says nothing of it.
_FILLER = {
    "en": any_of(
        "press(?:ing)?|push|hit|dial|touch|choose|select|key|number|digit|button|in|by|you|can|please|just|simply|now",
        "is|means|for|the|a|and|or|so|if so|then|one|two|three|four|five|six|seven|eight|nine",
    ),
    "es": any_of(
        "oprim[ae]|presion[ae]|puls[ae]|marqu?[ae]|marque|digit[ae]|tecle[ae]|apriet[ae]|toque|toca|elij[ae]|tecla|número",
        "dígito|botón|opción|por favor|para|es|ahora|el|la|y|o|así|es así|si|entonces|uno|dos|tres|cuatro|cinco|seis|siete",
        "ocho|nueve",
    ),
}
# At the beginning of a clause: it is for whoever did not take the key before it.
_OTHERWISE = {
    "en": re.compile(r"\W*(?:or\s+)?(?:otherwise|or else|if not)\b", re.IGNORECASE),
    "es": re.compile(
        r"\W*(?:o\s+)?(?:de lo contrario\b|en caso contrario\b|si no(?=\s*(?:,|oprim|presion|puls|mar|digit|tecle|aprie|to)))",
        re.IGNORECASE,
    ),
}


def agreeing(language: str) -> ChoiceWords | None:
    """Of a prompt that asks for a yes; None for a language without lists."""
    return _AGREE.get(own_language(language))


def reserving(language: str) -> ChoiceWords | None:
    """Of a consent to an amount that is only reserved."""
    return _RESERVE.get(own_language(language))


def cancelling(language: str) -> ChoiceWords | None:
    """Of the offer to cancel, whose first key cancels."""
    return _CANCEL.get(own_language(language))


def says_nothing(clause: str, language: str) -> bool:
    """A key, a verb that presses it, and nothing that it is pressed for."""
    return re.search(r"[^\W\d_]", without_filler(clause, language)) is None


def without_filler(clause: str, language: str) -> str:
    return _FILLER[own_language(language)].sub(" ", clause)


def without_otherwise(clause: str, language: str) -> str | None:
    """The rest of a clause that begins with "otherwise"; None for others."""
    found = _OTHERWISE[own_language(language)].match(clause)
    return clause[found.end() :] if found else None


def own_language(language: str) -> str:
    return language.partition("-")[0]
