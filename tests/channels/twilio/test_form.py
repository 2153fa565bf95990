"""Forms as bytes: decoded once, wiped afterwards, wrong ones told without quoting them."""

from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.channels.twilio import parse_form
from ivr.errors import PeerError


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=50), max_size=10))
def test_every_field_comes_back_as_it_was_sent(fields):
    form = parse_form(urlencode(fields).encode())
    assert {name.decode(): value.decode() for name, value in form.pairs} == fields


def test_digits_are_keys_that_hide_themselves():
    digits = parse_form(b"CallSid=CA1&Digits=4111111111111111").digits()
    assert digits is not None
    assert "4111" not in repr(digits)
    assert "4111" not in str(digits)


def test_no_digits_field_is_no_keys():
    assert parse_form(b"CallSid=CA1").digits() is None


@pytest.mark.parametrize("wrong", [b"Digits=41x1", b"Digits=%00", b"Digits=4111%20", "Digits=٤".encode()])
def test_what_no_keypad_has_is_refused_without_being_quoted(wrong):
    with pytest.raises(PeerError, match="only the keys") as refusal:
        parse_form(wrong).digits()
    assert "41" not in str(refusal.value)


@pytest.mark.parametrize("wrong", [b"a=%", b"a=%4", b"a=%zz", b"x" * 70_000, b"&" * 10_000])
def test_a_broken_form_is_a_clear_error(wrong):
    with pytest.raises(PeerError, match="form"):
        parse_form(wrong)


def test_a_wiped_form_holds_no_digits():
    form = parse_form(b"Digits=4111111111111111")
    form.wipe()
    assert form.pairs[0][1] == bytes(16)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_a_peer_error(body):
    with suppress(PeerError):
        parse_form(body)
