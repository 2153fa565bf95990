"""The fee of a card in a call: fixed when the consent to it is asked for, and good for that card and that amount alone."""

from collections.abc import Mapping

from ivr.core.call import Call
from ivr.core.events import Value
from ivr.core.money import Money

CARD_FEE, BEFORE_FEE = "card_fee", "before_fee"


def fee_on(values: Mapping[str, Value]) -> Money | None:
    """What is charged on top of the amount with the present card; None for nothing."""
    fee = values.get(CARD_FEE)
    return fee if isinstance(fee, Money) and fee.minor > 0 else None


def with_fee(amount: Money, fee: Money | None) -> Money:
    return Money(amount.minor + fee.minor, amount.currency) if fee else amount


def said_of_fee(call: Call) -> dict[str, Value]:
    """What prompts say of the amount that is chosen and its fee: the amount is all that is charged, as after the charge."""
    amount, fee = call.values.get("amount"), fee_on(call.values)
    if not isinstance(amount, Money) or fee is None:
        return {}
    return {"amount": with_fee(amount, fee), BEFORE_FEE: amount, CARD_FEE: fee}


def has_fee(values: Mapping[str, Value]) -> bool:
    """Whether a phrase with these values is about a charge with a fee."""
    return fee_on(values) is not None
