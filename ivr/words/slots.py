"""What can stand in a prompt's slots: each value's name, the kinds that can say it, and where it is sure to be known.

Which values a flow's own steps have made known by then is in `known`.
"""

from collections.abc import Collection, Mapping

MONEY_KINDS = frozenset({"money", "written"})
CODE_KINDS = frozenset({"digits", "written", "text"})
_MONEY = ("amount", "due", "min", "max", "money")
# How each value is said. An answer to a question of the flow's own is digits, and may be a plain number too.
KINDS_OF: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(_MONEY, MONEY_KINDS),
    **dict.fromkeys(("number", "confirmation_number", "last4"), CODE_KINDS),
    **dict.fromkeys(("done", "clear", "key"), frozenset({"key"})),
    "count": frozenset({"number", "digits", "written"}),
    "brand": frozenset({"brand"}),
    **dict.fromkeys(("major", "minor"), frozenset({"text"})),
}
ANSWER_KINDS = CODE_KINDS | {"number"}
# What the engine fills in. A prompt may use any that the call knows by then; the flow's keys are always known.
CALL_VALUES = frozenset(KINDS_OF.keys() - {"major", "minor"}) | {"value", "account_number"}
ALWAYS = frozenset({"done", "clear"})
_CARD = frozenset({"brand", "last4"})
_RECEIPT = frozenset({"amount", "number", "confirmation_number"})

# Prompts that the engine speaks of itself, whatever the flow says, each with the values that it then has.
ENGINE_PROMPTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("welcome", "no_input", "no_match", "nothing_entered", "cleared", "slow_mode_on"), frozenset()),
    **dict.fromkeys(("offer_cancel", "cancelled", "goodbye", "apology", "you_were_not_charged"), frozenset()),
    **dict.fromkeys(("limit_attempts_per_caller", "limit_attempts_per_card", "card_asked_later"), frozenset()),
    **dict.fromkeys(("card_number_not_valid", "brand_not_accepted", "card_expired", "expiry_not_valid"), frozenset()),
    **dict.fromkeys(("security_code_not_valid", "postal_code_not_valid", "sms_sent"), frozenset()),
    **dict.fromkeys(("choose_language", "repeat_offer", "sms_offer"), frozenset({"key"})),
    **dict.fromkeys(("hold_while_charging", "still_working", "card_declined"), frozenset({"amount"}) | _CARD),
    **dict.fromkeys(("you_were_charged", "receipt_sms"), _RECEIPT),
    **dict.fromkeys(("cannot_text", "one_moment", "bill_not_reached", "bill_not_payable"), frozenset()),
    # Said when words with values in them could not be put together.
    **dict.fromkeys(("payment_went_through", "charge_not_known"), frozenset()),
    **dict.fromkeys(("we_will_text_the_result", "call_again_for_the_result"), frozenset({"amount"})),
    "limit_max_amount": frozenset({"max"}),
    "nothing_due": frozenset({"due", "min"}),
}
# Texts that are sent after the call.
TEXTS: Mapping[str, frozenset[str]] = {
    "result_paid_sms": frozenset({"amount", "number"}),
    "result_unpaid_sms": frozenset({"amount"}),
}
# Words that slots are made of; without them a key would be spoken as a bare name of the configuration.
WORD_PROMPTS: Mapping[str, frozenset[str]] = {
    "key_star": frozenset(),
    "key_pound": frozenset(),
    "money_with_minor": frozenset({"major", "minor"}),
}
FIXED = {**ENGINE_PROMPTS, **TEXTS, **WORD_PROMPTS}


def filled_in(prompt: str) -> frozenset[str]:
    """The values that a step gives to this prompt of its own alone."""
    if prompt == "confirm_card":
        return _CARD
    if prompt == "confirm_money":
        return frozenset({"value", "amount", "money"})
    if prompt.startswith("confirm_"):
        return frozenset({"value", prompt.removeprefix("confirm_")})
    if prompt in ("enter_money", "no_match_money"):
        return frozenset({"min", "max"})
    if prompt in ("enter_expiry", "enter_security_code", "enter_postal_code"):
        return _CARD | {"count"}
    return frozenset({"count"}) if prompt == "enter_card_number" else frozenset()


def sure_in(prompt: str, asked: Collection[str]) -> frozenset[str]:
    """The values that a prompt may name at all; `asked` are the flows' own questions."""
    if prompt in WORD_PROMPTS:
        return WORD_PROMPTS[prompt]
    return ALWAYS | FIXED[prompt] if prompt in FIXED else CALL_VALUES | frozenset(asked)


def kinds_of(prompt: str, value: str, asked: Collection[str]) -> frozenset[str]:
    """The kinds that can say the value there; none for a value that nobody knows."""
    if value == "value":
        return MONEY_KINDS if prompt == "confirm_money" else ANSWER_KINDS
    if value in KINDS_OF:
        return KINDS_OF[value]
    return ANSWER_KINDS if value in asked or value == "account_number" else frozenset()
