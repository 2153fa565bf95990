"""Published test cards, and what stands in for a real card where a call is written down."""

from ivr.bank.simulator.scenarios import APPROVAL, BY_NAME
from ivr.core.brands import BRANDS, brand_of, passes_luhn

# One of each brand, as the networks and every sandbox publish them: none belongs to anybody.
TEST_CARDS = {
    "visa": "4111111111111111",
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "diners": "30569309025904",
    "jcb": "3530111333300000",
    "unionpay": "6200000000000005",
    "maestro": "6759649826438453",
}
PUBLISHED = frozenset(
    {*TEST_CARDS.values(), "4000000000000002", "4012888888881881", "4242424242424242", "4222222222222"}
    | {
        "5105105105105100",
        "2223003122003222",
        "371449635398431",
        "6011000990139424",
        "38520000023237",
        "3566002020360505",
    }
)


def is_published(digits: str) -> bool:
    """A number that the networks, or our bank simulator, publish for tests."""
    return digits in PUBLISHED or digits in {APPROVAL.pan, *(scenario.pan for scenario in BY_NAME.values())}


def stand_in(digits: str) -> str:
    """A test number that is as right or as wrong as this one: the same brand, and a check digit that fails if it failed."""
    if is_published(digits):
        return digits
    known = brand_of(digits.encode())
    if known is None or known.name not in TEST_CARDS:
        return "0" * len(digits)
    number = TEST_CARDS[known.name]
    if len(digits) not in known.lengths:
        return number[: len(digits)] if len(digits) < len(number) else number.ljust(len(digits), "0")
    return number if passes_luhn(digits.encode()) else f"{number[:-1]}{(int(number[-1]) + 1) % 10}"


def code_of(brand: str) -> str:
    """A security code that nobody has, of the brand's length."""
    length = next((one.security_code_length for one in BRANDS if one.name == brand), 3)
    return "1234"[:length]
