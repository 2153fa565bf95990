"""How many digits a postal code has in each country, letters left out: what a keypad can send, and what banks compare.

The networks' address verification looks at the digits of a code alone: SW1A 2AA is 12 in the United Kingdom, K1A 0B1 is 101 in
Canada. Countries whose codes have no fixed number of digits are not here.
"""

from collections.abc import Iterable, Mapping

DIGITS: Mapping[str, frozenset[int]] = {
    "GB": frozenset({2, 3}),  # A9 9AA to AA99 9AA; AA9A 9AA has two
    "CA": frozenset({3}),
    **dict.fromkeys(("AT", "AU", "BE", "CH", "DK", "NL", "NO", "NZ"), frozenset({4})),
    **dict.fromkeys(("DE", "ES", "FI", "FR", "IT", "MX", "PL", "SE", "US"), frozenset({5})),
    **dict.fromkeys(("IN", "SG"), frozenset({6})),
    **dict.fromkeys(("JP", "PT"), frozenset({7})),
    "BR": frozenset({8}),
}
USUAL = "US"


def digit_counts(countries: Iterable[str]) -> frozenset[int]:
    """Of any of these countries: nobody is asked where a card is from."""
    return frozenset[int]().union(*(DIGITS[country] for country in countries))
