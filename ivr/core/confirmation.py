"""Confirmation numbers: nine digits that a caller hears and an operator types in again; drawn by the store, checked here.

The last digit is Damm's check digit (H. Michael Damm, "Total anti-symmetrische Quasigruppen", 2004). Of the schemes with
one decimal digit it is the one that finds every wrong digit and every two neighbours that were swapped, which is what
happens to numbers that are heard and written down; Luhn misses 09 for 90. It does not see noughts in front, so no number
begins with one.
"""

DIGITS = 9  # three groups of three: what a voice says with two pauses
FIRST, BEYOND = 10_000_000, 100_000_000  # what is before the check digit: eight digits, the first of them not a nought
_DAMM = (
    "0317598642", "7092154863", "4206871359", "1750983426", "6123045978",
    "3674209581", "5869720134", "8945362017", "9438617205", "2581436790",
)  # fmt: skip


def check_digit(digits: str) -> str:
    """To be put behind the digits; "0" where it is behind them already."""
    interim = 0
    for digit in digits:
        interim = int(_DAMM[interim][int(digit)])
    return str(interim)


def confirmation_number(drawn: int) -> str:
    """`drawn`: FIRST up to, and not with, BEYOND."""
    if not FIRST <= drawn < BEYOND:
        raise ValueError(f"{drawn} has not eight digits")
    return f"{drawn}{check_digit(str(drawn))}"


def is_confirmation_number(digits: str) -> bool:
    """Of the right length, and with a check digit that fits. Whether it was ever given is the store's to say."""
    return is_in_form(digits) and check_digit(digits) == "0"


def is_in_form(digits: str) -> bool:
    """As long as one, and all digits: what somebody means for one, right or wrong."""
    return len(digits) == DIGITS and digits.isascii() and digits.isdecimal() and digits[0] != "0"


def in_groups(number: str) -> str:
    """`414995123` as `414 995 123`; anything else as it is."""
    return " ".join(number[at : at + 3] for at in range(0, DIGITS, 3)) if is_in_form(number) else number
