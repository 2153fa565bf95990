"""What is publicly known of card brands by their first digits (BIN ranges, ISO/IEC 7812): lengths, not card numbers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

Keys = bytes | bytearray | memoryview
Range = tuple[str, str]
ZERO = ord("0")
DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # twice a digit, its own digits added (ISO/IEC 7812-1, annex B)


@dataclass(frozen=True)
class Brand:
    """A card network: `ranges` are inclusive pairs of equally long prefixes."""

    name: str
    ranges: tuple[Range, ...]
    lengths: frozenset[int]
    security_code_length: int = 3
    luhn_required: bool = True
    is_dated: bool = False  # some of its cards have a start date or an issue number


def _lengths(*lengths: int) -> frozenset[int]:
    return frozenset(lengths)


def _each(*prefixes: str) -> tuple[Range, ...]:
    return tuple((prefix, prefix) for prefix in prefixes)


BRANDS: tuple[Brand, ...] = (
    Brand("amex", _each("34", "37"), _lengths(15), security_code_length=4),
    Brand("mastercard", (("51", "55"), ("2221", "2720")), _lengths(16)),
    Brand("visa", _each("4"), _lengths(13, 16, 18, 19)),
    Brand("discover", (("6011", "6011"), ("644", "649"), ("65", "65")), _lengths(16, 17, 18, 19)),
    Brand("diners", (("300", "305"), ("3095", "3095"), ("36", "36"), ("38", "39")), _lengths(14, 16, 19)),
    Brand("jcb", (("3528", "3589"),), _lengths(16, 17, 18, 19)),
    Brand("unionpay", (("62", "62"), ("8100", "8171")), _lengths(14, 15, 16, 17, 18, 19), luhn_required=False),
    Brand(
        "maestro", (*_each("50", "60", "61", "63"), ("56", "59"), ("66", "69")), frozenset(range(12, 20)), is_dated=True
    ),
)
# Schemes that cannot be taken here, whose cards begin inside the ranges above: told as another brand, not as Discover
# or Maestro, and known as card numbers where a caller keys one in at the wrong question.
OTHER_SCHEMES: tuple[Brand, ...] = (
    Brand(
        "elo",
        (
            *_each("401178", "401179", "431274", "438935", "451416", "457393", "457631", "457632", "504175"),
            *_each("627780", "636297", "636368"),
            *(("506699", "506778"), ("509000", "509999"), ("650031", "650033"), ("650035", "650051")),
            *(("650405", "650439"), ("650485", "650538"), ("650541", "650598"), ("650700", "650718")),
            *(("650720", "650727"), ("650901", "650978"), ("651652", "651679"), ("655000", "655019")),
            ("655021", "655058"),
        ),
        _lengths(16),
    ),
    Brand(
        "hiper",
        _each("637095", "637568", "637599", "637609", "637612", "63737423", "63743358"),
        _lengths(16),
    ),
    # Public lists of ranges, ActiveMerchant's for one, have these too; some of them have check digits of their own.
    Brand("alia", _each("504997", "505874", "505878", "601030", "601073"), _lengths(16), luhn_required=False),
    Brand("anda", _each("603199"), _lengths(16), luhn_required=False),
    Brand("cabal", (*_each("589657", "603522", "650272", "65008700"), ("604201", "604400")), _lengths(16)),
    Brand(
        "carnet",
        (
            ("506199", "506499"),
            *_each("502275", "588772", "606333", "627535", "636318", "636379", "639388", "639484", "639559"),
            *_each("60462203", "60462204"),
        ),
        _lengths(16),
    ),
    Brand("confiable", _each("560718"), _lengths(16), luhn_required=False),
    Brand("creditel", _each("601933"), _lengths(16), luhn_required=False),
    Brand("dankort", _each("5019"), _lengths(16)),
    Brand("edenred", _each("637483"), _lengths(16)),
    Brand("forbrugsforeningen", _each("600722"), _lengths(16)),
    # Also within Diners' 38, with 19 digits (Moip's validator, which was an acquirer's).
    Brand("hipercard", _each("606282", "384100", "384140", "384160"), _lengths(16, 19)),
    Brand(
        "mada",
        (
            *_each("504300", "506968", "508160", "585265", "588848", "588850", "589005", "589206", "604906", "605141"),
            *_each("636120"),
            ("588982", "588983"),
        ),
        _lengths(16),
    ),
    Brand("naranja", _each("589562"), _lengths(16), luhn_required=False),
    Brand("olimpica", _each("636853"), _lengths(16)),
    Brand("panal", _each("602049"), _lengths(16)),
    Brand("sodexo", (*_each("505864", "505865", "600818", "603389"), ("606068", "606071")), _lengths(16)),
    Brand("tarjeta-d", _each("601828"), _lengths(16), luhn_required=False),
    Brand("vr", _each("627416", "637036"), _lengths(16)),
    Brand("mir", (("2200", "2204"),), _lengths(16, 17, 18, 19)),
    Brand(
        "rupay",
        (
            *(("508500", "508999"), ("606985", "607984"), ("608001", "608500"), ("652150", "653149")),
            ("817200", "820199"),
        ),
        _lengths(16),
    ),
    Brand("verve", (("506099", "506198"), ("507865", "507964"), ("650002", "650027")), _lengths(16, 18, 19)),
)
BRAND_NAMES: frozenset[str] = frozenset(brand.name for brand in BRANDS)
DATED_BRANDS: frozenset[str] = frozenset(
    brand.name for brand in BRANDS if brand.is_dated
)  # Switch and Solo became Maestro
# UnionPay's cards in these ranges run on Discover's network: who takes Discover is paid by them.
_ON_DISCOVER: tuple[Range, ...] = (("622126", "622925"), ("624", "626"), ("6282", "6288"))
# <Pay validCardTypes>: also optima and enroute, which no longer exist, and diners under another name.
TWILIO_PAY_BRANDS = frozenset({"visa", "mastercard", "amex", "maestro", "discover", "jcb", "diners"})
LONGEST_PAN = 19
SHORTEST_PAN = 12


def _ranges_of(digit: str) -> Iterator[tuple[bytes, bytes, Brand]]:
    for brand in (*BRANDS, *OTHER_SCHEMES):
        for low, high in brand.ranges:
            if low[0] <= digit <= high[0]:
                yield low.encode(), high.encode(), brand


# By the first ASCII digit, the longest first: low, high, brand.
_RANGES = {ord(digit): sorted(_ranges_of(digit), key=lambda one: len(one[0]), reverse=True) for digit in "0123456789"}
_LONGEST_RANGE = max(len(low) for ranges in _RANGES.values() for low, _, _ in ranges)


def brand_of(prefix: Keys) -> Brand | None:
    """The brand of the ASCII digits given (a whole number or its beginning), or None if the prefix is no known one.

    The longest range that holds it decides: Elo's 6550 21 lies inside Discover's 65.
    """
    if not prefix:
        return None
    begins = bytes(prefix[:_LONGEST_RANGE])
    for low, high, brand in _RANGES.get(begins[0], ()):
        # Of its length compared first: a shorter beginning is none of a longer range.
        if len(begins) >= len(low) and low <= begins[: len(low)] <= high:
            return brand
    return None


def is_taken(pan: Keys, brands: frozenset[str]) -> bool:
    """Is the card one of a merchant's brands, by its own name or by the network that it runs on?"""
    brand = brand_of(pan)
    if brand is None:
        return False
    runs_on_discover = any(_holds(low, high, pan) for low, high in _ON_DISCOVER)
    return brand.name in brands or ("discover" in brands and runs_on_discover)


def passes_luhn(pan: Keys) -> bool:
    """Needs ASCII digits. Walks the buffer from its end: no slice, so no copy."""
    total = 0
    for position, key in enumerate(reversed(pan)):
        total += DOUBLED[key - ZERO] if position % 2 else key - ZERO
    return total % 10 == 0


def _holds(low: str, high: str, prefix: Keys) -> bool:
    size = len(low)
    return len(prefix) >= size and low.encode() <= bytes(prefix[:size]) <= high.encode()


def is_pan(digits: Keys) -> bool:
    """Could these ASCII digits be a whole card number: of a brand's range and length, and with its check digit?"""
    brand = brand_of(digits)
    return brand is not None and len(digits) in brand.lengths and (passes_luhn(digits) or not brand.luhn_required)


@dataclass(frozen=True)
class Ending:
    """An entry that begins with `low`..`high` is complete at `length` keys."""

    low: str
    high: str
    length: int


@lru_cache
def pan_endings(brands: frozenset[str]) -> tuple[Ending, ...]:
    """Where a card number ends by itself: at the longest legal length of its range.

    Amex and Mastercard have one length and so need no done key; a 16-digit Visa ends by the done key or the
    inter-digit timer, because 19-digit ones are legal and must not be cut off.
    """
    return tuple(_endings(brand for brand in BRANDS if brand.name in brands))


def _endings(brands: Iterable[Brand]) -> Iterable[Ending]:
    for brand in brands:
        for low, high in brand.ranges:
            yield Ending(low, high, max(brand.lengths))
