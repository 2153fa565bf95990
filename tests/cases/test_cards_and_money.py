"""Card numbers and the brand each belongs to; amounts and the words for them: tables that people can read and add to."""

import csv
from pathlib import Path

import pytest
import yaml
from babel.numbers import get_currency_precision, list_currencies

from ivr.core.brands import BRAND_NAMES, brand_of, is_taken
from ivr.core.money import decimals, parse_money
from ivr.words.spoken import Speaker

HERE = Path(__file__).parent
PROMPTS = HERE.parents[1] / "flows" / "prompts"


def rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("row", rows("cards.csv"), ids=lambda row: row["number"][:6])
def test_a_card_is_of_its_brand(row: dict[str, str]) -> None:
    found = brand_of(row["number"].encode())
    assert (found.name if found else "none") == row["brand"]


@pytest.mark.parametrize("row", rows("cards.csv"), ids=lambda row: row["number"][:6])
def test_a_brand_that_nobody_takes_is_taken_by_nobody(row: dict[str, str]) -> None:
    assert is_taken(row["number"].encode(), BRAND_NAMES) == (row["brand"] in BRAND_NAMES)


@pytest.mark.parametrize(
    ("number", "brands", "taken"),
    [
        ("6229256737248989", {"discover"}, True),
        ("6229256737248989", {"unionpay"}, True),
        ("6229256737248989", {"visa"}, False),
        ("8100513433325374", {"discover"}, False),
        ("6011111111111117", {"unionpay"}, False),
    ],
)
def test_a_card_on_discovers_network_is_taken_where_discover_is(number: str, brands: set[str], taken: bool) -> None:
    assert is_taken(number.encode(), frozenset(brands)) == taken


def said(language: str, amount: str) -> tuple[str, str]:
    file = PROMPTS / f"{language}.yaml"
    words = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    speech = Speaker(language, words).money(parse_money(amount))
    return " ".join(sound.words for sound in speech.sounds), speech.text


@pytest.mark.parametrize("row", rows("money.csv"), ids=lambda row: f"{row['language']} {row['amount']}")
def test_an_amount_is_said_as_its_language_says_it(row: dict[str, str]) -> None:
    assert said(row["language"], row["amount"]) == (row["words"], row["written"])


# ISO 4217 counts more decimals in these than CLDR, which says how many people write.
MORE_IN_ISO_4217 = {"AFN", "ALL", "IQD", "IRR", "KPW", "LAK", "LBP", "MGA", "MMK", "RSD", "SLL", "SOS", "SYP", "YER"}


def test_decimals_are_those_of_iso_4217() -> None:
    differing = {code for code in list_currencies() if decimals(code) != get_currency_precision(code)}
    assert differing == MORE_IN_ISO_4217
    assert [decimals(code) for code in ("USD", "JPY", "KWD", "IQD", "CLF", "RSD", "UYW", "ISK")] == [
        *(2, 0, 3, 3, 4, 2, 4, 0)
    ]
