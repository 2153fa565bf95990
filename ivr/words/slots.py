"""What can stand in a prompt's slots: each value's name, the kinds that can say it, and where it is sure to be known.

Which values a flow's own steps have made known by then is in `known`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

MONEY_KINDS = frozenset({"money", "written"})
CODE_KINDS = frozenset({"digits", "written", "text"})
DATE_KINDS = frozenset({"date", "weekday", "written"})
TIME_KINDS = frozenset({"time", "written"})
_MONEY = ("amount", "due", "min", "max", "money", "card_fee", "before_fee")
# How each value is said. An answer to a question of the flow's own is digits, and may be a plain number too.
KINDS_OF: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(_MONEY, MONEY_KINDS),
    **dict.fromkeys(("number", "confirmation_number", "last4"), CODE_KINDS),
    **dict.fromkeys(("done", "clear", "key"), frozenset({"key"})),
    "count": frozenset({"number", "digits", "written"}),
    "brand": frozenset({"brand"}),
    **dict.fromkeys(("major", "minor"), frozenset({"text"})),
}
LETTERED_KINDS = CODE_KINDS | {"spelled"}
ANSWER_KINDS = LETTERED_KINDS | {"number"}
# By the type that a flow declares of a look-up's value; a yes-no is for conditions, and cannot be said.
KINDS_OF_TYPE: Mapping[str, frozenset[str]] = {
    "money": MONEY_KINDS,
    "text": CODE_KINDS,
    "date": DATE_KINDS,
    "number": frozenset({"number", "digits", "written"}),
}
# What the engine fills in. A prompt may use any that the call knows by then; the flow's keys are always known.
CALL_VALUES = frozenset(KINDS_OF.keys() - {"major", "minor"}) | {"value", "account_number"}
ALWAYS = frozenset({"done", "clear"})
# What wordings say that are said where a card costs a fee: the fee in the amount, and the amount without it.
OF_FEE = frozenset({"card_fee", "before_fee"})
_RECEIPT = frozenset({"amount", "number", "confirmation_number"})

# Prompts that the engine speaks of itself, whatever the flow says, each with the values that it then has. What a kind of
# step speaks is in its own file.
ENGINE_PROMPTS: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("welcome", "no_input", "no_match", "nothing_entered", "cleared", "slow_mode_on"), frozenset()),
    **dict.fromkeys(("offer_cancel", "cancelled", "goodbye", "apology", "you_were_not_charged"), frozenset()),
    **dict.fromkeys(("card_asked_later", "help", "more_time"), frozenset()),
    **dict.fromkeys(
        [f"limit_attempts_per_{what}" for what in ("call", "caller", "card", "account", "line")], frozenset()
    ),
    "choose_language": frozenset({"key"}),
    "you_were_charged": _RECEIPT,
    **dict.fromkeys(("you_were_charged_in_total", "another_payment_pending"), frozenset({"amount"})),
    # Said when words with values in them could not be put together.
    **dict.fromkeys(("payment_went_through", "charge_not_known"), frozenset()),
    **dict.fromkeys(("we_will_text_the_result", "call_again_for_the_result"), frozenset({"amount"})),
    "limit_max_amount": frozenset({"max"}),
}
# Words that slots are made of; without them a key would be spoken as a bare name of the configuration.
WORD_PROMPTS: Mapping[str, frozenset[str]] = {
    "key_star": frozenset(),
    "key_pound": frozenset(),
    "money_with_minor": frozenset({"major", "minor"}),
}
FIXED = {**ENGINE_PROMPTS, **WORD_PROMPTS}


@dataclass(frozen=True)
class Terms:
    """What flows add to the above. `prompts`: of fixed names, each with the values that it has when it is said; `values`:
    each with the kinds that can say it, such as answers to the flows' own questions; `flows` and `steps`: their names, which
    other wordings may be for (none: any). `spoken`: names that these flows may speak, where that is known: another prompt is
    some other flow's, whose values are not known here."""

    prompts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    flows: frozenset[str] = frozenset()
    steps: frozenset[str] = frozenset()
    spoken: frozenset[str] | None = None

    def is_spoken(self, prompt: str) -> bool:
        return self.spoken is None or prompt in self.spoken or prompt in FIXED or prompt in self.prompts

    def sure_in(self, prompt: str) -> frozenset[str]:
        """The values that a prompt may name at all."""
        if prompt in WORD_PROMPTS:
            return WORD_PROMPTS[prompt]
        fixed = FIXED.get(prompt, self.prompts.get(prompt))
        return CALL_VALUES.union(self.values) if fixed is None else ALWAYS | fixed

    def kinds_of(self, prompt: str, value: str) -> frozenset[str]:
        """The kinds that can say the value there; none for a value that nobody knows."""
        if value == "value":
            return MONEY_KINDS if prompt == "confirm_money" else ANSWER_KINDS
        if value in KINDS_OF:
            return KINDS_OF[value]
        return ANSWER_KINDS if value == "account_number" else self.values.get(value, frozenset())
