"""What steps have in common that have to do with a card which the bank keeps: the facts that make it safe."""

from collections.abc import Iterator

from ivr.flow.parts import KNOWN_BY_SHORT, KNOWN_BY_TWO, Need
from ivr.reading.rules import kept_cards

KEPT = "a card that is kept"  # the fact: it is the one that will be charged
ASKED = "asked to keep the card"  # the fact; both answers to it are good


SHORTEST_SECOND_ANSWER = 4  # digits or letters: in three tries one of 10,000 is guessed by three callers in 10,000


def second_answer_needed(name: str, key: str) -> Iterator[Need]:
    message = f"there is a way to '{name}' on which a number alone finds the card that is kept"
    cure = "let the look-up take a second answer, such as a PIN: 'takes: [account_number, pin]'"
    yield Need(KNOWN_BY_TWO, kept_cards.OPEN_TO_GUESSES, message, cure, (key,))
    least = SHORTEST_SECOND_ANSWER
    message = f"there is a way to '{name}' on which an answer of fewer than {least} digits guards the card that is kept"
    cure = f"ask for one of {least} digits or more, such as a PIN: 'length: {least}'"
    yield Need(KNOWN_BY_SHORT, kept_cards.EASY_TO_GUESS, message, cure, (key,), is_absent=True)
