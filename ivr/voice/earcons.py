"""Which prompt tone stands for which prompt, for flows without speech (`voice: tones`); the tones are in `dsp.tones`."""

_BY_BEGINNING = (
    (("no_match", "not_found", "limit_", "no_input", "nothing_entered"), "wrong"),
    (("confirm_", "offer_cancel"), "confirm"),
)
_WRONG = (
    "bank_not_reached",
    "cards_not_taken_now",
    "amount_not_payable",
    "brand_not_accepted",
    "card_expired",
    "card_declined",
    "reservation_declined",
    "reservation_not_reached",
    "apology",
    "bill_not_reached",
    "bill_not_payable",
    "cancelled",
    "you_were_not_charged",
    "charge_not_known",
    "card_asked_later",
)
_BY_NAME = {
    **dict.fromkeys(_WRONG, "wrong"),
    **dict.fromkeys(("hold_while_charging", "still_working", "one_moment"), "hold"),
    **dict.fromkeys(
        ("confirmation_number", "you_were_charged", "you_were_charged_in_total", "payment_went_through"), "accepted"
    ),
    **dict.fromkeys(("sms_sent", "cleared", "nothing_due"), "accepted"),
    "goodbye": "goodbye",
}


def earcon_for(prompt: str) -> str:
    """A question is `ready`: the caller may key."""
    if prompt in _BY_NAME:
        return _BY_NAME[prompt]
    if prompt.endswith("_not_valid"):
        return "wrong"
    return next((tone for beginnings, tone in _BY_BEGINNING if prompt.startswith(beginnings)), "ready")
