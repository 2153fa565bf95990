"""What a prompt must say where a key decides: which key it is, and before a charge what is charged to which card.

The keys are fixed (`fixed_keys`); a prompt that names them the wrong way round charges callers who decline.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ivr.core.fixed_keys import ACCEPT_KEY, AGAIN_KEY, REFUSE_KEY, TEXT_KEY
from ivr.reading.rules import Rule
from ivr.reading.rules.advice import KEY_NOT_SAID, YES_NOT_FOUND
from ivr.reading.rules.prompts import (
    CONSENT_INCOMPLETE,
    DEAD_KEY,
    KEYS_SWAPPED,
    OTHER_KEY,
    RECEIPT_INCOMPLETE,
    YES_NOT_SAID,
)
from ivr.words.keys_said import KeySaid, is_read, keys_said, prose
from ivr.words.slots import KINDS_OF
from ivr.words.templates import Template

# What the caller agrees to, each said by the kind that can be understood.
_RECEIPT = frozenset({"number", "confirmation_number"})
CONSENT = {"amount": "money", "brand": "brand", "last4": "digits"}


@dataclass(frozen=True)
class Choice:
    """The words by which a language's speakers take up the first key's offer, and the second's."""

    first: frozenset[str]
    second: frozenset[str]


_AGREE = Choice(
    frozenset(
        {
            "pay",
            "charge",
            "confirm",
            "accept",
            "agree",
            "yes",
            "right",
            "correct",
            "approve",
            "authorize",
            "ahead",
            "finish",
        }
        | {"pagar", "pagarlo", "pago", "confirmar", "aceptar", "sí", "correcto", "correcta", "cobrar", "autorizar"}
    ),
    frozenset(
        {
            "another",
            "other",
            "different",
            "change",
            "correct it",
            "cancel",
            "no",
            "wrong",
            "again",
            "back",
            "decline",
            "over",
            "restart",
        }
        | {
            "otra",
            "otro",
            "cambiar",
            "cambiarlo",
            "cambiarla",
            "corregir",
            "corregirlo",
            "cancelar",
            "distinta",
            "volver",
        }
    ),
)
# "If you do not want to pay", "if that is not right", "si no es correcto": the opposite is meant.
_DENIED = re.compile(r"\bnot\b|n't\b|n’t\b|\bno\s+(?:es|son|est[áa]|quiere|quieres|desea|deseas|va|acepta)\b")
_CANCEL = Choice(
    frozenset({"cancel", "stop", "end", "cancelar", "anular", "terminar"}),
    frozenset({"go", "continue", "keep", "carry", "continuar", "seguir"}),
)


@dataclass(frozen=True)
class Fault:
    rule: Rule
    message: str
    suggestion: str


def faults(name: str, template: Template, language: str, prompt: str = "") -> Iterator[Fault]:
    """Of the prompts whose keys are fixed, and of the receipt. `prompt`: the one that `name` is another wording of."""
    prompt = prompt or name
    if prompt == "confirm_card":
        yield from _consent_faults(name, template)
    if prompt == "confirmation_number" and not _RECEIPT & {slot.name for slot in template.slots}:
        message = f"prompt '{name}' does not say the number"
        yield Fault(RECEIPT_INCOMPLETE, message, "add {number:digits}")
    text = prose(template)
    said = keys_said(text, language)
    if prompt.startswith("confirm_"):
        yield from _choice_faults(name, text, said, _AGREE, language)
    elif prompt == "offer_cancel":
        yield from _choice_faults(name, text, said, _CANCEL, language)
    elif prompt in ("repeat_offer", "sms_offer"):
        yield from offer_faults(name, AGAIN_KEY if prompt == "repeat_offer" else TEXT_KEY, {AGAIN_KEY, TEXT_KEY}, said)
    elif prompt == "choose_language":
        yield from _language_faults(said)


def offer_faults(name: str, key: str, keys: set[str], said: list[KeySaid]) -> Iterator[Fault]:
    """Of a prompt that offers one key of a menu whose keys are `keys`."""
    named = {one.key or key for one in said}
    wrong = sorted(named - keys) or ([] if key in named else sorted(named))
    if wrong:
        message = f"prompt '{name}' says key {wrong[0]}, but the key is {key}"
        yield Fault(OTHER_KEY, message, "write {key:key} in place of it")
    elif not named:
        yield Fault(KEY_NOT_SAID, f"prompt '{name}' does not say which key to press", "say {key:key} in it")


def _language_faults(said: list[KeySaid]) -> Iterator[Fault]:
    """A language's key is its place among the flow's languages, which the prompt cannot know."""
    fixed = [one.key for one in said if one.key]
    if fixed:
        message = f"prompt 'choose_language' says key {fixed[0]}, but the key depends on the flow's languages"
        yield Fault(OTHER_KEY, message, "write {key:key} in place of it")


def _consent_faults(name: str, template: Template) -> Iterator[Fault]:
    said = {slot.name: slot for slot in template.slots}
    for value, kind in CONSENT.items():
        slot, cure = said.get(value), f"{{{value}:{kind}}}: amount, brand and last four digits are read back"
        if slot is None:
            message = f"prompt '{name}' asks for consent without saying '{value}'"
            yield Fault(CONSENT_INCOMPLETE, message, f"add {cure}")
        elif slot.kind != kind and slot.kind in KINDS_OF[value]:
            message = f"prompt '{name}' says '{value}' as {slot.kind}, which may not be understood"
            yield Fault(CONSENT_INCOMPLETE, message, f"write {cure}")


def _choice_faults(name: str, text: str, said: list[KeySaid], choice: Choice, language: str) -> Iterator[Fault]:
    keys = [one.key for one in said]
    strange = sorted(set(keys) - {ACCEPT_KEY, REFUSE_KEY, ""})
    cure = f"{ACCEPT_KEY} is yes, {REFUSE_KEY} is no"
    if name == "offer_cancel":
        cure = f"{ACCEPT_KEY} cancels, any other key goes on"
    if strange:
        yield Fault(DEAD_KEY, f"prompt '{name}' says key {strange[0]}, which does nothing there", cure)
    elif ACCEPT_KEY not in keys:
        rule = YES_NOT_SAID if is_read(language) else YES_NOT_FOUND
        yield Fault(rule, f"prompt '{name}' does not say key {ACCEPT_KEY}", cure)
    elif _is_swapped(text, said, choice, language):
        yield Fault(KEYS_SWAPPED, f"prompt '{name}' has its keys the wrong way round", cure)


def _is_swapped(text: str, said: list[KeySaid], choice: Choice, language: str) -> bool:
    meant = [(one.key, _meant(part, choice)) for one, part in _parts(text, said)] if is_read(language) else []
    if any(meaning for _, meaning in meant):
        return (ACCEPT_KEY, "second") in meant or (REFUSE_KEY, "first") in meant
    return said[0].key != ACCEPT_KEY


def _meant(part: str, choice: Choice) -> str:
    words = set(re.findall(r"\w+", part.lower()))
    has = bool(words & choice.first), bool(words & choice.second)
    found = {(True, False): "first", (False, True): "second"}.get(has, "")
    is_denied = _DENIED.search(part.lower()) is not None
    return {"first": "second", "second": "first"}.get(found, "") if is_denied else found


def _parts(text: str, said: list[KeySaid]) -> Iterator[tuple[KeySaid, str]]:
    """Each key with the sentence that says it, or its share of a sentence that says several."""
    for sentence in re.finditer(r"[^.;!?:…]+", text):
        inside = [one for one in said if sentence.start() <= one.at < sentence.end()]
        if len(inside) == 1:
            yield inside[0], sentence[0]
        elif inside:
            yield from _shares(sentence, inside)


def _shares(sentence: re.Match[str], inside: list[KeySaid]) -> Iterator[tuple[KeySaid, str]]:
    """`press 1 to pay or 2 to change`: what follows each key; `to pay press 1, to change 2`: what comes before it."""
    text, start = sentence[0], sentence.start()
    follows = bool(re.match(r"\W*\w+\s+(?:to|for|if|para|si)\b", text[inside[0].at - start :]))
    ends = [one.at - start for one in inside] + [len(text)]
    for number, one in enumerate(inside):
        before = ends[number - 1] + 1 if number else 0
        yield one, text[ends[number] : ends[number + 1]] if follows else text[before : ends[number]]
