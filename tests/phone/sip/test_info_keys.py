"""Keys in INFO bodies, as phones and gateways write them."""

import pytest

from ivr.phone.sip.info_keys import read_info_key


@pytest.mark.parametrize(
    ("body", "key", "duration_ms"),
    [
        (b"Signal=5\r\nDuration=160\r\n", "5", 160),
        (b"Signal= 5\r\nDuration= 250", "5", 250),
        (b"signal = *\nduration = 90\n", "*", 90),
        (b"Duration=100\r\nSignal=#", "#", 100),
        (b"Signal=10\r\nDuration=160", "*", 160),
        (b"Signal=11\r\nDuration=160", "#", 160),
        (b"Signal=a", "A", 160),
        (b"Signal=15", "D", 160),
        (b"Signal=5\r\nDuration=999999", "5", 10_000),
        (b"7", "7", 160),
        (b"#\r\n", "#", 160),
        (b"11", "#", 160),
    ],
)
def test_a_key_is_read_however_it_is_written(body, key, duration_ms):
    found = read_info_key(body)
    assert (found.key, found.duration_ms) == (key, duration_ms)


@pytest.mark.parametrize(
    "body", [b"", b"Signal=", b"Signal=16", b"Signal=55", b"hello", b"\xff\xfe", b"Signal=!", b"123"]
)
def test_what_is_no_key_is_none(body):
    assert read_info_key(body) is None


def test_a_key_is_not_shown():
    assert "7" not in repr(read_info_key(b"Signal=7\r\nDuration=160"))
