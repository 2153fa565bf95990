"""Keys that stand in for those of a call on record, of which only the verdicts are known; they belong to nobody."""

from collections.abc import Collection

from ivr.conversation.history import read_digits
from ivr.core.brands import brand_of, passes_luhn
from ivr.errors import RecordError
from ivr.flow.step import Step
from ivr.testing.cards import PUBLISHED, TEST_CARDS, code_of

DONE, CLEAR = "#", "*"
# By field and verdict ("" for a valid one). Valid by the clock of a test, which stands at the beginning of 2026.
FIELDS = {
    "expiry": {"": "1230", "!expired": "0120", "!not_a_month": "1330", "!expiry_far": "1260", "!length": "123"},
    "start_date": {"": "0120", "!not_begun": "1230", "!not_a_month": "1320", "!length": "012"},
    "issue_number": {"": "3"},
}
ZIP, POSTAL_DIGITS = "94105", frozenset({5})
TOO_SHORT = "4111111"
# What became of keys in a card field that are no entry.
EDITS = {"cleared": f"4{CLEAR}", "cancel": CLEAR, "empty": DONE}
EDITS |= {"again": f"9{DONE}", "help": f"0{DONE}", "one_key": f"5{DONE}"}
_STRAY_CARDS = {16: TEST_CARDS["visa"], 15: TEST_CARDS["amex"], 14: TEST_CARDS["diners"]}


def card_field_keys(
    field: str, verdict: str, brand: str, is_over_itself: bool, postal_digits: Collection[int] = POSTAL_DIGITS
) -> str:
    """`verdict` begins with `!` where the entry was not valid; `brand`: of the card number that was keyed before;
    `postal_digits`: how many digits a postal code may have."""
    of_field = FIELDS.get(field) or {"": code_of(brand), "!length": "12"}
    if field == "postal_code":
        of_field = _postal_codes(postal_digits)
    keys = of_field.get(verdict if verdict.startswith("!") else "")
    if keys is None:
        raise RecordError(f"no keys are known that a {field.replace('_', ' ')} is refused for as '{verdict[1:]}'")
    return keys if is_over_itself else f"{keys}{DONE}"


def _postal_codes(counts: Collection[int]) -> dict[str, str]:
    """By verdict; one that is valid has the most digits, so that it may end by itself."""
    # One digit alone may be a key that asks for something.
    other = next((count for count in (3, *range(2, max(counts))) if count not in counts), max(counts) + 1)
    return {"": ZIP[: max(counts)].ljust(max(counts), "1"), "!length": ZIP[:other].ljust(other, "1")}


def card_number_keys(verdict: str, taken: Collection[str], attempt: int, is_over_itself: bool) -> str:
    """`taken`: the brands that the flow takes. Each attempt has another card, as far as there are published ones."""
    if verdict == "!luhn":
        number = TEST_CARDS["visa"][:-1] + "2"
    elif verdict == "!length":
        number = TOO_SHORT
    elif verdict == "!brand_refused":
        number = next((number for brand, number in TEST_CARDS.items() if brand not in taken), "")
        if not number:
            raise RecordError("the flow takes every brand now, and refused one then")
    elif verdict.startswith("!"):
        raise RecordError(f"no keys are known that a card number is refused for as '{verdict[1:]}'")
    else:
        number = _one_of(verdict, attempt)
    return number if is_over_itself and len(number) > len(TOO_SHORT) else f"{number}{DONE}"


def stray_card(count: int) -> str:
    """What stands in for so many digits that were dropped as a card number, or as more that held one; "" for none."""
    return _STRAY_CARDS.get(count, TEST_CARDS["visa"] if count > len(TEST_CARDS["visa"]) else "")


def _one_of(brand: str, attempt: int) -> str:
    if brand not in TEST_CARDS:
        raise RecordError(f"there is no published test card of the brand {brand}")
    first = TEST_CARDS[brand]
    others = sorted(number for number in PUBLISHED if number != first and _is_of(number, brand, len(first)))
    return [first, *others][attempt % (1 + len(others))]


def _is_of(number: str, brand: str, length: int) -> bool:
    found = brand_of(number.encode())
    return found is not None and found.name == brand and len(number) == length and passes_luhn(number.encode())


def account_keys(written: str, number: int, step: Step | None = None) -> tuple[str, str]:
    """`written` as in a history: so many digits, and the key that ended them. The account, and its keys. `step`: the one
    that asks, where letters are other keys than they say."""
    cleared, length, end = read_digits(written)
    if step is not None and (said := step.said_by(keys := step.stand_in(length, number))) != keys:
        return said, f"{cleared}{keys}{end}"
    # A one in front: no card number begins so.
    digits = f"1{number:0{length - 1}d}"[:length] if length > 1 else "1"[:length]
    return digits, f"{cleared}{digits}{end}"
