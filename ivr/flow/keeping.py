"""What steps have in common that have to do with a card which the bank keeps: the facts that make it safe."""

from ivr.flow.parts import KNOWN_BY_TWO, Need
from ivr.reading.rules import kept_cards

ASKED = "asked to keep the card"  # the fact; both answers to it are good


def second_answer_needed(name: str, key: str) -> Need:
    message = f"there is a way to '{name}' on which a number alone finds the card that is kept"
    cure = "let the look-up take a second answer, such as a PIN: 'takes: [account_number, pin]'"
    return Need(KNOWN_BY_TWO, kept_cards.OPEN_TO_GUESSES, message, cure, (key,))
