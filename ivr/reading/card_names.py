"""Names of answers that mean card data, however they are put together: `cardno`, `exp_date`, `numero_de_tarjeta`, `atm_pin`.

Nothing is known here of what an answer is; a name is all that a flow says before anybody has keyed anything in.
"""

import re
from typing import Literal

# card: nobody means anything else. pin: a secret code whose owner is not named. maybe: a card or PIN of somebody's own,
# such as library_card and meter_pin.
Meaning = Literal["card", "pin", "maybe"]

# Any of them says it, whatever stands beside it.
_CERTAIN = frozenset(
    {"pan", "cvv", "cvv2", "cvc", "cvc2", "ccv", "ccv2", "cvn", "csc", "expiry", "expiration", "caducidad", "mmyy"}
    | {"track1", "track2", "trackdata", "magstripe"}
)
_CARDS = frozenset({"card", "cards", "cc", "tarjeta", "carte", "karte", "cartao", "mastercard", "amex"})
# NIP is Mexico's word for it; in Poland it is a tax number.
_PINS, _PINS_OF_SOME = frozenset({"pin"}), frozenset({"nip"})
_OF_A_CARD = frozenset({"atm", "bank", "cajero", "debit", "credit", "debito", "credito", "payment"})
# Beside a card's name these say no more than that it is a card.
_PLAIN = frozenset(
    {
        "number",
        "num",
        "no",
        "nr",
        "numero",
        "nummer",
        "code",
        "codigo",
        "value",
        "date",
        "fecha",
        "month",
        "year",
        "digit",
    }
    | {
        "digits",
        "de",
        "del",
        "la",
        "el",
        "of",
        "the",
        "my",
        "your",
        "enter",
        "security",
        "seguridad",
        "sec",
        "exp",
        "verification",
    }
)
# Without a card's name: each word of it has to be there, and nothing but plain words beside.
_ALONE = tuple(
    frozenset(words.split())
    for words in (
        *("security code", "sec code", "security number", "seguridad codigo", "seguridad numero"),
        *("valid thru", "valid through", "good thru", "mm yy", "track data"),
    )
)
_EXPIRES = frozenset({"exp"})
_VOCABULARY = _CARDS | _PINS | _PINS_OF_SOME | _OF_A_CARD | _PLAIN | _CERTAIN | {"valid", "thru", "through", "good"}
# Longest first: "expiry" is not "exp" and a rest.
_GLUED = re.compile("|".join(sorted(_VOCABULARY, key=len, reverse=True)))


def card_meaning(name: str) -> Meaning | None:
    """`name`: lower-case words, joined by `_` or written together (`cardnumber`). None where it says nothing of a card."""
    words = frozenset(word for part in name.split("_") for word in _words_of(part)) - {""}
    others = words - _PLAIN
    if (
        words & _CERTAIN
        or name.replace("_", "") in _CERTAIN
        or (words and words <= _EXPIRES | _PLAIN and words & _EXPIRES)
    ):
        return "card"
    if any(alone <= words and others <= alone for alone in _ALONE):
        return "card"
    if words & (_PINS | _PINS_OF_SOME) and words & (_CARDS | _OF_A_CARD):
        return "card"
    if words & _PINS:
        return "maybe" if others - _PINS else "pin"
    if words & _PINS_OF_SOME:
        return "maybe"
    if words & _CARDS:
        return "maybe" if others - _CARDS - _OF_A_CARD else "card"
    return None


def _words_of(part: str) -> list[str]:
    """The words of a part in which they are written together; a number behind it counts for nothing (`card2`)."""
    if part in _VOCABULARY:
        return [part]
    bare = part.rstrip("0123456789")
    words = _GLUED.findall(bare)
    return words if "".join(words) == bare else [bare]
