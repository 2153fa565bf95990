"""What a prompt must say where a key decides: which key it is, and before a charge what is charged to which card.

The keys are fixed (`fixed_keys`); a prompt that names them the wrong way round charges callers who decline.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ivr.core.fixed_keys import ACCEPT_KEY, AGAIN_KEY, REFUSE_KEY, TEXT_KEY
from ivr.reading.rules import Rule
from ivr.reading.rules.advice import CONSENT_NOT_READ, KEY_NOT_SAID, OUTCOMES_NOT_READ, YES_NOT_FOUND
from ivr.reading.rules.fees import FEE_NOT_SAID
from ivr.reading.rules.prompts import (
    CONSENT_INCOMPLETE,
    DEAD_KEY,
    KEYS_SWAPPED,
    OTHER_KEY,
    RECEIPT_INCOMPLETE,
    YES_NOT_SAID,
)
from ivr.reading.rules.spoken_charges import IN_ANOTHERS_PLACE, OTHER_AGREEMENT, OTHER_CHARGE, OTHER_OUTCOME
from ivr.words import untruths
from ivr.words.agreement_words import other_agreement, without_paying_by_second
from ivr.words.amount_words import CHOSEN, CONFIRM_MONEY, MEANING, in_anothers_place
from ivr.words.charge_words import another_charge, led_to_by_second
from ivr.words.choice_words import ChoiceWords, agreeing, cancelling, reserving
from ivr.words.clauses import Meant, meanings, takes_nothing
from ivr.words.fee_words import untrue_of_a_fee
from ivr.words.keeping_words import keeping
from ivr.words.keys_said import (
    KeySaid,
    is_read,
    keys_said,
    prose,
    spoken_answer,
    symbol_said,
    without_cancelling,
    without_double_negation,
)
from ivr.words.outcome_words import against_the_record, is_outcome_read, when_said
from ivr.words.remembering_words import of_remembering, remembering
from ivr.words.slots import KINDS_OF
from ivr.words.templates import Template
from ivr.words.wordings import FEE

# What the caller agrees to, each said by the kind that can be understood.
_RECEIPT = frozenset({"number", "confirmation_number"})
CONSENT = {"amount": "money", "brand": "brand", "last4": "digits"}
CONFIRM_ALL = "confirm_all_bills"  # before a charge that pays several bills in one sum; how many they are is said too
KEEP_CARD = "confirm_keep_card"
REMEMBER = "confirm_remember"
# What says a fee where there is one: the consent to it, and what a caller can read later.
FEE_PROMPTS = ("confirm_card", CONFIRM_ALL, "receipt_sms", "receipt_email", "result_paid_sms")
# The prompts that read a card back, for a charge and for an amount that is only reserved.
CHARGING = frozenset({"confirm_card", "confirm_kept_card", CONFIRM_ALL})
CARD_CONSENTS = CHARGING | {"confirm_reservation"}
# Where nothing is charged. A flow may call its agreements by other names, which it alone knows (`flow.said_otherwise`).
AGREEMENTS = frozenset({"confirm_promise", "confirm_plan", "confirm_mandate"})
FIRST_OUTCOME = "confirmation_number"  # in every flow that charges; the advice of one language is given once, at it
_RECEIPTS = frozenset({"confirmation_number", "reservation_number"})


@dataclass(frozen=True)
class _Agreed:
    """What a consent's first key `says` that it does, and what it does `then`."""

    says: str
    then: str
    examples: Mapping[str, str]


_AGREES = _Agreed(
    "agrees",
    "puts the agreement on record",
    {"en": '"To agree, press 1"', "es": '"Para aceptar, oprima 1"'},
)
_PAYS = _Agreed("pays", "charges the card", {"en": '"To pay now, press 1"', "es": '"Para pagar ahora, oprima 1"'})
# Each prompt whose first key binds the caller.
_CONSENTS = {
    **dict.fromkeys(CHARGING, _PAYS),
    "confirm_reservation": _Agreed(
        "reserves the amount",
        "reserves it on the card",
        {"en": '"To reserve it, press 1"', "es": '"Para reservarlo, oprima 1"'},
    ),
    **dict.fromkeys(AGREEMENTS | {KEEP_CARD, REMEMBER}, _AGREES),
}


@dataclass(frozen=True)
class ConsentFault:
    rule: Rule
    message: str
    suggestion: str


@lru_cache(maxsize=4096)
def faults(name: str, template: Template, language: str, prompt: str = "") -> tuple[ConsentFault, ...]:
    """Of the prompts whose keys are fixed, and of the receipt. `prompt`: the one that `name` is another wording of.

    Remembered, as to read the words of all prompts is most of the work of reading a folder of flows again."""
    return tuple(_faults(name, template, language, prompt or name))


def _faults(name: str, template: Template, language: str, prompt: str) -> Iterator[ConsentFault]:
    if prompt in FEE_PROMPTS and name != prompt and name.endswith(FEE):
        yield from _fee_faults(name, template, language)
    if prompt in CARD_CONSENTS:
        yield from _consent_faults(name, template)
    if prompt in _RECEIPTS and not _RECEIPT & {slot.name for slot in template.slots}:
        message = f"prompt '{name}' does not say the number"
        yield ConsentFault(RECEIPT_INCOMPLETE, message, "add {number:digits}")
    text = prose(template)
    yield from _amount_faults(name, prompt, template, language)
    if untrue := against_the_record(prompt, text, language):
        message = f"prompt '{name}' says '{untrue}', but {when_said(prompt)}"
        yield ConsentFault(OTHER_OUTCOME, message, "say what became of the money")
    if name == FIRST_OUTCOME and not is_outcome_read(language):
        message = f"nothing can tell whether '{name}' and the other prompts that say what became of a charge say it in {language}"
        yield ConsentFault(OUTCOMES_NOT_READ, message, f"let a speaker of {language} read them")
    if spoken := spoken_answer(text, language):
        message = f"prompt '{name}' asks callers to speak: '{spoken}'"
        yield ConsentFault(OTHER_KEY, message, "take it out: calls take keys, and hear no words")
        text = text.replace(spoken, " " * len(spoken))
    text = without_double_negation(without_cancelling(text, language), language)
    said = keys_said(text, language)
    if prompt.startswith("confirm_") or prompt == "offer_cancel":
        found = list(_choice_faults(name, prompt, text, said, language))
        found = found or list(_untruths(name, prompt, text, said, language))
        yield from found or _other_charge(name, prompt, template, language)
        if prompt in AGREEMENTS:
            yield from agreement_faults(name, template, language, prompt)
    elif prompt.startswith((*untruths.RESERVED_PROMPTS, *untruths.NOT_RESERVED_PROMPTS)):
        if untrue := untruths.of_a_reservation(prompt, text, language):
            is_held = prompt not in untruths.NOT_RESERVED_PROMPTS
            when = "once the amount is reserved" if is_held else "where nothing was reserved"
            message = f"prompt '{name}' says '{untrue}', but it is said {when}"
            yield ConsentFault(OTHER_OUTCOME, message, "say what became of the reservation")
        elif taken := untruths.once_reserved(text, language):
            message = f"prompt '{name}' says that a reserved amount was taken: '{taken}'"
            yield ConsentFault(RECEIPT_INCOMPLETE, message, "say that it is reserved")
    elif prompt in ("repeat_offer", "sms_offer"):
        key = AGAIN_KEY if prompt == "repeat_offer" else TEXT_KEY
        yield from offer_faults(name, key, {AGAIN_KEY, TEXT_KEY}, template, language)
    elif prompt == "choose_language":
        yield from _language_faults(said, symbol_said(template, language))


def _amount_faults(name: str, prompt: str, template: Template, language: str) -> Iterator[ConsentFault]:
    said = {slot.name for slot in template.slots}
    if prompt == CONFIRM_MONEY and not CHOSEN & said:
        message = f"prompt '{name}' does not say 'amount', which was keyed in"
        yield ConsentFault(IN_ANOTHERS_PLACE, message, "add {amount:money}")
    elif untrue := in_anothers_place(prompt, template, language):
        message = f"prompt '{name}' says '{untrue.words}'"
        yield ConsentFault(IN_ANOTHERS_PLACE, message, f"{{{untrue.value}}} is {MEANING[untrue.value]}")


def _untruths(name: str, prompt: str, text: str, said: list[KeySaid], language: str) -> Iterator[ConsentFault]:
    """Where nothing else is wrong with its keys."""
    if not said or not is_read(language):
        return
    if prompt in CHARGING and (untrue := untruths.before_a_charge(text, said[0].at, language)):
        message = f"prompt '{name}' says beside the amount that will be charged: '{untrue}'"
        yield ConsentFault(KEYS_SWAPPED, message, f"take it out: {ACCEPT_KEY} charges the card with all of it")
    elif prompt == "confirm_reservation" and (untrue := untruths.before_a_reservation(text, said[0].at, language)):
        message = f"prompt '{name}' says of an amount that is only reserved: '{untrue}'"
        yield ConsentFault(KEYS_SWAPPED, message, "take it out: nothing is taken before a capture")
    elif prompt == KEEP_CARD:
        says_so, against = untruths.of_keeping(text, language)
        if against or not says_so:
            message = f"prompt '{name}' " + (f"says '{against}'" if against else "does not say that the card is kept")
            yield ConsentFault(KEYS_SWAPPED, message, f"say what {ACCEPT_KEY} agrees to: that the bank keeps the card")
    elif prompt == REMEMBER:
        says_so, against = of_remembering(text, language)
        if says_so and not against:
            return
        message = f"prompt '{name}' " + (f"says '{against}'" if against else "does not say that something is kept")
        yield ConsentFault(KEYS_SWAPPED, message, f"say what {ACCEPT_KEY} agrees to: that it is remembered")


def _other_charge(name: str, prompt: str, template: Template, language: str) -> Iterator[ConsentFault]:
    if prompt not in CARD_CONSENTS:
        return
    is_reserved = prompt not in CHARGING
    text = prose(template)
    if untrue := another_charge(template, text, keys_said(text, language), language, later_is_true=is_reserved):
        message = f"prompt '{name}' says beside the amount: '{untrue}'"
        does = "reserves" if is_reserved else "charges"
        yield ConsentFault(
            OTHER_CHARGE, message, f"take it out: {ACCEPT_KEY} {does} {{amount}} once{'' if is_reserved else ', now'}"
        )
    elif led_to := led_to_by_second(text, keys_said(text, language), language):
        message = f"prompt '{name}' says of key {REFUSE_KEY}: '{led_to}'"
        yield ConsentFault(OTHER_CHARGE, message, f"take it out: {REFUSE_KEY} asks for another card, and nothing else")


def agreement_faults(name: str, template: Template, language: str, prompt: str = "") -> Iterator[ConsentFault]:
    """Of the wording of a promise, plan or mandate. `prompt`: which of them, where that is known."""
    if untrue := other_agreement(template, language, prompt):
        message = f"prompt '{name}' says '{untrue.said}', but {untrue.but}"
        yield ConsentFault(OTHER_AGREEMENT, message, "take it out: say what goes on record")


def _fee_faults(name: str, template: Template, language: str) -> Iterator[ConsentFault]:
    if untrue := untrue_of_a_fee(template, language):
        message = f"prompt '{name}' says of the fee: '{untrue}'"
        yield ConsentFault(
            FEE_NOT_SAID, message, "{card_fee} is the fee, and {amount} all that is charged, the fee in it"
        )
    said = {slot.name for slot in template.slots}
    for value, what in (("amount", "all that is charged"), ("card_fee", "the fee in what is charged")):
        if value not in said:
            yield ConsentFault(FEE_NOT_SAID, f"prompt '{name}' does not say '{value}'", f"add {{{value}:...}}, {what}")


def offer_faults(name: str, key: str, keys: set[str], template: Template, language: str) -> Iterator[ConsentFault]:
    """Of a prompt that offers one key of a menu whose keys are `keys`."""
    named = {one.key or key for one in keys_said(prose(template), language)}
    wrong = sorted(named - keys) or ([] if key in named else sorted(named))
    if wrong:
        message = f"prompt '{name}' says key {wrong[0]}, but the key is {key}"
        yield ConsentFault(OTHER_KEY, message, "write {key:key} in place of it")
    elif not named and (symbol := symbol_said(template, language)):
        message = f"prompt '{name}' says {symbol}, but the key is {key}"
        yield ConsentFault(OTHER_KEY, message, "write {key:key} in place of it")
    elif not named:
        yield ConsentFault(KEY_NOT_SAID, f"prompt '{name}' does not say which key to press", "say {key:key} in it")


def _language_faults(said: list[KeySaid], symbol: str) -> Iterator[ConsentFault]:
    """A language's key is its place among the flow's languages, which the prompt cannot know."""
    fixed = [one.key for one in said if one.key]
    if fixed or (symbol and not said):
        key = f"key {fixed[0]}" if fixed else symbol
        message = f"prompt 'choose_language' says {key}, but the key depends on the flow's languages"
        yield ConsentFault(OTHER_KEY, message, "write {key:key} in place of it")


def _consent_faults(name: str, template: Template) -> Iterator[ConsentFault]:
    said = {slot.name: slot for slot in template.slots}
    for value, kind in CONSENT.items():
        slot, cure = said.get(value), f"{{{value}:{kind}}}: amount, brand and last four digits are read back"
        if slot is None:
            message = f"prompt '{name}' asks for consent without saying '{value}'"
            yield ConsentFault(CONSENT_INCOMPLETE, message, f"add {cure}")
        elif slot.kind != kind and slot.kind in KINDS_OF[value]:
            message = f"prompt '{name}' says '{value}' as {slot.kind}, which may not be understood"
            yield ConsentFault(CONSENT_INCOMPLETE, message, f"write {cure}")


def _choice_faults(name: str, prompt: str, text: str, said: list[KeySaid], language: str) -> Iterator[ConsentFault]:
    keys = [one.key for one in said]
    strange = sorted(set(keys) - {ACCEPT_KEY, REFUSE_KEY, ""})
    cure = f"{ACCEPT_KEY} is yes, {REFUSE_KEY} is no"
    if prompt == "offer_cancel":
        cure = f"{ACCEPT_KEY} cancels, any other key goes on"
    if strange:
        yield ConsentFault(DEAD_KEY, f"prompt '{name}' says key {strange[0]}, which does nothing there", cure)
    elif ACCEPT_KEY not in keys:
        rule = YES_NOT_SAID if is_read(language) else YES_NOT_FOUND
        yield ConsentFault(rule, f"prompt '{name}' does not say key {ACCEPT_KEY}", cure)
    else:
        yield from _meaning_faults(name, prompt, text, said, language, cure)


def _meaning_faults(
    name: str, prompt: str, text: str, said: list[KeySaid], language: str, cure: str
) -> Iterator[ConsentFault]:
    words = _choice_words(prompt, language)
    if prompt in (KEEP_CARD, REMEMBER):
        # Card or account stand within what is agreed to: "to keep your card … on file, press 1".
        text = text.replace("…", " ")
    if prompt not in CARD_CONSENTS | {KEEP_CARD, REMEMBER, CONFIRM_MONEY}:
        # An agreement, whatever the flow calls it.
        text = without_paying_by_second(text, language)
    meant = meanings(text, said, words, language) if words is not None else []
    is_known = any(one.meaning for one in meant)
    is_swapped = any((one.key, one.meaning) in ((ACCEPT_KEY, "second"), (REFUSE_KEY, "first")) for one in meant)
    if is_swapped or (not is_known and said[0].key != ACCEPT_KEY):
        yield ConsentFault(KEYS_SWAPPED, f"prompt '{name}' has its keys the wrong way round", cure)
    elif prompt not in _CONSENTS:
        return
    elif words is None:
        does = _CONSENTS[prompt]
        message = f"nothing can tell whether prompt '{name}' says that key {ACCEPT_KEY} {does.says}"
        yield ConsentFault(CONSENT_NOT_READ, message, f"let a speaker of {language} read it: {ACCEPT_KEY} {does.then}")
    elif prompt in CHARGING and (contradiction := takes_nothing(text, said, language)):
        message = f"prompt '{name}' says that nothing is charged: '{contradiction}'"
        yield ConsentFault(KEYS_SWAPPED, message, f"take it out: {ACCEPT_KEY} charges the card")
    else:
        yield from _doubtful_consent(name, _CONSENTS[prompt], meant, language)


def _choice_words(prompt: str, language: str) -> ChoiceWords | None:
    """What says that key 1 does what it does there; None for a language without lists."""
    if prompt == "offer_cancel":
        return cancelling(language)
    if prompt == KEEP_CARD:
        return keeping(language)
    if prompt == REMEMBER:
        return remembering(language)
    return reserving(language) if prompt == "confirm_reservation" else agreeing(language)


def _doubtful_consent(name: str, does: "_Agreed", meant: list[Meant], language: str) -> Iterator[ConsentFault]:
    """No list of refusals is ever complete, and a caller who means one would be charged: each word has to be known."""
    doubtful = [one for one in meant if one.key == ACCEPT_KEY and (one.meaning != "first" or one.strange)]
    if doubtful:
        message = f"prompt '{name}' does not say that key {ACCEPT_KEY} {does.says}"
        strange = doubtful[0].strange if doubtful[0].meaning else ()
        without = f", without '{strange[0]}', which may not mean that" if strange else ""
        cure = f"write what {ACCEPT_KEY} does: {does.examples[language.partition('-')[0]]}{without}"
        yield ConsentFault(KEYS_SWAPPED, message, cure)
