"""What keys amount to, and when an entry is over."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ivr.core.brands import BRAND_NAMES, BRANDS, LONGEST_PAN, OTHER_SCHEMES, SHORTEST_PAN, brand_of, pan_endings
from ivr.core.entry import EntryRules, Reading, Span, read_after_timeout, read_entry

DIGITS = EntryRules(8, 10)
PAN = EntryRules(SHORTEST_PAN, LONGEST_PAN, ends_at=pan_endings(BRAND_NAMES))


@pytest.mark.parametrize(
    ("keys", "span"),
    [
        (b"", Span(Reading.OPEN, 0, 0, 0)),
        (b"123", Span(Reading.OPEN, 0, 3, 3)),
        (b"12345678", Span(Reading.OPEN, 0, 8, 8)),
        (b"1234567890", Span(Reading.COMPLETE, 0, 10, 10)),
        (b"12345678#", Span(Reading.COMPLETE, 0, 8, 9)),
        (b"12#", Span(Reading.COMPLETE, 0, 2, 3)),
        (b"#", Span(Reading.EMPTY, 0, 0, 1)),
        (b"*", Span(Reading.CANCEL, 0, 0, 1)),
        (b"12*", Span(Reading.CLEARED, 3, 3, 3)),
        (b"12**", Span(Reading.CANCEL, 3, 3, 4)),
        (b"12*#", Span(Reading.EMPTY, 3, 3, 4)),
        (b"12*34", Span(Reading.OPEN, 3, 5, 5)),
        (b"12*12345678#", Span(Reading.COMPLETE, 3, 11, 12)),
        (b"12345678#99", Span(Reading.COMPLETE, 0, 8, 9)),
        (b"12345678901", Span(Reading.COMPLETE, 0, 10, 10)),
        (b"1234567890#", Span(Reading.COMPLETE, 0, 10, 11)),  # out of habit, and no answer to the next question
        (b"1234567890##", Span(Reading.COMPLETE, 0, 10, 11)),
        (b"1234567890*", Span(Reading.COMPLETE, 0, 10, 10)),
    ],
)
def test_keys_as_they_come(keys: bytes, span: Span):
    assert read_entry(keys, DIGITS) == span


@pytest.mark.parametrize(
    ("keys", "reading"),
    [
        (b"12345678", Reading.COMPLETE),
        (b"1234567", Reading.OPEN),
        (b"9*12345678", Reading.COMPLETE),
        (b"9*123", Reading.CLEARED),
        (b"9*", Reading.CLEARED),
        (b"*", Reading.CANCEL),
        (b"#", Reading.EMPTY),
    ],
)
def test_keys_when_no_more_will_come(keys: bytes, reading: Reading):
    assert read_after_timeout(keys, DIGITS).reading is reading


def test_a_known_length_may_be_told_to_wait_for_the_done_key():
    assert read_entry(b"1234567890", EntryRules(8, 10, ends_by_length=False)).reading is Reading.OPEN


@pytest.mark.parametrize(
    ("pan", "complete_at"),
    [
        ("378282246310005", 15),  # amex
        ("5555555555554444", 16),  # mastercard
        ("2223003122003222", 16),
        ("4111111111111111", None),  # a visa may have 19
        ("4111111111111111111", 19),
        ("6011111111111117", None),  # discover up to 19
        ("30569309025904", None),  # diners up to 19
    ],
)
def test_a_card_number_ends_by_itself_where_its_brand_allows_no_more(pan: str, complete_at: int | None):
    lengths = [n for n in range(1, len(pan) + 1) if read_entry(pan[:n].encode(), PAN).reading is Reading.COMPLETE]
    assert lengths == ([complete_at] if complete_at else [])


def test_after_a_clear_the_brand_is_read_anew():
    assert read_entry(b"4111*378282246310005", PAN) == Span(Reading.COMPLETE, 5, 20, 20)


def test_only_brands_that_are_taken_end_by_themselves():
    visa_only = EntryRules(SHORTEST_PAN, LONGEST_PAN, ends_at=pan_endings(frozenset({"visa"})))
    assert read_entry(b"378282246310005", visa_only).reading is Reading.OPEN


KEYS = st.text("0123456789*#ABCD", max_size=30).map(str.encode)


@given(KEYS, st.sampled_from([("#", "*"), ("*", "#")]))
def test_an_entry_is_a_part_of_the_keys_without_done_or_clear(keys: bytes, words: tuple[str, str]):
    rules = EntryRules(8, 10, done=words[0], clear=words[1])
    for read in (read_entry, read_after_timeout):
        span = read(keys, rules)
        assert 0 <= span.start <= span.end <= span.used <= len(keys)
        entry = keys[span.start : span.end]
        assert rules.done.encode() not in entry
        assert rules.clear.encode() not in entry
        assert len(entry) <= 10


@given(KEYS)
def test_nothing_is_read_beyond_the_end_of_an_entry(keys: bytes):
    span = read_entry(keys, DIGITS)
    if span.reading is not Reading.OPEN:
        assert read_entry(keys[: span.used], DIGITS) == span


@given(KEYS, KEYS)
def test_keys_typed_ahead_do_not_change_an_entry_that_is_over(keys: bytes, more: bytes):
    span = read_entry(keys, DIGITS)
    if span.reading in (Reading.COMPLETE, Reading.CANCEL, Reading.EMPTY):
        assert read_entry(keys + more, DIGITS) == span


# ---- brands


@pytest.mark.parametrize(
    ("prefix", "brand"),
    [
        ("4", "visa"),
        ("34", "amex"),
        ("37", "amex"),
        ("35", None),
        ("3528", "jcb"),
        ("3589", "jcb"),
        ("3527", None),
        ("3590", None),
        ("51", "mastercard"),
        ("55", "mastercard"),
        ("50", "maestro"),
        ("2221", "mastercard"),
        ("2720", "mastercard"),
        ("2220", None),
        ("2721", None),
        ("6011", "discover"),
        ("644", "discover"),
        ("649", "discover"),
        ("65", "discover"),
        ("62", "unionpay"),
        ("300", "diners"),
        ("305", "diners"),
        ("306", None),
        ("3095", "diners"),
        ("36", "diners"),
        ("38", "diners"),
        ("384100", "hipercard"),
        ("384110", "diners"),
        ("384140", "hipercard"),
        ("384160", "hipercard"),
        ("39", "diners"),
        ("56", "maestro"),
        ("63", "maestro"),
        ("0", None),
        ("1", None),
        ("", None),
        ("22", None),  # not yet known
    ],
)
def test_the_brand_is_known_by_the_first_digits(prefix: str, brand: str | None):
    found = brand_of(prefix.encode())
    assert (found.name if found else None) == brand
    longer = brand_of((prefix + "0" * (4 - len(prefix))).encode()) if len(prefix) >= 4 else found
    assert longer == found


@given(st.text("0123456789", max_size=8))
def test_the_longest_range_that_holds_the_first_digits_decides(digits: str):
    holding = [
        (len(low), brand.name)
        for brand in (*BRANDS, *OTHER_SCHEMES)
        for low, high in brand.ranges
        if low <= digits[: len(low)] <= high and len(digits) >= len(low)
    ]
    found = brand_of(digits.encode())
    assert (found.name if found else None) == (max(holding, key=lambda one: one[0])[1] if holding else None)


@pytest.mark.parametrize(
    ("brand", "lengths"),
    [
        ("visa", {13, 16, 18, 19}),
        ("mastercard", {16}),
        ("amex", {15}),
        ("diners", {14, 16, 19}),
        ("discover", {16, 17, 18, 19}),
        ("jcb", {16, 17, 18, 19}),
        ("unionpay", set(range(14, 20))),
        ("maestro", set(range(12, 20))),
    ],
)
def test_lengths_are_the_card_rules(brand: str, lengths: set[int]):
    found = next(known for known in BRANDS if known.name == brand)
    assert found.lengths == lengths
    assert found.security_code_length == (4 if brand == "amex" else 3)
    assert found.luhn_required == (brand != "unionpay")
