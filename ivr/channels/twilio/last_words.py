"""What Twilio says when none of our prompts can be had: fixed, whole TwiML, English or Spanish."""

_ENGLISH = {
    "apology": "We are sorry. Something went wrong on our side.",
    "payment_went_through": "Your payment went through: your card was charged.",
    "reservation_went_through": "An amount is reserved on your card. Nothing has been taken from it so far.",
    "you_were_not_charged": "Nothing was charged in this call.",
    "we_will_text_the_result": "We do not have the bank's answer yet. You do not need to pay again: "
    "we will send you a text message with the result.",
    "charge_not_known": "We cannot tell at this moment whether your card was charged. "
    "Please find out before you pay again.",
}
_SPANISH = {
    "apology": "Lo sentimos. Algo falló de nuestro lado.",
    "payment_went_through": "Su pago se realizó: se hizo el cargo a su tarjeta.",
    "reservation_went_through": "Hay un importe retenido en su tarjeta. Hasta ahora no se ha cobrado nada.",
    "you_were_not_charged": "En esta llamada no se cobró nada.",
    "we_will_text_the_result": "Todavía no tenemos la respuesta del banco. No necesita pagar otra vez: "
    "le enviaremos el resultado en un mensaje de texto.",
    "charge_not_known": "En este momento no podemos saber si se hizo el cargo a su tarjeta. "
    "Por favor averígüelo antes de pagar otra vez.",
}


def last_words(told: str, language: str) -> str:
    """`told` is a plain ending's prompt; a caller whose language is neither of ours hears English."""
    spoken, words = (language, _SPANISH) if language.startswith("es") else ("en-US", _ENGLISH)
    said = "".join(f'<Say language="{spoken}">{words[name]}</Say>' for name in ("apology", told))
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}<Hangup/></Response>'
